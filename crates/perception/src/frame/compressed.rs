//! Compressed images, as `sensor_msgs/CompressedImage` and picture files hold them.
//!
//! JPEG is decoded whole and scaled afterwards. Decoders can also leave pixels out, but what costs
//! the time is reading the Huffman codes, and these must all be read. Small faces keep all their
//! pixels, and there is one kind of pixel.

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageReader, Limits, RgbImage};

use super::format::{Format, READ};
use super::jpeg::{self, Jpeg, Planes, Refused};
use super::tiff::{Palette, claimed_bytes};
use super::upright::turn;
use super::{Encoding, Frame, FrameError, OwnedFrame};

/// The most pixels of a compressed image: more than any camera's, 200 MB when decoded.
const MAX_PIXELS: usize = 1 << 26;

/// So many pixels are believed of formats whose coders may pack thousands into a byte: a black
/// picture of 1920x1080 is a WebP of 44 bytes.
const BELIEVED_PIXELS: usize = 1 << 21;
const ANY_PER_BYTE: usize = 4096;

/// Any JPEG spends at least one bit on each block of 8x8 pixels.
const JPEG_PIXELS_PER_BYTE: usize = 8 * 64;

/// Deflate, inside PNG, makes at most 1032 bytes of one: so many bits of pixels.
const PNG_BITS_PER_BYTE: usize = 1032 * 8;

/// A buffer larger than this many times what the present image takes is given back: one odd image
/// does not hold memory for the life of the process.
const MOST_SLACK: usize = 4;

/// Memory for what files hold beside pixels.
const EXTRA_BYTES: usize = 8 << 20;

/// Why a compressed image cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CompressedError {
    /// No format that is known.
    #[error(
        "compressed image of format `{format}` has {bytes} bytes that start with [{start}], \
         expected {READ}"
    )]
    Format {
        /// What the message or the file calls itself.
        format: String,
        /// How many bytes there are.
        bytes: usize,
        /// The first of them, in hexadecimal.
        start: String,
    },
    /// A format that is known, but not read.
    #[error("this is {kind}, expected {READ}; {way_out}")]
    NotRead {
        /// The format's name.
        kind: &'static str,
        /// What to do about it.
        way_out: &'static str,
    },
    /// More pixels than any camera gives, or than are accepted here.
    #[error(
        "{kind} is {width_px}x{height_px} pixels, expected 1 to {} a side and at most {max_pixels}",
        Frame::MAX_SIDE_PX
    )]
    Size {
        /// The format's name.
        kind: &'static str,
        /// Width as its header says.
        width_px: usize,
        /// Height as its header says.
        height_px: usize,
        /// The most pixels that are accepted.
        max_pixels: usize,
    },
    /// So little data that the pixels cannot be in it.
    #[error(
        "{kind} of {width_px}x{height_px} pixels has {bytes} bytes, expected at least {expected}"
    )]
    TooShort {
        /// The format's name.
        kind: &'static str,
        /// Width as its header says.
        width_px: usize,
        /// Height as its header says.
        height_px: usize,
        /// How many bytes there are.
        bytes: usize,
        /// How many it takes at the very least.
        expected: usize,
    },
    /// Damaged, cut off, or of a kind that no camera makes.
    #[error("{kind} of {bytes} bytes not decoded: {reason}")]
    Broken {
        /// The format's name.
        kind: &'static str,
        /// How many bytes there are.
        bytes: usize,
        /// What the decoder said.
        reason: String,
    },
    /// Decoded, but no frame.
    #[error(transparent)]
    Frame(#[from] FrameError),
}

/// Decodes JPEG, PNG, WebP, TIFF, BMP, GIF and PNM, upright, into a buffer that is kept from image to
/// image.
///
/// ```
/// use rapport_perception::frame::Decoder;
/// let error = Decoder::default().decode("jpeg", b"hello").unwrap_err();
/// assert!(error.to_string().contains("`jpeg` has 5 bytes that start with [68 65 6c 6c]"));
/// ```
#[derive(Debug)]
pub struct Decoder {
    pixels: Vec<u8>,
    /// The image as it was stored, where it had to be turned.
    unturned: Vec<u8>,
    planes: Planes,
    warning: Option<String>,
    max_pixels: usize,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::with_max_pixels(MAX_PIXELS)
    }
}

/// Size and kind of what lies in the buffer, and how it is to be turned.
struct Decoded {
    width_px: usize,
    height_px: usize,
    encoding: Encoding,
    orientation: Orientation,
}

impl Decoder {
    /// A decoder that refuses pictures of more pixels than these, and in any case of more than 2^26.
    pub fn with_max_pixels(max_pixels: usize) -> Self {
        Self {
            pixels: Vec::new(),
            unturned: Vec::new(),
            planes: Planes::default(),
            warning: None,
            max_pixels: max_pixels.min(MAX_PIXELS),
        }
    }

    /// [`Self::decode`] as a picture.
    ///
    /// # Errors
    /// As [`Self::decode`].
    pub fn decode_upright(
        &mut self,
        format: &str,
        data: &[u8],
    ) -> Result<RgbImage, CompressedError> {
        let frame = self.decode(format, data)?;
        let picture = RgbImage::from_raw(frame.width_px(), frame.height_px(), frame.to_rgb());
        Ok(picture.unwrap_or_default())
    }

    /// Decodes an image and turns it upright, as its EXIF orientation says. Its first bytes tell what
    /// it is; `format`, as the message has it (`jpeg`, `png`, `rgb8; jpeg compressed bgr8`), only
    /// names it in errors. Of an animation, it is the first picture.
    ///
    /// # Errors
    /// If it is none of the formats, too large, damaged or cut off. Sizes are checked before memory
    /// is taken for them: no more than the format can pack into the bytes given, which is 1.5 kB a
    /// byte for JPEG and 1 to 33 kB a byte for PNG (one bit a pixel); WebP, GIF and TIFF have no such
    /// bound, and are believed up to two million pixels and 4096 pixels a byte beyond.
    pub fn decode(&mut self, format: &str, data: &[u8]) -> Result<Frame<'_>, CompressedError> {
        let decoded = match self.decode_pixels(format, data) {
            Ok(decoded) => decoded,
            Err(error) => {
                *self = Self::with_max_pixels(self.max_pixels);
                return Err(error);
            }
        };
        let Decoded { mut width_px, mut height_px, encoding, orientation } = decoded;
        if orientation != Orientation::NoTransforms {
            std::mem::swap(&mut self.pixels, &mut self.unturned);
            let stored = (width_px, height_px);
            (width_px, height_px) =
                turn(orientation, &self.unturned, stored, encoding, &mut self.pixels);
        }
        for buffer in [&mut self.pixels, &mut self.unturned].into_iter().chain(&mut self.planes) {
            if buffer.capacity() > MOST_SLACK * buffer.len() {
                buffer.shrink_to_fit();
            }
        }
        let step_bytes = width_px * encoding.bytes_per_pixel();
        let (width_px, height_px) = (width_px as u32, height_px as u32);
        Ok(Frame::new(width_px, height_px, step_bytes, encoding, &self.pixels)?)
    }

    /// [`Self::decode`], with the pixels given away instead of kept for the next image.
    ///
    /// # Errors
    /// As [`Self::decode`].
    pub fn decode_owned(
        &mut self,
        format: &str,
        data: &[u8],
    ) -> Result<OwnedFrame, CompressedError> {
        let frame = self.decode(format, data)?;
        let (width_px, height_px) = (frame.width_px(), frame.height_px());
        let (step_bytes, encoding) = (frame.step_bytes(), frame.encoding());
        let pixels = std::mem::take(&mut self.pixels);
        Ok(OwnedFrame::new(width_px, height_px, step_bytes, encoding, pixels)?)
    }

    /// What the decoder found wrong with the image decoded last, if it has all its pixels.
    pub fn warning(&self) -> Option<&str> {
        self.warning.as_deref()
    }

    fn decode_pixels(&mut self, format: &str, data: &[u8]) -> Result<Decoded, CompressedError> {
        self.warning = None;
        self.unturned.clear();
        let format_found = Format::of(data);
        // Of the next JPEG, every sample is written anew.
        if !matches!(format_found, Format::Jpeg) {
            self.planes.iter_mut().for_each(Vec::clear);
        }
        match format_found {
            Format::Jpeg => self.decode_jpeg(data),
            Format::Png => self.decode_png(data),
            Format::Other { kind, format, pixels_per_byte } => {
                self.decode_other(kind, format, pixels_per_byte, data)
            }
            Format::NotRead { kind, way_out } => Err(CompressedError::NotRead { kind, way_out }),
            Format::Unknown => {
                let start: Vec<_> = data.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
                let start = start.join(" ");
                let format = format.chars().take(64).collect();
                Err(CompressedError::Format { format, bytes: data.len(), start })
            }
        }
    }

    fn decode_jpeg(&mut self, data: &[u8]) -> Result<Decoded, CompressedError> {
        const KIND: &str = "JPEG";
        let max_pixels = self.max_pixels;
        let check = |width_px, height_px| {
            let size_px = (width_px, height_px);
            check_size(KIND, size_px, max_pixels, data.len(), JPEG_PIXELS_PER_BYTE)
        };
        let decoded = jpeg::decode(data, &mut self.pixels, &mut self.planes, check)?;
        let Jpeg { width_px, height_px, encoding, exif, warning } =
            decoded.map_err(|Refused(reason)| CompressedError::Broken {
                kind: KIND,
                bytes: data.len(),
                reason,
            })?;
        self.warning = warning;
        Ok(Decoded { width_px, height_px, encoding, orientation: orientation(exif.as_deref()) })
    }

    fn decode_png(&mut self, data: &[u8]) -> Result<Decoded, CompressedError> {
        const KIND: &str = "PNG";
        let broken = |error: png::DecodingError| CompressedError::Broken {
            kind: KIND,
            bytes: data.len(),
            reason: error.to_string(),
        };
        let limits = png::Limits { bytes: EXTRA_BYTES };
        let mut decoder = png::Decoder::new_with_limits(std::io::Cursor::new(data), limits);
        decoder.set_transformations(png::Transformations::normalize_to_color8());
        decoder.set_ignore_text_chunk(true);
        decoder.set_ignore_iccp_chunk(true);
        let header = decoder.read_header_info().map_err(broken)?;
        let (width_px, height_px) = (header.width as usize, header.height as usize);
        let bits_per_pixel = header.color_type.samples() * header.bit_depth as usize;
        let pixels_per_byte = PNG_BITS_PER_BYTE / bits_per_pixel.max(1);
        check_size(KIND, (width_px, height_px), self.max_pixels, data.len(), pixels_per_byte)?;
        let mut reader = decoder.read_info().map_err(broken)?;
        let (encoding, channels) = match reader.output_color_type().0 {
            png::ColorType::Grayscale => (Encoding::Mono8, 1),
            png::ColorType::GrayscaleAlpha => (Encoding::Mono8, 2),
            png::ColorType::Rgba => (Encoding::Rgba8, 4),
            png::ColorType::Rgb | png::ColorType::Indexed => (Encoding::Rgb8, 3),
        };
        self.pixels.resize(width_px * height_px * channels, 0);
        reader.next_frame(&mut self.pixels).map_err(broken)?;
        if channels == 2 {
            (0..width_px * height_px).for_each(|i| self.pixels[i] = self.pixels[2 * i]);
            self.pixels.truncate(width_px * height_px);
        }
        // It may stand behind the pixels. What is wrong there takes none of them away.
        if reader.info().exif_metadata.is_none() {
            _ = reader.finish();
        }
        let orientation = orientation(reader.info().exif_metadata.as_deref());
        Ok(Decoded { width_px, height_px, encoding, orientation })
    }

    fn decode_other(
        &mut self,
        kind: &'static str,
        format: image::ImageFormat,
        pixels_per_byte: usize,
        data: &[u8],
    ) -> Result<Decoded, CompressedError> {
        let broken = |error: image::ImageError| CompressedError::Broken {
            kind,
            bytes: data.len(),
            reason: error.to_string(),
        };
        if format == image::ImageFormat::Tiff
            && let Some(claimed) = claimed_bytes(data)
        {
            let reason = format!("a field of it claims {claimed} bytes");
            return Err(CompressedError::Broken { kind, bytes: data.len(), reason });
        }
        let is_tiff = format == image::ImageFormat::Tiff;
        let palette = is_tiff.then(|| Palette::of(data)).flatten();
        let pixel_data = palette.as_ref().map_or(data, |palette| &palette.as_grey);
        let mut reader = ImageReader::with_format(std::io::Cursor::new(pixel_data), format);
        reader.limits(limits(0));
        let mut decoder = reader.into_decoder().map_err(broken)?;
        let (width, height) = decoder.dimensions();
        let (width_px, height_px) = (width as usize, height as usize);
        let is_believed =
            pixels_per_byte >= ANY_PER_BYTE && width_px * height_px <= BELIEVED_PIXELS;
        let pixels_per_byte = if is_believed { usize::MAX } else { pixels_per_byte };
        let size_px = (width_px, height_px);
        check_size(kind, size_px, self.max_pixels, data.len(), pixels_per_byte)?;
        decoder.set_limits(limits(2 * decoder.total_bytes())).map_err(broken)?;
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let picture = DynamicImage::from_decoder(decoder).map_err(broken)?;
        if let (Some(palette), DynamicImage::ImageLuma8(numbers)) = (&palette, &picture) {
            self.pixels = palette.colour(numbers.as_raw());
            return Ok(Decoded { width_px, height_px, encoding: Encoding::Rgb8, orientation });
        }
        let encoding = match picture {
            DynamicImage::ImageLuma8(_) => Encoding::Mono8,
            DynamicImage::ImageRgba8(_) => Encoding::Rgba8,
            _ => Encoding::Rgb8,
        };
        self.pixels = match picture {
            DynamicImage::ImageLuma8(grey) => grey.into_raw(),
            DynamicImage::ImageRgba8(rgba) => rgba.into_raw(),
            picture => picture.into_rgb8().into_raw(),
        };
        Ok(Decoded { width_px, height_px, encoding, orientation })
    }
}

fn orientation(exif: Option<&[u8]>) -> Orientation {
    exif.and_then(Orientation::from_exif_chunk).unwrap_or(Orientation::NoTransforms)
}

/// What a decoder of the `image` crate may use: so many bytes for pixels, and some for the rest.
fn limits(pixel_bytes: u64) -> Limits {
    let mut limits = Limits::default();
    limits.max_alloc = Some(pixel_bytes.saturating_add(EXTRA_BYTES as u64));
    limits
}

/// Refuses sizes that are absurd by themselves or for so little data.
fn check_size(
    kind: &'static str,
    (width_px, height_px): (usize, usize),
    max_pixels: usize,
    bytes: usize,
    pixels_per_byte: usize,
) -> Result<(), CompressedError> {
    let sides = 1..=Frame::MAX_SIDE_PX as usize;
    if !sides.contains(&width_px)
        || !sides.contains(&height_px)
        || width_px * height_px > max_pixels
    {
        return Err(CompressedError::Size { kind, width_px, height_px, max_pixels });
    }
    let expected = (width_px * height_px).div_ceil(pixels_per_byte);
    if bytes < expected {
        return Err(CompressedError::TooShort { kind, width_px, height_px, bytes, expected });
    }
    Ok(())
}
