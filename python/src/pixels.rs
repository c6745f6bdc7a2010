//! NumPy arrays as frames: borrowed where rows lie one after another, whatever lies between them.

use std::borrow::Cow;

use numpy::ndarray::ArrayViewD;
use numpy::{PyReadonlyArrayDyn, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;
use rapport_perception::frame::{Encoding, Frame, FrameError};

use crate::errors::Kind;

/// What the last axis of a colour image counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channels {
    /// Red, green, blue, as Pillow, PyAV and matplotlib have it.
    Rgb,
    /// Blue, green, red, as OpenCV has it.
    Bgr,
}

impl Channels {
    /// Reads `rgb` or `bgr`.
    pub fn parse(text: &str) -> PyResult<Self> {
        match text {
            "rgb" => Ok(Self::Rgb),
            "bgr" => Ok(Self::Bgr),
            _ => Err(Kind::Setting.error(format!("channels is `{text}`, expected `rgb` or `bgr`"))),
        }
    }

    const fn reversed(self) -> Self {
        match self {
            Self::Rgb => Self::Bgr,
            Self::Bgr => Self::Rgb,
        }
    }

    /// The encoding of so many channels: 1, 3 or 4.
    const fn encoding(self, depth: usize) -> Encoding {
        match (self, depth) {
            (_, 1) => Encoding::Mono8,
            (Self::Rgb, 3) => Encoding::Rgb8,
            (Self::Bgr, 3) => Encoding::Bgr8,
            (Self::Rgb, _) => Encoding::Rgba8,
            (Self::Bgr, _) => Encoding::Bgra8,
        }
    }
}

/// An array of bytes that Python gave; kept while its pixels are in use.
pub struct Image<'py>(PyReadonlyArrayDyn<'py, u8>);

impl<'py> Image<'py> {
    /// Takes an array, or what NumPy makes one of, as it does of a Pillow image.
    ///
    /// # Errors
    /// `ImageError` if it is none of `uint8`.
    pub fn take(image: &Bound<'py, PyAny>) -> PyResult<Self> {
        if let Ok(array) = image.extract() {
            return Ok(Self(array));
        }
        let py = image.py();
        let array = match image.cast::<PyUntypedArray>() {
            Ok(array) => array.clone(),
            Err(_) if image.hasattr("__array__")? || image.hasattr("__array_interface__")? => {
                let array = py.import("numpy")?.call_method1("asarray", (image,))?;
                array.cast_into::<PyUntypedArray>()?
            }
            Err(_) => {
                let found = image.get_type().fully_qualified_name()?;
                return Err(Kind::Image
                    .error(format!("image is a {found}, expected a numpy.ndarray of uint8")));
            }
        };
        array.extract().map(Self).map_err(|_: PyErr| {
            let found = array.dtype();
            Kind::Image.error(format!("image has dtype {found}, expected uint8"))
        })
    }

    /// The array's bytes as they lie.
    pub fn view(&self) -> ArrayViewD<'_, u8> {
        self.0.as_array()
    }
}

/// Pixels as a frame takes them.
pub struct Pixels<'a> {
    width_px: u32,
    height_px: u32,
    step_bytes: usize,
    encoding: Encoding,
    data: Cow<'a, [u8]>,
}

impl<'a> Pixels<'a> {
    /// The pixels of an array (height, width), (height, width, 1), (height, width, 3) or
    /// (height, width, 4). Copied only where a row's pixels do not lie side by side, or rows overlap
    /// or go upwards. Channels in reversed order (`image[..., ::-1]`) are no reason.
    ///
    /// # Errors
    /// `ImageError` if the array has another shape.
    pub fn of(array: &ArrayViewD<'a, u8>, channels: Channels) -> PyResult<Self> {
        let (height, width, depth) = match *array.shape() {
            [height, width] => (height, width, 1),
            [height, width, depth @ (1 | 3 | 4)] => (height, width, depth),
            ref shape => {
                let shape = shape.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
                return Err(Kind::Image.error(format!(
                    "image has shape ({shape}), expected (height, width) or (height, width, 1, 3 \
                     or 4)"
                )));
            }
        };
        let [width_px, height_px] = [width, height].map(|side| side.try_into().unwrap_or(u32::MAX));
        let row_bytes = width * depth;
        let mut pixels = Self {
            width_px,
            height_px,
            step_bytes: row_bytes,
            encoding: channels.encoding(depth),
            data: Cow::Borrowed(&[]),
        };
        if array.is_empty() {
            // The frame says what is wrong with that.
            return Ok(pixels);
        }
        let stride = |axis: usize| array.strides().get(axis).copied().unwrap_or(1);
        let (step, pixel) = (stride(0), stride(1));
        let channel = if depth == 1 { 1 } else { stride(2) };
        let is_side_by_side = usize::try_from(pixel) == Ok(depth)
            && usize::try_from(step).is_ok_and(|step| step >= row_bytes);
        if is_side_by_side && (channel == 1 || (depth == 3 && channel == -1)) {
            let step_bytes = step.unsigned_abs();
            let length = (height - 1) * step_bytes + row_bytes;
            let mut start = array.as_ptr();
            if channel == -1 {
                start = start.wrapping_sub(depth - 1);
                pixels.encoding = channels.reversed().encoding(depth);
            }
            pixels.step_bytes = step_bytes;
            // SAFETY: the first byte of the first pixel and the last byte of the last row belong to
            // the array, whose bytes are one piece of memory, and with them all between. The array
            // is borrowed for 'a.
            pixels.data = Cow::Borrowed(unsafe { std::slice::from_raw_parts(start, length) });
        } else {
            pixels.data = Cow::Owned(array.iter().copied().collect());
        }
        Ok(pixels)
    }

    /// The frame.
    ///
    /// # Errors
    /// If it has no pixels, or more than any camera's.
    pub fn frame(&self) -> Result<Frame<'_>, FrameError> {
        Frame::new(self.width_px, self.height_px, self.step_bytes, self.encoding, &self.data)
    }

    /// Whether the bytes are those of the array itself.
    fn is_borrowed(&self) -> bool {
        matches!(self.data, Cow::Borrowed(_))
    }
}

/// Whether an image is used where it lies, without a copy.
#[pyfunction]
pub fn is_borrowed(image: &Bound<'_, PyAny>) -> PyResult<bool> {
    let image = Image::take(image)?;
    Ok(Pixels::of(&image.view(), Channels::Rgb)?.is_borrowed())
}
