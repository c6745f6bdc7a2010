//! Cutting a square out of an image under rotation, scale and shift.

use ndarray::{ArrayViewMut2, ArrayViewMut3, Axis};

use crate::frame::{Encoding, Frame};
use crate::geometry::{Point, Similarity};

/// Samples a side and pixel at most: enough to average faces up to 400 px for a 48 px crop.
const MAX_SAMPLES: usize = 8;

/// Parts of a pixel that positions between pixels are told apart in.
const PARTS: u32 = 256;

/// What the weights of one sample add up to.
const SAMPLE_WEIGHT: u32 = PARTS * PARTS;

// A byte of every sample's full weight fits into 32 bits.
const _: () = assert!((MAX_SAMPLES * MAX_SAMPLES) as u64 * 65_536 * 255 <= u32::MAX as u64);

/// Fills `out` (\[row, column\], square) with grey, 0 to 255. `to_image` maps the square onto the
/// image, in pixels of each; beyond the edges of the image its edge goes on.
///
/// Grey is 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601), as the training images were made.
pub(crate) fn warp_grey(frame: &Frame<'_>, to_image: &Similarity, out: ArrayViewMut2<'_, f32>) {
    let out = out.insert_axis(Axis(0));
    let grey = |[red, green, blue]: [f32; 3]| [0.299 * red + 0.587 * green + 0.114 * blue];
    let first = |[grey, ..]: [f32; 3]| [grey];
    // The usual ones are compiled by themselves, the others together.
    match frame.encoding() {
        Encoding::Mono8 => warp(frame, Encoding::Mono8, to_image, out, first),
        Encoding::Rgb8 => warp(frame, Encoding::Rgb8, to_image, out, grey),
        Encoding::Bgr8 => warp(frame, Encoding::Bgr8, to_image, out, grey),
        Encoding::Uyvy => warp(frame, Encoding::Uyvy, to_image, out, grey),
        Encoding::Yuyv => warp(frame, Encoding::Yuyv, to_image, out, grey),
        Encoding::Nv12 => warp(frame, Encoding::Nv12, to_image, out, grey),
        other => warp(frame, other, to_image, out, grey),
    }
}

/// Fills `out` (\[channel, row, column\], square) with red, green and blue, 0 to 255.
pub(crate) fn warp_rgb(frame: &Frame<'_>, to_image: &Similarity, out: ArrayViewMut3<'_, f32>) {
    match frame.encoding() {
        Encoding::Rgb8 => warp(frame, Encoding::Rgb8, to_image, out, |rgb| rgb),
        Encoding::Bgr8 => warp(frame, Encoding::Bgr8, to_image, out, |rgb| rgb),
        Encoding::Uyvy => warp(frame, Encoding::Uyvy, to_image, out, |rgb| rgb),
        Encoding::Yuyv => warp(frame, Encoding::Yuyv, to_image, out, |rgb| rgb),
        Encoding::Nv12 => warp(frame, Encoding::Nv12, to_image, out, |rgb| rgb),
        other => warp(frame, other, to_image, out, |rgb| rgb),
    }
}

#[inline(always)]
fn warp<const C: usize>(
    frame: &Frame<'_>,
    encoding: Encoding,
    to_image: &Similarity,
    mut out: ArrayViewMut3<'_, f32>,
    channels: impl Fn([f32; 3]) -> [f32; C],
) {
    let (_, rows, columns) = out.dim();
    let pixels = Pixels { frame, encoding };
    // Averaging a grid of samples, about one an image pixel, keeps large faces free of aliasing. A
    // dense grid needs no interpolation between image pixels; a sparse one does.
    let samples = (to_image.scale().round() as usize).clamp(1, MAX_SAMPLES);
    let weight = 1.0 / (samples * samples) as f32 / SAMPLE_WEIGHT as f32;
    // Where the samples of a pixel lie in the image, seen from the pixel's corner.
    let mut offsets = [Point { x: 0.0, y: 0.0 }; MAX_SAMPLES * MAX_SAMPLES];
    let corner = to_image.apply(Point { x: 0.0, y: 0.0 });
    for (i, offset) in offsets.iter_mut().take(samples * samples).enumerate() {
        let part = |step: usize| (step as f32 + 0.5) / samples as f32;
        let sample = to_image.apply(Point { x: part(i % samples), y: part(i / samples) });
        *offset = Point { x: sample.x - corner.x, y: sample.y - corner.y };
    }
    let offsets = &offsets[..samples * samples];
    for row in 0..rows {
        for column in 0..columns {
            let mut sums = [0; 3];
            let corner = to_image.apply(Point { x: column as f32, y: row as f32 });
            for offset in offsets {
                let point = Point { x: corner.x + offset.x, y: corner.y + offset.y };
                if samples <= 2 {
                    pixels.add_between(point, &mut sums);
                } else {
                    pixels.add_nearest(point, &mut sums);
                }
            }
            let values = channels(sums.map(|sum| sum as f32 * weight));
            for (channel, value) in values.into_iter().enumerate() {
                out[[channel, row, column]] = value;
            }
        }
    }
}

struct Pixels<'f, 'a> {
    frame: &'f Frame<'a>,
    encoding: Encoding,
}

impl Pixels<'_, '_> {
    #[inline(always)]
    fn add(&self, x: usize, y: usize, weight: u32, sums: &mut [u32; 3]) {
        let rgb = self.frame.rgb_as(self.encoding, x, y);
        sums.iter_mut().zip(rgb).for_each(|(sum, value)| *sum += weight * u32::from(value));
    }

    /// The last column and row.
    fn last(&self) -> (usize, usize) {
        (self.frame.width_px() as usize - 1, self.frame.height_px() as usize - 1)
    }

    /// Adds the pixel that the point lies in, or the nearest where it lies outside.
    #[inline(always)]
    fn add_nearest(&self, point: Point, sums: &mut [u32; 3]) {
        let (last_x, last_y) = self.last();
        self.add(index(point.x).min(last_x), index(point.y).min(last_y), SAMPLE_WEIGHT, sums);
    }

    /// Adds what lies linearly between the four nearest pixel centres.
    #[inline(always)]
    fn add_between(&self, point: Point, sums: &mut [u32; 3]) {
        let (last_x, last_y) = self.last();
        let parts = PARTS as f32;
        let x = index((point.x - 0.5).clamp(0.0, last_x as f32) * parts + 0.5);
        let y = index((point.y - 0.5).clamp(0.0, last_y as f32) * parts + 0.5);
        let (left, top) = (x / PARTS as usize, y / PARTS as usize);
        let (right, bottom) = ((left + 1).min(last_x), (top + 1).min(last_y));
        let (to_right, to_bottom) = (x as u32 % PARTS, y as u32 % PARTS);
        let (to_left, to_top) = (PARTS - to_right, PARTS - to_bottom);
        self.add(left, top, to_left * to_top, sums);
        self.add(right, top, to_right * to_top, sums);
        self.add(left, bottom, to_left * to_bottom, sums);
        self.add(right, bottom, to_right * to_bottom, sums);
    }
}

/// The whole part; 0 for negative numbers and what is none. By way of 32 bits, which is faster
/// than to `usize`, and wide enough for frames of 2^14 pixels a side in 256 parts.
fn index(coordinate: f32) -> usize {
    (coordinate as i32).max(0) as usize
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, Array3};

    use super::*;

    const SHIFT: Similarity = Similarity { a: 1.0, b: 0.0, tx: 3.0, ty: 1.0 };

    #[test]
    fn a_shift_copies_pixels_and_edges_go_on() {
        let data: Vec<u8> = (0..64).collect();
        let frame = Frame::new(8, 8, 8, Encoding::Mono8, &data).unwrap();
        let mut out = Array2::zeros((6, 6));
        warp_grey(&frame, &SHIFT, out.view_mut());
        assert_eq!(out[[0, 0]], 11.0);
        assert_eq!(out[[1, 2]], 21.0);
        assert_eq!(out[[0, 5]], 15.0, "beyond the right edge");
    }

    #[test]
    fn scaling_down_averages() {
        let data: Vec<u8> =
            (0..32 * 32).map(|i| if (i + i / 32) % 2 == 0 { 0 } else { 200 }).collect();
        let frame = Frame::new(32, 32, 32, Encoding::Mono8, &data).unwrap();
        for factor in [2.0, 4.0] {
            let mut out = Array2::zeros((8, 8));
            let shrink = Similarity { a: factor, b: 0.0, tx: 0.0, ty: 0.0 };
            warp_grey(&frame, &shrink, out.view_mut());
            assert!(out.iter().all(|&v| (v - 100.0).abs() < 1.0), "{factor}: {out:?}");
        }
    }

    #[test]
    fn colours_go_to_their_planes_and_to_grey() {
        let frame_of = |encoding| Frame::new(1, 1, 3, encoding, &[10, 20, 30]).unwrap();
        let one = Similarity { a: 1.0, b: 0.0, tx: 0.0, ty: 0.0 };
        let mut rgb = Array3::zeros((3, 1, 1));
        warp_rgb(&frame_of(Encoding::Bgr8), &one, rgb.view_mut());
        assert_eq!(rgb.iter().copied().collect::<Vec<f32>>(), [30.0, 20.0, 10.0]);
        let mut grey = Array2::zeros((1, 1));
        warp_grey(&frame_of(Encoding::Rgb8), &one, grey.view_mut());
        assert_eq!(grey[[0, 0]], 0.299 * 10.0 + 0.587 * 20.0 + 0.114 * 30.0);
    }

    #[test]
    fn transforms_that_are_not_finite_read_no_memory_outside() {
        let frame = Frame::new(1, 1, 1, Encoding::Mono8, &[5]).unwrap();
        let mut out = Array2::from_elem((2, 2), -1.0);
        let wild = Similarity { a: f32::NAN, b: f32::INFINITY, tx: 1e30, ty: -1e30 };
        warp_grey(&frame, &wild, out.view_mut());
        assert!(out.iter().all(|&value| value == 5.0), "{out}");
    }
}
