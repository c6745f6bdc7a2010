//! A bar on a terminal, nothing elsewhere.

use indicatif::{ProgressBar, ProgressStyle};

use super::warnings::Warnings;

/// How far the evaluation is. Warnings pass by it.
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A bar of so many `things`, where that is known.
    pub fn new(count: Option<u64>, things: &str) -> Self {
        // Draws on standard error, and only if that is a terminal.
        let bar = count.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
        let template = match count {
            Some(_) => format!("{{bar:40}} {{pos}} of {{len}} {things}, {{eta}} left"),
            None => format!("{{spinner}} {{pos}} {things}, {{elapsed}}"),
        };
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style);
        }
        Self { bar }
    }

    /// One more.
    pub fn step(&self) {
        self.bar.inc(1);
    }

    /// Counts a warning and shows it if it is the first of its kind.
    pub fn warn(&self, warnings: &mut Warnings, kind: &'static str, text: impl FnOnce() -> String) {
        if let Some(text) = warnings.add(kind, text) {
            self.bar.suspend(|| eprintln!("rapport: warning: {text}"));
        }
    }

    /// Frees the line.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
