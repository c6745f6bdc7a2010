//! What a node has done lately: rates, drops and where the time went.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use rapport_perception::Timings;
use rapport_vocabulary::percentile;

/// Frames whose times are kept: ten seconds at 30 images a second.
const FRAMES_KEPT: usize = 300;

/// Over how long rates are counted.
const RATE_WINDOW: Duration = Duration::from_secs(5);

/// How long ago the window began that is compared with the present one; between the two is a moment
/// that counts in neither.
const BEFORE_WINDOW: Duration = Duration::from_secs(12);

/// The stages of a frame, in the order in which they come.
pub const STAGES: [&str; 7] =
    ["decode", "detect", "verify", "crop", "classify", "publish", "total"];

/// How long one frame took.
#[derive(Debug, Clone, Copy, Default)]
pub struct FrameTimes {
    /// Unpacking a compressed image; nothing for others.
    pub decode: Duration,
    /// In the pipeline.
    pub pipeline: Timings,
    /// Making and sending the messages.
    pub publish: Duration,
    /// From the arrival of the image to the last message about it, waiting included.
    pub total: Duration,
}

impl FrameTimes {
    fn stages(&self) -> [Duration; STAGES.len()] {
        let Timings { detect, verify, crop, classify, .. } = self.pipeline;
        [self.decode, detect, verify, crop, classify, self.publish, self.total]
    }
}

/// Counts since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Images that came.
    pub received: u64,
    /// Images processed.
    pub processed: u64,
    /// Of these, the ones that were searched for faces, and not only followed known ones.
    pub searched: u64,
    /// Images that a newer one took the place of before they were processed.
    pub dropped: u64,
    /// Images that could not be used.
    pub skipped: u64,
}

impl Counts {
    fn since(&self, earlier: &Counts) -> Counts {
        Counts {
            received: self.received - earlier.received,
            processed: self.processed - earlier.processed,
            searched: self.searched - earlier.searched,
            dropped: self.dropped - earlier.dropped,
            skipped: self.skipped - earlier.skipped,
        }
    }
}

/// What is counted while the node runs.
#[derive(Debug, Default)]
pub struct Stats {
    /// Since the start.
    pub counts: Counts,
    /// Stamp of the newest frame that was processed, on its own clock.
    pub last_stamp: Option<Duration>,
    /// People in the newest frame that was processed.
    pub people: usize,
    /// Why the newest image that was skipped could not be used.
    pub last_problem: Option<String>,
    frames: VecDeque<FrameTimes>,
    marks: VecDeque<(Instant, Counts)>,
}

/// Median and 95th percentile.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantiles {
    /// Median.
    pub p50: Duration,
    /// 95th percentile.
    pub p95: Duration,
}

impl Stats {
    /// Takes the times of a frame that was processed, and whether it was searched.
    pub fn processed(&mut self, times: FrameTimes, stamp: Duration, people: usize, searched: bool) {
        self.counts.processed += 1;
        self.counts.searched += u64::from(searched);
        self.last_stamp = Some(stamp);
        self.people = people;
        if self.frames.len() == FRAMES_KEPT {
            self.frames.pop_front();
        }
        self.frames.push_back(times);
    }

    /// Takes note of an image that could not be used.
    pub fn skipped(&mut self, problem: String) {
        self.counts.skipped += 1;
        self.last_problem = Some(problem);
    }

    /// What was counted in the last seconds, and how many seconds that is. To be called regularly.
    pub fn lately(&mut self, now: Instant) -> (Counts, f64) {
        self.marks.push_back((now, self.counts));
        while self.marks.len() > 2 && now.duration_since(self.marks[1].0) >= BEFORE_WINDOW {
            self.marks.pop_front();
        }
        match self.mark(now, RATE_WINDOW).or(self.marks.front()) {
            Some((since, earlier)) => {
                (self.counts.since(earlier), now.duration_since(*since).as_secs_f64())
            }
            None => (Counts::default(), 0.0),
        }
    }

    /// What was counted in as many seconds before: what happens for a moment is never in both.
    /// Nothing in the first seconds.
    pub fn before(&self, now: Instant) -> Counts {
        let end = BEFORE_WINDOW.saturating_sub(RATE_WINDOW);
        match (self.mark(now, BEFORE_WINDOW), self.mark(now, end)) {
            (Some((_, begin)), Some((_, end))) => end.since(begin),
            _ => Counts::default(),
        }
    }

    /// The newest mark that is so old.
    fn mark(&self, now: Instant, age: Duration) -> Option<&(Instant, Counts)> {
        self.marks.iter().rev().find(|(at, _)| now.duration_since(*at) >= age)
    }

    /// The times of each stage over the last frames; nothing before the first.
    pub fn stages(&self) -> Option<[Quantiles; STAGES.len()]> {
        if self.frames.is_empty() {
            return None;
        }
        let stage = |index: usize| {
            let mut times: Vec<_> = self.frames.iter().map(|frame| frame.stages()[index]).collect();
            times.sort_unstable();
            let at = |percent| percentile(&times, percent).unwrap_or_default();
            Quantiles { p50: at(50.0), p95: at(95.0) }
        };
        Some(std::array::from_fn(stage))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_last_frames() {
        let mut stats = Stats::default();
        assert_eq!(stats.stages(), None);
        for ms in 0..(FRAMES_KEPT as u64 + 100) {
            let total = Duration::from_millis(ms);
            stats.processed(FrameTimes { total, ..FrameTimes::default() }, total, 1, true);
        }
        let total = stats.stages().unwrap()[STAGES.len() - 1];
        assert_eq!(total.p50, Duration::from_millis(100 + 149));
        assert_eq!(total.p95, Duration::from_millis(100 + 284));
    }

    #[test]
    fn rates_are_those_of_the_last_seconds() {
        let (mut stats, start) = (Stats::default(), Instant::now());
        for second in 0..20 {
            stats.counts.received += if second < 10 { 30 } else { 15 };
            let (lately, secs) = stats.lately(start + Duration::from_secs(second));
            if second == 19 {
                assert_eq!((lately.received, secs), (75, 5.0));
                assert_eq!(stats.before(start + Duration::from_secs(second)).received, 105);
            }
        }
        let (mut stats, start) = (Stats::default(), Instant::now());
        for second in 0..40 {
            let now = start + Duration::from_secs(second);
            stats.counts.dropped += if (20..22).contains(&second) { 30 } else { 0 };
            let (lately, _) = stats.lately(now);
            let before = stats.before(now);
            assert!(lately.dropped == 0 || before.dropped == 0, "a dip of two seconds");
        }
    }
}
