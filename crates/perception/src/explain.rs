//! Which parts of a face spoke for an expression: the network's evidence maps over the picture.

use ndarray::{Array3, ArrayView2, Axis};

use crate::frame::Frame;
use crate::geometry::{Point, Similarity};
use rapport_vocabulary::{Emotion, LabelSet};

/// Opacity of the heat map where the evidence is greatest.
const MOST_OPAQUE: f32 = 0.65;

/// The evidence maps of one face: the `saliency` output of its crop. Grad-CAM (Selvaraju et al.
/// 2017) before its ReLU, times a constant; `models/emotion.md` tells how that comes about.
#[derive(Debug, Clone, PartialEq)]
pub struct EvidenceMaps {
    /// The labels that the maps are about, in their order.
    pub labels: LabelSet,
    /// \[label, row, column\]. What speaks for a label is above 0, what speaks against it below.
    pub maps: Array3<f32>,
}

impl EvidenceMaps {
    /// The map of one expression, \[row, column\]; nothing if the model does not tell it apart.
    pub fn of(&self, emotion: Emotion) -> Option<ArrayView2<'_, f32>> {
        let index = self.labels.index_of(emotion)?;
        (index < self.maps.len_of(Axis(0))).then(|| self.maps.index_axis(Axis(0), index))
    }
}

/// Why a face was read as it was: its evidence maps, and where they lie in the picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The maps.
    pub maps: EvidenceMaps,
    /// Maps the crop that the network saw, in pixels, onto the picture.
    pub crop_to_image: Similarity,
    /// Side of that crop in pixels.
    pub crop_side_px: usize,
}

impl Explanation {
    /// Evidence for an expression at a point of the picture, as a share of the map's greatest, 0 to
    /// 1; what speaks against it counts as 0. Nothing outside the crop.
    ///
    /// Between the cells' centres it is linear, and the outermost cells go on to the edge.
    pub fn heat(&self, emotion: Emotion, point_in_image: Point) -> Option<f32> {
        let map = self.maps.of(emotion)?;
        let (rows, columns) = map.dim();
        let side = self.crop_side_px as f32;
        let in_crop = self.crop_to_image.inverse()?.apply(point_in_image);
        if map.is_empty() || !(0.0..side).contains(&in_crop.x) || !(0.0..side).contains(&in_crop.y)
        {
            return None;
        }
        let most = map.iter().copied().fold(0.0, f32::max);
        if most <= 0.0 {
            return Some(0.0);
        }
        let cells = |position: f32, count: usize| {
            let cell = (position / side * count as f32 - 0.5).clamp(0.0, count as f32 - 1.0);
            let first = (cell as usize).min(count - 1);
            (first, (first + 1).min(count - 1), cell - first as f32)
        };
        let (left, right, across) = cells(in_crop.x, columns);
        let (top, bottom, down) = cells(in_crop.y, rows);
        let at = |row: usize, column: usize| map[[row, column]];
        let mix = |a: f32, b: f32, share: f32| a + share * (b - a);
        let upper = mix(at(top, left), at(top, right), across);
        let lower = mix(at(bottom, left), at(bottom, right), across);
        Some((mix(upper, lower, down) / most).clamp(0.0, 1.0))
    }

    /// The part of a picture that the crop covers: (left, top, right, bottom) in pixels, the last
    /// two not included.
    fn covers(&self, width_px: u32, height_px: u32) -> (u32, u32, u32, u32) {
        let side = self.crop_side_px as f32;
        let corners = [(0.0, 0.0), (side, 0.0), (0.0, side), (side, side)]
            .map(|(x, y)| self.crop_to_image.apply(Point { x, y }));
        let span = |values: [f32; 4], limit: u32| {
            let least = values.into_iter().fold(f32::INFINITY, f32::min);
            let most = values.into_iter().fold(f32::NEG_INFINITY, f32::max);
            // Casts of negative numbers and NaN give 0.
            ((least.floor() as u32).min(limit), (most.ceil() as u32).min(limit))
        };
        let (left, right) = span(corners.map(|corner| corner.x), width_px);
        let (top, bottom) = span(corners.map(|corner| corner.y), height_px);
        (left, top, right, bottom)
    }
}

/// The frame as packed RGB rows, with the evidence for an expression laid over each face as heat:
/// from nothing through violet and orange to bright yellow where it is greatest.
pub fn draw_heat(frame: &Frame<'_>, faces: &[(Explanation, Emotion)]) -> Vec<u8> {
    let mut rgb = frame.to_rgb();
    let width = frame.width_px();
    for (explanation, emotion) in faces {
        let (left, top, right, bottom) = explanation.covers(width, frame.height_px());
        for y in top..bottom {
            for x in left..right {
                let centre = Point { x: x as f32 + 0.5, y: y as f32 + 0.5 };
                let Some(heat) = explanation.heat(*emotion, centre) else { continue };
                let hot = colorous::INFERNO.eval_continuous(f64::from(heat)).as_array();
                let start = (y as usize * width as usize + x as usize) * 3;
                for (old, hot) in rgb[start..start + 3].iter_mut().zip(hot) {
                    let (from, to) = (f32::from(*old), f32::from(hot));
                    *old = (from + MOST_OPAQUE * heat * (to - from)) as u8;
                }
            }
        }
    }
    rgb
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::frame::Encoding;

    /// A 2x2 map for angry, hot in its right upper cell, over a crop of 8 px, turned and doubled.
    fn explanation() -> Explanation {
        let labels = LabelSet::seven();
        let mut maps = Array3::zeros((labels.len(), 2, 2));
        maps.index_axis_mut(Axis(0), 0).assign(&array![[0.0, 4.0], [-3.0, 2.0]]);
        Explanation {
            maps: EvidenceMaps { labels, maps },
            crop_to_image: Similarity { a: 0.0, b: 2.0, tx: 30.0, ty: 10.0 },
            crop_side_px: 8,
        }
    }

    fn heat_at(x: f32, y: f32) -> Option<f32> {
        let explanation = explanation();
        explanation.heat(Emotion::Angry, explanation.crop_to_image.apply(Point { x, y }))
    }

    #[test]
    fn heat_is_linear_between_cells_and_ends_with_the_crop() {
        let near = |found: Option<f32>, expected: f32| {
            assert!((found.unwrap() - expected).abs() < 1e-5, "{found:?} for {expected}");
        };
        near(heat_at(6.0, 2.0), 1.0);
        near(heat_at(7.9, 0.1), 1.0);
        near(heat_at(4.0, 2.0), 0.5);
        near(heat_at(6.0, 4.0), 0.75);
        near(heat_at(2.0, 6.0), 0.0);
        assert_eq!(heat_at(-0.1, 2.0), None);
        assert_eq!(heat_at(6.0, 8.1), None);
    }

    #[test]
    fn no_evidence_is_no_heat_and_a_wild_transform_draws_nothing() {
        let mut explanation = explanation();
        let centre = explanation.crop_to_image.apply(Point { x: 4.0, y: 4.0 });
        assert_eq!(explanation.heat(Emotion::Sad, centre), Some(0.0));
        explanation.crop_to_image =
            Similarity { a: f32::NAN, b: f32::INFINITY, tx: 1e30, ty: -1e30 };
        let data = [100; 12];
        let frame = Frame::new(2, 2, 6, Encoding::Rgb8, &data).unwrap();
        assert_eq!(draw_heat(&frame, &[(explanation, Emotion::Angry)]), data);
    }

    #[test]
    fn only_the_crop_is_drawn_over() {
        let data = vec![100; 40 * 40 * 3];
        let frame = Frame::new(40, 40, 120, Encoding::Rgb8, &data).unwrap();
        let drawn = draw_heat(&frame, &[(explanation(), Emotion::Angry)]);
        let changed = |x: usize, y: usize| drawn[(y * 40 + x) * 3..][..3] != [100; 3];
        // The hot cell's centre, (6, 2) of the crop, lies at (26, 22) of the picture.
        assert!(changed(26, 22));
        assert!(!changed(31, 22) && !changed(26, 8) && !changed(5, 5));
    }
}
