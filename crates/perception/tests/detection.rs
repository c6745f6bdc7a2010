//! Faces are found as the original detectors find them, on real photographs.
#![allow(clippy::unwrap_used, missing_docs)]

use ndarray::Array4;
use rapport_perception::detect::{Face, ONet, WorkingImage, WorkingSize, YuNet, suppress_overlaps};
use rapport_perception::geometry::{Point, Rect};
use rapport_perception::onnx::{Network, RuntimeOptions};
use rapport_test_support::{frame, in_repository, picture};
use serde::Deserialize;

#[derive(Deserialize)]
struct YunetReference {
    score_threshold: f32,
    overlap_threshold: f32,
    pictures: Vec<ReferencePicture>,
}

#[derive(Deserialize)]
struct ReferencePicture {
    picture: String,
    faces: Vec<ReferenceFace>,
}

#[derive(Deserialize)]
struct ReferenceFace {
    score: f32,
    box_px: [f32; 4],
    landmarks_px: [f32; 10],
}

#[derive(Deserialize)]
struct OnetReference {
    crops: Vec<ReferenceCrop>,
}

#[derive(Deserialize)]
struct ReferenceCrop {
    picture: String,
    square_px: [f32; 3],
    probability: f32,
    landmarks: [f32; 10],
}

fn reference<T: for<'de> Deserialize<'de>>(name: &str) -> T {
    let path = in_repository("tests/reference").join(name);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn boxes_scores_and_landmarks_are_the_original_librarys() {
    let path = in_repository("models/yunet.onnx");
    let mut yunet = YuNet::load(&path, &RuntimeOptions::default()).unwrap();
    let reference: YunetReference = reference("yunet.json");
    let mut compared = 0;
    for expected in &reference.pictures {
        // JPEG decoders differ by a level or two, which moves faces of low scores over the
        // threshold: of such pictures the clear faces are compared.
        let least = if expected.picture.ends_with(".png") { 0.0 } else { 0.5 };
        let pixels = picture(&expected.picture);
        let mut image = WorkingImage::default();
        image.fill(&frame(&pixels), WorkingSize { width_px: 4096, height_px: 4096 });
        let found = yunet.find(&image, reference.score_threshold).unwrap();
        let found = suppress_overlaps(found, reference.overlap_threshold);
        let found: Vec<_> = found.iter().filter(|face| face.score >= least).collect();
        let expected_faces: Vec<_> =
            expected.faces.iter().filter(|face| face.score >= least).collect();
        assert_eq!(found.len(), expected_faces.len(), "{}", expected.picture);
        for wanted in expected_faces {
            let [x, y, width, height] = wanted.box_px;
            let same = found.iter().find(|face| {
                let roi = face.roi_in_image;
                let corners = [roi.x - x, roi.y - y];
                // The library cuts corners and sizes to whole pixels.
                let sizes = [roi.width - width, roi.height - height];
                corners.iter().all(|d| d.abs() < 1.1) && sizes.iter().all(|d| d.abs() < 2.1)
            });
            let same =
                same.unwrap_or_else(|| panic!("{}: no {:?}", expected.picture, wanted.box_px));
            assert!((same.score - wanted.score).abs() < 0.01, "{}", expected.picture);
            for (point, wanted) in same.landmarks.iter().zip(wanted.landmarks_px.as_chunks::<2>().0)
            {
                assert!((point.x - wanted[0]).abs() < 1.1 && (point.y - wanted[1]).abs() < 1.1);
            }
            compared += 1;
        }
    }
    assert!(compared >= 40, "only {compared} faces compared");
}

#[test]
fn the_face_classifier_answers_as_the_original_network() {
    let path = in_repository("models/onet.onnx");
    let mut network = Network::load(&path, &RuntimeOptions::default()).unwrap();
    let reference: OnetReference = reference("onet.json");
    let crops = rapport_test_support::picture("../reference/onet_crops.png");
    for (index, expected) in reference.crops.iter().enumerate() {
        let planes = Array4::from_shape_fn((1, 3, 48, 48), |(_, channel, y, x)| {
            f32::from(crops.get_pixel(x as u32, (48 * index + y) as u32)[channel])
        });
        let names = ["probability", "landmarks"];
        let (probability, landmarks) = network
            .run(planes.view(), names, |[probability, landmarks]| {
                Ok((probability[[0, 0]], landmarks.iter().copied().collect::<Vec<f32>>()))
            })
            .unwrap();
        assert!((probability - expected.probability).abs() < 1e-4, "crop {index}");
        for (found, expected) in landmarks.iter().zip(expected.landmarks) {
            assert!((found - expected).abs() < 1e-4, "crop {index}");
        }
    }
}

#[test]
fn our_own_crops_lead_the_face_classifier_to_the_same_landmarks() {
    let path = in_repository("models/onet.onnx");
    let mut onet = ONet::load(&path, &RuntimeOptions::default()).unwrap();
    let reference: OnetReference = reference("onet.json");
    for expected in reference.crops.iter().filter(|crop| crop.probability > 0.9) {
        let pixels = picture(&expected.picture);
        let [x, y, side] = expected.square_px;
        let inside = x >= 0.0
            && y >= 0.0
            && x + side <= pixels.width() as f32
            && y + side <= pixels.height() as f32;
        if !inside {
            // Beyond the edge the reference is black and ours goes on: not comparable.
            continue;
        }
        let candidate = Face {
            roi_in_image: Rect { x, y, width: side, height: side },
            score: 1.0,
            probability: 1.0,
            landmarks: [Point { x: 0.0, y: 0.0 }; 5],
        };
        let faces = onet.refine(&frame(&pixels), &[candidate], 0.5).unwrap();
        assert_eq!(faces.len(), 1, "{} {:?}", expected.picture, expected.square_px);
        for (i, point) in faces[0].landmarks.iter().enumerate() {
            let (ex, ey) = (x + expected.landmarks[i] * side, y + expected.landmarks[i + 5] * side);
            let distance = (point.x - ex).hypot(point.y - ey);
            assert!(distance < 0.02 * side, "{}: {distance} px of {side}", expected.picture);
        }
    }
}

#[test]
fn pictures_without_faces_give_none() {
    let mut session = rapport_test_support::session(rapport_perception::SessionOptions {
        track: rapport_perception::track::TrackOptions { confirm_hits: 1, ..Default::default() },
        ..Default::default()
    });
    for name in ["coffee.jpg", "chelsea.jpg", "rocket.jpg"] {
        session.reset();
        let pixels = picture(name);
        let seen = session
            .process(&frame(&pixels), rapport_vocabulary::ImageStamp::at(std::time::Duration::ZERO))
            .unwrap();
        assert_eq!(seen.people, [], "{name}");
    }
}
