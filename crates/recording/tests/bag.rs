//! Any rosbag2 recording is read in order, unchanged, and as far as it is whole.

#![allow(clippy::unwrap_used, clippy::panic)]
use std::fs;
use std::io::Write;
use std::path::Path;

use mcap::{Compression, WriteOptions};
use proptest::prelude::*;
use rapport_recording::bag::{
    Bag, BagError, BagWarning, Durability, History, Message, Reliability,
};
use rapport_test_bags::{About, BagWriter, Db3Writer};
use rusqlite::Connection;

const CHATTER: (&str, &str) = ("/chatter", "std_msgs/msg/String");
const IMAGE: (&str, &str) = ("/camera/image_raw", "sensor_msgs/msg/Image");
const QOS_NAMES: &str = "- history: keep_last\n  depth: 5\n  reliability: best_effort\n  durability: volatile\n  deadline:\n    sec: 9223372036\n    nsec: 854775807\n  lifespan:\n    sec: 9223372036\n    nsec: 854775807\n  liveliness: automatic\n  liveliness_lease_duration:\n    sec: 9223372036\n    nsec: 854775807\n  avoid_ros_namespace_conventions: false";
const QOS_NUMBERS: &str = "- history: 3\n  depth: 0\n  reliability: 1\n  durability: 1\n  deadline:\n    sec: 9223372036\n    nsec: 854775807\n  lifespan:\n    sec: 9223372036\n    nsec: 854775807\n  liveliness: 1\n  liveliness_lease_duration:\n    sec: 9223372036\n    nsec: 854775807\n  avoid_ros_namespace_conventions: false";
const START_NS: i64 = 1_700_000_000_000_000_000;

/// Message `number`: every third a picture of 5,000 bytes, the others a few, 10 ms apart.
fn sample(number: u64) -> ((&'static str, &'static str), i64, Vec<u8>) {
    let topic = if number.is_multiple_of(3) { IMAGE } else { CHATTER };
    let length = if topic == IMAGE { 5_000 } else { 20 + number % 7 };
    let mut data = vec![0, 1, 0, 0];
    data.extend((0..length).map(|i| (i * 31 + number * 17 + i * i / 64) as u8));
    (topic, START_NS + number as i64 * 10_000_000, data)
}

fn samples(count: u64) -> Vec<((&'static str, &'static str), i64, Vec<u8>)> {
    (0..count).map(sample).collect()
}

fn mcap_bytes(options: WriteOptions, numbers: impl Iterator<Item = u64>) -> Vec<u8> {
    let mut writer = BagWriter::with_options(options);
    let about = About { definition: "string data", offered_qos: QOS_NAMES, ..About::default() };
    for number in numbers {
        let ((topic, type_name), time, data) = sample(number);
        writer.declare(topic, type_name, about);
        writer.add_at(topic, type_name, time as u64, time as u64, &data);
    }
    writer.bytes()
}

fn write_mcap(path: &Path, options: WriteOptions, numbers: impl Iterator<Item = u64>) {
    fs::write(path, mcap_bytes(options, numbers)).unwrap();
}

fn small_chunks(compression: Option<Compression>) -> WriteOptions {
    WriteOptions::new().compression(compression).chunk_size(Some(16_384))
}

fn write_db3(path: &Path, numbers: impl Iterator<Item = u64>) {
    let mut writer = Db3Writer::create(path);
    let about = About { offered_qos: QOS_NUMBERS, ..About::default() };
    let ids = [CHATTER, IMAGE].map(|(name, type_name)| writer.declare(name, type_name, about));
    for number in numbers {
        let (topic, time, data) = sample(number);
        writer.add_at(ids[usize::from(topic == IMAGE)], time, &data);
    }
    writer.finish();
}

fn read(bag: &Bag) -> (Vec<Message>, Vec<BagWarning>) {
    let mut warnings = Vec::new();
    let messages = bag
        .messages()
        .filter_map(|message| message.map_err(|warning| warnings.push(warning)).ok())
        .collect();
    (messages, warnings)
}

/// Opens the recording and asserts that it holds just these samples, in order.
fn assert_holds(path: &Path, expected: &[((&str, &str), i64, Vec<u8>)]) -> Bag {
    let bag = Bag::open(path).unwrap();
    let (messages, warnings) = read(&bag);
    assert_eq!(warnings, []);
    assert_samples(&bag, &messages, expected);
    bag
}

fn assert_samples(bag: &Bag, messages: &[Message], expected: &[((&str, &str), i64, Vec<u8>)]) {
    assert_eq!(messages.len(), expected.len());
    for (message, (topic, time, data)) in messages.iter().zip(expected) {
        let found = &bag.topics()[message.topic];
        assert_eq!((found.name.as_str(), found.type_name.as_str()), *topic);
        assert_eq!(message.log_time_ns, *time);
        assert!(message.data == *data, "the bytes of a message differ");
    }
}

#[test]
fn mcap_is_read_whatever_its_compression() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bag.mcap");
    let unchunked = WriteOptions::new().use_chunks(false);
    let no_summary = small_chunks(None)
        .emit_statistics(false)
        .repeat_channels(false)
        .emit_chunk_indexes(false)
        .emit_message_indexes(false);
    for options in [
        small_chunks(None),
        small_chunks(Some(Compression::Zstd)),
        small_chunks(Some(Compression::Lz4)),
        unchunked,
        no_summary,
    ] {
        write_mcap(&path, options, 0..100);
        let bag = assert_holds(&path, &samples(100));
        assert_eq!(bag.bounds_ns(), Some((START_NS, START_NS + 990_000_000)));
        let image = bag.topics().iter().find(|topic| topic.name == IMAGE.0).unwrap();
        assert_eq!(image.message_count, Some(34));
        let [qos] = image.offered_qos[..] else { panic!("one offer was recorded") };
        assert_eq!(qos.reliability, Reliability::BestEffort);
        assert_eq!((qos.history, qos.depth), (History::KeepLast, 5));
    }
}

#[test]
fn sqlite_is_read() {
    let directory = tempfile::tempdir().unwrap();
    // The characters are ones that sqlite3 would read as part of a URI.
    let path = directory.path().join("a?mode=rwc#100%.db3");
    write_db3(&path, 0..100);
    let bag = assert_holds(&path, &samples(100));
    assert_eq!(bag.bounds_ns(), Some((START_NS, START_NS + 990_000_000)));
    let [qos] = bag.topics()[0].offered_qos[..] else { panic!("one offer was recorded") };
    assert_eq!(qos.durability, Durability::TransientLocal);
    assert_eq!(bag.topics()[1].message_count, Some(34));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn sqlite_of_the_first_rosbag2_has_no_qos_and_no_index() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("old.db3");
    write_db3(&path, [2, 1, 0, 3].into_iter());
    let database = Connection::open(&path).unwrap();
    database
        .execute_batch(
            "ALTER TABLE topics DROP COLUMN offered_qos_profiles;
             ALTER TABLE topics DROP COLUMN type_description_hash; DROP INDEX timestamp_idx;",
        )
        .unwrap();
    database.close().unwrap();
    let bag = assert_holds(&path, &samples(4));
    assert!(bag.topics()[0].offered_qos.is_empty());
}

#[test]
fn sqlite_with_an_unmerged_log_is_read_whole() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("live.db3");
    write_db3(&path, 0..10);
    let recorder = Connection::open(&path).unwrap();
    recorder.pragma_update(None, "journal_mode", "wal").unwrap();
    let (_, time, data) = sample(10);
    recorder.execute("INSERT INTO messages VALUES (NULL, 1, ?1, ?2)", (time, data)).unwrap();
    assert_holds(&path, &samples(11));
}

fn metadata(version: u32, paths: &[&str], qos: &str, compression: &str) -> String {
    let files: String = paths.iter().map(|path| format!("    - {path}\n")).collect();
    let topic = |(name, type_name): (&str, &str), count: u32| {
        format!(
            "    - topic_metadata:\n        name: {name}\n        type: {type_name}\n        \
             serialization_format: cdr\n        offered_qos_profiles: {qos}\n      \
             message_count: {count}\n"
        )
    };
    format!(
        "rosbag2_bagfile_information:\n  version: {version}\n  storage_identifier: mcap\n  \
         duration:\n    nanoseconds: 990000000\n  starting_time:\n    nanoseconds_since_epoch: \
         {START_NS}\n  message_count: 100\n  topics_with_message_count:\n{}{}{}  \
         compression_format: \"{compression}\"\n  compression_mode: \"\"\n  \
         relative_file_paths:\n{files}",
        topic(CHATTER, 66),
        topic(IMAGE, 34),
        topic(("/silent", "std_msgs/msg/Empty"), 0),
    )
}

#[test]
fn a_directory_is_read_in_the_order_of_its_metadata() {
    let directory = tempfile::tempdir().unwrap();
    write_mcap(&directory.path().join("b_10.mcap"), small_chunks(None), 60..100);
    write_db3(&directory.path().join("b_9.db3"), 0..60);
    let listed = ["b_9.db3", "b_10.mcap"];
    let names = "\n          - history: unknown\n            depth: 0\n            \
                 reliability: reliable\n            durability: volatile";
    let numbers = "\"- history: 3\\n  depth: 0\\n  reliability: 1\\n  durability: 2\"";
    // Version 9 writes the offers as YAML, earlier ones as a text; "bag/" is what Dashing wrote.
    for (version, qos, paths) in
        [(9, names, listed), (4, numbers, ["bag/b_9.db3", "bag/b_10.mcap"]), (9, "[]", listed)]
    {
        let yaml = metadata(version, &paths, qos, "");
        fs::write(directory.path().join("metadata.yaml"), yaml).unwrap();
        let bag = assert_holds(directory.path(), &samples(100));
        let topics: Vec<_> =
            bag.topics().iter().map(|topic| (topic.name.as_str(), topic.message_count)).collect();
        assert_eq!(topics, [(CHATTER.0, Some(66)), (IMAGE.0, Some(34)), ("/silent", Some(0))]);
        assert_eq!(bag.topics()[2].offered_qos.len(), usize::from(qos != "[]"));
    }
}

#[test]
fn a_directory_without_metadata_is_read_in_order_of_time() {
    let directory = tempfile::tempdir().unwrap();
    write_mcap(&directory.path().join("b_10.mcap"), small_chunks(None), 60..100);
    write_mcap(&directory.path().join("b_9.mcap"), small_chunks(None), 0..60);
    let bag = assert_holds(directory.path(), &samples(100));
    assert!(matches!(bag.warnings(), [BagWarning::MetadataMissing { files: 2, .. }]));
    assert_eq!(bag.topics()[0].message_count, Some(34), "the counts of both files together");
}

#[test]
fn a_file_that_was_never_written_to_is_left_out_of_several() {
    let directory = tempfile::tempdir().unwrap();
    write_mcap(&directory.path().join("b_0.mcap"), small_chunks(None), 0..60);
    fs::write(directory.path().join("b_1.mcap"), b"").unwrap();
    for metadata in
        [Some(String::new()), None, Some(metadata(9, &["b_0.mcap", "b_1.mcap"], "[]", ""))]
    {
        let path = directory.path().join("metadata.yaml");
        let _ = fs::remove_file(&path);
        if let Some(text) = metadata {
            fs::write(&path, text).unwrap();
        }
        let bag = assert_holds(directory.path(), &samples(60));
        let left_out = bag.warnings().iter().find(|w| matches!(w, BagWarning::Unreadable { .. }));
        let text = left_out.unwrap().to_string();
        assert!(text.contains("b_1.mcap: found an empty file"), "{text}");
    }
    fs::remove_file(directory.path().join("metadata.yaml")).unwrap();
    fs::write(directory.path().join("b_0.mcap"), b"").unwrap();
    let error = Bag::open(directory.path()).unwrap_err().to_string();
    assert!(error.contains("b_0.mcap: found an empty file"), "{error}");
}

#[test]
fn types_that_the_summary_does_not_repeat_are_found() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bag.mcap");
    write_mcap(&path, small_chunks(None).repeat_schemas(false), 0..30);
    assert_holds(&path, &samples(30));
}

#[test]
fn the_compressions_of_rosbag2_are_undone() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("whole.mcap.zstd");
    let bytes = mcap_bytes(small_chunks(None), 0..50);
    fs::write(&file, zstd::encode_all(&bytes[..], 3).unwrap()).unwrap();
    let yaml = metadata(9, &["whole.mcap.zstd"], "[]", "zstd");
    fs::write(directory.path().join("metadata.yaml"), yaml).unwrap();
    assert_holds(directory.path(), &samples(50));

    let each = directory.path().join("each.db3");
    write_db3(&each, 0..20);
    let database = Connection::open(&each).unwrap();
    let mut query = database.prepare("SELECT id, data FROM messages").unwrap();
    let rows: Vec<(i64, Vec<u8>)> = query
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    for (id, data) in rows {
        let small = zstd::encode_all(&data[..], 3).unwrap();
        database.execute("UPDATE messages SET data = ?1 WHERE id = ?2", (small, id)).unwrap();
    }
    assert_holds(&each, &samples(20));
}

#[test]
fn some_topics_only() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bag.mcap");
    write_mcap(&path, small_chunks(None), 0..30);
    let bag = Bag::open(&path).unwrap();
    let messages: Vec<_> =
        bag.messages_on(|topic| topic.name == IMAGE.0).collect::<Result<_, _>>().unwrap();
    let expected: Vec<_> = samples(30).into_iter().filter(|(topic, ..)| *topic == IMAGE).collect();
    assert_samples(&bag, &messages, &expected);
}

#[test]
fn messages_come_in_order_of_time_and_late_ones_are_counted() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bag.mcap");
    write_mcap(&path, small_chunks(None), [1, 0, 3, 2, 5, 4].into_iter());
    assert_holds(&path, &samples(6));

    // 3 s apart: too far to hold back everything in between.
    write_mcap(&path, small_chunks(None), (1..400).chain([0]));
    let (messages, warnings) = read(&Bag::open(&path).unwrap());
    assert_eq!(messages.len(), 400);
    let [BagWarning::OutOfOrder { topic, messages: 1, .. }] = &warnings[..] else {
        panic!("{warnings:?}")
    };
    assert_eq!(topic, IMAGE.0);
}

/// What is whole before a cut comes out; the warning says where the file ends.
fn assert_cut(path: &Path, bytes: &[u8], length: usize) -> usize {
    fs::write(path, &bytes[..length]).unwrap();
    let bag = Bag::open(path).unwrap();
    let (messages, warnings) = read(&bag);
    let [BagWarning::Cut { at_byte, messages: counted, last_log_time_ns, .. }] = warnings[..]
    else {
        panic!("{warnings:?}")
    };
    assert_eq!(at_byte, length as u64);
    assert_eq!(counted, messages.len() as u64);
    assert_eq!(last_log_time_ns, messages.last().map(|message| message.log_time_ns));
    assert_samples(&bag, &messages, &samples(counted));
    messages.len()
}

#[test]
fn a_cut_mcap_gives_all_that_is_whole() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cut.mcap");
    let bytes = mcap_bytes(WriteOptions::new().use_chunks(false), 0..30);
    // Every message is at a known place: the last that fits counts.
    let (_, _, data) = sample(12);
    let start = bytes.windows(data.len()).position(|window| window == data).unwrap();
    assert_eq!(assert_cut(&path, &bytes, start + data.len()), 13);
    assert_eq!(assert_cut(&path, &bytes, start + data.len() - 1), 12);

    for compression in [None, Some(Compression::Zstd), Some(Compression::Lz4)] {
        let bytes = mcap_bytes(small_chunks(compression), 0..300);
        let half = assert_cut(&path, &bytes, bytes.len() / 2);
        // A compressed chunk is lost from its last whole block on.
        assert!((120..170).contains(&half), "{half} messages in half the file");
        assert_eq!(assert_cut(&path, &bytes, 8), 0);
    }
}

#[test]
fn a_cut_zstd_file_gives_all_that_is_whole() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cut.mcap.zstd");
    let small = zstd::encode_all(&mcap_bytes(small_chunks(None), 0..600)[..], 1).unwrap();
    let half = assert_cut(&path, &small, small.len() / 2);
    assert!(half > 100, "{half} messages in half the file");
}

#[test]
fn a_cut_database_gives_all_that_is_whole() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cut.db3");
    let whole = directory.path().join("whole.db3");
    // In a file of 6000 rows the pages that lead to the first ones lie towards the end.
    for (count, near_half) in [(300, 130..155), (6000, 2800..3100)] {
        let _ = fs::remove_file(&whole);
        write_db3(&whole, 0..count);
        let bytes = fs::read(&whole).unwrap();
        fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        let bag = Bag::open(&path).unwrap();
        let (messages, warnings) = read(&bag);
        let [BagWarning::Cut { at_byte, messages: counted, .. }] = warnings[..] else {
            panic!("{warnings:?}")
        };
        assert_eq!((at_byte, counted), (bytes.len() as u64 / 2, messages.len() as u64));
        assert!(near_half.contains(&counted), "{counted} of {count} messages in half the file");
        let in_topics = bag.topics().iter().filter_map(|topic| topic.message_count).sum::<u64>();
        assert_eq!(in_topics, counted);

        // Of the last page of rows, some have their content after the cut and some before.
        let number = |message: &Message| (message.log_time_ns - START_NS) as u64 / 10_000_000;
        let numbers: Vec<u64> = messages.iter().map(number).collect();
        assert!(numbers.is_sorted());
        assert_eq!(numbers[..numbers.len() - 20], Vec::from_iter(0..counted - 20));
        assert!(numbers[numbers.len() - 1] < counted + 20);
        let expected: Vec<_> = numbers.into_iter().map(sample).collect();
        assert_samples(&bag, &messages, &expected);
    }
}

/// How many messages sqlite3's own means leave of a file: reading its rows until one fails,
/// building it anew, and `.recover` of the command line, where that is installed.
fn repaired_by_sqlite3(path: &Path) -> Vec<(&'static str, u64)> {
    let cut = Connection::open(path).unwrap();
    cut.pragma_update(None, "writable_schema", true).unwrap();
    let mut query = cut.prepare("SELECT data FROM messages").unwrap();
    let rows = query.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap();
    let mut means = vec![("SELECT", rows.map_while(Result::ok).count() as u64)];
    let count = |path: &Path| -> u64 {
        let repaired = Connection::open(path).unwrap();
        let count = repaired.query_row("SELECT count(*) FROM messages", [], |row| row.get(0));
        count.map_or(0, i64::unsigned_abs)
    };
    let anew = path.with_extension("anew.db3");
    let _ = cut.execute("VACUUM INTO ?1", [anew.to_str().unwrap()]);
    means.push(("VACUUM INTO", count(&anew)));
    let recovered = path.with_extension("recovered.db3");
    if let Ok(sql) = std::process::Command::new("sqlite3").arg(path).arg(".recover").output() {
        let _ = Connection::open(&recovered)
            .unwrap()
            .execute_batch(&String::from_utf8_lossy(&sql.stdout));
        means.push((".recover", count(&recovered)));
    }
    means
}

/// Why `salvage` is there: a copy that broke off half way, as on a full disk.
#[test]
fn of_a_cut_database_sqlite3_itself_saves_less() {
    let directory = tempfile::tempdir().unwrap();
    let (whole, path) = (directory.path().join("whole.db3"), directory.path().join("cut.db3"));
    write_db3(&whole, 0..6000);
    let bytes = fs::read(&whole).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let (ours, _) = read(&Bag::open(&path).unwrap());
    for (means, messages) in repaired_by_sqlite3(&path) {
        println!("{means}: {messages} messages, here: {}", ours.len());
        assert!(messages < ours.len() as u64 / 2, "{means} saves {messages} of {}", ours.len());
    }
}

#[test]
fn a_wrong_checksum_is_told_and_all_records_are_given() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bag.mcap");
    let mut bytes = mcap_bytes(small_chunks(None), 0..100);
    let (_, _, data) = sample(12);
    let start = bytes.windows(data.len()).position(|window| window == data).unwrap();
    bytes[start + 100] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let (messages, warnings) = read(&Bag::open(&path).unwrap());
    assert_eq!(messages.len(), 100);
    assert!(matches!(&warnings[..], [BagWarning::Damaged { messages: 100, .. }]), "{warnings:?}");
}

const JSON: About<'_> = About { encoding: "json", definition: "{}", offered_qos: "" };

#[test]
fn a_topic_that_is_not_cdr_is_left_out_and_the_rest_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let (mcap, db3) = (directory.path().join("bag.mcap"), directory.path().join("bag.db3"));
    let mut writer = BagWriter::with_options(small_chunks(None));
    // One unused, and one of the name and type of a topic in CDR.
    writer.declare("/unused", "tf", JSON);
    writer.declare("/state", "tf", JSON);
    let mut database = Db3Writer::create(&db3);
    database.declare("/unused", "tf", JSON);
    let state = database.declare("/state", "tf", JSON);
    let image = database.declare(IMAGE.0, IMAGE.1, About::default());
    for number in 0..9 {
        let (_, time, data) = sample(number * 3);
        writer.add_at(IMAGE.0, IMAGE.1, time as u64, time as u64, &data);
        writer.add_at("/state", "tf", time as u64, time as u64, b"{}");
        database.add_at(image, time, &data);
        database.add_at(state, time, b"{}");
    }
    writer.save(&mcap);
    database.finish();
    for path in [&mcap, &db3] {
        let bag = Bag::open(path).unwrap();
        let named: Vec<_> = bag
            .warnings()
            .iter()
            .map(|warning| match warning {
                BagWarning::NotCdr { topic, found, messages, .. } => {
                    (topic.as_str(), found.as_str(), *messages)
                }
                other => panic!("{other}"),
            })
            .collect();
        assert_eq!(named, [("/unused", "json", Some(0)), ("/state", "json", Some(9))]);
        assert_eq!(bag.topics().len(), 1);
        assert_eq!(bag.message_count(), Some(9));
        let expected: Vec<_> = (0..9).map(|number| sample(number * 3)).collect();
        let (messages, warnings) = read(&bag);
        assert_eq!(warnings, []);
        assert_samples(&bag, &messages, &expected);
    }

    // metadata.yaml names the topic too; two files tell of it once.
    fs::copy(&mcap, directory.path().join("again.mcap")).unwrap();
    let listed =
        metadata(9, &["bag.mcap", "again.mcap"], "[]", "").replace("/silent", "/state").replace(
            "std_msgs/msg/Empty\n        serialization_format: cdr",
            "tf\n        serialization_format: json",
        );
    fs::write(directory.path().join("metadata.yaml"), listed).unwrap();
    let bag = Bag::open(directory.path()).unwrap();
    assert!(bag.topics().iter().all(|topic| topic.name != "/state"), "{:?}", bag.topics());
    assert_eq!(bag.warnings().len(), 2, "{:?}", bag.warnings());
}

#[test]
fn a_channel_that_is_not_cdr_gives_no_message_to_the_topic_of_its_name() {
    let mut bytes = mcap::Writer::new(std::io::Cursor::new(Vec::new())).unwrap();
    let schema = bytes.add_schema(CHATTER.1, "ros2msg", b"string data").unwrap();
    let none = std::collections::BTreeMap::new();
    let channels =
        ["cdr", "json"].map(|encoding| bytes.add_channel(schema, CHATTER.0, encoding, &none));
    for channel in channels {
        let (channel_id, time) = (channel.unwrap(), START_NS as u64);
        let header = mcap::records::MessageHeader {
            channel_id,
            sequence: 0,
            log_time: time,
            publish_time: time,
        };
        bytes.write_to_known_channel(&header, &[0, 1, 0, 0, channel_id as u8]).unwrap();
    }
    bytes.finish().unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), bytes.into_inner().into_inner()).unwrap();
    let bag = Bag::open(file.path()).unwrap();
    assert_eq!(bag.topics().len(), 1);
    assert_eq!(read(&bag).0.len(), 1);
}

#[test]
fn a_message_that_does_not_decompress_is_skipped_and_counted() {
    let directory = tempfile::tempdir().unwrap();
    let (mcap, db3) = (directory.path().join("bag.mcap"), directory.path().join("bag.db3"));
    let mut writer = BagWriter::with_options(small_chunks(None));
    let mut database = Db3Writer::create(&db3);
    let image = database.declare(IMAGE.0, IMAGE.1, About::default());
    for number in 0..9 {
        let (_, time, data) = sample(number * 3);
        let mut small = zstd::encode_all(&data[..], 3).unwrap();
        match number {
            3 => small.truncate(small.len() / 2),
            5 => small[4..12].fill(0xFF),
            _ => {}
        }
        writer.add_at(IMAGE.0, IMAGE.1, time as u64, time as u64, &small);
        database.add_at(image, time, &small);
    }
    writer.save(&mcap);
    database.finish();
    let expected: Vec<_> =
        (0..9).filter(|number| ![3, 5].contains(number)).map(|number| sample(number * 3)).collect();
    for path in [&mcap, &db3] {
        let bag = Bag::open(path).unwrap();
        let (messages, warnings) = read(&bag);
        assert_samples(&bag, &messages, &expected);
        let [BagWarning::Skipped { messages: 2, topic, reason, .. }] = &warnings[..] else {
            panic!("{warnings:?}")
        };
        assert_eq!(topic, IMAGE.0);
        assert!(!reason.is_empty());
    }
}

#[test]
fn a_row_whose_data_is_no_blob_is_skipped() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bag.db3");
    write_db3(&path, 0..30);
    let database = Connection::open(&path).unwrap();
    database.execute_batch("UPDATE messages SET data = 17 WHERE id = 4").unwrap();
    database.close().unwrap();
    let (messages, warnings) = read(&Bag::open(&path).unwrap());
    assert_eq!(messages.len(), 29);
    assert!(matches!(&warnings[..], [BagWarning::Skipped { messages: 1, .. }]), "{warnings:?}");
}

#[test]
fn counts_that_no_recording_can_have_do_not_wrap() {
    let directory = tempfile::tempdir().unwrap();
    write_db3(&directory.path().join("a.db3"), 0..30);
    let listed = metadata(9, &["a.db3"], "[]", "")
        .replace("message_count: 0\n", &format!("message_count: {}\n", u64::MAX));
    fs::write(directory.path().join("metadata.yaml"), listed).unwrap();
    let bag = Bag::open(directory.path()).unwrap();
    assert_eq!(bag.topics()[2].message_count, Some(u64::MAX));
    assert_eq!(bag.message_count(), Some(u64::MAX));
}

#[test]
fn a_clock_that_was_set_and_times_that_cannot_be_counted_are_told() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bag.mcap");
    let second = 1_000_000_000;
    let (late, now) = (1u64 << 63, START_NS as u64);
    for (log_times, publish_time, expected, told) in [
        // The recorder's clock began in 1970 and was set to today's time.
        (vec![second, 2 * second, now], now, vec![second, 2 * second, now], "days from 2.0"),
        // The time of sending stands in for what cannot be counted.
        (vec![now, late + 5], now + second, vec![now, now + second], "beyond the year 2262"),
    ] {
        let mut writer = BagWriter::new();
        for log_time in log_times {
            writer.add_at(CHATTER.0, CHATTER.1, log_time, publish_time, &[0, 1, 0, 0]);
        }
        writer.save(&path);
        let bag = Bag::open(&path).unwrap();
        let (messages, warnings) = read(&bag);
        let times: Vec<_> = messages.iter().map(|message| message.log_time_ns as u64).collect();
        assert_eq!(times, expected);
        let [warning] = &warnings[..] else { panic!("{warnings:?}") };
        assert!(warning.to_string().contains(told), "{warning}");
        let last = *expected.last().unwrap() as i64;
        assert_eq!(bag.bounds_ns().map(|(_, end)| end), Some(last));
    }
}

#[test]
fn what_is_no_recording_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let refused = |path: &Path, words: &[&str]| {
        let error = Bag::open(path).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(&path.display().to_string()), "{text}");
        assert!(words.iter().all(|word| text.contains(word)), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
        error
    };
    refused(&at("absent"), &["no such file", "rosbag2"]);
    assert!(matches!(
        refused(directory.path(), &["found neither"]),
        BagError::EmptyDirectory { .. }
    ));

    fs::write(at("empty.mcap"), "").unwrap();
    refused(&at("empty.mcap"), &["an empty file", "MCAP"]);
    fs::write(at("ros1.bag"), "#ROSBAG V2.0\n....").unwrap();
    refused(&at("ros1.bag"), &["ROS 1 bag"]);
    fs::write(at("notes.txt"), "Dear diary, today").unwrap();
    assert!(matches!(refused(&at("notes.txt"), &["Dear diary"]), BagError::NotABag { .. }));

    let other = Connection::open(at("other.db3")).unwrap();
    other.execute_batch("CREATE TABLE songs(id INTEGER PRIMARY KEY)").unwrap();
    other.close().unwrap();
    refused(&at("other.db3"), &["no table `topics`", "`messages`"]);

    write_db3(&at("json.db3"), 0..3);
    let json = Connection::open(at("json.db3")).unwrap();
    json.execute_batch("UPDATE topics SET serialization_format = 'json'").unwrap();
    json.close().unwrap();
    refused(&at("json.db3"), &[CHATTER.0, "`json`", "`cdr`"]);

    write_db3(&at("plain.db3"), 0..3);
    let mut small = zstd::Encoder::new(fs::File::create(at("b.db3.zstd")).unwrap(), 1).unwrap();
    small.write_all(&fs::read(at("plain.db3")).unwrap()).unwrap();
    small.finish().unwrap();
    refused(&at("b.db3.zstd"), &["zstd -d"]);
}

#[test]
fn wrong_metadata_is_refused_with_the_place() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("metadata.yaml");
    let refused = |yaml: &str, words: &[&str]| {
        fs::write(&path, yaml).unwrap();
        let text = Bag::open(directory.path()).unwrap_err().to_string();
        assert!(text.contains("metadata.yaml"), "{text}");
        assert!(words.iter().all(|word| text.contains(word)), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
    };
    refused("rosbag2_bagfile_information: [", &["line 1"]);
    refused("{}", &["rosbag2_bagfile_information"]);
    refused(&metadata(9, &["lost.mcap"], "[]", ""), &["lost.mcap", "missing"]);
    let lz4 = metadata(9, &["a"], "[]", "lz4")
        .replace("compression_mode: \"\"", "compression_mode: FILE");
    refused(&lz4, &["`lz4`", "zstd"]);
}

/// Whatever the bytes, reading ends with messages, warnings or an error, and never panics.
fn read_any(path: &Path) {
    if let Ok(bag) = Bag::open(path) {
        // A damaged length may make a message of anything; there are never more than bytes.
        assert!(bag.messages().take(100_000).count() < 100_000);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn damaged_bytes_do_not_panic(
        kind in 0..5usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        thread_local! {
            static WHOLE: Vec<Vec<u8>> = {
                let directory = tempfile::tempdir().unwrap();
                let db3 = directory.path().join("whole.db3");
                write_db3(&db3, 0..12);
                vec![
                    mcap_bytes(small_chunks(None), 0..12),
                    mcap_bytes(small_chunks(Some(Compression::Zstd)), 0..12),
                    mcap_bytes(small_chunks(Some(Compression::Lz4)), 0..12),
                    mcap_bytes(WriteOptions::new().use_chunks(false), 0..12),
                    fs::read(&db3).unwrap(),
                ]
            };
        }
        let mut bytes = WHOLE.with(|whole| whole[kind].clone());
        for (place, value) in &changes {
            // Half of the changes go where the structure is: the beginning and the end.
            let place = place.index(bytes.len());
            let place = match value % 4 {
                0 => place % 300,
                1 => bytes.len() - 1 - place % 600,
                _ => place,
            };
            bytes[place] = *value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), &bytes).unwrap();
        read_any(file.path());
    }

    #[test]
    fn any_metadata_does_not_panic(yaml in "[ -~\n]{0,200}", cut in any::<prop::sample::Index>()) {
        let directory = tempfile::tempdir().unwrap();
        let whole = metadata(9, &["b.mcap"], "\"- history: 3\"", "");
        write_mcap(&directory.path().join("b.mcap"), small_chunks(None), 0..3);
        for text in [&yaml, &whole[..cut.index(whole.len())]] {
            fs::write(directory.path().join("metadata.yaml"), text).unwrap();
            read_any(directory.path());
        }
    }
}
