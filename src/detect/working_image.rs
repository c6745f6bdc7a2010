//! The image at the size that the detector works on: scaled down, padded, as planes of floats.

use fast_image_resize::images::{TypedCroppedImage, TypedImage, TypedImageRef};
use fast_image_resize::pixels::{U8, U8x3};
use fast_image_resize::{FilterType, PixelTrait, ResizeAlg, ResizeOptions, Resizer};

use crate::frame::{Encoding, Frame};
use crate::geometry::Point;

/// The network's coarsest stride: both sides of its input are multiples of it.
const ALIGNMENT_PX: usize = 32;

/// The largest size that the detector works on. Images are scaled down to fit, never up.
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

/// Buffers for the scaled image, kept from frame to frame.
#[derive(Debug)]
pub struct WorkingImage {
    resizer: Resizer,
    scaled: Vec<u8>,
    packed: Vec<u8>,
    planes: Vec<f32>,
    /// Size of the part that holds the image, (width, height) in pixels.
    content: (usize, usize),
    /// Size of the planes, a multiple of the alignment.
    width: usize,
    height: usize,
    /// Image pixels per working pixel.
    scale_x: f32,
    scale_y: f32,
}

impl Default for WorkingImage {
    fn default() -> Self {
        Self {
            resizer: Resizer::new(),
            scaled: Vec::new(),
            packed: Vec::new(),
            planes: Vec::new(),
            content: (0, 0),
            width: 0,
            height: 0,
            scale_x: 1.0,
            scale_y: 1.0,
        }
    }
}

impl WorkingImage {
    /// Scales the frame into the working size and lays it out for the network.
    pub fn fill(&mut self, frame: &Frame<'_>, size: WorkingSize) {
        let (width_px, height_px) = (frame.width_px(), frame.height_px());
        let scale = (f64::from(size.width_px) / f64::from(width_px))
            .min(f64::from(size.height_px) / f64::from(height_px))
            .min(1.0);
        let side = |px: u32| ((f64::from(px) * scale).round() as u32).clamp(1, px);
        let (width, height) = (side(width_px), side(height_px));
        self.scale_x = width_px as f32 / width as f32;
        self.scale_y = height_px as f32 / height as f32;
        self.reserve(width as usize, height as usize);

        if (width, height) == (width_px, height_px) {
            for y in 0..height {
                self.put_row(y as usize, frame.row(y), frame.encoding());
            }
            return;
        }
        // Only the two pixel types in use: each one that is named adds seconds to the build.
        match frame.encoding().bytes_per_pixel() {
            1 => self.scale_down::<U8>(frame, width, height),
            _ => self.scale_down::<U8x3>(frame, width, height),
        }
        let row_bytes = width as usize * frame.encoding().bytes_per_pixel();
        let scaled = std::mem::take(&mut self.scaled);
        for (y, row) in scaled.chunks_exact(row_bytes).enumerate() {
            self.put_row(y, row, frame.encoding());
        }
        self.scaled = scaled;
    }

    /// Planes of blue, green and red, 0 to 255, each `height` rows of `width`; padding is 0.
    pub fn planes(&self) -> &[f32] {
        &self.planes
    }

    /// Width and height of the planes in pixels.
    pub fn padded_size(&self) -> (usize, usize) {
        (self.width, self.height)
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
        self.width = content_width.next_multiple_of(ALIGNMENT_PX);
        self.height = content_height.next_multiple_of(ALIGNMENT_PX);
        self.planes.clear();
        self.planes.resize(3 * self.width * self.height, 0.0);
    }

    fn scale_down<P: PixelTrait>(&mut self, frame: &Frame<'_>, width: u32, height: u32) {
        let (frame_width, frame_height) = (frame.width_px(), frame.height_px());
        self.scaled.resize(width as usize * height as usize * P::size(), 0);
        // Padded rows are a wider image whose right part is cropped away; no copy needed unless
        // the padding is not a whole number of pixels or the last row ends early.
        let whole = frame.step_bytes().is_multiple_of(P::size())
            && frame.data().len() >= frame.step_bytes() * frame_height as usize;
        let (data, data_width) = if whole {
            (frame.data(), frame.step_bytes() / P::size())
        } else {
            self.packed.clear();
            (0..frame_height).for_each(|y| self.packed.extend_from_slice(frame.row(y)));
            (self.packed.as_slice(), frame_width as usize)
        };
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
        let source = TypedImageRef::<P>::from_buffer(data_width as u32, frame_height, data);
        let target = TypedImage::<P>::from_buffer(width, height, &mut self.scaled);
        // Frame checked all sizes, so nothing refuses; a refusal would leave the image before.
        let done = match (source, target) {
            (Ok(source), Ok(mut target)) => {
                TypedCroppedImage::from_ref(&source, 0, 0, frame_width, frame_height)
                    .map_err(|error| error.to_string())
                    .and_then(|source| {
                        self.resizer
                            .resize_typed(&source, &mut target, &options)
                            .map_err(|error| error.to_string())
                    })
            }
            (Err(error), _) | (_, Err(error)) => Err(error.to_string()),
        };
        if let Err(error) = done {
            tracing::error!("image not scaled: {error}");
        }
    }

    fn put_row(&mut self, y: usize, row: &[u8], encoding: Encoding) {
        let plane = self.width * self.height;
        let (blue, rest) = self.planes.split_at_mut(plane);
        let (green, red) = rest.split_at_mut(plane);
        let start = y * self.width;
        let (blue, green, red) = (&mut blue[start..], &mut green[start..], &mut red[start..]);
        let outputs = blue.iter_mut().zip(green).zip(red);
        match encoding {
            Encoding::Rgb8 => outputs.zip(row.chunks_exact(3)).for_each(|(((b, g), r), p)| {
                (*r, *g, *b) = (f32::from(p[0]), f32::from(p[1]), f32::from(p[2]));
            }),
            Encoding::Bgr8 => outputs.zip(row.chunks_exact(3)).for_each(|(((b, g), r), p)| {
                (*b, *g, *r) = (f32::from(p[0]), f32::from(p[1]), f32::from(p[2]));
            }),
            Encoding::Mono8 => outputs.zip(row).for_each(|(((b, g), r), &p)| {
                (*b, *g, *r) = (f32::from(p), f32::from(p), f32::from(p));
            }),
        }
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
        let image = filled(&frame, 640, 480);
        assert_eq!(image.padded_size(), (64, 32));
        let plane = 64 * 32;
        let [r, g, b] = frame.rgb(7, 5);
        let at = |channel: usize| image.planes()[channel * plane + 5 * 64 + 7];
        assert_eq!([at(2), at(1), at(0)], [r, g, b].map(f32::from));
        assert_eq!(image.planes()[40], 0.0);
        assert_eq!(image.planes()[20 * 64], 0.0);
    }

    #[test]
    fn padding_is_clean_after_a_larger_image() {
        let data = [255; 64 * 64];
        let mut image = WorkingImage::default();
        image
            .fill(&Frame::new(64, 64, 64, Encoding::Mono8, &data).unwrap(), WorkingSize::default());
        image
            .fill(&Frame::new(33, 33, 33, Encoding::Mono8, &data).unwrap(), WorkingSize::default());
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
