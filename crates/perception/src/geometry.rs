//! Boxes, points and the similarity transforms between them. Pixels, x to the right, y down.

use serde::{Deserialize, Serialize};

/// A point in pixels; the centre of the top left pixel is at (0.5, 0.5).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Point {
    /// To the right.
    pub x: f32,
    /// Down.
    pub y: f32,
}

/// An upright box in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rect {
    /// Left edge.
    pub x: f32,
    /// Top edge.
    pub y: f32,
    /// Extent to the right, at least 0.
    pub width: f32,
    /// Extent down, at least 0.
    pub height: f32,
}

impl Rect {
    /// The middle of the box.
    pub fn center(&self) -> Point {
        Point { x: self.x + self.width / 2.0, y: self.y + self.height / 2.0 }
    }

    /// Area in square pixels.
    pub fn area(&self) -> f32 {
        self.width * self.height
    }

    /// Area of the overlap over area of the union, 0 to 1. 0 where both are empty.
    pub fn iou(&self, other: &Rect) -> f32 {
        let overlap = self.overlap(other);
        let union = self.area() + other.area() - overlap;
        if union > 0.0 { overlap / union } else { 0.0 }
    }

    /// Area of the overlap over area of the smaller box, 0 to 1. 0 where one is empty.
    pub fn shared_with_smaller(&self, other: &Rect) -> f32 {
        let smaller = self.area().min(other.area());
        if smaller > 0.0 { self.overlap(other) / smaller } else { 0.0 }
    }

    /// Area of the overlap in square pixels.
    fn overlap(&self, other: &Rect) -> f32 {
        let width = (self.x + self.width).min(other.x + other.width) - self.x.max(other.x);
        let height = (self.y + self.height).min(other.y + other.height) - self.y.max(other.y);
        width.max(0.0) * height.max(0.0)
    }

    /// The same box after moving.
    pub fn shifted(&self, dx: f32, dy: f32) -> Rect {
        Rect { x: self.x + dx, y: self.y + dy, ..*self }
    }

    /// The part inside an image of the given size, in whole pixels: (x, y, width, height).
    pub fn clipped(&self, width_px: u32, height_px: u32) -> (u32, u32, u32, u32) {
        let span = |start: f32, length: f32, limit: u32| {
            let from = start.round().clamp(0.0, limit as f32) as u32;
            let to = (start + length).round().clamp(0.0, limit as f32) as u32;
            (from, to.saturating_sub(from))
        };
        let (x, width) = span(self.x, self.width, width_px);
        let (y, height) = span(self.y, self.height, height_px);
        (x, y, width, height)
    }
}

/// A rotation, a uniform scale and a shift: `x' = a x - b y + tx`, `y' = b x + a y + ty`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Similarity {
    /// Scale times the cosine of the rotation.
    pub a: f32,
    /// Scale times the sine of the rotation.
    pub b: f32,
    /// Shift to the right.
    pub tx: f32,
    /// Shift down.
    pub ty: f32,
}

impl Similarity {
    /// Maps the square of `side` pixels onto a square of `length` pixels around `center`.
    pub fn square(center: Point, length: f32, side: usize) -> Self {
        let a = length / side as f32;
        Self { a, b: 0.0, tx: center.x - length / 2.0, ty: center.y - length / 2.0 }
    }

    /// The same with a square of `side` pixels that reaches `factor` times as far around its middle.
    pub fn zoomed(&self, factor: f32, side: usize) -> Self {
        let middle = side as f32 / 2.0;
        let center = self.apply(Point { x: middle, y: middle });
        let (a, b) = (self.a * factor, self.b * factor);
        Self { a, b, tx: center.x - (a - b) * middle, ty: center.y - (a + b) * middle }
    }

    /// The transform that brings `from` closest to `to` in the sense of least squares, or nothing
    /// where the points of `from` coincide or any is not finite.
    ///
    /// In complex numbers, p' = (a + ib) p + t: after moving both sets to their means, a + ib is
    /// the sum of conj(p) q over the sum of |p|^2. The solution of Umeyama (1991) without
    /// reflections, in the plane.
    pub fn fit(from: &[Point], to: &[Point]) -> Option<Self> {
        let count = from.len().min(to.len()) as f32;
        let mean = |points: &[Point]| {
            let sum = points.iter().fold((0.0, 0.0), |sum, p| (sum.0 + p.x, sum.1 + p.y));
            Point { x: sum.0 / count, y: sum.1 / count }
        };
        let (from_mean, to_mean) = (mean(from), mean(to));
        let (mut real, mut imaginary, mut norm) = (0.0, 0.0, 0.0);
        for (p, q) in from.iter().zip(to) {
            let (px, py) = (p.x - from_mean.x, p.y - from_mean.y);
            let (qx, qy) = (q.x - to_mean.x, q.y - to_mean.y);
            real += px * qx + py * qy;
            imaginary += px * qy - py * qx;
            norm += px * px + py * py;
        }
        let (a, b) = (real / norm, imaginary / norm);
        let tx = to_mean.x - a * from_mean.x + b * from_mean.y;
        let ty = to_mean.y - b * from_mean.x - a * from_mean.y;
        let found = Self { a, b, tx, ty };
        (norm > 0.0 && [a, b, tx, ty].iter().all(|v| v.is_finite()) && found.scale() > 0.0)
            .then_some(found)
    }

    /// By how much lengths grow.
    pub fn scale(&self) -> f32 {
        self.a.hypot(self.b)
    }

    /// Rotation in degrees, clockwise as seen in an image.
    pub fn rotation_deg(&self) -> f32 {
        self.b.atan2(self.a).to_degrees()
    }

    /// The transform back, or nothing where this one is not finite or shrinks all to a point.
    pub fn inverse(&self) -> Option<Self> {
        let norm = self.a * self.a + self.b * self.b;
        let (a, b) = (self.a / norm, -self.b / norm);
        let back = Self { a, b, tx: b * self.ty - a * self.tx, ty: -b * self.tx - a * self.ty };
        [back.a, back.b, back.tx, back.ty].iter().all(|v| v.is_finite()).then_some(back)
    }

    /// Where a point goes.
    pub fn apply(&self, p: Point) -> Point {
        Point { x: self.a * p.x - self.b * p.y + self.tx, y: self.b * p.x + self.a * p.y + self.ty }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fit_recovers_a_known_transform() {
        let known = Similarity { a: 1.2, b: -0.7, tx: 30.0, ty: -4.0 };
        let from = [(1.0, 2.0), (8.0, 3.0), (4.0, 9.0)].map(|(x, y)| Point { x, y });
        let found = Similarity::fit(&from, &from.map(|p| known.apply(p))).unwrap();
        for (found, known) in [(found.a, known.a), (found.b, known.b), (found.tx, known.tx)] {
            assert!((found - known).abs() < 1e-4, "{found} for {known}");
        }
        assert_eq!(Similarity::fit(&[from[0]; 3], &from), None);
        assert_eq!(Similarity::fit(&[Point { x: f32::NAN, y: 0.0 }; 3], &from), None);
    }

    #[test]
    fn the_inverse_leads_back_and_is_missing_where_there_is_none() {
        let turn = Similarity { a: 1.2, b: -0.7, tx: 30.0, ty: -4.0 };
        let back = turn.inverse().unwrap().apply(turn.apply(Point { x: 5.0, y: 9.0 }));
        assert!((back.x - 5.0).abs() < 1e-4 && (back.y - 9.0).abs() < 1e-4, "{back:?}");
        assert_eq!(Similarity { a: 0.0, b: 0.0, ..turn }.inverse(), None);
        assert_eq!(Similarity { a: f32::NAN, ..turn }.inverse(), None);
    }

    #[test]
    fn boxes_overlap_and_clip() {
        let a = Rect { x: 0.0, y: 0.0, width: 10.0, height: 10.0 };
        assert_eq!(a.iou(&a), 1.0);
        assert_eq!(a.iou(&a.shifted(5.0, 0.0)), 50.0 / 150.0);
        assert_eq!(a.iou(&a.shifted(20.0, 0.0)), 0.0);
        assert_eq!(a.shifted(-4.0, 6.0).clipped(8, 12), (0, 6, 6, 6));
        assert_eq!(a.shifted(f32::NAN, 50.0).clipped(8, 12), (0, 12, 0, 0));
    }
}
