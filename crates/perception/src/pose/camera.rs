//! A camera: from pixels of its image to directions in its optical frame (x right, y down, z
//! forward).

use crate::geometry::Point;

/// Rounds in which distortion is undone at most, and the change in focal lengths at which it is.
const ROUNDS: usize = 40;
const UNDONE: f64 = 1e-9;

/// How much a lens that is undone may miss the pixel it began with, in focal lengths: beyond the
/// edge of what the model of a lens describes, it leads to no direction at all.
const MOST_MISSED: f64 = 1e-4;

/// A calibrated camera, as `sensor_msgs/CameraInfo` describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Camera {
    /// Width in pixels of the image that the numbers are for.
    pub width_px: u32,
    /// Its height.
    pub height_px: u32,
    /// Focal lengths in pixels, to the right and down.
    pub focal_px: [f64; 2],
    /// Where the optical axis meets the image, in pixels; the centre of the first pixel is at (0, 0),
    /// as OpenCV and ROS count.
    pub center_px: [f64; 2],
    /// How the lens distorts.
    pub lens: Lens,
}

/// How a lens distorts what it shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Lens {
    /// Straight lines are straight.
    Straight,
    /// `plumb_bob` and `rational_polynomial`: k1, k2, p1, p2, k3, k4, k5, k6, the last ones zero where
    /// the model has fewer.
    Polynomial([f64; 8]),
    /// `equidistant`, of wide lenses: k1 to k4.
    Equidistant([f64; 4]),
}

/// Why the numbers describe no camera.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CameraError {
    /// No focal length: the camera is not calibrated.
    #[error(
        "focal lengths are {0} and {1} px, expected numbers above 0: the camera is not calibrated"
    )]
    Focal(f64, f64),
    /// The numbers are not finite, or the image has no size.
    #[error(
        "image is {width_px}x{height_px} px with its axis at ({x}, {y}), expected a size and a place"
    )]
    Numbers {
        /// Of the image.
        width_px: u32,
        /// Of the image.
        height_px: u32,
        /// Of the axis.
        x: f64,
        /// Of the axis.
        y: f64,
    },
    /// A model of a lens that is not known.
    #[error(
        "distortion model is `{0}`, expected plumb_bob, rational_polynomial or equidistant; publish \
         the rectified image instead"
    )]
    Model(String),
    /// Too many or too few numbers for the model.
    #[error("distortion model {model} has {found} finite coefficients, expected {expected}")]
    Coefficients {
        /// The model.
        model: String,
        /// How many came.
        found: usize,
        /// How many it has.
        expected: &'static str,
    },
}

impl Lens {
    /// The lens of a `sensor_msgs/CameraInfo`: the name of its model and its coefficients. None at all
    /// mean that there is no distortion.
    ///
    /// # Errors
    /// If the model is not known or its numbers do not fit.
    pub fn named(model: &str, coefficients: &[f64]) -> Result<Self, CameraError> {
        if coefficients.iter().all(|&k| k == 0.0) {
            return Ok(Self::Straight);
        }
        let finite = coefficients.iter().filter(|k| k.is_finite()).count();
        let wrong = |expected| {
            Err(CameraError::Coefficients { model: model.to_owned(), found: finite, expected })
        };
        match model {
            "plumb_bob" | "rational_polynomial" => {
                let mut all = [0.0; 8];
                // OpenCV's longer forms add thin prisms and tilts.
                if finite != coefficients.len() || ![4, 5, 8].contains(&finite) {
                    return wrong("4, 5 or 8");
                }
                all.iter_mut().zip(coefficients).for_each(|(k, given)| *k = *given);
                Ok(Self::Polynomial(all))
            }
            "equidistant" => match *coefficients {
                [k1, k2, k3, k4] if finite == 4 => Ok(Self::Equidistant([k1, k2, k3, k4])),
                _ => wrong("4"),
            },
            other => Err(CameraError::Model(other.to_owned())),
        }
    }

    /// Where a direction (x/z, y/z) is seen, in focal lengths from the axis.
    pub fn distort(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        let r2 = x * x + y * y;
        match *self {
            Self::Straight => [x, y],
            Self::Polynomial([k1, k2, p1, p2, k3, k4, k5, k6]) => {
                let radial = (1.0 + r2 * (k1 + r2 * (k2 + r2 * k3)))
                    / (1.0 + r2 * (k4 + r2 * (k5 + r2 * k6)));
                [
                    x * radial + 2.0 * p1 * x * y + p2 * (r2 + 2.0 * x * x),
                    y * radial + p1 * (r2 + 2.0 * y * y) + 2.0 * p2 * x * y,
                ]
            }
            Self::Equidistant([k1, k2, k3, k4]) => {
                let r = r2.sqrt();
                if r < 1e-12 {
                    return [x, y];
                }
                let angle = r.atan();
                let a2 = angle * angle;
                let seen = angle * (1.0 + a2 * (k1 + a2 * (k2 + a2 * (k3 + a2 * k4))));
                [x * seen / r, y * seen / r]
            }
        }
    }

    /// The direction (x/z, y/z) that is seen at a place, in focal lengths from the axis; nothing
    /// beyond the edge of what the model describes.
    fn undistort(&self, seen: [f64; 2]) -> Option<[f64; 2]> {
        if *self == Self::Straight {
            return Some(seen);
        }
        let mut direction = seen;
        for _ in 0..ROUNDS {
            // Newton's step, with the slopes by differences.
            let step = 1e-6;
            let [x, y] = direction;
            let at = self.distort(direction);
            let (dx, dy) = (self.distort([x + step, y]), self.distort([x, y + step]));
            let [a, b] = [(dx[0] - at[0]) / step, (dy[0] - at[0]) / step];
            let [c, d] = [(dx[1] - at[1]) / step, (dy[1] - at[1]) / step];
            let (ex, ey) = (seen[0] - at[0], seen[1] - at[1]);
            let determinant = a * d - b * c;
            // Where the model folds back, a place has no direction.
            if determinant.is_nan() || determinant <= 1e-9 {
                return None;
            }
            let move_x = (d * ex - b * ey) / determinant;
            let move_y = (a * ey - c * ex) / determinant;
            direction = [x + move_x, y + move_y];
            if move_x.abs().max(move_y.abs()) < UNDONE {
                break;
            }
        }
        let at = self.distort(direction);
        let missed = (at[0] - seen[0]).hypot(at[1] - seen[1]);
        (missed < MOST_MISSED).then_some(direction)
    }
}

impl Camera {
    /// A camera of these numbers.
    ///
    /// # Errors
    /// If they describe none.
    pub fn new(
        (width_px, height_px): (u32, u32),
        focal_px: [f64; 2],
        center_px: [f64; 2],
        lens: Lens,
    ) -> Result<Self, CameraError> {
        let [fx, fy] = focal_px;
        let [x, y] = center_px;
        if !(fx > 0.0 && fy > 0.0 && fx.is_finite() && fy.is_finite()) {
            return Err(CameraError::Focal(fx, fy));
        }
        if width_px == 0 || height_px == 0 || !x.is_finite() || !y.is_finite() {
            return Err(CameraError::Numbers { width_px, height_px, x, y });
        }
        Ok(Self { width_px, height_px, focal_px, center_px, lens })
    }

    /// A camera without distortion whose image is so wide, in degrees from its left to its right edge.
    pub fn with_field_of_view(
        (width_px, height_px): (u32, u32),
        horizontal_deg: f64,
    ) -> Result<Self, CameraError> {
        let half = (horizontal_deg.to_radians() / 2.0).tan();
        let focal = f64::from(width_px) / 2.0 / half;
        let center = [width_px, height_px].map(|px| (f64::from(px) - 1.0) / 2.0);
        Self::new((width_px, height_px), [focal; 2], center, Lens::Straight)
    }

    /// The same camera, whose image was scaled to another size; nothing where the image has another
    /// shape and so shows something else.
    pub fn scaled_to(&self, width_px: u32, height_px: u32) -> Option<Self> {
        let across = f64::from(width_px) / f64::from(self.width_px);
        let down = f64::from(height_px) / f64::from(self.height_px);
        // Two pixels of rounding are no other shape.
        let is_same_shape =
            (across * f64::from(self.height_px) - f64::from(height_px)).abs() <= 2.0;
        let scale = [across, down];
        is_same_shape.then(|| Self {
            width_px,
            height_px,
            focal_px: [0, 1].map(|i| self.focal_px[i] * scale[i]),
            // The edges of the images lie on one another, not the centres of their first pixels.
            center_px: [0, 1].map(|i| (self.center_px[i] + 0.5) * scale[i] - 0.5),
            lens: self.lens,
        })
    }

    /// The direction (x/z, y/z) of a point of the image, whose first pixel has its centre at
    /// (0.5, 0.5); nothing where the lens shows nothing there.
    pub fn direction(&self, point: Point) -> Option<[f64; 2]> {
        let seen = [
            (f64::from(point.x) - 0.5 - self.center_px[0]) / self.focal_px[0],
            (f64::from(point.y) - 0.5 - self.center_px[1]) / self.focal_px[1],
        ];
        let direction = self.lens.undistort(seen)?;
        direction.iter().all(|value| value.is_finite()).then_some(direction)
    }

    /// Where a place in front of the camera is seen, in pixels of the image, whose first pixel has its
    /// centre at (0.5, 0.5).
    pub fn project(&self, [x, y, z]: [f64; 3]) -> Option<Point> {
        let seen = (z > 0.0).then(|| self.lens.distort([x / z, y / z]))?;
        let [x, y] = [0, 1].map(|i| (seen[i] * self.focal_px[i] + self.center_px[i] + 0.5) as f32);
        Some(Point { x, y })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SIZE: (u32, u32) = (640, 480);

    #[test]
    fn the_field_of_view_reaches_from_edge_to_edge() {
        let camera = Camera::with_field_of_view(SIZE, 90.0).unwrap();
        let [left, up] = camera.direction(Point { x: 0.0, y: 240.0 }).unwrap();
        assert!((left + 1.0).abs() < 1e-9 && up.abs() < 1e-9, "{left} {up}");
        let half = camera.scaled_to(320, 240).unwrap();
        let [right, _] = half.direction(Point { x: 320.0, y: 120.0 }).unwrap();
        assert!((right - 1.0).abs() < 1e-9, "{right}");
        assert_eq!(camera.scaled_to(640, 360), None, "another shape");
    }

    #[test]
    fn what_describes_no_camera_is_refused_with_its_numbers() {
        let error = Camera::new(SIZE, [0.0, 0.0], [0.0; 2], Lens::Straight).unwrap_err();
        assert!(error.to_string().contains("not calibrated"), "{error}");
        let named = |model, k: &[f64]| Lens::named(model, k).map_err(|error| error.to_string());
        assert_eq!(named("", &[]), Ok(Lens::Straight));
        assert_eq!(named("plumb_bob", &[0.0; 5]), Ok(Lens::Straight));
        assert!(named("fov", &[0.9]).unwrap_err().contains("`fov`"));
        assert!(named("plumb_bob", &[0.1; 3]).unwrap_err().contains("has 3"));
        assert!(named("equidistant", &[f64::NAN, 0.0, 0.0, 0.0]).unwrap_err().contains("has 3"));
        assert!(Camera::with_field_of_view(SIZE, 0.0).is_err());
        assert!(Camera::with_field_of_view(SIZE, f64::NAN).is_err());
    }

    #[test]
    fn beyond_what_a_lens_describes_there_is_no_direction() {
        let lens = Lens::Polynomial([-0.4, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        let camera = Camera::new(SIZE, [300.0; 2], [319.5, 239.5], lens).unwrap();
        assert!(camera.direction(Point { x: 400.0, y: 240.0 }).is_some());
        // r (1 - 0.4 r²) is never more than 0.61.
        assert_eq!(camera.direction(Point { x: 639.0, y: 240.0 }), None);
        assert_eq!(camera.direction(Point { x: f32::NAN, y: 240.0 }), None);
    }

    proptest! {
        #[test]
        fn distortion_is_undone(
            x in -0.6f64..0.6,
            y in -0.5f64..0.5,
            k1 in -0.25f64..0.2,
            k2 in 0.0f64..0.08,
            p1 in -0.003f64..0.003,
            wide in any::<bool>(),
        ) {
            let lens = match wide {
                false => Lens::Polynomial([k1, k2, p1, -p1, 0.0, 0.0, 0.0, 0.0]),
                true => Lens::Equidistant([k1 / 10.0, k2 / 10.0, 0.0, 0.0]),
            };
            let camera = Camera::new(SIZE, [500.0, 505.0], [322.0, 236.0], lens).unwrap();
            let point = camera.project([2.0 * x, 2.0 * y, 2.0]).unwrap();
            let [back_x, back_y] = camera.direction(point).unwrap();
            prop_assert!((back_x - x).abs() < 1e-5 && (back_y - y).abs() < 1e-5, "{back_x} {back_y}");
        }
    }
}
