//! Images that were lost on their way, noticed by the gaps between the stamps of those that came.
//!
//! A camera's stamps are one period apart, or several where images between them did not arrive. The
//! period is learnt from the stamps themselves, unless it is given. Time is cut into blocks, each
//! with a period of its own, and only what two blocks in a row agree on counts: a camera that
//! changes its rate, as many do in the dark, has lost nothing.

use std::time::Duration;

/// A block is at least so long ...
const BLOCK: Duration = Duration::from_secs(3);

/// ... and has at least so many steps from stamp to stamp, ...
const STEPS: usize = 30;

/// ... but where images are rare, it ends after so long with these.
const LONGEST_BLOCK: Duration = Duration::from_secs(15);
const FEWEST_STEPS: usize = 4;

/// A longer step says that the camera was stopped, not that images were lost.
const PAUSE: Duration = Duration::from_secs(3);

/// A shorter step says that two cameras share the topic, or that stamps are no times of images.
const SHORTEST_PERIOD: Duration = Duration::from_millis(2);

/// The share of the steps that may be much shorter than the period, by stamps that tremble.
const TREMBLE: f64 = 0.05;

/// The share of steps that may differ from the median where it is taken for the period.
const FEW: f64 = 0.1;

/// How often the period is found anew among the steps that are about as long as the last found.
const REFINEMENTS: usize = 4;

/// How many images came and how many did not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Loss {
    /// Images that came.
    pub received: u64,
    /// Images that are missing between them.
    pub lost: u64,
    /// The time from one image to the next where none is missing.
    pub period: Duration,
}

impl Loss {
    /// The share of the images that were lost, 0 to 1.
    pub fn share(&self) -> f64 {
        self.lost as f64 / (self.lost + self.received).max(1) as f64
    }
}

/// Finds lost images.
#[derive(Debug, Default)]
pub struct Losses {
    /// Given, not learnt.
    expected: Option<Duration>,
    last_stamp: Option<Duration>,
    /// From stamp to stamp, in the present block.
    steps: Vec<Duration>,
    /// The last two blocks, the newest last.
    blocks: [Option<Loss>; 2],
    lost: u64,
}

impl Losses {
    /// Takes the rate at which the camera sends; 0: it is learnt.
    pub fn expect(&mut self, rate_hz: f64) {
        let expected = (rate_hz > 0.0)
            .then(|| Duration::try_from_secs_f64(1.0 / rate_hz).ok())
            .flatten()
            .filter(|period| !period.is_zero());
        if expected != self.expected {
            self.expected = expected;
            self.forget();
        }
    }

    /// Takes the stamp of the next image.
    pub fn image(&mut self, stamp: Duration) {
        let last = self.last_stamp.replace(stamp);
        let Some(step) = last.and_then(|last| stamp.checked_sub(last)) else {
            // The first one, or a clock that was set back, or a message that was overtaken.
            self.steps.clear();
            return;
        };
        if step.is_zero() || step > PAUSE {
            self.steps.clear();
            return;
        }
        self.steps.push(step);
        let length: Duration = self.steps.iter().sum();
        let enough = if self.expected.is_some() { 1 } else { STEPS };
        let is_full = length >= BLOCK && self.steps.len() >= enough;
        if is_full || (length >= LONGEST_BLOCK && self.steps.len() >= FEWEST_STEPS) {
            let block = self.count();
            self.lost += block.map_or(0, |block| block.lost);
            let [_, before] = self.blocks;
            self.blocks = [before, block];
            self.steps.clear();
        }
    }

    /// Begins anew, as after a time in which no images were taken; the sum stays.
    pub fn forget(&mut self) {
        *self = Self { expected: self.expected, lost: self.lost, ..Self::default() };
    }

    /// What was lost lately: of the last two blocks the one that lost less.
    pub fn lately(&self) -> Option<Loss> {
        let [Some(before), Some(newest)] = self.blocks else {
            return None;
        };
        Some(if before.share() < newest.share() { before } else { newest })
    }

    /// All that were lost since the start.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    fn count(&self) -> Option<Loss> {
        let period = self.expected.or_else(|| learnt_period(&self.steps))?;
        let missing = |step: &Duration| {
            ((step.as_secs_f64() / period.as_secs_f64()).round() as u64).saturating_sub(1)
        };
        let lost = self.steps.iter().map(missing).sum();
        Some(Loss { received: self.steps.len() as u64, lost, period })
    }
}

/// The median of the steps over which no image is missing; nothing where the stamps follow no
/// period.
fn learnt_period(steps: &[Duration]) -> Option<Duration> {
    let mut sorted = steps.to_vec();
    sorted.sort_unstable();
    // Where nearly all steps are about as long as the median, none or few are missing, however much
    // the stamps tremble.
    let median = *sorted.get(sorted.len() / 2)?;
    let shorter = sorted.partition_point(|step| *step <= median / 2);
    let longer = sorted.len() - sorted.partition_point(|step| *step < median.mul_f64(1.5));
    if (shorter + longer) as f64 <= FEW * sorted.len() as f64 {
        return (median >= SHORTEST_PERIOD).then_some(median);
    }
    let mut period = *sorted.get((sorted.len() as f64 * TREMBLE) as usize)?;
    for _ in 0..REFINEMENTS {
        let single = sorted.partition_point(|step| *step < period.mul_f64(1.5));
        period = *sorted.get(single / 2)?;
    }
    (period >= SHORTEST_PERIOD).then_some(period)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Duration = Duration::from_micros(33_333);

    /// Every image of so many that `arrives`, with stamps that tremble by a tenth.
    fn run(losses: &mut Losses, from: u32, images: u32, arrives: impl Fn(u32) -> bool) {
        for image in (from..from + images).filter(|image| arrives(*image)) {
            let tremble = PERIOD.mul_f64(0.1) * (image.wrapping_mul(2_654_435_761) >> 31);
            losses.image(Duration::from_secs(100) + PERIOD * image + tremble);
        }
    }

    /// Whether an image is among a share of all, spread as if by chance.
    fn among(share: f64) -> impl Fn(u32) -> bool {
        move |image| {
            let hash = image.wrapping_add(77).wrapping_mul(0x9E37_79B9);
            f64::from((hash ^ (hash >> 15)).wrapping_mul(0x85EB_CA6B) >> 8)
                < share * f64::from(1 << 24)
        }
    }

    #[test]
    fn the_share_of_lost_images_is_found_by_their_stamps_alone() {
        for arriving in [0.16, 0.3, 0.5, 0.8, 0.93] {
            let mut losses = Losses::default();
            run(&mut losses, 0, 1200, among(arriving));
            let share = losses.lately().unwrap().share();
            let expected = 1.0 - arriving;
            assert!((share - expected).abs() < 0.12, "{share} found, {expected} lost");
        }
    }

    #[test]
    fn a_camera_that_loses_nothing_has_no_loss_at_any_rate() {
        let mut losses = Losses::default();
        run(&mut losses, 0, 300, |_| true);
        let Loss { received, lost, period } = losses.lately().unwrap();
        assert!(received >= 60 && lost == 0);
        assert!((period.as_secs_f64() / PERIOD.as_secs_f64() - 1.0).abs() < 0.1);
        // In the dark it sends every second image, or every third.
        run(&mut losses, 300, 300, |image| image % 2 == 0);
        assert_eq!(losses.lately().unwrap().lost, 0);
        run(&mut losses, 600, 600, |image| image % 3 == 0);
        assert_eq!(losses.lately().unwrap().lost, 0);
    }

    #[test]
    fn stamps_that_tremble_by_an_eighth_are_no_loss() {
        let mut losses = Losses::default();
        for image in 0..600u32 {
            let chance = f64::from(image.wrapping_mul(2_654_435_761) >> 16) / 65_536.0 - 0.5;
            losses.image(
                Duration::from_secs(100) + PERIOD * image + PERIOD.mul_f64(0.25 + 0.25 * chance),
            );
        }
        assert!(losses.lately().unwrap().share() < 0.05);
    }

    #[test]
    fn one_gap_is_no_loss_that_lasts_and_a_pause_is_none_at_all() {
        let mut losses = Losses::default();
        run(&mut losses, 0, 900, |image| !(300..330).contains(&image));
        assert_eq!(losses.lately().unwrap().lost, 0);
        assert_eq!(losses.lost(), 30);
        run(&mut losses, 1200, 300, |_| true);
        assert_eq!((losses.lately().unwrap().lost, losses.lost()), (0, 30));
    }

    #[test]
    fn a_rate_that_is_given_finds_losses_that_follow_a_period() {
        let mut losses = Losses::default();
        losses.expect(30.0);
        run(&mut losses, 0, 300, |image| image % 2 == 0);
        let share = losses.lately().unwrap().share();
        assert!((share - 0.5).abs() < 0.02, "{share}");
    }

    #[test]
    fn stamps_that_follow_no_period_say_nothing() {
        let mut losses = Losses::default();
        for image in 0..1000 {
            losses.image(Duration::from_secs(image / 30));
        }
        assert_eq!(losses.lately(), None);
        let mut losses = Losses::default();
        for image in 0..1000 {
            // Two cameras.
            losses.image(PERIOD * (image / 2) + Duration::from_micros(200) * (image % 2));
        }
        assert_eq!(losses.lately(), None);
    }
}
