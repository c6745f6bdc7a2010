//! The memory of one camera, and the one path from a frame to the people in it. The live node, the
//! commands, the tests and the benches all go through [`Session::process`].

use std::sync::Arc;
use std::time::{Duration, Instant};

use ndarray::Axis;
use rapport_vocabulary::{
    Affect, Distribution, Emotion, Engagement, ImageClock, ImageStamp, ImageTime,
};

use crate::attention::{Attention, AttentionOptions, Candidate};
use crate::detect::{DetectOptions, Detector, Face, SAME_FACE};
use crate::events::{Events, PersonEvent};
use crate::explain::Explanation;
use crate::frame::Frame;
use crate::networks::Networks;
use crate::onnx::ModelError;
use crate::pose::{Facing, Head, HeadPose, PoseOptions, Poses};
use crate::rates::{Classified, RateOptions, Searches, Turns};
use crate::smooth::{SmoothOptions, Smoother};
use crate::track::{FaceId, TrackOptions, TrackedFace, Tracker};

/// Least [`Face::probability`] at which a label may be called sure. Of faces whose mouth a mask
/// covers, most have less; of those that are wholly seen, hardly any ("Covered faces" in
/// `models/onet.md`).
const MIN_SURE_PROBABILITY: f32 = 0.95;

/// How frames are processed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SessionOptions {
    /// How faces are looked for.
    pub detect: DetectOptions,
    /// How faces are followed.
    pub track: TrackOptions,
    /// How distributions are smoothed.
    pub smooth: SmoothOptions,
    /// How often images are searched and faces classified.
    pub rates: RateOptions,
    /// The camera, and how heads are judged.
    pub pose: PoseOptions,
    /// How attention is judged.
    pub attention: AttentionOptions,
    /// Least confidence, 0 to 1, from which any label is called sure ([`Person::sure`]); nothing: as
    /// the model's decision rule has it.
    pub min_confidence: Option<f32>,
}

impl SessionOptions {
    /// For still pictures: a face counts at once, all of a picture up to 1920x1920 is searched, and
    /// each is looked at in full.
    pub fn for_pictures() -> Self {
        let mut options = Self::default();
        options.detect.working_size =
            crate::detect::WorkingSize { width_px: 1920, height_px: 1920 };
        options.track.confirm_hits = 1;
        options.rates = RateOptions::EVERY_IMAGE;
        options.pose.smoothing = Duration::ZERO;
        options
    }
}

/// One person in one frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    /// Stays the same while the person stays in view.
    pub id: FaceId,
    /// Box and landmarks in pixels of the frame.
    pub face: Face,
    /// The time of the frame in which the face was first found.
    pub first_seen: Duration,
    /// Where the head is; nothing where the camera is not known or the landmarks are those of no head.
    pub pose: Option<HeadPose>,
    /// What the head turns to; nothing where the landmarks are those of no head.
    pub facing: Option<Facing>,
    /// Whether the person attends to the camera; nothing where that is unknown.
    pub engagement: Option<Engagement>,
    /// The expression shown, after smoothing.
    pub emotion: Emotion,
    /// The distribution after smoothing.
    pub probabilities: Distribution,
    /// The distribution of one frame alone: the last in which the face was classified.
    pub instant_probabilities: Distribution,
    /// The label of that frame alone, by the same rule.
    pub instant_emotion: Emotion,
    /// How long before this frame the face was classified; zero: in this frame.
    pub distribution_age: Duration,
    /// Valence and arousal: the mean over [`Person::probabilities`].
    pub affect: Affect,
    /// Whether [`Person::confidence`] reaches what the model's decision rule, or
    /// [`SessionOptions::min_confidence`], asks, and the face looks wholly seen and is not turned
    /// farther to the side than [`PoseOptions::max_yaw_deg`]. Where not, the expression is the best
    /// guess and no more.
    pub sure: bool,
}

impl Person {
    /// The smoothed probability of [`Person::emotion`], 0 to 1.
    pub fn confidence(&self) -> f32 {
        self.probabilities.of(self.emotion)
    }
}

/// Where the time of one frame went.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Timings {
    /// Scaling, finding and suppressing overlaps.
    pub detect: Duration,
    /// Confirming faces and finding landmarks.
    pub verify: Duration,
    /// Following and cutting out.
    pub crop: Duration,
    /// Classifying and smoothing.
    pub classify: Duration,
    /// All of it.
    pub total: Duration,
    /// The part of the total spent inside ONNX Runtime.
    pub inference: Duration,
}

/// What a frame showed.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// The confirmed faces, longest known first. In a crowd a new face may come some frames later,
    /// since so many are classified in one frame at most.
    pub people: Vec<Person>,
    /// What is new about people.
    pub events: Vec<PersonEvent>,
    /// Whom to look at: somebody of [`Self::people`] who is near.
    pub look_at: Option<FaceId>,
    /// Whether the frame was searched for faces, and not only followed known ones.
    pub searched: bool,
    /// The time of the frame.
    pub time: ImageTime,
    /// Where the time went.
    pub timings: Timings,
}

/// The memory of one camera, recording or visitor: who is in view, what each showed lately, and the
/// clock of the images. The models are shared.
#[derive(Debug)]
pub struct Session {
    networks: Arc<Networks>,
    options: SessionOptions,
    clock: ImageClock,
    tracker: Tracker,
    searches: Searches,
    turns: Turns,
    smoother: Smoother,
    poses: Poses,
    attention: Attention,
    events: Events,
}

impl Session {
    /// A session that has seen nobody.
    pub fn new(networks: Arc<Networks>, options: SessionOptions) -> Self {
        Self {
            clock: ImageClock::default(),
            tracker: Tracker::new(options.track),
            searches: Searches::default(),
            turns: Turns::default(),
            smoother: Smoother::new(options.smooth),
            poses: Poses::default(),
            attention: Attention::default(),
            events: Events::default(),
            networks,
            options,
        }
    }

    /// The models.
    pub fn networks(&self) -> &Arc<Networks> {
        &self.networks
    }

    /// Goes on with other networks, which must be of the same model files; the people in view stay
    /// known. A program with a set of networks for each of its threads lets any of them process the
    /// next frame.
    pub fn use_networks(&mut self, networks: Arc<Networks>) {
        self.networks = networks;
    }

    /// The id that the next new face gets.
    pub fn next_id(&self) -> FaceId {
        self.tracker.next_id()
    }

    /// Gives new faces ids from this one on, so that nobody gets one of a session before.
    pub fn count_on_from(&mut self, next: FaceId) {
        self.tracker.count_on_from(next);
    }

    /// Whether a face is in view or missed for so short a time that it may come back.
    pub fn knows(&self, id: FaceId) -> bool {
        self.tracker.knows(id)
    }

    /// Finds the people in the next frame. `stamp` is when it was taken and when it arrived.
    ///
    /// # Errors
    /// If a network fails on this frame. If the detector failed, the next frame is processed as if
    /// this one had not been there; if the emotion network did, its faces have been followed.
    pub fn process(
        &mut self,
        frame: &Frame<'_>,
        stamp: ImageStamp,
    ) -> Result<Observation, ModelError> {
        let start = Instant::now();
        let mut clock = self.clock.clone();
        let time = clock.time(stamp.stamp, stamp.arrival);
        let looked = self.look(frame, time.time)?;
        self.clock = clock;
        let found = Instant::now();
        let tracked = looked.faces;
        let ids: Vec<FaceId> = tracked.iter().map(|track| track.id).collect();
        let chosen = self.turns.choose(&ids, time.time, self.options.rates);
        let mut emotion = self.networks.emotion();
        let mut crops = emotion.blank_crops(chosen.len());
        for (&index, crop) in chosen.iter().zip(crops.axis_iter_mut(Axis(0))) {
            emotion.crop(frame, &tracked[index].face, crop);
        }
        let cropped = Instant::now();
        let before = emotion.network().busy();
        let distributions = emotion.classify(crops.view())?;
        let classifying = emotion.network().busy() - before;
        drop(emotion);
        let reading = self.networks.reading();
        for (&index, probabilities) in chosen.iter().zip(distributions) {
            let (id, emotion) = (ids[index], reading.label(&probabilities));
            self.smoother.update(id, &probabilities, time.time, reading);
            self.turns.classified(id, Classified { time: time.time, probabilities, emotion });
        }
        self.find_heads(frame, &tracked, time.time);
        let people: Vec<Person> =
            tracked.iter().filter_map(|track| self.person(track, time.time)).collect();
        let (events, look_at) = self.compare(&people, time.time);
        let classified = Instant::now();
        let timings = Timings {
            detect: (found - start).saturating_sub(looked.confirming),
            verify: looked.confirming,
            crop: cropped - found,
            classify: classified - cropped,
            total: classified - start,
            inference: looked.inference + classifying,
        };
        Ok(Observation { people, events, look_at, searched: looked.searched, time, timings })
    }

    /// Finds where the heads are, and judges who attends.
    fn find_heads(&mut self, frame: &Frame<'_>, tracked: &[TrackedFace], now: Duration) {
        let size = (frame.width_px(), frame.height_px());
        let PoseOptions { smoothing, .. } = self.options.pose;
        let camera = self.options.pose.camera_of(size.0, size.1);
        for track in tracked {
            let seen = Head::of(&track.face.landmarks, camera.as_ref(), size);
            let head = self.poses.update(track.id, seen, now, smoothing);
            self.attention.update(track.id, head.as_ref(), now, &self.options.attention);
        }
    }

    /// What is new, and whom to look at. Forgets who has left.
    fn compare(&mut self, people: &[Person], now: Duration) -> (Vec<PersonEvent>, Option<FaceId>) {
        let Self { tracker, smoother, turns, poses, attention, events, options, .. } = self;
        let known = |id| tracker.knows(id);
        smoother.retain(known);
        turns.retain(known);
        poses.retain(known);
        attention.retain(known);
        let events = events.update(people, known, now, options.attention.near_m);
        let candidate = |person: &Person| {
            Some(Candidate {
                id: person.id,
                distance_m: person.pose?.distance_m(),
                is_engaged: person.engagement == Some(Engagement::Engaged),
            })
        };
        let candidates: Vec<Candidate> = people.iter().filter_map(candidate).collect();
        let look_at = attention.look_at(&candidates, known, now, &options.attention);
        (events, look_at)
    }

    /// The faces of a frame: followed from the one before, or searched for where it is time, or where
    /// following shows that it is.
    fn look(&mut self, frame: &Frame<'_>, time: Duration) -> Result<Looked, ModelError> {
        let rates = self.options.rates;
        let is_empty = self.tracker.is_empty();
        let zones = self.options.detect.ignore_zones.clone();
        let mut is_due = self.searches.begin(frame, time, is_empty, rates, &zones)
            || self.tracker.has_unconfirmed();
        let mut detector = self.networks.detector();
        let before = detector.inference_time();
        let start = Instant::now();
        let mut followed = Vec::new();
        if !is_due {
            let expected = self.tracker.expected(time);
            let asked = expected.len();
            match follow(detector.as_mut(), frame, expected, &self.options.detect)? {
                Some(found) => {
                    // Two that were followed onto one another: a search tells them apart.
                    is_due = found.len() < asked || overlap(&found);
                    followed = found;
                }
                None => is_due = true,
            }
        }
        if !is_due {
            let faces = self.tracker.follow(followed, time);
            let inference = detector.inference_time() - before;
            return Ok(Looked { faces, searched: false, confirming: start.elapsed(), inference });
        }
        let mut confirming = start.elapsed();
        let mut detected = detector.detect(frame, &self.options.detect)?;
        detected.faces.retain(|face| !is_ignored(face, frame, &self.options.detect));
        confirming += detected.confirming;
        let mut faces = self.tracker.update(&detected.faces, time);
        if rates.search_hz > 0.0 {
            let start = Instant::now();
            let missed = self.tracker.missed_by_search(time);
            if !missed.is_empty() {
                let found = follow(detector.as_mut(), frame, missed, &self.options.detect)?;
                faces = self.tracker.add_followed(found.unwrap_or_default(), time);
            }
            confirming += start.elapsed();
            self.searches.searched(time, self.tracker.misses_somebody());
        }
        let inference = detector.inference_time() - before;
        Ok(Looked { faces, searched: true, confirming, inference })
    }

    /// A face of the present frame with what was said of it last; nothing before it was classified.
    fn person(&self, track: &TrackedFace, now: Duration) -> Option<Person> {
        let reading = self.networks.reading();
        let decision = match self.options.min_confidence {
            Some(least) => reading.decision.with_min_confidence(least),
            None => reading.decision,
        };
        let (said, smoothed) = (self.turns.of(track.id)?, self.smoother.last(track.id)?);
        let confidence = smoothed.probabilities.of(smoothed.emotion);
        let head = self.poses.last(track.id, now);
        let facing = head.and_then(|head| head.facing());
        let max_yaw_deg = f64::from(self.options.pose.max_yaw_deg);
        let is_turned_away = facing.is_some_and(|facing| facing.yaw_deg.abs() > max_yaw_deg);
        Some(Person {
            id: track.id,
            face: track.face,
            first_seen: track.first_seen,
            pose: head.and_then(|head| head.pose()),
            facing,
            engagement: self.attention.of(track.id),
            emotion: smoothed.emotion,
            probabilities: smoothed.probabilities,
            instant_probabilities: said.probabilities,
            instant_emotion: said.emotion,
            distribution_age: now.saturating_sub(said.time),
            affect: reading.labels.affect(&smoothed.probabilities),
            sure: decision.is_sure(smoothed.emotion, confidence)
                && track.face.probability >= MIN_SURE_PROBABILITY
                && !is_turned_away,
        })
    }

    /// Which parts of a face spoke for each label, in the crop that [`Self::process`] saw. It runs
    /// the emotion network once more, so that nobody pays for it who does not ask.
    ///
    /// # Errors
    /// If the emotion network fails or gives no evidence maps.
    pub fn explain(&self, frame: &Frame<'_>, face: &Face) -> Result<Explanation, ModelError> {
        let mut emotion = self.networks.emotion();
        let mut crop = emotion.blank_crops(1);
        emotion.crop(frame, face, crop.index_axis_mut(Axis(0), 0));
        let maps = emotion.evidence(crop.view())?;
        let crop_to_image = emotion.crop_to_image(face);
        Ok(Explanation { maps, crop_to_image, crop_side_px: emotion.side_px() })
    }

    /// How frames are processed.
    pub fn options(&self) -> &SessionOptions {
        &self.options
    }

    /// Says that nobody is in view any more, where no further frame tells. Whoever is seen next appears
    /// anew.
    pub fn everybody_left(&mut self) -> Vec<PersonEvent> {
        self.events.all_lost()
    }

    /// Goes on with other options; the people in view stay known.
    pub fn set_options(&mut self, options: SessionOptions) {
        self.tracker.set_options(options.track);
        self.smoother.set_options(options.smooth);
        self.options = options;
    }

    /// Resets all tracks and the clock, as for a new recording or an unrelated picture. Ids begin
    /// anew.
    pub fn reset(&mut self) {
        *self = Self::new(self.networks.clone(), self.options.clone());
    }

    /// Resets all tracks, as after a time in which nothing was looked at. Ids and the clock go on.
    pub fn reset_tracks(&mut self) {
        let next = self.next_id();
        self.tracker = Tracker::new(self.options.track);
        self.searches = Searches::default();
        self.turns = Turns::default();
        self.smoother = Smoother::new(self.options.smooth);
        self.poses = Poses::default();
        self.attention = Attention::default();
        self.count_on_from(next);
    }
}

/// What was found in a frame.
struct Looked {
    /// The confirmed faces.
    faces: Vec<TrackedFace>,
    /// Whether the frame was searched.
    searched: bool,
    /// The time spent confirming and following.
    confirming: Duration,
    /// The part of the time spent inside ONNX Runtime.
    inference: Duration,
}

/// The faces that are found again, each near where it is expected; nothing from a detector that cannot
/// follow.
fn follow(
    detector: &mut dyn Detector,
    frame: &Frame<'_>,
    expected: Vec<(FaceId, Face)>,
    options: &DetectOptions,
) -> Result<Option<Vec<(FaceId, Face)>>, ModelError> {
    let (ids, places): (Vec<_>, Vec<_>) = expected.into_iter().unzip();
    let found = detector.follow(frame, &places, options)?;
    // Who has stepped into a zone is not followed there.
    let seen = |face: Option<Face>| face.filter(|face| !is_ignored(face, frame, options));
    let with_id = |(id, face): (FaceId, Option<Face>)| Some((id, seen(face)?));
    Ok(found.map(|found| ids.into_iter().zip(found).filter_map(with_id).collect()))
}

/// Whether a face lies where nothing is looked at.
fn is_ignored(face: &Face, frame: &Frame<'_>, options: &DetectOptions) -> bool {
    let center = face.roi_in_image.center();
    options.ignore_zones.contains(center, frame.width_px(), frame.height_px())
}

/// Whether two of the faces lie on one another.
fn overlap(faces: &[(FaceId, Face)]) -> bool {
    faces.iter().enumerate().any(|(i, (_, face))| {
        let others = faces.iter().skip(i + 1);
        others.into_iter().any(|(_, other)| face.roi_in_image.iou(&other.roi_in_image) > SAME_FACE)
    })
}
