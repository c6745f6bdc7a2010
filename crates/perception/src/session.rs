//! The memory of one camera, and the one path from a frame to the people in it. The live node, the
//! commands, the tests and the benches all go through [`Session::process`].

use std::sync::Arc;
use std::time::{Duration, Instant};

use ndarray::Axis;
use rapport_vocabulary::{Affect, Distribution, Emotion, ImageClock, ImageStamp, ImageTime};

use crate::detect::{DetectOptions, Face};
use crate::explain::Explanation;
use crate::frame::Frame;
use crate::networks::Networks;
use crate::onnx::ModelError;
use crate::smooth::{SmoothOptions, Smoother};
use crate::track::{FaceId, TrackOptions, Tracker};

/// How frames are processed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SessionOptions {
    /// How faces are looked for.
    pub detect: DetectOptions,
    /// How faces are followed.
    pub track: TrackOptions,
    /// How distributions are smoothed.
    pub smooth: SmoothOptions,
    /// Least confidence, 0 to 1, from which any label is called sure ([`Person::sure`]); nothing: as
    /// the model's decision rule has it.
    pub min_confidence: Option<f32>,
}

impl SessionOptions {
    /// For still pictures: a face counts at once, and all of a picture up to 1920x1920 is searched.
    pub fn for_pictures() -> Self {
        let mut options = Self::default();
        options.detect.working_size =
            crate::detect::WorkingSize { width_px: 1920, height_px: 1920 };
        options.track.confirm_hits = 1;
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
    /// The expression shown, after smoothing.
    pub emotion: Emotion,
    /// The distribution after smoothing.
    pub probabilities: Distribution,
    /// The distribution of this frame alone.
    pub instant_probabilities: Distribution,
    /// The label of this frame alone, by the same rule.
    pub instant_emotion: Emotion,
    /// Valence and arousal: the mean over [`Person::probabilities`].
    pub affect: Affect,
    /// Whether [`Person::confidence`] reaches what the model's decision rule, or
    /// [`SessionOptions::min_confidence`], asks. Where it does not, the expression is the best guess
    /// and no more.
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
    /// The confirmed faces, longest known first.
    pub people: Vec<Person>,
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
    smoother: Smoother,
}

impl Session {
    /// A session that has seen nobody.
    pub fn new(networks: Arc<Networks>, options: SessionOptions) -> Self {
        Self {
            clock: ImageClock::default(),
            tracker: Tracker::new(options.track),
            smoother: Smoother::new(options.smooth),
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
        let (detected, searching) = {
            let mut detector = self.networks.detector();
            let before = detector.inference_time();
            let detected = detector.detect(frame, &self.options.detect)?;
            (detected, detector.inference_time() - before)
        };
        let verified = Instant::now();
        let time = self.clock.time(stamp.stamp, stamp.arrival);
        let tracked = self.tracker.update(&detected.faces, time.time);
        let mut emotion = self.networks.emotion();
        let mut crops = emotion.blank_crops(tracked.len());
        for (track, crop) in tracked.iter().zip(crops.axis_iter_mut(Axis(0))) {
            emotion.crop(frame, &track.face, crop);
        }
        let cropped = Instant::now();
        let before = emotion.network().busy();
        let distributions = emotion.classify(crops.view())?;
        let classifying = emotion.network().busy() - before;
        drop(emotion);
        let reading = self.networks.reading();
        let decision = match self.options.min_confidence {
            Some(least) => reading.decision.with_min_confidence(least),
            None => reading.decision,
        };
        let people = tracked.iter().zip(&distributions).map(|(track, seen)| {
            let smoothed = self.smoother.update(track.id, seen, time.time, reading);
            let confidence = smoothed.probabilities.of(smoothed.emotion);
            Person {
                id: track.id,
                face: track.face,
                first_seen: track.first_seen,
                emotion: smoothed.emotion,
                probabilities: smoothed.probabilities,
                instant_probabilities: *seen,
                instant_emotion: reading.label(seen),
                affect: reading.labels.affect(&smoothed.probabilities),
                sure: decision.is_sure(smoothed.emotion, confidence),
            }
        });
        let people = people.collect();
        self.smoother.retain(|id| self.tracker.knows(id));
        let classified = Instant::now();
        let timings = Timings {
            detect: (verified - start).saturating_sub(detected.confirming),
            verify: detected.confirming,
            crop: cropped - verified,
            classify: classified - cropped,
            total: classified - start,
            inference: searching + classifying,
        };
        Ok(Observation { people, time, timings })
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
        self.smoother = Smoother::new(self.options.smooth);
        self.count_on_from(next);
    }
}
