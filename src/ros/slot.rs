//! A place for the newest image: one that comes later takes the place of one that waits.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Holds at most one value.
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
        let replaced = self.lock().replace(value);
        self.came.notify_one();
        replaced
    }

    /// Empties the slot.
    pub fn clear(&self) {
        self.lock().take();
    }

    /// Waits for a value and takes it out.
    pub async fn take(&self) -> T {
        loop {
            if let Some(value) = self.lock().take() {
                return value;
            }
            self.came.notified().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<T>> {
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
