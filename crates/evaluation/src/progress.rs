//! What an evaluation tells while it runs.

/// Is told how far an evaluation is and what goes wrong, so that a command can draw a bar and
/// another program can do without. Every method does nothing unless it is written.
pub trait Progress {
    /// One recording of several begins, or was done before. `number`: from 0, of `of`.
    fn recording(&mut self, number: usize, of: usize, name: &str) {
        let _ = (number, of, name);
    }

    /// The first frame is about to be read. `frames`: how many there are, where that is known.
    fn begin(&mut self, frames: Option<u64>) {
        let _ = frames;
    }

    /// A frame, picture or row was read.
    fn frame(&mut self) {}

    /// The first warning of its kind; the report counts all of them.
    fn warning(&mut self, text: &str) {
        let _ = text;
    }

    /// Whether the evaluation is to end at once, without a report. Asked before each frame is
    /// processed.
    fn is_cancelled(&mut self) -> bool {
        false
    }

    /// The last frame was processed.
    fn end(&mut self) {}
}

/// Tells nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {}
