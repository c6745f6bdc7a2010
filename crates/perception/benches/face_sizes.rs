//! At which sizes faces are found, and found once: the table of `models/yunet.md`.
//! `cargo bench -p rapport-perception --bench face_sizes`.
#![allow(clippy::unwrap_used, missing_docs)]

use std::time::Duration;

use image::RgbImage;
use rapport_perception::SessionOptions;
use rapport_perception::detect::WorkingSize;
use rapport_perception::geometry::Rect;
use rapport_test_support::{close_up, frame, picture, session};
use rapport_vocabulary::ImageStamp;

const HEIGHTS_PX: [u32; 14] = [24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 720, 1000, 1400, 1900];

const WORKING_SIZES: [(u32, u32); 5] =
    [(480, 360), (640, 480), (1280, 720), (1920, 1920), (4096, 4096)];

/// The photographs, and how many times as tall as the face the pictures cut from them are. Of the
/// Solvay group, only what does not show the neighbours.
const PHOTOS: [(&str, &[f32]); 3] = [
    ("astronaut.jpg", &[1.0, 1.5, 2.2]),
    ("hopper.jpg", &[1.0, 1.5, 2.2]),
    ("solvay_1927.jpg", &[1.0]),
];

/// Every so many of the people of a group.
const EVERY: usize = 4;

/// A face scaled below this is left out: it has too few pixels.
const LEAST_PX: f32 = 20.0;

fn main() {
    let options = |width_px, height_px| {
        let mut options = SessionOptions::for_pictures();
        options.detect.working_size = WorkingSize { width_px, height_px };
        options
    };
    let mut session = session(options(1920, 1920));
    let mut faces: Vec<(RgbImage, Rect, f32)> = Vec::new();
    for (name, shares) in PHOTOS {
        let photo = picture(name);
        session.reset();
        let seen = session.process(&frame(&photo), ImageStamp::at(Duration::ZERO)).unwrap();
        for person in seen.people.iter().step_by(EVERY) {
            let roi = person.face.roi_in_image;
            faces.extend(shares.iter().map(|share| (photo.clone(), roi, *share)));
        }
    }
    println!("found once, of {} faces; in brackets: boxes beside them", faces.len());
    print!("{:>12}", "face, px");
    WORKING_SIZES.iter().for_each(|(width, height)| print!(" {:>12}", format!("{width}x{height}")));
    println!();
    for face_px in HEIGHTS_PX {
        let pictures: Vec<_> = faces
            .iter()
            .map(|(photo, roi, share)| close_up(photo, *roi, face_px, *share))
            .collect();
        print!("{face_px:>12}");
        for (width, height) in WORKING_SIZES {
            session.set_options(options(width, height));
            let (mut once, mut of, mut beside) = (0, 0, 0);
            for (pixels, expected) in &pictures {
                let [across, down] = [(width, pixels.width()), (height, pixels.height())]
                    .map(|(most, px)| most as f32 / px as f32);
                if face_px as f32 * across.min(down).min(1.0) < LEAST_PX {
                    continue;
                }
                session.reset();
                let seen = session.process(&frame(pixels), ImageStamp::at(Duration::ZERO)).unwrap();
                let is_it = |roi: &Rect| roi.iou(expected) > 0.5;
                let rois = seen.people.iter().map(|person| person.face.roi_in_image);
                let hits = rois.filter(is_it).count();
                of += 1;
                once += usize::from(hits == 1);
                beside += seen.people.len() - hits.min(1);
            }
            print!(" {:>12}", format!("{once}/{of} ({beside})"));
        }
        println!();
    }
}
