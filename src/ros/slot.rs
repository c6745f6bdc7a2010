//! A place for the newest image: one that comes later takes the place of one that waits.

use std::sync::Mutex;

use tokio::sync::Notify;

use super::lock::lock;

/// Holds at most one value, for one reader.
#[derive(Debug)]
pub struct Slot<T> {
    value: Mutex<Option<T>>,
    came: Notify,
}

impl<T> Slot<T> {
    /// An empty slot.
    pub fn new() -> Self {
        Self { value: Mutex::new(None), came: Notify::new() }
    }

    /// Puts a value in and returns the one that it takes the place of.
    pub fn put(&self, value: T) -> Option<T> {
        let replaced = lock(&self.value).replace(value);
        self.came.notify_one();
        replaced
    }

    /// Takes the value out, if there is one.
    pub fn take(&self) -> Option<T> {
        lock(&self.value).take()
    }

    /// Waits until there is a value.
    pub async fn filled(&self) {
        while !self.is_filled() {
            self.came.notified().await;
        }
    }

    /// Whether there is a value.
    pub fn is_filled(&self) -> bool {
        lock(&self.value).is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_newest_value_takes_the_place_of_one_that_waits() {
        let slot = Slot::new();
        assert_eq!(slot.put(1), None);
        assert_eq!(slot.put(2), Some(1), "so that it can be counted as dropped");
        assert_eq!(slot.take(), Some(2));
        assert_eq!(slot.take(), None);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_reader_is_woken_by_each_value_and_never_sees_an_older_one_after_a_newer() {
        const LAST: u32 = 10_000;
        let slot = Arc::new(Slot::new());
        let reader = tokio::spawn({
            let slot = slot.clone();
            async move {
                let mut seen = vec![];
                while seen.last() != Some(&LAST) {
                    slot.filled().await;
                    seen.extend(slot.take());
                }
                seen
            }
        });
        let mut dropped = 0;
        for value in 1..=LAST {
            dropped += usize::from(slot.put(value).is_some());
            if value % 100 == 0 {
                tokio::task::yield_now().await;
            }
        }
        let seen = tokio::time::timeout(Duration::from_secs(30), reader).await;
        let seen = seen.expect("the reader was not woken by the last value").unwrap();
        assert!(seen.is_sorted());
        assert_eq!(seen.len() + dropped, LAST as usize, "each is seen or dropped");
    }
}
