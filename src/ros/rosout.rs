//! `/rosout`: the node's log as a topic, for rqt_console, Foxglove and recordings.
//!
//! rcl has a publisher of its own for it, but asks for the node's C structure, which r2r keeps to
//! itself. This one publishes the same message with the same QoS.

use std::time::Duration;

use r2r::qos::{DurabilityPolicy, ReliabilityPolicy};
use r2r::rcl_interfaces::msg::Log;
use r2r::{Node, Publisher, QosProfile};

use super::convert;
use super::raw::{is_logged, rosout_is_wanted};

/// How long a line is kept for those who join late, and how many lines, as rcl has it.
const KEPT: Duration = Duration::from_secs(10);
const LINES_KEPT: usize = 1000;

/// How grave a line is, with the numbers of `rcl_interfaces/msg/Log`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Severity {
    /// For developers.
    Debug = 10,
    /// What happens.
    Info = 20,
    /// What may be wrong.
    Warn = 30,
    /// What is wrong.
    Error = 40,
}

/// The publisher of `/rosout`.
pub struct Rosout(Publisher<Log>);

impl Rosout {
    /// Advertises it, unless the command line says `--disable-rosout-logs`.
    ///
    /// # Errors
    /// If the node cannot have it.
    pub fn start(node: &mut Node) -> r2r::Result<Option<Self>> {
        if !rosout_is_wanted() {
            return Ok(None);
        }
        let mut qos = QosProfile::default().keep_last(LINES_KEPT);
        qos.reliability = ReliabilityPolicy::Reliable;
        qos.durability = DurabilityPolicy::TransientLocal;
        qos.lifespan = KEPT;
        Ok(Some(Self(node.create_publisher("/rosout", qos)?)))
    }

    /// Publishes a line of a logger, where that logs lines so grave.
    pub fn publish(&self, logger: &str, severity: Severity, text: &str, place: Place<'_>) {
        if !is_logged(logger, severity as i32) {
            return;
        }
        // Where that fails there is nobody to tell: the console has the line.
        let _ = self.0.publish(&Log {
            stamp: convert::time(convert::time_of_day()),
            level: severity as u8,
            name: logger.to_owned(),
            msg: text.to_owned(),
            file: place.file.to_owned(),
            function: place.function.to_owned(),
            line: place.line,
        });
    }
}

/// Where in the source a line comes from.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The file.
    pub file: &'a str,
    /// What stands for the function: the module.
    pub function: &'a str,
    /// The line.
    pub line: u32,
}
