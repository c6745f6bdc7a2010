//! `rapport record` copies a recording and adds what the people in it show.
#![allow(clippy::unwrap_used, missing_docs)]

use std::path::Path;
use std::time::Duration;

use clap::Parser;
use rapport::commands::emotions::emotions_cdr;
use rapport::commands::record::{self, RecordArgs};
use rapport_perception::SessionOptions;
use rapport_recording::bag::{Bag, Message};
use rapport_recording::message::{CompressedImageMessage, Header};
use rapport_test_support::bags::{BagWriter, IMAGE, START_NS, STRING, image_cdr, string_cdr};
use rapport_test_support::{frame, picture, session};
use rapport_vocabulary::ImageStamp;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    args: RecordArgs,
}

fn record(bag: &Path, out: &Path, options: &[&str]) -> anyhow::Result<u8> {
    let paths = ["rapport", bag.to_str().unwrap(), out.to_str().unwrap()];
    record::run(&Cli::parse_from(paths.into_iter().chain(options.iter().copied())).args)
}

fn write_bag(path: &Path) {
    let mut bag = BagWriter::new();
    for index in 0..4 {
        let cdr = image_cdr(&picture("astronaut_face_60px.png"), index * 100);
        bag.add("/camera/image_raw", IMAGE, index * 100 + 5, &cdr);
        bag.add("/chatter", STRING, index * 100 + 7, &string_cdr(&format!("message {index}")));
    }
    bag.save(path);
}

fn on(path: &Path, topic: &str) -> Vec<(i64, Vec<u8>)> {
    let bag = Bag::open(path).unwrap();
    let messages = bag.messages_on(|found| found.name == topic);
    messages.map(Result::unwrap).map(|m: Message| (m.log_time_ns, m.data)).collect()
}

fn sent_at(path: &Path, topic: &str) -> Vec<i64> {
    let bag = Bag::open(path).unwrap();
    let messages = bag.messages_on(|found| found.name == topic);
    messages.map(|message| message.unwrap().publish_time_ns).collect()
}

#[test]
fn the_copy_has_every_message_and_the_answers_of_the_pipeline() {
    let temp = tempfile::tempdir().unwrap();
    let (bag, copy) = (temp.path().join("bag.mcap"), temp.path().join("copy"));
    write_bag(&bag);
    assert_eq!(record(&bag, &copy, &["--annotated"]).unwrap(), 0);
    for topic in ["/camera/image_raw", "/chatter"] {
        let original = on(&bag, topic);
        assert_eq!(original.len(), 4);
        assert!(on(&copy, topic) == original, "{topic} differs");
        let sent: Vec<i64> = original.iter().map(|(time_ns, _)| time_ns - 2_000_000).collect();
        assert_eq!(sent_at(&copy, topic), sent);
    }
    let emotions = on(&copy, "/emotions");
    let mut session = session(SessionOptions::default());
    let picture = picture("astronaut_face_60px.png");
    for (index, (time_ns, cdr)) in emotions.iter().enumerate() {
        let ns = START_NS + index as u64 * 100_000_000;
        let people = session
            .process(&frame(&picture), ImageStamp::at(Duration::from_nanos(ns)))
            .unwrap()
            .people;
        let header = Header {
            stamp_secs: (ns / 1_000_000_000) as i32,
            stamp_nanosecs: (ns % 1_000_000_000) as u32,
            frame_id: "camera",
        };
        let (width, height) = picture.dimensions();
        let networks = session.networks();
        assert_eq!(*cdr, emotions_cdr(&header, width, height, &people, networks), "image {index}");
        assert_eq!(*time_ns, ns as i64 + 5_000_000);
    }
    let annotated = on(&copy, "/annotated_image/compressed");
    assert_eq!((emotions.len(), annotated.len()), (4, 4));
    let message = CompressedImageMessage::read(&annotated[2].1).unwrap();
    assert_eq!(message.header.stamp(), Some(Duration::from_nanos(START_NS + 200_000_000)));
    let shown = image::load_from_memory(message.data).unwrap();
    assert_eq!((shown.width(), shown.height()), picture.dimensions());

    let opened = Bag::open(&copy).unwrap();
    let counts: Vec<_> =
        opened.topics().iter().map(|t| (t.name.as_str(), t.message_count)).collect();
    assert_eq!(counts.len(), 4);
    assert!(counts.iter().all(|(_, count)| *count == Some(4)), "{counts:?}");
    let emotions = opened.topics().iter().find(|topic| topic.name == "/emotions").unwrap();
    assert_eq!(emotions.type_name, "rapport/msg/FaceEmotionArray");
    assert!(emotions.recorded.definition.contains("MSG: rapport/FaceEmotion\n"));
    assert!(emotions.recorded.type_hash.starts_with("RIHS01_"));
}

#[test]
fn nothing_is_overwritten_and_no_topic_is_mixed_with_another() {
    let temp = tempfile::tempdir().unwrap();
    let (bag, copy) = (temp.path().join("bag.mcap"), temp.path().join("copy.mcap"));
    write_bag(&bag);
    assert_eq!(record(&bag, &copy, &[]).unwrap(), 0);
    assert!(copy.is_file() && on(&copy, "/annotated_image/compressed").is_empty());
    let error = record(&bag, &copy, &[]).unwrap_err().to_string();
    assert!(error.contains("copy.mcap: not written"), "{error}");
    let error = record(&copy, &temp.path().join("again"), &[]).unwrap_err().to_string();
    assert!(error.contains("has a topic /emotions already"), "{error}");
    assert!(!temp.path().join("again").exists());
    let named = ["--emotions-topic", "/later"];
    assert_eq!(record(&copy, &temp.path().join("again"), &named).unwrap(), 0);
    assert_eq!(on(&temp.path().join("again"), "/later"), on(&copy, "/emotions"));
}

#[test]
fn a_cut_recording_is_copied_up_to_the_cut() {
    let temp = tempfile::tempdir().unwrap();
    let (bag, copy) = (temp.path().join("bag.mcap"), temp.path().join("copy"));
    write_bag(&bag);
    let whole = std::fs::read(&bag).unwrap();
    std::fs::write(&bag, &whole[..whole.len() / 2]).unwrap();
    assert_eq!(record(&bag, &copy, &[]).unwrap(), 3);
    assert_eq!(on(&copy, "/emotions").len(), on(&copy, "/camera/image_raw").len());
}
