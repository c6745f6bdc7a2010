//! A still picture as a file.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::ensure;
use image::RgbImage;
use rapport_perception::frame::Decoder;

/// Decodes a JPEG, PNG or WebP file, upright as its EXIF orientation says.
///
/// # Errors
/// If the file cannot be read, is none of these, is cut short, or is larger than any camera's.
pub fn read_picture(path: &Path) -> anyhow::Result<RgbImage> {
    let data = read_bounded(path)?;
    let format = path.extension().unwrap_or_default().to_string_lossy();
    Ok(Decoder::default().decode_upright(&format, &data)?)
}

/// The content of a file that may be a picture; a recording or a film may be larger than the memory.
fn read_bounded(path: &Path) -> anyhow::Result<Vec<u8>> {
    const MOST_BYTES: u64 = 256 << 20;
    let file = File::open(path)?;
    let bytes = file.metadata()?.len();
    ensure!(bytes <= MOST_BYTES, "{bytes} bytes, expected a picture of at most {MOST_BYTES}");
    let mut data = Vec::new();
    file.take(MOST_BYTES).read_to_end(&mut data)?;
    Ok(data)
}
