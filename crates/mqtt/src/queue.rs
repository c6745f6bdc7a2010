//! What waits for the broker. Nobody who adds to it waits.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;

/// So many buckets wait at most: a month of a place. Then the oldest goes.
pub const MOST_WAITING: usize = 10_000;

/// A message that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) topic: String,
    pub(crate) payload: Bytes,
}

#[derive(Debug, Default)]
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    pub(crate) added: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    messages: VecDeque<(u64, Message)>,
    /// The number of the next message.
    next: u64,
    dropped: u64,
}

impl Queue {
    pub(crate) fn add(&self, message: Message) {
        let mut waiting = self.lock();
        if waiting.messages.len() >= MOST_WAITING {
            waiting.messages.pop_front();
            waiting.dropped += 1;
        }
        let number = waiting.next;
        waiting.next += 1;
        waiting.messages.push_back((number, message));
        drop(waiting);
        self.added.notify_one();
    }

    /// The oldest, which stays until it is [done](Self::done).
    pub(crate) fn first(&self) -> Option<(u64, Message)> {
        self.lock().messages.front().cloned()
    }

    /// The broker has it. It may have been dropped in between.
    pub(crate) fn done(&self, number: u64) {
        let mut waiting = self.lock();
        if waiting.messages.front().is_some_and(|(first, _)| *first == number) {
            waiting.messages.pop_front();
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().messages.len()
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_goes_and_an_acknowledgement_takes_no_other_away() {
        let queue = Queue::default();
        let message = |number: usize| Message { topic: number.to_string(), payload: Bytes::new() };
        queue.add(message(0));
        let (number, first) = queue.first().unwrap();
        assert_eq!(first, message(0));
        (1..=MOST_WAITING).for_each(|number| queue.add(message(number)));
        assert_eq!((queue.len(), queue.dropped()), (MOST_WAITING, 1));
        queue.done(number);
        let (number, first) = queue.first().unwrap();
        assert_eq!(first, message(1));
        queue.done(number);
        assert_eq!((queue.first().unwrap().1, queue.len()), (message(2), MOST_WAITING - 1));
    }
}
