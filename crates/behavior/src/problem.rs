//! A policy file that cannot be used, said so that its author can mend it.

use std::path::PathBuf;

use rapport_settings::{Problem, problem_lines};

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

#[cfg(test)]
mod tests {
    use super::*;
    use rapport_settings::Place;

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
