//! What a policy is: which rule answers which expression, and how.

use std::collections::BTreeSet;
use std::time::Duration;

use rapport_vocabulary::Emotion;

use super::response::{Answer, Fraction, Outputs};

/// Rules over the expressions shown to the robot, and its manners between them.
///
/// A policy exists only in a state that makes sense: it is made by [`Policy::read`] and
/// [`Policy::parse`], which refuse everything else.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Policy {
    /// Quiet time between the end of one response and the start of the next, whoever is answered.
    /// 0 to 3600 s.
    pub pause: Duration,
    /// For how long an expression may be out of sight without having ended. 0 to 5 s.
    pub gap: Duration,
    /// How the robot looks when it answers nobody: light and expression only.
    pub rest: Outputs,
    /// The rules in the order of the file: 1 to 64, with distinct names.
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
    /// The lowest confidence that counts.
    pub confidence: Fraction,
    /// For how long the expression must have lasted. 0 to 60 s.
    pub lasting: Duration,
    /// Time from one answer to the next to the same face, start to start. 0 to 86400 s.
    pub cooldown: Duration,
    /// Time from one answer to the next to any face, start to start. 0 to 86400 s.
    pub cooldown_anyone: Duration,
    /// Of several rules that could fire, the one with the highest priority does. -1000 to 1000.
    pub priority: i32,
    /// What the robot does.
    pub answer: Answer,
}

impl Policy {
    /// The expressions that any rule is about.
    pub fn emotions(&self) -> BTreeSet<Emotion> {
        self.rules.iter().flat_map(|rule| rule.emotions.iter().copied()).collect()
    }
}
