//! JPEG, PNG and WebP bytes, as `sensor_msgs/CompressedImage` and picture files hold them.
//!
//! JPEG is decoded whole and scaled afterwards. Decoders can also leave pixels out, but what costs
//! the time is reading the Huffman codes, and these must all be read: 1920x1080 at quality 90 takes
//! this decoder 7.7 ms whole, `jpeg-decoder` 12.3 ms whole, 10.4 at 1/2, 9.4 at 1/4 and 8.8 at 1/8
//! (AMD EPYC, one thread). Small faces keep all their pixels, and there is one kind of pixel.

use image::codecs::webp::WebPDecoder;
use image::metadata::Orientation;
use image::{ColorType, DynamicImage, ImageDecoder, Limits, RgbImage};
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::{Encoding, Frame, FrameError};

/// The most pixels of a compressed image: more than any camera's, 200 MB when decoded.
const MAX_PIXELS: usize = 1 << 26;

/// Any JPEG spends at least one bit on each block of 8x8 pixels.
const JPEG_PIXELS_PER_BYTE: usize = 8 * 64;

/// Deflate, inside PNG, makes at most 1032 bytes of one: so many bits of pixels.
const PNG_BITS_PER_BYTE: usize = 1032 * 8;

/// A buffer larger than this many times what the present image takes is given back: one odd image
/// does not hold memory for the life of the process.
const MOST_SLACK: usize = 4;

/// Memory for what PNG and WebP files hold beside pixels.
const EXTRA_BYTES: usize = 8 << 20;

/// Why a compressed image cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CompressedError {
    /// Neither JPEG nor PNG nor WebP.
    #[error(
        "compressed image of format `{format}` has {bytes} bytes that start with [{start}], \
         expected JPEG [ff d8 ff], PNG [89 50 4e 47] or WebP [52 49 46 46]"
    )]
    Format {
        /// What the message or the file calls itself.
        format: String,
        /// How many bytes there are.
        bytes: usize,
        /// The first of them, in hexadecimal.
        start: String,
    },
    /// More pixels than any camera gives, or than are accepted here.
    #[error(
        "{kind} is {width_px}x{height_px} pixels, expected 1 to {} a side and at most {max_pixels}",
        Frame::MAX_SIDE_PX
    )]
    Size {
        /// JPEG, PNG or WebP.
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
        /// JPEG, PNG or WebP.
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
        /// JPEG, PNG or WebP.
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

/// Decodes JPEG, PNG and WebP into a buffer that is kept from image to image.
///
/// ```
/// use rapport_perception::frame::Decoder;
/// let error = Decoder::default().decode("jpeg", b"GIF89a").unwrap_err();
/// assert!(error.to_string().contains("`jpeg` has 6 bytes that start with [47 49 46 38]"));
/// ```
#[derive(Debug)]
pub struct Decoder {
    pixels: Vec<u8>,
    exif: Option<Vec<u8>>,
    max_pixels: usize,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::with_max_pixels(MAX_PIXELS)
    }
}

/// Size and kind of what lies in the buffer.
struct Decoded {
    width_px: usize,
    height_px: usize,
    encoding: Encoding,
}

impl Decoder {
    /// A decoder that refuses pictures of more pixels than these, and in any case of more than 2^26.
    pub fn with_max_pixels(max_pixels: usize) -> Self {
        Self { pixels: Vec::new(), exif: None, max_pixels: max_pixels.min(MAX_PIXELS) }
    }

    /// Decodes a picture, upright as its EXIF orientation says. Arguments and errors are those of
    /// [`Self::decode`].
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
        let mut picture = DynamicImage::ImageRgb8(picture.unwrap_or_default());
        picture.apply_orientation(self.orientation());
        Ok(picture.into_rgb8())
    }

    /// Decodes an image. Its first bytes tell what it is; `format`, as the message has it
    /// (`jpeg`, `png`, `webp`, `rgb8; jpeg compressed bgr8`), only names it in errors.
    ///
    /// # Errors
    /// If it is neither JPEG nor PNG nor WebP, too large, damaged or cut off. Sizes are checked
    /// before memory is taken for them: no more than the format can pack into the bytes given, which
    /// is 1.5 kB a byte for JPEG and 1 to 33 kB a byte for PNG (one bit a pixel); WebP has no such
    /// bound.
    pub fn decode(&mut self, format: &str, data: &[u8]) -> Result<Frame<'_>, CompressedError> {
        let decoded = match self.decode_pixels(format, data) {
            Ok(decoded) => decoded,
            Err(error) => {
                self.pixels = Vec::new();
                return Err(error);
            }
        };
        if self.pixels.capacity() > MOST_SLACK * self.pixels.len() {
            self.pixels.shrink_to_fit();
        }
        let Decoded { width_px, height_px, encoding } = decoded;
        let step_bytes = width_px * encoding.bytes_per_pixel();
        let (width_px, height_px) = (width_px as u32, height_px as u32);
        Ok(Frame::new(width_px, height_px, step_bytes, encoding, &self.pixels)?)
    }

    fn decode_pixels(&mut self, format: &str, data: &[u8]) -> Result<Decoded, CompressedError> {
        self.exif = None;
        Ok(match data {
            [0xFF, 0xD8, 0xFF, ..] => self.decode_jpeg(data)?,
            [0x89, b'P', b'N', b'G', ..] => self.decode_png(data)?,
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => {
                self.decode_webp(data)?
            }
            _ => {
                let start: Vec<_> = data.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
                let start = start.join(" ");
                let format = format.chars().take(64).collect();
                return Err(CompressedError::Format { format, bytes: data.len(), start });
            }
        })
    }

    /// How the image decoded last is to be turned to stand upright, as its EXIF data says.
    pub fn orientation(&self) -> Orientation {
        let stated = self.exif.as_deref().and_then(Orientation::from_exif_chunk);
        stated.unwrap_or(Orientation::NoTransforms)
    }

    fn decode_jpeg(&mut self, data: &[u8]) -> Result<Decoded, CompressedError> {
        const KIND: &str = "JPEG";
        let broken = |reason: String| CompressedError::Broken {
            kind: KIND,
            bytes: data.len(),
            reason: reason.trim_end().to_owned(),
        };
        // The decoder takes an image whose last rows are missing for whole.
        if !data.windows(2).rev().any(|pair| pair == [0xFF, 0xD9]) {
            return Err(broken("cut off, no end-of-image marker".to_owned()));
        }
        let options = DecoderOptions::default()
            .set_strict_mode(true)
            .set_max_width(usize::from(u16::MAX))
            .set_max_height(usize::from(u16::MAX));
        let mut decoder = zune_jpeg::JpegDecoder::new_with_options(ZCursor::new(data), options);
        decoder.decode_headers().map_err(|error| broken(error.to_string()))?;
        let (width_px, height_px) = decoder.dimensions().unwrap_or_default();
        self.check_size(KIND, (width_px, height_px), data.len(), JPEG_PIXELS_PER_BYTE)?;
        let (colours, encoding) = match decoder.input_colorspace() {
            Some(ColorSpace::Luma) => (ColorSpace::Luma, Encoding::Mono8),
            _ => (ColorSpace::RGB, Encoding::Rgb8),
        };
        decoder.set_options(options.jpeg_set_out_colorspace(colours));
        self.pixels.resize(width_px * height_px * encoding.bytes_per_pixel(), 0);
        decoder.decode_into(&mut self.pixels).map_err(|error| broken(error.to_string()))?;
        self.exif = decoder.exif().cloned();
        Ok(Decoded { width_px, height_px, encoding })
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
        self.check_size(KIND, (width_px, height_px), data.len(), pixels_per_byte)?;
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
        }
        self.exif = reader.info().exif_metadata.as_deref().map(<[u8]>::to_vec);
        Ok(Decoded { width_px, height_px, encoding })
    }

    /// Of an animation, the first picture.
    fn decode_webp(&mut self, data: &[u8]) -> Result<Decoded, CompressedError> {
        const KIND: &str = "WebP";
        let broken = |error: image::ImageError| CompressedError::Broken {
            kind: KIND,
            bytes: data.len(),
            reason: error.to_string(),
        };
        let mut decoder = WebPDecoder::new(std::io::Cursor::new(data)).map_err(broken)?;
        let (width, height) = decoder.dimensions();
        let (width_px, height_px) = (width as usize, height as usize);
        self.check_size(KIND, (width_px, height_px), data.len(), usize::MAX)?;
        let (encoding, channels) = match decoder.color_type() {
            ColorType::Rgba8 => (Encoding::Rgba8, 4),
            _ => (Encoding::Rgb8, 3),
        };
        let bytes = width_px * height_px * channels;
        let mut limits = Limits::default();
        limits.max_alloc = Some((bytes + EXTRA_BYTES) as u64);
        decoder.set_limits(limits).map_err(broken)?;
        let exif = decoder.exif_metadata().map_err(broken)?;
        self.pixels.resize(bytes, 0);
        decoder.read_image(&mut self.pixels).map_err(broken)?;
        self.exif = exif;
        Ok(Decoded { width_px, height_px, encoding })
    }

    /// Refuses sizes that are absurd by themselves or for so little data.
    fn check_size(
        &self,
        kind: &'static str,
        (width_px, height_px): (usize, usize),
        bytes: usize,
        pixels_per_byte: usize,
    ) -> Result<(), CompressedError> {
        let sides = 1..=Frame::MAX_SIDE_PX as usize;
        let max_pixels = self.max_pixels;
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
}
