//! From frames to people: who is found, how they look, and that they keep their ids.
#![allow(clippy::unwrap_used, missing_docs)]

use std::time::Duration;

use image::RgbImage;
use rapport_perception::onnx::{ModelError, RuntimeOptions};
use rapport_perception::track::TrackOptions;
use rapport_perception::{ModelFiles, Networks, Person, RateOptions, Session, SessionOptions};
use rapport_test_support::{frame, in_repository, paste, picture, session};
use rapport_vocabulary::{Emotion, ImageStamp};

fn at_once() -> SessionOptions {
    let track = TrackOptions { confirm_hits: 1, ..TrackOptions::default() };
    SessionOptions { track, rates: RateOptions::EVERY_IMAGE, ..SessionOptions::default() }
}

fn people(session: &mut Session, picture: &RgbImage, ms: u64) -> Vec<Person> {
    session.process(&frame(picture), ImageStamp::at(Duration::from_millis(ms))).unwrap().people
}

#[test]
fn a_smile_60_px_tall_in_640x480_is_seen_at_the_default_working_size() {
    let seen = people(&mut session(at_once()), &picture("astronaut_face_60px.png"), 0);
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].emotion, Emotion::Happy);
    assert!(seen[0].confidence() > 0.6, "{:?}", seen[0].probabilities);
    assert!((seen[0].face.roi_in_image.height - 57.0).abs() < 8.0, "{:?}", seen[0].face);
}

#[test]
fn all_29_people_of_the_solvay_photograph_are_found_at_its_full_size() {
    let seen = people(&mut session(SessionOptions::for_pictures()), &picture("solvay_1927.jpg"), 0);
    assert_eq!(seen.len(), 29);
}

#[test]
fn two_people_keep_their_ids_through_movement_and_a_short_miss() {
    // Searched in every image, the missed one is back at once; else within 1 / search_hz.
    for (rates, late) in [(RateOptions::EVERY_IMAGE, 0), (RateOptions::default(), 6)] {
        two_people_keep_their_ids(rates, late);
    }
}

fn two_people_keep_their_ids(rates: RateOptions, late: usize) {
    let (left, right) = (picture("astronaut.jpg"), picture("hopper.jpg"));
    let left = image::imageops::thumbnail(&left, 256, 256);
    let right = image::imageops::thumbnail(&right, 256, 300);
    let mut session = session(SessionOptions { rates, ..SessionOptions::default() });
    let mut ids = Vec::new();
    for step in 0..20 {
        let mut room = RgbImage::from_pixel(640, 480, image::Rgb([70, 80, 90]));
        // The right one is out of sight for four frames, 130 ms.
        if !(8..12).contains(&step) {
            paste(&mut room, &right, 380 - 3 * step, 60);
        }
        paste(&mut room, &left, 10 + 5 * step, 100);
        let seen = people(&mut session, &room, step as u64 * 33);
        ids.push(seen.iter().map(|p| p.id.to_string()).collect::<Vec<_>>());
    }
    assert_eq!(ids[0].len(), 0, "not yet confirmed");
    let mut both = ids[1].clone();
    both.sort();
    assert_eq!(both.len(), 2);
    for (step, ids) in ids.iter().enumerate().skip(1) {
        let mut ids = ids.clone();
        ids.sort();
        if (8..12).contains(&step) {
            assert_eq!(ids.len(), 1, "step {step}");
            assert!(both.contains(&ids[0]), "step {step}");
        } else if !(12..12 + late).contains(&step) {
            assert_eq!(ids, both, "step {step}");
        }
    }
}

#[test]
fn between_searches_faces_are_followed() {
    let person = image::imageops::thumbnail(&picture("astronaut.jpg"), 200, 200);
    let mut session = session(SessionOptions::default());
    let mut searched = Vec::new();
    for step in 0..30 {
        let mut room = RgbImage::from_pixel(640, 480, image::Rgb([70, 80, 90]));
        paste(&mut room, &person, 10 + 10 * step, 100);
        let stamp = ImageStamp::at(Duration::from_millis(step as u64 * 33));
        let seen = session.process(&frame(&room), stamp).unwrap();
        searched.push(seen.searched);
        assert_eq!(seen.people.len(), usize::from(step > 0), "step {step}");
        let age = seen.people.first().map(|person| person.distribution_age);
        assert!(age.unwrap_or_default() <= Duration::from_millis(100), "step {step}: {age:?}");
        let moved = seen.people.first().map(|person| person.face.roi_in_image.center().x);
        let middle = 10.0 + 10.0 * step as f32 + 88.0;
        assert!((moved.unwrap_or(middle) - middle).abs() < 20.0, "step {step}: {moved:?}");
    }
    // The first, its confirmation, and five a second.
    let count = searched.iter().filter(|searched| **searched).count();
    assert!(searched[..2] == [true, true] && (6..=8).contains(&count), "{searched:?}");
    // Another scene is searched at once, and the one who left is gone.
    let empty = RgbImage::from_pixel(640, 480, image::Rgb([200, 190, 180]));
    let stamp = ImageStamp::at(Duration::from_millis(30 * 33));
    let seen = session.process(&frame(&empty), stamp).unwrap();
    assert!(seen.searched && seen.people.is_empty());
}

#[test]
fn a_smile_that_comes_and_goes_is_smoothed_over_time() {
    let (smiling, stern) = (picture("astronaut.jpg"), picture("hopper.jpg"));
    let smiling = image::imageops::thumbnail(&smiling, 300, 300);
    // A stern face of the same size in the same place: hopper's face lies at (183, 121), 171 wide.
    let stern = image::imageops::thumbnail(&stern, 158, 185);
    let mut session = session(at_once());
    let mut room = RgbImage::from_pixel(320, 300, image::Rgb([70, 80, 90]));
    paste(&mut room, &smiling, 0, 0);
    let first = people(&mut session, &room, 0);
    let mut other = RgbImage::from_pixel(320, 300, image::Rgb([70, 80, 90]));
    paste(&mut other, &stern, 48, 0);
    let second = people(&mut session, &other, 33);
    assert_eq!(first[0].id, second[0].id);
    let happy = |person: &Person| {
        (person.instant_probabilities.of(Emotion::Happy), person.probabilities.of(Emotion::Happy))
    };
    let (instant, smoothed) = happy(&second[0]);
    assert!(instant < 0.5 && smoothed > 0.8, "{instant} {smoothed}");
    let (instant, smoothed) = happy(&people(&mut session, &other, 3033)[0]);
    assert!((instant - smoothed).abs() < 0.05, "{instant} {smoothed}");
}

#[test]
fn wrong_models_are_told_apart() {
    let load = |emotion: &str| {
        let files = ModelFiles { emotion: in_repository(emotion), ..ModelFiles::default() };
        Networks::load(&files, &RuntimeOptions::default()).err().unwrap()
    };
    let missing = load("models/none.onnx");
    assert!(
        matches!(missing, ModelError::File { .. }) && missing.to_string().contains("none.onnx")
    );
    let text = load("README.md");
    assert!(matches!(text, ModelError::Load { .. }), "{text}");
    let other = load("models/onet.onnx").to_string();
    assert!(other.contains("description is missing, expected a file"), "{other}");
    assert!(other.contains("models/onet.yaml"), "{other}");
    let files =
        ModelFiles { detector: in_repository("models/emotion.onnx"), ..ModelFiles::default() };
    let swapped = Networks::load(&files, &RuntimeOptions::default()).err().unwrap();
    assert!(swapped.to_string().contains("expected one named `image`"), "{swapped}");
}
