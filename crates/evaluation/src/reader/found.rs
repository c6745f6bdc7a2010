//! Faces that were found before it is their image's turn.
//!
//! Where every image is searched, what a detector finds in one has nothing to do with the images
//! before: its contract is that it keeps no memory of faces. So several threads search images ahead,
//! and the session, which follows the faces in order, gets what they found.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rapport_perception::Timings;
use rapport_perception::detect::{DetectOptions, Detected, Detector, Face, YuNetDetector};
use rapport_perception::frame::Frame;
use rapport_perception::onnx::ModelError;

/// What was found in an image, and the time it took.
#[derive(Debug, Clone)]
pub struct Found {
    detected: Detected,
    time: Duration,
    inference: Duration,
}

impl Found {
    /// Searches an image. Nothing where a network fails: the session searches it again and says why.
    pub fn search(
        detector: &mut YuNetDetector,
        frame: &Frame<'_>,
        options: &DetectOptions,
    ) -> Option<Self> {
        let (start, before) = (Instant::now(), detector.inference_time());
        let detected = detector.detect(frame, options).ok()?;
        let inference = detector.inference_time() - before;
        Some(Self { detected, time: start.elapsed(), inference })
    }

    /// The times of an image with those of the search, which the session did not see.
    pub fn add_to(&self, timings: Timings) -> Timings {
        Timings {
            detect: timings.detect + self.time.saturating_sub(self.detected.confirming),
            total: timings.total + self.time,
            inference: timings.inference + self.inference,
            ..timings
        }
    }
}

/// Where what was found waits for the session that asks for it.
#[derive(Debug, Clone, Default)]
pub struct Slot(Arc<Mutex<Option<Detected>>>);

impl Slot {
    /// Puts in what was found in the image that the session processes next, or nothing.
    pub fn put(&self, found: Option<&Found>) {
        let found = found.map(|found| found.detected.clone());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = found;
    }

    fn take(&self) -> Option<Detected> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// A detector that searches only images of which it is not told what was found.
#[derive(Debug)]
pub struct ToldDetector {
    /// Searches, and follows faces.
    pub detector: YuNetDetector,
    /// What was found.
    pub slot: Slot,
}

impl Detector for ToldDetector {
    fn detect(
        &mut self,
        frame: &Frame<'_>,
        options: &DetectOptions,
    ) -> Result<Detected, ModelError> {
        match self.slot.take() {
            Some(detected) => Ok(detected),
            None => self.detector.detect(frame, options),
        }
    }

    fn follow(
        &mut self,
        frame: &Frame<'_>,
        expected: &[Face],
        options: &DetectOptions,
    ) -> Result<Option<Vec<Option<Face>>>, ModelError> {
        self.detector.follow(frame, expected, options)
    }

    fn inference_time(&self) -> Duration {
        self.detector.inference_time()
    }
}
