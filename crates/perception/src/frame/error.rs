//! What can be wrong with an uncompressed image.

use super::{Encoding, Frame};

/// Why an image cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// An encoding that is not supported.
    #[error("image encoding is `{found}`, expected one of {}", Encoding::names())]
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
    /// A size that the encoding cannot have.
    #[error("image is {width_px}x{height_px} pixels, expected {expected} ({})", encoding.as_str())]
    Shape {
        /// Width as given.
        width_px: u32,
        /// Height as given.
        height_px: u32,
        /// What the encoding asks for.
        expected: &'static str,
        /// Encoding of the pixels.
        encoding: Encoding,
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
    #[error("image data is {found} bytes, expected {expected} ({rows} rows of step {step_bytes})")]
    Data {
        /// Bytes of data.
        found: usize,
        /// Bytes that rows and step ask for.
        expected: usize,
        /// Rows, those of a second plane included.
        rows: u32,
        /// Bytes from one row to the next.
        step_bytes: usize,
    },
}
