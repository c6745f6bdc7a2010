//! How long the networks waited for the next image.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The time in which an iterator was waited for.
#[derive(Debug, Clone, Default)]
pub struct Waiting(Arc<AtomicU64>);

impl Waiting {
    /// The time so far.
    pub fn total(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }

    /// The same items, with the time that each is waited for added to this.
    pub fn on<I: Iterator>(&self, items: I) -> Timed<I> {
        Timed { items, waiting: self.clone() }
    }
}

/// An iterator whose items are waited for.
pub struct Timed<I> {
    items: I,
    waiting: Waiting,
}

impl<I: Iterator> Iterator for Timed<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        let start = Instant::now();
        let item = self.items.next();
        let spent = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.waiting.0.fetch_add(spent, Ordering::Relaxed);
        item
    }
}
