//! Promise: where O-Net sees that a face is covered, no label is called sure. It does not always see it:
//! `benches/covered_faces.rs` counts.
#![allow(clippy::unwrap_used, missing_docs)]

use std::time::Duration;

use image::RgbImage;
use rapport_perception::{Person, Session, SessionOptions};
use rapport_test_support::cover::Cover;
use rapport_test_support::{frame, picture, session};
use rapport_vocabulary::ImageStamp;

fn people(session: &mut Session, picture: &RgbImage) -> Vec<Person> {
    session.reset();
    session.process(&frame(picture), ImageStamp::at(Duration::ZERO)).unwrap().people
}

#[test]
fn a_label_of_a_face_that_looks_covered_is_a_guess() {
    // Any confidence would do: what is left of the certainty is about the face alone.
    let mut options =
        SessionOptions { min_confidence: Some(0.0), ..SessionOptions::for_pictures() };
    options.detect.min_face_probability = 0.0;
    let mut session = session(options);
    let uncovered = picture("solvay_1927.jpg");
    let seen = people(&mut session, &uncovered);
    let sure = seen.iter().filter(|person| person.sure).count();
    assert!(sure >= 25, "{sure} of {}", seen.len());
    let mut covered = uncovered.clone();
    seen.iter().for_each(|person| Cover::Mask.draw(&mut covered, &person.face.landmarks));
    let seen = people(&mut session, &covered);
    let sure = seen.iter().filter(|person| person.sure).count();
    assert!(seen.len() >= 25 && sure <= 8, "{sure} of {}", seen.len());
}
