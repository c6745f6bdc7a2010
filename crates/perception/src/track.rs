//! Following faces from image to image, so that a person keeps one id while in view.

use std::time::Duration;

use crate::detect::{Face, SAME_FACE};
use crate::geometry::{Point, Rect};

/// Extent added to boxes before they are compared, as a share of their own. Two boxes of a person
/// who moves fast, or is seen seldom, overlap only with it (the buffered IoU of Yang et al., "Hard
/// to Track Objects with Irregular Motions and Similar Appearances?", WACV 2023).
const BUFFER: f32 = 0.5;

/// The least overlap of the enlarged boxes of one person in two images.
const MIN_BUFFERED_IOU: f32 = 0.15;

/// For how long a missed face is assumed to move on as before.
const COAST_SECS: f32 = 0.25;

/// A face that the image before showed may be found again in the next one, whatever `hold` is: it
/// was not missed, the camera is slow. But not after longer than this, nor after more than
/// [`STALL`] times the interval before: then it may be anybody.
const LONGEST_INTERVAL: Duration = Duration::from_secs(5);

/// How many times the interval before makes a camera that stalled.
const STALL: u32 = 3;

/// The least time between two images that says anything about speed: a camera that hands over what
/// it had buffered stamps images microseconds apart.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(5);

/// Where stamps stand still, as a camera's that sets whole seconds or the same one always, a
/// missed face is held for so many images.
const HELD_IMAGES: u64 = 30;

/// How many searches in a row may miss a face that is followed, before it counts as lost: what is
/// followed looks like a face, but no search takes it for one.
const MOST_SEARCHES_MISSED: u32 = 1;

/// How faces are followed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrackOptions {
    /// For how long a face may be missed and still keep its id.
    pub hold: Duration,
    /// How many searches must find a face before it is reported: 1 for still pictures, 2 against finds
    /// of a single image.
    pub confirm_hits: u32,
}

impl Default for TrackOptions {
    fn default() -> Self {
        Self { hold: Duration::from_secs(1), confirm_hits: 2 }
    }
}

/// Identifies a face while it stays in view; not persistent, never used twice by one tracker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FaceId(u64);

/// Marks ids that are shown as letters.
const IN_LETTERS: u64 = 1 << 63;

/// How many ids of five letters there are.
const LETTER_IDS: u64 = 26u64.pow(5);

/// From one id of letters to the next, so that they look like chance. It has no factor in common
/// with their number: each comes once before any comes again.
const LETTER_STEP: u64 = 7_368_787;

impl FaceId {
    /// The first of a series of ids of five letters, which look like chance, as REP-155 asks;
    /// `start` says where the series begins. It repeats after 11,881,376 ids.
    pub fn in_letters(start: u64) -> Self {
        Self(IN_LETTERS | (start % LETTER_IDS))
    }

    /// Whether it is shown as letters, and not as a number.
    pub fn is_in_letters(self) -> bool {
        self.0 & IN_LETTERS != 0
    }
}

impl std::fmt::Display for FaceId {
    /// `face_1`, or five letters. A letter comes first, as REP-155 asks.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.is_in_letters() {
            return write!(f, "face_{}", self.0);
        }
        let mut rest = (self.0 & !IN_LETTERS) % LETTER_IDS * LETTER_STEP % LETTER_IDS;
        for _ in 0..5 {
            write!(f, "{}", char::from(b'a' + (rest % 26) as u8))?;
            rest /= 26;
        }
        Ok(())
    }
}

/// A face of the present image with its id.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrackedFace {
    /// Who it is, for as long as they stay.
    pub id: FaceId,
    /// Where it is.
    pub face: Face,
    /// The time of the image in which it was first found.
    pub first_seen: Duration,
}

#[derive(Debug)]
struct Track {
    id: FaceId,
    face: Face,
    first_seen: Duration,
    last_seen: Duration,
    /// The number of the image that showed it last.
    last_image: u64,
    /// How many searches found it.
    hits: u32,
    /// How many searches in a row did not find it, while it was followed.
    searches_missed: u32,
    /// Pixels a second.
    velocity: Point,
}

/// Gives faces their ids.
#[derive(Debug)]
pub struct Tracker {
    options: TrackOptions,
    tracks: Vec<Track>,
    next_id: u64,
    last_stamp: Duration,
    /// Between the last two images; nothing before the second.
    interval: Option<Duration>,
    /// How many images there were.
    images: u64,
}

impl Tracker {
    /// A tracker that has seen nobody.
    pub fn new(options: TrackOptions) -> Self {
        Self {
            options,
            tracks: Vec::new(),
            next_id: 1,
            last_stamp: Duration::ZERO,
            interval: None,
            images: 0,
        }
    }

    /// The id that the next new face gets.
    pub fn next_id(&self) -> FaceId {
        FaceId(self.next_id)
    }

    /// Gives new faces ids from this one on, so that nobody gets one of a tracker before.
    pub fn count_on_from(&mut self, next: FaceId) {
        self.next_id = self.next_id.max(next.0);
    }

    /// Goes on with other options.
    pub fn set_options(&mut self, options: TrackOptions) {
        self.options = options;
    }

    /// Takes the faces that a search found in the next image and returns those that are confirmed,
    /// longest known first. `stamp` is the image's own time; if it lies before the last one (a clock
    /// set back, a recording started again), all tracks are reset.
    pub fn update(&mut self, faces: &[Face], stamp: Duration) -> Vec<TrackedFace> {
        self.begin_image(stamp);
        let image = self.images;
        let mut free: Vec<Option<&Face>> = faces.iter().map(Some).collect();
        for (track, face) in self.pairs(faces, stamp) {
            if let (Some(track), Some(slot)) = (self.tracks.get_mut(track), free.get_mut(face))
                && let Some(face) = slot.take()
            {
                track.follow(face, stamp, image);
                track.hits = track.hits.saturating_add(1);
                track.searches_missed = 0;
            }
        }
        for face in free.into_iter().flatten() {
            let id = FaceId(self.next_id);
            self.next_id += 1;
            let velocity = Point { x: 0.0, y: 0.0 };
            self.tracks.push(Track {
                id,
                face: *face,
                first_seen: stamp,
                last_seen: stamp,
                last_image: image,
                hits: 1,
                searches_missed: 0,
                velocity,
            });
        }
        self.confirmed()
    }

    /// Where the faces of the last image are expected at `stamp`, in an image that is not searched.
    pub fn expected(&self, stamp: Duration) -> Vec<(FaceId, Face)> {
        let seen_last = self.tracks.iter().filter(|track| track.last_image == self.images);
        seen_last.map(|track| (track.id, track.expected(stamp))).collect()
    }

    /// Takes where expected faces were found in the next image, without a search of it, and returns
    /// those that are confirmed. Being followed confirms nobody.
    pub fn follow(
        &mut self,
        found: impl IntoIterator<Item = (FaceId, Face)>,
        stamp: Duration,
    ) -> Vec<TrackedFace> {
        self.begin_image(stamp);
        for (id, face) in found {
            self.keep(id, &face, stamp);
        }
        self.confirmed()
    }

    /// The confirmed faces of the image before that the search of this one did not find, and where
    /// they are expected: only so many searches in a row may miss a face that is followed.
    pub fn missed_by_search(&mut self, stamp: Duration) -> Vec<(FaceId, Face)> {
        let (image, confirm_hits) = (self.images, self.options.confirm_hits);
        let mut missed = Vec::new();
        for track in &mut self.tracks {
            if track.last_image + 1 == image && track.hits >= confirm_hits {
                track.searches_missed += 1;
                if track.searches_missed <= MOST_SEARCHES_MISSED {
                    missed.push((track.id, track.expected(stamp)));
                }
            }
        }
        missed
    }

    /// Adds faces that were followed in an image whose search had missed them, and returns all that
    /// are confirmed.
    pub fn add_followed(
        &mut self,
        found: impl IntoIterator<Item = (FaceId, Face)>,
        stamp: Duration,
    ) -> Vec<TrackedFace> {
        for (id, face) in found {
            let taken = self.tracks.iter().any(|track| {
                track.last_image == self.images
                    && track.face.roi_in_image.iou(&face.roi_in_image) > SAME_FACE
            });
            if !taken {
                self.keep(id, &face, stamp);
            }
        }
        self.confirmed()
    }

    /// Whether the last image showed nobody.
    pub fn is_empty(&self) -> bool {
        self.tracks.iter().all(|track| track.last_image != self.images)
    }

    /// Whether a face of this image still needs searches before it is reported.
    pub fn has_unconfirmed(&self) -> bool {
        let (image, least) = (self.images, self.options.confirm_hits);
        self.tracks.iter().any(|track| track.last_image == image && track.hits < least)
    }

    /// Whether a confirmed face was not seen in this image and may come back.
    pub fn misses_somebody(&self) -> bool {
        let (image, least) = (self.images, self.options.confirm_hits);
        self.tracks.iter().any(|track| track.last_image != image && track.hits >= least)
    }

    fn keep(&mut self, id: FaceId, face: &Face, stamp: Duration) {
        let image = self.images;
        if let Some(track) = self.tracks.iter_mut().find(|track| track.id == id) {
            track.follow(face, stamp, image);
        }
    }

    fn begin_image(&mut self, stamp: Duration) {
        if stamp < self.last_stamp {
            self.tracks.clear();
        }
        let stands_still = stamp == self.last_stamp;
        let slowest = self.interval.map_or(LONGEST_INTERVAL, |interval| {
            interval.saturating_mul(STALL).min(LONGEST_INTERVAL)
        });
        if self.images > 0 {
            self.interval = Some(stamp.saturating_sub(self.last_stamp));
        }
        self.last_stamp = stamp;
        self.images += 1;
        let (hold, image) = (self.options.hold, self.images);
        self.tracks.retain(|track| {
            let away = stamp.saturating_sub(track.last_seen);
            let images_away = image - track.last_image;
            let not_missed = images_away == 1 && away <= slowest;
            not_missed || (away <= hold && !(stands_still && images_away > HELD_IMAGES))
        });
    }

    fn confirmed(&self) -> Vec<TrackedFace> {
        let image = self.images;
        let confirmed =
            |track: &&Track| track.last_image == image && track.hits >= self.options.confirm_hits;
        let faces = self.tracks.iter().filter(confirmed);
        faces
            .map(|track| TrackedFace {
                id: track.id,
                face: track.face,
                first_seen: track.first_seen,
            })
            .collect()
    }

    /// Whether a face is in view or missed for so short a time that it may come back.
    pub fn knows(&self, id: FaceId) -> bool {
        self.tracks.iter().any(|track| track.id == id)
    }

    /// Which track goes with which face, by index: confirmed tracks first, so that a double of a
    /// person takes nothing from them, then the best overlapping pairs; each track and face once.
    fn pairs(&self, faces: &[Face], stamp: Duration) -> Vec<(usize, usize)> {
        let mut overlaps = Vec::new();
        for (track_index, track) in self.tracks.iter().enumerate() {
            let expected = buffered(&track.expected(stamp).roi_in_image);
            let is_confirmed = track.hits >= self.options.confirm_hits;
            for (face_index, face) in faces.iter().enumerate() {
                let overlap = expected.iou(&buffered(&face.roi_in_image));
                if overlap >= MIN_BUFFERED_IOU {
                    overlaps.push((is_confirmed, overlap, track_index, face_index));
                }
            }
        }
        overlaps.sort_by(|a, b| b.0.cmp(&a.0).then(b.1.total_cmp(&a.1)));
        let mut pairs: Vec<(usize, usize)> = Vec::new();
        for (_, _, track, face) in overlaps {
            if pairs.iter().all(|&(t, f)| t != track && f != face) {
                pairs.push((track, face));
            }
        }
        pairs
    }
}

impl Track {
    /// Where the face would be if it moved on as before.
    fn expected(&self, stamp: Duration) -> Face {
        let secs = stamp.saturating_sub(self.last_seen).as_secs_f32().min(COAST_SECS);
        let (dx, dy) = (self.velocity.x * secs, self.velocity.y * secs);
        Face {
            roi_in_image: self.face.roi_in_image.shifted(dx, dy),
            landmarks: self.face.landmarks.map(|p| Point { x: p.x + dx, y: p.y + dy }),
            ..self.face
        }
    }

    fn follow(&mut self, face: &Face, stamp: Duration, image: u64) {
        let interval = stamp.saturating_sub(self.last_seen);
        if interval >= SHORTEST_INTERVAL {
            let secs = interval.as_secs_f32();
            let (from, to) = (self.face.roi_in_image.center(), face.roi_in_image.center());
            // Halfway to the newest value: boxes tremble by a pixel or two.
            self.velocity.x += 0.5 * ((to.x - from.x) / secs - self.velocity.x);
            self.velocity.y += 0.5 * ((to.y - from.y) / secs - self.velocity.y);
        }
        self.face = *face;
        self.last_seen = stamp;
        self.last_image = image;
    }
}

fn buffered(roi: &Rect) -> Rect {
    let (dx, dy) = (roi.width * BUFFER, roi.height * BUFFER);
    Rect {
        x: roi.x - dx / 2.0,
        y: roi.y - dy / 2.0,
        width: roi.width + dx,
        height: roi.height + dy,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(x: f32) -> Face {
        Face {
            roi_in_image: Rect { x, y: 50.0, width: 60.0, height: 80.0 },
            probability: 1.0,
            score: 0.9,
            landmarks: [Point { x, y: 50.0 }; 5],
        }
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn tracker(confirm_hits: u32) -> Tracker {
        Tracker::new(TrackOptions { confirm_hits, ..TrackOptions::default() })
    }

    fn ids(tracked: &[TrackedFace]) -> Vec<String> {
        tracked.iter().map(|t| t.id.to_string()).collect()
    }

    #[test]
    fn ids_of_letters_are_short_and_each_comes_once() {
        let mut tracker = Tracker::new(TrackOptions::default());
        assert_eq!(tracker.next_id().to_string(), "face_1");
        tracker.count_on_from(FaceId::in_letters(u64::MAX));
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..20_000 {
            let id = tracker.next_id().to_string();
            assert!(id.len() == 5 && id.bytes().all(|b| b.is_ascii_lowercase()), "{id}");
            assert!(seen.insert(id));
            tracker.next_id += 1;
        }
    }

    #[test]
    fn a_face_is_reported_once_confirmed_and_keeps_its_id_through_a_short_miss() {
        let mut tracker = tracker(2);
        assert!(tracker.update(&[at(0.0)], ms(0)).is_empty());
        assert_eq!(ids(&tracker.update(&[at(3.0)], ms(33))), ["face_1"]);
        assert!(tracker.update(&[], ms(66)).is_empty());
        assert_eq!(ids(&tracker.update(&[at(9.0)], ms(900))), ["face_1"]);
    }

    #[test]
    fn a_face_that_was_away_too_long_is_new() {
        let mut tracker = tracker(1);
        tracker.update(&[at(0.0)], ms(0));
        tracker.update(&[], ms(550));
        assert_eq!(ids(&tracker.update(&[at(0.0)], ms(1100))), ["face_2"]);
    }

    #[test]
    fn a_slow_camera_has_missed_nobody() {
        // An image every two seconds, held for one; and one that holds nobody.
        for hold in [Duration::from_secs(1), Duration::ZERO] {
            let mut tracker = Tracker::new(TrackOptions { hold, confirm_hits: 2 });
            let found: Vec<_> =
                (0..4).map(|i| ids(&tracker.update(&[at(i as f32)], ms(i * 2000)))).collect();
            assert!(found[1..].iter().all(|ids| ids == &["face_1"]), "{found:?}");
            // After a minute without images it may be anybody.
            assert!(tracker.update(&[at(4.0)], ms(66_000)).is_empty());
        }
    }

    #[test]
    fn a_camera_that_stalled_may_show_anybody() {
        let mut tracker = tracker(1);
        for i in 0..10 {
            assert_eq!(ids(&tracker.update(&[at(0.0)], ms(i * 33))), ["face_1"]);
        }
        // Held for a second, and four passed.
        assert_eq!(ids(&tracker.update(&[at(0.0)], ms(4300))), ["face_2"]);
    }

    #[test]
    fn a_double_takes_nothing_from_a_person_who_is_known() {
        let mut tracker = tracker(2);
        tracker.update(&[at(0.0)], ms(0));
        tracker.update(&[at(0.0)], ms(33));
        // A second find of the same face, and then one between both, nearer to the second.
        assert_eq!(ids(&tracker.update(&[at(0.0), at(30.0)], ms(66))), ["face_1"]);
        assert_eq!(ids(&tracker.update(&[at(25.0)], ms(99))), ["face_1"]);
    }

    #[test]
    fn stamps_that_stand_still_keep_nobody_who_left() {
        let mut tracker = tracker(1);
        assert_eq!(ids(&tracker.update(&[at(0.0), at(300.0)], ms(7))), ["face_1", "face_2"]);
        for _ in 0..HELD_IMAGES {
            assert_eq!(ids(&tracker.update(&[at(0.0)], ms(7))), ["face_1"]);
        }
        assert!(tracker.knows(FaceId(2)));
        assert_eq!(ids(&tracker.update(&[at(0.0)], ms(7))), ["face_1"]);
        assert!(!tracker.knows(FaceId(2)));
    }

    #[test]
    fn images_handed_over_at_once_tell_no_speed() {
        let mut tracker = tracker(1);
        let us = Duration::from_micros;
        let stamps = [us(0), us(33_000), us(33_010), us(66_000), us(99_000)];
        for (i, stamp) in stamps.into_iter().enumerate() {
            assert_eq!(ids(&tracker.update(&[at(i as f32 * 2.0)], stamp)), ["face_1"]);
        }
    }

    #[test]
    fn ids_go_on_from_another_tracker() {
        let mut before = tracker(1);
        before.update(&[at(0.0)], ms(0));
        let mut tracker = tracker(1);
        tracker.count_on_from(before.next_id());
        assert_eq!(ids(&tracker.update(&[at(0.0)], ms(0))), ["face_2"]);
    }

    #[test]
    fn two_people_who_cross_keep_their_ids() {
        let mut tracker = tracker(1);
        // 600 px a second towards each other, past each other.
        for frame in 0..30 {
            let shift = frame as f32 * 20.0;
            let faces = [at(shift), at(590.0 - shift)];
            let tracked = tracker.update(&faces, ms(frame * 33));
            for track in &tracked {
                let moving_right = track.id == FaceId(1);
                let expected = if moving_right { shift } else { 590.0 - shift };
                assert_eq!(track.face.roi_in_image.x, expected, "frame {frame}");
            }
        }
    }

    #[test]
    fn a_fast_face_seen_seldom_is_followed() {
        let mut tracker = tracker(1);
        // 5 images a second, 60 px (its own width) from one to the next.
        let found: Vec<_> =
            (0..6).map(|i| ids(&tracker.update(&[at(i as f32 * 60.0)], ms(i * 200)))).collect();
        assert!(found.iter().all(|ids| ids == &["face_1"]), "{found:?}");
    }

    #[test]
    fn time_that_jumps_back_starts_anew() {
        let mut tracker = tracker(1);
        tracker.update(&[at(0.0)], ms(50_000));
        assert_eq!(ids(&tracker.update(&[at(0.0)], ms(10))), ["face_2"]);
        assert!(!tracker.knows(FaceId(1)));
    }
}
