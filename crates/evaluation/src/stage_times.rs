//! The times of one stage over all frames.

use std::time::Duration;

use rapport_vocabulary::percentile;
use serde::Serialize;

/// How long one stage took, frame by frame.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct StageTimes {
    /// Half of the frames within this, in milliseconds; `None` without frames.
    pub p50_ms: Option<f64>,
    /// 95 of 100 frames within this.
    pub p95_ms: Option<f64>,
    /// 99 of 100 frames within this.
    pub p99_ms: Option<f64>,
    /// All frames together, in seconds.
    pub total_secs: f64,
}

impl StageTimes {
    /// Where only the sum is known.
    pub fn of_total(total_secs: f64) -> Self {
        Self { p50_ms: None, p95_ms: None, p99_ms: None, total_secs }
    }

    /// Summarises the times of all frames.
    pub fn of(times: impl Iterator<Item = Duration>) -> Self {
        let mut ms: Vec<f64> = times.map(|time| time.as_secs_f64() * 1e3).collect();
        ms.sort_by(f64::total_cmp);
        Self {
            p50_ms: percentile(&ms, 50.0),
            p95_ms: percentile(&ms, 95.0),
            p99_ms: percentile(&ms, 99.0),
            total_secs: ms.iter().sum::<f64>() / 1e3,
        }
    }
}
