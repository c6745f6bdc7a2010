//! A camera image, borrowed from wherever it came from and checked before use.
//!
//! [`Frame`] is a view of uncompressed pixels as they lie in the message; nothing is converted
//! before it is needed. [`Decoder`] makes one of compressed images. [`OwnedFrame`] keeps its pixels.

mod compressed;
mod encoding;
mod error;
mod format;
mod jpeg;
mod owned;
mod pixel;
mod rgb;
mod tiff;
mod upright;

pub use compressed::{CompressedError, Decoder};
pub use encoding::{ByteOrder, Encoding};
pub use error::FrameError;
pub use owned::OwnedFrame;

pub(crate) use pixel::yuv_to_rgb;
use pixel::{Bayer, Yuv};

/// A view of an uncompressed image whose size, step and data are known to agree.
///
/// ```
/// use rapport_perception::frame::{Encoding, Frame};
/// let pixels = [10, 20, 30, 40, 50, 60];
/// let frame = Frame::new(2, 1, 6, Encoding::Bgr8, &pixels)?;
/// assert_eq!(frame.rgb(1, 0), [60, 50, 40]);
/// let error = Frame::new(2, 2, 6, Encoding::Bgr8, &pixels).unwrap_err();
/// assert_eq!(error.to_string(), "image data is 6 bytes, expected 12 (2 rows of step 6)");
/// # Ok::<(), rapport_perception::frame::FrameError>(())
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
        if let Some(expected) = encoding.size_wanted(width_px, height_px) {
            return Err(FrameError::Shape { width_px, height_px, expected, encoding });
        }
        let row_bytes = width_px as usize * encoding.bytes_per_pixel();
        if step_bytes < row_bytes {
            return Err(FrameError::Step { step_bytes, expected: row_bytes, width_px, encoding });
        }
        // The padding of the last row is not needed, and some drivers leave it out.
        let rows = encoding.rows(height_px);
        let least = step_bytes.saturating_mul(rows as usize - 1).saturating_add(row_bytes);
        if data.len() < least {
            let expected = step_bytes.saturating_mul(rows as usize);
            return Err(FrameError::Data { found: data.len(), expected, rows, step_bytes });
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

    /// The bytes of one row, padding left out. `y` must be below the height; the rows of a second
    /// plane follow those of the first.
    pub(crate) fn row(&self, y: usize) -> &'a [u8] {
        let start = y * self.step_bytes;
        &self.data[start..start + self.width_px as usize * self.encoding.bytes_per_pixel()]
    }

    /// Red, green and blue of one pixel, 0 to 255. `x` and `y` must lie in the image.
    ///
    /// YUV is BT.601 of limited range, each two or four pixels with the colour that they share; a
    /// mosaic is filled in linearly. Both as OpenCV does, but for a mosaic's outermost pixels.
    pub fn rgb(&self, x: u32, y: u32) -> [u8; 3] {
        self.rgb_as(self.encoding, x as usize, y as usize)
    }

    /// [`Frame::rgb`] of a frame of this very encoding: lets a loop be compiled for one encoding.
    #[inline(always)]
    pub(crate) fn rgb_as(&self, encoding: Encoding, x: usize, y: usize) -> [u8; 3] {
        let at = |offset: usize| self.data[y * self.step_bytes + offset];
        match encoding {
            Encoding::Rgb8 | Encoding::Bgr8 => {
                // One look whether it lies in the data, not three.
                let pixel = &self.data[y * self.step_bytes + 3 * x..][..3];
                let [first, second, third] = [pixel[0], pixel[1], pixel[2]];
                match encoding {
                    Encoding::Rgb8 => [first, second, third],
                    _ => [third, second, first],
                }
            }
            Encoding::Rgba8 => [at(4 * x), at(4 * x + 1), at(4 * x + 2)],
            Encoding::Bgra8 => [at(4 * x + 2), at(4 * x + 1), at(4 * x)],
            Encoding::Mono8 => [at(x); 3],
            Encoding::Mono16(order) => [self.deep(order, x, y); 3],
            Encoding::Rgb16(order) => [0, 1, 2].map(|i| self.deep(order, 3 * x + i, y)),
            Encoding::Bgr16(order) => [2, 1, 0].map(|i| self.deep(order, 3 * x + i, y)),
            Encoding::Rgba16(order) => [0, 1, 2].map(|i| self.deep(order, 4 * x + i, y)),
            Encoding::Bgra16(order) => [2, 1, 0].map(|i| self.deep(order, 4 * x + i, y)),
            Encoding::Uyvy => {
                let pair = x / 2 * 4;
                Yuv { y: at(2 * x + 1), u: at(pair), v: at(pair + 2) }.rgb()
            }
            Encoding::Yuyv => {
                let pair = x / 2 * 4;
                Yuv { y: at(2 * x), u: at(pair + 1), v: at(pair + 3) }.rgb()
            }
            Encoding::Nv12 | Encoding::Nv21 => {
                let row = (self.height_px as usize + y / 2) * self.step_bytes;
                let [first, second] = [0, 1].map(|i| self.data[row + x / 2 * 2 + i]);
                let (u, v) =
                    if encoding == Encoding::Nv12 { (first, second) } else { (second, first) };
                Yuv { y: at(x), u, v }.rgb()
            }
            Encoding::Nv24 => {
                // Rows that are twice as long as those of Y.
                let pair = (self.height_px as usize + 2 * y) * self.step_bytes + 2 * x;
                Yuv { y: at(x), u: self.data[pair], v: self.data[pair + 1] }.rgb()
            }
            Encoding::BayerRggb8 => self.mosaic(Bayer::RGGB, x, y, None),
            Encoding::BayerBggr8 => self.mosaic(Bayer::BGGR, x, y, None),
            Encoding::BayerGbrg8 => self.mosaic(Bayer::GBRG, x, y, None),
            Encoding::BayerGrbg8 => self.mosaic(Bayer::GRBG, x, y, None),
            Encoding::BayerRggb16(order) => self.mosaic(Bayer::RGGB, x, y, Some(order)),
            Encoding::BayerBggr16(order) => self.mosaic(Bayer::BGGR, x, y, Some(order)),
            Encoding::BayerGbrg16(order) => self.mosaic(Bayer::GBRG, x, y, Some(order)),
            Encoding::BayerGrbg16(order) => self.mosaic(Bayer::GRBG, x, y, Some(order)),
        }
    }

    /// A channel of two bytes brought to one. `index` counts the channels of the row.
    #[inline(always)]
    fn deep(&self, order: ByteOrder, index: usize, y: usize) -> u8 {
        let pair = &self.data[y * self.step_bytes + 2 * index..][..2];
        order.to_byte([pair[0], pair[1]])
    }

    /// `deep`: the byte order, where a pixel has two bytes.
    #[inline(always)]
    fn mosaic(&self, bayer: Bayer, x: usize, y: usize, deep: Option<ByteOrder>) -> [u8; 3] {
        let mirror = |i: usize, last: usize| {
            [if i == 0 { 1 } else { i - 1 }, i, if i == last { last - 1 } else { i + 1 }]
        };
        let columns = mirror(x, self.width_px as usize - 1);
        let around = mirror(y, self.height_px as usize - 1).map(|y| match deep {
            None => columns.map(|x| self.data[y * self.step_bytes + x]),
            Some(order) => columns.map(|x| self.deep(order, x, y)),
        });
        bayer.rgb(x, y, around)
    }

    /// One row of a mosaic filled in: all of its red, then its green, then its blue, and after these
    /// whatever.
    pub(crate) fn mosaic_row(&self, y: usize, planes: &mut Vec<u8>) {
        let (width, height) = (self.width_px as usize, self.height_px as usize);
        let Some((bayer, order)) = Bayer::of(self.encoding) else { return };
        let above = if y == 0 { 1 } else { y - 1 };
        let below = if y + 1 == height { y - 1 } else { y + 1 };
        let mut rows = [above, y, below].map(|y| self.row(y));
        planes.resize(6 * width, 0);
        let (colours, bytes) = planes.split_at_mut(3 * width);
        if let Some(order) = order {
            for (row, bytes) in rows.iter().zip(bytes.chunks_exact_mut(width)) {
                order.to_bytes(row, bytes);
            }
            rows = [0, 1, 2].map(|row| &bytes[row * width..][..width]);
        }
        let (red, rest) = colours.split_at_mut(width);
        let (green, blue) = rest.split_at_mut(width);
        bayer.row(y, rows, [red, green, blue]);
        for x in [0, width - 1] {
            [red[x], green[x], blue[x]] = self.mosaic(bayer, x, y, order);
        }
    }

    /// One row of grey of two bytes, brought to one.
    pub(crate) fn mono16_row(&self, y: usize, grey: &mut Vec<u8>) {
        grey.resize(self.width_px as usize, 0);
        if let Encoding::Mono16(order) = self.encoding {
            order.to_bytes(self.row(y), grey);
        }
    }

    /// One row of any encoding as red, green and blue. `buffer` is kept from row to row.
    pub(crate) fn rgb_row(&self, y: usize, rgb: &mut Vec<u8>, buffer: &mut Vec<u8>) {
        rgb.resize(3 * self.width_px as usize, 0);
        rgb::fill(self, y, rgb, buffer);
    }

    /// The whole image as packed RGB rows.
    pub fn to_rgb(&self) -> Vec<u8> {
        let row_bytes = 3 * self.width_px as usize;
        let mut rgb = vec![0; row_bytes * self.height_px as usize];
        let mut buffer = Vec::new();
        for (y, row) in rgb.chunks_exact_mut(row_bytes).enumerate() {
            rgb::fill(self, y, row, &mut buffer);
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
    }

    #[test]
    fn sizes_that_an_encoding_cannot_have_are_refused() {
        let data = [0; 64];
        let error = |w, h, encoding| {
            Frame::new(w, h, 16, encoding, &data).map(|_| ()).unwrap_err().to_string()
        };
        assert_eq!(
            error(3, 2, Encoding::Uyvy),
            "image is 3x2 pixels, expected an even width (yuv422)"
        );
        assert_eq!(
            error(4, 3, Encoding::Nv21),
            "image is 4x3 pixels, expected an even width and height (nv21)"
        );
        assert_eq!(
            error(1, 2, Encoding::BayerRggb8),
            "image is 1x2 pixels, expected at least 2 a side (bayer_rggb8)"
        );
        assert_eq!(
            error(4, 4, Encoding::Nv12),
            "image data is 64 bytes, expected 96 (6 rows of step 16)"
        );
    }

    #[test]
    fn padding_between_rows_is_skipped() {
        let data = [1, 2, 3, 99, 4, 5, 6];
        let frame = Frame::new(1, 2, 4, Encoding::Bgr8, &data).unwrap();
        assert_eq!(frame.rgb(0, 1), [6, 5, 4]);
        assert_eq!(frame.to_rgb(), [3, 2, 1, 6, 5, 4]);
    }

    #[test]
    fn two_byte_grey_is_read_in_either_order() {
        let data = [0x34, 0xC2, 0xFF, 0xFF];
        let grey = |encoding| Frame::new(2, 1, 4, encoding, &data).unwrap().to_rgb();
        // 0xC234 / 257 and 0x34C2 / 257.
        assert_eq!(grey(Encoding::Mono16(ByteOrder::Little)), [193, 193, 193, 255, 255, 255]);
        assert_eq!(grey(Encoding::Mono16(ByteOrder::Big)), [53, 53, 53, 255, 255, 255]);
    }
}
