//! Whether a confidence of 80 % means right in 80 of 100.

use serde::Serialize;

/// One bin of a reliability diagram: predictions of about the same confidence. All figures but the
/// count are 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ReliabilityBin {
    /// The least confidence in the bin.
    pub lower: f64,
    /// The confidence from which the next bin begins; 1 belongs to the last.
    pub upper: f64,
    /// How many predictions fell into it.
    pub count: u64,
    /// Their mean confidence; nothing where there are none.
    pub mean_confidence: Option<f64>,
    /// The share of them that was right; nothing where there are none.
    pub accuracy: Option<f64>,
}

/// The reliability diagram and its summary.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Calibration {
    /// Expected calibration error: the gap between mean confidence and accuracy of each bin,
    /// averaged over the bins by their counts (Guo et al., "On Calibration of Modern Neural
    /// Networks", ICML 2017). `None` without predictions.
    pub expected_calibration_error: Option<f64>,
    /// Bins of equal width over 0 to 1.
    pub bins: Vec<ReliabilityBin>,
}

/// Sorts predictions, each (confidence 0 to 1, was it right), into `bins` bins of equal width.
pub fn calibration(predictions: &[(f64, bool)], bins: usize) -> Calibration {
    let shares: Vec<(f64, f64)> = predictions
        .iter()
        .map(|&(confidence, is_right)| (confidence, f64::from(is_right)))
        .collect();
    binned(&shares, bins)
}

/// The same where right is a share, 0 to 1: of each prediction (confidence, share), as of the votes
/// that agree with it.
pub fn binned(predictions: &[(f64, f64)], bins: usize) -> Calibration {
    let mut sums = vec![(0u64, 0.0, 0.0); bins];
    for &(confidence, share) in predictions {
        let bin = (confidence * bins as f64) as usize;
        if let Some((count, confidences, shares)) = sums.get_mut(bin.min(bins.saturating_sub(1))) {
            *count += 1;
            *confidences += confidence;
            *shares += share;
        }
    }
    let gaps: f64 = sums.iter().map(|&(_, confidence, right)| (confidence - right).abs()).sum();
    let width = |bin: usize| bin as f64 / bins as f64;
    let bins = sums.into_iter().enumerate().map(|(bin, (count, confidences, right))| {
        let mean = |sum: f64| (count > 0).then(|| sum / count as f64);
        ReliabilityBin {
            lower: width(bin),
            upper: width(bin + 1),
            count,
            mean_confidence: mean(confidences),
            accuracy: mean(right),
        }
    });
    Calibration {
        expected_calibration_error: (!predictions.is_empty())
            .then(|| gaps / predictions.len() as f64),
        bins: bins.collect(),
    }
}
