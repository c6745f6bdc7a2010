//! A colour for each expression: one table for captions, plots and pages.
//!
//! Any two colours of a table differ by at least 20 in CIE 1976 L\*a\*b\* (ΔE; 2 is just visible), also
//! as people with protanopia, deuteranopia and tritanopia see them (Machado et al., "A
//! Physiologically-based Model for Simulation of Color Vision Deficiency", IEEE TVCG 2009).

use crate::emotion::Emotion;

/// Red, green and blue, sRGB, each 0 to 255.
pub type Rgb = [u8; 3];

impl Emotion {
    /// The colour for lines and areas on a page, light or dark: its contrast (WCAG 2) to white and to
    /// a nearly black page is at least 2.5.
    pub const fn color(self) -> Rgb {
        match self {
            Emotion::Angry => [195, 70, 7],
            Emotion::Disgust => [191, 152, 85],
            Emotion::Fear => [146, 83, 170],
            Emotion::Happy => [0, 113, 99],
            Emotion::Neutral => [160, 160, 160],
            Emotion::Sad => [1, 85, 245],
            Emotion::Surprise => [233, 134, 3],
            Emotion::Contempt => [143, 72, 46],
        }
    }

    /// The colour behind white text: its contrast (WCAG 2) to white is at least 4.5. About the hue
    /// of [`Emotion::color`].
    pub const fn background_color(self) -> Rgb {
        match self {
            Emotion::Angry => [128, 25, 0],
            Emotion::Disgust => [96, 123, 71],
            Emotion::Fear => [122, 45, 188],
            Emotion::Happy => [5, 130, 137],
            Emotion::Neutral => [64, 64, 64],
            Emotion::Sad => [8, 47, 255],
            Emotion::Surprise => [171, 101, 0],
            Emotion::Contempt => [63, 0, 0],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Matrix = [[f64; 3]; 3];

    /// How colours look, in linear RGB: to most people, and without one kind of cone.
    const VISIONS: [(&str, Matrix); 4] = [
        ("usual", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
        (
            "protanopia",
            [
                [0.152286, 1.052583, -0.204868],
                [0.114503, 0.786281, 0.099216],
                [-0.003882, -0.048116, 1.051998],
            ],
        ),
        (
            "deuteranopia",
            [
                [0.367322, 0.860646, -0.227968],
                [0.280085, 0.672501, 0.047413],
                [-0.011820, 0.042940, 0.968881],
            ],
        ),
        (
            "tritanopia",
            [
                [1.255528, -0.076749, -0.178779],
                [-0.078411, 0.930809, 0.147602],
                [0.004733, 0.691367, 0.303900],
            ],
        ),
    ];

    const SRGB_TO_XYZ: Matrix = [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ];

    fn times(matrix: &Matrix, v: [f64; 3]) -> [f64; 3] {
        matrix.map(|row| row.iter().zip(v).map(|(a, b)| a * b).sum())
    }

    fn linear(color: Rgb) -> [f64; 3] {
        color.map(|value| {
            let value = f64::from(value) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        })
    }

    fn lab(linear: [f64; 3]) -> [f64; 3] {
        let [x, y, z] = times(&SRGB_TO_XYZ, linear.map(|value| value.clamp(0.0, 1.0)));
        let f = |t: f64| if t > 0.008856 { t.cbrt() } else { 7.787 * t + 16.0 / 116.0 };
        let (fx, fy, fz) = (f(x / 0.95047), f(y), f(z / 1.08883));
        [116.0 * fy - 16.0, 500.0 * (fx - fy), 200.0 * (fy - fz)]
    }

    fn contrast(a: Rgb, b: Rgb) -> f64 {
        let luminance = |color| times(&SRGB_TO_XYZ, linear(color))[1];
        let (a, b): (f64, f64) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn colours_are_told_apart_with_every_kind_of_vision() {
        for (vision, matrix) in &VISIONS {
            for table in [Emotion::color, Emotion::background_color] {
                let seen = |emotion| lab(times(matrix, linear(table(emotion))));
                for (index, one) in Emotion::ALL.into_iter().enumerate() {
                    for other in Emotion::ALL.into_iter().skip(index + 1) {
                        let pairs = seen(one).into_iter().zip(seen(other));
                        let squares: f64 = pairs.map(|(a, b)| (a - b).powi(2)).sum();
                        let distance = squares.sqrt();
                        assert!(distance >= 20.0, "{one}, {other}, {vision}: {distance:.1}");
                    }
                }
            }
        }
    }

    #[test]
    fn colours_stand_out_from_pages_and_white_text_from_backgrounds() {
        const WHITE: Rgb = [255; 3];
        const DARK_PAGE: Rgb = [0x16, 0x17, 0x1a];
        for emotion in Emotion::ALL {
            for page in [WHITE, DARK_PAGE] {
                let found = contrast(emotion.color(), page);
                assert!(found >= 2.5, "{emotion} on {page:?}: {found:.2}");
            }
            let found = contrast(emotion.background_color(), WHITE);
            assert!(found >= 4.5, "{emotion} under white: {found:.2}");
        }
    }
}
