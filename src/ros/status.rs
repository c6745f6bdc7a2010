//! One status on `/diagnostics` (REP-107): who publishes it and what its values are called.

use std::time::Duration;

use r2r::diagnostic_msgs::msg::{DiagnosticArray, DiagnosticStatus, KeyValue};
use r2r::std_msgs::msg::Header;
use r2r::{Node, Publisher, QosProfile};

use super::clock::RosClock;
use super::logging::RateLimitedLog;

/// The topic, the same in every namespace.
pub const TOPIC: &str = "/diagnostics";

/// How often a status is published.
pub const PERIOD: Duration = Duration::from_secs(1);

// r2r gives each constant of a message a type of its own.
/// All is well.
pub const OK: u8 = DiagnosticStatus::OK as u8;
/// It works with a limit.
pub const WARN: u8 = DiagnosticStatus::WARN as u8;
/// It does not work.
pub const ERROR: u8 = DiagnosticStatus::ERROR as u8;

/// What perception_node reports on: the last part of the status's name.
pub const EXPRESSIONS: &str = "expressions";
/// What behavior_node reports on.
pub const RESPONSES: &str = "responses";

/// Names of values that dashboard_node reads. Other dashboards look them up too: they stay as they
/// are.
pub mod key {
    /// Whether the service `enable` allows images: `true` or `false`.
    pub const ENABLED: &str = "enabled";
    /// The camera's topic, resolved.
    pub const IMAGE_TOPIC: &str = "image topic";
    /// How images come over it.
    pub const IMAGE_TRANSPORT: &str = "image transport";
    /// Rate of the last seconds.
    pub const RATE: &str = "images answered per second";
    /// Count since the start.
    pub const DROPPED: &str = "images dropped";
    /// Median time of an image in milliseconds.
    pub const TOTAL_P50: &str = "total p50 (ms)";
    /// The policy's file.
    pub const POLICY: &str = "policy";
    /// Its SHA-256 in hexadecimal.
    pub const POLICY_SHA256: &str = "policy SHA-256";
    /// How many rules it has; `rule 1` and so on are their names.
    pub const RULES: &str = "rules";

    /// The name of the value that has the name of a rule, counted from 1.
    pub fn rule(number: usize) -> String {
        format!("rule {number}")
    }
}

/// A named value.
pub fn value(key: &str, value: impl ToString) -> KeyValue {
    KeyValue { key: key.to_owned(), value: value.to_string() }
}

/// Publishes the status of a node.
pub struct StatusPublisher {
    publisher: Publisher<DiagnosticArray>,
    clock: RosClock,
    name: String,
    log: RateLimitedLog,
}

/// How a node is doing.
pub struct Status {
    /// One of [`OK`], [`WARN`], [`ERROR`].
    pub level: u8,
    /// In a sentence.
    pub message: String,
    /// The hardware that it is about.
    pub hardware_id: String,
    /// The values.
    pub values: Vec<KeyValue>,
}

impl StatusPublisher {
    /// Advertises `/diagnostics` for a status of this node on `about`.
    ///
    /// # Errors
    /// If the node cannot have it.
    pub fn start(node: &mut Node, clock: RosClock, about: &str) -> r2r::Result<Self> {
        Ok(Self {
            publisher: node.create_publisher(TOPIC, QosProfile::default())?,
            clock,
            name: format!("{}: {about}", node.fully_qualified_name()?),
            log: RateLimitedLog::default(),
        })
    }

    /// The node's clock.
    pub fn clock(&self) -> &RosClock {
        &self.clock
    }

    /// Publishes how the node is doing.
    pub fn publish(&mut self, status: Status) {
        let Status { level, message, hardware_id, values } = status;
        let name = self.name.clone();
        let status = DiagnosticStatus { level, name, message, hardware_id, values };
        let header = Header { stamp: self.clock.stamp(), frame_id: String::new() };
        if let Err(error) =
            self.publisher.publish(&DiagnosticArray { header, status: vec![status] })
        {
            self.log.error(&format!("{TOPIC}: not published: {error}"));
        }
    }
}
