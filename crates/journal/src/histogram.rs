//! How often faces looked like what: the distributions that drift is found in. Each visit counts 1
//! in each, however long it was, so that nobody who stays for an hour is most of the picture.

use rapport_vocabulary::Emotion;
use serde::Serialize;

/// What drift is looked for in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    /// Calibrated probability of the label.
    Confidence,
    /// The label.
    Expression,
    /// Longer side of the face, in pixels.
    FaceSize,
    /// Brightness of the face, 0 to 1.
    Brightness,
    /// Blur of the face, 0 to 1.
    Blur,
}

/// Borders between the bins of face size, in pixels.
const FACE_SIZES_PX: [f32; 9] = [24.0, 32.0, 48.0, 64.0, 96.0, 128.0, 192.0, 256.0, 384.0];

impl Feature {
    /// How many there are.
    pub const COUNT: usize = 5;

    /// All of them.
    pub const ALL: [Self; Self::COUNT] =
        [Self::Confidence, Self::Expression, Self::FaceSize, Self::Brightness, Self::Blur];

    /// How many bins its histogram has.
    pub const fn bins(self) -> usize {
        match self {
            Self::Expression => Emotion::COUNT,
            _ => BINS,
        }
    }

    /// The bin of a value; `None` where it is not a number. Of expressions, the value is the index.
    pub(crate) fn bin(self, value: f32) -> Option<usize> {
        if !value.is_finite() {
            return None;
        }
        let bin = match self {
            Self::Expression => value as usize,
            Self::FaceSize => FACE_SIZES_PX.partition_point(|&border| border <= value),
            Self::Confidence | Self::Brightness | Self::Blur => (value * BINS as f32) as usize,
        };
        Some(bin.min(self.bins() - 1))
    }
}

/// The most bins that a feature has.
const BINS: usize = 10;

/// One histogram over visits.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Histogram {
    /// Visits it rests on.
    pub(crate) visits: u64,
    /// Visits in each bin; they sum to `visits`.
    pub(crate) bins: [f64; BINS],
}

/// One for each feature, in the order of [`Feature::ALL`].
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Histograms(pub(crate) [Histogram; Feature::COUNT]);

/// The same for one visit, whose images are counted.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ImageCounts([[u32; BINS]; Feature::COUNT]);

impl ImageCounts {
    pub(crate) fn add(&mut self, feature: Feature, value: f32) {
        if let Some(bin) = feature.bin(value) {
            self.0[feature as usize][bin] += 1;
        }
    }
}

/// Weights are stored in thousandths of a visit.
const PER_VISIT: f64 = 1000.0;

impl Histograms {
    pub(crate) fn add_visit(&mut self, counts: &ImageCounts) {
        for (histogram, counts) in self.0.iter_mut().zip(&counts.0) {
            let images: u32 = counts.iter().sum();
            if images > 0 {
                histogram.visits += 1;
                for (bin, &count) in histogram.bins.iter_mut().zip(counts) {
                    *bin += f64::from(count) / f64::from(images);
                }
            }
        }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (histogram, other) in self.0.iter_mut().zip(&other.0) {
            histogram.visits += other.visits;
            histogram.bins.iter_mut().zip(&other.bins).for_each(|(bin, other)| *bin += other);
        }
    }

    /// Without those that rest on fewer than `least` visits.
    pub(crate) fn published(mut self, least: u64) -> Self {
        let few = |histogram: &&mut Histogram| histogram.visits < least;
        self.0.iter_mut().filter(few).for_each(|histogram| *histogram = Histogram::default());
        self
    }

    /// For each feature the number of visits, and unless that is 0, each bin in thousandths of a
    /// visit; all as LEB128.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (feature, histogram) in Feature::ALL.into_iter().zip(&self.0) {
            push(&mut bytes, histogram.visits);
            if histogram.visits > 0 {
                let bins = histogram.bins.iter().take(feature.bins());
                bins.for_each(|bin| push(&mut bytes, (bin * PER_VISIT).round() as u64));
            }
        }
        bytes
    }

    /// `None` where the bytes are no such histograms.
    pub(crate) fn decode(mut bytes: &[u8]) -> Option<Self> {
        let mut histograms = Self::default();
        for (feature, histogram) in Feature::ALL.into_iter().zip(&mut histograms.0) {
            histogram.visits = pop(&mut bytes)?;
            if histogram.visits > 0 {
                for bin in histogram.bins.iter_mut().take(feature.bins()) {
                    *bin = pop(&mut bytes)? as f64 / PER_VISIT;
                }
            }
        }
        bytes.is_empty().then_some(histograms)
    }
}

fn push(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

fn pop(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..63).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_number_has_a_bin() {
        for feature in Feature::ALL {
            for value in [-1.0, 0.0, 0.05, 0.999, 1.0, 7.0, 24.0, 5000.0, f32::MAX] {
                assert!(feature.bin(value).unwrap() < feature.bins(), "{feature:?} {value}");
            }
            assert_eq!(feature.bin(f32::NAN), None);
            assert_eq!(feature.bin(f32::INFINITY), None);
        }
        assert_eq!(Feature::FaceSize.bin(24.0), Some(1));
        assert_eq!(Feature::FaceSize.bin(384.0), Some(9));
        assert_eq!(Feature::Confidence.bin(1.0), Some(9));
    }

    #[test]
    fn a_long_visit_counts_as_much_as_a_short_one() {
        let mut histograms = Histograms::default();
        for (images, confidence) in [(1000, 0.95), (1, 0.15)] {
            let mut counts = ImageCounts::default();
            (0..images).for_each(|_| counts.add(Feature::Confidence, confidence));
            histograms.add_visit(&counts);
        }
        let found = histograms.0[Feature::Confidence as usize];
        assert_eq!((found.visits, found.bins[9], found.bins[1]), (2, 1.0, 1.0));
        assert_eq!(histograms.0[Feature::Blur as usize].visits, 0);
        assert_eq!(histograms.published(3), Histograms::default());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(visits in prop::array::uniform5(0u64..1_000_000), seed: u64) {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut histograms = Histograms::default();
            for (feature, (histogram, visits)) in
                Feature::ALL.into_iter().zip(histograms.0.iter_mut().zip(visits))
            {
                histogram.visits = visits;
                if visits > 0 {
                    let bins = histogram.bins.iter_mut().take(feature.bins());
                    bins.for_each(|bin| *bin = random.u32(..) as f64 / PER_VISIT);
                }
            }
            prop_assert_eq!(Histograms::decode(&histograms.encode()), Some(histograms));
        }

        #[test]
        fn other_bytes_are_no_histograms_or_read_without_panic(bytes: Vec<u8>) {
            let _ = Histograms::decode(&bytes);
        }
    }
}
