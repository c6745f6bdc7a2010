//! How a face looks to the camera: brightness and blur, which tell drift of light, lens and focus.

use image::RgbImage;

/// A face is looked at with at most so many samples a side: about what the network sees of it.
const SIDE: u32 = 96;
/// With fewer, blur cannot be told from the lack of pixels.
const LEAST_SIDE: usize = 16;
/// Half the length of the filter that blurs once more.
const REACH: usize = 4;

/// How a face looks to the camera.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Appearance {
    /// Mean luma, 0 (black) to 1 (white).
    pub brightness: f32,
    /// 0 (sharp) to 1 (blurred); nothing for a face that is too small, or of one colour.
    pub blur: Option<f32>,
}

impl Appearance {
    /// Of the box `(left, top, width, height)`, in pixels within the picture; nothing for an empty box.
    pub fn of(picture: &RgbImage, roi_px: (u32, u32, u32, u32)) -> Option<Self> {
        let luma = Luma::of(picture, roi_px)?;
        let sum: f32 = luma.values.iter().sum();
        Some(Self { brightness: sum / luma.values.len() as f32, blur: luma.blur() })
    }
}

/// Brightness in a grid, 0 to 1.
struct Luma {
    columns: usize,
    values: Vec<f32>,
}

impl Luma {
    /// Each value is the mean of a square of pixels.
    fn of(picture: &RgbImage, (left, top, width, height): (u32, u32, u32, u32)) -> Option<Self> {
        let step = width.max(height).div_ceil(SIDE).max(1);
        let (columns, rows) = (width / step, height / step);
        let fits = left + width <= picture.width() && top + height <= picture.height();
        if columns == 0 || rows == 0 || !fits {
            return None;
        }
        let square = |row: u32, column: u32| {
            let pixels = (0..step * step).map(|index| {
                let (x, y) = (left + column * step + index % step, top + row * step + index / step);
                let [red, green, blue] = picture.get_pixel(x, y).0.map(f32::from);
                0.299 * red + 0.587 * green + 0.114 * blue
            });
            pixels.sum::<f32>() / (255 * step * step) as f32
        };
        let values = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
        let values = values.map(|(row, column)| square(row, column)).collect();
        Some(Self { columns: columns as usize, values })
    }

    /// By how little another blur takes away (Crete and others 2007): a sharp picture loses most of
    /// the differences between neighbours, a blurred one keeps them. It does not depend on contrast.
    fn blur(&self) -> Option<f32> {
        let rows: Vec<&[f32]> = self.values.chunks_exact(self.columns).collect();
        if self.columns < LEAST_SIDE || rows.len() < LEAST_SIDE {
            return None;
        }
        let columns: Vec<Vec<f32>> =
            (0..self.columns).map(|column| rows.iter().map(|row| row[column]).collect()).collect();
        let across = kept(rows.iter().copied())?;
        let down = kept(columns.iter().map(Vec::as_slice))?;
        Some(across.max(down))
    }
}

/// The share of the differences between neighbours that a blur along the lines keeps.
fn kept<'a>(lines: impl Iterator<Item = &'a [f32]>) -> Option<f32> {
    let (mut all, mut lost) = (0.0, 0.0);
    for line in lines {
        let blurred = mean_over_reach(line);
        for (values, blurred) in line.windows(2).zip(blurred.windows(2)) {
            let difference = (values[1] - values[0]).abs();
            all += difference;
            lost += (difference - (blurred[1] - blurred[0]).abs()).max(0.0);
        }
    }
    // Less than a grey level between all neighbours together says nothing.
    (all > 1.0).then(|| (1.0 - lost / all).clamp(0.0, 1.0))
}

/// The mean of each value and its neighbours; at the ends, of those that there are.
fn mean_over_reach(line: &[f32]) -> Vec<f32> {
    let mean = |index: usize| {
        let window = &line[index.saturating_sub(REACH)..(index + REACH + 1).min(line.len())];
        window.iter().sum::<f32>() / window.len() as f32
    };
    (0..line.len()).map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rapport_test_support::in_repository;

    /// A face and the box around it.
    fn face() -> (RgbImage, (u32, u32, u32, u32)) {
        let picture = image::open(in_repository("tests/pictures/astronaut.jpg")).unwrap();
        (picture.into_rgb8(), (170, 60, 110, 130))
    }

    #[test]
    fn a_blurred_face_is_more_blurred_than_a_sharp_one() {
        let (picture, roi) = face();
        let blur = |sigma: f32| {
            let picture = image::imageops::blur(&picture, sigma);
            Appearance::of(&picture, roi).unwrap().blur.unwrap()
        };
        let found = [0.5, 1.5, 3.0, 5.0].map(blur);
        assert!(found.is_sorted() && found[0] < 0.5 && found[3] > 0.7, "{found:?}");
    }

    #[test]
    fn blur_does_not_change_with_the_light_and_brightness_does() {
        let (picture, roi) = face();
        let mut dim = picture.clone();
        dim.pixels_mut().for_each(|pixel| pixel.0 = pixel.0.map(|value| value / 2));
        let (bright, dim) =
            (Appearance::of(&picture, roi).unwrap(), Appearance::of(&dim, roi).unwrap());
        assert!((dim.brightness - bright.brightness / 2.0).abs() < 0.01);
        assert!((dim.blur.unwrap() - bright.blur.unwrap()).abs() < 0.02);
    }

    #[test]
    fn of_what_is_not_there_nothing_is_known() {
        let (picture, _) = face();
        assert_eq!(Appearance::of(&picture, (10, 10, 0, 5)), None);
        assert_eq!(Appearance::of(&picture, (picture.width() - 3, 0, 9, 9)), None);
        assert_eq!(Appearance::of(&picture, (9, 9, 12, 12)).unwrap().blur, None);
        let grey = RgbImage::from_pixel(64, 64, image::Rgb([99; 3]));
        let found = Appearance::of(&grey, (0, 0, 64, 64)).unwrap();
        assert_eq!(found.blur, None);
        assert!((found.brightness - 99.0 / 255.0).abs() < 1e-4);
    }
}
