//! MTCNN's O-Net (Zhang et al., "Joint Face Detection and Alignment Using Multitask Cascaded
//! Convolutional Networks", 2016), as `models/onet.md` describes it: is this a face, and where are
//! its landmarks? YuNet's own landmarks hardly follow a tilted head; these do.

use std::path::Path;

use ndarray::{Array4, Axis};

use super::{Face, Landmarks, warp_rgb};
use crate::exposure::expose_crop;
use crate::frame::Frame;
use crate::geometry::{Point, Rect, Similarity};
use crate::onnx::{Axes, ModelError, Network, RuntimeOptions};

/// Side of the square that the network looks at.
const SIDE_PX: usize = 48;

/// How much larger the square of a second look is.
const SECOND_LOOK: f32 = 1.3;

/// How much a face may grow or shrink, and how far it may tilt, from one image to the next.
const MOST_GROWTH: std::ops::RangeInclusive<f32> = 0.7..=1.43;
const MOST_TILT_DEG: f32 = 40.0;

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
        let squares: Vec<Similarity> = candidates.iter().map(square_around).collect();
        let seen = self.look(frame, &squares, min_probability)?;
        let faces = candidates.iter().zip(seen);
        let with_seen = |(face, seen): (&Face, Option<Seen>)| {
            let Seen { probability, landmarks } = seen?;
            Some(Face { landmarks, probability, ..*face })
        };
        Ok(faces.filter_map(with_seen).collect())
    }

    /// Finds faces again near where they are expected: each box is carried along with its landmarks.
    /// One that is not found there is looked for once more in a larger square. Nothing where there is
    /// no face, or one that moved as no face does from one image to the next.
    ///
    /// # Errors
    /// If inference fails.
    pub fn follow(
        &mut self,
        frame: &Frame<'_>,
        expected: &[Face],
        min_probability: f32,
    ) -> Result<Vec<Option<Face>>, ModelError> {
        let squares: Vec<Similarity> = expected.iter().map(square_around).collect();
        let seen = self.look(frame, &squares, min_probability)?;
        let mut faces: Vec<Option<Face>> =
            expected.iter().zip(seen).map(|(face, seen)| carried(face, &seen?)).collect();
        let missed: Vec<usize> = (0..faces.len()).filter(|&i| faces[i].is_none()).collect();
        if !missed.is_empty() {
            let larger: Vec<Similarity> =
                missed.iter().map(|&i| squares[i].zoomed(SECOND_LOOK, SIDE_PX)).collect();
            let seen = self.look(frame, &larger, min_probability)?;
            for (i, seen) in missed.into_iter().zip(seen) {
                faces[i] = seen.and_then(|seen| carried(&expected[i], &seen));
            }
        }
        Ok(faces)
    }

    /// What the network sees in each square of the frame that it takes for a face.
    fn look(
        &mut self,
        frame: &Frame<'_>,
        squares: &[Similarity],
        min_probability: f32,
    ) -> Result<Vec<Option<Seen>>, ModelError> {
        let mut seen = Vec::with_capacity(squares.len());
        for batch in squares.chunks(BATCH) {
            let mut crops = Array4::zeros((batch.len(), 3, SIDE_PX, SIDE_PX));
            for (square, mut crop) in batch.iter().zip(crops.axis_iter_mut(Axis(0))) {
                warp_rgb(frame, square, crop.view_mut());
                expose_crop(crop);
            }
            let outputs = ["probability", "landmarks"];
            self.network.run(crops.view(), outputs, |[probabilities, landmarks]| {
                let count = Some(batch.len());
                let probabilities = probability_axes(count).view("probability", probabilities)?;
                let landmarks = landmark_axes(count).view("landmarks", landmarks)?;
                let found = probabilities.rows().into_iter().zip(landmarks.rows());
                seen.extend(batch.iter().zip(found).map(|(square, (probability, landmarks))| {
                    let is_face = probability[0] >= min_probability;
                    // x1..x5, then y1..y5, in sides of the square.
                    (is_face && landmarks.iter().all(|v| v.is_finite())).then(|| {
                        let landmarks = std::array::from_fn(|i| {
                            let side = SIDE_PX as f32;
                            let (x, y) = (landmarks[i] * side, landmarks[i + 5] * side);
                            square.apply(Point { x, y })
                        });
                        Seen { probability: probability[0], landmarks }
                    })
                }));
                Ok(())
            })?;
        }
        Ok(seen)
    }
}

/// What the network sees in a square: how much it looks like a face, 0 to 1, and where its landmarks are.
struct Seen {
    probability: f32,
    landmarks: Landmarks,
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

/// The face at its new landmarks, its box moved and scaled as these were.
fn carried(face: &Face, seen: &Seen) -> Option<Face> {
    let moved = Similarity::fit(&face.landmarks, &seen.landmarks)?;
    let scale = moved.scale();
    if !MOST_GROWTH.contains(&scale) || moved.rotation_deg().abs() > MOST_TILT_DEG {
        return None;
    }
    let roi = face.roi_in_image;
    let center = moved.apply(roi.center());
    let (width, height) = (roi.width * scale, roi.height * scale);
    let roi_in_image =
        Rect { x: center.x - width / 2.0, y: center.y - height / 2.0, width, height };
    let Seen { probability, landmarks } = *seen;
    Some(Face { roi_in_image, landmarks, probability, ..*face })
}
