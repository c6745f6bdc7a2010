//! A recording that was made before the emotion message was laid out anew is evaluated and
//! annotated still, and what is different in it is told.
//!
//! `tests/recordings/before_labels_once.mcap`: five JPEG images of a face on
//! `/camera/image_raw/compressed`, and what `rapport record` of version 0.1.0 added on `/emotions`
//! while `labels` stood in each face.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::path::PathBuf;

use clap::Parser;
use rapport::commands::evaluate::{self, EvaluateArgs};
use rapport::commands::record::{self, RecordArgs};
use rapport_recording::bag::{Bag, Topic};
use rapport_recording::message::{Definition, EmotionsMessage};
use rapport_test_support::in_repository;

#[derive(Parser)]
struct Record {
    #[command(flatten)]
    args: RecordArgs,
}

#[derive(Parser)]
struct Evaluate {
    #[command(flatten)]
    args: EvaluateArgs,
}

fn recording() -> PathBuf {
    in_repository("tests/recordings/before_labels_once.mcap")
}

fn topic<'a>(bag: &'a Bag, name: &str) -> &'a Topic {
    bag.topics().iter().find(|topic| topic.name == name).unwrap()
}

fn messages(bag: &Bag, name: &str) -> Vec<Vec<u8>> {
    bag.messages_on(|topic| topic.name == name).map(|message| message.unwrap().data).collect()
}

#[test]
fn what_is_different_is_named_and_nothing_is_misread() {
    let bag = Bag::open(recording()).unwrap();
    let differences =
        Definition::EMOTIONS.differences(&topic(&bag, "/emotions").recorded.definition);
    assert_eq!(
        differences,
        [
            "rapport/FaceEmotionArray: recorded without labels, affect_source, model, model_sha256",
            "rapport/FaceEmotion: recorded with labels, affect_source, which the installed type \
             does not have; recorded without landmarks, pose, distance_std_m, first_seen, \
             engagement, distribution_age",
        ]
    );
    let emotions = messages(&bag, "/emotions");
    assert_eq!(emotions.len(), 5);
    assert!(emotions.iter().all(|cdr| EmotionsMessage::read(cdr).is_err()));
}

#[test]
fn it_is_evaluated() {
    let temp = tempfile::tempdir().unwrap();
    let out = temp.path().join("report");
    let arguments =
        ["rapport", recording().to_str().unwrap(), "-o", out.to_str().unwrap()].map(str::to_owned);
    assert_eq!(evaluate::run(&Evaluate::parse_from(arguments).args).unwrap(), 0);
    let frames = std::fs::read_to_string(out.join("frames.csv")).unwrap();
    assert!(frames.lines().count() > 3, "{frames}");
}

#[test]
fn it_is_annotated_again_beside_what_it_has() {
    let temp = tempfile::tempdir().unwrap();
    let copy = temp.path().join("copy.mcap");
    let old = recording();
    let arguments = ["rapport", old.to_str().unwrap(), copy.to_str().unwrap()];
    let named = arguments.into_iter().chain(["--emotions-topic", "/emotions_now"]);
    assert_eq!(record::run(&Record::parse_from(named).args).unwrap(), 0);
    let (before, bag) = (Bag::open(recording()).unwrap(), Bag::open(&copy).unwrap());
    let (old, new) = (topic(&bag, "/emotions"), topic(&bag, "/emotions_now"));
    assert_eq!(old.recorded.definition, topic(&before, "/emotions").recorded.definition);
    assert!(messages(&bag, "/emotions") == messages(&before, "/emotions"));
    assert_eq!(Definition::EMOTIONS.differences(&new.recorded.definition), [""; 0]);

    let cdr = messages(&bag, "/emotions_now");
    let last = EmotionsMessage::read(cdr.last().unwrap()).unwrap();
    let [face] = &last.faces[..] else { panic!("{last:?}") };
    assert_eq!(last.labels.len(), face.probabilities.len());
    assert!(last.labels.contains(&face.label) && last.model == "emotion");
    let (x, y, width, height) = face.roi_px;
    let is_inside = |[px, py]: [f32; 2]| {
        (x as f32..(x + width) as f32).contains(&px)
            && (y as f32..(y + height) as f32).contains(&py)
    };
    assert!(face.landmarks_px.into_iter().all(is_inside), "{face:?}");
    assert!(face.distance_std_m.is_nan() && face.pose.position_m.iter().all(|m| m.is_nan()));
    assert_eq!(face.distribution_age_secs, 0.0);
    assert!(face.first_seen.0 > 0, "{face:?}");
}
