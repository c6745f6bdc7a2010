//! The one path from a frame to the people in it. The live node, the commands, the tests and the
//! benches all go through [`Pipeline::process`].

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::classify::EmotionNet;
use crate::detect::{Face, ONet, WorkingImage, WorkingSize, YuNet, suppress_overlaps};
use crate::explain::Explanation;
use crate::frame::Frame;
use crate::onnx::{ModelError, RuntimeOptions};
use crate::paths;
use crate::smooth::{SmoothOptions, Smoother};
use crate::track::{FaceId, TrackOptions, Tracker};
use rapport_vocabulary::{Affect, Distribution, Emotion, LabelSet};

/// The three networks' files. A path left empty stands for the file that comes with the package.
#[derive(Debug, Clone, Default)]
pub struct ModelFiles {
    /// The face finder, `models/yunet.onnx`.
    pub yunet: PathBuf,
    /// The face verifier, `models/onet.onnx`.
    pub onet: PathBuf,
    /// The emotion network, `models/emotion.onnx`.
    pub emotion: PathBuf,
}

/// How frames are worked on.
#[derive(Debug, Clone, PartialEq)]
pub struct PipelineOptions {
    /// Size at which faces are looked for.
    pub working_size: WorkingSize,
    /// Least score of a face, 0 to 1: lower finds more faces and more that are none.
    pub min_score: f32,
    /// Least probability that the verifier gives a face, 0 to 1.
    pub min_face_probability: f32,
    /// How faces are followed.
    pub track: TrackOptions,
    /// How distributions are smoothed.
    pub smooth: SmoothOptions,
    /// Least confidence, 0 to 1, from which a label is called sure ([`Person::sure`]).
    pub min_confidence: f32,
}

impl Default for PipelineOptions {
    fn default() -> Self {
        Self {
            working_size: WorkingSize::default(),
            min_score: 0.5,
            min_face_probability: 0.7,
            track: TrackOptions::default(),
            smooth: SmoothOptions::default(),
            min_confidence: DEFAULT_MIN_CONFIDENCE,
        }
    }
}

/// Below one half the network itself holds all other expressions together for more probable than
/// the one it names, and PublicTest bears it out: `models/emotion.md` has accuracy over coverage.
const DEFAULT_MIN_CONFIDENCE: f32 = 0.5;

/// Overlap (intersection over union) from which two finds are one face.
const MAX_OVERLAP: f32 = 0.45;

/// One person in one frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    /// Stays the same while the person stays in view.
    pub id: FaceId,
    /// Box and landmarks in pixels of the frame.
    pub face: Face,
    /// The expression shown, after smoothing.
    pub emotion: Emotion,
    /// The distribution after smoothing.
    pub probabilities: Distribution,
    /// The distribution of this frame alone.
    pub instant_probabilities: Distribution,
    /// Valence and arousal: the mean over [`Person::probabilities`].
    pub affect: Affect,
    /// Whether [`Person::confidence`] reaches [`PipelineOptions::min_confidence`]. Where it does
    /// not, the expression is the best guess and no more.
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
    /// Where the time went.
    pub timings: Timings,
}

/// Networks, buffers and the memory of who is in view.
#[derive(Debug)]
pub struct Pipeline {
    options: PipelineOptions,
    yunet: YuNet,
    onet: ONet,
    emotion: EmotionNet,
    tracker: Tracker,
    smoother: Smoother,
    working_image: WorkingImage,
    crops: Vec<f32>,
}

impl Pipeline {
    /// Loads the networks.
    ///
    /// # Errors
    /// If ONNX Runtime or a model is missing or wrong: which, and how.
    pub fn load(
        files: &ModelFiles,
        runtime: &RuntimeOptions,
        options: PipelineOptions,
    ) -> Result<Self, ModelError> {
        Ok(Self {
            yunet: YuNet::load(&model_file(&files.yunet, "yunet.onnx")?, runtime)?,
            onet: ONet::load(&model_file(&files.onet, "onet.onnx")?, runtime)?,
            emotion: EmotionNet::load(&model_file(&files.emotion, "emotion.onnx")?, runtime)?,
            tracker: Tracker::new(options.track),
            smoother: Smoother::new(options.smooth),
            working_image: WorkingImage::default(),
            crops: Vec::new(),
            options,
        })
    }

    /// The id that the next new face gets.
    pub fn next_id(&self) -> FaceId {
        self.tracker.next_id()
    }

    /// Gives new faces ids from this one on, so that nobody gets one of a pipeline before.
    pub fn count_on_from(&mut self, next: FaceId) {
        self.tracker.count_on_from(next);
    }

    /// Whether a face is in view or missed for so short a time that it may come back.
    pub fn knows(&self, id: FaceId) -> bool {
        self.tracker.knows(id)
    }

    /// Finds the people in a frame. `stamp` is the time at which the frame was taken, on any clock
    /// that goes forward, as [`ImageClock`](rapport_vocabulary::ImageClock) makes one; frames come in that
    /// order.
    ///
    /// # Errors
    /// If a network fails on this frame. The next frame is worked on as if this one had not been.
    pub fn process(
        &mut self,
        frame: &Frame<'_>,
        stamp: Duration,
    ) -> Result<Observation, ModelError> {
        let inference_before = self.inference_time();
        let start = Instant::now();
        self.working_image.fill(frame, self.options.working_size);
        let candidates = self.yunet.find(&self.working_image, self.options.min_score)?;
        let candidates = suppress_overlaps(candidates, MAX_OVERLAP);
        let detected = Instant::now();
        let faces = self.onet.refine(frame, &candidates, self.options.min_face_probability)?;
        let verified = Instant::now();
        let tracked = self.tracker.update(&faces, stamp);
        self.crops.clear();
        for track in &tracked {
            self.emotion.crop(frame, &track.face, &mut self.crops);
        }
        let cropped = Instant::now();
        let distributions = self.emotion.classify(&self.crops)?;
        let labels = self.emotion.labels();
        let people = tracked.iter().zip(&distributions).map(|(track, seen)| {
            let smoothed = self.smoother.update(track.id, seen, stamp);
            let confidence = smoothed.probabilities.of(smoothed.emotion);
            Person {
                id: track.id,
                face: track.face,
                emotion: smoothed.emotion,
                probabilities: smoothed.probabilities,
                instant_probabilities: *seen,
                affect: labels.affect(&smoothed.probabilities),
                sure: confidence >= self.options.min_confidence,
            }
        });
        let people = people.collect();
        self.smoother.retain(|id| self.tracker.knows(id));
        let classified = Instant::now();
        let timings = Timings {
            detect: detected - start,
            verify: verified - detected,
            crop: cropped - verified,
            classify: classified - cropped,
            total: classified - start,
            inference: self.inference_time() - inference_before,
        };
        Ok(Observation { people, timings })
    }

    /// Which parts of a face spoke for each expression, in the crop that [`Self::process`] saw. It
    /// runs the emotion network once more, so that nobody pays for it who does not ask.
    ///
    /// # Errors
    /// If the emotion network fails or gives no evidence maps.
    pub fn explain(&mut self, frame: &Frame<'_>, face: &Face) -> Result<Explanation, ModelError> {
        let mut crop = Vec::new();
        self.emotion.crop(frame, face, &mut crop);
        let maps = self.emotion.evidence(&crop)?;
        let crop_to_image = self.emotion.crop_to_image(face);
        Ok(Explanation { maps, crop_to_image, crop_side_px: self.emotion.side_px() })
    }

    /// Goes on with other options; the people in view stay known.
    pub fn set_options(&mut self, options: PipelineOptions) {
        self.tracker.set_options(options.track);
        self.smoother.set_options(options.smooth);
        self.options = options;
    }

    /// Forgets everybody, as for a new recording or an unrelated picture.
    pub fn reset(&mut self) {
        self.tracker = Tracker::new(self.options.track);
        self.smoother = Smoother::new(self.options.smooth);
    }

    /// Forgets everybody, as after a time in which nobody was looked at. Ids go on.
    pub fn forget(&mut self) {
        let next = self.next_id();
        self.reset();
        self.count_on_from(next);
    }

    /// The labels that the emotion network tells apart.
    pub fn labels(&self) -> &LabelSet {
        self.emotion.labels()
    }

    /// The emotion network's file.
    pub fn emotion_model(&self) -> &Path {
        self.emotion.network().path()
    }

    fn inference_time(&self) -> Duration {
        self.yunet.network().busy() + self.onet.network().busy() + self.emotion.network().busy()
    }
}

/// The file that was given, or the one of the package where none was.
///
/// # Errors
/// If the package's file is not there.
pub fn model_file(given: &Path, name: &str) -> Result<PathBuf, ModelError> {
    if !given.as_os_str().is_empty() {
        return Ok(given.to_owned());
    }
    let shipped = format!("models/{name}");
    paths::shared_file(&shipped).ok_or_else(|| ModelError::File {
        path: shipped.into(),
        reason: "not found in share/rapport or in the checkout of this program".to_owned(),
    })
}
