//! An uncompressed camera image, borrowed from wherever it came from and checked before use.

use std::str::FromStr;

/// How a pixel is stored. Names and meanings are those of `sensor_msgs/image_encodings`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Red, green, blue; one byte each.
    Rgb8,
    /// Blue, green, red; one byte each.
    Bgr8,
    /// One byte of grey.
    Mono8,
}

impl Encoding {
    /// All supported encodings.
    pub const ALL: [Encoding; 3] = [Encoding::Rgb8, Encoding::Bgr8, Encoding::Mono8];

    /// The name in a ROS image message.
    pub const fn as_str(self) -> &'static str {
        match self {
            Encoding::Rgb8 => "rgb8",
            Encoding::Bgr8 => "bgr8",
            Encoding::Mono8 => "mono8",
        }
    }

    /// Bytes from one pixel to the next.
    pub const fn bytes_per_pixel(self) -> usize {
        match self {
            Encoding::Rgb8 | Encoding::Bgr8 => 3,
            Encoding::Mono8 => 1,
        }
    }
}

impl FromStr for Encoding {
    type Err = FrameError;

    fn from_str(name: &str) -> Result<Self, FrameError> {
        Self::ALL
            .into_iter()
            .find(|encoding| encoding.as_str() == name)
            .ok_or_else(|| FrameError::Encoding { found: name.to_owned() })
    }
}

/// Why an image cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// An encoding that is not supported.
    #[error("image encoding is `{found}`, expected one of {}", Encoding::ALL.map(Encoding::as_str).join(", "))]
    Encoding {
        /// The encoding as named by the image.
        found: String,
    },
    /// No pixels, or more than any camera gives.
    #[error("image is {width_px}x{height_px} pixels, expected 1 to {} a side", Frame::MAX_SIDE_PX)]
    Size {
        /// Width as given.
        width_px: u32,
        /// Height as given.
        height_px: u32,
    },
    /// Rows that are shorter than their pixels.
    #[error("image step is {step_bytes} bytes, expected at least {expected} ({width_px} pixels of {})", encoding.as_str())]
    Step {
        /// Bytes from one row to the next, as given.
        step_bytes: usize,
        /// The least that would do.
        expected: usize,
        /// Pixels in a row.
        width_px: u32,
        /// Encoding of the pixels.
        encoding: Encoding,
    },
    /// Less data than the header announces.
    #[error(
        "image data is {found} bytes, expected {expected} ({height_px} rows of step {step_bytes})"
    )]
    Data {
        /// Bytes of data.
        found: usize,
        /// Bytes that rows and step ask for.
        expected: usize,
        /// Rows.
        height_px: u32,
        /// Bytes from one row to the next.
        step_bytes: usize,
    },
}

/// A view of an uncompressed image whose size, step and data are known to agree.
///
/// ```
/// use rapport::frame::{Encoding, Frame};
/// let pixels = [10, 20, 30, 40, 50, 60];
/// let frame = Frame::new(2, 1, 6, Encoding::Bgr8, &pixels)?;
/// assert_eq!(frame.rgb(1, 0), [60, 50, 40]);
/// let error = Frame::new(2, 2, 6, Encoding::Bgr8, &pixels).unwrap_err();
/// assert_eq!(error.to_string(), "image data is 6 bytes, expected 12 (2 rows of step 6)");
/// # Ok::<(), rapport::frame::FrameError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    width_px: u32,
    height_px: u32,
    step_bytes: usize,
    encoding: Encoding,
    data: &'a [u8],
}

impl<'a> Frame<'a> {
    /// The longest side that is accepted: larger than any camera's, small enough to compute with.
    pub const MAX_SIDE_PX: u32 = 16_384;

    /// Checks the numbers of an image header against its data. Rows may be padded: `step_bytes`
    /// is the distance from one row to the next.
    ///
    /// # Errors
    /// A [`FrameError`] that names the first number that does not fit.
    pub fn new(
        width_px: u32,
        height_px: u32,
        step_bytes: usize,
        encoding: Encoding,
        data: &'a [u8],
    ) -> Result<Self, FrameError> {
        let sides = 1..=Self::MAX_SIDE_PX;
        if !sides.contains(&width_px) || !sides.contains(&height_px) {
            return Err(FrameError::Size { width_px, height_px });
        }
        let row_bytes = width_px as usize * encoding.bytes_per_pixel();
        if step_bytes < row_bytes {
            return Err(FrameError::Step { step_bytes, expected: row_bytes, width_px, encoding });
        }
        // The padding of the last row is not needed, and some drivers leave it out.
        let least = step_bytes.saturating_mul(height_px as usize - 1).saturating_add(row_bytes);
        if data.len() < least {
            let expected = step_bytes.saturating_mul(height_px as usize);
            return Err(FrameError::Data { found: data.len(), expected, height_px, step_bytes });
        }
        Ok(Self { width_px, height_px, step_bytes, encoding, data })
    }

    /// Width in pixels, at least 1.
    pub fn width_px(&self) -> u32 {
        self.width_px
    }

    /// Height in pixels, at least 1.
    pub fn height_px(&self) -> u32 {
        self.height_px
    }

    /// Bytes from the start of one row to the start of the next.
    pub fn step_bytes(&self) -> usize {
        self.step_bytes
    }

    /// How pixels are stored.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// The bytes of one row, padding left out. `y` must be below the height.
    pub fn row(&self, y: u32) -> &'a [u8] {
        let start = y as usize * self.step_bytes;
        &self.data[start..start + self.width_px as usize * self.encoding.bytes_per_pixel()]
    }

    /// The data from the first pixel on, padding included.
    pub(crate) fn data(&self) -> &'a [u8] {
        self.data
    }

    /// Red, green and blue of one pixel. `x` and `y` must lie in the image.
    pub fn rgb(&self, x: u32, y: u32) -> [u8; 3] {
        let start = x as usize * self.encoding.bytes_per_pixel();
        let row = self.row(y);
        match self.encoding {
            Encoding::Rgb8 => [row[start], row[start + 1], row[start + 2]],
            Encoding::Bgr8 => [row[start + 2], row[start + 1], row[start]],
            Encoding::Mono8 => [row[start]; 3],
        }
    }

    /// The whole image as packed RGB rows.
    pub fn to_rgb(&self) -> Vec<u8> {
        let mut rgb = Vec::with_capacity(self.width_px as usize * self.height_px as usize * 3);
        for y in 0..self.height_px {
            let row = self.row(y);
            match self.encoding {
                Encoding::Rgb8 => rgb.extend_from_slice(row),
                Encoding::Bgr8 => rgb.extend(row.chunks_exact(3).flat_map(|p| [p[2], p[1], p[0]])),
                Encoding::Mono8 => rgb.extend(row.iter().flat_map(|&grey| [grey; 3])),
            }
        }
        rgb
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_headers_are_refused_with_their_numbers() {
        let data = [0; 12];
        let new = |w, h, step, len: usize| Frame::new(w, h, step, Encoding::Rgb8, &data[..len]);
        assert!(new(2, 2, 6, 12).is_ok());
        assert!(matches!(new(0, 2, 6, 12), Err(FrameError::Size { width_px: 0, .. })));
        assert!(matches!(new(u32::MAX, 2, 6, 12), Err(FrameError::Size { .. })));
        assert!(matches!(
            new(2, 2, 5, 12),
            Err(FrameError::Step { step_bytes: 5, expected: 6, .. })
        ));
        assert!(matches!(new(2, 2, 6, 11), Err(FrameError::Data { found: 11, expected: 12, .. })));
        assert!(matches!(new(2, 2, usize::MAX, 12), Err(FrameError::Data { .. })));
        assert_eq!(
            "16UC1".parse::<Encoding>().unwrap_err().to_string(),
            "image encoding is `16UC1`, expected one of rgb8, bgr8, mono8"
        );
    }

    #[test]
    fn padding_between_rows_is_skipped() {
        let data = [1, 2, 3, 99, 4, 5, 6];
        let frame = Frame::new(1, 2, 4, Encoding::Bgr8, &data).unwrap();
        assert_eq!(frame.rgb(0, 1), [6, 5, 4]);
        assert_eq!(frame.to_rgb(), [3, 2, 1, 6, 5, 4]);
    }
}
