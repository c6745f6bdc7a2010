//! YuNet, a small single-shot face detector (Wu, Peng and Yu, "YuNet: A Tiny Millisecond-level
//! Face Detector", 2023), as `models/yunet.md` describes it.

use std::path::Path;

use super::{Face, Landmarks, WorkingImage};
use crate::geometry::{Point, Rect};
use crate::onnx::{ModelError, Network, RuntimeOptions, Tensor};

/// Cell sizes of the three output grids in pixels, in the order of the outputs.
const STRIDES_PX: [usize; 3] = [8, 16, 32];

/// The face finder.
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
        network.expect_input("image", &[Some(1), Some(3), None, None])?;
        network.expect_output("scores", &[Some(1), Some(1), None])?;
        network.expect_output("boxes", &[Some(1), Some(4), None])?;
        network.expect_output("landmarks", &[Some(1), Some(10), None])?;
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
        let faces =
            self.network.run([1, 3, height, width], image.planes(), &outputs, |outputs| {
                decode(outputs, width, height, min_score)
            })?;
        let mut faces = faces.ok_or_else(|| {
            let expected = format!("one value a cell of a {width}x{height} image");
            self.network.contract("size of an output", "another".to_owned(), expected)
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

/// Reads faces in working pixels off the outputs; nothing if these do not have one value for each
/// cell and channel. Values that are not finite are passed over.
///
/// Cells follow each other by stride, then row by row. Box centre and landmarks are offsets from
/// the cell's corner in strides; the box's sides are exponents of e, in strides.
fn decode(
    outputs: &[Tensor<'_>],
    width: usize,
    height: usize,
    min_score: f32,
) -> Option<Vec<Face>> {
    let &[scores, boxes, landmarks] = outputs else {
        return None;
    };
    let cells: usize = STRIDES_PX.iter().map(|s| (width / s) * (height / s)).sum();
    if [scores, boxes, landmarks].map(|t| t.data.len()) != [cells, 4 * cells, 10 * cells] {
        return None;
    }
    let mut faces = Vec::new();
    let mut first = 0;
    for stride in STRIDES_PX {
        let (columns, rows) = (width / stride, height / stride);
        for (index, &score) in scores.data[first..first + columns * rows].iter().enumerate() {
            if score < min_score {
                continue;
            }
            let (column, row) = ((index % columns) as f32, (index / columns) as f32);
            let unit = stride as f32;
            let offset = |channel: usize| boxes.data[channel * cells + first + index];
            let (cx, cy) = ((column + offset(0)) * unit, (row + offset(1)) * unit);
            let (w, h) = (offset(2).exp() * unit, offset(3).exp() * unit);
            let point = |i: usize| Point {
                x: (column + landmarks.data[2 * i * cells + first + index]) * unit,
                y: (row + landmarks.data[(2 * i + 1) * cells + first + index]) * unit,
            };
            let landmarks: Landmarks = [point(0), point(1), point(2), point(3), point(4)];
            let finite = [score, cx, cy, w, h].iter().all(|v| v.is_finite())
                && landmarks.iter().all(|p| p.x.is_finite() && p.y.is_finite());
            if finite {
                let roi_in_image = Rect { x: cx - w / 2.0, y: cy - h / 2.0, width: w, height: h };
                faces.push(Face { roi_in_image, score, landmarks });
            }
        }
        first += columns * rows;
    }
    Some(faces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_decoded_by_its_stride_and_bad_numbers_are_passed_over() {
        // 32x32: 16 cells of stride 8, 4 of stride 16, 1 of stride 32.
        let cells = 21;
        let (mut scores, mut boxes, landmarks) =
            (vec![0.0; cells], vec![0.0; 4 * cells], vec![0.5; 10 * cells]);
        let cell = 16 + 3; // stride 16, column 1, row 1
        scores[cell] = 0.9;
        boxes[cell] = 0.5;
        boxes[cells + cell] = 0.25;
        boxes[2 * cells + cell] = 2f32.ln();
        scores[2] = 0.8;
        boxes[2] = f32::NAN;
        let tensor = |data| Tensor { shape: &[], data };
        let outputs = [tensor(&scores), tensor(&boxes), tensor(&landmarks)];
        let faces = decode(&outputs, 32, 32, 0.5).unwrap();
        assert_eq!(faces.len(), 1);
        let expected = Rect { x: 24.0 - 16.0, y: 20.0 - 8.0, width: 32.0, height: 16.0 };
        assert_eq!(faces[0].roi_in_image, expected);
        assert_eq!(faces[0].landmarks[4], Point { x: 24.0, y: 24.0 });
        assert_eq!(decode(&outputs, 64, 32, 0.5), None);
    }
}
