//! From the coefficients of a block to its samples: the arithmetic of libjpeg-turbo's `jidctint.c`, to
//! the bit, eight columns at a time, for processors with AVX2. The library's own version of it, in
//! C, takes two fifths of all its time.

use std::arch::x86_64::{
    __m256i, _mm_loadu_si128, _mm256_add_epi32, _mm256_cvtepi16_epi32, _mm256_cvtepu16_epi32,
    _mm256_mullo_epi32, _mm256_packs_epi32, _mm256_packus_epi16, _mm256_permute2x128_si256,
    _mm256_permutevar8x32_epi32, _mm256_set1_epi32, _mm256_setr_epi32, _mm256_slli_epi32,
    _mm256_srai_epi32, _mm256_storeu_si256, _mm256_sub_epi32, _mm256_unpackhi_epi32,
    _mm256_unpackhi_epi64, _mm256_unpacklo_epi32, _mm256_unpacklo_epi64,
};

/// The algorithm is that of Loeffler, Ligtenberg and Moschytz, "Practical Fast 1-D DCT Algorithms with
/// 11 Multiplications" (1989), in units of 2^-13.
const ONE_BITS: i32 = 13;

/// What columns keep beyond whole numbers for the rows.
const KEPT_BITS: i32 = 2;

/// Rows, of eight columns each.
type Block = [__m256i; 8];

/// The samples of a block, 0 to 255, row by row. `coefficients` and `steps` (of quantisation) are in the
/// order of rows and columns too.
#[target_feature(enable = "avx2")]
pub(super) fn samples(coefficients: &[i16; 64], steps: &[u16; 64]) -> [[u8; 8]; 8] {
    let mut block = [_mm256_set1_epi32(0); 8];
    let rows = coefficients.as_chunks::<8>().0.iter().zip(steps.as_chunks::<8>().0);
    for (row, (coefficients, steps)) in block.iter_mut().zip(rows) {
        // SAFETY: each is eight numbers of 16 bits.
        let (coefficients, steps) = unsafe {
            (_mm_loadu_si128(coefficients.as_ptr().cast()), _mm_loadu_si128(steps.as_ptr().cast()))
        };
        *row =
            _mm256_mullo_epi32(_mm256_cvtepi16_epi32(coefficients), _mm256_cvtepu16_epi32(steps));
    }
    // First down the columns, then across the rows, which are made columns for it.
    let rows = transposed(columns::<{ ONE_BITS - KEPT_BITS }>(block));
    let rows = transposed(columns::<{ ONE_BITS + KEPT_BITS + 3 }>(rows));
    let [a, b, c, d, e, f, g, h] = rows;
    let mut samples = [[0; 8]; 8];
    let (upper, lower) = samples.split_at_mut(4);
    for (out, rows) in [(upper, [a, b, c, d]), (lower, [e, f, g, h])] {
        // SAFETY: four rows of eight bytes.
        unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), bytes(rows)) };
    }
    samples
}

/// Four rows around 128, cut to what a byte holds.
#[target_feature(enable = "avx2")]
fn bytes([a, b, c, d]: [__m256i; 4]) -> __m256i {
    let around = |row| {
        // As the library's table has it, which is ten bits wide.
        let row = _mm256_srai_epi32::<22>(_mm256_slli_epi32::<22>(row));
        _mm256_add_epi32(row, _mm256_set1_epi32(128))
    };
    let upper = _mm256_packs_epi32(around(a), around(b));
    let lower = _mm256_packs_epi32(around(c), around(d));
    // Left halves of the rows, then right halves.
    let halves = _mm256_packus_epi16(upper, lower);
    _mm256_permutevar8x32_epi32(halves, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7))
}

/// The transform of each column; results lose so many bits.
#[target_feature(enable = "avx2")]
fn columns<const LOST_BITS: i32>([y0, y1, y2, y3, y4, y5, y6, y7]: Block) -> Block {
    let times = |row, factor| _mm256_mullo_epi32(row, _mm256_set1_epi32(factor));
    let plus = |a, b| _mm256_add_epi32(a, b);
    let minus = |a, b| _mm256_sub_epi32(a, b);

    // Even rows.
    let turned = times(plus(y2, y6), 4433);
    let low = plus(turned, times(y6, -15_137));
    let high = plus(turned, times(y2, 6270));
    let sum = _mm256_slli_epi32::<ONE_BITS>(plus(y0, y4));
    let difference = _mm256_slli_epi32::<ONE_BITS>(minus(y0, y4));
    let (even0, even3) = (plus(sum, high), minus(sum, high));
    let (even1, even2) = (plus(difference, low), minus(difference, low));

    // Odd rows.
    let (third, fourth) = (plus(y7, y3), plus(y5, y1));
    let all = times(plus(third, fourth), 9633);
    let outer = times(plus(y7, y1), -7373);
    let inner = times(plus(y5, y3), -20_995);
    let third = plus(times(third, -16_069), all);
    let fourth = plus(times(fourth, -3196), all);
    let odd0 = plus(times(y1, 12_299), plus(outer, fourth));
    let odd1 = plus(times(y3, 25_172), plus(inner, third));
    let odd2 = plus(times(y5, 16_819), plus(inner, fourth));
    let odd3 = plus(times(y7, 2446), plus(outer, third));

    // To the nearest.
    let half = _mm256_set1_epi32(1 << (LOST_BITS - 1));
    let lowered = |row| _mm256_srai_epi32::<LOST_BITS>(plus(row, half));
    [
        lowered(plus(even0, odd0)),
        lowered(plus(even1, odd1)),
        lowered(plus(even2, odd2)),
        lowered(plus(even3, odd3)),
        lowered(minus(even3, odd3)),
        lowered(minus(even2, odd2)),
        lowered(minus(even1, odd1)),
        lowered(minus(even0, odd0)),
    ]
}

/// In three steps: pairs of rows, pairs of pairs, halves.
#[target_feature(enable = "avx2")]
fn transposed([a, b, c, d, e, f, g, h]: Block) -> Block {
    let pair = |a, b| (_mm256_unpacklo_epi32(a, b), _mm256_unpackhi_epi32(a, b));
    let four = |(a, b), (c, d)| {
        [
            _mm256_unpacklo_epi64(a, c),
            _mm256_unpackhi_epi64(a, c),
            _mm256_unpacklo_epi64(b, d),
            _mm256_unpackhi_epi64(b, d),
        ]
    };
    let [a0, a1, a2, a3] = four(pair(a, b), pair(c, d));
    let [b0, b1, b2, b3] = four(pair(e, f), pair(g, h));
    [
        _mm256_permute2x128_si256::<0x20>(a0, b0),
        _mm256_permute2x128_si256::<0x20>(a1, b1),
        _mm256_permute2x128_si256::<0x20>(a2, b2),
        _mm256_permute2x128_si256::<0x20>(a3, b3),
        _mm256_permute2x128_si256::<0x31>(a0, b0),
        _mm256_permute2x128_si256::<0x31>(a1, b1),
        _mm256_permute2x128_si256::<0x31>(a2, b2),
        _mm256_permute2x128_si256::<0x31>(a3, b3),
    ]
}

#[cfg(test)]
mod tests {
    /// Nothing where the processor lacks the instructions: there, the library's own version is used.
    fn samples(coefficients: &[i16; 64], steps: &[u16; 64]) -> Option<[[u8; 8]; 8]> {
        // SAFETY: it has them.
        std::arch::is_x86_feature_detected!("avx2")
            .then(|| unsafe { super::samples(coefficients, steps) })
    }

    #[test]
    fn a_block_without_detail_is_even() {
        let mut coefficients = [0; 64];
        coefficients[0] = 20;
        let even = |coefficients: &[i16; 64], value| {
            assert!(samples(coefficients, &[8; 64]).is_none_or(|found| found == [[value; 8]; 8]));
        };
        even(&coefficients, 148);
        coefficients[0] = -400;
        even(&coefficients, 0);
    }

    #[test]
    fn samples_are_the_cosines_of_the_definition() {
        let mut coefficients = [0_i16; 64];
        let steps = std::array::from_fn(|i| 1 + i as u16);
        for (at, value) in [(0, 90), (1, -30), (8, 45), (18, 12), (35, -7), (63, 2)] {
            coefficients[at] = value;
        }
        let Some(found) = samples(&coefficients, &steps) else { return };
        for (y, row) in found.iter().enumerate() {
            for (x, sample) in row.iter().enumerate() {
                let exact: f64 = (0..64)
                    .map(|i| {
                        let scale = |k: usize| if k == 0 { 0.5_f64.sqrt() } else { 1.0 };
                        let wave = |k: usize, at: usize| {
                            scale(k) / 2.0
                                * ((2 * at + 1) as f64 * k as f64 * std::f64::consts::PI / 16.0)
                                    .cos()
                        };
                        let value = f64::from(coefficients[i]) * f64::from(steps[i]);
                        value * wave(i / 8, y) * wave(i % 8, x)
                    })
                    .sum();
                let exact = (exact + 128.0).clamp(0.0, 255.0);
                assert!((f64::from(*sample) - exact).abs() <= 1.0, "{x} {y}: {sample} {exact}");
            }
        }
    }
}
