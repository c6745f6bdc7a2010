//! A face cut out for the report.

use std::io::Cursor;

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};

use rapport_perception::crop::crop_padded_rgb;
use rapport_perception::frame::Frame;
use rapport_perception::geometry::Rect;

/// Side of the picture in pixels.
const SIDE_PX: u32 = 112;

/// How much of the surroundings is shown: side of the cut in lengths of the box's longer side.
const MARGIN: f32 = 1.3;

/// The face as a small PNG; nothing where it cannot be written.
pub fn face_png(frame: &Frame<'_>, roi: &Rect) -> Option<Vec<u8>> {
    let side = roi.width.max(roi.height) * MARGIN;
    let center = roi.center();
    let square =
        Rect { x: center.x - side / 2.0, y: center.y - side / 2.0, width: side, height: side };
    let rgb = crop_padded_rgb(frame, &square, SIDE_PX);
    let mut png = Cursor::new(Vec::new());
    PngEncoder::new(&mut png).write_image(&rgb, SIDE_PX, SIDE_PX, ExtendedColorType::Rgb8).ok()?;
    Some(png.into_inner())
}
