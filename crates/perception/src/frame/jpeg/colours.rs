//! From Y, U and V as JPEG samples them to red, green and blue: the arithmetic of libjpeg-turbo, to the
//! byte (its `jdsample.c` and `jdcolor.c`), in loops that become vector instructions.

use super::Planes;

/// How many pixels share a U and a V. Written as in 4:a:b.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sampling {
    /// Each pixel has its own.
    S444,
    /// Two side by side.
    S422,
    /// Two, one above the other.
    S440,
    /// A square of four.
    S420,
}

impl Sampling {
    /// That of an image of this width whose Y has so many samples across and down for each of U and
    /// V, if it is a usual one.
    pub fn of(across: usize, down: usize, width_px: usize) -> Option<Self> {
        let sampling = match (across, down) {
            (1, 1) => Self::S444,
            (2, 1) => Self::S422,
            (1, 2) => Self::S440,
            (2, 2) => Self::S420,
            _ => return None,
        };
        // The library does not interpolate between so few.
        (across == 1 || width_px.div_ceil(across) > 2).then_some(sampling)
    }

    const fn across(self) -> usize {
        match self {
            Self::S444 | Self::S440 => 1,
            Self::S422 | Self::S420 => 2,
        }
    }

    const fn down(self) -> usize {
        match self {
            Self::S444 | Self::S422 => 1,
            Self::S440 | Self::S420 => 2,
        }
    }
}

/// Fills `pixels` with packed rows of red, green and blue. `strides` are the bytes of a row of each
/// plane; the planes hold at least the image's samples.
pub(super) fn to_rgb(
    sampling: Sampling,
    planes: &Planes,
    strides: [usize; 3],
    size_px: (usize, usize),
    pixels: &mut [u8],
) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has these instructions.
        unsafe { to_rgb_avx2(sampling, planes, strides, size_px, pixels) };
        return;
    }
    to_rgb_anywhere(sampling, planes, strides, size_px, pixels);
}

/// The same code, compiled for processors that have these instructions.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn to_rgb_avx2(
    sampling: Sampling,
    planes: &Planes,
    strides: [usize; 3],
    size_px: (usize, usize),
    pixels: &mut [u8],
) {
    to_rgb_anywhere(sampling, planes, strides, size_px, pixels);
}

#[inline(always)]
fn to_rgb_anywhere(
    sampling: Sampling,
    planes: &Planes,
    strides: [usize; 3],
    (width, height): (usize, usize),
    pixels: &mut [u8],
) {
    let (across, down) = (sampling.across(), sampling.down());
    let [samples, rows] = [width.div_ceil(across), height.div_ceil(down)];
    let mut sums = vec![0_u16; samples];
    let mut upsampled = [vec![0_u8; samples * across], vec![0_u8; samples * across]];
    for (y, out) in pixels.chunks_exact_mut(3 * width).take(height).enumerate() {
        for (channel, full) in upsampled.iter_mut().enumerate() {
            let row = |y: usize| &planes[channel + 1][y * strides[channel + 1]..][..samples];
            let near = row(y / down);
            // The row next to it, on the other side of this pixel; beyond the edge, the same again.
            let far =
                row(if y % 2 == 0 { (y / 2).saturating_sub(1) } else { (y / 2 + 1).min(rows - 1) });
            match sampling {
                Sampling::S444 => full.copy_from_slice(near),
                Sampling::S422 => widen(near, full),
                Sampling::S440 => {
                    let bias = if y % 2 == 0 { 1 } else { 2 };
                    for ((full, near), far) in full.iter_mut().zip(near).zip(far) {
                        *full = ((3 * u16::from(*near) + u16::from(*far) + bias) >> 2) as u8;
                    }
                }
                Sampling::S420 => {
                    for ((sum, near), far) in sums.iter_mut().zip(near).zip(far) {
                        *sum = 3 * u16::from(*near) + u16::from(*far);
                    }
                    widen_sums(&sums, full);
                }
            }
        }
        let brightness = &planes[0][y * strides[0]..][..width];
        let [u, v] = upsampled.each_ref().map(|plane| &plane[..width]);
        convert(brightness, u, v, out);
    }
}

/// Twice as many samples: each new one is 3/4 of the nearest and 1/4 of the next.
#[inline(always)]
fn widen(row: &[u8], out: &mut [u8]) {
    let count = row.len();
    let at = |i: usize| u16::from(row[i]);
    out[0] = row[0];
    out[2 * count - 1] = row[count - 1];
    // Between each sample and the next.
    let between = out[1..2 * count - 1].as_chunks_mut::<2>().0.iter_mut();
    for ((pair, left), right) in between.zip(row).zip(&row[1..]) {
        let (left, right) = (u16::from(*left), u16::from(*right));
        *pair = [((3 * left + right + 2) >> 2) as u8, ((3 * right + left + 1) >> 2) as u8];
    }
    debug_assert!(count > 1 && at(0) == u16::from(out[0]));
}

/// The same for sums that are four times too large.
#[inline(always)]
fn widen_sums(sums: &[u16], out: &mut [u8]) {
    let count = sums.len();
    out[0] = ((4 * sums[0] + 8) >> 4) as u8;
    out[2 * count - 1] = ((4 * sums[count - 1] + 7) >> 4) as u8;
    let between = out[1..2 * count - 1].as_chunks_mut::<2>().0.iter_mut();
    for ((pair, left), right) in between.zip(sums).zip(&sums[1..]) {
        *pair = [((3 * left + right + 7) >> 4) as u8, ((3 * right + left + 8) >> 4) as u8];
    }
}

/// ITU-R BT.601 in full range, in units of 2^-16.
#[inline(always)]
fn convert(brightness: &[u8], u: &[u8], v: &[u8], out: &mut [u8]) {
    const HALF: i32 = 1 << 15;
    let samples = brightness.iter().zip(u).zip(v);
    for (pixel, ((y, u), v)) in out.as_chunks_mut::<3>().0.iter_mut().zip(samples) {
        let (y, u, v) = (i32::from(*y), i32::from(*u) - 128, i32::from(*v) - 128);
        let red = y + ((91_881 * v + HALF) >> 16);
        let green = y + ((-22_554 * u - 46_802 * v + HALF) >> 16);
        let blue = y + ((116_130 * u + HALF) >> 16);
        *pixel = [red, green, blue].map(|value| value.clamp(0, 255) as u8);
    }
}
