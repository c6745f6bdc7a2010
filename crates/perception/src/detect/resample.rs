//! Scaling by area: each new pixel is the mean of what it covers of the old ones.
//!
//! The same filter as OpenCV's `INTER_AREA`, in two passes: down first, over whole rows of bytes
//! as they lie in memory, then across, once for each new row. Where colours are stored at half the
//! resolution, the same weights bring them to the new size directly.

/// What each new pixel along one axis covers of the old ones.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Axis {
    from: usize,
    to: usize,
    /// Old pixels in the longest span: all spans are given that many, some of no weight.
    taps: usize,
    /// First old pixel of each new one.
    firsts: Vec<usize>,
    /// Share of each old pixel in the new one, span after span; each span's sum is `ONE`.
    weights: Vec<u16>,
    /// The same as numbers that undo the `ONE` of both passes.
    shares: Vec<f32>,
}

/// The sum of a span's weights. A byte times it fits into 16 bits.
pub(super) const ONE: u16 = 256;

impl Axis {
    /// Old pixels `from`, new pixels `to`; both at least 1.
    pub fn new(from: usize, to: usize) -> Self {
        // In units of 1 / to old pixels, so that all edges are whole numbers.
        let edges = |new: usize| (new * from, (new + 1) * from);
        let span = |new: usize| {
            let (start, end) = edges(new);
            (start / to, (end - 1) / to)
        };
        let taps = (0..to).map(|new| span(new).1 - span(new).0 + 1).max().unwrap_or(1);
        let mut firsts = Vec::with_capacity(to);
        let mut weights = Vec::with_capacity(to * taps);
        for new in 0..to {
            let (start, end) = edges(new);
            let (first, last) = span(new);
            let begin = first.min(from - taps);
            firsts.push(begin);
            let mut given = 0;
            for old in begin..begin + taps {
                // Rounded on the running sum: the weights add up to ONE.
                let covered = end.min((old + 1) * to).saturating_sub(start);
                let sum = (covered * usize::from(ONE) + from / 2) / from;
                let sum = if old < first {
                    0
                } else if old >= last {
                    usize::from(ONE)
                } else {
                    sum
                };
                weights.push((sum - given) as u16);
                given = sum;
            }
        }
        let unit = f32::from(ONE) * f32::from(ONE);
        let shares = weights.iter().map(|&weight| f32::from(weight) / unit).collect();
        Self { from, to, taps, firsts, weights, shares }
    }

    /// Whether this is the axis between these sizes.
    pub fn fits(&self, from: usize, to: usize) -> bool {
        (self.from, self.to) == (from, to)
    }
}

/// Brings rows of bytes down to the new height: `each` is called with every new row, times `ONE`
/// and with a few values too many at its end. `row` gives an old row, all of the same length; it
/// is asked for them in order, for each at most twice in a row.
pub(super) fn scale_rows(
    axis: &Axis,
    sums: &mut Sums,
    mut row: impl FnMut(usize, &mut dyn FnMut(&[u8])),
    mut each: impl FnMut(usize, &[f32]),
) {
    let Sums { whole, floats } = sums;
    let spans = axis.firsts.iter().zip(axis.weights.chunks_exact(axis.taps));
    for (new, (&first, weights)) in spans.enumerate() {
        whole.clear();
        for (i, &weight) in weights.iter().enumerate().filter(|(_, weight)| **weight > 0) {
            row(first + i, &mut |bytes| {
                if whole.is_empty() {
                    whole.extend(bytes.iter().map(|&byte| u16::from(byte) * weight));
                } else {
                    for (sum, &byte) in whole.iter_mut().zip(bytes) {
                        *sum += u16::from(byte) * weight;
                    }
                }
            });
        }
        floats.clear();
        floats.extend(whole.iter().map(|&sum| f32::from(sum)));
        floats.extend([0.0; 4]);
        each(new, floats);
    }
}

/// A row on its way from the old height to the new one.
#[derive(Debug, Default)]
pub(super) struct Sums {
    whole: Vec<u16>,
    floats: Vec<f32>,
}

/// Brings one channel of a row across to the new width. Pixel i of the channel lies at
/// `offset + i * STRIDE` of `row`. Values come out as they were before [`scale_rows`].
pub(super) fn scale_channel<const STRIDE: usize>(
    axis: &Axis,
    row: &[f32],
    offset: usize,
    out: &mut [f32],
) {
    let row = &row[offset..];
    // Compiled by itself for the usual numbers of taps.
    match axis.taps {
        1 => channel::<STRIDE>(axis, 1, row, out),
        2 => channel::<STRIDE>(axis, 2, row, out),
        3 => channel::<STRIDE>(axis, 3, row, out),
        4 => channel::<STRIDE>(axis, 4, row, out),
        taps => channel::<STRIDE>(axis, taps, row, out),
    }
}

#[inline(always)]
fn channel<const STRIDE: usize>(axis: &Axis, taps: usize, row: &[f32], out: &mut [f32]) {
    let spans = axis.firsts.iter().zip(axis.shares.chunks_exact(taps));
    for ((&first, shares), out) in spans.zip(out) {
        let old = &row[first * STRIDE..][..(taps - 1) * STRIDE + 1];
        *out = (0..taps).map(|i| shares[i] * old[i * STRIDE]).sum();
    }
}

/// Brings the first three channels of a row of `STRIDE` channels across to the new width.
pub(super) fn scale_colours<const STRIDE: usize>(axis: &Axis, row: &[f32], out: [&mut [f32]; 3]) {
    match axis.taps {
        1 => colours::<STRIDE>(axis, 1, row, out),
        2 => colours::<STRIDE>(axis, 2, row, out),
        3 => colours::<STRIDE>(axis, 3, row, out),
        4 => colours::<STRIDE>(axis, 4, row, out),
        taps => colours::<STRIDE>(axis, taps, row, out),
    }
}

#[inline(always)]
fn colours<const STRIDE: usize>(axis: &Axis, taps: usize, row: &[f32], out: [&mut [f32]; 3]) {
    let [first_out, second_out, third_out] = out;
    let outputs = first_out.iter_mut().zip(second_out).zip(third_out);
    let spans = axis.firsts.iter().zip(axis.shares.chunks_exact(taps));
    for ((&first, shares), ((a, b), c)) in spans.zip(outputs) {
        // Four at a time, of which the last is not used, are one operation; three are three.
        let old = &row[first * STRIDE..][..(taps - 1) * STRIDE + 4];
        let mut sums: [f32; 4] = std::array::from_fn(|channel| shares[0] * old[channel]);
        for (i, &share) in shares.iter().enumerate().skip(1) {
            for (channel, sum) in sums.iter_mut().enumerate() {
                *sum += share * old[i * STRIDE + channel];
            }
        }
        [*a, *b, *c, _] = sums;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_the_shares_of_what_is_covered() {
        let axis = Axis::new(4, 3);
        assert_eq!(axis.firsts, [0, 1, 2]);
        assert_eq!(axis.weights, [192, 64, 128, 128, 64, 192]);
        // Colours at half the resolution: new pixels smaller than old ones.
        let axis = Axis::new(2, 3);
        assert_eq!(axis.firsts, [0, 0, 0]);
        assert_eq!(axis.weights, [256, 0, 128, 128, 0, 256]);
    }

    #[test]
    fn weights_add_up_to_one_whatever_the_sizes() {
        for (from, to) in [(1, 1), (16_384, 32), (1080, 270), (641, 479), (7, 5), (3, 8)] {
            let axis = Axis::new(from, to);
            assert_eq!(axis.firsts.len(), to);
            for (first, weights) in axis.firsts.iter().zip(axis.weights.chunks(axis.taps)) {
                assert_eq!(weights.iter().sum::<u16>(), ONE);
                assert!(first + weights.len() <= from);
            }
        }
    }
}
