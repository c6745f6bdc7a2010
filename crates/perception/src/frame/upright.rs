//! Turns an image upright. Cameras that are held sideways store it as it came and say in EXIF how it
//! is to be turned.

use image::metadata::Orientation;

use super::Encoding;

/// Writes the image turned, from `stored` (packed rows of `size_px`) to `upright`. Returns width and
/// height as turned.
pub(super) fn turn(
    orientation: Orientation,
    stored: &[u8],
    size_px: (usize, usize),
    encoding: Encoding,
    upright: &mut Vec<u8>,
) -> (usize, usize) {
    upright.resize(stored.len(), 0);
    match encoding.bytes_per_pixel() {
        1 => turn_pixels::<1>(orientation, stored, size_px, upright),
        4 => turn_pixels::<4>(orientation, stored, size_px, upright),
        _ => turn_pixels::<3>(orientation, stored, size_px, upright),
    }
}

fn turn_pixels<const BYTES: usize>(
    orientation: Orientation,
    stored: &[u8],
    (width, height): (usize, usize),
    upright: &mut [u8],
) -> (usize, usize) {
    use Orientation::{
        FlipHorizontal, FlipVertical, NoTransforms, Rotate90, Rotate90FlipH, Rotate180, Rotate270,
        Rotate270FlipH,
    };
    // Where the pixel at (x, y) of the upright image was stored.
    let (new_width, new_height) = match orientation {
        Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH => (height, width),
        _ => (width, height),
    };
    let (right, bottom) = (width - 1, height - 1);
    let from = |x: usize, y: usize| match orientation {
        NoTransforms => (x, y),
        FlipHorizontal => (right - x, y),
        FlipVertical => (x, bottom - y),
        Rotate180 => (right - x, bottom - y),
        Rotate90 => (y, bottom - x),
        Rotate270 => (right - y, x),
        // First turned, then mirrored left to right.
        Rotate90FlipH => (y, x),
        Rotate270FlipH => (right - y, bottom - x),
    };
    let stored = stored.as_chunks::<BYTES>().0;
    let rows = upright.as_chunks_mut::<BYTES>().0.chunks_exact_mut(new_width);
    for (y, row) in rows.enumerate() {
        for (x, pixel) in row.iter_mut().enumerate() {
            let (from_x, from_y) = from(x, y);
            *pixel = stored[from_y * width + from_x];
        }
    }
    (new_width, new_height)
}

#[cfg(test)]
mod tests {
    use image::{DynamicImage, RgbaImage};

    use super::*;

    #[test]
    fn every_orientation_is_turned_as_the_image_crate_turns_it() {
        for exif in 1..=8 {
            let orientation = Orientation::from_exif(exif).unwrap();
            let stored: Vec<u8> = (0..5 * 3 * 4).collect();
            let mut expected =
                DynamicImage::ImageRgba8(RgbaImage::from_raw(5, 3, stored.clone()).unwrap());
            expected.apply_orientation(orientation);
            let mut upright = Vec::new();
            let (width, height) = turn(orientation, &stored, (5, 3), Encoding::Rgba8, &mut upright);
            assert_eq!((width as u32, height as u32), (expected.width(), expected.height()));
            assert_eq!(upright, expected.into_bytes(), "{orientation:?}");
        }
    }
}
