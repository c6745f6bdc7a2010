//! A bar on a terminal, nothing elsewhere.

use indicatif::{ProgressBar, ProgressStyle};

use super::warnings::Warnings;

/// How far the evaluation is. Warnings pass by it.
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A bar of so many frames, where that is known.
    pub fn new(frames: Option<u64>) -> Self {
        // Draws on standard error, and only if that is a terminal.
        let bar = frames.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
        let template = match frames {
            Some(_) => "{bar:40} {pos} of {len} frames, {per_sec:.0}, {eta} left",
            None => "{spinner} {pos} frames, {per_sec:.0}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self { bar }
    }

    /// One frame more.
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
