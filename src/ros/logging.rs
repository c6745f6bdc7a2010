//! Sends the library's log events where ROS users look for them: console, /rosout and log files.

use std::fmt::Write;
use std::time::{Duration, Instant};

use r2r::LogSeverity;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::prelude::*;

/// The same complaint is logged at most this often.
const REPEAT: Duration = Duration::from_secs(5);

/// Routes `tracing` events to the ROS logger of this name from now on. Levels are set as for any
/// node, by `--log-level`.
pub fn install(logger: &str) {
    let layer = RosLayer { logger: logger.to_owned() };
    // A second call in one process keeps the first logger: nothing to handle.
    let _ = tracing_subscriber::registry().with(layer).try_init();
}

struct RosLayer {
    logger: String,
}

impl<S: Subscriber> Layer<S> for RosLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        // Other libraries' chatter stays out unless it is a warning.
        if !metadata.target().starts_with("rapport") && *metadata.level() > Level::WARN {
            return;
        }
        let severity = match *metadata.level() {
            Level::ERROR => LogSeverity::Error,
            Level::WARN => LogSeverity::Warn,
            Level::INFO => LogSeverity::Info,
            _ => LogSeverity::Debug,
        };
        let mut text = Text(String::new());
        event.record(&mut text);
        // A NUL would end the text in C, and r2r does not accept one.
        let text = text.0.replace('\0', "\\0");
        let (file, line) = (metadata.file().unwrap_or(""), metadata.line().unwrap_or(0));
        r2r::log(&text, &self.logger, file, line, severity);
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

/// Keeps a camera that sends thirty bad images a second from filling the log.
#[derive(Debug, Default)]
pub struct Complaints {
    last: Option<(String, Instant)>,
    held_back: u32,
}

impl Complaints {
    /// Logs an error, unless it is the one logged just before and that was a short while ago.
    pub fn log(&mut self, text: String) {
        let repeated = |(last, at): &(String, Instant)| *last == text && at.elapsed() < REPEAT;
        if self.last.as_ref().is_some_and(repeated) {
            self.held_back += 1;
            return;
        }
        if self.held_back > 0 {
            tracing::error!("the message before came {} more times", self.held_back);
        }
        tracing::error!("{text}");
        self.last = Some((text, Instant::now()));
        self.held_back = 0;
    }
}
