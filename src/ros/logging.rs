//! Sends the library's log events where ROS users look for them: console, /rosout and log files.

use std::fmt::Write;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use r2r::{LogSeverity, Node};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::prelude::*;

use super::lock::lock;
use super::raw::keep_libraries_quiet;
use super::rosout::{Place, Rosout, Severity};

/// An error of the same kind is logged at most this often.
const REPEAT: Duration = Duration::from_secs(5);

/// Routes `tracing` events to the node's ROS logger from now on. Levels are set as for any node, by
/// `--log-level`.
///
/// # Errors
/// If the node cannot have `/rosout`.
pub fn install(node: &mut Node) -> r2r::Result<()> {
    keep_libraries_quiet();
    let rosout = Mutex::new(Rosout::start(node)?);
    let layer = RosLayer { logger: node.logger().to_owned(), rosout };
    // A second call in one process keeps the first logger: nothing to handle.
    let _ = tracing_subscriber::registry().with(layer).try_init();
    Ok(())
}

struct RosLayer {
    logger: String,
    rosout: Mutex<Option<Rosout>>,
}

impl<S: Subscriber> Layer<S> for RosLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        // Of other libraries only warnings and errors are logged.
        if !metadata.target().starts_with("rapport") && *metadata.level() > Level::WARN {
            return;
        }
        let (severity, on_topic) = match *metadata.level() {
            Level::ERROR => (LogSeverity::Error, Severity::Error),
            Level::WARN => (LogSeverity::Warn, Severity::Warn),
            Level::INFO => (LogSeverity::Info, Severity::Info),
            _ => (LogSeverity::Debug, Severity::Debug),
        };
        let mut text = Text(String::new());
        event.record(&mut text);
        // A NUL would end the text in C, and r2r does not accept one.
        let text = text.0.replace('\0', "\\0");
        let (file, line) = (metadata.file().unwrap_or(""), metadata.line().unwrap_or(0));
        r2r::log(&text, &self.logger, file, line, severity);
        if let Some(rosout) = &*lock(&self.rosout) {
            let place = Place { file, function: metadata.target(), line };
            rosout.publish(&self.logger, on_topic, &text, place);
        }
    }
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        // Writing to a String does not fail.
        let _ = match field.name() {
            "message" => write!(self.0, "{value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
    }
}

/// Logs errors and warnings, one of a kind at most every few seconds: a camera that sends thirty bad images a
/// second does not fill the log.
#[derive(Debug, Default)]
pub struct RateLimitedLog {
    recent: Vec<Logged>,
}

/// How many kinds of error are remembered.
const MAX_KINDS: usize = 16;

#[derive(Debug)]
struct Logged {
    /// The text without its numbers: sizes and counts differ from image to image.
    kind: String,
    at: Instant,
    /// How many of the kind were not logged since.
    suppressed: u32,
}

impl RateLimitedLog {
    /// Logs an error, unless one that differs at most in its numbers was logged a short while ago.
    pub fn error(&mut self, text: &str) {
        match self.suppressed_before(text, Instant::now()) {
            None => {}
            Some(0) => tracing::error!("{text}"),
            Some(n) => tracing::error!("{text} ({n} more like this since the last)"),
        }
    }

    /// Logs a warning, as [`Self::error`] does an error.
    pub fn warn(&mut self, text: &str) {
        match self.suppressed_before(text, Instant::now()) {
            None => {}
            Some(0) => tracing::warn!("{text}"),
            Some(n) => tracing::warn!("{text} ({n} more like this since the last)"),
        }
    }

    /// Logs what happens, as [`Self::error`] does an error.
    pub fn info(&mut self, text: &str) {
        match self.suppressed_before(text, Instant::now()) {
            None => {}
            Some(0) => tracing::info!("{text}"),
            Some(n) => tracing::info!("{text} ({n} more like this since the last)"),
        }
    }

    /// How many of the kind were suppressed since it was last logged; nothing if this one is too.
    fn suppressed_before(&mut self, text: &str, now: Instant) -> Option<u32> {
        let kind: String = text.chars().filter(|c| !c.is_ascii_digit()).collect();
        let mut suppressed = 0;
        if let Some(index) = self.recent.iter().position(|logged| logged.kind == kind) {
            let logged = &mut self.recent[index];
            if now.saturating_duration_since(logged.at) < REPEAT {
                logged.suppressed += 1;
                return None;
            }
            suppressed = self.recent.remove(index).suppressed;
        }
        if self.recent.len() == MAX_KINDS {
            self.recent.remove(0);
        }
        self.recent.push(Logged { kind, at: now, suppressed: 0 });
        Some(suppressed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_kind_of_error_is_logged_once_in_a_while() {
        let mut errors = RateLimitedLog::default();
        let start = Instant::now();
        let mut log =
            |text: &str, secs| errors.suppressed_before(text, start + Duration::from_secs(secs));
        assert_eq!(log("JPEG of 812 bytes not decoded", 0), Some(0));
        assert_eq!(log("JPEG of 47 bytes not decoded", 1), None);
        assert_eq!(log("encoding `x` unknown", 1), Some(0));
        assert_eq!(log("JPEG of 813 bytes not decoded", 2), None);
        assert_eq!(log("JPEG of 814 bytes not decoded", 5), Some(2));
        assert_eq!(log("encoding `x` unknown", 5), None);
        // Whatever comes, no more than so many are remembered.
        for letter in 'a'..='z' {
            assert_eq!(log(&letter.to_string(), 6), Some(0));
        }
        assert_eq!(errors.recent.len(), MAX_KINDS);
    }
}
