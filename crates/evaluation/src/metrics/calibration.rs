//! Whether a confidence of 80 % means right in 80 of 100.

use serde::Serialize;

/// One bin of a reliability diagram: predictions of about the same confidence.
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
    let mut sums = vec![(0u64, 0.0, 0u64); bins];
    for &(confidence, is_right) in predictions {
        let bin = (confidence * bins as f64) as usize;
        if let Some((count, confidences, right)) = sums.get_mut(bin.min(bins.saturating_sub(1))) {
            *count += 1;
            *confidences += confidence;
            *right += u64::from(is_right);
        }
    }
    let gaps: f64 =
        sums.iter().map(|&(_, confidence, right)| (confidence - right as f64).abs()).sum();
    let width = |bin: usize| bin as f64 / bins as f64;
    let bins = sums.into_iter().enumerate().map(|(bin, (count, confidences, right))| {
        let mean = |sum: f64| (count > 0).then(|| sum / count as f64);
        ReliabilityBin {
            lower: width(bin),
            upper: width(bin + 1),
            count,
            mean_confidence: mean(confidences),
            accuracy: mean(right as f64),
        }
    });
    Calibration {
        expected_calibration_error: (!predictions.is_empty())
            .then(|| gaps / predictions.len() as f64),
        bins: bins.collect(),
    }
}
