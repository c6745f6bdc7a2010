//! How cameras store pixels, under the names of `sensor_msgs/image_encodings`.

use std::str::FromStr;

use super::FrameError;
use super::pixel::to_byte;

/// Which of the two bytes of a channel comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteOrder {
    /// The low one.
    Little,
    /// The high one: of a message with `is_bigendian`.
    Big,
}

impl ByteOrder {
    /// The two bytes' value, 0 to 65535, brought to 0 to 255.
    #[inline(always)]
    pub(super) const fn to_byte(self, pair: [u8; 2]) -> u8 {
        to_byte(match self {
            Self::Little => u16::from_le_bytes(pair),
            Self::Big => u16::from_be_bytes(pair),
        })
    }

    /// A row of such values.
    #[inline(always)]
    pub(super) fn to_bytes(self, row: &[u8], bytes: &mut [u8]) {
        let pairs = bytes.iter_mut().zip(row.as_chunks::<2>().0);
        // Two loops, each compiled for its order.
        match self {
            Self::Little => pairs.for_each(|(byte, pair)| *byte = Self::Little.to_byte(*pair)),
            Self::Big => pairs.for_each(|(byte, pair)| *byte = Self::Big.to_byte(*pair)),
        }
    }
}

/// How a pixel is stored. One byte a channel where nothing else is said; two bytes have a range of 0
/// to 65535.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Red, green, blue.
    Rgb8,
    /// Blue, green, red.
    Bgr8,
    /// Grey.
    Mono8,
    /// Red, green, blue and an opacity, which is skipped.
    Rgba8,
    /// Blue, green, red and an opacity, which is skipped.
    Bgra8,
    /// Grey of two bytes.
    Mono16(ByteOrder),
    /// Red, green, blue of two bytes each.
    Rgb16(ByteOrder),
    /// Blue, green, red of two bytes each.
    Bgr16(ByteOrder),
    /// Red, green, blue and an opacity, which is skipped, of two bytes each.
    Rgba16(ByteOrder),
    /// Blue, green, red and an opacity, which is skipped, of two bytes each.
    Bgra16(ByteOrder),
    /// U, Y, V, Y for each two pixels, 4:2:2.
    Uyvy,
    /// Y, U, Y, V for each two pixels, 4:2:2.
    Yuyv,
    /// Rows of Y, then half as many rows of U and V in turn, 4:2:0; both of the same step.
    Nv12,
    /// Rows of Y, then half as many rows of V and U in turn, 4:2:0; both of the same step.
    Nv21,
    /// Rows of Y, then as many rows of U and V in turn, 4:4:4, which are twice as long.
    Nv24,
    /// Behind a mosaic of filters: red, green in even rows, green, blue in odd ones.
    BayerRggb8,
    /// Behind a mosaic of filters: blue, green in even rows, green, red in odd ones.
    BayerBggr8,
    /// Behind a mosaic of filters: green, blue in even rows, red, green in odd ones.
    BayerGbrg8,
    /// Behind a mosaic of filters: green, red in even rows, blue, green in odd ones.
    BayerGrbg8,
    /// As [`Encoding::BayerRggb8`], of two bytes.
    BayerRggb16(ByteOrder),
    /// As [`Encoding::BayerBggr8`], of two bytes.
    BayerBggr16(ByteOrder),
    /// As [`Encoding::BayerGbrg8`], of two bytes.
    BayerGbrg16(ByteOrder),
    /// As [`Encoding::BayerGrbg8`], of two bytes.
    BayerGrbg16(ByteOrder),
}

use ByteOrder::{Big, Little};

/// The names in image messages, in any case. 4:2:2 has an older and a newer name; NV12 is newer than
/// Jazzy. What OpenCV's types say is what `cv_bridge` writes if nobody names an encoding.
const NAMES: [(&str, Encoding); 31] = [
    ("rgb8", Encoding::Rgb8),
    ("bgr8", Encoding::Bgr8),
    ("mono8", Encoding::Mono8),
    ("rgba8", Encoding::Rgba8),
    ("bgra8", Encoding::Bgra8),
    ("mono16", Encoding::Mono16(Little)),
    ("rgb16", Encoding::Rgb16(Little)),
    ("bgr16", Encoding::Bgr16(Little)),
    ("rgba16", Encoding::Rgba16(Little)),
    ("bgra16", Encoding::Bgra16(Little)),
    ("yuv422", Encoding::Uyvy),
    ("uyvy", Encoding::Uyvy),
    ("yuv422_yuy2", Encoding::Yuyv),
    ("yuyv", Encoding::Yuyv),
    ("nv12", Encoding::Nv12),
    ("nv21", Encoding::Nv21),
    ("nv24", Encoding::Nv24),
    ("bayer_rggb8", Encoding::BayerRggb8),
    ("bayer_bggr8", Encoding::BayerBggr8),
    ("bayer_gbrg8", Encoding::BayerGbrg8),
    ("bayer_grbg8", Encoding::BayerGrbg8),
    ("bayer_rggb16", Encoding::BayerRggb16(Little)),
    ("bayer_bggr16", Encoding::BayerBggr16(Little)),
    ("bayer_gbrg16", Encoding::BayerGbrg16(Little)),
    ("bayer_grbg16", Encoding::BayerGrbg16(Little)),
    ("8UC1", Encoding::Mono8),
    ("8UC3", Encoding::Bgr8),
    ("8UC4", Encoding::Bgra8),
    ("16UC1", Encoding::Mono16(Little)),
    ("16UC3", Encoding::Bgr16(Little)),
    ("16UC4", Encoding::Bgra16(Little)),
];

impl Encoding {
    /// All of them; those of two bytes in little byte order, and grey in both.
    pub const ALL: [Self; 24] = [
        Self::Rgb8,
        Self::Bgr8,
        Self::Mono8,
        Self::Rgba8,
        Self::Bgra8,
        Self::Mono16(Little),
        Self::Mono16(Big),
        Self::Uyvy,
        Self::Yuyv,
        Self::Nv12,
        Self::Nv21,
        Self::BayerRggb8,
        Self::BayerBggr8,
        Self::BayerGbrg8,
        Self::BayerGrbg8,
        Self::Nv24,
        Self::Rgb16(Little),
        Self::Bgr16(Little),
        Self::Rgba16(Little),
        Self::Bgra16(Little),
        Self::BayerRggb16(Little),
        Self::BayerBggr16(Little),
        Self::BayerGbrg16(Little),
        Self::BayerGrbg16(Little),
    ];

    /// The first of its names in a ROS image message.
    pub fn as_str(self) -> &'static str {
        let little = self.with_byte_order(false);
        NAMES.iter().find(|(_, encoding)| *encoding == little).map_or("", |(name, _)| name)
    }

    /// All names, comma separated, for error messages.
    pub fn names() -> String {
        NAMES.map(|(name, _)| name).join(", ")
    }

    /// The same encoding with the byte order of a message's `is_bigendian`.
    pub const fn with_byte_order(self, is_bigendian: bool) -> Self {
        let order = if is_bigendian { Big } else { Little };
        match self {
            Self::Mono16(_) => Self::Mono16(order),
            Self::Rgb16(_) => Self::Rgb16(order),
            Self::Bgr16(_) => Self::Bgr16(order),
            Self::Rgba16(_) => Self::Rgba16(order),
            Self::Bgra16(_) => Self::Bgra16(order),
            Self::BayerRggb16(_) => Self::BayerRggb16(order),
            Self::BayerBggr16(_) => Self::BayerBggr16(order),
            Self::BayerGbrg16(_) => Self::BayerGbrg16(order),
            Self::BayerGrbg16(_) => Self::BayerGrbg16(order),
            other => other,
        }
    }

    /// Bytes from one pixel to the next: of the first plane where there are two, on average where
    /// pixels share bytes.
    pub const fn bytes_per_pixel(self) -> usize {
        match self {
            Self::Rgb8 | Self::Bgr8 => 3,
            Self::Rgba8 | Self::Bgra8 => 4,
            Self::Rgb16(_) | Self::Bgr16(_) => 6,
            Self::Rgba16(_) | Self::Bgra16(_) => 8,
            Self::Mono16(_) | Self::Uyvy | Self::Yuyv => 2,
            Self::BayerRggb16(_) | Self::BayerBggr16(_) => 2,
            Self::BayerGbrg16(_) | Self::BayerGrbg16(_) => 2,
            Self::Mono8 | Self::Nv12 | Self::Nv21 | Self::Nv24 => 1,
            Self::BayerRggb8 | Self::BayerBggr8 | Self::BayerGbrg8 | Self::BayerGrbg8 => 1,
        }
    }

    /// What a size must be besides being in range, if it is not.
    pub(super) const fn size_wanted(self, width_px: u32, height_px: u32) -> Option<&'static str> {
        match self {
            Self::Uyvy | Self::Yuyv if !width_px.is_multiple_of(2) => Some("an even width"),
            Self::Nv12 | Self::Nv21
                if !width_px.is_multiple_of(2) || !height_px.is_multiple_of(2) =>
            {
                Some("an even width and height")
            }
            _ if self.is_mosaic() && (width_px < 2 || height_px < 2) => Some("at least 2 a side"),
            _ => None,
        }
    }

    const fn is_mosaic(self) -> bool {
        matches!(
            self,
            Self::BayerRggb8
                | Self::BayerBggr8
                | Self::BayerGbrg8
                | Self::BayerGrbg8
                | Self::BayerRggb16(_)
                | Self::BayerBggr16(_)
                | Self::BayerGbrg16(_)
                | Self::BayerGrbg16(_)
        )
    }

    /// How many rows of data an image of this height has.
    pub(super) const fn rows(self, height_px: u32) -> u32 {
        match self {
            Self::Nv12 | Self::Nv21 => height_px + height_px / 2,
            Self::Nv24 => 3 * height_px,
            _ => height_px,
        }
    }
}

impl FromStr for Encoding {
    type Err = FrameError;

    fn from_str(name: &str) -> Result<Self, FrameError> {
        NAMES
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, encoding)| *encoding)
            .ok_or_else(|| FrameError::Encoding { found: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_unknown_ones_list_what_is_allowed() {
        for (name, encoding) in NAMES {
            assert_eq!(name.parse(), Ok(encoding));
        }
        for encoding in Encoding::ALL {
            let named: Encoding = encoding.as_str().parse().unwrap();
            let big = encoding == Encoding::Mono16(Big);
            assert_eq!(named.with_byte_order(big), encoding);
        }
        assert_eq!("YUYV".parse(), Ok(Encoding::Yuyv));
        let error = "32FC1".parse::<Encoding>().unwrap_err().to_string();
        assert!(error.starts_with("image encoding is `32FC1`, expected one of rgb8, bgr8, mono8,"));
    }
}
