//! MTCNN's O-Net (Zhang et al., "Joint Face Detection and Alignment Using Multitask Cascaded
//! Convolutional Networks", 2016), as `models/onet.md` describes it: is this a face, and where are
//! its landmarks? YuNet's own landmarks hardly follow a tilted head; these do.

use std::path::Path;

use super::{Face, warp_rgb};
use crate::frame::Frame;
use crate::geometry::{Point, Similarity};
use crate::onnx::{ModelError, Network, RuntimeOptions};

/// Side of the square that the network looks at.
const SIDE_PX: usize = 48;

/// Faces in one run at most, so that a crowd does not grow the buffers without bound.
const BATCH: usize = 32;

/// The verifier and landmark finder.
#[derive(Debug)]
pub struct ONet {
    network: Network,
    crops: Vec<f32>,
}

impl ONet {
    /// Loads the network.
    ///
    /// # Errors
    /// If it does not load or is another network.
    pub fn load(path: &Path, options: &RuntimeOptions) -> Result<Self, ModelError> {
        let network = Network::load(path, options)?;
        let side = Some(SIDE_PX as i64);
        network.expect_input("crops", &[None, Some(3), side, side])?;
        network.expect_output("probability", &[None, Some(1)])?;
        network.expect_output("landmarks", &[None, Some(10)])?;
        Ok(Self { network, crops: Vec::new() })
    }

    /// The network, for its timing.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Keeps the candidates that the network takes for faces with `min_probability` (0 to 1) or
    /// more, and gives each the network's landmarks. Boxes and scores stay the candidates' own.
    ///
    /// # Errors
    /// If inference fails.
    pub fn refine(
        &mut self,
        frame: &Frame<'_>,
        candidates: &[Face],
        min_probability: f32,
    ) -> Result<Vec<Face>, ModelError> {
        let mut faces = Vec::with_capacity(candidates.len());
        for batch in candidates.chunks(BATCH) {
            let squares: Vec<Similarity> = batch.iter().map(square_around).collect();
            self.crops.clear();
            squares.iter().for_each(|s| warp_rgb(frame, s, SIDE_PX, &mut self.crops));
            let shape = [batch.len(), 3, SIDE_PX, SIDE_PX];
            let outputs = ["probability", "landmarks"];
            self.network.run(shape, &self.crops, &outputs, |outputs| {
                let (probabilities, landmarks) = (outputs[0].data, outputs[1].data);
                let found = probabilities.iter().zip(landmarks.chunks_exact(10));
                for ((face, square), (&probability, landmarks)) in
                    batch.iter().zip(&squares).zip(found)
                {
                    if probability < min_probability || !landmarks.iter().all(|v| v.is_finite()) {
                        continue;
                    }
                    // x1..x5, then y1..y5, in sides of the square.
                    let point = |i: usize| {
                        let side = SIDE_PX as f32;
                        square.apply(Point { x: landmarks[i] * side, y: landmarks[i + 5] * side })
                    };
                    let landmarks = [point(0), point(1), point(2), point(3), point(4)];
                    faces.push(Face { landmarks, ..*face });
                }
            })?;
        }
        Ok(faces)
    }
}

/// The square around a face that the network was trained on: as long as the longer side of the box.
fn square_around(face: &Face) -> Similarity {
    let roi = face.roi_in_image;
    Similarity::square(roi.center(), roi.width.max(roi.height), SIDE_PX)
}
