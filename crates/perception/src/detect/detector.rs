//! What a face detector owes the rest of the package.

use std::fmt::Debug;
use std::time::Duration;

use serde::Serialize;

use super::WorkingSize;
use crate::frame::Frame;
use crate::geometry::{Point, Rect};
use crate::onnx::ModelError;
use crate::zones::Zones;

/// Eyes, nose and mouth corners, in this order: left eye, right eye, nose tip, left and right
/// mouth corner. Left and right as seen in the image.
pub type Landmarks = [Point; 5];

/// A face found in an image. Coordinates are pixels of that image, possibly beyond its edges.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Face {
    /// Box from forehead to chin.
    pub roi_in_image: Rect,
    /// How sure the detector is, 0 to 1.
    pub score: f32,
    /// How much the face looks like one that is wholly seen, 0 to 1: covered mouths, profiles and
    /// blurred faces have less. 1 where a detector does not know.
    pub probability: f32,
    /// Landmarks.
    pub landmarks: Landmarks,
}

/// How faces are looked for.
#[derive(Debug, Clone, PartialEq)]
pub struct DetectOptions {
    /// The largest size at which the image is searched.
    pub working_size: WorkingSize,
    /// Least score of a face, 0 to 1: lower finds more faces, and more that are none.
    pub min_score: f32,
    /// Least probability that the face classifier gives a face, 0 to 1.
    pub min_face_probability: f32,
    /// Where nothing is looked for. A face lies in a zone if the middle of its box does.
    pub ignore_zones: Zones,
}

impl Default for DetectOptions {
    fn default() -> Self {
        Self {
            working_size: WorkingSize::default(),
            min_score: 0.5,
            min_face_probability: 0.7,
            ignore_zones: Zones::default(),
        }
    }
}

/// What a detector found in one frame.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Detected {
    /// The faces, best score first.
    pub faces: Vec<Face>,
    /// The part of the time that went into confirming candidates; zero if there is no such step.
    pub confirming: Duration,
}

/// Finds faces in frames.
///
/// A detector owes:
/// - boxes and landmarks in pixels of the frame as it was given, whatever size it works at, all
///   numbers finite;
/// - a score of 0 to 1 for each face, at least [`DetectOptions::min_score`], best first;
/// - one box for each face: no two that overlap by half;
/// - the same faces for the same frame and options, whatever came before: it keeps buffers, but no
///   memory of faces. Following them is the work of [`track`](crate::track).
pub trait Detector: Debug + Send {
    /// Finds the faces in a frame.
    ///
    /// # Errors
    /// If a network fails.
    fn detect(
        &mut self,
        frame: &Frame<'_>,
        options: &DetectOptions,
    ) -> Result<Detected, ModelError>;

    /// Looks for faces only where each is expected in this frame, without a search. Gives one entry
    /// for each of `expected`: where the face is now, or nothing where it is no longer seen.
    ///
    /// A detector that cannot do that gives nothing at all, and every image is searched.
    ///
    /// # Errors
    /// If a network fails.
    fn follow(
        &mut self,
        _frame: &Frame<'_>,
        _expected: &[Face],
        _options: &DetectOptions,
    ) -> Result<Option<Vec<Option<Face>>>, ModelError> {
        Ok(None)
    }

    /// The time spent inside ONNX Runtime since loading.
    fn inference_time(&self) -> Duration;
}
