//! YuNet, a small single-shot face detector (Wu, Peng and Yu, "YuNet: A Tiny Millisecond-level
//! Face Detector", 2023), as `models/yunet.md` describes it.

use std::path::Path;

use ndarray::ArrayView3;

use super::{Face, Landmarks, WorkingImage};
use crate::geometry::{Point, Rect};
use crate::onnx::{Axes, ModelError, Network, RuntimeOptions};

/// Cell sizes of the three output grids in pixels, in the order of the outputs.
const STRIDES_PX: [usize; 3] = [8, 16, 32];

/// Finds faces in a whole image.
#[derive(Debug)]
pub struct YuNet {
    network: Network,
}

impl YuNet {
    /// Loads the network.
    ///
    /// # Errors
    /// If it does not load or is another network.
    pub fn load(path: &Path, options: &RuntimeOptions) -> Result<Self, ModelError> {
        let network = Network::load(path, options)?;
        let image = [("image", Some(1)), ("channel", Some(3)), ("row", None), ("column", None)];
        network.expect_input("image", Axes(image))?;
        network.expect_output("scores", output_axes(1, None))?;
        network.expect_output("boxes", output_axes(4, None))?;
        network.expect_output("landmarks", output_axes(10, None))?;
        Ok(Self { network })
    }

    /// The network, for its timing.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Finds faces that score `min_score` (0 to 1) or more, before suppression of overlaps, in
    /// pixels of the frame that the working image was made from.
    ///
    /// # Errors
    /// If inference fails.
    pub fn find(&mut self, image: &WorkingImage, min_score: f32) -> Result<Vec<Face>, ModelError> {
        let (width, height) = image.padded_size();
        let outputs = ["scores", "boxes", "landmarks"];
        let mut faces =
            self.network.run(image.planes(), outputs, |[scores, boxes, landmarks]| {
                let cells = Some(grids(width, height).map(|grid| grid.columns * grid.rows).sum());
                Ok(decode(
                    output_axes(1, cells).view("scores", scores)?,
                    output_axes(4, cells).view("boxes", boxes)?,
                    output_axes(10, cells).view("landmarks", landmarks)?,
                    (width, height),
                    min_score,
                ))
            })?;
        for face in &mut faces {
            let roi = &mut face.roi_in_image;
            let corner = image.to_image(roi.x, roi.y);
            let size = image.to_image(roi.width, roi.height);
            *roi = Rect { x: corner.x, y: corner.y, width: size.x, height: size.y };
            face.landmarks = face.landmarks.map(|p| image.to_image(p.x, p.y));
        }
        Ok(faces)
    }
}

fn output_axes(values: usize, cells: Option<usize>) -> Axes<3> {
    Axes([("image", Some(1)), ("value", Some(values)), ("cell", cells)])
}

/// One of the grids that cover the image.
struct Grid {
    stride_px: usize,
    columns: usize,
    rows: usize,
}

fn grids(width: usize, height: usize) -> impl Iterator<Item = Grid> {
    STRIDES_PX.into_iter().map(move |stride_px| Grid {
        stride_px,
        columns: width / stride_px,
        rows: height / stride_px,
    })
}

/// Reads faces, in working pixels, off the outputs. Values that are not finite are skipped.
///
/// Cells follow each other by stride, then row by row. Box centre and landmarks are offsets from
/// the cell's corner in strides; the box's sides are exponents of e, in strides.
fn decode(
    scores: ArrayView3<'_, f32>,
    boxes: ArrayView3<'_, f32>,
    landmarks: ArrayView3<'_, f32>,
    (width, height): (usize, usize),
    min_score: f32,
) -> Vec<Face> {
    let cells = grids(width, height).flat_map(|Grid { stride_px, columns, rows }| {
        (0..rows * columns).map(move |cell| (stride_px as f32, cell % columns, cell / columns))
    });
    let mut faces = Vec::new();
    for (cell, (unit, column, row)) in cells.enumerate() {
        let score = scores[[0, 0, cell]];
        if score < min_score {
            continue;
        }
        let (column, row) = (column as f32, row as f32);
        let offset = |value: usize| boxes[[0, value, cell]];
        let (cx, cy) = ((column + offset(0)) * unit, (row + offset(1)) * unit);
        let (w, h) = (offset(2).exp() * unit, offset(3).exp() * unit);
        let landmarks: Landmarks = std::array::from_fn(|i| Point {
            x: (column + landmarks[[0, 2 * i, cell]]) * unit,
            y: (row + landmarks[[0, 2 * i + 1, cell]]) * unit,
        });
        let finite = [score, cx, cy, w, h].iter().all(|v| v.is_finite())
            && landmarks.iter().all(|p| p.x.is_finite() && p.y.is_finite());
        if finite {
            let roi_in_image = Rect { x: cx - w / 2.0, y: cy - h / 2.0, width: w, height: h };
            faces.push(Face { roi_in_image, score, probability: 1.0, landmarks });
        }
    }
    faces
}

#[cfg(test)]
mod tests {
    use ndarray::Array3;

    use super::*;

    #[test]
    fn a_cell_is_decoded_by_its_stride_and_bad_numbers_are_skipped() {
        // 32x32: 16 cells of stride 8, 4 of stride 16, 1 of stride 32.
        let cells = 21;
        let mut scores = Array3::zeros((1, 1, cells));
        let mut boxes = Array3::zeros((1, 4, cells));
        let landmarks = Array3::from_elem((1, 10, cells), 0.5);
        let cell = 16 + 3; // stride 16, column 1, row 1
        scores[[0, 0, cell]] = 0.9;
        boxes[[0, 0, cell]] = 0.5;
        boxes[[0, 1, cell]] = 0.25;
        boxes[[0, 2, cell]] = 2f32.ln();
        scores[[0, 0, 2]] = 0.8;
        boxes[[0, 0, 2]] = f32::NAN;
        let faces = decode(scores.view(), boxes.view(), landmarks.view(), (32, 32), 0.5);
        assert_eq!(faces.len(), 1);
        let expected = Rect { x: 24.0 - 16.0, y: 20.0 - 8.0, width: 32.0, height: 16.0 };
        assert_eq!(faces[0].roi_in_image, expected);
        assert_eq!(faces[0].landmarks[4], Point { x: 24.0, y: 24.0 });
    }

    #[test]
    fn outputs_of_another_size_are_named() {
        let scores = Array3::<f32>::zeros((1, 1, 20));
        let error = output_axes(1, Some(21)).view("scores", scores.view().into_dyn()).unwrap_err();
        let expected = "`scores` has shape [1, 1, 20], expected [image=1, value=1, cell=21]";
        assert_eq!(error.to_string(), expected);
    }
}
