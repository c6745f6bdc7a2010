//! A frame that keeps its pixels, for images that are decoded before it is their turn.

use super::{Encoding, Frame, FrameError};

/// An uncompressed image that owns its pixels. It can be moved to another thread; [`Self::view`]
/// gives the [`Frame`] that everything else works with.
///
/// ```
/// use rapport_perception::frame::{Encoding, OwnedFrame};
/// let owned = OwnedFrame::new(2, 1, 6, Encoding::Bgr8, vec![10, 20, 30, 40, 50, 60])?;
/// assert_eq!(owned.view().rgb(1, 0), [60, 50, 40]);
/// # Ok::<(), rapport_perception::frame::FrameError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedFrame {
    width_px: u32,
    height_px: u32,
    step_bytes: usize,
    encoding: Encoding,
    data: Vec<u8>,
}

impl OwnedFrame {
    /// Checks the numbers against the data, as [`Frame::new`] does.
    ///
    /// # Errors
    /// A [`FrameError`] that names the first number that does not fit.
    pub fn new(
        width_px: u32,
        height_px: u32,
        step_bytes: usize,
        encoding: Encoding,
        data: Vec<u8>,
    ) -> Result<Self, FrameError> {
        Frame::new(width_px, height_px, step_bytes, encoding, &data)?;
        Ok(Self { width_px, height_px, step_bytes, encoding, data })
    }

    /// The image as a frame.
    pub fn view(&self) -> Frame<'_> {
        // Checked by `new`, and nothing changes it.
        Frame {
            width_px: self.width_px,
            height_px: self.height_px,
            step_bytes: self.step_bytes,
            encoding: self.encoding,
            data: &self.data,
        }
    }

    /// The memory that its pixels take, in bytes.
    pub fn bytes(&self) -> usize {
        self.data.len()
    }
}
