//! The old names, until every caller uses [`Session`](crate::Session).
#![allow(missing_docs)]
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::detect::{DetectOptions, Face, WorkingSize};
use crate::explain::Explanation;
use crate::frame::Frame;
use crate::onnx::{ModelError, RuntimeOptions};
use crate::smooth::SmoothOptions;
use crate::track::{FaceId, TrackOptions};
use crate::{Networks, Session, SessionOptions};
pub use crate::{Observation, Person, Timings, model_file};
use rapport_vocabulary::{ImageStamp, LabelSet};

#[derive(Debug, Clone, Default)]
pub struct ModelFiles {
    pub yunet: PathBuf,
    pub onet: PathBuf,
    pub emotion: PathBuf,
}

#[derive(Debug, Clone, PartialEq)]
pub struct PipelineOptions {
    pub working_size: WorkingSize,
    pub min_score: f32,
    pub min_face_probability: f32,
    pub track: TrackOptions,
    pub smooth: SmoothOptions,
    pub min_confidence: f32,
}

impl Default for PipelineOptions {
    fn default() -> Self {
        let SessionOptions { detect, track, smooth, min_confidence } = SessionOptions::default();
        let DetectOptions { working_size, min_score, min_face_probability } = detect;
        Self {
            working_size,
            min_score,
            min_face_probability,
            track,
            smooth,
            min_confidence: min_confidence.unwrap_or(0.5),
        }
    }
}

impl From<PipelineOptions> for SessionOptions {
    fn from(o: PipelineOptions) -> Self {
        let PipelineOptions {
            working_size,
            min_score,
            min_face_probability,
            track,
            smooth,
            min_confidence,
        } = o;
        Self {
            detect: DetectOptions { working_size, min_score, min_face_probability },
            track,
            smooth,
            min_confidence: Some(min_confidence),
        }
    }
}

#[derive(Debug)]
pub struct Pipeline(Session);

impl Pipeline {
    pub fn load(
        files: &ModelFiles,
        runtime: &RuntimeOptions,
        options: PipelineOptions,
    ) -> Result<Self, ModelError> {
        let files = crate::ModelFiles {
            detector: files.yunet.clone(),
            landmarks: files.onet.clone(),
            emotion: files.emotion.clone(),
        };
        Ok(Self(Session::new(Networks::load(&files, runtime)?, options.into())))
    }
    pub fn next_id(&self) -> FaceId {
        self.0.next_id()
    }
    pub fn count_on_from(&mut self, next: FaceId) {
        self.0.count_on_from(next);
    }
    pub fn knows(&self, id: FaceId) -> bool {
        self.0.knows(id)
    }
    pub fn process(
        &mut self,
        frame: &Frame<'_>,
        stamp: Duration,
    ) -> Result<Observation, ModelError> {
        self.0.process(frame, ImageStamp::at(stamp))
    }
    pub fn explain(&mut self, frame: &Frame<'_>, face: &Face) -> Result<Explanation, ModelError> {
        self.0.explain(frame, face)
    }
    pub fn set_options(&mut self, options: PipelineOptions) {
        self.0.set_options(options.into());
    }
    pub fn reset(&mut self) {
        self.0.reset();
    }
    pub fn forget(&mut self) {
        self.0.reset_tracks();
    }
    pub fn labels(&self) -> &LabelSet {
        self.0.networks().labels()
    }
    pub fn emotion_model(&self) -> &Path {
        &self.0.networks().emotion_model().path
    }
}
