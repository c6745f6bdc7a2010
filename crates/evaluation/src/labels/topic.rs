//! Labels that somebody published while the recording was made.

use crate::warnings::Warnings;
use rapport_vocabulary::Emotion;

/// The label of the newest message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TopicLabels {
    now: Option<Emotion>,
    count: u64,
}

impl TopicLabels {
    /// Takes the text of the next message. One that is no label ends the one before; its warning is
    /// returned if it is the first.
    pub fn message<'w>(
        &mut self,
        text: &str,
        topic: &str,
        warnings: &'w mut Warnings,
    ) -> Option<&'w str> {
        self.count += 1;
        let mut first = None;
        self.now = match text.trim() {
            "" => None,
            text => match Emotion::from_word(text) {
                Ok(label) => Some(label),
                Err(error) => {
                    first = warnings.add("unknown label", || format!("topic {topic}: {error}"));
                    None
                }
            },
        };
        first
    }

    /// The label that holds now.
    pub fn now(&self) -> Option<Emotion> {
        self.now
    }

    /// How many messages there were.
    pub fn count(&self) -> u64 {
        self.count
    }
}
