//! Ratings, and the pause after each: a finger that taps twice rates once.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use rapport_journal::{Observation, Rating};

use super::JournalService;
use super::service::{lock, now};

/// For how long an address gives no other rating for the same place.
pub const RATING_PAUSE: Duration = Duration::from_secs(5);

/// Taps that are remembered; when there are more within the pause, no more are taken.
const MOST_TAPS: usize = 1000;

/// The last taps, by address and place.
#[derive(Debug, Default)]
pub(super) struct Taps(Mutex<HashMap<(IpAddr, String), Instant>>);

impl Taps {
    /// Takes a tap.
    ///
    /// # Errors
    /// How long to wait, if the last one was just before.
    fn take(&self, address: IpAddr, place: &str, now: Instant) -> Result<(), Duration> {
        let mut taps = lock(&self.0);
        let left = |at: &Instant| RATING_PAUSE.saturating_sub(now.saturating_duration_since(*at));
        taps.retain(|_, at| !left(at).is_zero());
        let tap = (address, place.to_owned());
        if let Some(at) = taps.get(&tap) {
            return Err(left(at));
        }
        if taps.len() >= MOST_TAPS {
            return Err(RATING_PAUSE);
        }
        taps.insert(tap, now);
        Ok(())
    }
}

impl JournalService {
    /// Takes what somebody tapped at an address.
    ///
    /// # Errors
    /// How long to wait, if the last tap was just before; it is then not counted.
    pub fn rate(&self, address: IpAddr, place: &str, rating: Rating) -> Result<(), Duration> {
        self.taps.take(address, place, Instant::now())?;
        self.take(&Observation::Rating { place, time: now(), rating });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_tap_waits_and_another_place_or_address_does_not() {
        let (taps, start) = (Taps::default(), Instant::now());
        let tablet = |last| IpAddr::from([192, 168, 0, last]);
        assert_eq!(taps.take(tablet(1), "exit", start), Ok(()));
        let second = start + Duration::from_secs(1);
        assert_eq!(taps.take(tablet(1), "exit", second), Err(Duration::from_secs(4)));
        assert_eq!(taps.take(tablet(2), "exit", second), Ok(()));
        assert_eq!(taps.take(tablet(1), "lobby", second), Ok(()));
        // Refused taps do not make the pause longer.
        assert_eq!(taps.take(tablet(1), "exit", start + RATING_PAUSE), Ok(()));
    }

    #[test]
    fn no_more_taps_are_remembered_than_there_is_room_for() {
        let (taps, start) = (Taps::default(), Instant::now());
        let address = IpAddr::from([127, 0, 0, 1]);
        for place in 0..MOST_TAPS {
            assert_eq!(taps.take(address, &place.to_string(), start), Ok(()));
        }
        assert_eq!(taps.take(address, "more", start), Err(RATING_PAUSE));
        assert_eq!(taps.take(address, "more", start + RATING_PAUSE), Ok(()));
    }
}
