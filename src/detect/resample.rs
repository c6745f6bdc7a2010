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
    /// First old pixel and number of old pixels of each new one.
    spans: Vec<(usize, usize)>,
    /// Share of each old pixel in the new one, span after span; each span's sum is `ONE`.
    weights: Vec<u16>,
}

/// The sum of a span's weights. A byte times it fits into 16 bits.
pub(super) const ONE: u16 = 256;

impl Axis {
    /// Old pixels `from`, new pixels `to`; both at least 1.
    pub fn new(from: usize, to: usize) -> Self {
        let mut axis = Self { from, to, spans: Vec::with_capacity(to), weights: Vec::new() };
        for new in 0..to {
            // In units of 1 / to old pixels, so that all edges are whole numbers.
            let (start, end) = (new * from, (new + 1) * from);
            let (first, last) = (start / to, (end - 1) / to);
            let begin = axis.weights.len();
            let mut given = 0;
            for old in first..=last {
                // Rounded on the running sum: the weights add up to ONE.
                let covered = end.min((old + 1) * to) - start;
                let sum = (covered * usize::from(ONE) + from / 2) / from;
                axis.weights.push((sum - given) as u16);
                given = sum;
            }
            axis.spans.push((first, axis.weights.len() - begin));
        }
        axis
    }

    /// Whether this is the axis between these sizes.
    pub fn fits(&self, from: usize, to: usize) -> bool {
        (self.from, self.to) == (from, to)
    }

    /// The new pixels: first old pixel and weights of each.
    fn spans(&self) -> impl Iterator<Item = (usize, &[u16])> {
        let mut rest = self.weights.as_slice();
        self.spans.iter().map(move |&(first, count)| {
            let (weights, after) = rest.split_at(count);
            rest = after;
            (first, weights)
        })
    }
}

/// Brings rows of bytes down to the new height: `each` is called with every new row, times `ONE`.
/// `row` gives an old row, all of the same length; it is asked for them in order, for each at most
/// twice in a row.
pub(super) fn scale_rows(
    axis: &Axis,
    sums: &mut Vec<u16>,
    mut row: impl FnMut(usize, &mut dyn FnMut(&[u8])),
    mut each: impl FnMut(usize, &[u16]),
) {
    for (new, (first, weights)) in axis.spans().enumerate() {
        for (i, &weight) in weights.iter().enumerate() {
            row(first + i, &mut |bytes| {
                if i == 0 {
                    sums.clear();
                    sums.extend(bytes.iter().map(|&byte| u16::from(byte) * weight));
                } else {
                    for (sum, &byte) in sums.iter_mut().zip(bytes) {
                        *sum += u16::from(byte) * weight;
                    }
                }
            });
        }
        each(new, sums);
    }
}

/// Brings one channel of a row across to the new width. Pixel i of the channel lies at
/// `offset + i * STRIDE` of `row`. Values come out as they were before [`scale_rows`].
pub(super) fn scale_channel<const STRIDE: usize>(
    axis: &Axis,
    row: &[u16],
    offset: usize,
    out: &mut [f32],
) {
    let row = &row[offset..];
    for ((first, weights), out) in axis.spans().zip(out) {
        let old = row[first * STRIDE..].iter().step_by(STRIDE);
        let sum: u32 = weights.iter().zip(old).map(|(&w, &v)| u32::from(w) * u32::from(v)).sum();
        *out = sum as f32 / f32::from(ONE) / f32::from(ONE);
    }
}

/// Brings the first three channels of a row of `STRIDE` channels across to the new width.
pub(super) fn scale_colours<const STRIDE: usize>(axis: &Axis, row: &[u16], out: [&mut [f32]; 3]) {
    let [first_out, second_out, third_out] = out;
    let outputs = first_out.iter_mut().zip(second_out).zip(third_out);
    for ((first, weights), ((a, b), c)) in axis.spans().zip(outputs) {
        let mut sums = [0u32; 3];
        for (&weight, pixel) in weights.iter().zip(row[first * STRIDE..].chunks_exact(STRIDE)) {
            for (sum, &value) in sums.iter_mut().zip(pixel) {
                *sum += u32::from(weight) * u32::from(value);
            }
        }
        let [sum_a, sum_b, sum_c] = sums.map(|sum| sum as f32 / f32::from(ONE) / f32::from(ONE));
        (*a, *b, *c) = (sum_a, sum_b, sum_c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_the_shares_of_what_is_covered() {
        let axis = Axis::new(4, 3);
        assert_eq!(axis.spans, [(0, 2), (1, 2), (2, 2)]);
        assert_eq!(axis.weights, [192, 64, 128, 128, 64, 192]);
        // Colours at half the resolution: new pixels smaller than old ones.
        let axis = Axis::new(2, 3);
        assert_eq!(axis.spans, [(0, 1), (0, 2), (1, 1)]);
        assert_eq!(axis.weights, [256, 128, 128, 256]);
    }

    #[test]
    fn weights_add_up_to_one_whatever_the_sizes() {
        for (from, to) in [(1, 1), (16_384, 32), (1080, 270), (641, 479), (7, 5), (3, 8)] {
            let axis = Axis::new(from, to);
            assert_eq!(axis.spans().count(), to);
            for (first, weights) in axis.spans() {
                assert_eq!(weights.iter().sum::<u16>(), ONE);
                assert!(first + weights.len() <= from);
            }
        }
    }
}
