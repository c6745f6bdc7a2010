//! What a recording cost, and the machine that paid: kept with its result, added up in the report.

use serde::{Deserialize, Serialize};

use crate::report::{ModelTiming, Timing};
use crate::stage_times::StageTimes;

/// Seconds that an evaluation took.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TimeTotals {
    wall_secs: f64,
    waiting_secs: f64,
    read_secs: f64,
    decode_secs: f64,
    /// Of each model: detect, verify, crop, classify, total, inference.
    models: Vec<[f64; 6]>,
}

impl TimeTotals {
    /// Adds those of another recording.
    pub fn add(&mut self, other: &Self) {
        self.wall_secs += other.wall_secs;
        self.waiting_secs += other.waiting_secs;
        self.read_secs += other.read_secs;
        self.decode_secs += other.decode_secs;
        self.models.resize(self.models.len().max(other.models.len()), [0.0; 6]);
        for (sums, stages) in self.models.iter_mut().zip(&other.models) {
            sums.iter_mut().zip(stages).for_each(|(sum, secs)| *sum += secs);
        }
    }

    /// The timing of a report: sums alone, since the times of each frame are not kept.
    pub fn timing(&self, frames_used: u64, duration_secs: f64, models: &[String]) -> Timing {
        let wall_secs = self.wall_secs;
        let stages = models.iter().zip(&self.models).map(|(name, stages)| {
            let [detect, verify, crop, classify, total, inference] =
                stages.map(StageTimes::of_total);
            ModelTiming { name: name.clone(), detect, verify, crop, classify, total, inference }
        });
        Timing {
            wall_secs,
            frames_per_sec: frames_used as f64 / wall_secs,
            times_real_time: Some(duration_secs / wall_secs),
            jobs: None,
            waiting_share: self.waiting_secs / wall_secs,
            read_and_decode_share: (self.read_secs + self.decode_secs) / wall_secs,
            read: StageTimes::of_total(self.read_secs),
            decode: StageTimes::of_total(self.decode_secs),
            models: stages.collect(),
        }
    }
}

impl From<&Timing> for TimeTotals {
    fn from(timing: &Timing) -> Self {
        let stages = |m: &ModelTiming| {
            [m.detect, m.verify, m.crop, m.classify, m.total, m.inference].map(|s| s.total_secs)
        };
        Self {
            wall_secs: timing.wall_secs,
            waiting_secs: timing.waiting_share * timing.wall_secs,
            read_secs: timing.read.total_secs,
            decode_secs: timing.decode.total_secs,
            models: timing.models.iter().map(stages).collect(),
        }
    }
}

/// What computed a result: figures may differ in their last digits from one to another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Machine {
    /// Version of this package.
    pub rapport: String,
    /// What ONNX Runtime says about itself.
    pub onnxruntime: Option<String>,
    /// The processor.
    pub processor: Option<String>,
    /// Operating system and architecture.
    pub system: String,
}
