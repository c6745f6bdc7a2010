//! MTCNN's O-Net (Zhang et al., "Joint Face Detection and Alignment Using Multitask Cascaded
//! Convolutional Networks", 2016), as `models/onet.md` describes it: is this a face, and where are
//! its landmarks? YuNet's own landmarks hardly follow a tilted head; these do.

use std::path::Path;

use ndarray::{Array4, Axis};

use super::{Face, warp_rgb};
use crate::exposure::expose_crop;
use crate::frame::Frame;
use crate::geometry::{Point, Similarity};
use crate::onnx::{Axes, ModelError, Network, RuntimeOptions};

/// Side of the square that the network looks at.
const SIDE_PX: usize = 48;

/// Faces in one run at most, so that a crowd does not grow the buffers without bound.
const BATCH: usize = 32;

/// Tells faces from other things, and finds their landmarks.
#[derive(Debug)]
pub struct ONet {
    network: Network,
}

impl ONet {
    /// Loads the network.
    ///
    /// # Errors
    /// If it does not load or is another network.
    pub fn load(path: &Path, options: &RuntimeOptions) -> Result<Self, ModelError> {
        let network = Network::load(path, options)?;
        let side = Some(SIDE_PX);
        let crops = [("face", None), ("channel", Some(3)), ("row", side), ("column", side)];
        network.expect_input("crops", Axes(crops))?;
        network.expect_output("probability", probability_axes(None))?;
        network.expect_output("landmarks", landmark_axes(None))?;
        Ok(Self { network })
    }

    /// The network, for its timing.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Keeps the candidates that the network takes for faces with `min_probability` (0 to 1) or
    /// more, and gives each the network's landmarks and probability. Boxes and scores stay the
    /// candidates' own.
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
            let mut crops = Array4::zeros((batch.len(), 3, SIDE_PX, SIDE_PX));
            for (square, mut crop) in squares.iter().zip(crops.axis_iter_mut(Axis(0))) {
                warp_rgb(frame, square, crop.view_mut());
                expose_crop(crop);
            }
            let outputs = ["probability", "landmarks"];
            self.network.run(crops.view(), outputs, |[probabilities, landmarks]| {
                let count = Some(batch.len());
                let probabilities = probability_axes(count).view("probability", probabilities)?;
                let landmarks = landmark_axes(count).view("landmarks", landmarks)?;
                let found = probabilities.rows().into_iter().zip(landmarks.rows());
                for ((face, square), (probability, landmarks)) in
                    batch.iter().zip(&squares).zip(found)
                {
                    let is_face = probability[0] >= min_probability;
                    if !is_face || !landmarks.iter().all(|v| v.is_finite()) {
                        continue;
                    }
                    // x1..x5, then y1..y5, in sides of the square.
                    let landmarks = std::array::from_fn(|i| {
                        let side = SIDE_PX as f32;
                        square.apply(Point { x: landmarks[i] * side, y: landmarks[i + 5] * side })
                    });
                    let probability = probability[0];
                    faces.push(Face { landmarks, probability, ..*face });
                }
                Ok(())
            })?;
        }
        Ok(faces)
    }
}

fn probability_axes(faces: Option<usize>) -> Axes<2> {
    Axes([("face", faces), ("probability", Some(1))])
}

fn landmark_axes(faces: Option<usize>) -> Axes<2> {
    Axes([("face", faces), ("coordinate", Some(10))])
}

/// The square around a face that the network was trained on: as long as the longer side of the box.
fn square_around(face: &Face) -> Similarity {
    let roi = face.roi_in_image;
    Similarity::square(roi.center(), roi.width.max(roi.height), SIDE_PX)
}
