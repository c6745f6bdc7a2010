//! Cutting faces out of the image the way the emotion network was taught to see them.

use image::RgbImage;
use image::imageops::{self, FilterType};

use ndarray::Array3;

use crate::detect::{Face, Landmarks, warp_rgb};
use crate::frame::Frame;
use crate::geometry::{Point, Rect, Similarity};

/// Where the landmarks lie in a crop of side 1, on average over the training images (FER2013,
/// found by O-Net; mirror-symmetric). Printed by `training`'s step `landmark_template`.
const TEMPLATE: Landmarks = [
    Point { x: 15.13 / 48.0, y: 17.88 / 48.0 },
    Point { x: 32.87 / 48.0, y: 17.88 / 48.0 },
    Point { x: 24.00 / 48.0, y: 28.33 / 48.0 },
    Point { x: 16.48 / 48.0, y: 37.51 / 48.0 },
    Point { x: 31.52 / 48.0, y: 37.51 / 48.0 },
];

/// Side of the crop in lengths of the longer side of the face's box, where landmarks do not help.
const BOX_MARGIN: f32 = 1.05;

/// How far the crop's side may be from the box's before the landmarks are taken for nonsense.
const PLAUSIBLE_SIZE: std::ops::RangeInclusive<f32> = 0.5..=2.0;

/// Maps a square crop of `side` pixels onto the image so that the eyes are level and the landmarks
/// lie where the training images have them.
pub fn align(face: &Face, side: usize) -> Similarity {
    let template = TEMPLATE.map(|p| Point { x: p.x * side as f32, y: p.y * side as f32 });
    let roi = face.roi_in_image;
    let box_side = roi.width.max(roi.height);
    let plausible =
        |found: &Similarity| PLAUSIBLE_SIZE.contains(&(found.scale() * side as f32 / box_side));
    Similarity::fit(&template, &face.landmarks)
        .filter(plausible)
        .unwrap_or_else(|| Similarity::square(roi.center(), box_side * BOX_MARGIN, side))
}

/// The box cut out upright as packed RGB rows, `side_px` rows of `side_px` pixels, with black beside
/// or above and below it where it is not square: for people and programs to look at.
pub fn crop_padded_rgb(frame: &Frame<'_>, roi: &Rect, side_px: u32) -> Vec<u8> {
    let mut canvas = RgbImage::new(side_px, side_px);
    let (left, top, width, height) = roi.clipped(frame.width_px(), frame.height_px());
    if width > 0 && height > 0 {
        let pixel = |x, y| image::Rgb(frame.rgb(left + x, top + y));
        let face = RgbImage::from_fn(width, height, pixel);
        let scale = side_px as f32 / width.max(height) as f32;
        let scaled = |px: u32| ((px as f32 * scale).round() as u32).clamp(1, side_px);
        let (width, height) = (scaled(width), scaled(height));
        let face = imageops::resize(&face, width, height, FilterType::Triangle);
        let margin = |px: u32| i64::from((side_px - px) / 2);
        imageops::replace(&mut canvas, &face, margin(width), margin(height));
    }
    canvas.into_raw()
}

/// The face cut out level, with the landmarks where the emotion network has them, as packed RGB rows,
/// `side_px` rows of `side_px` pixels: for people and programs to look at.
pub fn crop_level_rgb(frame: &Frame<'_>, face: &Face, side_px: u32) -> Vec<u8> {
    let side = side_px as usize;
    let mut planes = Array3::zeros((3, side, side));
    warp_rgb(frame, &align(face, side), planes.view_mut());
    let pixels = planes.permuted_axes([1, 2, 0]);
    pixels.iter().map(|value: &f32| value.round().clamp(0.0, 255.0) as u8).collect()
}

/// Maps a square crop of `side` pixels onto the whole of an image that is a face cut out already; one
/// that is not square is filled up along its edges.
pub fn whole(frame: &Frame<'_>, side: usize) -> Similarity {
    let (width, height) = (frame.width_px() as f32, frame.height_px() as f32);
    let center = Point { x: width / 2.0, y: height / 2.0 };
    Similarity::square(center, width.max(height), side)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::warp_grey;
    use crate::frame::Encoding;

    #[test]
    fn a_padded_crop_keeps_the_shape_of_the_face() {
        let data = [200; 40 * 20];
        let frame = Frame::new(40, 20, 40, Encoding::Mono8, &data).unwrap();
        let roi = Rect { x: 5.0, y: -10.0, width: 10.0, height: 40.0 };
        let rgb = crop_padded_rgb(&frame, &roi, 8);
        // 10x20 px of it lie in the image: 4x8 in the crop, two columns of black beside it.
        let row = [0, 0, 200, 200, 200, 200, 0, 0].map(|grey| [grey; 3]).concat();
        assert_eq!(rgb, row.repeat(8));
        let outside = Rect { x: 50.0, ..roi };
        assert_eq!(crop_padded_rgb(&frame, &outside, 8), [0; 8 * 8 * 3]);
    }

    #[test]
    fn a_tilted_face_is_cropped_level() {
        let tilt = Similarity { a: 2.0, b: 0.7, tx: 100.0, ty: 40.0 };
        let landmarks = TEMPLATE.map(|p| tilt.apply(Point { x: p.x * 48.0, y: p.y * 48.0 }));
        let roi_in_image = Rect { x: 80.0, y: 60.0, width: 90.0, height: 110.0 };
        let found = align(&Face { roi_in_image, score: 1.0, probability: 1.0, landmarks }, 48);
        assert!((found.rotation_deg() - tilt.rotation_deg()).abs() < 0.1, "{found:?}");
        assert!((found.scale() - tilt.scale()).abs() < 0.01, "{found:?}");
    }

    #[test]
    fn a_level_crop_has_the_colours_where_the_landmarks_say() {
        let mut data = vec![0; 96 * 96 * 3];
        let tilt = Similarity { a: 1.0, b: 0.4, tx: 30.0, ty: 10.0 };
        let landmarks = TEMPLATE.map(|p| tilt.apply(Point { x: p.x * 48.0, y: p.y * 48.0 }));
        for (point, colour) in landmarks.iter().zip([200, 50, 90, 120, 250]) {
            for (dx, dy) in (-2i32..=2).flat_map(|x| (-2i32..=2).map(move |y| (x, y))) {
                let (x, y) = ((point.x as i32 + dx) as usize, (point.y as i32 + dy) as usize);
                data[(y * 96 + x) * 3 + 1] = colour;
            }
        }
        let frame = Frame::new(96, 96, 96 * 3, Encoding::Rgb8, &data).unwrap();
        let roi_in_image = Rect { x: 20.0, y: 20.0, width: 50.0, height: 55.0 };
        let rgb = crop_level_rgb(
            &frame,
            &Face { roi_in_image, score: 1.0, probability: 1.0, landmarks },
            48,
        );
        for (point, colour) in TEMPLATE.iter().zip([200, 50, 90, 120, 250]) {
            let (x, y) = ((point.x * 48.0) as usize, (point.y * 48.0) as usize);
            let pixel = &rgb[(y * 48 + x) * 3..][..3];
            assert!(pixel[0] == 0 && pixel[1].abs_diff(colour) < 12 && pixel[2] == 0, "{pixel:?}");
        }
    }

    #[test]
    fn a_face_of_the_right_size_is_taken_as_it_is() {
        let data: Vec<u8> = (0..48 * 48).map(|i| (i * 7 % 251) as u8).collect();
        let frame = Frame::new(48, 48, 48, Encoding::Mono8, &data).unwrap();
        let mut crop = ndarray::Array2::zeros((48, 48));
        warp_grey(&frame, &whole(&frame, 48), crop.view_mut());
        assert!(crop.iter().zip(&data).all(|(&found, &value)| found == f32::from(value)));
    }

    #[test]
    fn nonsense_landmarks_fall_back_to_the_box() {
        let roi_in_image = Rect { x: 10.0, y: 20.0, width: 40.0, height: 60.0 };
        for landmarks in [[Point { x: 5.0, y: 5.0 }; 5], TEMPLATE] {
            let found = align(&Face { roi_in_image, score: 1.0, probability: 1.0, landmarks }, 48);
            assert_eq!(found.b, 0.0);
            assert!((found.scale() * 48.0 - 63.0).abs() < 0.01, "{found:?}");
        }
    }
}
