//! Faces partly covered, drawn: what a picture of them costs in certainty is measured, not guessed.

use image::{Rgb, RgbImage};
use rapport_perception::geometry::Point;

/// What covers a face.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cover {
    /// A light blue mask over nose, mouth and chin.
    Mask,
    /// A black one.
    BlackMask,
    /// Something of the colour of skin over the mouth.
    Hand,
    /// Dark glasses.
    Sunglasses,
}

impl Cover {
    pub const ALL: [Self; 4] = [Self::Mask, Self::BlackMask, Self::Hand, Self::Sunglasses];

    /// Draws it over a face with these landmarks: eyes, nose, corners of the mouth.
    pub fn draw(self, picture: &mut RgbImage, landmarks: &[Point; 5]) {
        let [left_eye, right_eye, nose, left_mouth, right_mouth] = *landmarks;
        let middle = |a: Point, b: Point| Point { x: (a.x + b.x) / 2.0, y: (a.y + b.y) / 2.0 };
        let (eyes, mouth) = (middle(left_eye, right_eye), middle(left_mouth, right_mouth));
        let unit = (right_eye.x - left_eye.x).hypot(right_eye.y - left_eye.y);
        // Across and down the face, in distances of its eyes, from a point of it.
        let inside = |from: Point, p: Point, across: f32, down: f32| {
            let (x, y) = ((p.x - from.x) / unit, (p.y - from.y) / unit);
            (x / across).powi(2) + (y / down).powi(2) <= 1.0
        };
        let top = eyes.y + 0.65 * (nose.y - eyes.y);
        let chin = mouth.y + 1.5 * (mouth.y - nose.y);
        let covers = |p: Point| match self {
            Self::Mask | Self::BlackMask => {
                let down = (p.y - top) / (chin - top).max(1.0);
                let half = if down < 0.7 { 0.95 - 0.2 * down } else { 2.7 * (1.0 - down) };
                (0.0..=1.0).contains(&down) && (p.x - nose.x).abs() <= half * unit
            }
            Self::Hand => inside(mouth, p, 0.75, 0.5),
            Self::Sunglasses => {
                let bridge =
                    (p.y - eyes.y).abs() < 0.05 * unit && (p.x - eyes.x).abs() < 0.5 * unit;
                bridge || [left_eye, right_eye].iter().any(|eye| inside(*eye, p, 0.42, 0.33))
            }
        };
        let colour = match self {
            Self::Mask => Rgb([170, 200, 220]),
            Self::BlackMask => Rgb([25, 25, 28]),
            Self::Hand => Rgb([196, 150, 125]),
            Self::Sunglasses => Rgb([15, 15, 18]),
        };
        for (x, y, pixel) in picture.enumerate_pixels_mut() {
            if covers(Point { x: x as f32 + 0.5, y: y as f32 + 0.5 }) {
                *pixel = colour;
            }
        }
    }
}
