//! The time of images, made of their stamps and of when they came.
//!
//! Cameras stamp with clocks that are set, with whole seconds, with the same stamp always, or not
//! at all. Perception, behavior and evaluation need a time that goes on, and all get it from
//! [`ImageClock`]. [`SteadyClock`] counts its steps: it never goes back, for cooldowns and the like.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A stamp older than the newest by no more than this belongs to a message that was overtaken on its
/// way by a newer one, or to a clock that is being corrected.
pub const LATE: Duration = Duration::from_millis(200);

/// A step ahead by more than this says that the clock was set, or that nothing was seen for so long
/// that what was seen before says nothing about now.
pub const LONGEST_STEP: Duration = Duration::from_secs(60);

/// What is known about the time of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageStamp {
    /// The time since any origin that the message itself gives; none where none was set.
    pub stamp: Option<Duration>,
    /// When the message came, on a clock that only goes forward. It should share the origin of the
    /// stamps where some messages have none: for these it stands in.
    pub arrival: Duration,
}

/// Gives each image its time.
///
/// It is the stamp, or the arrival where there is none. Where stamps stand still or count whole
/// seconds, the time goes on as images arrive. Where a stamp goes back by up to [`LATE`], the image
/// was overtaken, and the time stands still; unless the newest image came longer ago than that:
/// then a clock was corrected, and the time goes on. Where a stamp goes back further, so does the
/// time.
///
/// Stamps in whole seconds can move the time ahead by up to a second, once: at the first second
/// that begins after the first image.
#[derive(Debug, Clone, Default)]
pub struct ImageClock {
    last: Option<Last>,
}

#[derive(Debug, Clone, Copy)]
struct Last {
    /// The newest stamp.
    stamp: Duration,
    /// When the image with this stamp came; of several, the last.
    arrival: Duration,
    time: Duration,
}

/// The time of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageTime {
    /// Not before that of the image before, unless the clock was set back.
    pub time: Duration,
    /// By how much the stamps went back, where that is more than [`LATE`].
    pub set_back: Option<Duration>,
}

impl ImageStamp {
    /// A message that came at the moment of its stamp.
    pub const fn at(time: Duration) -> Self {
        Self { stamp: Some(time), arrival: time }
    }
}

impl ImageClock {
    /// The time of the next image. `stamp`: as it says itself, if it does; `arrival`: when it came,
    /// on a clock that goes forward. See [`ImageStamp`].
    pub fn time(&mut self, stamp: Option<Duration>, arrival: Duration) -> ImageTime {
        let (time, set_back) = match self.step(ImageStamp { stamp, arrival }) {
            Step::First { time } | Step::On { time, .. } | Step::Overtaken { time } => (time, None),
            Step::SetBack { time, by, .. } => (time, Some(by)),
        };
        ImageTime { time, set_back }
    }

    fn step(&mut self, image: ImageStamp) -> Step {
        let arrival = image.arrival;
        let stamp = image.stamp.unwrap_or(arrival);
        let Some(last) = self.last else {
            self.last = Some(Last { stamp, arrival, time: stamp });
            return Step::First { time: stamp };
        };
        let passed = arrival.saturating_sub(last.arrival);
        if let Some(by) = last.stamp.checked_sub(stamp).filter(|by| !by.is_zero()) {
            if by > LATE {
                self.last = Some(Last { stamp, arrival, time: stamp });
                return Step::SetBack { time: stamp, by, passed };
            }
            // It does not turn the next image into a step ahead.
            if passed <= LATE {
                return Step::Overtaken { time: last.time };
            }
            // Nothing newer has come for longer than messages overtake one another: the clock was
            // set back a little, and goes on from there.
        }
        let time = match stamp.checked_sub(last.stamp) {
            // The time may have gone ahead of stamps that stood still: then it waits for none.
            Some(step) if !step.is_zero() => stamp.max(last.time.saturating_add(passed.min(step))),
            _ => last.time.saturating_add(passed),
        };
        self.last = Some(Last { stamp, arrival, time });
        Step::On { time, by: time.saturating_sub(last.time), passed }
    }
}

/// From one image to the next: the new time, by how much it changed, and the time that passed
/// between the arrivals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    First {
        time: Duration,
    },
    /// The time went on, or stood still. `passed`: by the arrivals.
    On {
        time: Duration,
        by: Duration,
        passed: Duration,
    },
    /// A newer image came before this one.
    Overtaken {
        time: Duration,
    },
    /// The stamps went back.
    SetBack {
        time: Duration,
        by: Duration,
        passed: Duration,
    },
}

/// What a message means for a [`SteadyClock`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advance {
    /// Time went on, or stood still.
    Onward,
    /// A newer message came before this one, which is to be ignored: the clock did not move.
    Overtaken,
    /// The stamps went back by more than [`LATE`], or time ahead by more than [`LONGEST_STEP`].
    /// What was seen before says nothing about now.
    Jumped,
}

/// Counts the time that passes while messages come, and never goes back.
///
/// It takes the steps of an [`ImageClock`], and where that jumps, the time between the arrivals.
/// So nothing that waits does so for ever after a stamp from the far future, and nothing is due
/// early when a recording starts over.
#[derive(Debug, Clone, Default)]
pub struct SteadyClock {
    images: ImageClock,
    elapsed: Duration,
}

impl SteadyClock {
    /// Takes the next message.
    pub fn advance(&mut self, image: ImageStamp) -> Advance {
        let (step, advance) = match self.images.step(image) {
            Step::First { .. } => (Duration::ZERO, Advance::Onward),
            Step::Overtaken { .. } => (Duration::ZERO, Advance::Overtaken),
            Step::On { by, .. } if by <= LONGEST_STEP => (by, Advance::Onward),
            Step::On { passed, .. } | Step::SetBack { passed, .. } => (passed, Advance::Jumped),
        };
        self.elapsed = self.elapsed.saturating_add(step);
        advance
    }

    /// The time counted from the first message to the newest.
    pub fn now(&self) -> Duration {
        self.elapsed
    }

    /// The time counted until a moment on the clock of the arrivals, if no message comes before it.
    pub fn at(&self, arrival: Duration) -> Duration {
        let since_newest =
            self.images.last.map_or(Duration::ZERO, |last| arrival.saturating_sub(last.arrival));
        self.elapsed.saturating_add(since_newest)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn times(images: &[(u64, u64)]) -> Vec<Duration> {
        let mut clock = ImageClock::default();
        images.iter().map(|&(stamp, came)| clock.time(Some(ms(stamp)), ms(came)).time).collect()
    }

    #[test]
    fn stamps_that_go_on_are_the_time() {
        let found = times(&[(1000, 5), (1033, 90), (1066, 91), (5000, 92)]);
        assert_eq!(found, [ms(1000), ms(1033), ms(1066), ms(5000)]);
    }

    #[test]
    fn between_equal_stamps_the_arrival_counts() {
        let found = times(&[(7, 100), (7, 133), (7, 166)]);
        assert_eq!(found, [ms(7), ms(40), ms(73)]);
        // A clock that begins late is not waited for.
        assert_eq!(times(&[(7, 0), (7, 9000), (100, 9033)]), [ms(7), ms(9007), ms(9040)]);
        // Whole seconds: the time never runs back when the next one comes.
        let found = times(&[(1000, 0), (1000, 500), (1000, 1010), (2000, 1020), (3000, 2000)]);
        assert_eq!(found, [ms(1000), ms(1500), ms(2010), ms(2020), ms(3000)]);
    }

    #[test]
    fn a_little_back_is_no_time_and_far_back_is_another_clock() {
        let found = times(&[(1000, 0), (990, 33), (1020, 66), (820, 99), (1040, 120)]);
        assert_eq!(found, [ms(1000), ms(1000), ms(1020), ms(1020), ms(1040)]);
        let mut clock = ImageClock::default();
        clock.time(Some(ms(1000)), ms(0));
        let back = clock.time(Some(ms(799)), ms(33));
        assert_eq!(back, ImageTime { time: ms(799), set_back: Some(ms(201)) });
        assert_eq!(clock.time(Some(ms(832)), ms(66)).time, ms(832));
    }

    #[test]
    fn a_clock_set_back_a_little_under_stamps_that_stand_still_goes_on() {
        // Nothing newer than 1000 ever comes again.
        let found = times(&[(1000, 0), (900, 33), (900, 210), (900, 250), (900, 300)]);
        assert_eq!(found, [ms(1000), ms(1000), ms(1210), ms(1250), ms(1300)]);
        // Two stamps that stand still: the older is overtaken each time, and takes no time away.
        let found = times(&[(1000, 0), (990, 50), (1000, 100), (990, 150), (1000, 200)]);
        assert_eq!(found, [ms(1000), ms(1000), ms(1100), ms(1100), ms(1200)]);
    }

    #[test]
    fn without_a_stamp_the_arrival_counts() {
        let mut clock = ImageClock::default();
        let found = [ms(50), ms(83), ms(83)].map(|came| clock.time(None, came).time);
        assert_eq!(found, [ms(50), ms(83), ms(83)]);
    }

    fn image(stamp_ms: u64, arrival_ms: u64) -> ImageStamp {
        ImageStamp { stamp: Some(ms(stamp_ms)), arrival: ms(arrival_ms) }
    }

    #[test]
    fn the_steady_clock_counts_steps_and_at_a_jump_the_arrivals() {
        let mut clock = SteadyClock::default();
        assert_eq!(clock.advance(image(1_000_000, 0)), Advance::Onward);
        // By the stamps, whatever the arrivals say: a recording may be played faster.
        assert_eq!(clock.advance(image(1_001_500, 100)), Advance::Onward);
        assert_eq!(clock.now(), ms(1_500));
        let far = ImageStamp { stamp: Some(Duration::MAX), arrival: ms(150) };
        assert_eq!(clock.advance(far), Advance::Jumped);
        assert_eq!(clock.now(), ms(1_550));
        assert_eq!(clock.advance(image(1_002_000, 250)), Advance::Jumped);
        assert_eq!(clock.now(), ms(1_650));
        assert_eq!(clock.advance(image(1_003_000, 300)), Advance::Onward);
        assert_eq!(clock.now(), ms(2_650));
        assert_eq!(clock.advance(image(1_063_001, 400)), Advance::Jumped, "more than a minute");
        assert_eq!(clock.now(), ms(2_750));
    }

    #[test]
    fn an_overtaken_message_does_not_move_the_steady_clock() {
        let mut clock = SteadyClock::default();
        clock.advance(image(10_000, 0));
        assert_eq!(clock.advance(image(9_900, 20)), Advance::Overtaken);
        assert_eq!(clock.advance(image(10_000, 30)), Advance::Onward);
        assert_eq!(clock.now(), ms(30));
        assert_eq!(clock.advance(image(11_000, 1_000)), Advance::Onward);
        assert_eq!(clock.now(), ms(1_000));
    }

    #[test]
    fn the_steady_clock_goes_on_under_constant_missing_and_whole_second_stamps() {
        for stamp in [
            |_: u64| Some(ms(7_000)),
            |_: u64| None,
            |time: u64| Some(Duration::from_secs(time / 1_000)),
        ] {
            let mut clock = SteadyClock::default();
            for time in (3_000..=103_000).step_by(100) {
                let image = ImageStamp { stamp: stamp(time), arrival: ms(time) };
                assert_eq!(clock.advance(image), Advance::Onward);
            }
            assert_eq!(clock.now(), ms(100_000));
        }
    }

    #[test]
    fn the_steady_clock_looks_ahead_without_moving() {
        let mut clock = SteadyClock::default();
        assert_eq!(clock.at(ms(5_000)), Duration::ZERO);
        clock.advance(image(7, 10_000));
        assert_eq!(clock.at(ms(12_000)), ms(2_000));
        assert_eq!(clock.at(ms(3_000)), Duration::ZERO);
        assert_eq!(clock.at(Duration::MAX), Duration::MAX - ms(10_000));
        assert_eq!(clock.now(), Duration::ZERO);
    }

    proptest! {
        #[test]
        fn the_steady_clock_never_goes_back_nor_counts_more_than_stamps_or_arrivals_do(
            images in prop::collection::vec((prop::option::of(0..300_000_u64), 0..500_u64), 1..50)
        ) {
            let (mut clock, mut arrival_ms) = (SteadyClock::default(), 0);
            for (stamp, step) in images {
                arrival_ms += step;
                let before = clock.now();
                let image = ImageStamp { stamp: stamp.map(ms), arrival: ms(arrival_ms) };
                let advance = clock.advance(image);
                prop_assert!(clock.now() >= before);
                prop_assert!(clock.now() - before <= LONGEST_STEP);
                if advance == Advance::Overtaken {
                    prop_assert_eq!(clock.now(), before);
                }
            }
        }

        #[test]
        fn time_goes_on_unless_the_clock_was_set_back(
            images in prop::collection::vec((0..3_000_u64, 0..50_u64), 1..50)
        ) {
            let (mut clock, mut came, mut before) = (ImageClock::default(), 0, Duration::ZERO);
            for (stamp, step) in images {
                came += step;
                let ImageTime { time, set_back } = clock.time(Some(ms(stamp)), ms(came));
                prop_assert!(time >= before || set_back.is_some());
                before = time;
            }
        }
    }
}
