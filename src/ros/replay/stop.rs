//! A wait that SIGINT or SIGTERM ends at once.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Instant;

use tokio::signal::unix::{SignalKind, signal};

/// Set by a signal, for good.
#[derive(Debug, Default)]
pub(super) struct Stop {
    is_set: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    /// Listens for signals from now on.
    pub fn on_signals() -> std::io::Result<Arc<Self>> {
        let stop = Arc::new(Self::default());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (mut interrupt, mut terminate) = {
            let _inside = runtime.enter();
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
        };
        let set = stop.clone();
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
            });
            *set.is_set.lock().unwrap_or_else(PoisonError::into_inner) = true;
            set.changed.notify_all();
        })?;
        Ok(stop)
    }

    /// Whether a signal came.
    pub fn is_set(&self) -> bool {
        *self.is_set.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the time, or less when a signal comes; says whether one did.
    pub fn wait_until(&self, time: Instant) -> bool {
        let mut is_set = self.is_set.lock().unwrap_or_else(PoisonError::into_inner);
        while !*is_set {
            let left = time.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            is_set =
                self.changed.wait_timeout(is_set, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}
