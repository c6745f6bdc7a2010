//! The loaded models, shared by all sessions.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rapport_vocabulary::{Distribution, LabelSet};

use crate::classify::{Calibration, EmotionNet};
use crate::detect::{Detector, YuNetDetector};
use crate::onnx::{ModelError, ModelIdentity, RuntimeOptions};
use crate::paths;
use crate::smooth::Reading;

/// The models' files. A path left empty stands for the file that comes with the package.
#[derive(Debug, Clone, Default)]
pub struct ModelFiles {
    /// The face detector, `models/yunet.onnx`.
    pub detector: PathBuf,
    /// The face classifier, which confirms faces and sets their landmarks: `models/onet.onnx`.
    pub landmarks: PathBuf,
    /// The emotion network, `models/emotion.onnx`.
    pub emotion: PathBuf,
    /// What `rapport adapt` learnt about the emotion network. There is none in the package: empty
    /// stands for none.
    pub calibration: PathBuf,
    /// The place, for the calibration's thresholds; empty for none of them.
    pub place: String,
}

/// The loaded models. They keep no memory of what they saw, so that any number of
/// [`Session`](crate::Session)s, on any threads, can share them; one frame at a time uses each.
#[derive(Debug)]
pub struct Networks {
    detector: Mutex<Box<dyn Detector>>,
    emotion: Mutex<EmotionNet>,
    reading: Reading,
    emotion_model: ModelIdentity,
    calibration: Option<Calibration>,
}

impl Networks {
    /// Loads the models: the detector of the package, and the emotion network.
    ///
    /// # Errors
    /// If ONNX Runtime or a model is missing or wrong: which, and how.
    pub fn load(files: &ModelFiles, runtime: &RuntimeOptions) -> Result<Arc<Self>, ModelError> {
        Ok(Self::of(Box::new(detector(files, runtime)?), emotion_net(files, runtime)?))
    }

    /// Any detector with any emotion network.
    pub fn of(detector: Box<dyn Detector>, emotion: EmotionNet) -> Arc<Self> {
        Arc::new(Self {
            reading: emotion.reading().clone(),
            emotion_model: emotion.network().identity(),
            calibration: emotion.calibration().cloned(),
            detector: Mutex::new(detector),
            emotion: Mutex::new(emotion),
        })
    }

    /// The labels that the emotion network tells apart.
    pub fn labels(&self) -> &LabelSet {
        &self.reading.labels
    }

    /// How the emotion network's distributions become labels, as its metadata says.
    pub fn reading(&self) -> &Reading {
        &self.reading
    }

    /// Which emotion network it is.
    pub fn emotion_model(&self) -> &ModelIdentity {
        &self.emotion_model
    }

    /// How the emotion network's own distributions were changed, if they were.
    pub fn calibration(&self) -> Option<&Calibration> {
        self.calibration.as_ref()
    }

    /// The emotion network's own distribution, of one image's that a session gave: before calibration.
    pub fn before_calibration(&self, seen: &Distribution) -> Distribution {
        self.calibration.as_ref().map_or(*seen, |calibration| calibration.undo(seen))
    }

    pub(crate) fn detector(&self) -> MutexGuard<'_, Box<dyn Detector>> {
        lock(&self.detector)
    }

    pub(crate) fn emotion(&self) -> MutexGuard<'_, EmotionNet> {
        lock(&self.emotion)
    }
}

/// A panic in another session leaves nothing half changed: the networks keep buffers only.
fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Loads the detector of the package by itself.
///
/// # Errors
/// If ONNX Runtime or a model is missing or wrong: which, and how.
pub fn detector(files: &ModelFiles, runtime: &RuntimeOptions) -> Result<YuNetDetector, ModelError> {
    YuNetDetector::load(
        &model_file(&files.detector, "yunet.onnx")?,
        &model_file(&files.landmarks, "onet.onnx")?,
        runtime,
    )
}

/// The emotion network of these files, calibrated where a calibration is named.
///
/// # Errors
/// If ONNX Runtime, the model or the calibration is missing or wrong: which, and how.
pub fn emotion_net(files: &ModelFiles, runtime: &RuntimeOptions) -> Result<EmotionNet, ModelError> {
    let net = EmotionNet::load(&model_file(&files.emotion, "emotion.onnx")?, runtime)?;
    if files.calibration.as_os_str().is_empty() {
        return Ok(net);
    }
    let path = &files.calibration;
    let calibration = Calibration::read(path).map_err(ModelError::Calibration)?;
    net.with_calibration(calibration, path, &files.place)
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
