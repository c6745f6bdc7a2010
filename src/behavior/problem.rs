//! What can be wrong with a policy file, said so that its author can mend it.

use std::fmt;
use std::path::PathBuf;

/// A place in a text file, both counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Line of the file.
    pub line: u64,
    /// Character of the line.
    pub column: u64,
}

/// One thing wrong in a policy file: where it is, what was found, and what is allowed there.
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

/// A policy that cannot be used. Every message begins with the file.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The file cannot be read.
    #[error("{}: the policy file cannot be read: {reason}", file.display())]
    Unreadable {
        /// The file as it was given.
        file: PathBuf,
        /// What the operating system says.
        reason: String,
    },
    /// The file is no policy by its size alone.
    #[error("{}: the policy file is larger than the {limit_bytes} bytes allowed", file.display())]
    TooLarge {
        /// The file as it was given.
        file: PathBuf,
        /// The largest size allowed.
        limit_bytes: usize,
    },
    /// The file was read and is wrong: one line for each problem, in the order of the file.
    #[error("{}", problem_lines(file, problems))]
    Invalid {
        /// The file as it was given.
        file: PathBuf,
        /// What is wrong: at least one problem.
        problems: Vec<Problem>,
    },
}

fn problem_lines(file: &std::path::Path, problems: &[Problem]) -> String {
    let lines: Vec<String> =
        problems.iter().map(|problem| format!("{}:{problem}", file.display())).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_problem_is_one_line_that_begins_with_its_place() {
        let problem = |line, found: &str| Problem {
            place: Place { line, column: 17 },
            found: found.to_owned(),
            allowed: "0 to 1".to_owned(),
        };
        let error = PolicyError::Invalid {
            file: "config/policy.yaml".into(),
            problems: vec![problem(14, "confidence is 1.4"), problem(20, "intensity is -1")],
        };
        assert_eq!(
            error.to_string(),
            "config/policy.yaml:14:17: confidence is 1.4; allowed: 0 to 1\n\
             config/policy.yaml:20:17: intensity is -1; allowed: 0 to 1"
        );
    }
}
