//! How far a command is: a bar on a terminal, nothing elsewhere. Every command shows it so.

use indicatif::{ProgressBar, ProgressStyle};

use rapport_evaluation::warnings::Warnings;

/// A bar on standard error; warnings appear above it.
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A bar of so many `things`, or a count of them where their number is not known.
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
            self.show_warning(text);
        }
    }

    /// Frees the line.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn show_warning(&self, text: &str) {
        self.bar.suspend(|| eprintln!("rapport: warning: {text}"));
    }
}

/// Progress without an end that is known in frames: one line, replaced by the next on a terminal.
pub struct ProgressLine {
    bar: ProgressBar,
}

impl ProgressLine {
    /// An empty line on standard error.
    pub fn new() -> Self {
        let bar = ProgressBar::no_length();
        if let Ok(style) = ProgressStyle::with_template("{msg}") {
            bar.set_style(style);
        }
        Self { bar }
    }

    /// Whether standard error is a terminal, where a line replaces the one before.
    pub fn is_shown(&self) -> bool {
        !self.bar.is_hidden()
    }

    /// Shows a text in place of the one before; elsewhere than on a terminal, prints it.
    pub fn show(&self, text: &str) {
        match self.is_shown() {
            true => self.bar.set_message(text.to_owned()),
            false => eprintln!("{text}"),
        }
    }

    /// Prints something above the line.
    pub fn above(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
    }

    /// Frees the line.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Default for ProgressLine {
    fn default() -> Self {
        Self::new()
    }
}

/// The progress of an evaluation, whose length is known when it begins.
#[derive(Default)]
pub struct EvaluationProgress {
    bar: Option<Progress>,
}

impl rapport_evaluation::Progress for EvaluationProgress {
    fn recording(&mut self, number: usize, of: usize, name: &str) {
        // Also into the log of a cluster's job, where nobody watches a bar.
        eprintln!("rapport: recording {} of {of}: {name}", number + 1);
    }

    fn begin(&mut self, frames: Option<u64>) {
        self.bar = Some(Progress::new(frames, "frames"));
    }

    fn frame(&mut self) {
        if let Some(bar) = &self.bar {
            bar.step();
        }
    }

    fn warning(&mut self, text: &str) {
        match &self.bar {
            Some(bar) => bar.show_warning(text),
            None => eprintln!("rapport: warning: {text}"),
        }
    }

    fn end(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish();
        }
    }
}
