//! Crops and search images at a normal exposure, so that the networks see in a dim room what they
//! were trained to see.
//!
//! Nothing is remembered from one image to the next and every step is continuous, so nothing
//! flickers. A picture in normal light, without noise, stays as it is.

use ndarray::{ArrayView2, ArrayView3, ArrayViewMut2, ArrayViewMut3, Axis, s};

/// The mean luminance of a crop in normal light, in grey levels: below and above, it is brought to
/// the nearer end.
const NORMAL_MEAN: std::ops::RangeInclusive<f32> = 100.0..=150.0;

/// The gains that are applied at most: what is cut off at white does not come back by more darkness,
/// and below a sixteenth of the light there is nothing but noise.
const GAIN: std::ops::RangeInclusive<f32> = 0.5..=16.0;

/// So much of the measured noise is taken for the texture of a face, in grey levels.
const TEXTURE_GREY: f32 = 4.0;

/// The Wiener filter looks at so many pixels on each side.
const REACH_PX: usize = 2;

/// The least bright 2 % of a search image's pixels reach this in normal light, in grey levels.
const NORMAL_BRIGHT: f32 = 160.0;

/// The share of pixels that are brighter than what a search image's gain is measured by.
const BRIGHT_SHARE: f64 = 0.02;

/// Brings a crop, \[channel, row, column\], grey or red, green and blue, 0 to 255, to a normal
/// exposure: one gain for all channels by the mean luminance, then a Wiener filter against the noise
/// that the gain has raised. `models/onet.md` has the formula and what it brings.
pub(crate) fn expose_crop(mut crop: ArrayViewMut3<'_, f32>) {
    let mean = mean_luminance(crop.view());
    let gain = (mean.clamp(*NORMAL_MEAN.start(), *NORMAL_MEAN.end()) / mean.max(1e-6))
        .clamp(*GAIN.start(), *GAIN.end());
    if gain != 1.0 {
        crop.mapv_inplace(|value| (value * gain).min(255.0));
    }
    for channel in crop.axis_iter_mut(Axis(0)) {
        denoise(channel);
    }
}

/// The gain that brings a search image, planes of blue, green and red as \[channel, row, column\], to
/// a normal exposure: by its bright pixels, so that a lit face before a dark wall is left alone.
/// Never below 1.
pub(crate) fn search_gain(planes: ArrayView3<'_, f32>) -> f32 {
    let mut counts = [0u32; 256];
    let (_, rows, columns) = planes.dim();
    // One pixel in 64 tells as much as all.
    for row in (0..rows).step_by(8) {
        for column in (0..columns).step_by(8) {
            let [blue, green, red] = [0, 1, 2].map(|channel| planes[[channel, row, column]]);
            let grey = 0.114 * blue + 0.587 * green + 0.299 * red;
            counts[grey.clamp(0.0, 255.0) as usize] += 1;
        }
    }
    let total: u32 = counts.iter().sum();
    let wanted = (f64::from(total) * BRIGHT_SHARE) as u32;
    let mut above = 0;
    let bright = (0..256).rev().find(|&grey| {
        above += counts[grey];
        above > wanted
    });
    (NORMAL_BRIGHT / (bright.unwrap_or(255) as f32).max(1.0)).clamp(1.0, *GAIN.end())
}

/// BT.601, as the grey of the crops.
fn mean_luminance(crop: ArrayView3<'_, f32>) -> f32 {
    let mean = |channel: usize| crop.index_axis(Axis(0), channel).mean().unwrap_or(0.0);
    match crop.len_of(Axis(0)) {
        3 => 0.299 * mean(0) + 0.587 * mean(1) + 0.114 * mean(2),
        _ => crop.mean().unwrap_or(0.0),
    }
}

/// The standard deviation of the noise in grey levels (Immerkaer, "Fast Noise Variance Estimation",
/// 1996): what is left of the image under a filter that knows no edges.
fn noise_grey(channel: ArrayView2<'_, f32>) -> f32 {
    let (rows, columns) = channel.dim();
    if rows < 3 || columns < 3 {
        return 0.0;
    }
    // Row by row on slices: this runs for every crop of every image. Copied where the channels of a
    // pixel lie side by side.
    let channel = channel.as_standard_layout();
    let row_of = |row: usize| channel.slice(s![row, ..]).to_slice().unwrap_or_default();
    let mut sum = 0.0;
    for row in 1..rows - 1 {
        let around = [row - 1, row, row + 1].map(row_of);
        let [above, middle, below] = around.map(|row| row.windows(3));
        sum += above
            .zip(middle.zip(below))
            .map(|(a, (m, b))| {
                let corners = a[0] + a[2] + b[0] + b[2];
                let sides = a[1] + m[0] + m[2] + b[1];
                (corners - 2.0 * sides + 4.0 * m[1]).abs()
            })
            .sum::<f32>();
    }
    (std::f32::consts::FRAC_PI_2).sqrt() / 6.0 * sum / ((rows - 2) * (columns - 2)) as f32
}

/// Wiener's filter on grey levels, \[row, column\]: towards the mean of its surroundings goes what the
/// noise explains. Where there is no more noise than a face has texture, nothing changes.
pub(crate) fn denoise(mut channel: ArrayViewMut2<'_, f32>) {
    let noise_square = noise_grey(channel.view()).powi(2) - TEXTURE_GREY * TEXTURE_GREY;
    if noise_square <= 0.0 {
        return;
    }
    let mean = box_mean(channel.view());
    let mean_square = box_mean(channel.mapv(|value| value * value).view());
    ndarray::Zip::from(&mut channel).and(&mean).and(&mean_square).for_each(
        |value, &mean, &mean_square| {
            let variance = (mean_square - mean * mean).max(1e-6);
            *value = mean + (1.0 - noise_square / variance).max(0.0) * (*value - mean);
        },
    );
}

/// The mean over the surroundings of each pixel; at the border its edge is repeated.
fn box_mean(channel: ArrayView2<'_, f32>) -> ndarray::Array2<f32> {
    let along = |from: ArrayView2<'_, f32>, axis: Axis| {
        let last = from.len_of(axis).saturating_sub(1);
        let side = 2 * REACH_PX + 1;
        let mut out = ndarray::Array2::<f32>::zeros(from.dim());
        for (index, mut lane) in out.axis_iter_mut(axis).enumerate() {
            for step in 0..side {
                let neighbour = (index + step).saturating_sub(REACH_PX).min(last);
                lane += &from.index_axis(axis, neighbour);
            }
            lane /= side as f32;
        }
        out
    };
    let rows = along(channel, Axis(0));
    along(rows.view(), Axis(1))
}

#[cfg(test)]
mod tests {
    use ndarray::Array3;

    use super::*;

    fn gradient() -> Array3<f32> {
        Array3::from_shape_fn((1, 48, 48), |(_, row, column)| 60.0 + (row + column) as f32 * 1.5)
    }

    #[test]
    fn normal_light_is_left_alone() {
        let mut crop = gradient();
        expose_crop(crop.view_mut());
        assert_eq!(crop, gradient());
    }

    #[test]
    fn a_tenth_of_the_light_comes_back() {
        let mut crop = gradient() * 0.1;
        expose_crop(crop.view_mut());
        let mean = crop.mean().unwrap();
        assert!((99.0..=101.0).contains(&mean), "{mean}");
        let mut bright = gradient() * 2.0;
        expose_crop(bright.view_mut());
        assert!(bright.mean().unwrap() <= 151.0);
    }

    #[test]
    fn noise_is_measured_and_most_of_it_goes() {
        // A cheap pattern that no neighbour predicts: uniform noise of variance 20² grey levels.
        let mut state = 1u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 16_777_216.0 - 0.5
        };
        let clean = gradient();
        let mut noisy = clean.mapv(|value| value + noise() * 20.0 * 12f32.sqrt());
        let found = noise_grey(noisy.index_axis(Axis(0), 0));
        assert!((17.0..23.0).contains(&found), "{found}");
        let error = |crop: &Array3<f32>| (crop - &clean).mapv(|d| d * d).mean().unwrap().sqrt();
        let before = error(&noisy);
        expose_crop(noisy.view_mut());
        assert!(error(&noisy) < before / 2.0, "{} of {before}", error(&noisy));
    }

    #[test]
    fn channels_side_by_side_are_treated_alike() {
        let apart =
            Array3::from_shape_fn((3, 48, 48), |(c, y, x)| ((c * 31 + y * 7 + x * 13) % 29) as f32);
        let mut together = Array3::zeros((48, 48, 3));
        together.view_mut().permuted_axes([2, 0, 1]).assign(&apart);
        let mut expected = apart.clone();
        expose_crop(expected.view_mut());
        expose_crop(together.view_mut().permuted_axes([2, 0, 1]));
        assert_eq!(together.view().permuted_axes([2, 0, 1]), expected);
        assert!(expected != apart);
    }

    #[test]
    fn a_search_image_is_measured_by_what_is_bright_in_it() {
        let lit = Array3::from_elem((3, 60, 80), 200.0);
        assert_eq!(search_gain(lit.view()), 1.0);
        assert_eq!(search_gain((lit.clone() * 0.1).view()), 8.0);
        // A lit face before a black wall: nothing is to be done.
        let mut spot = Array3::zeros((3, 60, 80));
        spot.slice_mut(s![.., 20..40, 20..40]).fill(200.0);
        assert_eq!(search_gain(spot.view()), 1.0);
        assert_eq!(search_gain(Array3::zeros((3, 60, 80)).view()), 16.0);
    }
}
