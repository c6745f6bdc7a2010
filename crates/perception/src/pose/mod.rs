//! Where heads are and what they turn to, from their five landmarks and the camera.
//!
//! [`Camera`] says in which direction a pixel looks; the solver finds the head that shows its
//! landmarks there, taking it for an adult's of mean size. A child's head is smaller, so it is found
//! farther away than it is: a head three quarters as large at three quarters of the distance looks the
//! same. [`HeadPose::distance_std_m`] covers the sizes of adults' heads only.

mod camera;
mod solver;
mod steady;

pub use camera::{Camera, CameraError, Lens};
pub use solver::HEAD_M;
pub use steady::Poses;

use crate::detect::Landmarks;
use solver::{Solution, column, dot, norm, solve, turn, unit};

/// The horizontal field of view that is assumed for the turn of heads where the camera is not known:
/// between a narrow webcam's and a wide one's. Where heads are turned to depends little on it.
const ASSUMED_VIEW_DEG: f64 = 60.0;

/// What is known about the camera, and how heads are judged.
#[derive(Debug, Clone, PartialEq)]
pub struct PoseOptions {
    /// The calibrated camera.
    pub camera: Option<Camera>,
    /// How wide the image is, in degrees, where the camera is not calibrated; nothing where that is not
    /// known either. Then distances are unknown.
    pub horizontal_fov_deg: Option<f64>,
    /// Beyond which turn to the side, in degrees, no expression is sure.
    pub max_yaw_deg: f32,
    /// Time constant of the smoothing of distance and turn.
    pub smoothing: std::time::Duration,
}

impl Default for PoseOptions {
    fn default() -> Self {
        Self {
            camera: None,
            horizontal_fov_deg: None,
            // Where the expression of rendered heads is read as from the front (docs/people.md).
            max_yaw_deg: 45.0,
            smoothing: std::time::Duration::from_millis(200),
        }
    }
}

impl PoseOptions {
    /// The camera of images of this size; nothing where it is not known.
    pub fn camera_of(&self, width_px: u32, height_px: u32) -> Option<Camera> {
        let calibrated = self.camera.as_ref().and_then(|c| c.scaled_to(width_px, height_px));
        calibrated.or_else(|| {
            Camera::with_field_of_view((width_px, height_px), self.horizontal_fov_deg?).ok()
        })
    }
}

/// A head in the camera's optical frame (x right, y down, z forward).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeadPose {
    /// The point between the eyes, in metres.
    pub position_m: [f64; 3],
    /// x, y, z and w of the turn from the camera's axes to the head's: x out of the face, y to the
    /// person's left, z up.
    pub orientation: [f64; 4],
    /// Standard deviation of the distance, in metres: from how exact landmarks are, and from how much
    /// the heads of adults differ in size.
    pub distance_std_m: f64,
}

impl HeadPose {
    /// How far the point between the eyes is from the camera, in metres.
    pub fn distance_m(&self) -> f64 {
        norm(self.position_m)
    }

    /// What it turns to; nothing for a head in the camera itself, or of numbers that are none.
    pub fn facing(&self) -> Option<Facing> {
        facing(self.position_m, column(&rotation(self.orientation), 0))
    }
}

/// What a head turns to, seen from the camera: 0 and 0 face it. It needs no calibrated camera.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Facing {
    /// To the side, in degrees; positive: to the right of the image.
    pub yaw_deg: f64,
    /// Up or down, in degrees; positive: up.
    pub pitch_deg: f64,
    /// The angle between where the face points and the camera, in degrees.
    pub off_deg: f64,
    /// The angle between the camera's optical axis and the head, in degrees.
    pub bearing_deg: f64,
}

/// A head as one image shows it, or smoothed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Head {
    solution: Solution,
    is_metric: bool,
}

impl Head {
    /// The head of these landmarks; nothing where none looks so. Without a camera a usual one is
    /// assumed, and the distance is not known.
    pub fn of(landmarks: &Landmarks, camera: Option<&Camera>, size: (u32, u32)) -> Option<Self> {
        let assumed = match camera {
            Some(_) => None,
            None => Some(Camera::with_field_of_view(size, ASSUMED_VIEW_DEG).ok()?),
        };
        let seen_by = camera.or(assumed.as_ref())?;
        let mut directions = [[0.0; 2]; 5];
        for (direction, landmark) in directions.iter_mut().zip(landmarks) {
            *direction = seen_by.direction(*landmark)?;
        }
        let focal_px = (seen_by.focal_px[0] * seen_by.focal_px[1]).sqrt();
        let solution = solve(&directions, focal_px)?;
        Some(Self { solution, is_metric: camera.is_some() })
    }

    /// Where it is; nothing where the camera is not known.
    pub fn pose(&self) -> Option<HeadPose> {
        let Solution { position_m, rotation, distance_std_m } = self.solution;
        let orientation = quaternion(&rotation);
        self.is_metric.then_some(HeadPose { position_m, orientation, distance_std_m })
    }

    /// What it turns to.
    pub fn facing(&self) -> Option<Facing> {
        facing(self.solution.position_m, column(&self.solution.rotation, 0))
    }
}

/// What a head at a position turns to, if its face points there.
fn facing([x, y, z]: [f64; 3], face: [f64; 3]) -> Option<Facing> {
    // The axes of a camera that is turned to the head, the horizon level.
    let ahead = unit([x, y, z])?;
    let right = unit([z, 0.0, -x])?;
    let up = unit([
        ahead[1] * right[2] - ahead[2] * right[1],
        ahead[2] * right[0] - ahead[0] * right[2],
        ahead[0] * right[1] - ahead[1] * right[0],
    ])?;
    // `up` points down or up by the order of the product; y of the optical frame is down.
    let up = if up[1] > 0.0 { up.map(|value| -value) } else { up };
    let toward = -dot(face, ahead);
    Some(Facing {
        yaw_deg: dot(face, right).atan2(toward).to_degrees(),
        pitch_deg: dot(face, up).clamp(-1.0, 1.0).asin().to_degrees(),
        off_deg: toward.clamp(-1.0, 1.0).acos().to_degrees(),
        bearing_deg: ahead[2].clamp(-1.0, 1.0).acos().to_degrees(),
    })
}

/// Turns a vector of the head into one of the camera.
pub fn to_camera(pose: &HeadPose, in_head_m: [f64; 3]) -> [f64; 3] {
    let turned = turn(&rotation(pose.orientation), in_head_m);
    std::array::from_fn(|axis| turned[axis] + pose.position_m[axis])
}

/// The quaternion (x, y, z, w) of a rotation, w not negative.
fn quaternion(m: &[[f64; 3]; 3]) -> [f64; 4] {
    // Each squared and times four: the greatest is far from zero.
    let squares = [
        1.0 + m[0][0] - m[1][1] - m[2][2],
        1.0 - m[0][0] + m[1][1] - m[2][2],
        1.0 - m[0][0] - m[1][1] + m[2][2],
        1.0 + m[0][0] + m[1][1] + m[2][2],
    ];
    let (greatest, square) = squares
        .into_iter()
        .enumerate()
        .fold((3, squares[3]), |best, next| if next.1 > best.1 { next } else { best });
    let twice = square.max(1e-12).sqrt();
    let [xy, xz, yz] = [m[0][1] + m[1][0], m[0][2] + m[2][0], m[1][2] + m[2][1]];
    let [wx, wy, wz] = [m[2][1] - m[1][2], m[0][2] - m[2][0], m[1][0] - m[0][1]];
    let sums = match greatest {
        0 => [square, xy, xz, wx],
        1 => [xy, square, yz, wy],
        2 => [xz, yz, square, wz],
        _ => [wx, wy, wz, square],
    };
    let sign = if sums[3] < 0.0 { -1.0 } else { 1.0 };
    sums.map(|sum| sign * sum / (2.0 * twice))
}

/// The rotation of a quaternion (x, y, z, w).
fn rotation([x, y, z, w]: [f64; 4]) -> [[f64; 3]; 3] {
    [
        [1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y - z * w), 2.0 * (x * z + y * w)],
        [2.0 * (x * y + z * w), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z - x * w)],
        [2.0 * (x * z - y * w), 2.0 * (y * z + x * w), 1.0 - 2.0 * (x * x + y * y)],
    ]
}

#[cfg(test)]
mod tests;
