//! Promise: a face of any size, from 24 px to the whole picture, is found once, at any working size.
#![allow(clippy::unwrap_used, missing_docs)]

use std::time::Duration;

use rapport_perception::detect::WorkingSize;
use rapport_perception::geometry::Rect;
use rapport_perception::{Session, SessionOptions};
use rapport_test_support::{close_up, frame, picture, session};
use rapport_vocabulary::ImageStamp;

const ASTRONAUT: (&str, Rect) =
    ("astronaut.jpg", Rect { x: 171.0, y: 58.0, width: 106.0, height: 131.0 });
const HOPPER: (&str, Rect) =
    ("hopper.jpg", Rect { x: 188.0, y: 114.0, width: 166.0, height: 202.0 });

fn pictures(width_px: u32, height_px: u32) -> Session {
    let mut options = SessionOptions::for_pictures();
    options.detect.working_size = WorkingSize { width_px, height_px };
    session(options)
}

/// Asserts that the face, so tall in a picture that is `share` times as tall, is found once and in
/// its place.
fn assert_found_once(session: &mut Session, photo: (&str, Rect), face_px: u32, share: f32) {
    let (pixels, expected) = close_up(&picture(photo.0), photo.1, face_px, share);
    session.reset();
    let seen = session.process(&frame(&pixels), ImageStamp::at(Duration::ZERO)).unwrap();
    let found: Vec<_> = seen.people.iter().map(|person| person.face.roi_in_image).collect();
    let what = format!("{} px in {:?}, share {share}: {found:?}", face_px, pixels.dimensions());
    assert_eq!(found.len(), 1, "{what}");
    assert!(found[0].iou(&expected) > 0.6, "{what}, expected {expected:?}");
}

#[test]
fn a_close_up_is_one_face_for_analyze() {
    let mut session = pictures(1920, 1920);
    for photo in [ASTRONAUT, HOPPER] {
        for (face_px, share) in
            [(24, 1.0), (48, 3.0), (200, 1.2), (390, 2.0), (720, 1.6), (1000, 1.4), (1900, 1.0)]
        {
            assert_found_once(&mut session, photo, face_px, share);
        }
    }
}

#[test]
fn a_close_up_is_one_face_for_the_node() {
    for (width_px, height_px) in [(480, 360), (640, 480), (1280, 720)] {
        let mut session = pictures(width_px, height_px);
        for (face_px, share) in [(24, 1.0), (200, 1.5), (470, 1.0), (700, 1.0), (1000, 1.4)] {
            assert_found_once(&mut session, ASTRONAUT, face_px, share);
        }
    }
}

#[test]
fn small_faces_beside_a_close_up_are_found_too() {
    let mut session = pictures(1920, 1920);
    let (mut pixels, _) = close_up(&picture(ASTRONAUT.0), ASTRONAUT.1, 1100, 1.5);
    let (small, _) = close_up(&picture(HOPPER.0), HOPPER.1, 40, 2.0);
    rapport_test_support::paste(&mut pixels, &small, 10, 10);
    let seen = session.process(&frame(&pixels), ImageStamp::at(Duration::ZERO)).unwrap();
    let mut heights: Vec<_> = seen.people.iter().map(|p| p.face.roi_in_image.height).collect();
    heights.sort_by(f32::total_cmp);
    assert_eq!(heights.len(), 2, "{heights:?}");
    assert!((30.0..50.0).contains(&heights[0]) && heights[1] > 900.0, "{heights:?}");
}
