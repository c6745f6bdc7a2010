//! `/diagnostics` (REP-107): once a second, how a node is doing.

use std::time::Duration;

use r2r::diagnostic_msgs::msg::{DiagnosticArray, DiagnosticStatus, KeyValue};
use r2r::std_msgs::msg::Header;
use r2r::{Node, Publisher, QosProfile};
use tokio::time::{MissedTickBehavior, interval};

use super::clock::RosClock;
use super::logging::RateLimitedLog;
use super::status::TOPIC;

/// How often it is published.
pub const PERIOD: Duration = Duration::from_secs(1);

/// How well a node is doing. (r2r gives each constant of a message a type of its own.)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Level {
    /// All is well.
    Ok = DiagnosticStatus::OK as u8,
    /// Something needs to be looked at.
    Warn = DiagnosticStatus::WARN as u8,
    /// It does not work.
    Error = DiagnosticStatus::ERROR as u8,
}

/// How a node is doing.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// How well.
    pub level: Level,
    /// The gravest reason, or what it does.
    pub message: String,
    /// What it works with: a topic.
    pub hardware_id: String,
    /// Names and values. Dashboards look them up by the names: these stay as they are.
    pub values: Vec<(String, String)>,
}

impl Report {
    /// Adds a value.
    pub fn value(&mut self, name: impl Into<String>, value: impl ToString) {
        self.values.push((name.into(), value.to_string()));
    }
}

/// Knows how a node is doing.
pub trait Health: Send + 'static {
    /// How it is doing now. Called once a second.
    fn report(&mut self, clock: &RosClock) -> Report;
}

/// The task that publishes diagnostics.
pub struct Diagnostics<H> {
    publisher: Publisher<DiagnosticArray>,
    clock: RosClock,
    name: String,
    health: H,
}

impl<H: Health> Diagnostics<H> {
    /// Advertises `/diagnostics`. The status is called after the node and `what` it does.
    ///
    /// # Errors
    /// If the node cannot have it.
    pub fn start(node: &mut Node, clock: RosClock, what: &str, health: H) -> r2r::Result<Self> {
        // A name that begins with a slash has an empty first part in viewers, which make a tree.
        let name = node.fully_qualified_name()?;
        Ok(Self {
            publisher: node.create_publisher(TOPIC, QosProfile::default())?,
            clock,
            name: format!("{}: {what}", name.trim_start_matches('/')),
            health,
        })
    }

    /// Publishes until the node ends.
    pub async fn run(mut self) {
        let mut tick = interval(PERIOD);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut log = RateLimitedLog::default();
        loop {
            tick.tick().await;
            let Report { level, message, hardware_id, values } = self.health.report(&self.clock);
            let values = values.into_iter().map(|(key, value)| KeyValue { key, value }).collect();
            let status = DiagnosticStatus {
                level: level as u8,
                name: self.name.clone(),
                message,
                hardware_id,
                values,
            };
            let message = DiagnosticArray {
                header: Header { stamp: self.clock.stamp(), frame_id: String::new() },
                status: vec![status],
            };
            if let Err(error) = self.publisher.publish(&message) {
                log.error(&format!("{TOPIC}: not published: {error}"));
            }
        }
    }
}
