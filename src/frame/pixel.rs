//! The arithmetic of single pixels.

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
        [red, green, blue].map(|value| (value / Self::ONE).clamp(0, 255) as u8)
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
pub(super) fn to_byte(high: u8, low: u8) -> u8 {
    ((u32::from(high) * 256 + u32::from(low) + 128) / 257) as u8
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
            let [high, low] = value.to_be_bytes();
            let exact = f64::from(value) * 255.0 / 65535.0;
            assert!((f64::from(to_byte(high, low)) - exact).abs() <= 0.5, "{value}");
        }
    }
}
