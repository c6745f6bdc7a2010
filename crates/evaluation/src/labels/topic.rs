//! Labels that somebody published while the recording was made.

use crate::warnings::Warnings;
use rapport_vocabulary::Emotion;

/// The label said last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpokenLabels {
    now: Option<Emotion>,
    count: u64,
}

impl SpokenLabels {
    /// Takes the text of the next message. One that is no label ends the one before.
    pub fn hear(&mut self, text: &str, topic: &str, warnings: &mut Warnings) {
        self.count += 1;
        self.now = match text.trim() {
            "" => None,
            text => match Emotion::from_word(text) {
                Ok(label) => Some(label),
                Err(error) => {
                    warnings.add("unknown label", || format!("topic {topic}: {error}"));
                    None
                }
            },
        };
    }

    /// What holds now.
    pub fn now(&self) -> Option<Emotion> {
        self.now
    }

    /// How many messages there were.
    pub fn count(&self) -> u64 {
        self.count
    }
}
