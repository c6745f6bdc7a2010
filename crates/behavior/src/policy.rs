//! The policy: which rule answers which expression, and how.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use rapport_settings::text_of;
use rapport_vocabulary::Emotion;

use super::problem::PolicyError;
use super::response::{Answer, Fraction, Rest};
use super::schema;

/// The largest policy file that is read.
pub const MAX_POLICY_BYTES: usize = 64 * 1024;

/// Rules over the expressions shown to the robot, and its manners between them.
///
/// A policy exists only in a state that makes sense: it is made by [`Policy::read`] and
/// [`Policy::parse`], which refuse everything else.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Policy {
    /// Quiet time between the end of one response and the start of the next, whoever is answered.
    pub pause: Duration,
    /// For how long an expression may be out of sight without having ended.
    pub gap: Duration,
    /// How the robot looks when it answers nobody.
    pub rest: Rest,
    /// The rules in the order of the file; at least one, with distinct names.
    pub rules: Vec<Rule>,
}

/// When to answer, and how.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Rule {
    /// Unique in the policy.
    pub name: String,
    /// The expressions that the rule is about; at least one.
    pub emotions: Vec<Emotion>,
    /// The least confidence that counts.
    pub confidence: Fraction,
    /// For how long the expression must have lasted.
    pub lasting: Duration,
    /// Time from one answer to the next to the same face, start to start.
    pub cooldown: Duration,
    /// Time from one answer to the next to any face, start to start.
    pub cooldown_anyone: Duration,
    /// Of several rules that could fire, the one with the highest priority does.
    pub priority: i32,
    /// What the robot does.
    pub answer: Answer,
}

impl Policy {
    /// Reads a policy file of at most [`MAX_POLICY_BYTES`].
    ///
    /// # Errors
    ///
    /// When the file cannot be read, is too large, or is wrong. For a wrong file every problem is
    /// reported, in the order of the file: all that is wrong with its values, or the first fault of
    /// its YAML.
    pub fn read(file: &Path) -> Result<Self, PolicyError> {
        let mut bytes = Vec::new();
        File::open(file)
            // One byte more than allowed is enough to know, however large the file is.
            .and_then(|open| open.take(MAX_POLICY_BYTES as u64 + 1).read_to_end(&mut bytes))
            .map_err(|error| PolicyError::Unreadable {
                file: file.to_owned(),
                reason: error.to_string(),
            })?;
        Self::parse(file, &bytes)
    }

    /// Reads a policy from the content of a file, whose name serves in errors only.
    ///
    /// # Errors
    ///
    /// As [`Policy::read`], less those of opening the file.
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
