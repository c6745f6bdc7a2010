//! What a policy is: which rule answers whom, how, and the manners over all rules.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rapport_vocabulary::Emotion;

use super::condition::When;
use super::manners::Manners;
use super::response::{Answer, Outputs};

/// Rules over what people show to the robot and how they stand to it, and its manners between them.
///
/// A policy exists only in a state that makes sense: it is made by [`Policy::read`] and
/// [`Policy::parse`], which refuse everything else.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Policy {
    /// The version of the format that it was read from: 1 or 2.
    pub version: u32,
    /// Quiet time between the end of one response and the start of the next, whoever is answered.
    /// 0 to 3600 s.
    pub pause: Duration,
    /// For how long an expression may be out of sight without having ended. 0 to 5 s.
    pub gap: Duration,
    /// How the robot looks when it answers nobody: light and expression only.
    pub rest: Outputs,
    /// Where the robot is, as a request to the staff says it. Empty: the policy does not say.
    pub place: String,
    /// How near somebody is who came near, in metres. 0.3 to 20.
    pub near_m: f64,
    /// The states of the robot, by the name that the policy gives each.
    pub states: BTreeMap<String, StateTopic>,
    /// What holds over all rules.
    pub manners: Manners,
    /// The rules in the order of the file: 1 to 64, with distinct names.
    pub rules: Vec<Rule>,
}

/// Where a state of the robot is told.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StateTopic {
    /// The topic.
    pub topic: String,
    /// Whether its messages are std_msgs/String; else they are std_msgs/Bool.
    pub is_text: bool,
    /// Whether its publisher keeps the last message for those who join late (transient local).
    pub is_latched: bool,
}

/// When to answer, and how.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Rule {
    /// Unique in the policy.
    pub name: String,
    /// The conditions; all must hold.
    pub when: When,
    /// Time from one answer to the next to the same group, start to start. 0 to 86400 s.
    pub cooldown: Duration,
    /// Time from one answer to the next to anybody, start to start. 0 to 86400 s.
    pub cooldown_anyone: Duration,
    /// Of several rules that could fire, the one with the highest priority does. -1000 to 1000.
    pub priority: i32,
    /// Whether it is a greeting: a visit has no more than one, whichever rule gives it.
    pub is_greeting: bool,
    /// What the robot does; none where the rule only calls staff.
    pub answer: Option<Answer>,
    /// The kind of thing that staff is called for.
    pub call_staff: Option<String>,
}

impl Policy {
    /// The expressions that any rule is about.
    pub fn emotions(&self) -> BTreeSet<Emotion> {
        let named =
            |rule: &Rule| rule.when.emotions.iter().chain(&rule.when.from).copied().collect();
        self.rules.iter().flat_map(|rule| -> Vec<Emotion> { named(rule) }).collect()
    }

    /// The languages that any rule speaks, in the order of the file.
    pub fn languages(&self) -> Vec<&str> {
        let mut languages = Vec::new();
        for answer in self.rules.iter().filter_map(|rule| rule.answer.as_ref()) {
            for language in answer.say.iter().filter_map(|say| say.language.as_deref()) {
                if !languages.contains(&language) {
                    languages.push(language);
                }
            }
        }
        languages
    }
}
