//! The log of a command that goes on running: what the libraries report, on standard error.

use std::fmt::Write as _;
use std::io::Write as _;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::prelude::*;

/// Writes what our libraries report to standard error from now on.
pub fn install() {
    // A second call in one process keeps the first log: nothing to handle.
    tracing_subscriber::registry().with(StandardError).try_init().ok();
}

struct StandardError;

impl<S: Subscriber> Layer<S> for StandardError {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        if !metadata.target().starts_with("rapport") || *metadata.level() > Level::INFO {
            return;
        }
        let word = match *metadata.level() {
            Level::ERROR => "error: ",
            Level::WARN => "warning: ",
            _ => "",
        };
        let mut line = Line(format!("rapport: {word}"));
        event.record(&mut line);
        line.0.push('\n');
        // Where nobody reads the log there is nobody to tell.
        std::io::stderr().lock().write_all(line.0.as_bytes()).ok();
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        // Writing to a String does not fail.
        match field.name() {
            "message" => write!(self.0, "{value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        }
        .ok();
    }
}
