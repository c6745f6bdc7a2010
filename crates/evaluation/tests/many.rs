//! Many recordings: shards and resumed runs give the report of one run, figure by figure; tables of
//! faces hold what `frames.csv` holds.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use image::RgbImage;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use rapport_evaluation::shards::{ManyOptions, ManyOutcome, Shard, evaluate_many, merge};
use rapport_evaluation::{EvaluateOptions, Silent, evaluate};
use rapport_test_support::bags::{BagWriter, IMAGE, STRING, image_cdr, string_cdr};
use rapport_test_support::picture;
use serde_json::Value;

const CAMERA: &str = "/camera/image_raw";

/// A recording of a smile, of nobody, or of both, with labels that are right or wrong.
fn record(path: &Path, number: u64) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let (smile, nobody) = (picture("astronaut_face_60px.png"), picture("rocket.jpg"));
    let frames = 6 + number % 4;
    let shown = |index: u64| -> &RgbImage {
        // Longer away than a track lives, so that there are several ids.
        if number % 3 == 2 && index == 3 { &nobody } else { &smile }
    };
    let mut bag = BagWriter::new();
    for index in 0..frames {
        let ms = index * 100;
        match (number % 3, index) {
            (0, 0) | (1, 4) | (2, 0) => bag.add("/said", STRING, ms, &string_cdr("happy")),
            (1, 0) => bag.add("/said", STRING, ms, &string_cdr("sad")),
            (2, 5) => bag.add("/said", STRING, ms, &string_cdr("bored")),
            _ => {}
        }
        bag.add(CAMERA, IMAGE, ms, &image_cdr(shown(index), ms));
    }
    bag.save(path);
}

struct Fixture {
    temp: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Self {
        let fixture = Self { temp: tempfile::tempdir().unwrap() };
        for number in 0..7 {
            record(&fixture.source().join(format!("day{}/r{number}.mcap", number % 2)), number);
        }
        fixture
    }

    fn source(&self) -> PathBuf {
        self.temp.path().join("corridor")
    }

    fn out(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    fn options(&self, out: &str) -> ManyOptions {
        ManyOptions {
            sources: vec![self.source()],
            evaluate: EvaluateOptions {
                label_topic: Some("/said".to_owned()),
                ..EvaluateOptions::new("", self.out(out))
            },
            shard: Shard::WHOLE,
            resume: false,
        }
    }

    fn shards(&self, out: &str, of: usize) -> Vec<ManyOutcome> {
        let run = |number: usize| {
            let shard = format!("{number}/{of}").parse().unwrap();
            evaluate_many(&ManyOptions { shard, ..self.options(out) }, &mut Silent).unwrap()
        };
        // Not in the order of the recordings.
        (1..=of).rev().map(run).collect()
    }
}

fn report(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("report.json")).unwrap()).unwrap()
}

/// All figures: everything but what is different in every run.
fn figures(folder: &Path) -> Value {
    let mut report = report(folder);
    for key in ["timing", "provenance"] {
        assert!(report.as_object_mut().unwrap().remove(key).is_some());
    }
    report
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

#[test]
fn shards_make_the_report_of_one_run_and_of_the_recordings_alone() {
    let fixture = Fixture::new();
    let one = evaluate_many(&fixture.options("one"), &mut Silent).unwrap();
    assert_eq!((one.evaluated, one.resumed, one.recordings), (7, 0, 7));
    assert_eq!(one.report.unwrap().recordings, 7);
    let outcomes = fixture.shards("shards", 3);
    let counts: Vec<_> = outcomes.iter().map(|outcome| outcome.evaluated).collect();
    assert_eq!(counts, [2, 2, 3]);
    assert!(outcomes.iter().all(|outcome| outcome.report.is_none() && outcome.failed.is_empty()));
    let merged =
        merge(&[fixture.out("shards")], &fixture.out("report"), vec![], &mut Silent).unwrap();
    assert_eq!(merged.recordings, 7);
    let found = figures(&fixture.out("report"));
    assert_eq!(found, figures(&fixture.out("one")));
    // Byte by byte, and not only by value.
    let without_time = |name: &str| {
        let report = text(&fixture.out(name).join("report.json"));
        report[..report.find("\"timing\"").unwrap()].to_owned()
    };
    assert_eq!(without_time("report"), without_time("one"));

    // Against each recording evaluated by itself, by the counts of its own report.
    let mut matrix: Vec<Vec<u64>> = Vec::new();
    let (mut frames, mut labelled, mut ids, mut face_secs) = (0, 0, 0, 0.0);
    let mut delays = Vec::new();
    let names: Vec<String> = found["source"]["recordings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|recording| recording["name"].as_str().unwrap().to_owned())
        .collect();
    let expected: Vec<String> =
        [0, 2, 4, 6, 1, 3, 5].map(|n| format!("day{}/r{n}.mcap", n % 2)).into();
    assert_eq!(names, expected);
    for name in &names {
        let out = fixture.out("alone");
        let alone = EvaluateOptions {
            label_topic: Some("/said".to_owned()),
            ..EvaluateOptions::new(fixture.source().join(name), &out)
        };
        evaluate(&alone).unwrap();
        let (alone, kept) = (figures(&out), fixture.out("one/recordings").join(name));
        assert_eq!(alone, figures(&kept), "{name} has a report of its own");
        assert_eq!(text(&out.join("frames.csv")), text(&kept.join("frames.csv")));
        let model = &alone["models"][0];
        let rows: Vec<Vec<u64>> =
            serde_json::from_value(model["confusion_matrix"].clone()).unwrap();
        matrix.resize(rows.len(), vec![0; rows.len()]);
        for (sums, row) in matrix.iter_mut().zip(&rows) {
            sums.iter_mut().zip(row).for_each(|(sum, count)| *sum += count);
        }
        frames += alone["source"]["frames"].as_u64().unwrap();
        labelled += model["coverage"]["labelled"].as_u64().unwrap();
        ids += model["sequence"]["face_ids"].as_u64().unwrap();
        face_secs += model["sequence"]["face_secs"].as_f64().unwrap();
        let onsets = &model["sequence"]["onset_to_detection"];
        delays.push(onsets["segments"].as_u64().unwrap());
    }
    let model = &found["models"][0];
    assert_eq!(model["confusion_matrix"], serde_json::to_value(&matrix).unwrap());
    assert!(matrix.iter().flatten().sum::<u64>() > 20, "{matrix:?}");
    assert_eq!(found["source"]["frames"], frames);
    assert_eq!(model["coverage"]["labelled"], labelled);
    assert_eq!(model["sequence"]["face_ids"], ids);
    assert!((model["sequence"]["face_secs"].as_f64().unwrap() - face_secs).abs() < 1e-9);
    let segments = &model["sequence"]["onset_to_detection"]["segments"];
    assert_eq!(segments.as_u64().unwrap(), delays.iter().sum::<u64>());
    assert_eq!(found["source"]["kind"], "recordings");
    assert_eq!(found["source"]["path"], "corridor");
    assert_eq!(found["labels"]["kind"], "topic");
    // The word that is no label, in two recordings.
    let warnings = found["warnings"].as_array().unwrap();
    let unknown = warnings.iter().find(|warning| warning["kind"] == "unknown label").unwrap();
    assert_eq!(unknown["count"], 2);
    assert!(unknown["first"].as_str().unwrap().starts_with("day0/r2.mcap: "), "{unknown}");
    let page = text(&fixture.out("report/report.html"));
    assert!(page.contains("day1/r5.mcap"));
}

#[test]
fn the_results_of_one_recording_make_its_report() {
    let fixture = Fixture::new();
    let alone = fixture.out("alone");
    let source = fixture.source().join("day1/r1.mcap");
    let options = EvaluateOptions {
        label_topic: Some("/said".to_owned()),
        include_faces: true,
        ..EvaluateOptions::new(&source, &alone)
    };
    evaluate(&options).unwrap();
    let evaluate = EvaluateOptions { output: fixture.out("many"), ..options };
    let options = ManyOptions { sources: vec![source], evaluate, ..fixture.options("many") };
    evaluate_many(&options, &mut Silent).unwrap();
    let (alone, many) = (figures(&alone), figures(&fixture.out("many")));
    let mut models = many["models"].clone();
    let mistakes = models[0]["worst_mistakes"].as_array_mut().unwrap();
    assert!(!mistakes.is_empty());
    for mistake in mistakes {
        assert_eq!(mistake.as_object_mut().unwrap().remove("recording").unwrap(), "r1.mcap");
    }
    assert_eq!(models, alone["models"]);
    assert_eq!(many["classification_report"], alone["classification_report"]);
    // With the faces that were asked for.
    let images =
        |name: &str| text(&fixture.out(name).join("report.html")).matches("data:image/png").count();
    assert_eq!(images("many"), images("alone"));
    assert!(images("many") > 0);
}

#[test]
fn a_run_goes_on_where_it_was_cut_off() {
    let fixture = Fixture::new();
    evaluate_many(&fixture.options("one"), &mut Silent).unwrap();
    fixture.shards("cut", 2);
    let kept = fixture.out("cut/recordings");
    // As when it is killed: no result, or only part of one under another name.
    fs::remove_file(kept.join("day0/r0.mcap/result.msgpack.zst")).unwrap();
    let whole = kept.join("day1/r3.mcap/result.msgpack.zst");
    fs::rename(&whole, whole.with_extension("zst.part")).unwrap();
    let error = evaluate_many(&fixture.options("cut"), &mut Silent).unwrap_err().to_string();
    assert!(error.contains("expected --resume to go on with it"), "{error}");
    let missing = merge(&[fixture.out("cut")], &fixture.out("early"), vec![], &mut Silent).unwrap();
    assert_eq!(missing.recordings, 5);
    let found: Vec<_> = missing.warnings.iter().map(|w| (&*w.kind, w.count, &*w.first)).collect();
    assert_eq!(found[0], ("recording missing", 2, "day0/r0.mcap: no result yet"));
    let resume = ManyOptions { resume: true, ..fixture.options("cut") };
    let outcome = evaluate_many(&resume, &mut Silent).unwrap();
    assert_eq!((outcome.evaluated, outcome.resumed), (2, 5));
    assert_eq!(figures(&fixture.out("cut")), figures(&fixture.out("one")));
    // A recording that has changed since then is not taken for the one that was evaluated.
    record(&fixture.source().join("day0/r0.mcap"), 1);
    let outcome = evaluate_many(&resume, &mut Silent).unwrap();
    assert_eq!((outcome.evaluated, outcome.resumed), (1, 6));
    assert_ne!(figures(&fixture.out("cut")), figures(&fixture.out("one")));
    // Another model, or other recordings: other results.
    let mut other = fixture.options("cut");
    other.evaluate.label_topic = None;
    let error = evaluate_many(&other, &mut Silent).unwrap_err().to_string();
    assert!(error.contains("results with label_topic \"/said\", and this run has null"), "{error}");
    record(&fixture.source().join("day0/r10.mcap"), 1);
    let error = evaluate_many(&resume, &mut Silent).unwrap_err().to_string();
    let expected =
        "results of 7 recordings, and this run has 8, day0/r10.mcap in place of day0/r2.mcap";
    assert!(error.contains(expected), "{error}");
}

#[test]
fn recordings_that_fail_are_named_and_the_others_are_evaluated() {
    let fixture = Fixture::new();
    fs::write(fixture.source().join("day0/r3.mcap"), "no recording at all").unwrap();
    let mut empty = BagWriter::new();
    empty.add("/chatter", STRING, 0, &string_cdr("hello"));
    empty.save(&fixture.source().join("day2.mcap"));
    let outcome = evaluate_many(&fixture.options("out"), &mut Silent).unwrap();
    assert_eq!((outcome.evaluated, outcome.recordings), (7, 9));
    let failed: Vec<_> = outcome.failed.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(failed, ["day0/r3.mcap", "day2.mcap"]);
    let found = figures(&fixture.out("out"));
    let problem = |index: usize| found["source"]["recordings"][index]["problem"].as_str();
    assert!(problem(2).unwrap().contains("r3.mcap"), "{:?}", problem(2));
    assert_eq!(problem(0), None);
    assert!(!found.to_string().contains(fixture.temp.path().to_str().unwrap()));
    // A resumed run tries them again.
    record(&fixture.source().join("day0/r3.mcap"), 3);
    let resume = ManyOptions { resume: true, ..fixture.options("out") };
    let outcome = evaluate_many(&resume, &mut Silent).unwrap();
    assert_eq!((outcome.evaluated, outcome.resumed, outcome.failed.len()), (1, 7, 1));
    fs::remove_dir_all(fixture.out("out/recordings")).unwrap();
    let error = merge(&[fixture.out("out")], &fixture.out("out"), vec![], &mut Silent).unwrap_err();
    assert!(error.to_string().contains("none of its 9 recordings has a result"), "{error}");
}

#[test]
fn results_of_several_folders_are_put_together_if_they_belong_together() {
    let fixture = Fixture::new();
    evaluate_many(&fixture.options("one"), &mut Silent).unwrap();
    let run = |out: &str, shard: &str| {
        let shard = shard.parse().unwrap();
        evaluate_many(&ManyOptions { shard, ..fixture.options(out) }, &mut Silent).unwrap()
    };
    run("machine_a", "1/2");
    run("machine_b", "2/2");
    let folders = ["machine_b", "machine_a"].map(|name| fixture.out(name));
    merge(&folders, &fixture.out("both"), vec!["/home/anna/rapport".into()], &mut Silent).unwrap();
    assert_eq!(figures(&fixture.out("both")), figures(&fixture.out("one")));
    let provenance = &report(&fixture.out("both"))["provenance"];
    assert_eq!(provenance["command"][0], "rapport");
    assert_eq!(provenance["machines"][0][1], 7);
    let error = merge(&folders[..1], &fixture.out("machine_a"), vec![], &mut Silent).unwrap_err();
    assert!(error.to_string().contains("has results of its own"), "{error}");
    let mut other = fixture.options("other");
    other.evaluate.topic = Some("/camera/image_raw".to_owned());
    evaluate_many(&other, &mut Silent).unwrap();
    let folders = ["machine_a", "other"].map(|name| fixture.out(name));
    let error = merge(&folders, &fixture.out("both"), vec![], &mut Silent).unwrap_err().to_string();
    assert!(error.contains("expected results of the same options"), "{error}");
    let error = merge(&[fixture.source()], &fixture.out("both"), vec![], &mut Silent).unwrap_err();
    assert!(error.to_string().contains("corridor: no results, expected a folder"), "{error}");
}

#[test]
fn each_recording_has_labels_of_its_own() {
    let fixture = Fixture::new();
    let labels = fixture.out("labels");
    fs::create_dir_all(labels.join("day0")).unwrap();
    fs::write(labels.join("day0/r0.csv"), "start,end,label\n0,0.4,happy\n").unwrap();
    fs::write(labels.join("day0/r2.csv"), "frame,label\n2,sad\n").unwrap();
    let mut options = fixture.options("out");
    options.evaluate.label_topic = None;
    options.evaluate.labels = Some(labels.clone());
    evaluate_many(&options, &mut Silent).unwrap();
    let found = figures(&fixture.out("out"));
    assert_eq!(
        (&found["labels"]["kind"], &found["labels"]["count"]),
        (&"several".into(), &2.into())
    );
    let report = &found["classification_report"];
    assert_eq!((&report["happy"]["support"], &report["sad"]["support"]), (&3.into(), &1.into()));
    // Labels that were corrected since then are read anew.
    fs::write(labels.join("day0/r2.csv"), "frame,label\n2,sad\n3,sad\n4,sad\n").unwrap();
    let outcome =
        evaluate_many(&ManyOptions { resume: true, ..options.clone() }, &mut Silent).unwrap();
    assert_eq!((outcome.evaluated, outcome.resumed), (1, 6));
    options.evaluate.labels = Some(labels.join("day0/r0.csv"));
    let error = evaluate_many(&options, &mut Silent).unwrap_err().to_string();
    assert!(error.contains("r0.csv: found no folder, expected one with the labels"), "{error}");
}

fn rows(path: &Path) -> Vec<Row> {
    let reader = SerializedFileReader::new(fs::File::open(path).unwrap()).unwrap();
    reader.get_row_iter(None).unwrap().map(Result::unwrap).collect()
}

#[test]
fn the_table_of_faces_holds_what_frames_csv_holds() {
    let fixture = Fixture::new();
    let out = fixture.out("out");
    let options = EvaluateOptions {
        label_topic: Some("/said".to_owned()),
        parquet_group_rows: Some(3),
        ..EvaluateOptions::new(fixture.source().join("day0/r2.mcap"), &out)
    };
    let outcome = evaluate(&options).unwrap();
    assert_eq!(outcome.faces_parquet.as_deref(), Some(&*out.join("faces.parquet")));
    assert!(!out.join("faces.parts").exists());
    let mut csv = csv::Reader::from_path(out.join("frames.csv")).unwrap();
    let expected: Vec<HashMap<String, String>> = csv.deserialize().map(Result::unwrap).collect();
    let expected: Vec<_> =
        expected.into_iter().filter(|row| !row["predicted"].is_empty()).collect();
    let rows = rows(&out.join("faces.parquet"));
    assert_eq!(rows.len(), expected.len());
    assert!(rows.len() > 4);
    for (row, expected) in rows.iter().zip(&expected) {
        let fields: HashMap<&str, &Field> =
            row.get_column_iter().map(|(name, field)| (name.as_str(), field)).collect();
        let text = |name: &str| match fields[name] {
            Field::Str(text) => text.clone(),
            Field::Null => String::new(),
            Field::Long(number) => number.to_string(),
            Field::Float(number) => number.to_string(),
            Field::Double(number) => format!("{number:.6}"),
            other => panic!("{name} is {other:?}"),
        };
        for name in ["model", "frame", "source", "face_id", "label", "predicted", "predicted_raw"] {
            assert_eq!(text(name), expected[name], "{name}");
        }
        assert_eq!(text("confidence"), expected["confidence"]);
        assert_eq!(text("time_secs"), expected["time"]);
        assert_eq!(text("recording"), "r2.mcap");
        assert_eq!(text("p_happy"), expected["happy"]);
        let roi =
            ["x", "y", "width", "height"].map(|side| match fields[&*format!("roi_{side}_px")] {
                Field::Float(px) => format!("{px:.1}"),
                other => panic!("{other:?}"),
            });
        assert_eq!(roi.join(" "), expected["roi"]);
        assert!(matches!(fields["nose_x_px"], Field::Float(px) if *px > 0.0));
        assert!(matches!(fields["yaw_deg"], Field::Float(_)));
        assert_eq!(fields["distance_m"], &Field::Null, "the camera is not known");
        assert!(matches!(fields["valence"], Field::Float(valence) if *valence > 0.0));
    }
}
