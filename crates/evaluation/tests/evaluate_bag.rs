//! `rapport evaluate` on recordings: labels of every kind, and everything that can be wrong.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use common::{evaluate, frames, outcome, warnings};
use image::RgbImage;
use rapport_perception::SessionOptions;
use rapport_test_support::bags::{
    BagWriter, COMPRESSED_IMAGE, IMAGE, START_NS, STRING, compressed_cdr, image_cdr, image_cdr_as,
    string_cdr,
};
use rapport_test_support::{frame, in_repository, picture, session};
use rapport_vocabulary::ImageStamp;

const CAMERA: &str = "/camera/image_raw";
const FRAMES: u64 = 20;

/// 20 images, 100 ms apart, of the astronaut's smile; the rocket, with nobody, from frame 15 on.
fn scene(index: u64) -> RgbImage {
    picture(if index < 15 { "astronaut_face_60px.png" } else { "rocket.jpg" })
}

fn add_images(bag: &mut BagWriter) {
    let (smile, nobody) = (scene(0), scene(15));
    for index in 0..FRAMES {
        let picture = if index < 15 { &smile } else { &nobody };
        bag.add(CAMERA, IMAGE, index * 100, &image_cdr(picture, index * 100));
    }
}

/// Images whose log time and stamp are given, in milliseconds.
fn at_times(times_ms: [(u64, u64); 4]) -> Fixture {
    Fixture::with(|bag| {
        for (log_ms, stamp_ms) in times_ms {
            bag.add(CAMERA, IMAGE, log_ms, &image_cdr(&scene(0), stamp_ms));
        }
    })
}

#[test]
fn rows_of_another_length_are_left_out_and_counted() {
    let fixture = Fixture::new();
    let labels =
        fixture.labels("start,end,face_id,label,note\n0,1,,happy\n1,1.2\n1,1.4,,sad,a,b\n");
    let (_, report) =
        evaluate(&fixture.out(), &[fixture.bag.to_str().unwrap(), "--labels", &labels]).unwrap();
    let found = warnings(&report);
    let [(kind, count, text)] = found[..] else { panic!("{found:?}") };
    assert_eq!((kind, count), ("row of another length", 2));
    assert!(text.ends_with("line 3 has 2 columns, expected 5: it is left out"), "{text}");
}

#[test]
fn times_that_tell_nothing_are_warned_of() {
    const HOUR_MS: u64 = 3_600_000;
    for (times_ms, expected) in [
        ([(0, 0), (100, 100), (200, 200), (300, 300)], None),
        (
            [(0, 0), (100, 100), (200, 2 * HOUR_MS), (300, 2 * HOUR_MS + 100)],
            Some("frame 2 was taken 2.0 h after the one before"),
        ),
        (
            [(0, 10_000), (100, 10_100), (200, 0), (300, 100)],
            Some("the stamp of frame 2 is 10.1 s before the one before: all tracks are reset"),
        ),
        ([(5, 0), (5, 100), (5, 200), (5, 300)], Some("all images were logged at one time")),
    ] {
        let fixture = at_times(times_ms);
        let (_, report) = outcome(&fixture.out(), &[fixture.bag.to_str().unwrap()]).unwrap();
        let found: Vec<_> = warnings(&report).into_iter().map(|(_, _, text)| text).collect();
        match expected {
            Some(expected) => {
                assert!(found.iter().any(|warning| warning.contains(expected)), "{found:?}")
            }
            None => assert_eq!(found, [""; 0]),
        }
    }
}

struct Fixture {
    temp: tempfile::TempDir,
    bag: PathBuf,
}

impl Fixture {
    /// Images only.
    fn new() -> Self {
        Self::with(add_images)
    }

    fn with(fill: impl FnOnce(&mut BagWriter)) -> Self {
        let temp = tempfile::tempdir().unwrap();
        let bag = temp.path().join("bag.mcap");
        let mut writer = BagWriter::new();
        fill(&mut writer);
        writer.save(&bag);
        Self { temp, bag }
    }

    fn out(&self) -> PathBuf {
        self.temp.path().join("out")
    }

    fn labels(&self, text: &str) -> String {
        let path = self.temp.path().join("labels.csv");
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn run(&self, arguments: &[&str]) -> anyhow::Result<(u8, serde_json::Value)> {
        evaluate(&self.out(), &[&[self.bag.to_str().unwrap()], arguments].concat())
    }

    fn fails(&self, arguments: &[&str]) -> String {
        format!("{:#}", self.run(arguments).unwrap_err())
    }
}

#[test]
fn every_frame_is_judged_as_the_pipeline_sees_it() {
    let fixture = Fixture::new();
    let labels = fixture.labels("start,end,face_id,label\n0,1.5,,happy\n");
    let (code, report) = fixture.run(&["--labels", &labels]).unwrap();
    assert_eq!(code, 0, "{:?}", warnings(&report));
    let rows = frames(&fixture.out());
    assert_eq!(rows.len() as u64, FRAMES);

    let mut session = session(SessionOptions::default());
    for (index, row) in rows.iter().enumerate() {
        let picture = scene(index as u64);
        let stamp = Duration::from_nanos(START_NS + index as u64 * 100_000_000);
        let people = session.process(&frame(&picture), ImageStamp::at(stamp)).unwrap().people;
        let expected = people.first().map(|p| (p.id.to_string(), p.emotion.to_string()));
        let (id, label) = expected.unwrap_or_default();
        assert_eq!((&row["face_id"], &row["predicted"]), (&id, &label), "frame {index}");
        if let Some(person) = people.first() {
            assert_eq!(row["confidence"], person.confidence().to_string(), "frame {index}");
        }
        assert_eq!(
            row["stamp"],
            format!("1760000000.{:09}", index * 100_000_000 % 1_000_000_000)
                .replace("1760000000", &(1_760_000_000 + index / 10).to_string())
        );
    }
    let model = &report["models"][0];
    // The first image only makes the face known.
    assert_eq!(model["coverage"]["labelled"], 15);
    assert_eq!(model["coverage"]["found"], 14);
    assert_eq!(report["classification_report"]["happy"]["support"], 14);
    assert_eq!(report["classification_report"]["accuracy"], 1.0);
    let sequence = &model["sequence"];
    assert_eq!((&sequence["frames"], &sequence["frames_with_faces"]), (&20.into(), &14.into()));
    assert_eq!(sequence["label_flips_per_minute"]["smoothed"], 0.0);
    let onset = sequence["onset_to_detection"]["smoothed"]["median_secs"].as_f64().unwrap();
    assert!((onset - 0.1).abs() < 1e-9, "{onset}");
    assert!((report["source"]["duration_secs"].as_f64().unwrap() - 1.9).abs() < 1e-9);
    let page = fs::read_to_string(fixture.out().join("report.html")).unwrap();
    assert!(page.contains("Over time") && page.contains("face_1"));
}

#[test]
fn labels_may_be_intervals_frames_or_a_topic_and_say_the_same() {
    let intervals = "start,end,face_id,label\n0.0,1.0,face_1,happy\n1.0,1.5,,neutral\n";
    let since_1970 =
        "start,end,label\n1760000000.0,1760000001.0,happy\n1760000001,1760000001.5,Neutral\n";
    let by_frame: String = (0..15)
        .map(|i| format!("{i},face_1,{}\n", if i < 10 { "happiness" } else { "neutral" }))
        .collect();
    let fixture = Fixture::with(|bag| {
        bag.add("/said", STRING, 0, &string_cdr("happy"));
        for index in 0..FRAMES {
            if index == 10 {
                bag.add("/said", STRING, 1000, &string_cdr("neutral"));
            }
            if index == 15 {
                bag.add("/said", STRING, 1500, &string_cdr(""));
            }
            bag.add(CAMERA, IMAGE, index * 100, &image_cdr(&scene(index), index * 100));
        }
    });
    let mut outcomes = Vec::new();
    for text in [intervals, since_1970, &format!("frame,face_id,label\n{by_frame}")] {
        let labels = fixture.labels(text);
        outcomes.push(fixture.run(&["--labels", &labels]).unwrap());
    }
    outcomes.push(fixture.run(&["--label-topic", "said"]).unwrap());
    let kinds: Vec<_> =
        outcomes.iter().map(|(_, r)| r["labels"]["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["intervals", "intervals", "frames", "topic"]);
    assert_eq!(outcomes[0].1["labels"]["time_base"], "since_first_message");
    assert_eq!(outcomes[1].1["labels"]["time_base"], "since1970");
    for (code, report) in &outcomes {
        assert_eq!(*code, 0, "{:?}", warnings(report));
        let found = &report["classification_report"];
        assert_eq!(found["happy"]["support"], 9, "{found}");
        assert_eq!(found["neutral"]["support"], 5, "{found}");
        assert_eq!(*found, outcomes[0].1["classification_report"]);
    }
    // A report without labels, filled in by hand, is a file of labels.
    fixture.run(&[]).unwrap();
    let rows = fs::read_to_string(fixture.out().join("frames.csv")).unwrap();
    let filled = rows.replace("face_1,,", "face_1,happy,");
    let labels = fixture.labels(&filled);
    let (_, report) = fixture.run(&["--labels", &labels]).unwrap();
    assert_eq!(report["classification_report"]["happy"]["support"], 14);
    // But not where the next report would write over it.
    fixture.run(&[]).unwrap();
    let in_place = fixture.out().join("frames.csv");
    fs::write(&in_place, &filled).unwrap();
    let message = fixture.fails(&["--labels", in_place.to_str().unwrap()]);
    assert!(message.contains("frames.csv") && message.contains("expected a copy"), "{message}");
    let message = fixture.fails(&[]);
    assert!(message.contains("frames.csv: holds labels that were filled in"), "{message}");
    assert_eq!(fs::read_to_string(in_place).unwrap(), filled);
}

#[test]
fn labels_that_contradict_each_other_or_lie_outside_are_counted() {
    let fixture = Fixture::new();
    let labels = fixture.labels(
        "start,end,face_id,label\n0,1,,happy\n0.5,1.2,,sad\n0.8,0.9,face_1,happy\n60,70,,happy\n",
    );
    let (code, report) = fixture.run(&["--labels", &labels]).unwrap();
    assert_eq!(code, 3);
    let found = warnings(&report);
    assert_eq!(
        found.iter().map(|w| (w.0, w.1)).collect::<Vec<_>>(),
        [("overlapping labels", 1), ("label outside the recording", 1),]
    );
    assert!(found[0].2.contains("line 3: 0.5 to 1.2 overlaps"), "{found:?}");
    assert!(found[1].2.contains("line 5: 60 to 70 lies outside"), "{found:?}");
    // Frames 1 to 4 happy, 5 to 9 contradicted but for frame 8 (its own label), 10 and 11 sad.
    let report = &report["classification_report"];
    assert_eq!(report["happy"]["support"], 5);
    assert_eq!(report["sad"]["support"], 2);

    let labels = fixture.labels("frame,label\n3,happy\n3,sad\n99,happy\n");
    let (code, report) = fixture.run(&["--labels", &labels]).unwrap();
    assert_eq!(code, 3);
    let kinds: Vec<_> = warnings(&report).iter().map(|w| w.0.to_owned()).collect();
    assert_eq!(kinds, ["overlapping labels", "label outside the recording", "few faces found"]);
}

#[test]
fn wrong_labels_are_refused_with_line_and_column() {
    let fixture = Fixture::new();
    for (text, expected) in [
        ("start,label\n0,happy\n", "columns are `start,label`, expected `start,end,face_id,label`"),
        (
            "start,end,label\n0,1,hapy\n1,2,calm\n2,3,calm\n",
            "none of its 3 labels is known, found `calm`, `hapy`, expected angry, disgust",
        ),
        ("frame,label\n0,8\n", "none of its 1 labels is known, found `8`"),
        ("start,end,label\n0,1,sad\nsoon,2,sad\n", "line 3: start is `soon`, expected seconds"),
        ("start,end,label\n2,1,sad\n", "line 2: end is `1`, expected a time after"),
        ("frame,label\n-1,sad\n", "line 2: frame is `-1`, expected a number of a frame"),
        ("start,end,label\n0,1,sad\n1760000000,1760000001,sad\n", "line 3: start is `1760000000`"),
        ("start,end,label\n0,1\n", "line 2 has 2 columns, expected 3"),
    ] {
        let error = fixture.fails(&["--labels", &fixture.labels(text)]);
        assert!(error.contains(expected) && error.contains("labels.csv"), "{error}");
    }
    let error = fixture.fails(&["--labels", "none.csv"]);
    assert!(error.contains("none.csv"), "{error}");
    let error = fixture.fails(&["--label-topic", CAMERA]);
    assert!(error.contains("is sensor_msgs/msg/Image, expected std_msgs/msg/String"), "{error}");
}

#[test]
fn labels_are_read_as_spreadsheets_and_statistics_write_them() {
    let fixture = Fixture::new();
    let utf16: Vec<u8> = "\u{feff}start\tend\tface_id\tlabel\r\n0\t1,5\t\thappy\r\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let texts: [(&str, &[u8]); 8] = [
        ("semicolons and decimal commas", b"start;end;face_id;label\n0,0;1,5;;happy\n"),
        ("quoted decimal commas", b"start,end,face_id,label\n\"0,0\",\"1,5\",,happy\n"),
        ("tabs", b"start\tend\tface_id\tlabel\n0\t1.5\t\thappy\n"),
        ("what separates, said first", b"sep=;\r\nstart;end;face_id;label\r\n0;1.5;;happy\r\n"),
        ("UTF-16", &utf16),
        ("a comment", b"# mine; all of it\nstart,end,face_id,label\n0,1.5,,happy\n"),
        ("another word", b"start,end,face_id,label\n0,1.5,NaN,joy\n"),
        ("Windows' letters", b"start,end,face_id,label,who\n0,1.5,,happy,J\xfcrgen\n"),
    ];
    for (name, text) in texts {
        let path = fixture.temp.path().join("labels.csv");
        fs::write(&path, text).unwrap();
        let (code, report) = fixture.run(&["--labels", path.to_str().unwrap()]).unwrap();
        assert_eq!(code, 0, "{name}: {:?}", warnings(&report));
        assert_eq!(report["classification_report"]["happy"]["support"], 14, "{name}");
    }
    // Frames as pandas writes them, labels missing here and there.
    let labels = fixture.labels("frame,face_id,label\n1.0,NaN,happy\n2.0,,happy\n3.0,,NaN\n");
    let (code, report) = fixture.run(&["--labels", &labels]).unwrap();
    assert_eq!((code, &report["labels"]["count"]), (0, &2.into()), "{:?}", warnings(&report));
    assert_eq!(report["classification_report"]["happy"]["support"], 2);
}

#[test]
fn labels_that_are_none_of_ours_are_left_out_and_counted() {
    let fixture = Fixture::new();
    let labels = fixture.labels(
        "start,end,label\n0,0.5,happy\n0.5,1.0,boredom\n1.0,1.2,calm\n1.2,1.5,neutrality\n",
    );
    let (code, report) = fixture.run(&["--labels", &labels]).unwrap();
    assert_eq!((code, &report["labels"]["count"]), (3, &2.into()));
    let found = warnings(&report);
    assert_eq!((found[0].0, found[0].1), ("unknown label", 2), "{found:?}");
    assert!(found[0].2.contains("line 3: unknown emotion `boredom`"), "{found:?}");
    assert_eq!(report["classification_report"]["happy"]["support"], 4);
    assert_eq!(report["classification_report"]["neutral"]["support"], 3);

    // Numbers are FER2013's, which is told, unless one shows that they are others'.
    let labels = fixture.labels("start,end,label\n0,1.5,3\n");
    let (code, report) = fixture.run(&["--labels", &labels]).unwrap();
    let found = warnings(&report);
    assert_eq!((code, found[0].0, found[0].1), (3, "class numbers", 1));
    assert!(found[0].2.contains("FER2013's classes: 0 angry"), "{found:?}");
    assert_eq!(report["classification_report"]["happy"]["support"], 14);
    let labels = fixture.labels("start,end,label\n0,1,3\n1,1.5,7\n");
    let error = fixture.fails(&["--labels", &labels]);
    assert!(error.contains("none of its 2 labels is known, found `3`, `7`"), "{error}");
}

#[test]
fn a_recording_without_a_usable_image_is_refused_for_that_reason() {
    let useless =
        Fixture::with(|bag| bag.add(CAMERA, IMAGE, 0, &image_cdr_as("32FC7", &scene(0), 0)));
    // Without metadata.yaml, of which there is a warning too.
    let folder = useless.temp.path().join("folder");
    fs::create_dir(&folder).unwrap();
    fs::rename(&useless.bag, folder.join("x_0.mcap")).unwrap();
    let error = evaluate(&useless.out(), &[folder.to_str().unwrap()]).unwrap_err().to_string();
    assert!(
        error.contains("none of its 1 frames could be used: frame 0: image encoding is `32FC7`"),
        "{error}"
    );

    let empty = Fixture::with(|bag| {
        bag.declare(CAMERA, IMAGE, rapport_test_support::bags::About::default());
        bag.add("/chatter", STRING, 0, &string_cdr("hello"));
    });
    for arguments in [&[][..], &["--topic", CAMERA]] {
        let error = empty.fails(arguments);
        assert!(
            error.contains("no message was recorded on /camera/image_raw (sensor_msgs/msg/Image)"),
            "{error}"
        );
    }
}

#[test]
fn damaged_and_turned_jpegs_of_a_recording_are_noticed() {
    use rapport_test_support::jpeg::{JpegOptions, encode_jpeg, exif_orientation};
    let upright = picture("astronaut.jpg");
    let exif = exif_orientation(6);
    let turned = encode_jpeg(
        &image::imageops::rotate270(&upright),
        &JpegOptions { exif, ..JpegOptions::default() },
    );
    let whole = encode_jpeg(&upright, &JpegOptions::default());
    let cut = [&whole[..whole.len() / 3], &[0xFF, 0xD9]].concat();
    let (start, end) = whole.split_at(whole.len() - 2);
    let padded = [start, &[0; 50], end].concat();
    let files = [&turned, &turned, &turned, &cut, &padded];
    let fixture = Fixture::with(|bag| {
        for (index, file) in files.into_iter().enumerate() {
            let ms = index as u64 * 100;
            bag.add("/camera/compressed", COMPRESSED_IMAGE, ms, &compressed_cdr("jpeg", file, ms));
        }
    });
    let (code, report) = fixture.run(&[]).unwrap();
    assert_eq!((code, &report["source"]["frames_used"]), (3, &4.into()));
    // The first image only makes the face known.
    assert_eq!(report["models"][0]["sequence"]["frames_with_faces"], 3);
    let found = warnings(&report);
    assert_eq!((found[0].0, found[1].0), ("image not used", "damaged image"), "{found:?}");
    assert!(found[0].2.contains("frame 3: JPEG of"), "{found:?}");
    assert!(found[1].2.contains("frame 4: Corrupt JPEG data"), "{found:?}");
}

#[test]
fn images_without_a_named_encoding_are_read_as_opencv_means_them() {
    let fixture = Fixture::with(|bag| {
        for index in 0..5 {
            let mut smile = scene(0);
            smile.pixels_mut().for_each(|pixel| pixel.0.reverse());
            bag.add(CAMERA, IMAGE, index * 100, &image_cdr_as("8UC3", &smile, index * 100));
        }
    });
    let (code, report) = fixture.run(&[]).unwrap();
    assert_eq!(code, 0, "{:?}", warnings(&report));
    assert_eq!(report["models"][0]["sequence"]["frames_with_faces"], 4);
}

#[test]
fn a_recording_that_was_cut_is_judged_up_to_the_cut() {
    let fixture = Fixture::new();
    let whole = fs::read(&fixture.bag).unwrap();
    fs::write(&fixture.bag, &whole[..whole.len() / 2]).unwrap();
    let (code, report) = fixture.run(&[]).unwrap();
    assert_eq!(code, 3);
    let used = report["source"]["frames_used"].as_u64().unwrap();
    assert!((1..FRAMES).contains(&used), "{used} frames");
    let found = warnings(&report);
    assert!(found[0].2.contains("cut off at byte"), "{found:?}");
    let ends = report["source"]["ends_at_secs"].as_f64().unwrap();
    assert!((ends - (used - 1) as f64 * 0.1).abs() < 1e-9, "{ends} s for {used} frames");
    assert!(report["classification_report"].is_null(), "nobody said what was shown");
}

#[test]
fn wrong_topics_are_named_with_what_there_is() {
    let none = Fixture::with(|bag| bag.add("/chatter", STRING, 0, &string_cdr("hello")));
    let error = none.fails(&[]);
    assert!(error.contains("no images in the recording"), "{error}");
    assert!(
        error.contains("/chatter (std_msgs/msg/String)") && error.contains("bag.mcap"),
        "{error}"
    );
    let error = none.fails(&["--topic", "/chatter"]);
    assert!(
        error.contains("/chatter is std_msgs/msg/String, expected sensor_msgs/msg/Image"),
        "{error}"
    );

    let two = Fixture::with(|bag| {
        add_images(bag);
        bag.add("/other", IMAGE, 0, &image_cdr(&scene(0), 0));
    });
    let error = two.fails(&[]);
    assert!(error.contains("--topic") && error.contains("/other"), "{error}");
    let (code, report) = two.run(&["--topic", "other"]).unwrap();
    assert_eq!((code, &report["source"]["frames"]), (0, &1.into()));
    let error = two.fails(&["--topic", "/nothing"]);
    assert!(error.contains("no topic /nothing") && error.contains(CAMERA), "{error}");

    let temp = tempfile::tempdir().unwrap();
    let absent = temp.path().join("absent");
    let error = evaluate(&temp.path().join("out"), &[absent.to_str().unwrap()]).unwrap_err();
    assert!(error.to_string().contains("absent: no such file"), "{error}");
}

#[test]
fn images_that_cannot_be_used_are_counted_and_the_rest_is_judged() {
    let fixture = Fixture::with(|bag| {
        add_images(bag);
        bag.add(CAMERA, IMAGE, 2000, &image_cdr_as("32FC7", &scene(0), 2000));
        let whole = image_cdr(&scene(0), 2100);
        bag.add(CAMERA, IMAGE, 2100, &whole[..whole.len() - 9]);
        bag.add(CAMERA, IMAGE, 2200, &[1, 2, 3]);
    });
    let (code, report) = fixture.run(&[]).unwrap();
    assert_eq!(code, 3);
    assert_eq!(
        (&report["source"]["frames"], &report["source"]["frames_used"]),
        (&23.into(), &20.into())
    );
    let found = warnings(&report);
    assert_eq!((found[0].0, found[0].1), ("image not used", 3));
    assert!(found[0].2.contains("frame 20: image encoding is `32FC7`"), "{found:?}");

    let useless =
        Fixture::with(|bag| bag.add(CAMERA, IMAGE, 0, &image_cdr_as("32FC7", &scene(0), 0)));
    let error = useless.fails(&[]);
    assert!(error.contains("none of its 1 frames") && error.contains("32FC7"), "{error}");
}

#[test]
fn compressed_images_are_judged_like_raw_ones() {
    let png = fs::read(in_repository("tests/pictures/astronaut_face_60px.png")).unwrap();
    let raw = Fixture::with(|bag| {
        for index in 0..5 {
            bag.add(CAMERA, IMAGE, index * 100, &image_cdr(&scene(0), index * 100));
        }
    });
    let compressed = Fixture::with(|bag| {
        for index in 0..5 {
            let message = compressed_cdr("rgb8; png compressed bgr8", &png, index * 100);
            bag.add("/camera/compressed", COMPRESSED_IMAGE, index * 100, &message);
        }
        bag.add(
            "/camera/compressed",
            COMPRESSED_IMAGE,
            500,
            &compressed_cdr("jpeg", b"GIF89a", 500),
        );
    });
    raw.run(&[]).unwrap();
    let (code, report) = compressed.run(&[]).unwrap();
    assert_eq!(code, 3);
    assert!(warnings(&report)[0].2.contains("frame 5: "), "{:?}", warnings(&report));
    assert_eq!(frames(&compressed.out()), frames(&raw.out()));
}

#[test]
fn faces_are_in_the_report_only_if_asked() {
    let fixture = Fixture::new();
    let labels = fixture.labels("start,end,label\n0,2,sad\n");
    let page = |out: &Path| fs::read_to_string(out.join("report.html")).unwrap();
    let (_, report) = fixture.run(&["--labels", &labels]).unwrap();
    let mistakes = report["models"][0]["worst_mistakes"].as_array().unwrap();
    assert_eq!(mistakes.len(), 1, "the same face in the same confusion is shown once");
    assert!(!page(&fixture.out()).contains("data:image/png"));
    fixture.run(&["--labels", &labels, "--include-faces"]).unwrap();
    assert_eq!(page(&fixture.out()).matches("data:image/png").count(), 1);
}

#[test]
fn two_runs_write_the_same_but_for_time_and_provenance() {
    let fixture = Fixture::new();
    let labels = fixture.labels("start,end,label\n0,1,happy\n1,2,sad\n");
    let run = || {
        let (_, mut report) = fixture.run(&["--labels", &labels]).unwrap();
        for key in ["timing", "provenance"] {
            assert!(report.as_object_mut().unwrap().remove(key).is_some());
        }
        let rows = fs::read(fixture.out().join("frames.csv")).unwrap();
        (serde_json::to_string(&report).unwrap(), rows)
    };
    assert_eq!(run(), run());
}

#[test]
fn stamps_that_stand_still_or_count_whole_seconds_give_the_figures_of_good_ones() {
    let with_stamps = |stamp_ms: fn(u64) -> u64| {
        let (smile, nobody) = (scene(0), scene(15));
        let fixture = Fixture::with(|bag| {
            for index in 0..FRAMES {
                let picture = if index < 15 { &smile } else { &nobody };
                bag.add(CAMERA, IMAGE, index * 100, &image_cdr(picture, stamp_ms(index)));
            }
        });
        // Since 1970 too: by the images' time, which goes on where their stamps do not.
        let found = ["0.5,1.45", "1760000000.5,1760000001.45"].map(|interval| {
            let labels = fixture.labels(&format!("start,end,label\n{interval},happy\n"));
            let (code, report) = fixture.run(&["--labels", &labels]).unwrap();
            assert_eq!(code, 0, "{:?}", warnings(&report));
            report
        });
        assert_eq!(found[0]["models"][0]["sequence"], found[1]["models"][0]["sequence"]);
        found.into_iter().next().unwrap()
    };
    let good = with_stamps(|index| index * 100);
    let figure = |report: &serde_json::Value, path: &str| {
        report.pointer(path).and_then(serde_json::Value::as_f64).unwrap_or(f64::NAN)
    };
    assert_eq!(good["classification_report"]["happy"]["support"], 10);
    let in_view = figure(&good, "/models/0/sequence/face_secs");
    assert!((in_view - 1.3).abs() < 1e-9, "{in_view}");
    for stamps in [|_| 0, |index| index / 10 * 1000] as [fn(u64) -> u64; 2] {
        let found = with_stamps(stamps);
        assert_eq!(found["classification_report"], good["classification_report"]);
        for path in [
            "/source/duration_secs",
            "/models/0/sequence/face_secs",
            "/models/0/sequence/label_flips_per_minute/raw",
            "/models/0/sequence/label_flips_per_minute/smoothed",
            "/models/0/sequence/onset_to_detection/segments",
            "/models/0/sequence/onset_to_detection/smoothed/median_secs",
        ] {
            let (found, good) = (figure(&found, path), figure(&good, path));
            assert!((found - good).abs() < 1e-6, "{path}: {found}, expected {good}");
        }
    }
}

#[test]
fn a_report_names_no_folder_of_a_person() {
    let temp = tempfile::tempdir().unwrap();
    let home = temp.path().join("home-of-anna");
    fs::create_dir(&home).unwrap();
    let (bag, labels, out) = (home.join("bag.mcap"), home.join("labels.csv"), home.join("out"));
    let mut writer = BagWriter::new();
    add_images(&mut writer);
    let whole = writer.bytes();
    fs::write(&bag, &whole[..whole.len() / 2]).unwrap();
    fs::write(&labels, "start,end,label\n0,1,happy\n0.5,2,sad\n").unwrap();
    let arguments = [bag.to_str().unwrap(), "--labels", labels.to_str().unwrap()];
    let (outcome, report) = outcome(&out, &arguments).unwrap();
    assert!(outcome.warnings.iter().any(|warning| warning.first.contains("home-of-anna")));
    assert_eq!(warnings(&report).len(), outcome.warnings.iter().count());
    assert_eq!(
        (&report["source"]["path"], &report["labels"]["path"]),
        (&"bag.mcap".into(), &"labels.csv".into())
    );
    assert_eq!(report["provenance"]["command"][4], "labels.csv");
    for file in ["report.json", "report.html", "frames.csv"] {
        let text = fs::read_to_string(out.join(file)).unwrap();
        assert!(!text.contains("anna"), "{file}");
    }
}
