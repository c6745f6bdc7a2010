//! What masks, hands and sunglasses do to labels and certainty: the table of `models/onet.md`.
//! `cargo bench -p rapport-perception --bench covered_faces`.
#![allow(clippy::unwrap_used, missing_docs)]

use std::time::Duration;

use image::RgbImage;
use image::imageops::{self, FilterType};
use rapport_perception::detect::Face;
use rapport_perception::{Person, Session, SessionOptions};
use rapport_test_support::cover::Cover;
use rapport_test_support::{frame, picture, session};
use rapport_vocabulary::ImageStamp;

fn people(session: &mut Session, picture: &RgbImage) -> Vec<Person> {
    session.reset();
    session.process(&frame(picture), ImageStamp::at(Duration::ZERO)).unwrap().people
}

fn is_same(face: &Face, other: &Face) -> bool {
    face.roi_in_image.iou(&other.roi_in_image) > 0.4
}

fn percentile(values: &mut [f32], percent: usize) -> f32 {
    values.sort_by(f32::total_cmp);
    values.get(values.len() * percent / 100).copied().unwrap_or(f32::NAN)
}

fn main() {
    let mut options = SessionOptions::for_pictures();
    // All that YuNet finds, so that what O-Net says of it is seen.
    options.detect.min_face_probability = 0.0;
    let mut session = session(options);
    let mut faces = Vec::new();
    for (name, scale) in [("astronaut.jpg", 1), ("hopper.jpg", 1), ("solvay_1927.jpg", 2)] {
        let photo = picture(name);
        let (width, height) = (photo.width() * scale, photo.height() * scale);
        let photo = imageops::resize(&photo, width, height, FilterType::CatmullRom);
        for person in people(&mut session, &photo) {
            // The face and its surroundings; sharp and certain ones only, which all of them are.
            let roi = person.face.roi_in_image;
            if person.face.score < 0.8 {
                continue;
            }
            let (cut, _) = rapport_test_support::close_up(&photo, roi, roi.height as u32, 2.0);
            let seen = people(&mut session, &cut);
            let middle = cut.width() as f32 / 2.0;
            let nearest = seen.into_iter().min_by(|a, b| {
                let off = |p: &Person| (p.face.roi_in_image.center().x - middle).abs();
                off(a).total_cmp(&off(b))
            });
            faces.extend(nearest.map(|person| (cut, person)));
        }
    }
    println!(
        "{} faces. found: by YuNet; a face: of them, accepted by O-Net, 0.7 or more; sure by label: of \
         these, where the label alone is asked; probability: of O-Net for the found, 10th, 50th and \
         90th percentile",
        faces.len()
    );
    println!(
        "{:<12} {:>6} {:>6} {:>11} {:>16} {:>16}   probability",
        "", "found", "a face", "same label", "sure by label", "sure"
    );
    for cover in [None].into_iter().chain(Cover::ALL.map(Some)) {
        let (mut found, mut accepted, mut same, mut confident, mut sure) = (0, 0, 0, 0, 0);
        let mut probabilities = Vec::new();
        for (picture, uncovered) in &faces {
            let mut covered = picture.clone();
            if let Some(cover) = cover {
                cover.draw(&mut covered, &uncovered.face.landmarks);
            }
            let seen = people(&mut session, &covered);
            let Some(person) = seen.iter().find(|p| is_same(&p.face, &uncovered.face)) else {
                continue;
            };
            found += 1;
            probabilities.push(person.face.probability);
            if person.face.probability < 0.7 {
                continue;
            }
            accepted += 1;
            let is_same_label = person.emotion == uncovered.emotion;
            same += usize::from(is_same_label);
            let limits = session.networks().reading().decision;
            let is_confident = limits.is_sure(person.emotion, person.confidence());
            confident += usize::from(is_confident);
            sure += usize::from(person.sure);
        }
        let name = cover.map_or("nothing".to_owned(), |cover| format!("{cover:?}"));
        let [low, half, high] = [10, 50, 90].map(|p| percentile(&mut probabilities, p));
        println!(
            "{name:<12} {found:>6} {accepted:>6} {same:>11} {confident:>16} {sure:>16}   \
             {low:.2} {half:.2} {high:.2}"
        );
    }
}
