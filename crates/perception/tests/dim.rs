//! In a dim room, at a tenth of the light and with a camera's noise, the same faces are found and read.
#![allow(clippy::unwrap_used, missing_docs)]

use std::time::Duration;

use image::RgbImage;
use rapport_perception::{Person, SessionOptions};
use rapport_test_support::{frame, picture, session};
use rapport_vocabulary::{Emotion, ImageStamp};

/// A tenth of the light, and noise of about 2 grey levels in each pixel and channel.
fn dim(picture: &RgbImage) -> RgbImage {
    let mut state = 7u32;
    let mut uniform = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 8) / f64::from(1 << 24) - 0.5
    };
    let mut dark = picture.clone();
    for value in dark.iter_mut() {
        // The sum of four has a standard deviation of 0.577.
        let noise = (uniform() + uniform() + uniform() + uniform()) * 2.0 / 0.577;
        *value = (f64::from(*value) * 0.1 + noise).round().clamp(0.0, 255.0) as u8;
    }
    dark
}

fn people(picture: &RgbImage) -> Vec<Person> {
    let mut session = session(SessionOptions::for_pictures());
    session.process(&frame(picture), ImageStamp::at(Duration::ZERO)).unwrap().people
}

#[test]
fn a_tenth_of_the_light_shows_the_same_faces() {
    let (mut lit, mut found) = (0, 0);
    for name in ["astronaut.jpg", "hopper.jpg", "solvay_1927.jpg"] {
        let picture = picture(name);
        let (by_day, by_night) = (people(&picture), people(&dim(&picture)));
        lit += by_day.len();
        found += by_day
            .iter()
            .filter(|day| {
                let same =
                    |night: &&Person| night.face.roi_in_image.iou(&day.face.roi_in_image) > 0.5;
                by_night.iter().any(|night| same(&night))
            })
            .count();
    }
    assert!(lit >= 31, "{lit} faces by day");
    assert!(found * 10 >= lit * 8, "{found} of {lit} faces in a tenth of the light");
}

#[test]
fn a_smile_in_a_tenth_of_the_light_is_a_smile() {
    let seen = people(&dim(&picture("astronaut.jpg")));
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].emotion, Emotion::Happy);
}
