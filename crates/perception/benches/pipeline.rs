//! What a frame costs, and where the time goes: the figures of the README, as ratios of medians
//! that were measured in turn in one run. `cargo bench --bench pipeline`, on an idle machine.
#![allow(clippy::unwrap_used, missing_docs)]

use std::time::{Duration, Instant};

use image::RgbImage;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};
use rapport_perception::annotate::annotate;
use rapport_perception::frame::{Decoder, Encoding};
use rapport_perception::track::TrackOptions;
use rapport_perception::{RateOptions, Session, SessionOptions, Timings};
use rapport_test_support::{encode, paste, picture, session};
use rapport_vocabulary::ImageStamp;

/// All scenes have this many turns, one after the other.
const ROUNDS: usize = 12;

/// Before the clock counts: the processor's pace.
const WARM_UP_ROUNDS: usize = 1;

/// Frames of a scene in one turn. A camera keeps its size: what a change of it costs, in the first
/// frames, is left out.
const FRAMES: usize = 10;
const FIRST_FRAMES: usize = 2;

/// Two faces and their surroundings, (x, y, side) in pixels of the photographs.
const ASTRONAUT: (&str, [u32; 3]) = ("astronaut.jpg", [110, 0, 230]);
const HOPPER: (&str, [u32; 3]) = ("hopper.jpg", [90, 30, 360]);

fn portrait((name, [x, y, side]): (&str, [u32; 3]), side_px: u32) -> RgbImage {
    let cut = imageops::crop_imm(&picture(name), x, y, side, side).to_image();
    imageops::resize(&cut, side_px, side_px, FilterType::Triangle)
}

fn room(width: u32, height: u32) -> RgbImage {
    let wall = picture("coffee.jpg");
    imageops::resize(&wall, width, height, FilterType::Triangle)
}

/// One face, about 120 px tall in 640x480 and as large a part of other sizes.
fn one_face(width: u32, height: u32) -> RgbImage {
    let mut room = room(width, height);
    let side = height / 2;
    paste(&mut room, &portrait(ASTRONAUT, side), i64::from(width / 3), i64::from(height / 4));
    room
}

/// Ten faces, about 60 px tall each.
fn ten_faces() -> RgbImage {
    let mut room = room(640, 480);
    let people = [portrait(ASTRONAUT, 124), portrait(HOPPER, 124)];
    for i in 0..10 {
        let (column, row) = (i % 5, i / 5);
        paste(&mut room, &people[i % 2], 128 * column as i64 + 2, 200 * row as i64 + 40);
    }
    room
}

fn jpeg(picture: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 90).encode_image(picture).unwrap();
    bytes
}

/// People found, time spent decoding, and where the rest went.
type Work = (usize, Duration, Timings);

/// Something that costs time, and what it was made up of.
struct Scene<'s> {
    name: String,
    faces: usize,
    work: Box<dyn FnMut(&mut Session) -> Work + 's>,
    totals: Vec<Duration>,
    timings: Vec<Timings>,
}

impl<'s> Scene<'s> {
    fn of_pixels(name: &str, faces: usize, image: &'s rapport_test_support::Encoded) -> Self {
        Self::new(name, faces, move |session| {
            let start = Instant::now();
            let seen = session.process(&image.frame(), ImageStamp::at(Duration::ZERO)).unwrap();
            (seen.people.len(), start.elapsed(), seen.timings)
        })
    }

    fn of_jpeg(name: &str, faces: usize, bytes: &'s [u8]) -> Self {
        let mut decoder = Decoder::default();
        Self::new(name, faces, move |session| {
            let start = Instant::now();
            let frame = decoder.decode("jpeg", bytes).unwrap();
            let seen = session.process(&frame, ImageStamp::at(Duration::ZERO)).unwrap();
            (seen.people.len(), start.elapsed(), seen.timings)
        })
    }

    fn new(
        name: &str,
        faces: usize,
        work: impl FnMut(&mut Session) -> (usize, Duration, Timings) + 's,
    ) -> Self {
        let work = Box::new(work);
        Self { name: name.to_owned(), faces, work, totals: Vec::new(), timings: Vec::new() }
    }

    fn run(&mut self, session: &mut Session, counts: bool) {
        session.reset();
        for frame in 0..FIRST_FRAMES + FRAMES {
            let (faces, total, timings) = (self.work)(session);
            assert_eq!(faces, self.faces, "faces found in `{}`", self.name);
            if counts && frame >= FIRST_FRAMES {
                self.totals.push(total);
                self.timings.push(timings);
            }
        }
    }

    fn total_ms(&self) -> f64 {
        median_ms(self.totals.iter().copied())
    }

    fn part_ms(&self, part: impl Fn(&Timings) -> Duration) -> f64 {
        median_ms(self.timings.iter().map(part))
    }

    /// Median over the frames of the time outside ONNX Runtime.
    fn outside_ms(&self) -> f64 {
        let outside = self.totals.iter().zip(&self.timings).map(|(total, t)| *total - t.inference);
        median_ms(outside)
    }
}

fn median_ms(times: impl Iterator<Item = Duration>) -> f64 {
    let mut times: Vec<Duration> = times.collect();
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1e3
}

fn main() {
    let track = TrackOptions { confirm_hits: 1, ..TrackOptions::default() };
    let mut session = session(SessionOptions {
        track,
        rates: RateOptions::EVERY_IMAGE,
        ..SessionOptions::default()
    });

    let vga = one_face(640, 480);
    let crowd = encode(&ten_faces(), Encoding::Rgb8, 0);
    let wide = one_face(1920, 1080);
    let large = one_face(1440, 1080);
    let encoded: Vec<_> =
        Encoding::ALL.into_iter().map(|encoding| (encoding, encode(&vga, encoding, 0))).collect();
    let [wide_rgb, large_rgb] = [&wide, &large].map(|image| encode(image, Encoding::Rgb8, 0));
    let wide_nv12 = encode(&wide, Encoding::Nv12, 0);
    let [vga_jpeg, wide_jpeg] = [&vga, &wide].map(jpeg);

    let mut scenes = vec![
        Scene::of_pixels("1 face, 640x480", 1, &encoded[0].1),
        Scene::of_pixels("10 faces, 640x480", 10, &crowd),
        Scene::of_pixels("1 face, 1920x1080", 1, &wide_rgb),
        Scene::of_pixels("1 face, 1440x1080", 1, &large_rgb),
        Scene::of_pixels("1 face, 1920x1080, nv12", 1, &wide_nv12),
        Scene::of_jpeg("1 face, 640x480, JPEG", 1, &vga_jpeg),
        Scene::of_jpeg("1 face, 1920x1080, JPEG", 1, &wide_jpeg),
    ];
    scenes.extend(encoded.iter().skip(1).map(|(encoding, image)| {
        Scene::of_pixels(&format!("1 face, 640x480, {encoding:?}"), 1, image)
    }));
    for round in 0..WARM_UP_ROUNDS + ROUNDS {
        for scene in &mut scenes {
            scene.run(&mut session, round >= WARM_UP_ROUNDS);
        }
    }

    let runtime = rapport_perception::onnx::runtime_version().unwrap_or_default();
    println!(
        "{}; ONNX Runtime {runtime}, one thread; medians of {} frames",
        processor(),
        ROUNDS * FRAMES
    );
    println!(
        "{:<34} {:>8} {:>8} {:>8} {:>7} {:>7} {:>7} {:>7} {:>8}",
        "", "ms", "outside", "share", "detect", "verify", "crop", "classify", "ratio"
    );
    let first = scenes[0].total_ms();
    for scene in &scenes {
        println!(
            "{:<34} {:>8.2} {:>8.2} {:>6.1} % {:>7.2} {:>7.2} {:>7.2} {:>7.2} {:>7.2}x",
            scene.name,
            scene.total_ms(),
            scene.outside_ms(),
            100.0 * scene.outside_ms() / scene.total_ms(),
            scene.part_ms(|t| t.detect),
            scene.part_ms(|t| t.verify),
            scene.part_ms(|t| t.crop),
            scene.part_ms(|t| t.classify),
            scene.total_ms() / first,
        );
    }
    println!("outside: of ONNX Runtime, JPEG decoding included; ratio: to the first line");
    drawing(&wide);
}

/// What an annotated image costs beside all that, for each encoding.
fn drawing(wide: &RgbImage) {
    let images: Vec<_> =
        Encoding::ALL.into_iter().map(|encoding| (encoding, encode(wide, encoding, 0))).collect();
    let mut times = vec![Vec::new(); images.len()];
    for _ in 0..ROUNDS {
        for ((_, image), times) in images.iter().zip(&mut times) {
            let start = Instant::now();
            assert!(!annotate(&image.frame(), &[]).is_empty());
            times.push(start.elapsed());
        }
    }
    println!("\nannotated_image of 1920x1080, {ROUNDS} each");
    let first = median_ms(times[0].iter().copied());
    for ((encoding, _), times) in images.iter().zip(times) {
        let ms = median_ms(times.into_iter());
        println!("{:<34} {ms:>8.2} ms {:>7.2}x", format!("{encoding:?}"), ms / first);
    }
}

/// The processor's name, as Linux has it.
fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    name.map_or("unknown processor", |(_, name)| name).to_owned()
}
