//! A still picture as a file.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::ensure;
use image::RgbImage;
use rapport_perception::frame::Decoder;

/// Decodes a picture of any format of [`Decoder`], upright as its EXIF orientation says. `warn` is told
/// what is wrong with one that has all its pixels.
///
/// # Errors
/// If the file cannot be read, is of no such format, is cut short or damaged, or is larger than any
/// camera's.
pub fn read_picture(path: &Path, warn: impl FnOnce(&str)) -> anyhow::Result<RgbImage> {
    let data = read_bounded(path)?;
    let format = path.extension().unwrap_or_default().to_string_lossy();
    let mut decoder = Decoder::default();
    let picture = decoder.decode_upright(&format, &data)?;
    if let Some(warning) = decoder.warning() {
        warn(warning);
    }
    Ok(picture)
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
