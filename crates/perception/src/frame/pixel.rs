//! The arithmetic of single pixels.

use super::{ByteOrder, Encoding};

/// Brightness and colour difference of ITU-R BT.601 in limited range: Y 16 to 235, U and V 16 to
/// 240 around 128.
#[derive(Debug, Clone, Copy)]
pub(super) struct Yuv {
    pub y: u8,
    pub u: u8,
    pub v: u8,
}

impl Yuv {
    /// In units of 2^-20, from the coefficients of the standard with three decimals.
    const ONE: i32 = 1 << 20;

    #[inline(always)]
    pub fn rgb(self) -> [u8; 3] {
        let y = (i32::from(self.y) - 16).max(0) * 1_220_542 + Self::ONE / 2;
        let (u, v) = (i32::from(self.u) - 128, i32::from(self.v) - 128);
        let red = y + 1_673_527 * v;
        let green = y - 409_993 * u - 852_492 * v;
        let blue = y + 2_116_026 * u;
        [red, green, blue].map(|value| (value >> 20).clamp(0, 255) as u8)
    }
}

/// The same conversion for values between whole ones: Y, U, V to red, green, blue, 0 to 255 each.
#[inline(always)]
pub(crate) fn yuv_to_rgb([y, u, v]: [f32; 3]) -> [f32; 3] {
    let y = (y - 16.0).max(0.0) * 1.164;
    let (u, v) = (u - 128.0, v - 128.0);
    [y + 1.596 * v, y - 0.391 * u - 0.813 * v, y + 2.018 * u].map(|value| value.clamp(0.0, 255.0))
}

/// The colours of a mosaic's upper left 2x2 pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bayer {
    /// Where red lies, (column, row). Blue lies diagonally opposite, green in the other two.
    red: (usize, usize),
}

impl Bayer {
    pub const RGGB: Self = Self { red: (0, 0) };
    pub const BGGR: Self = Self { red: (1, 1) };
    pub const GBRG: Self = Self { red: (0, 1) };
    pub const GRBG: Self = Self { red: (1, 0) };

    /// The mosaic of an encoding that has one, and the byte order where a pixel has two bytes.
    pub fn of(encoding: Encoding) -> Option<(Self, Option<ByteOrder>)> {
        match encoding {
            Encoding::BayerRggb8 => Some((Self::RGGB, None)),
            Encoding::BayerBggr8 => Some((Self::BGGR, None)),
            Encoding::BayerGbrg8 => Some((Self::GBRG, None)),
            Encoding::BayerGrbg8 => Some((Self::GRBG, None)),
            Encoding::BayerRggb16(order) => Some((Self::RGGB, Some(order))),
            Encoding::BayerBggr16(order) => Some((Self::BGGR, Some(order))),
            Encoding::BayerGbrg16(order) => Some((Self::GBRG, Some(order))),
            Encoding::BayerGrbg16(order) => Some((Self::GRBG, Some(order))),
            _ => None,
        }
    }

    /// All of a row but its first and last pixel, as [`Bayer::rgb`] has them: from the rows above
    /// and below and itself, into a row each of red, green and blue.
    pub fn row(
        self,
        y: usize,
        [above, row, below]: [&[u8]; 3],
        [red, green, blue]: [&mut [u8]; 3],
    ) {
        // A row has green and one other colour of its own; the third lies above and below.
        let red_row = y % 2 == self.red.1;
        let (own, third) = if red_row { (red, blue) } else { (blue, red) };
        let own_column = if red_row { self.red.0 } else { 1 - self.red.0 };
        // Plain slices of one length: the loop becomes vector instructions, parity and all.
        let count = row.len() - 2;
        let [above, row, below] =
            [above, row, below].map(|row| [&row[..count], &row[1..][..count], &row[2..][..count]]);
        let [own, green, third] = [own, green, third].map(|row| &mut row[1..][..count]);
        let parity = u16::from(own_column == 0);
        for i in 0..count {
            let [a, b, c] = above.map(|row| u16::from(row[i]));
            let [d, here, f] = row.map(|row| u16::from(row[i]));
            let [g, h, k] = below.map(|row| u16::from(row[i]));
            let beside = (d + f + 1) >> 1;
            let upright = (b + h + 1) >> 1;
            let cross = (d + f + b + h + 2) >> 2;
            let diagonal = (a + c + g + k + 2) >> 2;
            // All ones where the pixel has the row's own colour.
            let mask = ((i as u16 ^ parity) & 1).wrapping_sub(1);
            let choose = |own: u16, other: u16| ((own & mask) | (other & !mask)) as u8;
            own[i] = choose(here, beside);
            green[i] = choose(cross, here);
            third[i] = choose(diagonal, upright);
        }
    }

    /// The pixel at (x, y), from itself and its neighbours, row by row: each missing colour is the
    /// mean of its nearest two or four.
    #[inline(always)]
    pub fn rgb(self, x: usize, y: usize, around: [[u8; 3]; 3]) -> [u8; 3] {
        let [above, row, below] = around.map(|row| row.map(u16::from));
        let here = row[1];
        let beside = (row[0] + row[2]).div_ceil(2);
        let upright = (above[1] + below[1]).div_ceil(2);
        let cross = (row[0] + row[2] + above[1] + below[1] + 2) / 4;
        let diagonal = (above[0] + above[2] + below[0] + below[2] + 2) / 4;
        let rgb = match (x % 2 == self.red.0, y % 2 == self.red.1) {
            (true, true) => [here, cross, diagonal],
            (false, false) => [diagonal, cross, here],
            (false, true) => [beside, here, upright],
            (true, false) => [upright, here, beside],
        };
        rgb.map(|value| value as u8)
    }
}

/// 0 to 65535 brought to 0 to 255, to the nearest.
#[inline(always)]
pub(super) const fn to_byte(value: u16) -> u8 {
    // Times 255 / 65535 without dividing.
    ((value as u32 * 255 + 32_895) >> 16) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_the_limited_range_are_black_and_white() {
        let grey = |y| Yuv { y, u: 128, v: 128 }.rgb();
        assert_eq!([grey(0), grey(16), grey(235), grey(255)], [[0; 3], [0; 3], [255; 3], [255; 3]]);
    }

    #[test]
    fn two_bytes_are_brought_to_one_to_the_nearest() {
        for value in 0..=u16::MAX {
            let exact = f64::from(value) * 255.0 / 65535.0;
            assert!((f64::from(to_byte(value)) - exact).abs() <= 0.5, "{value}");
        }
    }
}
