//! By geometry: a synthetic camera projects a head, and the solver finds it again.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::geometry::Point;

const SIZE: (u32, u32) = (640, 480);

fn camera() -> Camera {
    Camera::with_field_of_view(SIZE, 65.0).unwrap()
}

/// A head that faces a camera at its own height, turned by so much: its face to the right of the image,
/// up, and its crown to the right.
fn pose(position_m: [f64; 3], [yaw, pitch, roll]: [f64; 3]) -> HeadPose {
    let [(sy, cy), (sp, cp), (sr, cr)] =
        [yaw, pitch, roll].map(|degrees| degrees.to_radians().sin_cos());
    let face = [sy * cp, -sp, -cy * cp];
    // Level, to the person's left.
    let level = [cy, 0.0, sy];
    let crown = [-sp * sy, -cp, sp * cy];
    let left: [f64; 3] = std::array::from_fn(|i| level[i] * cr - crown[i] * sr);
    let up: [f64; 3] = std::array::from_fn(|i| crown[i] * cr + level[i] * sr);
    let rotation: [[f64; 3]; 3] = std::array::from_fn(|i| [face[i], left[i], up[i]]);
    HeadPose { position_m, orientation: quaternion(&rotation), distance_std_m: 0.0 }
}

fn landmarks(pose: &HeadPose, camera: &Camera, size: f64) -> Landmarks {
    HEAD_M.map(|point| camera.project(to_camera(pose, point.map(|m| m * size))).unwrap())
}

fn mirrored(landmarks: &Landmarks) -> Landmarks {
    let [left_eye, right_eye, nose, left, right] =
        landmarks.map(|point| Point { x: SIZE.0 as f32 - point.x, ..point });
    [right_eye, left_eye, nose, right, left]
}

fn close(found: f64, known: f64, by: f64) -> bool {
    (found - known).abs() <= by
}

#[test]
fn a_head_that_faces_the_camera_has_the_axes_of_the_message() {
    let camera = camera();
    let known = pose([0.0, 0.0, 1.0], [0.0; 3]);
    let head = Head::of(&landmarks(&known, &camera, 1.0), Some(&camera), SIZE).unwrap();
    let found = head.pose().unwrap();
    assert!(close(found.distance_m(), 1.0, 1e-3), "{found:?}");
    // Out of the face: to the camera. The person's left: at the right of the image. Up: up.
    for (axis, expected) in [
        ([1.0, 0.0, 0.0], [0.0, 0.0, -1.0]),
        ([0.0, 1.0, 0.0], [1.0, 0.0, 0.0]),
        ([0.0, 0.0, 1.0], [0.0, -1.0, 0.0]),
    ] {
        let turned = turn(&rotation(found.orientation), axis);
        (0..3).for_each(|i| assert!(close(turned[i], expected[i], 1e-3), "{axis:?} {turned:?}"));
    }
    let facing = head.facing().unwrap();
    assert!(facing.off_deg < 0.1 && facing.bearing_deg < 0.1, "{facing:?}");
}

#[test]
fn without_a_camera_the_turn_is_known_and_the_distance_is_not() {
    let narrow = Camera::with_field_of_view(SIZE, 45.0).unwrap();
    let known = pose([0.1, 0.0, 1.5], [25.0, 5.0, 0.0]);
    let seen = landmarks(&known, &narrow, 1.0);
    let head = Head::of(&seen, None, SIZE).unwrap();
    assert_eq!(head.pose(), None);
    let truth = Head::of(&seen, Some(&narrow), SIZE).unwrap().facing().unwrap();
    assert!(close(head.facing().unwrap().yaw_deg, truth.yaw_deg, 3.0), "{:?}", head.facing());
}

#[test]
fn a_child_is_taken_for_a_farther_adult() {
    let camera = camera();
    let known = pose([0.0, 0.0, 1.2], [10.0, 0.0, 0.0]);
    let head = Head::of(&landmarks(&known, &camera, 0.75), Some(&camera), SIZE).unwrap();
    assert!(close(head.pose().unwrap().distance_m(), 1.6, 0.02), "{:?}", head.pose());
}

#[test]
fn what_is_no_head_is_unknown() {
    let camera = camera();
    let at = |points: [(f32, f32); 5]| {
        Head::of(&points.map(|(x, y)| Point { x, y }), Some(&camera), SIZE)
    };
    assert_eq!(at([(300.0, 200.0); 5]), None);
    assert_eq!(at([(f32::NAN, 200.0); 5]), None);
    assert_eq!(at([(1.0, 1.0), (2.0, 1.0), (3.0, 1.0), (4.0, 1.0), (5.0, 1.0)]), None);
}

#[test]
fn distances_are_smoothed_by_time_and_directions_are_not() {
    let camera = camera();
    let id = FaceIdOfTest::get();
    let mut poses = Poses::default();
    let constant = Duration::from_millis(200);
    let seen = |x: f64, z: f64, yaw: f64| {
        let known = pose([x, 0.0, z], [yaw, 0.0, 0.0]);
        Head::of(&landmarks(&known, &camera, 1.0), Some(&camera), SIZE)
    };
    let mut at = |ms: u64, head| poses.update(id, head, Duration::from_millis(ms), constant);
    at(0, seen(0.0, 1.0, 0.0));
    let head = at(200, seen(0.5, 2.0, 30.0)).unwrap();
    let found = head.pose().unwrap();
    assert!(close(found.position_m[0] / found.position_m[2], 0.25, 1e-3), "{found:?}");
    // 63 % of the way, of logarithms.
    assert!(close(found.distance_m(), 2.06f64.powf(0.632), 0.05), "{found:?}");
    assert!(at(210, None).is_none(), "not seen: not known");
    // Long after, nothing of before counts.
    let head = at(5000, seen(0.0, 3.0, 0.0)).unwrap();
    assert!(close(head.pose().unwrap().distance_m(), 3.0, 0.02));
    poses.retain(|_| false);
    assert!(poses.last(id, Duration::from_secs(5)).is_none());
}

struct FaceIdOfTest;

impl FaceIdOfTest {
    fn get() -> crate::track::FaceId {
        crate::track::FaceId::in_letters(7)
    }
}

proptest! {
    #[test]
    fn a_head_is_found_where_it_is(
        bearing in (-0.5f64..0.5, -0.35f64..0.35),
        z in 0.4f64..6.0,
        turned in (-50.0f64..50.0, -25.0f64..25.0, -30.0f64..30.0),
    ) {
        let camera = camera();
        let known = pose([bearing.0 * z, bearing.1 * z, z], [turned.0, turned.1, turned.2]);
        let facing_away = turn(&rotation(known.orientation), [1.0, 0.0, 0.0]);
        prop_assume!(dot(facing_away, known.position_m) < -0.4 * known.distance_m());
        let head = Head::of(&landmarks(&known, &camera, 1.0), Some(&camera), SIZE).unwrap();
        let found = head.pose().unwrap();
        prop_assert!(close(found.distance_m() / known.distance_m(), 1.0, 0.01), "{found:?} {known:?}");
        let same: f64 = found.orientation.iter().zip(known.orientation).map(|(a, b)| a * b).sum();
        let off_deg = 2.0 * same.abs().min(1.0).acos().to_degrees();
        prop_assert!(off_deg < 2.0, "{off_deg} {found:?} {known:?}");
        // A message has the pose alone: it turns to the same.
        let (whole, alone) = (head.facing().unwrap(), found.facing().unwrap());
        for (a, b) in [(whole.yaw_deg, alone.yaw_deg), (whole.pitch_deg, alone.pitch_deg)] {
            prop_assert!(close(a, b, 1e-6), "{whole:?} {alone:?}");
        }
    }

    #[test]
    fn a_mirrored_picture_mirrors_the_yaw_and_half_the_size_doubles_the_distance(
        x in -0.4f64..0.4,
        z in 0.5f64..3.0,
        yaw in -45.0f64..45.0,
        pitch in -20.0f64..20.0,
        noise in prop::array::uniform10(-1.0f32..1.0),
    ) {
        let camera = camera();
        let known = pose([x * z, 0.0, z], [yaw, pitch, 0.0]);
        let mut seen = landmarks(&known, &camera, 1.0);
        let eyes = (seen[1].x - seen[0].x).abs();
        for (point, noise) in seen.iter_mut().zip(noise.chunks(2)) {
            point.x += 0.03 * eyes * noise[0];
            point.y += 0.03 * eyes * noise[1];
        }
        let find = |seen: &Landmarks| Head::of(seen, Some(&camera), SIZE);
        if let (Some(one), Some(other)) = (find(&seen), find(&mirrored(&seen))) {
            let (a, b) = (one.facing().unwrap(), other.facing().unwrap());
            prop_assert!(close(a.yaw_deg, -b.yaw_deg, 0.1), "{a:?} {b:?}");
            prop_assert!(close(a.pitch_deg, b.pitch_deg, 0.1), "{a:?} {b:?}");
            let (p, q) = (one.pose().unwrap(), other.pose().unwrap());
            prop_assert!(close(p.distance_m() / q.distance_m(), 1.0, 1e-3));
            prop_assert!(p.distance_std_m > 0.05 * p.distance_m() && p.distance_std_m.is_finite());
        }
        // About the centre of the image, whose axis stays.
        let center = [320.0, 240.0];
        let half = landmarks(&pose([0.0, 0.0, z], [yaw, pitch, 0.0]), &camera, 1.0);
        let smaller = half.map(|p| Point {
            x: center[0] + (p.x - center[0]) / 2.0,
            y: center[1] + (p.y - center[1]) / 2.0,
        });
        let (near, far) = (find(&half).unwrap(), find(&smaller).unwrap());
        let ratio = far.pose().unwrap().distance_m() / near.pose().unwrap().distance_m();
        // A near head shows more perspective, which a smaller picture of it keeps.
        prop_assert!(close(ratio, 2.0, 0.12), "{ratio}");
    }
}
