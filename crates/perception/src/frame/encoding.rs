//! How cameras store pixels, under the names of `sensor_msgs/image_encodings`.

use std::str::FromStr;

use super::FrameError;

/// How a pixel is stored. One byte a channel where nothing else is said.
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
    /// Grey of two bytes, the low one first; its range is 0 to 65535.
    Mono16,
    /// Grey of two bytes, the high one first: `mono16` of a message with `is_bigendian`.
    Mono16BigEndian,
    /// U, Y, V, Y for each two pixels, 4:2:2.
    Uyvy,
    /// Y, U, Y, V for each two pixels, 4:2:2.
    Yuyv,
    /// Rows of Y, then half as many rows of U and V in turn, 4:2:0; both of the same step.
    Nv12,
    /// Rows of Y, then half as many rows of V and U in turn, 4:2:0; both of the same step.
    Nv21,
    /// Behind a mosaic of filters: red, green in even rows, green, blue in odd ones.
    BayerRggb8,
    /// Behind a mosaic of filters: blue, green in even rows, green, red in odd ones.
    BayerBggr8,
    /// Behind a mosaic of filters: green, blue in even rows, red, green in odd ones.
    BayerGbrg8,
    /// Behind a mosaic of filters: green, red in even rows, blue, green in odd ones.
    BayerGrbg8,
}

/// The names in image messages. 4:2:2 has an older and a newer name; NV12 is newer than Jazzy.
const NAMES: [(&str, Encoding); 16] = [
    ("rgb8", Encoding::Rgb8),
    ("bgr8", Encoding::Bgr8),
    ("mono8", Encoding::Mono8),
    ("rgba8", Encoding::Rgba8),
    ("bgra8", Encoding::Bgra8),
    ("mono16", Encoding::Mono16),
    ("yuv422", Encoding::Uyvy),
    ("uyvy", Encoding::Uyvy),
    ("yuv422_yuy2", Encoding::Yuyv),
    ("yuyv", Encoding::Yuyv),
    ("nv12", Encoding::Nv12),
    ("nv21", Encoding::Nv21),
    ("bayer_rggb8", Encoding::BayerRggb8),
    ("bayer_bggr8", Encoding::BayerBggr8),
    ("bayer_gbrg8", Encoding::BayerGbrg8),
    ("bayer_grbg8", Encoding::BayerGrbg8),
];

impl Encoding {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::Rgb8,
        Self::Bgr8,
        Self::Mono8,
        Self::Rgba8,
        Self::Bgra8,
        Self::Mono16,
        Self::Mono16BigEndian,
        Self::Uyvy,
        Self::Yuyv,
        Self::Nv12,
        Self::Nv21,
        Self::BayerRggb8,
        Self::BayerBggr8,
        Self::BayerGbrg8,
        Self::BayerGrbg8,
    ];

    /// The first of its names in a ROS image message.
    pub fn as_str(self) -> &'static str {
        let little = if self == Self::Mono16BigEndian { Self::Mono16 } else { self };
        NAMES.iter().find(|(_, encoding)| *encoding == little).map_or("", |(name, _)| name)
    }

    /// All names, comma separated, for error messages.
    pub fn names() -> String {
        NAMES.map(|(name, _)| name).join(", ")
    }

    /// The same encoding with the byte order of a message's `is_bigendian`.
    pub const fn with_byte_order(self, is_bigendian: bool) -> Self {
        match (self, is_bigendian) {
            (Self::Mono16 | Self::Mono16BigEndian, true) => Self::Mono16BigEndian,
            (Self::Mono16 | Self::Mono16BigEndian, false) => Self::Mono16,
            (other, _) => other,
        }
    }

    /// Bytes from one pixel to the next: of the first plane where there are two, on average where
    /// pixels share bytes.
    pub const fn bytes_per_pixel(self) -> usize {
        match self {
            Self::Rgb8 | Self::Bgr8 => 3,
            Self::Rgba8 | Self::Bgra8 => 4,
            Self::Mono16 | Self::Mono16BigEndian | Self::Uyvy | Self::Yuyv => 2,
            Self::Mono8 | Self::Nv12 | Self::Nv21 => 1,
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
            Self::BayerRggb8 | Self::BayerBggr8 | Self::BayerGbrg8 | Self::BayerGrbg8
                if width_px < 2 || height_px < 2 =>
            {
                Some("at least 2 a side")
            }
            _ => None,
        }
    }

    /// How many rows of data an image of this height has.
    pub(super) const fn rows(self, height_px: u32) -> u32 {
        match self {
            Self::Nv12 | Self::Nv21 => height_px + height_px / 2,
            _ => height_px,
        }
    }
}

impl FromStr for Encoding {
    type Err = FrameError;

    fn from_str(name: &str) -> Result<Self, FrameError> {
        NAMES
            .iter()
            .find(|(known, _)| *known == name)
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
            let big = encoding == Encoding::Mono16BigEndian;
            assert_eq!(named.with_byte_order(big), encoding);
        }
        let error = "16UC1".parse::<Encoding>().unwrap_err().to_string();
        assert!(error.starts_with("image encoding is `16UC1`, expected one of rgb8, bgr8, mono8,"));
    }
}
