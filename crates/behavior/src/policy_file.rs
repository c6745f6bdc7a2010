//! Reads a policy from its file, or says why not so that its author can mend it.

use std::path::{Path, PathBuf};

use rapport_settings::{Problem, problem_lines, text_of};

use super::content;
use super::policy::Policy;
use super::schema;

/// The size in bytes of the largest policy file that is read.
pub const MAX_POLICY_BYTES: usize = 64 * 1024;

/// Why a policy cannot be used. Each line of the message begins with the name of the file.
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
    /// The file is larger than [`MAX_POLICY_BYTES`].
    #[error("{}: the policy file is larger than the {limit_bytes} bytes allowed", file.display())]
    TooLarge {
        /// The file as it was given.
        file: PathBuf,
        /// The largest size allowed.
        limit_bytes: usize,
    },
    /// The content of the file is wrong. The message has one line for each problem, in the order of
    /// the file: `FILE:LINE:COLUMN: FOUND; allowed: ALLOWED`.
    #[error("{}", problem_lines(file, problems))]
    Invalid {
        /// The file as it was given.
        file: PathBuf,
        /// What is wrong: at least one problem.
        problems: Vec<Problem>,
    },
}

impl Policy {
    /// Reads a policy file of at most [`MAX_POLICY_BYTES`].
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is too large, or is wrong. For a wrong file the error holds every
    /// wrong value, or the first fault of the YAML syntax.
    pub fn read(file: &Path) -> Result<Self, PolicyError> {
        Self::parse(file, &Self::read_content(file)?)
    }

    /// Reads the content of a policy file, for [`Policy::parse`]: of a file that is too large, as much
    /// as is enough to know.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn read_content(file: &Path) -> Result<Vec<u8>, PolicyError> {
        content::read(file, MAX_POLICY_BYTES).map_err(|error| PolicyError::Unreadable {
            file: file.to_owned(),
            reason: error.to_string(),
        })
    }

    /// Reads a policy from the content of a file. Its name is used in errors only.
    ///
    /// # Errors
    ///
    /// As [`Policy::read`], except those of opening the file.
    pub fn parse(file: &Path, content: &[u8]) -> Result<Self, PolicyError> {
        if content.len() > MAX_POLICY_BYTES {
            return Err(PolicyError::TooLarge {
                file: file.to_owned(),
                limit_bytes: MAX_POLICY_BYTES,
            });
        }
        text_of(content)
            .map_err(|problem| vec![problem])
            .and_then(schema::policy)
            .map_err(|problems| PolicyError::Invalid { file: file.to_owned(), problems })
    }
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
