//! The detector that comes with the package.

use std::path::Path;
use std::time::{Duration, Instant};

use super::{DetectOptions, Detected, Detector, ONet, WorkingImage, YuNet, suppress_overlaps};
use crate::frame::Frame;
use crate::onnx::{ModelError, RuntimeOptions};

/// Overlap (intersection over union) from which two boxes are one face.
const MAX_OVERLAP: f32 = 0.45;

/// YuNet finds boxes in the scaled image; O-Net, at full resolution, tells faces from other things
/// and sets the landmarks.
#[derive(Debug)]
pub struct YuNetDetector {
    yunet: YuNet,
    onet: ONet,
    working_image: WorkingImage,
}

impl YuNetDetector {
    /// Loads both networks.
    ///
    /// # Errors
    /// If one does not load or is another network.
    pub fn load(yunet: &Path, onet: &Path, runtime: &RuntimeOptions) -> Result<Self, ModelError> {
        Ok(Self {
            yunet: YuNet::load(yunet, runtime)?,
            onet: ONet::load(onet, runtime)?,
            working_image: WorkingImage::default(),
        })
    }
}

impl Detector for YuNetDetector {
    fn detect(
        &mut self,
        frame: &Frame<'_>,
        options: &DetectOptions,
    ) -> Result<Detected, ModelError> {
        self.working_image.fill(frame, options.working_size);
        self.working_image.expose();
        let candidates = self.yunet.find(&self.working_image, options.min_score)?;
        let candidates = suppress_overlaps(candidates, MAX_OVERLAP);
        let start = Instant::now();
        let faces = self.onet.refine(frame, &candidates, options.min_face_probability)?;
        Ok(Detected { faces, confirming: start.elapsed() })
    }

    fn inference_time(&self) -> Duration {
        self.yunet.network().busy() + self.onet.network().busy()
    }
}
