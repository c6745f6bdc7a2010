//! Cutting a square out of an image under rotation, scale and shift.

use crate::frame::{Encoding, Frame};
use crate::geometry::{Point, Similarity};

/// Samples a side and pixel at most: enough to average faces up to 400 px for a 48 px crop.
const MAX_SAMPLES: usize = 8;

/// Appends a square of `side` pixels of grey, 0 to 255, to `out`. `to_image` maps the square onto
/// the image; beyond the edges, the edge goes on.
///
/// Grey is 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601), as the training images were made.
pub(crate) fn warp_grey(frame: &Frame<'_>, to_image: &Similarity, side: usize, out: &mut Vec<f32>) {
    let grey = |rgb: [u8; 3]| {
        let [red, green, blue] = rgb.map(f32::from);
        [0.299 * red + 0.587 * green + 0.114 * blue]
    };
    match frame.encoding() {
        Encoding::Mono8 => {
            warp(frame, Encoding::Mono8, to_image, side, out, |[y, ..]| [f32::from(y)])
        }
        Encoding::Rgb8 => warp(frame, Encoding::Rgb8, to_image, side, out, grey),
        Encoding::Bgr8 => warp(frame, Encoding::Bgr8, to_image, side, out, grey),
        other => warp(frame, other, to_image, side, out, grey),
    }
}

/// Appends a square of `side` pixels, planes of red, green and blue, 0 to 255, to `out`.
pub(crate) fn warp_rgb(frame: &Frame<'_>, to_image: &Similarity, side: usize, out: &mut Vec<f32>) {
    let rgb = |rgb: [u8; 3]| rgb.map(f32::from);
    // The two usual ones are compiled by themselves, the others together.
    match frame.encoding() {
        Encoding::Rgb8 => warp(frame, Encoding::Rgb8, to_image, side, out, rgb),
        Encoding::Bgr8 => warp(frame, Encoding::Bgr8, to_image, side, out, rgb),
        other => warp(frame, other, to_image, side, out, rgb),
    }
}

#[inline(always)]
fn warp<const C: usize>(
    frame: &Frame<'_>,
    encoding: Encoding,
    to_image: &Similarity,
    side: usize,
    out: &mut Vec<f32>,
    channels: impl Fn([u8; 3]) -> [f32; C],
) {
    let start = out.len();
    out.resize(start + C * side * side, 0.0);
    let out = &mut out[start..];
    let pixels = Pixels { frame, encoding, channels };
    // Averaging a grid of samples, about one an image pixel, keeps large faces free of aliasing. A
    // dense grid needs no interpolation between image pixels; a sparse one does.
    let samples = (to_image.scale().round() as usize).clamp(1, MAX_SAMPLES);
    let weight = 1.0 / (samples * samples) as f32;
    for row in 0..side {
        for column in 0..side {
            let mut sum = [0.0; C];
            for i in 0..samples * samples {
                let offset = |step: usize| (step as f32 + 0.5) / samples as f32;
                let point = to_image.apply(Point {
                    x: column as f32 + offset(i % samples),
                    y: row as f32 + offset(i / samples),
                });
                let value =
                    if samples <= 2 { pixels.between(point) } else { pixels.nearest(point) };
                sum.iter_mut().zip(value).for_each(|(sum, value)| *sum += value);
            }
            for (channel, sum) in sum.into_iter().enumerate() {
                out[channel * side * side + row * side + column] = sum * weight;
            }
        }
    }
}

struct Pixels<'f, 'a, F> {
    frame: &'f Frame<'a>,
    encoding: Encoding,
    channels: F,
}

impl<const C: usize, F: Fn([u8; 3]) -> [f32; C]> Pixels<'_, '_, F> {
    /// The pixel at these indices, moved to the nearest edge where they lie outside. Casts of
    /// negative numbers and NaN give 0.
    fn at(&self, x: f32, y: f32) -> [f32; C] {
        let x = (x as usize).min(self.frame.width_px() as usize - 1);
        let y = (y as usize).min(self.frame.height_px() as usize - 1);
        (self.channels)(self.frame.rgb_as(self.encoding, x, y))
    }

    fn nearest(&self, point: Point) -> [f32; C] {
        self.at(point.x, point.y)
    }

    /// Linear between the four nearest pixel centres.
    fn between(&self, point: Point) -> [f32; C] {
        let (x, y) = (point.x - 0.5, point.y - 0.5);
        let (left, top) = (x.floor(), y.floor());
        let (fx, fy) = (x - left, y - top);
        let corners = [
            ((1.0 - fx) * (1.0 - fy), self.at(left, top)),
            (fx * (1.0 - fy), self.at(left + 1.0, top)),
            ((1.0 - fx) * fy, self.at(left, top + 1.0)),
            (fx * fy, self.at(left + 1.0, top + 1.0)),
        ];
        let mut sum = [0.0; C];
        for (weight, value) in corners {
            sum.iter_mut().zip(value).for_each(|(sum, value)| *sum += weight * value);
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHIFT: Similarity = Similarity { a: 1.0, b: 0.0, tx: 3.0, ty: 1.0 };

    #[test]
    fn a_shift_copies_pixels_and_edges_go_on() {
        let data: Vec<u8> = (0..64).collect();
        let frame = Frame::new(8, 8, 8, Encoding::Mono8, &data).unwrap();
        let mut out = vec![7.0];
        warp_grey(&frame, &SHIFT, 6, &mut out);
        assert_eq!(out.len(), 37);
        assert_eq!(out[0], 7.0);
        assert_eq!(out[1], 11.0);
        assert_eq!(out[1 + 6 + 2], 21.0);
        assert_eq!(out[1 + 5], 15.0, "beyond the right edge");
    }

    #[test]
    fn scaling_down_averages() {
        let data: Vec<u8> =
            (0..32 * 32).map(|i| if (i + i / 32) % 2 == 0 { 0 } else { 200 }).collect();
        let frame = Frame::new(32, 32, 32, Encoding::Mono8, &data).unwrap();
        for factor in [2.0, 4.0] {
            let mut out = Vec::new();
            let shrink = Similarity { a: factor, b: 0.0, tx: 0.0, ty: 0.0 };
            warp_grey(&frame, &shrink, 8, &mut out);
            assert!(out.iter().all(|&v| (v - 100.0).abs() < 1.0), "{factor}: {out:?}");
        }
    }

    #[test]
    fn colours_go_to_their_planes_and_to_grey() {
        let frame_of = |encoding| Frame::new(1, 1, 3, encoding, &[10, 20, 30]).unwrap();
        let one = Similarity { a: 1.0, b: 0.0, tx: 0.0, ty: 0.0 };
        let mut out = Vec::new();
        warp_rgb(&frame_of(Encoding::Bgr8), &one, 1, &mut out);
        warp_grey(&frame_of(Encoding::Rgb8), &one, 1, &mut out);
        assert_eq!(out, [30.0, 20.0, 10.0, 0.299 * 10.0 + 0.587 * 20.0 + 0.114 * 30.0]);
    }

    #[test]
    fn transforms_that_are_not_finite_read_no_memory_outside() {
        let frame = Frame::new(1, 1, 1, Encoding::Mono8, &[5]).unwrap();
        let mut out = Vec::new();
        let wild = Similarity { a: f32::NAN, b: f32::INFINITY, tx: 1e30, ty: -1e30 };
        warp_grey(&frame, &wild, 2, &mut out);
        assert_eq!(out.len(), 4);
    }
}
