//! JPEG by the decoder of libjpeg-turbo, in C, as MozJPEG carries it: what other programs read is read
//! alike here, to the byte, and data that it warns of is noticed.
//!
//! Three of its steps are fast only with an assembler at hand. Of these, [`idct`] and, for the usual
//! kinds of sampling, [`colours`] do the same.

mod colours;
#[cfg(target_arch = "x86_64")]
mod idct;
mod library;

use colours::Sampling;
use library::{Component, Reader};
use mozjpeg_sys::J_COLOR_SPACE;

use super::Encoding;

/// Rows and columns of a block.
const BLOCK_PX: usize = 8;

/// What was decoded.
#[derive(Debug)]
pub(super) struct Jpeg {
    pub width_px: usize,
    pub height_px: usize,
    pub encoding: Encoding,
    /// The EXIF data, from its TIFF header on.
    pub exif: Option<Vec<u8>>,
    /// What the library warned of, if no pixel is lost by it.
    pub warning: Option<String>,
}

/// Why there are no pixels: the library's words.
#[derive(Debug)]
pub(super) struct Refused(pub String);

/// Buffers that are kept from image to image: Y, U and V before upsampling.
pub(super) type Planes = [Vec<u8>; 3];

/// Decodes into `pixels`. `check` sees width and height, in pixels, before memory is taken for them.
///
/// # Errors
/// What `check` says; or if the data is no JPEG that libjpeg-turbo reads, is cut off, damaged or
/// incomplete.
pub(super) fn decode<E>(
    data: &[u8],
    pixels: &mut Vec<u8>,
    planes: &mut Planes,
    check: impl FnOnce(usize, usize) -> Result<(), E>,
) -> Result<Result<Jpeg, Refused>, E> {
    let mut reader = match Reader::new(data) {
        Ok(reader) => reader,
        Err(refused) => return Ok(Err(refused)),
    };
    let (width_px, height_px) = reader.size_px();
    check(width_px, height_px)?;
    // Afterwards, the library has forgotten it.
    let exif = reader.exif();
    Ok(pixels_of(&mut reader, pixels, planes).map(|encoding| Jpeg {
        width_px,
        height_px,
        encoding,
        exif,
        warning: reader.take_warning(),
    }))
}

fn pixels_of(
    reader: &mut Reader<'_>,
    pixels: &mut Vec<u8>,
    planes: &mut Planes,
) -> Result<Encoding, Refused> {
    let (width, height) = reader.size_px();
    if let Some(sampling) = sampling(reader) {
        let strides = read_planes(reader, planes)?;
        pixels.resize(width * height * 3, 0);
        colours::to_rgb(sampling, planes, strides, (width, height), pixels);
        return Ok(Encoding::Rgb8);
    }
    let (colours, encoding, channels) = match reader.colours() {
        J_COLOR_SPACE::JCS_GRAYSCALE => (J_COLOR_SPACE::JCS_GRAYSCALE, Encoding::Mono8, 1),
        J_COLOR_SPACE::JCS_CMYK | J_COLOR_SPACE::JCS_YCCK => {
            (J_COLOR_SPACE::JCS_CMYK, Encoding::Rgb8, 4)
        }
        _ => (J_COLOR_SPACE::JCS_RGB, Encoding::Rgb8, 3),
    };
    pixels.resize(width * height * channels, 0);
    reader.read_rows(colours, width * channels, pixels)?;
    if channels == 4 {
        inks_to_rgb(pixels);
    }
    Ok(encoding)
}

/// Which of the usual samplings of Y, U and V the image has, if one.
fn sampling(reader: &Reader<'_>) -> Option<Sampling> {
    let [y, u, v] = reader.components().try_into().ok()?;
    let single = |c: Component| (c.across, c.down) == (1, 1);
    if reader.colours() != J_COLOR_SPACE::JCS_YCbCr || !single(u) || !single(v) {
        return None;
    }
    Sampling::of(y.across, y.down, reader.size_px().0)
}

/// Reads the components as they are sampled. Returns the length of a row of each.
fn read_planes(reader: &mut Reader<'_>, planes: &mut Planes) -> Result<[usize; 3], Refused> {
    let (_, height) = reader.size_px();
    let mut strides = [0; 3];
    let components = reader.components();
    let down = components.iter().map(|component| component.down).max().unwrap_or(1);
    let block_rows = height.div_ceil(BLOCK_PX * down);
    for ((component, plane), stride) in components.iter().zip(planes.iter_mut()).zip(&mut strides) {
        *stride = component.blocks_across * BLOCK_PX;
        plane.resize(*stride * block_rows * component.down * BLOCK_PX, 0);
    }
    reader.read_planes(planes, &strides)?;
    Ok(strides)
}

/// Cyan, magenta, yellow and black, stored inverted as Adobe's programs do, become red, green and
/// blue.
fn inks_to_rgb(pixels: &mut Vec<u8>) {
    let count = pixels.len() / 4;
    for i in 0..count {
        let [inks @ .., black] = [0, 1, 2, 3].map(|channel| u16::from(pixels[4 * i + channel]));
        for (channel, ink) in inks.into_iter().enumerate() {
            pixels[3 * i + channel] = ((ink * black + 127) / 255) as u8;
        }
    }
    pixels.truncate(3 * count);
}
