//! A face cut out for the report.

use std::io::Cursor;

use image::imageops::{FilterType, crop_imm, resize};
use image::{ImageFormat, RgbImage};

use crate::frame::Frame;
use crate::geometry::Rect;

/// Side of the picture in pixels.
const SIDE_PX: u32 = 112;

/// How much of the surroundings is shown: side of the cut in lengths of the box's longer side.
const MARGIN: f32 = 1.3;

/// The face as a small PNG; nothing where the box lies outside the frame.
pub fn face_png(frame: &Frame<'_>, roi: &Rect) -> Option<Vec<u8>> {
    let side = roi.width.max(roi.height) * MARGIN;
    let center = roi.center();
    let square =
        Rect { x: center.x - side / 2.0, y: center.y - side / 2.0, width: side, height: side };
    let (x, y, width, height) = square.clipped(frame.width_px(), frame.height_px());
    if width == 0 || height == 0 {
        return None;
    }
    let whole = RgbImage::from_raw(frame.width_px(), frame.height_px(), frame.to_rgb())?;
    let cut = crop_imm(&whole, x, y, width, height).to_image();
    let scale = SIDE_PX as f32 / width.max(height) as f32;
    let scaled = |length: u32| ((length as f32 * scale).round() as u32).max(1);
    let small = resize(&cut, scaled(width), scaled(height), FilterType::Triangle);
    let mut png = Cursor::new(Vec::new());
    small.write_to(&mut png, ImageFormat::Png).ok()?;
    Some(png.into_inner())
}
