//! `--jobs`: the same files, however many work beside one another.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod common;

use std::fmt::Write;
use std::fs;
use std::path::Path;

use common::outcome;
use image::RgbImage;
use rapport_evaluation::shards::{ManyOptions, Shard, evaluate_many};
use rapport_evaluation::{EvaluateOptions, Silent};
use rapport_test_support::bags::{
    BagWriter, COMPRESSED_IMAGE, IMAGE, STRING, compressed_cdr, image_cdr, string_cdr,
};
use rapport_test_support::{in_repository, picture};

/// Everything that an evaluation wrote but times and provenance, and the faces that it shows.
fn written(out: &Path, arguments: &[&str], jobs: &str) -> (String, String, Vec<String>) {
    let arguments = [arguments, &["--include-faces", "--jobs", jobs]].concat();
    let (outcome, mut report) = outcome(out, &arguments).unwrap();
    let timing = report["timing"].clone();
    assert_eq!(timing["jobs"].to_string(), jobs);
    let waiting = timing["waiting_share"].as_f64().unwrap();
    assert!((0.0..=1.0).contains(&waiting), "{waiting}");
    for key in ["timing", "provenance"] {
        assert!(report.as_object_mut().unwrap().remove(key).is_some());
    }
    let page = fs::read_to_string(&outcome.report_html).unwrap();
    let faces = page.split('"').filter(|text| text.starts_with("data:image")).map(str::to_owned);
    let rows = fs::read_to_string(&outcome.frames_csv).unwrap();
    (serde_json::to_string(&report).unwrap(), rows, faces.collect())
}

/// What is written is the same for one, two and five jobs. It has so many rows and faces.
fn is_the_same(arguments: &[&str], rows: usize, faces: usize) {
    let temp = tempfile::tempdir().unwrap();
    let one = written(temp.path(), arguments, "1");
    assert_eq!((one.1.lines().count() - 1, one.2.len()), (rows, faces), "{}", one.0);
    for jobs in ["2", "5"] {
        assert_eq!(written(temp.path(), arguments, jobs), one, "{jobs} jobs");
    }
}

fn model(name: &str) -> String {
    in_repository("models").join(name).to_str().unwrap().to_owned()
}

#[test]
fn pictures_are_judged_the_same_by_several_jobs() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("sad");
    fs::create_dir_all(&folder).unwrap();
    // Large and small, with and without faces, whole and not: none takes as long as another.
    let names = ["astronaut.jpg", "astronaut_face_60px.png", "hopper.jpg", "rocket.jpg"];
    for (index, name) in names.iter().cycle().take(12).enumerate() {
        let data = fs::read(in_repository("tests/pictures").join(name)).unwrap();
        let data = if index % 5 == 4 { &data[..data.len() / 3] } else { &data };
        fs::write(folder.join(format!("{index:02}_{name}")), data).unwrap();
    }
    let fer2013 = model("fer2013.onnx");
    is_the_same(
        &[temp.path().to_str().unwrap(), "--model", &model("emotion.onnx"), "--model", &fer2013],
        20,
        14,
    );
}

#[test]
fn rows_of_a_file_are_judged_the_same_by_several_jobs() {
    let temp = tempfile::tempdir().unwrap();
    let csv = temp.path().join("fer2013.csv");
    let mut text = "emotion,pixels,Usage\n".to_owned();
    for row in 0..40 {
        let pixels: Vec<_> = (0..2304).map(|i| ((i * (row + 3)) % 251).to_string()).collect();
        let emotion = if row == 17 { "9".to_owned() } else { (row % 7).to_string() };
        writeln!(text, "{emotion},{},PublicTest", pixels.join(" ")).unwrap();
    }
    fs::write(&csv, text).unwrap();
    is_the_same(&[csv.to_str().unwrap()], 39, 24);
}

/// Forty images, 100 ms apart: a face that moves, one that is damaged, and from image 30 on nobody;
/// with a topic of labels.
fn recording(path: &Path, compressed: bool) {
    let (smile, nobody) = (picture("astronaut_face_60px.png"), picture("rocket.jpg"));
    let mut bag = BagWriter::new();
    for index in 0..40u64 {
        let ms = index * 100;
        if index.is_multiple_of(10) {
            bag.add("/label", STRING, ms, &string_cdr(if index < 20 { "happy" } else { "sad" }));
        }
        let shown = moved(if index < 30 { &smile } else { &nobody }, index as u32 % 7);
        if compressed {
            let mut png = Vec::new();
            let mut writer = std::io::Cursor::new(&mut png);
            shown.write_to(&mut writer, image::ImageFormat::Png).unwrap();
            let data = if index == 12 { &png[..100] } else { &png };
            bag.add("/camera", COMPRESSED_IMAGE, ms, &compressed_cdr("png", data, ms));
        } else {
            let cdr = image_cdr(&shown, ms);
            let data = if index == 12 { &cdr[..100] } else { &cdr };
            bag.add("/camera", IMAGE, ms, data);
        }
    }
    bag.save(path);
}

fn moved(picture: &RgbImage, by_px: u32) -> RgbImage {
    let (width, height) = picture.dimensions();
    RgbImage::from_fn(width, height, |x, y| *picture.get_pixel((x + by_px) % width, y))
}

#[test]
fn a_recording_is_judged_the_same_by_several_jobs() {
    let temp = tempfile::tempdir().unwrap();
    let [emotion, fer2013] = ["emotion.onnx", "fer2013.onnx"].map(model);
    for (name, compressed) in [("raw.mcap", false), ("compressed.mcap", true)] {
        let bag = temp.path().join(name);
        recording(&bag, compressed);
        let common = [bag.to_str().unwrap(), "--label-topic", "/label"];
        let two = [&common[..], &["--model", &emotion, "--model", &fer2013]].concat();
        // Followed, and every image searched; one model, and two.
        let every_image = ["--search-hz", "0"];
        if compressed {
            is_the_same(&two, 78, 2);
            is_the_same(&[&common[..], &every_image].concat(), 39, 1);
        } else {
            is_the_same(&common, 39, 1);
            is_the_same(&[&two[..], &every_image].concat(), 78, 2);
        }
    }
}

#[test]
fn recordings_are_judged_the_same_by_several_jobs() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("corridor");
    fs::create_dir(&folder).unwrap();
    for (name, compressed) in [("a", true), ("c", false), ("d", true)] {
        recording(&folder.join(name).with_extension("mcap"), compressed);
    }
    fs::write(folder.join("b.mcap"), "no recording").unwrap();
    let run = |jobs: &str| {
        let output = temp.path().join(jobs);
        let mut evaluate = EvaluateOptions::new("", &output);
        evaluate.label_topic = Some("/label".to_owned());
        evaluate.jobs = jobs.parse().unwrap();
        let sources = vec![folder.clone()];
        let options = ManyOptions { sources, evaluate, shard: Shard::WHOLE, resume: false };
        let outcome = evaluate_many(&options, &mut Silent).unwrap();
        assert_eq!((outcome.evaluated, outcome.recordings), (3, 4));
        let text = fs::read(outcome.report.unwrap().report_json).unwrap();
        let mut report: serde_json::Value = serde_json::from_slice(&text).unwrap();
        for key in ["timing", "provenance"] {
            assert!(report.as_object_mut().unwrap().remove(key).is_some());
        }
        let rows = |name: &str| {
            fs::read_to_string(output.join("recordings").join(name).join("frames.csv")).unwrap()
        };
        (outcome.failed, report, ["a.mcap", "c.mcap", "d.mcap"].map(rows))
    };
    let one = run("1");
    assert_eq!(one.0.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["b.mcap"]);
    assert!(one.2.iter().all(|rows| rows.lines().count() == 40));
    for jobs in ["2", "9"] {
        assert_eq!(run(jobs), one, "{jobs} jobs");
    }
}
