//! How the looking goes, for the journal: images, losses, and for how long anybody looked.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rapport_journal::{HealthCounts, Observation};

use super::{JournalService, now};

/// A camera that sent nothing for this long is not looked at.
const SILENT: Duration = Duration::from_secs(3);

/// Counts between two looks at it. Clones of the server's tasks share it.
#[derive(Debug)]
pub struct HealthMeter(Mutex<Counted>);

#[derive(Debug)]
struct Counted {
    counts: HealthCounts,
    since: Instant,
    newest: Option<Instant>,
}

impl Default for HealthMeter {
    fn default() -> Self {
        let (counts, since) = (HealthCounts::default(), Instant::now());
        Self(Mutex::new(Counted { counts, since, newest: None }))
    }
}

impl HealthMeter {
    /// An image arrived.
    pub fn image(&self) {
        self.with(|counted| {
            counted.counts.images += 1;
            counted.newest = Some(Instant::now());
        });
    }

    /// Images did not arrive, or were not processed.
    pub fn lost(&self, images: u64) {
        self.with(|counted| counted.counts.lost_images += images);
    }

    /// Something failed.
    pub fn error(&self) {
        self.with(|counted| counted.counts.errors += 1);
    }

    /// What was counted since the last call. `is_paused`: whether the time since then was a pause.
    pub fn take(&self, is_paused: bool) -> HealthCounts {
        self.with(|counted| {
            let now = Instant::now();
            let secs = now.saturating_duration_since(counted.since).as_secs_f64();
            let is_silent = |at: Instant| now.saturating_duration_since(at) >= SILENT;
            if is_paused {
                counted.counts.paused_secs += secs;
            } else if !counted.newest.is_none_or(is_silent) {
                counted.counts.watched_secs += secs;
            }
            counted.since = now;
            std::mem::take(&mut counted.counts)
        })
    }

    fn with<T>(&self, then: impl FnOnce(&mut Counted) -> T) -> T {
        then(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl JournalService {
    /// Takes in how the looking at a place went.
    pub fn health(&self, place: &str, counts: HealthCounts) {
        self.take(&Observation::Health { place, time: now(), counts });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_taken_once_and_a_pause_is_no_watching() {
        let meter = HealthMeter::default();
        assert_eq!(meter.take(false).watched_secs, 0.0, "nothing came");
        meter.image();
        meter.image();
        meter.lost(3);
        meter.error();
        let counts = meter.take(false);
        assert_eq!((counts.images, counts.lost_images, counts.errors), (2, 3, 1));
        assert!(counts.watched_secs > 0.0 && counts.paused_secs == 0.0);
        meter.image();
        let counts = meter.take(true);
        assert!(counts.watched_secs == 0.0 && counts.paused_secs > 0.0);
        assert_eq!(meter.take(false).images, 0);
    }
}
