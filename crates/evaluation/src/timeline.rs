//! The labels of each face over time, in runs of equal labels: what the report draws.

use std::collections::BTreeMap;

use crate::labels::FrameLabels;
use crate::seen::Seen;
use rapport_vocabulary::Emotion;

/// A face is drawn as in view until this long after it was last seen.
const LONGEST_GAP_SECS: f64 = 0.5;

/// A time in which a label did not change, in seconds since the recording's first message.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LabelRun {
    /// The time of its first frame.
    pub start_secs: f64,
    /// The time of its last frame.
    pub end_secs: f64,
    /// The label.
    pub label: Emotion,
}

/// The labels of one face.
#[derive(Debug, Default, Clone)]
pub struct FaceRuns {
    /// The labels that were given.
    pub truth: Vec<LabelRun>,
    /// The labels of each frame alone.
    pub raw: Vec<LabelRun>,
    /// The labels as reported.
    pub smoothed: Vec<LabelRun>,
    /// In how many frames it was seen.
    pub frames: u64,
}

/// All faces of a recording.
#[derive(Debug, Default, Clone)]
pub struct Timeline {
    faces: BTreeMap<String, FaceRuns>,
}

impl Timeline {
    /// Takes the next frame, `secs` after the recording's first message.
    pub fn frame(&mut self, secs: f64, labels: &FrameLabels, seen: &[Seen]) {
        for face in seen {
            let runs = self.faces.entry(face.face_id.clone()).or_default();
            runs.frames += 1;
            extend(&mut runs.raw, secs, face.instant_probabilities.top());
            extend(&mut runs.smoothed, secs, face.label);
            if let Some(truth) = labels.of(&face.face_id) {
                extend(&mut runs.truth, secs, truth);
            }
        }
    }

    /// The faces that were seen in most frames, at most so many, in the order in
    /// which they first appear.
    pub fn main_faces(&self, at_most: usize) -> Vec<(&str, &FaceRuns)> {
        let mut faces: Vec<_> = self.faces.iter().map(|(id, runs)| (id.as_str(), runs)).collect();
        faces.sort_by_key(|(_, runs)| std::cmp::Reverse(runs.frames));
        faces.truncate(at_most);
        let start = |runs: &FaceRuns| runs.raw.first().map_or(0.0, |run| run.start_secs);
        faces.sort_by(|a, b| start(a.1).total_cmp(&start(b.1)));
        faces
    }

    /// How many faces there are.
    pub fn faces(&self) -> usize {
        self.faces.len()
    }
}

fn extend(runs: &mut Vec<LabelRun>, secs: f64, label: Emotion) {
    if let Some(last) = runs.last_mut()
        && (0.0..=LONGEST_GAP_SECS).contains(&(secs - last.end_secs))
    {
        last.end_secs = secs;
        if last.label == label {
            return;
        }
    }
    runs.push(LabelRun { start_secs: secs, end_secs: secs, label });
}
