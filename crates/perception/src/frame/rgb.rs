//! Whole rows of any encoding as red, green and blue: for pictures that people look at.

use super::pixel::Yuv;
use super::{ByteOrder, Encoding, Frame};

/// Fills `out`, three bytes a pixel, with row `y` of a frame. `buffer` is kept from row to row.
pub(super) fn fill(frame: &Frame<'_>, y: usize, out: &mut [u8], buffer: &mut Vec<u8>) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has these instructions.
        unsafe { fill_avx2(frame, y, out, buffer) };
        return;
    }
    fill_anywhere(frame, y, out, buffer);
}

/// The same code, compiled for processors that have these instructions.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn fill_avx2(frame: &Frame<'_>, y: usize, out: &mut [u8], buffer: &mut Vec<u8>) {
    fill_anywhere(frame, y, out, buffer);
}

#[inline(always)]
fn fill_anywhere(frame: &Frame<'_>, y: usize, out: &mut [u8], buffer: &mut Vec<u8>) {
    let (pixels, row) = (out.as_chunks_mut::<3>().0, frame.row(y));
    let height = frame.height_px as usize;
    // The choice is made once a row, and each loop is compiled for its encoding.
    match frame.encoding {
        Encoding::Rgb8 => out.copy_from_slice(row),
        Encoding::Bgr8 => pick::<3>(row, pixels, [2, 1, 0]),
        Encoding::Rgba8 => pick::<4>(row, pixels, [0, 1, 2]),
        Encoding::Bgra8 => pick::<4>(row, pixels, [2, 1, 0]),
        Encoding::Mono8 => pick::<1>(row, pixels, [0, 0, 0]),
        Encoding::Mono16(order) => pick::<1>(bytes(order, row, buffer), pixels, [0, 0, 0]),
        Encoding::Rgb16(order) => pick::<3>(bytes(order, row, buffer), pixels, [0, 1, 2]),
        Encoding::Bgr16(order) => pick::<3>(bytes(order, row, buffer), pixels, [2, 1, 0]),
        Encoding::Rgba16(order) => pick::<4>(bytes(order, row, buffer), pixels, [0, 1, 2]),
        Encoding::Bgra16(order) => pick::<4>(bytes(order, row, buffer), pixels, [2, 1, 0]),
        Encoding::Uyvy => pairs(row.as_chunks().0, pixels, |[u, y0, v, y1]| ([y0, y1], u, v)),
        Encoding::Yuyv => pairs(row.as_chunks().0, pixels, |[y0, u, y1, v]| ([y0, y1], u, v)),
        Encoding::Nv12 => two_planes(row, frame.row(height + y / 2), pixels, |[u, v]| (u, v)),
        Encoding::Nv21 => two_planes(row, frame.row(height + y / 2), pixels, |[v, u]| (u, v)),
        Encoding::Nv24 => {
            let colours = &frame.data[(height + 2 * y) * frame.step_bytes..][..2 * row.len()];
            let colours = colours.as_chunks::<2>().0;
            for ((pixel, &y), &[u, v]) in pixels.iter_mut().zip(row).zip(colours) {
                *pixel = Yuv { y, u, v }.rgb();
            }
        }
        Encoding::BayerRggb8
        | Encoding::BayerBggr8
        | Encoding::BayerGbrg8
        | Encoding::BayerGrbg8
        | Encoding::BayerRggb16(_)
        | Encoding::BayerBggr16(_)
        | Encoding::BayerGbrg16(_)
        | Encoding::BayerGrbg16(_) => {
            frame.mosaic_row(y, buffer);
            let (red, rest) = buffer.split_at(pixels.len());
            let (green, blue) = rest.split_at(pixels.len());
            for (((pixel, red), green), blue) in pixels.iter_mut().zip(red).zip(green).zip(blue) {
                *pixel = [*red, *green, *blue];
            }
        }
    }
}

/// Picks red, green and blue out of the channels of each pixel.
#[inline(always)]
fn pick<const CHANNELS: usize>(row: &[u8], pixels: &mut [[u8; 3]], of: [usize; 3]) {
    for (pixel, channels) in pixels.iter_mut().zip(row.as_chunks::<CHANNELS>().0) {
        *pixel = of.map(|channel| channels[channel]);
    }
}

/// A row of channels of two bytes, brought to one.
#[inline(always)]
fn bytes<'b>(order: ByteOrder, row: &[u8], buffer: &'b mut Vec<u8>) -> &'b [u8] {
    buffer.resize(row.len() / 2, 0);
    order.to_bytes(row, buffer);
    buffer
}

/// Two pixels of every four bytes, as `order` takes them apart: two Y, U and V.
#[inline(always)]
fn pairs(row: &[[u8; 4]], pixels: &mut [[u8; 3]], order: impl Fn([u8; 4]) -> ([u8; 2], u8, u8)) {
    for (pair, four) in pixels.as_chunks_mut::<2>().0.iter_mut().zip(row) {
        let (ys, u, v) = order(*four);
        *pair = ys.map(|y| Yuv { y, u, v }.rgb());
    }
}

/// Two pixels of every two Y and one pair of colours, which `order` takes apart into U and V.
#[inline(always)]
fn two_planes(
    row: &[u8],
    colours: &[u8],
    pixels: &mut [[u8; 3]],
    order: impl Fn([u8; 2]) -> (u8, u8),
) {
    let colours = colours.as_chunks::<2>().0;
    let ys = row.as_chunks::<2>().0;
    for ((pair, ys), colours) in pixels.as_chunks_mut::<2>().0.iter_mut().zip(ys).zip(colours) {
        let (u, v) = order(*colours);
        *pair = ys.map(|y| Yuv { y, u, v }.rgb());
    }
}
