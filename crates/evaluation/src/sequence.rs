//! What only a sequence shows: flicker, delay, and people who are taken for new ones.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::labels::FrameLabels;
use super::percentile::{mean, median, percentile};
use super::tally::Seen;
use rapport_perception::geometry::Rect;
use rapport_vocabulary::Emotion;
use rapport_vocabulary::LATE;

/// A face that is missed for longer than this is no longer "the same face, seen again": neither a
/// flip nor its time counts.
const LONGEST_GAP: Duration = Duration::from_secs(1);

/// A face with a new id is the old face if that was last seen at most this long ago, and ...
const SWITCH_WITHIN: Duration = Duration::from_secs(2);

/// ... the boxes overlap by this much (intersection over union).
const SWITCH_MIN_IOU: f32 = 0.3;

/// A face when it was last seen.
#[derive(Debug, Clone)]
struct Last {
    stamp: Duration,
    roi: Rect,
    label: Emotion,
    instant_label: Emotion,
    is_switched: bool,
}

/// A time in which one face, or anyone, is labelled alike.
#[derive(Debug, Clone)]
struct Segment {
    label: Emotion,
    onset: Duration,
    /// When the label was last said.
    said: Duration,
    detected_secs: Option<f64>,
    instant_detected_secs: Option<f64>,
}

/// The account of one model over one recording.
#[derive(Debug, Default)]
pub struct Sequence {
    /// How long nothing may be said of a face that goes on showing what was said.
    unsaid: Duration,
    before: Duration,
    frames: u64,
    frames_with_faces: u64,
    last_seen: BTreeMap<String, Last>,
    face_secs: f64,
    flips: u64,
    instant_flips: u64,
    id_switches: u64,
    open: BTreeMap<String, Segment>,
    closed: Vec<Segment>,
}

impl Sequence {
    /// `sparse`: labels stand for single frames, and the frames between them say nothing. Without
    /// it a frame without a label ends the expression.
    pub fn new(sparse: bool) -> Self {
        let unsaid = if sparse { LONGEST_GAP } else { Duration::ZERO };
        Self { unsaid, ..Self::default() }
    }

    /// Takes the next frame. `stamp` is on the camera's clock.
    pub fn frame(&mut self, stamp: Duration, labels: &FrameLabels, seen: &[Seen]) {
        self.frames += 1;
        self.frames_with_faces += u64::from(!seen.is_empty());
        if self.before.saturating_sub(stamp) > LATE {
            self.start_over();
        }
        self.before = stamp;
        for face in seen {
            self.follow(stamp, face, seen);
        }
        self.follow_labels(stamp, labels, seen);
    }

    /// The camera's clock went back: times before and after cannot be compared.
    fn start_over(&mut self) {
        self.closed.extend(std::mem::take(&mut self.open).into_values());
        for last in self.last_seen.values_mut() {
            (last.stamp, last.is_switched) = (Duration::ZERO, true);
        }
    }

    fn follow(&mut self, stamp: Duration, face: &Seen, seen: &[Seen]) {
        let now = Last {
            stamp,
            roi: face.roi_in_image,
            label: face.label,
            instant_label: face.instant_probabilities.top(),
            is_switched: false,
        };
        match self.last_seen.get(&face.face_id) {
            Some(before) => {
                let gap = stamp.saturating_sub(before.stamp);
                if gap <= LONGEST_GAP {
                    self.face_secs += gap.as_secs_f64();
                    self.flips += u64::from(before.label != now.label);
                    self.instant_flips += u64::from(before.instant_label != now.instant_label);
                }
            }
            None => {
                let is_it = |(id, last): &(&String, &mut Last)| {
                    !last.is_switched
                        && stamp.saturating_sub(last.stamp) <= SWITCH_WITHIN
                        && seen.iter().all(|other| other.face_id != **id)
                        && last.roi.iou(&now.roi) >= SWITCH_MIN_IOU
                };
                if let Some((_, last)) = self.last_seen.iter_mut().find(is_it) {
                    last.is_switched = true;
                    self.id_switches += 1;
                }
            }
        }
        self.last_seen.insert(face.face_id.clone(), now);
    }

    fn follow_labels(&mut self, stamp: Duration, labels: &FrameLabels, seen: &[Seen]) {
        // The empty name stands for anyone.
        let anyone = labels.anyone.map(|label| (String::new(), label));
        let own = labels.of_face.iter().filter_map(|(id, label)| Some((id.clone(), (*label)?)));
        let present: BTreeMap<String, Emotion> = own.chain(anyone).collect();
        let unsaid = self.unsaid;
        let ended = |name: &String, segment: &Segment| match present.get(name) {
            Some(label) => *label != segment.label,
            None => unsaid.is_zero() || stamp.saturating_sub(segment.said) > unsaid,
        };
        let ended: Vec<String> =
            self.open.iter().filter(|(n, s)| ended(n, s)).map(|(name, _)| name.clone()).collect();
        self.closed.extend(ended.iter().filter_map(|name| self.open.remove(name)));
        for (name, label) in &present {
            let segment = self.open.entry(name.clone()).or_insert(Segment {
                label: *label,
                onset: stamp,
                said: stamp,
                detected_secs: None,
                instant_detected_secs: None,
            });
            segment.said = stamp;
        }
        for (name, segment) in &mut self.open {
            let is_meant = |face: &&Seen| match name.as_str() {
                "" => labels.of_face.iter().all(|(id, _)| *id != face.face_id),
                id => face.face_id == id,
            };
            let since = stamp.saturating_sub(segment.onset).as_secs_f64();
            for face in seen.iter().filter(is_meant) {
                if face.label == segment.label {
                    segment.detected_secs.get_or_insert(since);
                }
                if face.instant_probabilities.top() == segment.label {
                    segment.instant_detected_secs.get_or_insert(since);
                }
            }
        }
    }

    /// The figures.
    pub fn summary(&self) -> SequenceSummary {
        let segments: Vec<&Segment> = self.closed.iter().chain(self.open.values()).collect();
        let delays = |detected: fn(&Segment) -> Option<f64>| {
            let mut found: Vec<f64> = segments.iter().filter_map(|s| detected(s)).collect();
            found.sort_by(f64::total_cmp);
            Delays {
                detected: found.len(),
                median_secs: median(&found),
                p95_secs: percentile(&found, 95.0),
                mean_secs: mean(&found),
            }
        };
        let per_minute =
            |flips: u64| (self.face_secs > 0.0).then(|| flips as f64 * 60.0 / self.face_secs);
        SequenceSummary {
            frames: self.frames,
            frames_with_faces: self.frames_with_faces,
            face_ids: self.last_seen.len(),
            face_secs: self.face_secs,
            label_flips_per_minute: Flips {
                raw: per_minute(self.instant_flips),
                smoothed: per_minute(self.flips),
            },
            id_switches: self.id_switches,
            onset_to_detection: Onsets {
                segments: segments.len(),
                raw: delays(|segment| segment.instant_detected_secs),
                smoothed: delays(|segment| segment.detected_secs),
            },
        }
    }
}

/// What only a sequence shows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SequenceSummary {
    /// Frames worked on.
    pub frames: u64,
    /// Frames in which there was a face.
    pub frames_with_faces: u64,
    /// Ids that were given.
    pub face_ids: usize,
    /// The time for which faces were in view, all faces added up, in seconds.
    pub face_secs: f64,
    /// How often the label of a face changed, for each minute that it was in view.
    pub label_flips_per_minute: Flips,
    /// Faces that took the place of another id which had just been lost there.
    pub id_switches: u64,
    /// How long it takes until a new expression is reported.
    pub onset_to_detection: Onsets,
}

/// Changes of the label a minute.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Flips {
    /// Of each frame alone.
    pub raw: Option<f64>,
    /// As reported.
    pub smoothed: Option<f64>,
}

/// From the first frame with a new label to the first that is read so. Where labels stand for
/// single frames, a label lasts over frames without one for up to a second.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Onsets {
    /// Times in which a face, or anyone, is labelled alike.
    pub segments: usize,
    /// Of each frame alone.
    pub raw: Delays,
    /// As reported.
    pub smoothed: Delays,
}

/// Delays in seconds; of segments that were never detected there is none.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Delays {
    /// Segments that were detected before they ended.
    pub detected: usize,
    /// Half of them within this: of an even number, the mean of the two in the middle.
    pub median_secs: Option<f64>,
    /// 95 of 100 within this.
    pub p95_secs: Option<f64>,
    /// The mean.
    pub mean_secs: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use rapport_vocabulary::Distribution;

    fn face(id: &str, x: f32, instant: Emotion, label: Emotion) -> Seen {
        let only = |emotion: Emotion| {
            let mut values = [0.0; Emotion::COUNT];
            values[emotion as usize] = 1.0;
            Distribution(values)
        };
        Seen {
            face_id: id.to_owned(),
            roi_in_image: Rect { x, y: 0.0, width: 50.0, height: 50.0 },
            label,
            probabilities: only(label),
            instant_probabilities: only(instant),
        }
    }

    fn anyone(label: Emotion) -> FrameLabels {
        FrameLabels { anyone: Some(label), of_face: vec![] }
    }

    fn of_face_1(label: Option<Emotion>) -> FrameLabels {
        FrameLabels { anyone: None, of_face: vec![("face_1".into(), label)] }
    }

    #[test]
    fn labels_of_single_frames_last_over_frames_without_one() {
        use Emotion::{Happy, Neutral};
        // Ten frames a second; the smile is reported 0.5 s after its first label. Every third frame
        // has a label, and then the face is gone for two seconds.
        let onsets = |sparse| {
            let mut sequence = Sequence::new(sparse);
            for index in (0..30).chain(50..60) {
                let label = match index % 3 {
                    0 => of_face_1(Some(if index < 9 { Neutral } else { Happy })),
                    _ => FrameLabels::default(),
                };
                let reported = if index < 14 { Neutral } else { Happy };
                let stamp = Duration::from_millis(1000 + 100 * index);
                sequence.frame(stamp, &label, &[face("face_1", 0.0, reported, reported)]);
            }
            sequence.summary().onset_to_detection
        };
        let found = onsets(true);
        assert_eq!((found.segments, found.smoothed.detected), (3, 3));
        assert!((found.smoothed.p95_secs.unwrap() - 0.5).abs() < 1e-9, "{found:?}");
        assert_eq!(onsets(false).segments, 13, "each for itself where a gap is an end");
    }

    #[test]
    fn a_clock_that_goes_back_ends_everything_that_was_timed() {
        let mut sequence = Sequence::new(false);
        let seen = |id| [face(id, 0.0, Emotion::Neutral, Emotion::Neutral)];
        let labels = anyone(Emotion::Happy);
        for secs in [1_000, 1_001] {
            sequence.frame(Duration::from_secs(secs), &labels, &seen("face_1"));
        }
        for secs in [1, 2] {
            let smile = [face("face_2", 0.0, Emotion::Happy, Emotion::Happy)];
            sequence.frame(Duration::from_secs(secs), &labels, &smile);
        }
        let summary = sequence.summary();
        assert_eq!((summary.id_switches, summary.face_ids), (0, 2));
        assert!((summary.face_secs - 2.0).abs() < 1e-9, "{summary:?}");
        let onsets = summary.onset_to_detection;
        assert_eq!((onsets.segments, onsets.smoothed.detected), (2, 1));
    }

    #[test]
    fn a_face_whose_labels_contradict_each_other_is_not_anyone() {
        let mut labels = of_face_1(None);
        labels.anyone = Some(Emotion::Neutral);
        assert_eq!(labels.of("face_1"), None);
        assert_eq!(labels.of("face_2"), Some(Emotion::Neutral));
    }

    #[test]
    fn flips_delays_and_switches_are_counted() {
        use Emotion::{Happy, Neutral, Sad};
        let mut sequence = Sequence::default();
        // A smile begins in frame 3, is seen at once and reported in frame 6; frame 1 flickers.
        let instant =
            [Neutral, Sad, Neutral, Happy, Happy, Happy, Happy, Happy, Happy, Happy, Happy];
        for (index, &instant) in instant.iter().enumerate() {
            let truth = if index < 3 { Neutral } else { Happy };
            let label = if index < 6 { Neutral } else { Happy };
            // In frame 9 the face gets another id.
            let id = if index < 9 { "face_1" } else { "face_2" };
            let stamp = Duration::from_millis(100 * index as u64);
            sequence.frame(stamp, &anyone(truth), &[face(id, index as f32, instant, label)]);
        }
        let summary = sequence.summary();
        assert_eq!((summary.frames, summary.frames_with_faces, summary.face_ids), (11, 11, 2));
        assert_eq!(summary.id_switches, 1);
        // In view for 0.8 s and 0.1 s.
        assert!((summary.face_secs - 0.9).abs() < 1e-9, "{summary:?}");
        let flips = summary.label_flips_per_minute;
        assert!((flips.raw.unwrap() - 3.0 * 60.0 / 0.9).abs() < 1e-6, "{flips:?}");
        assert!((flips.smoothed.unwrap() - 60.0 / 0.9).abs() < 1e-6, "{flips:?}");
        let onsets = summary.onset_to_detection;
        assert_eq!((onsets.segments, onsets.raw.detected, onsets.smoothed.detected), (2, 2, 2));
        assert_eq!(onsets.raw.p95_secs, Some(0.0));
        assert!((onsets.smoothed.p95_secs.unwrap() - 0.3).abs() < 1e-9, "{onsets:?}");
    }

    #[test]
    fn a_label_for_one_face_is_not_met_by_another() {
        let mut sequence = Sequence::default();
        let labels = of_face_1(Some(Emotion::Sad));
        let other = face("face_2", 0.0, Emotion::Sad, Emotion::Sad);
        sequence.frame(Duration::from_secs(1), &labels, &[other]);
        let onsets = sequence.summary().onset_to_detection;
        assert_eq!((onsets.segments, onsets.smoothed.detected), (1, 0));
        assert_eq!(onsets.smoothed.median_secs, None);
    }
}
