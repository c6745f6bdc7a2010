//! What only a sequence shows: flicker, delay, and tracks that are lost and begin anew.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::labels::FrameLabels;
use crate::seen::Seen;
use rapport_perception::geometry::Rect;
use rapport_vocabulary::{Emotion, ImageTime, mean, median, percentile};

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
    /// The image's time; nothing where the clock was set back since then.
    time: Option<Duration>,
    roi: Rect,
    label: Emotion,
    instant_label: Emotion,
    is_switched: bool,
}

impl Last {
    /// How much time passed since then, where it can be compared.
    fn gap(&self, now: Duration) -> Option<Duration> {
        Some(now.saturating_sub(self.time?))
    }
}

/// A time in which one face, or anyone, is labelled alike.
#[derive(Debug, Clone)]
struct Segment {
    label: Emotion,
    /// What its first frame belongs to.
    unit: u32,
    onset: Duration,
    /// When a label last said so.
    labelled: Duration,
    detected_secs: Option<f64>,
    instant_detected_secs: Option<f64>,
}

/// Follows one model over one recording.
///
/// Times are those of [`ImageClock`](rapport_vocabulary::ImageClock), as perception has them: they
/// go on where stamps stand still or count whole seconds.
#[derive(Debug, Default)]
pub struct Sequence {
    /// How long a label of a single frame lasts over frames without one.
    lasts: Duration,
    /// Track ids of the recordings before this one.
    earlier_ids: usize,
    frames: u64,
    frames_with_faces: u64,
    last_seen: BTreeMap<String, Last>,
    face_secs: f64,
    flips: u64,
    instant_flips: u64,
    id_switches: u64,
    open: BTreeMap<String, Segment>,
    closed: Vec<Segment>,
    /// What the present frame belongs to.
    unit: u32,
}

impl Sequence {
    /// `sparse`: labels stand for single frames, and the frames between them say nothing. Without
    /// it a frame without a label ends the expression.
    pub fn new(sparse: bool) -> Self {
        let lasts = if sparse { LONGEST_GAP } else { Duration::ZERO };
        Self { lasts, ..Self::default() }
    }

    /// Goes on with another recording, in which nobody is known. `sparse`: as for [`Self::new`].
    pub fn next_recording(&mut self, sparse: bool) {
        self.start_over();
        self.earlier_ids += std::mem::take(&mut self.last_seen).len();
        self.lasts = Self::new(sparse).lasts;
    }

    /// Says what the next frames belong to; see [`Item`](crate::items::Item).
    pub fn enter(&mut self, unit: u32) {
        self.unit = unit;
    }

    /// What was counted so far.
    pub fn counts(&self) -> SequenceCounts {
        let Self { face_secs, flips, instant_flips, .. } = *self;
        SequenceCounts { face_secs, flips, instant_flips }
    }

    /// How long each labelled expression took to be detected.
    pub fn delays(&self) -> Vec<Delay> {
        let segments = self.closed.iter().chain(self.open.values());
        segments.map(|s| Delay { unit: s.unit, detected_secs: s.detected_secs }).collect()
    }

    /// Takes the next frame, in order.
    pub fn frame(&mut self, at: ImageTime, labels: &FrameLabels, seen: &[Seen]) {
        self.frames += 1;
        self.frames_with_faces += u64::from(!seen.is_empty());
        if at.set_back.is_some() {
            self.start_over();
        }
        for face in seen {
            self.follow(at.time, face, seen);
        }
        self.follow_labels(at.time, labels, seen);
    }

    /// The clock went back: times before and after cannot be compared.
    fn start_over(&mut self) {
        self.closed.extend(std::mem::take(&mut self.open).into_values());
        self.last_seen.values_mut().for_each(|last| last.time = None);
    }

    fn follow(&mut self, time: Duration, face: &Seen, seen: &[Seen]) {
        let now = Last {
            time: Some(time),
            roi: face.roi_in_image,
            label: face.label,
            instant_label: face.instant_label,
            is_switched: false,
        };
        match self.last_seen.get(&face.face_id) {
            Some(before) => {
                if let Some(gap) = before.gap(time).filter(|gap| *gap <= LONGEST_GAP) {
                    self.face_secs += gap.as_secs_f64();
                    self.flips += u64::from(before.label != now.label);
                    self.instant_flips += u64::from(before.instant_label != now.instant_label);
                }
            }
            None => {
                let is_it = |(id, last): &(&String, &mut Last)| {
                    !last.is_switched
                        && last.gap(time).is_some_and(|gap| gap <= SWITCH_WITHIN)
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

    fn follow_labels(&mut self, time: Duration, labels: &FrameLabels, seen: &[Seen]) {
        // The empty name stands for anyone.
        let anyone = labels.anyone.map(|label| (String::new(), label));
        let own = labels.of_face.iter().filter_map(|(id, label)| Some((id.clone(), (*label)?)));
        let present: BTreeMap<String, Emotion> = own.chain(anyone).collect();
        let (lasts, unit) = (self.lasts, self.unit);
        let ended = |name: &String, segment: &Segment| match present.get(name) {
            Some(label) => *label != segment.label,
            None => lasts.is_zero() || time.saturating_sub(segment.labelled) > lasts,
        };
        let ended: Vec<String> =
            self.open.iter().filter(|(n, s)| ended(n, s)).map(|(name, _)| name.clone()).collect();
        self.closed.extend(ended.iter().filter_map(|name| self.open.remove(name)));
        for (name, label) in &present {
            let segment = self.open.entry(name.clone()).or_insert(Segment {
                label: *label,
                unit,
                onset: time,
                labelled: time,
                detected_secs: None,
                instant_detected_secs: None,
            });
            segment.labelled = time;
        }
        for (name, segment) in &mut self.open {
            let is_meant = |face: &&Seen| match name.as_str() {
                "" => labels.of_face.iter().all(|(id, _)| *id != face.face_id),
                id => face.face_id == id,
            };
            let since = time.saturating_sub(segment.onset).as_secs_f64();
            for face in seen.iter().filter(is_meant) {
                if face.label == segment.label {
                    segment.detected_secs.get_or_insert(since);
                }
                if face.instant_label == segment.label {
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
            face_ids: self.earlier_ids + self.last_seen.len(),
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

/// What a sequence counted up to some frame.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct SequenceCounts {
    /// The time for which faces were in view, in seconds.
    pub face_secs: f64,
    /// Changes of the label as reported.
    pub flips: u64,
    /// Changes of the label of each frame alone.
    pub instant_flips: u64,
}

/// How long a labelled expression took to be detected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Delay {
    /// What its first frame belongs to.
    pub unit: u32,
    /// Seconds from its first frame; `None` where it was not detected.
    pub detected_secs: Option<f64>,
}

/// What only a sequence shows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SequenceSummary {
    /// Frames processed.
    pub frames: u64,
    /// Frames in which there was a face.
    pub frames_with_faces: u64,
    /// How many track ids there were.
    pub face_ids: usize,
    /// The time for which faces were in view, summed over all faces, in seconds.
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
    use rapport_vocabulary::{Distribution, ImageClock};

    fn face(id: &str, x: f32, instant: Emotion, label: Emotion) -> Seen {
        let only = |emotion: Emotion| Distribution::of_pairs([(emotion, 1.0)]);
        Seen {
            face_id: id.to_owned(),
            roi_in_image: Rect { x, y: 0.0, width: 50.0, height: 50.0 },
            label,
            instant_label: instant,
            sure: true,
            probabilities: only(label),
            instant_probabilities: only(instant),
            details: None,
        }
    }

    fn at_ms(ms: u64) -> ImageTime {
        ImageTime { time: Duration::from_millis(ms), set_back: None }
    }

    fn anyone(label: Emotion) -> FrameLabels {
        FrameLabels { anyone: Some(label), ..FrameLabels::default() }
    }

    fn of_face_1(label: Option<Emotion>) -> FrameLabels {
        FrameLabels { of_face: vec![("face_1".into(), label)], ..FrameLabels::default() }
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
                sequence.frame(
                    at_ms(1000 + 100 * index),
                    &label,
                    &[face("face_1", 0.0, reported, reported)],
                );
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
        // Half a second before and after: without the break it would look like one second.
        for before_ms in [1_000_000, 500] {
            let (mut sequence, mut clock) = (Sequence::new(false), ImageClock::default());
            let labels = anyone(Emotion::Happy);
            let stamps = [(before_ms, "face_1"), (before_ms + 1000, "face_1"), (1, "face_2")];
            for (index, (stamp_ms, id)) in stamps.into_iter().chain([(1001, "face_2")]).enumerate()
            {
                let label = if index < 2 { Emotion::Neutral } else { Emotion::Happy };
                let time = clock
                    .time(Some(Duration::from_millis(stamp_ms)), Duration::from_secs(index as u64));
                sequence.frame(time, &labels, &[face(id, 0.0, label, label)]);
            }
            let summary = sequence.summary();
            assert_eq!((summary.id_switches, summary.face_ids), (0, 2));
            assert!((summary.face_secs - 2.0).abs() < 1e-9, "{summary:?}");
            let onsets = summary.onset_to_detection;
            assert_eq!((onsets.segments, onsets.smoothed.detected), (2, 1));
        }
    }

    /// Ten frames a second: the label changes in frame 12, the report of it comes 0.3 s later.
    fn with_stamps(stamp_ms: impl Fn(u64) -> u64) -> SequenceSummary {
        use Emotion::{Happy, Neutral};
        let (mut sequence, mut clock) = (Sequence::default(), ImageClock::default());
        for index in 0..30 {
            let truth = if index < 12 { Neutral } else { Happy };
            let label = if index < 15 { Neutral } else { Happy };
            let stamp = Duration::from_millis(stamp_ms(index));
            let time = clock.time(Some(stamp), Duration::from_millis(50 + 100 * index));
            sequence.frame(time, &anyone(truth), &[face("face_1", 0.0, truth, label)]);
        }
        sequence.summary()
    }

    #[test]
    fn stamps_that_stand_still_or_count_whole_seconds_give_the_same_figures() {
        let expected = with_stamps(|index| 7000 + 100 * index);
        let onset = expected.onset_to_detection.smoothed.p95_secs.unwrap();
        assert!((onset - 0.3).abs() < 1e-9, "{expected:?}");
        for stamp_ms in [|_| 7000, |index| 7000 + index / 10 * 1000] as [fn(u64) -> u64; 2] {
            let found = with_stamps(stamp_ms);
            let close = |a: Option<f64>, b: Option<f64>| (a.unwrap() - b.unwrap()).abs() < 1e-6;
            assert!((found.face_secs - 2.9).abs() < 1e-6, "{found:?}");
            let (flips, expected_flips) =
                (found.label_flips_per_minute, expected.label_flips_per_minute);
            assert!(close(flips.smoothed, expected_flips.smoothed), "{found:?}");
            let onsets = &found.onset_to_detection;
            assert!(close(onsets.smoothed.p95_secs, Some(onset)), "{found:?}");
        }
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
            let at = at_ms(100 * index as u64);
            sequence.frame(at, &anyone(truth), &[face(id, index as f32, instant, label)]);
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
        sequence.frame(at_ms(1000), &labels, &[other]);
        let onsets = sequence.summary().onset_to_detection;
        assert_eq!((onsets.segments, onsets.smoothed.detected), (1, 0));
        assert_eq!(onsets.smoothed.median_secs, None);
    }
}
