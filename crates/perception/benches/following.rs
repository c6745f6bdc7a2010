//! Following faces between searches against searching and classifying every image: the same answer, and
//! what it costs. `cargo bench -p rapport-perception --bench following`, on an idle machine.
//!
//! The sequences are photographs moved as a camera would see them, with noise, at 30 images a second.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::HashMap;
use std::time::Duration;

use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};
use rapport_perception::{Networks, Observation, Person, RateOptions, Session, SessionOptions};
use rapport_test_support::{frame, paste, picture, session};
use rapport_vocabulary::ImageStamp;

const IMAGES_PER_SEC: f32 = 30.0;

/// Overlap (intersection over union) from which a face is the same.
const SAME_FACE: f32 = 0.5;

/// A sequence: its name, how many images, and how each looks.
struct Sequence {
    name: &'static str,
    images: usize,
    image: Box<dyn Fn(usize) -> RgbImage>,
}

fn main() {
    let sequences = [
        passes_by(),
        comes_near(),
        turns(),
        ten_people(),
        thirty_people(),
        camera_pans(),
        cuts(),
        still_people_large(),
    ];
    let networks = session(SessionOptions::default()).networks().clone();
    println!(
        "{:<26} {:>7} {:>7} {:>8} {:>8} {:>7} {:>7} {:>13} {:>13} {:>6} {:>5}",
        "", "recall", "labels", "marks50", "marks95", "ids", "delay", "all ms", "ms", "ratio", "Hz"
    );
    for sequence in &sequences {
        let images: Vec<RgbImage> =
            (0..sequence.images).map(|i| noisy((sequence.image)(i), i)).collect();
        // In turn, so that the machine's pace is the same for both.
        let [full, followed] = run_both(&networks, &images);
        println!("{:<26} {}", sequence.name, compare(&full, &followed));
    }
    println!(
        "recall: of the faces that searching every image finds, those that following has at an \
         overlap of {SAME_FACE}; labels: equal ones of these; marks: distance of landmarks over that \
         of the eyes, median and 95th percentile; ids: people, searching against following; delay: \
         of a face's first message, greatest; ms: mean and 95th percentile of an image, \
         searching and following; Hz: how often a second each face is classified"
    );
}

fn run_both(networks: &std::sync::Arc<Networks>, images: &[RgbImage]) -> [Vec<Observation>; 2] {
    let mut sessions = [RateOptions::EVERY_IMAGE, RateOptions::default()].map(|rates| {
        Session::new(networks.clone(), SessionOptions { rates, ..SessionOptions::default() })
    });
    let mut seen = [Vec::new(), Vec::new()];
    for (i, image) in images.iter().enumerate() {
        let stamp = ImageStamp::at(Duration::from_secs_f32(i as f32 / IMAGES_PER_SEC));
        for (session, seen) in sessions.iter_mut().zip(&mut seen) {
            seen.push(session.process(&frame(image), stamp).unwrap());
        }
    }
    seen
}

fn compare(full: &[Observation], followed: &[Observation]) -> String {
    let (mut all, mut found, mut alike) = (0, 0, 0);
    let mut marks = Vec::new();
    let mut first: [HashMap<String, usize>; 2] = Default::default();
    // Who of the one is who of the other, the first time that both have them.
    let mut first_of_full: HashMap<String, (usize, Option<usize>)> = HashMap::new();
    for (i, (full, followed)) in full.iter().zip(followed).enumerate() {
        for (people, first) in [&full.people, &followed.people].into_iter().zip(&mut first) {
            for person in people {
                first.entry(person.id.to_string()).or_insert(i);
            }
        }
        for person in &full.people {
            all += 1;
            let entry = first_of_full.entry(person.id.to_string()).or_insert((i, None));
            let overlap = |other: &&Person| person.face.roi_in_image.iou(&other.face.roi_in_image);
            let best = followed.people.iter().max_by(|a, b| overlap(a).total_cmp(&overlap(b)));
            let Some(best) = best.filter(|other| overlap(other) >= SAME_FACE) else { continue };
            entry.1.get_or_insert(i);
            found += 1;
            alike += usize::from(best.emotion == person.emotion);
            marks.push(landmark_distance(person, best));
        }
    }
    marks.sort_by(f32::total_cmp);
    let at = |share: f32| marks.get((marks.len() as f32 * share) as usize).copied().unwrap_or(0.0);
    let delay = first_of_full.values().filter_map(|(from, to)| Some(to.as_ref()? - from)).max();
    let [(full_ms, full_95), (followed_ms, followed_95)] = [full, followed].map(mean_and_p95_ms);
    let faces: Vec<&Person> = followed.iter().flat_map(|seen| &seen.people).collect();
    let fresh = faces.iter().filter(|person| person.distribution_age.is_zero()).count();
    format!(
        "{:>5.1} % {:>5.1} % {:>6.1} % {:>6.1} % {:>3}/{:<3} {:>4.0} ms {:>6.2} {:>6.2} {:>6.2} {:>6.2} \
         {:>6.2} {:>5.1}",
        100.0 * found as f32 / all.max(1) as f32,
        100.0 * alike as f32 / found.max(1) as f32,
        100.0 * at(0.5),
        100.0 * at(0.95),
        first[0].len(),
        first[1].len(),
        1e3 * delay.unwrap_or(0) as f32 / IMAGES_PER_SEC,
        full_ms,
        full_95,
        followed_ms,
        followed_95,
        followed_ms / full_ms,
        IMAGES_PER_SEC * fresh as f32 / faces.len().max(1) as f32,
    )
}

fn mean_and_p95_ms(seen: &[Observation]) -> (f64, f64) {
    let mut times: Vec<Duration> = seen.iter().map(|seen| seen.timings.total).collect();
    times.sort();
    let mean = times.iter().sum::<Duration>() / times.len() as u32;
    let p95 = times[times.len() * 95 / 100];
    (1e3 * mean.as_secs_f64(), 1e3 * p95.as_secs_f64())
}

fn landmark_distance(a: &Person, b: &Person) -> f32 {
    let distance = |p: rapport_perception::geometry::Point,
                    q: rapport_perception::geometry::Point| {
        (p.x - q.x).hypot(p.y - q.y)
    };
    let pairs = a.face.landmarks.iter().zip(&b.face.landmarks);
    let mean = pairs.map(|(p, q)| distance(*p, *q)).sum::<f32>() / 5.0;
    mean / distance(a.face.landmarks[0], a.face.landmarks[1])
}

/// A sensor's noise, the same in every run.
fn noisy(mut image: RgbImage, number: usize) -> RgbImage {
    let mut state = 0x9E37_79B9_7F4A_7C15u64 ^ (number as u64 + 1);
    for Rgb(pixel) in image.pixels_mut() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        for (value, bits) in pixel.iter_mut().zip([state, state >> 16, state >> 32]) {
            *value = value.saturating_add_signed((bits % 9) as i8 - 4);
        }
    }
    image
}

fn portrait(name: &str, [x, y, side]: [u32; 3]) -> RgbImage {
    imageops::crop_imm(&picture(name), x, y, side, side).to_image()
}

fn astronaut() -> RgbImage {
    portrait("astronaut.jpg", [110, 0, 230])
}

fn hopper() -> RgbImage {
    portrait("hopper.jpg", [90, 30, 360])
}

fn scaled(image: &RgbImage, width: u32, height: u32) -> RgbImage {
    imageops::resize(image, width, height, FilterType::Triangle)
}

fn room(width: u32, height: u32) -> RgbImage {
    scaled(&picture("coffee.jpg"), width, height)
}

/// A person crosses the image at two face widths a second, swaying.
fn passes_by() -> Sequence {
    let (room, person) = (room(640, 480), scaled(&astronaut(), 200, 200));
    let image = move |i: usize| {
        let mut image = room.clone();
        let secs = i as f32 / IMAGES_PER_SEC;
        let x = -160.0 + 180.0 * secs;
        let y = 130.0 + 25.0 * (5.0 * secs).sin();
        paste(&mut image, &person, x as i64, y as i64);
        image
    };
    Sequence { name: "passes by", images: 130, image: Box::new(image) }
}

/// A person comes near, from 40 px to 200 px, and goes back.
fn comes_near() -> Sequence {
    let (room, person) = (room(640, 480), hopper());
    let image = move |i: usize| {
        let mut image = room.clone();
        let phase = (i as f32 / 180.0 * std::f32::consts::TAU).cos();
        let side = (240.0 - 170.0 * phase) as u32;
        let x = 320 - i64::from(side / 2);
        paste(&mut image, &scaled(&person, side, side), x, 240 - i64::from(side / 2));
        image
    };
    Sequence { name: "comes near and leaves", images: 180, image: Box::new(image) }
}

/// A head that turns away and back: its picture is squeezed to a half.
fn turns() -> Sequence {
    let (room, person) = (room(640, 480), astronaut());
    let image = move |i: usize| {
        let mut image = room.clone();
        let share = 0.75 + 0.25 * (i as f32 / 90.0 * std::f32::consts::TAU).cos();
        let width = (220.0 * share) as u32;
        paste(&mut image, &scaled(&person, width, 220), 320 - i64::from(width / 2), 120);
        image
    };
    Sequence { name: "turns away and back", images: 180, image: Box::new(image) }
}

fn ten_people() -> Sequence {
    crowd("ten people", 5, 2, 124)
}

fn thirty_people() -> Sequence {
    crowd("thirty people", 6, 5, 92)
}

/// So many columns and rows of people who sway.
fn crowd(name: &'static str, columns: usize, rows: usize, side: u32) -> Sequence {
    let room = room(640, 480);
    let people = [scaled(&astronaut(), side, side), scaled(&hopper(), side, side)];
    let (across, down) = (640 / columns, (480 - 40) / rows);
    let image = move |i: usize| {
        let mut image = room.clone();
        for person in 0..columns * rows {
            let (column, row) = (person % columns, person / columns);
            let sway = 0.06 * side as f32 * (i as f32 / 9.0 + person as f32).sin();
            let x = (across * column) as i64 + 2 + sway as i64;
            paste(&mut image, &people[person % 2], x, (down * row) as i64 + 20);
        }
        image
    };
    Sequence { name, images: 120, image: Box::new(image) }
}

/// A robot's head turns past a group that stands still, and back.
fn camera_pans() -> Sequence {
    let group = picture("solvay_1927.jpg");
    let (width, height) = group.dimensions();
    let image = move |i: usize| {
        let phase = 0.5 - 0.5 * (i as f32 / 240.0 * std::f32::consts::TAU).cos();
        let view_width = (height * 4 / 3).min(width / 2);
        let x = ((width - view_width) as f32 * phase) as u32;
        let view = imageops::crop_imm(&group, x, 0, view_width, height).to_image();
        scaled(&view, 640, 480)
    };
    Sequence { name: "camera pans over a group", images: 240, image: Box::new(image) }
}

/// A cut every second between two people in two places.
fn cuts() -> Sequence {
    let room = room(640, 480);
    let dark = RgbImage::from_fn(640, 480, |x, y| Rgb([(x / 8) as u8, (y / 8) as u8, 60]));
    let people = [scaled(&astronaut(), 200, 200), scaled(&hopper(), 200, 200)];
    let image = move |i: usize| {
        let second = i / 30 % 2;
        let mut image = if second == 0 { room.clone() } else { dark.clone() };
        paste(&mut image, &people[second], [60, 380][second], 120);
        image
    };
    Sequence { name: "cuts", images: 150, image: Box::new(image) }
}

/// One person who sways, at 1920x1080.
fn still_people_large() -> Sequence {
    let (room, person) = (room(1920, 1080), scaled(&astronaut(), 520, 520));
    let image = move |i: usize| {
        let mut image = room.clone();
        let sway = 20.0 * (i as f32 / 12.0).sin();
        paste(&mut image, &person, 640 + sway as i64, 270);
        image
    };
    Sequence { name: "one person, 1920x1080", images: 90, image: Box::new(image) }
}
