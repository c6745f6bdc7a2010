//! How sure figures are: intervals, models and groups side by side, valence and arousal, in the files
//! that `rapport evaluate` writes.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod common;

use std::fs;
use std::path::Path;

use common::{evaluate, outcome, warnings};
use image::imageops::{FilterType, crop_imm, grayscale, resize};
use rapport_test_support::bags::{BagWriter, IMAGE, image_cdr};
use rapport_test_support::{in_repository, picture};
use serde_json::Value;

/// A face as a row of FER2013 has it: 48x48 grey, darker by a part.
fn pixels(name: &str, x: u32, y: u32, side: u32, light: f32) -> String {
    let cut = crop_imm(&picture(name), x, y, side, side).to_image();
    let face = grayscale(&resize(&cut, 48, 48, FilterType::Triangle)).into_raw();
    let pixels = face.into_iter().map(|value| ((f32::from(value) * light) as u8).to_string());
    pixels.collect::<Vec<_>>().join(" ")
}

const VOTES_HEADER: &str =
    "row,Usage,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n";

/// Twelve faces, bright and dim, with labels, ages, valence and votes; some labels are wrong.
fn faces() -> (String, String) {
    let mut rows = "emotion,pixels,Usage,light,age,valence,arousal\n".to_owned();
    let mut votes = VOTES_HEADER.to_owned();
    for index in 0..12 {
        let (light, part) = if index % 3 == 0 { ("dim", 0.3) } else { ("bright", 1.0) };
        let (label, face, vote, valence) = match index % 2 {
            0 => {
                (3, pixels("astronaut.jpg", 168 + index, 55, 120, part), "1,8,1,0,0,0,0,0,0,0", 0.8)
            }
            _ => {
                (6, pixels("hopper.jpg", 180 + index, 121, 190, part), "5,0,0,5,0,0,0,0,0,0", -0.1)
            }
        };
        // Two faces that the challenge would label as something else.
        let label = if index > 9 { 4 } else { label };
        let age = 21 + 3 * index;
        rows += &format!("{label},{face},PublicTest,{light},{age},{valence},-2\n");
        votes += &format!("{index},PublicTest,{vote}\n");
    }
    (rows, votes)
}

fn at<'a>(report: &'a Value, pointer: &str) -> &'a Value {
    report.pointer(pointer).unwrap_or_else(|| panic!("{pointer}: {report}"))
}

/// The main figures and where else the report has them.
const SAME: [(&str, &str); 22] = [
    ("accuracy", "/classification_report/accuracy"),
    ("accuracy_raw", "/classification_report_raw/accuracy"),
    ("macro_f1", "/classification_report/macro avg/f1-score"),
    ("roc_auc_macro", "/roc_auc_macro"),
    ("average_precision_macro", "/average_precision_macro"),
    ("expected_calibration_error", "/calibration/expected_calibration_error"),
    ("coverage", "/coverage/share"),
    ("label_flips_per_minute_raw", "/sequence/label_flips_per_minute/raw"),
    ("label_flips_per_minute", "/sequence/label_flips_per_minute/smoothed"),
    ("onset_to_detection_median_secs", "/sequence/onset_to_detection/smoothed/median_secs"),
    ("ferplus_accuracy", "/ferplus/decision/accuracy"),
    ("ferplus_macro_f1", "/ferplus/decision/macro_f1"),
    ("ferplus_neutral_as_negative", "/ferplus/decision/neutral_as_negative"),
    ("ferplus_accuracy_sure", "/ferplus/decision/accuracy_sure"),
    ("ferplus_expected_calibration_error", "/ferplus/decision/expected_calibration_error"),
    ("ferplus_cross_entropy", "/ferplus/cross_entropy"),
    ("ferplus_entropy_of_votes", "/ferplus/entropy_of_votes"),
    ("soft_cross_entropy", "/soft_labels/cross_entropy"),
    ("soft_jensen_shannon", "/soft_labels/jensen_shannon"),
    ("soft_votes_for_label", "/soft_labels/votes_for_label"),
    ("valence_ccc", "/affect/valence/ccc"),
    ("arousal_ccc", "/affect/arousal/ccc"),
];

/// Every main figure is the one that the report has elsewhere, inside its interval. Says how many.
#[track_caller]
fn check_intervals(model: &Value) -> usize {
    let intervals = model["intervals"].as_object().unwrap();
    let mut compared = 0;
    for (key, pointer) in SAME {
        let elsewhere = model.pointer(pointer).and_then(Value::as_f64);
        let found = intervals.get(key).map(|found| found["estimate"].as_f64().unwrap());
        assert_eq!(found.is_some(), elsewhere.is_some(), "{key}");
        let Some((found, elsewhere)) = found.zip(elsewhere) else { continue };
        assert!((found - elsewhere).abs() < 1e-9, "{key}: {found} for {elsewhere}");
        if let (Some(lower), Some(upper)) =
            (intervals[key]["lower"].as_f64(), intervals[key]["upper"].as_f64())
        {
            assert!(lower <= found && found <= upper, "{key}: {found} in {lower} to {upper}");
            compared += 1;
        }
    }
    compared
}

#[test]
fn every_main_figure_of_pictures_has_an_interval() {
    let temp = tempfile::tempdir().unwrap();
    let file = |name: &str| temp.path().join(name).to_str().unwrap().to_owned();
    let (csv, votes, out) = (file("faces.csv"), file("votes.csv"), temp.path().join("out"));
    let (rows, counts) = faces();
    fs::write(&csv, rows).unwrap();
    fs::write(&votes, counts).unwrap();
    let models = ["models/emotion.onnx", "models/paper_cnn.onnx"].map(in_repository);
    let [model, other] = models.map(|path| path.to_str().unwrap().to_owned());
    let arguments = [&csv, "--votes", &votes, "--model", &model, "--model", &other];
    let (found, report) = outcome(&out, &arguments).unwrap();
    let statistics = at(&report, "/statistics");
    assert_eq!((&statistics["unit"], &statistics["units"]), (&"picture".into(), &12.into()));
    assert_eq!(statistics["resamples"], 2000);
    let [first, second] = [0, 1].map(|index| &report["models"][index]);
    assert!(check_intervals(first) >= 8, "{}", first["intervals"]);
    check_intervals(second);
    // Every second picture has no majority, but votes.
    assert_eq!(
        (&first["ferplus"]["images"], &first["soft_labels"]["images"]),
        (&6.into(), &12.into())
    );
    assert_eq!(at(first, "/affect/valence/n"), 12);
    assert!(at(first, "/affect/arousal").is_null(), "-2 is AffectNet's sign for none");

    let comparison = at(&report, "/comparisons/0");
    assert_eq!(
        (&comparison["baseline"], &comparison["model"]),
        (&"emotion".into(), &"paper_cnn".into())
    );
    let test = &comparison["mcnemar"];
    let counts = ["both_right", "only_first_right", "only_second_right", "both_wrong"];
    let counts = counts.map(|key| test[key].as_u64().unwrap());
    assert_eq!(counts.iter().sum::<u64>(), 12);
    let accuracy = |model: &Value| at(model, "/intervals/accuracy/estimate").as_f64().unwrap();
    let difference = at(comparison, "/differences/accuracy/estimate").as_f64().unwrap();
    assert!((difference - (accuracy(second) - accuracy(first))).abs() < 1e-12);
    let by_counts = (counts[2] as f64 - counts[1] as f64) / 12.0;
    assert!((difference - by_counts).abs() < 1e-12);
    assert!(comparison["mcnemar_ferplus"].is_object());

    let groups = at(first, "/groups");
    let faces = |group: &str| groups.pointer(&format!("{group}/faces")).and_then(Value::as_u64);
    assert_eq!((faces("/light/dim"), faces("/light/bright")), (Some(4), Some(8)));
    assert_eq!((faces("/age/20 to 29"), faces("/age/30 to 39")), (Some(3), Some(4)));
    assert!(at(groups, "/light/dim/accuracy/lower").is_null(), "four pictures are too few");
    assert!(at(groups, "/light/bright/accuracy_less_others/estimate").is_f64());

    let page = fs::read_to_string(&found.report_html).unwrap();
    for expected in [
        "paper_cnn less emotion",
        "By light",
        "By age",
        "Valence and arousal",
        "soft labels",
        "McNemar",
    ] {
        assert!(page.contains(expected), "{expected}");
    }
    let table = &found.table;
    for expected in [
        "Intervals: 95 %, bootstrap, 2000 samples of 12 pictures, seed 1.",
        "paper_cnn less emotion",
        "McNemar",
        "soft labels: Jensen-Shannon",
        "valence: concordance",
        "20 to 29",
    ] {
        assert!(table.contains(expected), "{expected}: {table}");
    }
}

#[test]
fn the_seed_decides_and_nothing_else() {
    let temp = tempfile::tempdir().unwrap();
    let csv = temp.path().join("faces.csv");
    fs::write(&csv, faces().0).unwrap();
    let run = |name: &str, arguments: &[&str]| {
        let arguments = [&[csv.to_str().unwrap()], arguments].concat();
        evaluate(&temp.path().join(name), &arguments).unwrap().1
    };
    let intervals = |report: &Value| at(report, "/models/0/intervals").clone();
    let (first, again) = (run("a", &[]), run("b", &["--seed", "1"]));
    assert_eq!(intervals(&first), intervals(&again));
    let other = run("c", &["--seed", "2", "--resamples", "300"]);
    assert_ne!(intervals(&first), intervals(&other));
    let none = run("d", &["--resamples", "0"]);
    assert!(at(&none, "/models/0/intervals/accuracy/lower").is_null());
    assert_eq!(
        at(&none, "/models/0/intervals/accuracy/estimate"),
        at(&first, "/models/0/intervals/accuracy/estimate")
    );
    assert_eq!(none["comparisons"], Value::Array(Vec::new()));
}

/// Pictures in folders and beside them.
fn people(root: &Path) {
    for (place, name) in [
        ("happy/a.jpg", "astronaut.jpg"),
        ("b.png", "astronaut_face_60px.png"),
        ("neutral/c.jpg", "hopper.jpg"),
        ("some/d.jpg", "hopper.jpg"),
    ] {
        let path = root.join(place);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::copy(in_repository("tests/pictures").join(name), path).unwrap();
    }
}

#[test]
fn a_csv_names_the_pictures_of_a_folder() {
    let temp = tempfile::tempdir().unwrap();
    let (root, csv) = (temp.path().join("people"), temp.path().join("pictures.csv"));
    people(&root);
    let run = |text: &str, more: &[&str]| {
        fs::write(&csv, text).unwrap();
        let arguments =
            [&[root.to_str().unwrap(), "--labels", csv.to_str().unwrap()], more].concat();
        evaluate(&temp.path().join("out"), &arguments)
    };
    // The folder's name where there is no label; only valence; one that is not there.
    let (code, report) = run(
        "source;label;age;light;subject;valence;arousal\n\
         happy/a.jpg;;34;bright;ann;0,75;0,5\n\
         b.png;joy;34;dim;ann;0,5;0,25\n\
         b.png;joy;34;dim;ann;0,5;0,25\n\
         neutral/c.jpg;;85;bright;bo;0;-0,5\n\
         some/d.jpg;;85;dim;bo;-0,25;-0,25\n\
         happy/gone.jpg;;;;;;\n",
        &[],
    )
    .unwrap();
    assert_eq!(code, 3);
    let found = warnings(&report);
    assert_eq!((found.len(), found[0].0), (1, "picture not read"), "{found:?}");
    assert_eq!(report["labels"]["kind"], "pictures");
    assert_eq!(report["source"]["frames_used"], 4);
    let model = at(&report, "/models/0");
    assert_eq!(at(model, "/classification_report/happy/support"), 2);
    assert_eq!(at(model, "/classification_report/neutral/support"), 1, "d has no label");
    assert_eq!(at(model, "/affect/valence/n"), 4);
    assert!(at(model, "/affect/source").as_str().unwrap().contains("Mehrabian"));
    let statistics = at(&report, "/statistics");
    assert_eq!((&statistics["unit"], &statistics["units"]), (&"subject".into(), &2.into()));
    assert_eq!(at(model, "/groups/age/30 to 39/units"), 1, "both are of one subject");
    assert_eq!(at(model, "/groups/age/80 to 89/faces"), 1);

    let (_, report) = run("source,label,hat\nb.png,happy,yes\n", &["--group", "hat"]).unwrap();
    assert_eq!(at(&report, "/models/0/groups/hat/yes/accuracy/estimate"), 1.0);
    assert!(at(&report, "/models/0/groups/hat/yes/accuracy_less_others").is_null());
    let (_, report) = run("source,label\nb.png,happy\nb.png,sad\nsome/d.jpg,\n", &[]).unwrap();
    let found = warnings(&report);
    assert_eq!(
        found.iter().map(|w| w.0).collect::<Vec<_>>(),
        ["overlapping labels", "picture without a label"]
    );
    assert_eq!(report["source"]["frames"], 1);

    for (text, more, expected) in [
        ("picture,label\n", &[][..], "columns are `picture,label`, expected `source,label`"),
        ("source,label\n../x.png,sad\n", &[], "line 2: source is `../x.png`, expected the path"),
        ("source,label\n/x.png,sad\n", &[], "line 2: source is `/x.png`"),
        ("source,label\n", &[], "found no labelled picture in it"),
        ("source,label\nb.png,bored\n", &[], "none of its 1 labels is known, found `bored`"),
        ("source,label\nb.png,sad\n", &["--group", "hat"], "expected one named `hat` for --group"),
        (
            "source,valence\nb.png,3\n",
            &[],
            "line 2: valence is `3`, expected a number from -1 to 1",
        ),
    ] {
        let error = format!("{:#}", run(text, more).unwrap_err());
        assert!(error.contains("pictures.csv") && error.contains(expected), "{error}");
    }
    let arguments = [root.to_str().unwrap(), "--group", "hat"];
    let error = evaluate(&temp.path().join("out"), &arguments).unwrap_err().to_string();
    assert!(error.contains("--group is given without --labels"), "{error}");
    let many: String = (0..40).map(|n| format!("p{n}.png,happy,note {n}\n")).collect();
    let (_, report) = run(&format!("source,label,light\nb.png,happy,dim\n{many}"), &[]).unwrap();
    // The pictures that are not there say nothing about groups.
    assert_eq!(at(&report, "/models/0/groups/light/dim/faces"), 1);
}

/// 24 images of a smile, 5 s apart.
fn recording(path: &Path) {
    let smile = image_cdr_at(picture("astronaut_face_60px.png"));
    let mut bag = BagWriter::new();
    for index in 0..24 {
        bag.add("/camera/image_raw", IMAGE, index * 5000, &smile(index * 5000));
    }
    bag.save(path);
}

fn image_cdr_at(picture: image::RgbImage) -> impl Fn(u64) -> Vec<u8> {
    move |stamp_ms| image_cdr(&picture, stamp_ms)
}

#[test]
fn a_recording_is_drawn_by_stretches_and_its_labels_may_name_groups() {
    let temp = tempfile::tempdir().unwrap();
    let (bag, csv) = (temp.path().join("bag.mcap"), temp.path().join("labels.csv"));
    let out = temp.path().join("out");
    recording(&bag);
    let run = |text: &str| {
        fs::write(&csv, text).unwrap();
        evaluate(&out, &[bag.to_str().unwrap(), "--labels", csv.to_str().unwrap()])
    };
    let (_, report) = run("start,end,label,light,valence,arousal\n\
         0,60,happy,bright,0.9,0.5\n\
         60,90,neutral,bright,0.1,-0.5\n\
         90,120,happy,dim,0.8,\n")
    .unwrap();
    let statistics = at(&report, "/statistics");
    assert_eq!((&statistics["unit"], &statistics["units"]), (&"stretch".into(), &12.into()));
    let model = at(&report, "/models/0");
    assert!(check_intervals(model) >= 3, "{}", model["intervals"]);
    assert_eq!(at(model, "/intervals/expressions_detected/estimate").as_f64(), Some(2.0 / 3.0));
    assert!(at(model, "/intervals/accuracy/lower").is_f64());
    // The first image shows a face that is reported from the second on.
    assert_eq!(at(model, "/groups/light/bright/faces"), 17);
    assert_eq!(at(model, "/groups/light/bright/units"), 9);
    assert_eq!(
        (at(model, "/affect/valence/n"), at(model, "/affect/arousal/n")),
        (&23.into(), &17.into())
    );

    // Valence alone, and rows that overlap: two say another valence where they do.
    let (_, report) = run("start,end,valence\n0,60,0.5\n30,60,0.25\n60,90,0.5\n").unwrap();
    assert_eq!(warnings(&report), []);
    let model = at(&report, "/models/0");
    assert_eq!(at(model, "/affect/valence/n"), 11);
    assert!(model["classification_report"].is_null());
    let frames: String = (0..24).map(|frame| format!("{frame},0.{frame:02}\n")).collect();
    let (_, report) = run(&format!("frame,arousal\n{frames}")).unwrap();
    assert_eq!(at(&report, "/models/0/affect/arousal/n"), 23);
    assert!(at(&report, "/models/0/intervals/arousal_ccc/estimate").is_f64());
    let error = format!("{:#}", run("start,end,label,arousal\n0,1,sad,loud\n").unwrap_err());
    assert!(error.contains("line 2: arousal is `loud`, expected a number from -1 to 1"), "{error}");
}
