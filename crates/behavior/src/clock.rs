//! Time that only ever goes forward, made from message stamps that need not.

use std::time::Duration;

use rapport_vocabulary::LATE;

/// A step forward of more than this says that the clock was set, or that nothing was seen for so
/// long that what was seen before says nothing about now.
const LONGEST_STEP: Duration = Duration::from_secs(60);

/// What the stamp of a message says about time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The message was overtaken by a newer one: not to be used.
    Late,
    /// Time went on, or stood still.
    Onward,
    /// The stamps jumped, back or far ahead. No time is counted for it: nobody knows how much
    /// passed, and none is the answer that can make the robot neither chatter nor fall silent.
    Jumped,
}

/// Counts the time in which stamps followed one another.
///
/// Everything that waits (cooldowns, pauses) is measured with this clock. So nothing waits for
/// ever after a stamp from the far future, and nothing is due early when a recording starts over.
#[derive(Debug, Default)]
pub(super) struct SteadyClock {
    newest: Option<Duration>,
    elapsed: Duration,
}

impl SteadyClock {
    /// Takes the stamp of a message.
    pub fn advance(&mut self, stamp: Duration) -> Step {
        let Some(newest) = self.newest else {
            self.newest = Some(stamp);
            return Step::Onward;
        };
        if stamp < newest && newest - stamp <= LATE {
            return Step::Late;
        }
        self.newest = Some(stamp);
        match stamp.checked_sub(newest) {
            Some(step) if step <= LONGEST_STEP => {
                self.elapsed = self.elapsed.saturating_add(step);
                Step::Onward
            }
            _ => Step::Jumped,
        }
    }

    /// The time counted so far.
    pub fn now(&self) -> Duration {
        self.elapsed
    }

    /// The time that will have been counted at a stamp, if none comes before it.
    pub fn at(&self, stamp: Duration) -> Duration {
        let since_newest =
            self.newest.map_or(Duration::ZERO, |newest| stamp.saturating_sub(newest));
        self.elapsed.saturating_add(since_newest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(secs: f64) -> Duration {
        Duration::from_secs_f64(secs)
    }

    #[test]
    fn counts_steps_and_leaves_out_jumps() {
        let mut clock = SteadyClock::default();
        assert_eq!(clock.advance(secs(1_000.0)), Step::Onward);
        assert_eq!(clock.advance(secs(1_001.5)), Step::Onward);
        assert_eq!(clock.now(), secs(1.5));
        assert_eq!(clock.advance(Duration::MAX), Step::Jumped);
        assert_eq!(clock.advance(secs(1_002.0)), Step::Jumped);
        assert_eq!(clock.now(), secs(1.5));
        assert_eq!(clock.advance(secs(1_003.0)), Step::Onward);
        assert_eq!(clock.now(), secs(2.5));
    }

    #[test]
    fn an_overtaken_message_moves_nothing() {
        let mut clock = SteadyClock::default();
        clock.advance(secs(10.0));
        assert_eq!(clock.advance(secs(9.9)), Step::Late);
        assert_eq!(clock.advance(secs(10.0)), Step::Onward);
        assert_eq!(clock.advance(secs(11.0)), Step::Onward);
        assert_eq!(clock.now(), secs(1.0));
    }

    #[test]
    fn looks_ahead_without_moving() {
        let mut clock = SteadyClock::default();
        assert_eq!(clock.at(secs(5.0)), Duration::ZERO);
        clock.advance(secs(10.0));
        assert_eq!(clock.at(secs(12.0)), secs(2.0));
        assert_eq!(clock.at(secs(3.0)), Duration::ZERO);
        assert_eq!(clock.at(Duration::MAX), Duration::MAX - secs(10.0));
        assert_eq!(clock.now(), Duration::ZERO);
    }
}
