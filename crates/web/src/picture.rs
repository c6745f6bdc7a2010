//! A picture that leaves the server: made here only, so that faces are blurred where that was asked.

use bytes::Bytes;
use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageError};
use rapport_perception::report::BoxReport;

/// JPEG quality: 640x480 takes about 60 kB, and nobody sees a difference.
const QUALITY: u8 = 80;

/// A face becomes this many blocks across: nobody is recognised, and one sees where somebody is.
const BLOCKS_ACROSS: u32 = 6;

/// By this share of its size a box is blurred beyond its edges: hair, ears and chin.
const MARGIN: f32 = 0.25;

/// What pictures may show.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Privacy {
    /// Faces are blurred in every picture that leaves.
    pub blur_faces: bool,
    /// No picture leaves at all.
    pub numbers_only: bool,
}

/// A picture as viewers get it.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// Stamp of the image in seconds.
    pub stamp_secs: f64,
    /// Width in pixels.
    pub width_px: u32,
    /// Height in pixels.
    pub height_px: u32,
    /// The JPEG file.
    pub jpeg: Bytes,
}

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// No pictures are to leave.
    #[error("pictures are switched off: only numbers are sent")]
    NumbersOnly,
    /// The encoder refused it.
    #[error("picture of {width_px}x{height_px} not encoded: {source}")]
    Encode {
        /// Width in pixels.
        width_px: u32,
        /// Height in pixels.
        height_px: u32,
        /// What the encoder said.
        source: ImageError,
    },
}

impl Picture {
    /// Encodes packed RGB rows. `faces` are all faces of this very image, found at full rate; where
    /// `privacy` asks for it they are blurred first.
    ///
    /// # Errors
    /// If pictures are switched off, or the rows do not have that size.
    pub fn new(
        rgb: &[u8],
        width_px: u32,
        height_px: u32,
        stamp_secs: f64,
        faces: &[BoxReport],
        privacy: Privacy,
    ) -> Result<Self, PictureError> {
        if privacy.numbers_only {
            return Err(PictureError::NumbersOnly);
        }
        let blurred = (privacy.blur_faces && !faces.is_empty()).then(|| {
            let mut rgb = rgb.to_vec();
            faces.iter().for_each(|face| blur(&mut rgb, width_px, height_px, face));
            rgb
        });
        let rgb = blurred.as_deref().unwrap_or(rgb);
        let mut jpeg = Vec::new();
        let encoder = JpegEncoder::new_with_quality(&mut jpeg, QUALITY);
        let encode_error = |source| PictureError::Encode { width_px, height_px, source };
        check_length(rgb, width_px, height_px).map_err(encode_error)?;
        let mut encoder = encoder;
        encoder.encode(rgb, width_px, height_px, ExtendedColorType::Rgb8).map_err(encode_error)?;
        Ok(Self { stamp_secs, width_px, height_px, jpeg: jpeg.into() })
    }
}

/// The encoder would panic.
fn check_length(rgb: &[u8], width_px: u32, height_px: u32) -> Result<(), ImageError> {
    use image::error::{ParameterError, ParameterErrorKind};
    if rgb.len() as u64 == u64::from(width_px) * u64::from(height_px) * 3 {
        return Ok(());
    }
    Err(ImageError::Parameter(ParameterError::from_kind(ParameterErrorKind::DimensionMismatch)))
}

/// Replaces a face by a few blocks of its mean colours.
fn blur(rgb: &mut [u8], width_px: u32, height_px: u32, face: &BoxReport) {
    let grow = |length: u32| (length as f32 * MARGIN).ceil() as u32;
    let (across, down) = (grow(face.width), grow(face.height));
    let left = face.x.saturating_sub(across).min(width_px);
    let top = face.y.saturating_sub(down).min(height_px);
    let right = face.x.saturating_add(face.width).saturating_add(across).min(width_px);
    let bottom = face.y.saturating_add(face.height).saturating_add(down).min(height_px);
    let side = (right - left).div_ceil(BLOCKS_ACROSS).max(1);
    for block_top in (top..bottom).step_by(side as usize) {
        for block_left in (left..right).step_by(side as usize) {
            let columns = block_left..(block_left + side).min(right);
            let rows = block_top..(block_top + side).min(bottom);
            fill_with_mean(rgb, width_px, columns, rows);
        }
    }
}

fn fill_with_mean(
    rgb: &mut [u8],
    width_px: u32,
    columns: std::ops::Range<u32>,
    rows: std::ops::Range<u32>,
) {
    let span = |y: u32| {
        let row = y as usize * width_px as usize;
        (row + columns.start as usize) * 3..(row + columns.end as usize) * 3
    };
    let (mut sums, mut count) = ([0u64; 3], 0u64);
    for y in rows.clone() {
        for pixel in rgb.get(span(y)).unwrap_or_default().as_chunks::<3>().0 {
            sums.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += u64::from(*value));
            count += 1;
        }
    }
    let mean = sums.map(|sum| (sum / count.max(1)) as u8);
    for y in rows {
        let pixels = rgb.get_mut(span(y)).unwrap_or_default().as_chunks_mut::<3>().0;
        pixels.iter_mut().for_each(|pixel| *pixel = mean);
    }
}
