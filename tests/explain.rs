//! Why a face was read as it was: evidence maps, and the picture that `rapport analyze` makes.
#![allow(clippy::unwrap_used, missing_docs)]

use std::process::{Command, Output};
use std::time::Duration;

use image::{RgbImage, imageops};
use rapport_evaluation::picture_file::read_picture;
use rapport_perception::SessionOptions;
use rapport_perception::geometry::Point;
use rapport_test_support::{frame, in_repository, picture, session};
use rapport_vocabulary::{Emotion, ImageStamp};

fn analyze(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rapport"))
        .arg("analyze")
        .args(arguments)
        .current_dir(in_repository("tests/pictures"))
        .output()
        .unwrap()
}

#[test]
fn the_evidence_for_what_is_read_outweighs_all_other_and_lies_on_the_face() {
    let mut session = session(SessionOptions::for_pictures());
    let picture = picture("astronaut.jpg");
    let frame = frame(&picture);
    let person = session.process(&frame, ImageStamp::at(Duration::ZERO)).unwrap().people.remove(0);
    let explanation = session.explain(&frame, &person.face).unwrap();

    // The mean of a map is its expression's share of the logit.
    let mean = |emotion: Emotion| {
        explanation.maps.of(emotion).map_or(f32::NEG_INFINITY, |map| map.mean().unwrap())
    };
    let strongest = Emotion::ALL.into_iter().max_by(|a, b| mean(*a).total_cmp(&mean(*b)));
    assert_eq!(strongest, Some(person.emotion));

    let roi = person.face.roi_in_image;
    let heat = |x: f32, y: f32| explanation.heat(person.emotion, Point { x, y });
    let grid = (0..40).flat_map(|i| (0..40).map(move |j| (i as f32 / 39.0, j as f32 / 39.0)));
    let on_face = grid.filter_map(|(x, y)| heat(roi.x + x * roi.width, roi.y + y * roi.height));
    assert!(on_face.fold(0.0, f32::max) > 0.9, "the hottest cell lies beside the face");
    assert_eq!(heat(2.0, 2.0), None);
}

#[test]
fn the_heat_is_drawn_over_the_face_for_the_expression_asked() {
    let folder = tempfile::tempdir().unwrap();
    let drawn = |options: &[&str]| {
        let target = folder.path().join("out.png");
        let arguments = [&["astronaut.jpg", "-o", target.to_str().unwrap()], options].concat();
        let out = analyze(&arguments);
        assert_eq!(out.status.code(), Some(0), "{}", String::from_utf8_lossy(&out.stderr));
        read_picture(&target, |_| ()).unwrap()
    };
    let (plain, shown) = (drawn(&[]), drawn(&["--explain"]));
    // A named expression stands in the caption, so look below it.
    let face = |picture: &RgbImage| imageops::crop_imm(picture, 170, 64, 110, 130).to_image();
    assert_eq!(face(&drawn(&["--explain=happy"])), face(&shown));
    assert_ne!(face(&drawn(&["--explain=sad"])), face(&shown));
    let changed = |x: std::ops::Range<u32>, y: std::ops::Range<u32>| {
        x.flat_map(|x| y.clone().map(move |y| (x, y)))
            .filter(|&(x, y)| plain.get_pixel(x, y) != shown.get_pixel(x, y))
            .count()
    };
    assert!(changed(180..270, 70..190) > 1000, "no heat on the face");
    assert_eq!(changed(0..100, 300..512), 0, "heat far from the face");
}

#[test]
fn an_unknown_expression_or_no_place_for_the_picture_is_a_usage_error() {
    for (options, expected) in [
        (&["--explain=hapy", "-o", "x.png"][..], "unknown emotion `hapy`, expected one of angry"),
        (&["--explain"], "--output"),
    ] {
        let out = analyze(&[&["astronaut.jpg"], options].concat());
        assert_eq!(out.status.code(), Some(2));
        let error = String::from_utf8(out.stderr).unwrap();
        assert!(error.contains(expected), "{error}");
    }
}
