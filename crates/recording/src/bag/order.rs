//! Messages in order of time, though recorders write them a little out of order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::error::BagWarning;
use super::types::Message;

/// How far ahead of a message is looked for earlier ones.
const WINDOW_NS: i64 = 1_000_000_000;

/// How much is held at most while looking.
const WINDOW_BYTES: usize = 32 << 20;

/// Sorts a stream of messages by log time within a bounded window. Messages of equal time keep
/// their order. A warning comes after all the messages that were read before it.
pub(super) struct InOrder<I> {
    source: I,
    held: BinaryHeap<Reverse<Held>>,
    held_bytes: usize,
    newest_ns: i64,
    read: u64,
    pending: Option<BagWarning>,
    exhausted: bool,
    given_ns: i64,
    /// Messages that came too late to be put in their place.
    pub late: Late,
}

/// A tally of messages that come later than their time.
#[derive(Debug, Default)]
pub(super) struct Late {
    pub messages: u64,
    pub by_ns: i64,
    pub first_topic: usize,
}

impl<I: Iterator<Item = Result<Message, BagWarning>>> InOrder<I> {
    pub fn new(source: I) -> Self {
        Self {
            source,
            held: BinaryHeap::new(),
            held_bytes: 0,
            newest_ns: i64::MIN,
            read: 0,
            pending: None,
            exhausted: false,
            given_ns: i64::MIN,
            late: Late::default(),
        }
    }

    fn window_is_full(&self) -> bool {
        self.held.peek().is_some_and(|Reverse(oldest)| {
            self.newest_ns.saturating_sub(oldest.message.log_time_ns) > WINDOW_NS
                || self.held_bytes > WINDOW_BYTES
        })
    }

    fn release(&mut self) -> Option<Message> {
        let Reverse(Held { message, .. }) = self.held.pop()?;
        self.held_bytes -= message.data.len();
        let late_ns = self.given_ns.saturating_sub(message.log_time_ns);
        if late_ns > 0 {
            if self.late.messages == 0 {
                self.late.first_topic = message.topic;
            }
            self.late.messages += 1;
            self.late.by_ns = self.late.by_ns.max(late_ns);
        }
        self.given_ns = self.given_ns.max(message.log_time_ns);
        Some(message)
    }
}

impl<I: Iterator<Item = Result<Message, BagWarning>>> Iterator for InOrder<I> {
    type Item = Result<Message, BagWarning>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.pending.is_none() && !self.exhausted && !self.window_is_full() {
            match self.source.next() {
                Some(Ok(message)) => {
                    self.newest_ns = self.newest_ns.max(message.log_time_ns);
                    self.held_bytes += message.data.len();
                    self.held.push(Reverse(Held { message, place: self.read }));
                    self.read += 1;
                }
                Some(Err(warning)) => self.pending = Some(warning),
                None => self.exhausted = true,
            }
        }
        if let Some(message) = self.release() {
            return Some(Ok(message));
        }
        self.pending.take().map(Err)
    }
}

struct Held {
    message: Message,
    place: u64,
}

impl Held {
    fn key(&self) -> (i64, u64) {
        (self.message.log_time_ns, self.place)
    }
}

impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Held {}

impl PartialOrd for Held {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Held {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(log_time_ns: i64) -> Result<Message, BagWarning> {
        Ok(Message { topic: 0, log_time_ns, publish_time_ns: 0, data: vec![0] })
    }

    fn times(messages: impl Iterator<Item = Result<Message, BagWarning>>) -> Vec<i64> {
        messages.map(|message| message.map_or(-1, |message| message.log_time_ns)).collect()
    }

    #[test]
    fn a_little_disorder_is_mended_and_a_lot_is_counted() {
        let mut ordered = InOrder::new([3, 1, 2].map(message).into_iter());
        assert_eq!(times(&mut ordered), [1, 2, 3]);
        assert_eq!(ordered.late.messages, 0);

        let second = 1_000_000_000;
        let recorded = [0, 5 * second, 9 * second, second].map(message);
        let mut ordered = InOrder::new(recorded.into_iter());
        assert_eq!(times(&mut ordered), [0, 5 * second, second, 9 * second]);
        assert_eq!((ordered.late.messages, ordered.late.by_ns), (1, 4 * second));
    }

    #[test]
    fn a_warning_comes_after_what_was_read_before_it() {
        let warning = BagWarning::MetadataMissing { path: "bag".into(), files: 2 };
        let stream = [message(2), message(1), Err(warning), message(4), message(3)];
        assert_eq!(times(InOrder::new(stream.into_iter())), [1, 2, -1, 3, 4]);
    }
}
