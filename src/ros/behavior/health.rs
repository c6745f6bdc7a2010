//! How the behavior node is doing, for `/diagnostics`.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::State as Shared;
use super::settings::ReadPolicy;
use crate::ros::clock::RosClock;
use crate::ros::diagnostics::{Health, Level, Report};
use crate::ros::handle::NodeHandle;
use crate::ros::lifecycle::{State, StateView};
use crate::ros::lock::lock;
use crate::ros::namesake::Problem;
use crate::ros::status::key;

/// After how long without a message that is a warning.
const SILENCE: Duration = Duration::from_secs(5);

/// What was read and counted.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    file: String,
    sha256: String,
    rules: Vec<String>,
    robot: String,
    failure: Option<String>,
    messages: u64,
    responses: u64,
    last_rule: String,
    /// When the last message came, or when the waiting began.
    waits_since: Option<Instant>,
}

impl Loaded {
    /// A policy was read.
    pub fn policy(&mut self, read: &ReadPolicy) {
        self.file = read.file.display().to_string();
        self.sha256.clone_from(&read.sha256);
        self.rules = read.policy.rules.iter().map(|rule| rule.name.clone()).collect();
        self.failure = None;
    }

    /// A robot's file was read.
    pub fn robot(&mut self, file: &std::path::Path) {
        self.robot = file.display().to_string();
    }

    /// The node could not be configured.
    pub fn failed(&mut self, why: String) {
        self.failure = Some(why);
    }

    /// The node was cleaned up.
    pub fn cleaned(&mut self) {
        (self.file, self.sha256) = (String::new(), String::new());
        self.rules.clear();
        self.robot.clear();
        self.failure = None;
    }

    /// A message came.
    pub fn received(&mut self, at: Instant) {
        self.messages += 1;
        self.waits_since = Some(at);
    }

    /// Messages are waited for from now on.
    pub fn waits_since(&mut self, at: Instant) {
        self.waits_since = Some(at);
    }

    /// A rule fired.
    pub fn responded(&mut self, rule: String) {
        self.responses += 1;
        self.last_rule = rule;
    }
}

/// What is reported.
pub struct BehaviorHealth {
    topic: String,
    state: StateView,
    shared: Arc<Mutex<Shared>>,
    namesake: Problem,
    node: NodeHandle,
    /// Publishers of the topic when they were last counted.
    publishers: Arc<Mutex<Option<usize>>>,
}

impl BehaviorHealth {
    /// `topic`: where the messages come from.
    pub fn new(
        topic: String,
        state: StateView,
        shared: Arc<Mutex<Shared>>,
        namesake: Problem,
        node: NodeHandle,
    ) -> Self {
        Self { topic, state, shared, namesake, node, publishers: Arc::default() }
    }

    /// Counted on the node's thread: the number is there the next time.
    fn count_publishers(&self) {
        let (topic, publishers) = (self.topic.clone(), self.publishers.clone());
        self.node.send(move |node| {
            let found = node.get_publishers_info_by_topic(&topic, false);
            *lock(&publishers) = found.ok().map(|found| found.len());
        });
    }

    fn judge(&self, state: State, enabled: bool, loaded: &Loaded) -> (Level, String) {
        if let (State::Unconfigured, Some(failure)) = (state, &loaded.failure) {
            return (Level::Error, format!("not configured: {failure}"));
        }
        if state != State::Active {
            return (Level::Ok, state.label().to_owned());
        }
        if !enabled {
            return (Level::Ok, "disabled by the service `enable`".to_owned());
        }
        if let Some(namesake) = &*lock(&self.namesake) {
            return (Level::Warn, namesake.clone());
        }
        let silent = loaded.waits_since.map_or(Duration::ZERO, |since| since.elapsed());
        if silent >= SILENCE {
            let why = match *lock(&self.publishers) {
                Some(0) => "it has no publisher: start perception_node, or remap `emotions`",
                _ => "see what perception_node says on /diagnostics",
            };
            let message = format!("no message on {} for {} s: {why}", self.topic, silent.as_secs());
            return (Level::Warn, message);
        }
        (Level::Ok, format!("responses: {}, by {} rules", loaded.responses, loaded.rules.len()))
    }
}

impl Health for BehaviorHealth {
    fn report(&mut self, _: &RosClock) -> Report {
        self.count_publishers();
        let (switch, loaded, is_responding) = {
            let shared = lock(&self.shared);
            let is_responding = shared.robot.as_ref().is_some_and(|robot| robot.is_responding());
            (shared.switch, shared.loaded.clone(), is_responding)
        };
        let state = self.state.get();
        let (level, message) = self.judge(state, switch.enabled, &loaded);
        let hardware_id = self.topic.clone();
        let mut report = Report { level, message, hardware_id, values: Vec::new() };
        report.value("state", state.label());
        report.value(key::ENABLED, switch.enabled);
        report.value("emotions topic", &self.topic);
        report.value(key::POLICY, &loaded.file);
        report.value(key::POLICY_SHA256, &loaded.sha256);
        report.value("robot", &loaded.robot);
        report.value(key::RULES, loaded.rules.len());
        for (number, name) in (1..).zip(&loaded.rules) {
            report.value(key::rule(number), name);
        }
        report.value("messages received", loaded.messages);
        report.value("responses", loaded.responses);
        let last_rule = Some(&*loaded.last_rule).filter(|rule| !rule.is_empty());
        report.value("last rule", last_rule.unwrap_or("none"));
        report.value("responding", is_responding);
        report
    }
}
