//! A mistake in a file of settings, described so that its author can correct it.

use std::fmt;

/// A place in a text file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Line of the file, from 1.
    pub line: u64,
    /// Character of the line, from 1.
    pub column: u64,
}

/// One mistake in a file of settings: where it is, what was found, and what is allowed there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where in the file.
    pub place: Place,
    /// What was found, such as "confidence is 1.4".
    pub found: String,
    /// What is allowed in its place, such as "0 to 1".
    pub allowed: String,
}

impl fmt::Display for Problem {
    /// `LINE:COLUMN: FOUND; allowed: ALLOWED`, ready to stand behind the name of the file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Problem { place, found, allowed } = self;
        write!(f, "{}:{}: {found}; allowed: {allowed}", place.line, place.column)
    }
}

/// One line for each problem, with the name of the file in front: `FILE:LINE:COLUMN: ...`.
pub fn problem_lines(file: &std::path::Path, problems: &[Problem]) -> String {
    let lines: Vec<String> =
        problems.iter().map(|problem| format!("{}:{problem}", file.display())).collect();
    lines.join("\n")
}
