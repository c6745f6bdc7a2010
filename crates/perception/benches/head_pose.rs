//! What position and attention cost for each face, and which share of a whole image that is.
//! `cargo bench -p rapport-perception --bench head_pose`, on an idle machine.
#![allow(clippy::unwrap_used, missing_docs)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use rapport_perception::attention::{Attention, Candidate};
use rapport_perception::detect::Landmarks;
use rapport_perception::geometry::Point;
use rapport_perception::pose::{Camera, HEAD_M, Head, HeadPose, Lens, Poses, to_camera};
use rapport_perception::track::FaceId;
use rapport_perception::{AttentionOptions, RateOptions, SessionOptions};
use rapport_test_support::{frame, picture, session};
use rapport_vocabulary::ImageStamp;

const SIZE: (u32, u32) = (640, 480);
const IMAGES: u32 = 2000;
const FACES: u64 = 10;

/// The bar: position and attention of one face.
const MOST_MS: f64 = 0.15;

fn main() {
    // With distortion, which takes most of the time to undo.
    let lens = Lens::named("plumb_bob", &[-0.28, 0.09, 0.001, -0.0005, -0.01]).unwrap();
    let camera = Camera::new(SIZE, [520.0, 521.0], [318.0, 243.0], lens).unwrap();
    let faces: Vec<(FaceId, Vec<Landmarks>)> =
        (0..FACES).map(|face| (FaceId::in_letters(face), walk(face, &camera))).collect();
    let options = AttentionOptions::default();
    let (mut poses, mut attention) = (Poses::default(), Attention::default());
    let smoothing = Duration::from_millis(200);
    let mut found = 0u32;
    let start = Instant::now();
    for image in 0..IMAGES {
        let now = Duration::from_millis(33) * image;
        let mut candidates = Vec::with_capacity(faces.len());
        for (id, seen) in &faces {
            let head = Head::of(&seen[image as usize % seen.len()], Some(&camera), SIZE);
            let head = poses.update(*id, head, now, smoothing);
            let engagement = attention.update(*id, head.as_ref(), now, &options);
            if let Some(pose) = head.and_then(|head| head.pose()) {
                found += 1;
                let is_engaged = engagement == Some(rapport_vocabulary::Engagement::Engaged);
                candidates.push(Candidate { id: *id, distance_m: pose.distance_m(), is_engaged });
            }
        }
        black_box(attention.look_at(&candidates, |_| true, now, &options));
    }
    let face_ms = 1e3 * start.elapsed().as_secs_f64() / f64::from(IMAGES) / FACES as f64;
    let image_ms = mean_image_ms();
    let all = IMAGES * FACES as u32;
    println!("position and attention of a face: {face_ms:.4} ms ({found} of {all} heads found)");
    println!(
        "one image with one face, in full: {image_ms:.2} ms; share: {:.4}",
        face_ms / image_ms
    );
    let verdict = if face_ms <= MOST_MS { "met" } else { "missed" };
    println!("at most {MOST_MS} ms a face: {verdict}");
}

/// The landmarks of a head that sways before the camera, with the noise of a detector.
fn walk(face: u64, camera: &Camera) -> Vec<Landmarks> {
    let mut state = 0x9E37_79B9_7F4A_7C15u64 ^ (face + 1);
    let mut noise = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % 2001) as f32 / 1000.0 - 1.0
    };
    let landmarks = |step: u32| {
        let phase = f64::from(step) * 0.05 + face as f64;
        let (yaw, z) = (0.6 * phase.sin(), 1.5 + 0.8 * (0.3 * phase).cos());
        // A frontal head turned about its own z.
        let (sin, cos) = (yaw / 2.0).sin_cos();
        let facing = [-0.5, 0.5, 0.5, 0.5f64];
        let turn = [0.0, 0.0, sin, cos];
        let position_m = [0.3 * phase.cos(), 0.1, z];
        let orientation = product(facing, turn);
        let pose = HeadPose { position_m, orientation, distance_std_m: 0.0 };
        let eyes_px = 0.063 * 520.0 / z as f32;
        HEAD_M.map(|point| {
            let Point { x, y } =
                camera.project(to_camera(&pose, point)).unwrap_or(Point { x: 0.0, y: 0.0 });
            Point { x: x + 0.04 * eyes_px * noise(), y: y + 0.04 * eyes_px * noise() }
        })
    };
    let mut landmarks = landmarks;
    (0..200).map(&mut landmarks).collect()
}

/// Of quaternions (x, y, z, w).
fn product([ax, ay, az, aw]: [f64; 4], [bx, by, bz, bw]: [f64; 4]) -> [f64; 4] {
    [
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
        aw * bw - ax * bx - ay * by - az * bz,
    ]
}

fn mean_image_ms() -> f64 {
    let mut options = SessionOptions { rates: RateOptions::EVERY_IMAGE, ..Default::default() };
    options.pose.horizontal_fov_deg = Some(60.0);
    let mut session = session(options);
    let image = picture("astronaut_face_60px.png");
    let mut total = Duration::ZERO;
    for i in 0..60 {
        let stamp = ImageStamp::at(Duration::from_millis(33 * i));
        let seen = session.process(&frame(&image), stamp).unwrap();
        if i >= 10 {
            total += seen.timings.total;
        }
    }
    1e3 * total.as_secs_f64() / 50.0
}
