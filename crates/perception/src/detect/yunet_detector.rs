//! The detector that comes with the package.

use std::path::Path;
use std::time::{Duration, Instant};

use super::levels::{Level, next_level};
use super::{
    DetectOptions, Detected, Detector, Face, ONet, SAME_FACE, WorkingImage, YuNet, suppress_nested,
    suppress_overlaps,
};
use crate::frame::Frame;
use crate::onnx::{ModelError, RuntimeOptions};

/// YuNet finds boxes in the scaled image; O-Net, at full resolution, tells faces from other things
/// and sets the landmarks. A large image is searched at smaller sizes too, for the faces that are
/// too tall for YuNet.
#[derive(Debug)]
pub struct YuNetDetector {
    yunet: YuNet,
    onet: ONet,
    /// Buffers, one for each size that the image is searched at.
    images: Vec<WorkingImage>,
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
            images: Vec::new(),
        })
    }

    /// Boxes of all sizes, before suppression of overlaps, in pixels of the frame.
    fn candidates(
        &mut self,
        frame: &Frame<'_>,
        options: &DetectOptions,
    ) -> Result<Vec<Face>, ModelError> {
        let mut candidates = Vec::new();
        let mut next = Some(Level::first(options.working_size));
        let mut searched = 0;
        while let Some(level) = next {
            if searched == self.images.len() {
                self.images.push(WorkingImage::default());
            }
            let image = &mut self.images[searched];
            image.fill(frame, level.size);
            image.blank(&options.ignore_zones);
            image.expose();
            next = next_level(image);
            let tallest_px = next.as_ref().map_or(f32::INFINITY, |_| image.tallest_face_px());
            let found = self.yunet.find(image, options.min_score)?;
            candidates.extend(found.into_iter().filter(|face| {
                (level.shortest_face_px..=tallest_px).contains(&face.roi_in_image.height)
            }));
            searched += 1;
        }
        // A program that went on with a smaller working size holds no buffers of the larger.
        self.images.truncate(searched);
        Ok(candidates)
    }
}

impl Detector for YuNetDetector {
    fn detect(
        &mut self,
        frame: &Frame<'_>,
        options: &DetectOptions,
    ) -> Result<Detected, ModelError> {
        let mut candidates = self.candidates(frame, options)?;
        let (width, height) = (frame.width_px(), frame.height_px());
        candidates.retain(|face| {
            !options.ignore_zones.contains(face.roi_in_image.center(), width, height)
        });
        let candidates = suppress_overlaps(candidates, SAME_FACE);
        let start = Instant::now();
        let faces = self.onet.refine(frame, &candidates, options.min_face_probability)?;
        let faces = suppress_nested(faces);
        Ok(Detected { faces, confirming: start.elapsed() })
    }

    fn follow(
        &mut self,
        frame: &Frame<'_>,
        expected: &[Face],
        options: &DetectOptions,
    ) -> Result<Option<Vec<Option<Face>>>, ModelError> {
        self.onet.follow(frame, expected, options.min_face_probability).map(Some)
    }

    fn inference_time(&self) -> Duration {
        self.yunet.network().busy() + self.onet.network().busy()
    }
}
