//! Which format bytes are of, by how they begin: file names and messages are often wrong.

use image::ImageFormat;

/// What bytes look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Jpeg,
    Png,
    /// One of the formats that the `image` crate reads: which, its name, and how many pixels it can
    /// pack into a byte at the very most.
    Other {
        kind: &'static str,
        format: ImageFormat,
        pixels_per_byte: usize,
    },
    /// A format that is known and not read: its name, and what to do.
    NotRead {
        kind: &'static str,
        way_out: &'static str,
    },
    Unknown,
}

/// The formats that are read, for error messages.
pub(super) const READ: &str = "JPEG, PNG, WebP, TIFF, BMP, GIF or PNM (.pbm, .pgm, .ppm)";

const CONVERT: &str = "convert it to JPEG or PNG, for example with ImageMagick: \
                       magick INPUT output.png";
const FROM_PHONE: &str = "convert it, for example with libheif: heif-convert INPUT output.jpg; \
                          phones write JPEG when set to `most compatible`";
const FILM: &str = "take pictures out of it, for example: ffmpeg -i INPUT -vf fps=5 %05d.png";
const STREAM: &str = "decode it to sensor_msgs/Image before, for example with \
                      `ros2 run image_transport republish`";

impl Format {
    /// Of these bytes, as far as their beginning tells.
    pub fn of(data: &[u8]) -> Self {
        let other = |kind, format, pixels_per_byte| Self::Other { kind, format, pixels_per_byte };
        let not_read = |kind, way_out| Self::NotRead { kind, way_out };
        match data {
            [0xFF, 0xD8, 0xFF, ..] => Self::Jpeg,
            [0x89, b'P', b'N', b'G', ..] => Self::Png,
            // Its coder may spend next to nothing on a pixel; photographs take a thousand times that.
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => {
                other("WebP", ImageFormat::WebP, 4096)
            }
            // LZW, 12 bits for 4095 pixels.
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => other("GIF", ImageFormat::Gif, 4096),
            // Deflate at its best, of single bits.
            [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => {
                other("TIFF", ImageFormat::Tiff, 1032 * 8)
            }
            // Runs of 255 pixels in two bytes.
            [b'B', b'M', _, _, _, _, 0, 0, 0, 0, ..] => other("BMP", ImageFormat::Bmp, 128),
            // Single bits.
            [b'P', b'1'..=b'6', b' ' | b'\t' | b'\r' | b'\n' | b'#', ..] => {
                other("PNM", ImageFormat::Pnm, 8)
            }
            [b'P', b'7', b'\n', ..] => other("PAM", ImageFormat::Pnm, 8),
            [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => match brand {
                [b'a', b'v', b'i', b'f' | b's', ..] => not_read("AVIF", FROM_PHONE),
                [b'h', b'e', b'i' | b'v', ..]
                | [b'm', b'i', b'f', b'1', ..]
                | [b'm', b's', b'f', b'1', ..] => not_read("HEIC", FROM_PHONE),
                _ => not_read("an MP4 film", FILM),
            },
            [0, 0, 0, 12, b'j', b'P', ..] | [0xFF, 0x4F, 0xFF, 0x51, ..] => {
                not_read("JPEG 2000", CONVERT)
            }
            [0, 0, 0, 12, b'J', b'X', b'L', ..] | [0xFF, 0x0A, ..] => not_read("JPEG XL", CONVERT),
            [b'I', b'I', 43, 0, ..] | [b'M', b'M', 0, 43, ..] => not_read("BigTIFF", CONVERT),
            [0x76, 0x2F, 0x31, 0x01, ..] => not_read("OpenEXR", CONVERT),
            [b'8', b'B', b'P', b'S', ..] => not_read("Photoshop", CONVERT),
            [b'%', b'P', b'D', b'F', ..] => not_read("PDF", CONVERT),
            [0x1A, 0x45, 0xDF, 0xA3, ..] => not_read("a Matroska or WebM film", FILM),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'A', b'V', b'I', ..] => {
                not_read("an AVI film", FILM)
            }
            // The first byte of a stream's unit is never 0.
            [0, 0, 1, 0, ..] => not_read("an icon (ICO)", CONVERT),
            [0, 0, 0, 1, ..] | [0, 0, 1, ..] => not_read("an H.264 or H.265 stream", STREAM),
            _ => Self::Unknown,
        }
    }
}
