//! The image at the size that the detector works on: scaled down, padded, as planes of floats.

use ndarray::{Array4, ArrayView4, s};

use super::resample::{Axis, Sums, scale_channel, scale_colours, scale_rows};
use crate::exposure::{denoise, search_gain};
use crate::frame::{Encoding, Frame, yuv_to_rgb};
use crate::geometry::Point;
use crate::zones::Zones;

/// The network's coarsest stride: both sides of its input are multiples of it.
const ALIGNMENT_PX: usize = 32;

/// A picture whose sides are at most this long is doubled, if the working size has room: a face of 24 px
/// scores 0.35 to 0.86 as it is and 0.9 at twice the size, and so small a picture costs little.
const DOUBLED_PX: u32 = 160;

/// The largest size that the detector works on. Images are scaled down to fit; up, to twice their
/// size, only pictures of at most 160 px a side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkingSize {
    /// Greatest width in pixels.
    pub width_px: u32,
    /// Greatest height in pixels.
    pub height_px: u32,
}

impl Default for WorkingSize {
    /// 480x360: half the cost of 640x480; a face 60 px tall in 640x480 is still 45 px tall.
    fn default() -> Self {
        Self { width_px: 480, height_px: 360 }
    }
}

impl std::str::FromStr for WorkingSize {
    type Err = String;

    /// Reads `WIDTHxHEIGHT`. The error says what was expected.
    fn from_str(text: &str) -> Result<Self, String> {
        let sides =
            text.split_once('x').and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
        match sides {
            Some((width_px, height_px))
                if (32..=Frame::MAX_SIDE_PX).contains(&width_px)
                    && (32..=Frame::MAX_SIDE_PX).contains(&height_px) =>
            {
                Ok(Self { width_px, height_px })
            }
            _ => Err(format!("expected WIDTHxHEIGHT, each 32 to {}", Frame::MAX_SIDE_PX)),
        }
    }
}

/// Buffers for the scaled image, kept from frame to frame.
#[derive(Debug)]
pub struct WorkingImage {
    planes: Array4<f32>,
    /// Size of the part that holds the image, (width, height) in pixels. The planes are larger: both
    /// their sides are multiples of the alignment.
    content: (usize, usize),
    /// Image pixels per working pixel.
    scale_x: f32,
    scale_y: f32,
    /// How pixels, and colours at half the resolution, come to the working size.
    across: Axis,
    down: Axis,
    half_across: Axis,
    half_down: Axis,
    sums: Sums,
    /// A row that had to be brought to one byte a channel first.
    converted: Vec<u8>,
}

impl Default for WorkingImage {
    fn default() -> Self {
        let axis = Axis::new(1, 1);
        Self {
            planes: Array4::zeros((1, 3, 0, 0)),
            content: (0, 0),
            scale_x: 1.0,
            scale_y: 1.0,
            across: axis.clone(),
            down: axis.clone(),
            half_across: axis.clone(),
            half_down: axis,
            sums: Sums::default(),
            converted: Vec::new(),
        }
    }
}

impl WorkingImage {
    /// Scales the frame into the working size and lays it out for the network.
    pub fn fill(&mut self, frame: &Frame<'_>, size: WorkingSize) {
        let (width_px, height_px) = (frame.width_px(), frame.height_px());
        let fitting = (f64::from(size.width_px) / f64::from(width_px))
            .min(f64::from(size.height_px) / f64::from(height_px));
        let is_small = width_px.max(height_px) <= DOUBLED_PX && fitting >= 2.0;
        let scale = if is_small { 2.0 } else { fitting.min(1.0) };
        let side = |px: u32| ((f64::from(px) * scale).round() as u32).max(1) as usize;
        let (width, height) = (side(width_px), side(height_px));
        self.scale_x = width_px as f32 / width as f32;
        self.scale_y = height_px as f32 / height as f32;
        self.reserve(width, height);
        let (from_width, from_height) = (width_px as usize, height_px as usize);
        keep_or_make(&mut self.across, from_width, width);
        keep_or_make(&mut self.down, from_height, height);
        // Only the encodings that have such colours read these; of odd sizes there are none then.
        keep_or_make(&mut self.half_across, from_width.div_ceil(2), width);
        keep_or_make(&mut self.half_down, from_height.div_ceil(2), height);
        match frame.encoding() {
            Encoding::Rgb8 => self.fill_colours::<3>(frame, [2, 1, 0]),
            Encoding::Bgr8 => self.fill_colours::<3>(frame, [0, 1, 2]),
            Encoding::Rgba8 => self.fill_colours::<4>(frame, [2, 1, 0]),
            Encoding::Bgra8 => self.fill_colours::<4>(frame, [0, 1, 2]),
            Encoding::BayerRggb8
            | Encoding::BayerBggr8
            | Encoding::BayerGbrg8
            | Encoding::BayerGrbg8 => self.fill_mosaic(frame),
            Encoding::Mono8 | Encoding::Mono16(_) => self.fill_grey(frame),
            Encoding::Uyvy => self.fill_yuv422(frame, [1, 0, 2]),
            Encoding::Yuyv => self.fill_yuv422(frame, [0, 1, 3]),
            Encoding::Nv12 => self.fill_yuv420(frame, [0, 1]),
            Encoding::Nv21 => self.fill_yuv420(frame, [1, 0]),
            Encoding::Nv24
            | Encoding::Rgb16(_)
            | Encoding::Bgr16(_)
            | Encoding::Rgba16(_)
            | Encoding::Bgra16(_)
            | Encoding::BayerRggb16(_)
            | Encoding::BayerBggr16(_)
            | Encoding::BayerGbrg16(_)
            | Encoding::BayerGrbg16(_) => self.fill_converted(frame),
        }
    }

    /// Makes zones black.
    pub fn blank(&mut self, zones: &Zones) {
        let (width, height) = self.content;
        let planes = &mut self.planes;
        zones.stretches(width, height, |row, columns| {
            planes.slice_mut(s![0, .., row, columns]).fill(0.0);
        });
    }

    /// Brings the image to a normal exposure, where it is darker.
    pub fn expose(&mut self) {
        let (width, height) = self.content;
        let mut content = self.planes.slice_mut(s![0, .., ..height, ..width]);
        let gain = search_gain(content.view());
        if gain > 1.0 {
            content.mapv_inplace(|value| (value * gain).min(255.0));
            // The gain raises the noise too, and hides more faces by that than it shows.
            content.axis_iter_mut(ndarray::Axis(0)).for_each(denoise);
        }
    }

    /// Blue, green and red, 0 to 255, as \[image, channel, row, column\]; the padding is 0.
    pub fn planes(&self) -> ArrayView4<'_, f32> {
        self.planes.view()
    }

    /// Width and height of the planes in pixels.
    pub fn padded_size(&self) -> (usize, usize) {
        let (_, _, height, width) = self.planes.dim();
        (width, height)
    }

    /// Width and height in pixels of the part that holds the image.
    pub fn content_size(&self) -> (usize, usize) {
        self.content
    }

    /// Where a point of the working image lies in the frame.
    pub fn to_image(&self, x: f32, y: f32) -> Point {
        Point { x: x * self.scale_x, y: y * self.scale_y }
    }

    /// Makes room for content of this size. The padding is 0; the content is whatever it was.
    fn reserve(&mut self, content_width: usize, content_height: usize) {
        if self.content == (content_width, content_height) {
            return;
        }
        self.content = (content_width, content_height);
        let [height, width] =
            [content_height, content_width].map(|px| px.next_multiple_of(ALIGNMENT_PX));
        self.planes = Array4::zeros((1, 3, height, width));
    }

    /// `planes_of` says in which plane each of the first three channels belongs.
    fn fill_colours<const CHANNELS: usize>(&mut self, frame: &Frame<'_>, planes_of: [usize; 3]) {
        let Self { across, down, sums, .. } = self;
        let mut planes = Planes::of(&mut self.planes, self.content.0);
        scale_rows(
            down,
            sums,
            |y, with| with(frame.row(y)),
            |y, row| {
                let [first, second, third] = planes.row(y);
                let rows = match planes_of {
                    [0, _, _] => [first, second, third],
                    _ => [third, second, first],
                };
                scale_colours::<CHANNELS>(across, row, rows);
            },
        );
    }

    fn fill_mosaic(&mut self, frame: &Frame<'_>) {
        let Self { across, down, sums, converted, .. } = self;
        let mut planes = Planes::of(&mut self.planes, self.content.0);
        let width = frame.width_px() as usize;
        let mut converted_row = None;
        let row = |y: usize, with: &mut dyn FnMut(&[u8])| {
            // Rows are asked for twice where they lie in two new ones.
            if converted_row != Some(y) {
                frame.mosaic_row(y, converted);
                converted_row = Some(y);
            }
            with(converted);
        };
        scale_rows(down, sums, row, |y, row| {
            let [blue, green, red] = planes.row(y);
            scale_channel::<1>(across, row, 0, red);
            scale_channel::<1>(across, row, width, green);
            scale_channel::<1>(across, row, 2 * width, blue);
        });
    }

    /// By way of a row of red, green and blue: for what few cameras send.
    fn fill_converted(&mut self, frame: &Frame<'_>) {
        let Self { across, down, sums, converted, .. } = self;
        let mut planes = Planes::of(&mut self.planes, self.content.0);
        let mut converted_row = None;
        let row = |y: usize, with: &mut dyn FnMut(&[u8])| {
            if converted_row != Some(y) {
                frame.rgb_row(y, converted);
                converted_row = Some(y);
            }
            with(converted);
        };
        scale_rows(down, sums, row, |y, row| {
            let [blue, green, red] = planes.row(y);
            scale_colours::<3>(across, row, [red, green, blue]);
        });
    }

    fn fill_grey(&mut self, frame: &Frame<'_>) {
        let Self { across, down, sums, converted, .. } = self;
        let mut planes = Planes::of(&mut self.planes, self.content.0);
        let packed = frame.encoding() == Encoding::Mono8;
        let row = |y: usize, with: &mut dyn FnMut(&[u8])| {
            if packed {
                return with(frame.row(y));
            }
            frame.mono16_row(y, converted);
            with(converted);
        };
        scale_rows(down, sums, row, |y, row| {
            let [blue, green, red] = planes.row(y);
            scale_channel::<1>(across, row, 0, blue);
            green.copy_from_slice(blue);
            red.copy_from_slice(blue);
        });
    }

    /// `offsets` of Y, U and V in the four bytes of two pixels.
    fn fill_yuv422(&mut self, frame: &Frame<'_>, offsets: [usize; 3]) {
        let Self { across, half_across, down, sums, .. } = self;
        let mut planes = Planes::of(&mut self.planes, self.content.0);
        scale_rows(
            down,
            sums,
            |y, with| with(frame.row(y)),
            |y, row| {
                let [brightness, u, v] = planes.row(y);
                scale_channel::<2>(across, row, offsets[0], brightness);
                scale_channel::<4>(half_across, row, offsets[1], u);
                scale_channel::<4>(half_across, row, offsets[2], v);
                yuv_to_bgr(brightness, u, v);
            },
        );
    }

    /// `offsets` of U and V in the two bytes of four pixels.
    fn fill_yuv420(&mut self, frame: &Frame<'_>, offsets: [usize; 2]) {
        let Self { across, half_across, down, half_down, sums, .. } = self;
        let mut planes = Planes::of(&mut self.planes, self.content.0);
        let rows = frame.height_px() as usize;
        scale_rows(
            half_down,
            sums,
            |y, with| with(frame.row(rows + y)),
            |y, row| {
                let [_, u, v] = planes.row(y);
                scale_channel::<2>(half_across, row, offsets[0], u);
                scale_channel::<2>(half_across, row, offsets[1], v);
            },
        );
        scale_rows(
            down,
            sums,
            |y, with| with(frame.row(y)),
            |y, row| {
                let [brightness, u, v] = planes.row(y);
                scale_channel::<1>(across, row, 0, brightness);
                yuv_to_bgr(brightness, u, v);
            },
        );
    }
}

fn keep_or_make(axis: &mut Axis, from: usize, to: usize) {
    if !axis.fits(from, to) {
        *axis = Axis::new(from, to);
    }
}

/// Rows of Y, U and V become rows of blue, green and red.
fn yuv_to_bgr(y: &mut [f32], u: &mut [f32], v: &mut [f32]) {
    for ((y, u), v) in y.iter_mut().zip(u).zip(v) {
        let [red, green, blue] = yuv_to_rgb([*y, *u, *v]);
        (*y, *u, *v) = (blue, green, red);
    }
}

/// The three planes, to be written row by row. As slices: this is where most time outside the
/// networks goes.
struct Planes<'p> {
    planes: [&'p mut [f32]; 3],
    width: usize,
    content_width: usize,
}

impl<'p> Planes<'p> {
    fn of(planes: &'p mut Array4<f32>, content_width: usize) -> Self {
        let (_, _, height, width) = planes.dim();
        // Always contiguous: it was made so by `reserve`.
        let all = planes.as_slice_mut().unwrap_or_default();
        let (first, rest) = all.split_at_mut(width * height);
        let (second, third) = rest.split_at_mut(width * height);
        Self { planes: [first, second, third], width, content_width }
    }

    /// A row of each plane, without the padding.
    fn row(&mut self, y: usize) -> [&mut [f32]; 3] {
        let start = y * self.width;
        let content = start..start + self.content_width;
        self.planes.each_mut().map(|plane| &mut plane[content.clone()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(frame: &Frame<'_>, width_px: u32, height_px: u32) -> WorkingImage {
        let mut image = WorkingImage::default();
        image.fill(frame, WorkingSize { width_px, height_px });
        image
    }

    #[test]
    fn an_image_that_fits_is_copied_and_padded() {
        let data: Vec<u8> = (0..40 * 20 * 3).map(|i| (i % 251) as u8).collect();
        let frame = Frame::new(40, 20, 120, Encoding::Rgb8, &data).unwrap();
        let image = filled(&frame, 64, 30);
        assert_eq!(image.padded_size(), (64, 32));
        let [r, g, b] = frame.rgb(7, 5);
        let at = |channel: usize| image.planes()[[0, channel, 5, 7]];
        assert_eq!([at(2), at(1), at(0)], [r, g, b].map(f32::from));
        assert_eq!(image.planes()[[0, 0, 0, 40]], 0.0);
        assert_eq!(image.planes()[[0, 0, 20, 0]], 0.0);
    }

    #[test]
    fn a_small_picture_is_doubled_where_there_is_room() {
        let data: Vec<u8> = (0..100 * 40 * 3).map(|i| (i % 251) as u8).collect();
        let frame = Frame::new(100, 40, 300, Encoding::Rgb8, &data).unwrap();
        let image = filled(&frame, 480, 360);
        assert_eq!(image.content_size(), (200, 80));
        for (x, y) in [(0, 0), (199, 79), (31, 12)] {
            let [r, g, b] = frame.rgb(x / 2, y / 2).map(f32::from);
            let at = |channel: usize| image.planes()[[0, channel, y as usize, x as usize]];
            assert_eq!([at(2), at(1), at(0)], [r, g, b]);
        }
        let point = image.to_image(200.0, 80.0);
        assert_eq!((point.x, point.y), (100.0, 40.0));
        assert_eq!(filled(&frame, 199, 360).content_size(), (100, 40));
    }

    #[test]
    fn padding_is_clean_after_a_larger_image() {
        let data = [255; 64 * 64];
        let mut image = WorkingImage::default();
        let size = WorkingSize { width_px: 64, height_px: 64 };
        image.fill(&Frame::new(64, 64, 64, Encoding::Mono8, &data).unwrap(), size);
        image.fill(&Frame::new(33, 33, 33, Encoding::Mono8, &data).unwrap(), size);
        assert_eq!(image.planes().iter().sum::<f32>(), 3.0 * 33.0 * 33.0 * 255.0);
    }

    #[test]
    fn step_padding_makes_no_difference_to_the_scaled_image() {
        let packed: Vec<u8> = (0..100 * 50 * 3).map(|i| (i * 7 % 255) as u8).collect();
        let padded = |extra: usize| {
            packed.chunks(300).flat_map(|row| [row, &vec![9; extra]].concat()).collect::<Vec<_>>()
        };
        let expected = filled(&Frame::new(100, 50, 300, Encoding::Bgr8, &packed).unwrap(), 40, 40);
        assert_eq!(expected.padded_size(), (64, 32));
        for extra in [6, 7] {
            let data = padded(extra);
            let frame = Frame::new(100, 50, 300 + extra, Encoding::Bgr8, &data).unwrap();
            assert!(
                filled(&frame, 40, 40).planes() == expected.planes(),
                "{extra} bytes of padding"
            );
        }
        let point = expected.to_image(40.0, 20.0);
        assert_eq!((point.x, point.y), (100.0, 50.0));
    }
}
