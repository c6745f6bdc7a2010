//! Every encoding that cameras send is understood as OpenCV understands it, and shows the same
//! faces.
#![allow(clippy::unwrap_used, missing_docs)]

use std::time::Duration;

use rapport_perception::SessionOptions;
use rapport_perception::detect::{WorkingImage, WorkingSize};
use rapport_perception::frame::{Encoding, Frame};
use rapport_perception::track::TrackOptions;
use rapport_test_support::{encode, frame, in_repository, picture, session};
use rapport_vocabulary::ImageStamp;
use serde::Deserialize;

#[derive(Deserialize)]
struct Reference {
    width: u32,
    height: u32,
    scaled: (u32, u32),
    images: Vec<ReferenceImage>,
}

#[derive(Deserialize)]
struct ReferenceImage {
    encoding: String,
    is_bigendian: bool,
    step: usize,
    data: (usize, usize),
    rgb: (usize, usize),
    scaled_rgb: (usize, usize),
}

/// Calls `check` with each reference image: a name, the frame, OpenCV's RGB and scaled RGB.
fn each_reference(mut check: impl FnMut(&str, &Frame<'_>, &[u8], &[u8])) -> (u32, u32) {
    let folder = in_repository("tests/reference");
    let reference: Reference =
        serde_json::from_slice(&std::fs::read(folder.join("encodings.json")).unwrap()).unwrap();
    let bytes = std::fs::read(folder.join("encodings.bin")).unwrap();
    let part = |(from, to): (usize, usize)| &bytes[from..to];
    assert_eq!(reference.images.len(), 26);
    for image in &reference.images {
        let encoding: Encoding = image.encoding.parse().unwrap();
        let encoding = encoding.with_byte_order(image.is_bigendian);
        let (width, height) = (reference.width, reference.height);
        let frame = Frame::new(width, height, image.step, encoding, part(image.data)).unwrap();
        check(&image.encoding, &frame, part(image.rgb), part(image.scaled_rgb));
    }
    reference.scaled
}

#[test]
fn every_encoding_gives_opencvs_pixels() {
    each_reference(|name, frame, expected, _| {
        let (width, height) = (frame.width_px() as usize, frame.height_px() as usize);
        // OpenCV copies a mosaic's outermost pixels from the next ones, which shifts colours.
        let edge = usize::from(name.starts_with("bayer"));
        let found = frame.to_rgb();
        for y in edge..height - edge {
            let row = 3 * (y * width + edge)..3 * (y * width + width - edge);
            assert_eq!(found[row.clone()], expected[row], "{name}, row {y}");
        }
    });
}

#[test]
fn every_encoding_is_scaled_as_opencv_scales_by_area() {
    let mut image = WorkingImage::default();
    let mut scaled = (0, 0);
    for _ in 0..2 {
        let size = WorkingSize { width_px: scaled.0.max(1), height_px: scaled.1.max(1) };
        scaled = each_reference(|name, frame, _, expected| {
            if size.width_px == 1 {
                return;
            }
            image.fill(frame, size);
            let edge = u32::from(name.starts_with("bayer"));
            let mut differences = Vec::new();
            for y in edge..size.height_px - edge {
                for x in edge..size.width_px - edge {
                    let pixel = 3 * (y * size.width_px + x) as usize;
                    for (channel, plane) in [2, 1, 0].into_iter().enumerate() {
                        let found = image.planes()[[0, plane, y as usize, x as usize]];
                        let expected = f32::from(expected[pixel + channel]);
                        differences.push((found - expected).abs());
                    }
                }
            }
            let mean = differences.iter().sum::<f32>() / differences.len() as f32;
            let within = |most: f32| {
                differences.iter().filter(|d| **d <= most).count() as f32 / differences.len() as f32
            };
            // OpenCV rounds to whole levels, of YUV also before it scales. And it cuts colours
            // beyond black and white before it takes the mean, we after it: a few differ by more.
            let yuv = name.starts_with("yuv") || name.starts_with("nv");
            let (most, share) = if yuv { (2.0, 0.97) } else { (0.75, 1.0) };
            assert!(within(most) >= share && mean <= 0.5, "{name}: {}, mean {mean}", within(most));
        });
    }
}

#[test]
fn every_encoding_shows_the_same_face_with_the_same_expression() {
    let track = TrackOptions { confirm_hits: 1, ..TrackOptions::default() };
    let mut session = session(SessionOptions { track, ..SessionOptions::default() });
    for name in ["astronaut.jpg", "hopper.jpg"] {
        let picture = picture(name);
        let mut seen = |frame: &Frame<'_>| {
            session.reset();
            let people = session.process(frame, ImageStamp::at(Duration::ZERO)).unwrap().people;
            assert_eq!(people.len(), 1, "{name}, {:?}", frame.encoding());
            people[0].clone()
        };
        // Without colours the detector sees something else: grey is compared with grey.
        let grey = image::DynamicImage::ImageRgb8(picture.clone()).to_luma8();
        let grey = image::DynamicImage::ImageLuma8(grey).to_rgb8();
        let (in_colour, in_grey) = (seen(&frame(&picture)), seen(&frame(&grey)));
        for encoding in Encoding::ALL {
            // Padded rows of an odd step: no encoding may rely on aligned ones.
            let image = encode(&picture, encoding, 3);
            let found = seen(&image.frame());
            let expected = match encoding {
                Encoding::Mono8 | Encoding::Mono16(_) => &in_grey,
                _ => &in_colour,
            };
            let (roi, wanted) = (found.face.roi_in_image, expected.face.roi_in_image);
            let sizes = [roi.width - wanted.width, roi.height - wanted.height];
            // A mosaic keeps a third of the picture, and its edges move a little.
            let near = if encoding.as_str().starts_with("bayer") { 2.0 } else { 1.0 };
            for difference in [roi.x - wanted.x, roi.y - wanted.y].into_iter().chain(sizes) {
                assert!(difference.abs() <= near, "{name} {encoding:?}: {roi:?} {wanted:?}");
            }
            // An expression that is clear stays so; one between several may move among them.
            let near = if expected.confidence() > 0.6 { 0.05 } else { 0.2 };
            for (found, expected) in found.probabilities.0.iter().zip(expected.probabilities.0) {
                let difference = (found - expected).abs();
                assert!(difference < near, "{name} {encoding:?}: {difference}");
            }
        }
    }
}
