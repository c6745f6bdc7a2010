//! Samples of a bootstrap: so many units drawn with replacement, the same for every figure and every
//! model, so that models can be compared pair by pair.

/// Which samples are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resamples {
    /// How many units there are to draw from, and how many are drawn each time.
    pub units: usize,
    /// How many samples.
    pub count: u32,
    /// What they are drawn by.
    pub seed: u64,
}

impl Resamples {
    /// How often each unit was drawn into a sample, into `counts`. The same for the same seed, number
    /// of units and sample, on every machine and whatever was drawn before.
    pub fn draw(&self, sample: u32, counts: &mut Vec<u32>) {
        counts.clear();
        counts.resize(self.units, 0);
        let units = self.units as u64;
        for draw in 0..units {
            let random = random(self.seed, u64::from(sample) * units + draw);
            // The upper half of it, scaled to the units: no unit is drawn more often than another
            // by more than one part in four billion over their number.
            let unit = ((random >> 32) * units) >> 32;
            if let Some(count) = counts.get_mut(unit as usize) {
                *count += 1;
            }
        }
    }
}

/// A number of the sequence that belongs to a seed: SplitMix64 (Steele, Lea and Flood, "Fast
/// splittable pseudorandom number generators", OOPSLA 2014), of which any can be had without those
/// before it. Written here because a library's sequence may change with its version, and with it
/// every interval in print.
fn random(seed: u64, index: u64) -> u64 {
    let mut z = seed.wrapping_add(index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_is_the_published_one() {
        // The first numbers of the authors' program for the seed 1234567.
        let expected = [6457827717110365317, 3203168211198807973, 9817491932198370423];
        assert_eq!([0, 1, 2].map(|index| random(1_234_567, index)), expected);
    }

    #[test]
    fn units_are_drawn_alike() {
        let resamples = Resamples { units: 7, count: 3000, seed: 5 };
        let (mut counts, mut all) = (Vec::new(), [0u32; 7]);
        for sample in 0..resamples.count {
            resamples.draw(sample, &mut counts);
            assert_eq!(counts.iter().sum::<u32>(), 7);
            all.iter_mut().zip(&counts).for_each(|(all, count)| *all += count);
        }
        // 3000 of each are expected, with a standard deviation of about 51.
        assert!(all.iter().all(|count| count.abs_diff(3000) < 200), "{all:?}");
        let mut again = Vec::new();
        resamples.draw(2999, &mut again);
        assert_eq!(again, counts);
        Resamples { seed: 6, ..resamples }.draw(2999, &mut again);
        assert_ne!(again, counts);
    }
}
