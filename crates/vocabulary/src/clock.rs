//! The time of an image, made of its stamp and of when it came.
//!
//! Cameras stamp with clocks that are set, with whole seconds, with the same stamp always, or not
//! at all. What follows faces and smooths what they show needs a time that goes on.

use std::time::Duration;

/// A stamp older than the newest by no more than this belongs to a message that was overtaken, or
/// to a clock that is being corrected.
pub const LATE: Duration = Duration::from_millis(200);

/// When an image was taken, as far as is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageStamp {
    /// The stamp that the image carries, since the epoch of the camera's clock; nothing if none was
    /// set.
    pub stamp: Option<Duration>,
    /// When the image arrived, on any clock that goes forward.
    pub arrival: Duration,
}

impl ImageStamp {
    /// An image that was taken and arrived at this time.
    pub fn at(time: Duration) -> Self {
        Self { stamp: Some(time), arrival: time }
    }
}

/// Gives each image its time.
#[derive(Debug, Clone, Default)]
pub struct ImageClock {
    last: Option<Last>,
}

#[derive(Debug, Clone, Copy)]
struct Last {
    stamp: Duration,
    arrival: Duration,
    time: Duration,
}

/// The time of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageTime {
    /// Not before that of the image before, unless the clock was set back.
    pub time: Duration,
    /// By how much the stamps went back, where that is more than [`LATE`].
    pub set_back: Option<Duration>,
}

impl ImageClock {
    /// The time of the next image. `stamp`: as it says itself, if it does; `arrival`: when it came,
    /// on a clock that goes forward.
    ///
    /// It is the stamp, or else the arrival. Where a stamp stands still, the time goes on as images
    /// arrive; where it goes back a little, the time stands still; where it goes back far, so does
    /// the time.
    pub fn time(&mut self, stamp: Option<Duration>, arrival: Duration) -> ImageTime {
        let stamp = stamp.unwrap_or(arrival);
        let passed = self.last.map_or(Duration::ZERO, |last| arrival.saturating_sub(last.arrival));
        let (time, set_back) = match self.last {
            None => (stamp, None),
            Some(last) if stamp > last.stamp => {
                // The time may have gone ahead of stamps that stood still: then it waits for none.
                let step = passed.min(stamp - last.stamp);
                (stamp.max(last.time.saturating_add(step)), None)
            }
            Some(last) if stamp == last.stamp => (last.time.saturating_add(passed), None),
            Some(last) if last.stamp - stamp <= LATE => (last.time, None),
            Some(last) => (stamp, Some(last.stamp - stamp)),
        };
        // An overtaken image does not turn the next one into a step forward.
        let stamp = match (self.last, set_back) {
            (Some(last), None) => stamp.max(last.stamp),
            _ => stamp,
        };
        self.last = Some(Last { stamp, arrival, time });
        ImageTime { time, set_back }
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
    fn without_a_stamp_the_arrival_counts() {
        let mut clock = ImageClock::default();
        let found = [ms(50), ms(83), ms(83)].map(|came| clock.time(None, came).time);
        assert_eq!(found, [ms(50), ms(83), ms(83)]);
    }

    proptest! {
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
