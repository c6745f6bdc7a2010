//! `rapport evaluate` on folders of pictures and on FER2013's CSV.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod common;

use std::fs;
use std::io::Write;
use std::path::Path;

use common::{evaluate, frames, outcome, warnings};
use image::imageops::{FilterType, crop_imm, grayscale, resize};
use ndarray::Array4;
use rapport_perception::classify::EmotionNet;
use rapport_perception::onnx::RuntimeOptions;
use rapport_test_support::{in_repository, picture};
use rapport_vocabulary::Emotion;

/// Two pictures with faces and one without, each in the folder of a label.
fn folder(root: &Path) {
    for (label, name) in [
        ("happy", "astronaut.jpg"),
        ("Happiness", "astronaut_face_60px.png"),
        ("neutral", "hopper.jpg"),
        ("surprised", "rocket.jpg"),
    ] {
        fs::create_dir_all(root.join(label)).unwrap();
        fs::copy(in_repository("tests/pictures").join(name), root.join(label).join(name)).unwrap();
    }
}

#[test]
fn a_folder_is_judged_by_the_names_of_its_folders() {
    let temp = tempfile::tempdir().unwrap();
    let (root, out) = (temp.path().join("people"), temp.path().join("out"));
    folder(&root);
    let (code, report) = evaluate(&out, &[root.to_str().unwrap()]).unwrap();
    assert_eq!(code, 0, "{:?}", warnings(&report));
    assert_eq!(report["source"]["frames_used"], 4);
    let model = &report["models"][0];
    // The rocket has no face, so nothing is predicted for it.
    let coverage = &model["coverage"];
    assert_eq!((coverage["labelled"].as_u64(), coverage["found"].as_u64()), (Some(4), Some(3)));
    let happy = Emotion::Happy as usize;
    assert_eq!(model["confusion_matrix"][happy][happy], 2);
    let found = &report["classification_report"];
    assert_eq!(found["happy"]["support"], 2);
    assert_eq!(found["happy"]["recall"], 1.0);
    assert!(found.get("surprise").is_none(), "nobody showed it and nobody read it: {found}");
    assert_eq!(model["classification_report"], *found);
    let rows = frames(&out);
    let places: Vec<_> = rows.iter().map(|r| (r["source"].as_str(), r["label"].as_str())).collect();
    assert_eq!(
        places,
        [
            ("Happiness/astronaut_face_60px.png", "happy"),
            ("happy/astronaut.jpg", "happy"),
            ("neutral/hopper.jpg", "neutral"),
            ("surprised/rocket.jpg", "surprise"),
        ]
    );
    assert_eq!(rows[3]["predicted"], "");
    let page = fs::read_to_string(out.join("report.html")).unwrap();
    assert!(page.contains("<svg") && !page.contains("http://") && !page.contains("https://"));
    assert!(!page.contains("data:image"), "no face unless asked");
}

#[test]
fn what_cannot_be_read_is_counted_and_nothing_else_is_lost() {
    let temp = tempfile::tempdir().unwrap();
    let (root, out) = (temp.path().join("people"), temp.path().join("out"));
    folder(&root);
    fs::write(root.join("happy").join("notes.txt"), "no picture").unwrap();
    let whole = fs::read(in_repository("tests/pictures/hopper.jpg")).unwrap();
    fs::write(root.join("neutral").join("cut.jpg"), &whole[..200]).unwrap();
    fs::create_dir(root.join("bored")).unwrap();
    let (code, report) = evaluate(&out, &[root.to_str().unwrap()]).unwrap();
    assert_eq!(code, 3);
    assert_eq!(
        (&report["source"]["frames"], &report["source"]["frames_used"]),
        (&6.into(), &4.into())
    );
    let found = warnings(&report);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].2.contains("bored") && found[0].1 == 1);
    assert!(found[1].2.contains("notes.txt") && found[1].1 == 2, "{found:?}");

    let empty = temp.path().join("empty");
    fs::create_dir_all(empty.join("bored")).unwrap();
    let error = evaluate(&out, &[empty.to_str().unwrap()]).unwrap_err().to_string();
    assert!(error.contains("bored") && error.contains("angry, disgust"), "{error}");
}

#[test]
fn nested_folders_and_broken_links_are_counted() {
    let temp = tempfile::tempdir().unwrap();
    let (root, out) = (temp.path().join("people"), temp.path().join("out"));
    folder(&root);
    let nested = root.join("happy").join("S010");
    fs::create_dir(&nested).unwrap();
    fs::copy(root.join("happy/astronaut.jpg"), nested.join("b.jpg")).unwrap();
    std::os::unix::fs::symlink("../.git/annex/objects/d.jpg", root.join("happy/d.jpg")).unwrap();
    std::os::unix::fs::symlink("nowhere", root.join("sad")).unwrap();
    let (code, report) = evaluate(&out, &[root.to_str().unwrap()]).unwrap();
    assert_eq!((code, &report["source"]["frames_used"]), (3, &4.into()));
    let found = warnings(&report);
    let texts: Vec<_> = found.iter().map(|warning| (warning.0, warning.2)).collect();
    assert_eq!(texts[0], ("folder left out", "sad: broken link"), "{found:?}");
    assert!(texts[1].0 == "nested folder left out" && texts[1].1.contains("happy/S010"));
    assert!(texts[2].0 == "picture not read" && texts[2].1.contains("happy/d.jpg: broken link"));

    // A data set divided into parts: one of them is meant.
    let divided = temp.path().join("divided");
    folder(&divided.join("train"));
    folder(&divided.join("test"));
    let error = evaluate(&out, &[divided.to_str().unwrap()]).unwrap_err().to_string();
    assert!(error.contains("folders test, train"), "{error}");
    assert!(error.contains("divided/test has such folders: evaluate it by itself"), "{error}");
}

#[test]
fn folders_may_have_numbers_and_pictures_any_format() {
    let temp = tempfile::tempdir().unwrap();
    let (root, out) = (temp.path().join("people"), temp.path().join("out"));
    for (label, name) in [("3", "astronaut.jpg"), ("6", "hopper.jpg")] {
        fs::create_dir_all(root.join(label)).unwrap();
        for ending in ["webp", "tiff", "bmp", "ppm"] {
            picture(name).save(root.join(label).join("a").with_extension(ending)).unwrap();
        }
    }
    let (code, report) = evaluate(&out, &[root.to_str().unwrap()]).unwrap();
    assert_eq!((code, &report["source"]["frames_used"]), (3, &8.into()));
    let found = warnings(&report);
    assert_eq!((found.len(), found[0].0), (1, "class numbers"), "{found:?}");
    assert_eq!(report["classification_report"]["happy"]["recall"], 1.0);
    assert_eq!(report["classification_report"]["neutral"]["support"], 4);
}

#[test]
fn two_runs_write_the_same_but_for_time_and_provenance() {
    let temp = tempfile::tempdir().unwrap();
    let root = temp.path().join("people");
    folder(&root);
    let run = |name: &str| {
        let out = temp.path().join(name);
        let (_, mut report) = evaluate(&out, &[root.to_str().unwrap()]).unwrap();
        for key in ["timing", "provenance"] {
            assert!(report.as_object_mut().unwrap().remove(key).is_some());
        }
        let rows = fs::read(out.join("frames.csv")).unwrap();
        (serde_json::to_string(&report).unwrap(), rows)
    };
    assert_eq!(run("first"), run("second"));
}

/// The largest face of a picture as FER2013 would have it: 48x48 grey.
fn face_48px(name: &str, x: u32, y: u32, side: u32) -> Vec<u8> {
    let cut = crop_imm(&picture(name), x, y, side, side).to_image();
    grayscale(&resize(&cut, 48, 48, FilterType::Triangle)).into_raw()
}

fn fer2013() -> String {
    let pixels = |face: &[u8]| face.iter().map(u8::to_string).collect::<Vec<_>>().join(" ");
    let smile = pixels(&face_48px("astronaut.jpg", 172, 55, 120));
    let stern = pixels(&face_48px("hopper.jpg", 183, 121, 190));
    // The challenge counts angry, disgust, fear, happy, sad, surprise, neutral.
    format!(
        "emotion,pixels,Usage\n3,{smile},Training\n3,{smile},PublicTest\n6,{stern},PublicTest\n\
         4,{smile},PublicTest\n"
    )
}

#[test]
fn fer2013_goes_to_the_network_as_it_is() {
    let temp = tempfile::tempdir().unwrap();
    let (csv, out) = (temp.path().join("fer2013.csv"), temp.path().join("out"));
    fs::write(&csv, fer2013()).unwrap();
    let (code, report) = evaluate(&out, &[csv.to_str().unwrap()]).unwrap();
    assert_eq!(code, 0, "{:?}", warnings(&report));
    assert_eq!(report["source"]["frames"], 3, "only PublicTest");
    let rows = frames(&out);
    assert_eq!(
        rows.iter().map(|r| r["label"].as_str()).collect::<Vec<_>>(),
        ["happy", "neutral", "sad"]
    );
    assert_eq!(rows[0]["source"], "line 3");

    let model = in_repository("models/emotion.onnx");
    let mut net = EmotionNet::load(&model, &RuntimeOptions::default()).unwrap();
    let face = face_48px("astronaut.jpg", 172, 55, 120);
    let face = Array4::from_shape_fn((1, 1, 48, 48), |(_, _, y, x)| f32::from(face[y * 48 + x]));
    let expected = net.classify(face.view()).unwrap()[0];
    for emotion in net.labels().clone().iter() {
        let found: f32 = rows[0][emotion.as_str()].parse().unwrap();
        assert_eq!(found, expected.of(emotion), "{emotion}");
    }
    // The same smile was called happy and sad: one of the two is a mistake.
    let mistakes = report["models"][0]["worst_mistakes"].as_array().unwrap();
    assert!(
        mistakes.iter().any(|m| m["truth"] == "sad" && m["source"] == "line 5"),
        "{mistakes:?}"
    );
}

#[test]
fn fer2013_is_read_packed_too_and_a_cut_file_says_so() {
    let temp = tempfile::tempdir().unwrap();
    let (packed, out) = (temp.path().join("fer2013.csv.xz"), temp.path().join("out"));
    let mut writer =
        lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::default()).unwrap();
    writer.write_all(fer2013().as_bytes()).unwrap();
    let bytes = writer.finish().unwrap();
    fs::write(&packed, &bytes).unwrap();
    let (code, report) = evaluate(&out, &[packed.to_str().unwrap()]).unwrap();
    assert_eq!((code, &report["source"]["frames_used"]), (0, &3.into()));

    fs::write(&packed, &bytes[..bytes.len() / 2]).unwrap();
    match evaluate(&out, &[packed.to_str().unwrap()]) {
        Ok((code, report)) => {
            assert_eq!(code, 3);
            assert!(warnings(&report).iter().any(|w| w.0 == "file ends early"));
        }
        Err(error) => assert!(error.to_string().contains("fer2013.csv.xz"), "{error}"),
    }
}

#[test]
fn wrong_rows_and_columns_are_named() {
    let temp = tempfile::tempdir().unwrap();
    let (csv, out) = (temp.path().join("fer.csv"), temp.path().join("out"));
    let fails = |text: &str, arguments: &[&str]| {
        fs::write(&csv, text).unwrap();
        let arguments = [&[csv.to_str().unwrap()], arguments].concat();
        evaluate(&out, &arguments).unwrap_err().to_string()
    };
    let error = fails("emotion,Usage\n3,PublicTest\n", &[]);
    assert!(
        error.contains("columns are `emotion,Usage`, expected `emotion,pixels,Usage`"),
        "{error}"
    );
    let error = fails(&fer2013(), &["--usage", "PrivateTest"]);
    assert!(error.contains("no rows with Usage PrivateTest"), "{error}");
    let error = fails(&fer2013(), &["--labels", "labels.csv"]);
    assert!(error.contains("--labels does not go with"), "{error}");
    let error = fails("emotion,pixels,Usage\n3,1 2 3,PublicTest\n", &[]);
    assert!(error.contains("line 2: 3 pixels, expected 2304"), "{error}");
    let endless = format!("emotion,pixels,Usage\n3,{}", "1 ".repeat(100_000));
    assert!(fails(&endless, &[]).contains("line of over 65536 bytes"));

    let wrong = fer2013() + "9,1,PublicTest\n3,256,PublicTest\n3,PublicTest\n";
    fs::write(&csv, wrong).unwrap();
    let (code, report) = evaluate(&out, &[csv.to_str().unwrap()]).unwrap();
    assert_eq!((code, &report["source"]["frames_used"]), (3, &3.into()));
    let found = warnings(&report);
    assert_eq!((found[0].0, found[0].1), ("row not read", 3), "{found:?}");
    assert!(found[0].2.contains("line 6: emotion is `9`, expected 0 to 6"), "{found:?}");
}

#[test]
fn models_are_compared_side_by_side() {
    let temp = tempfile::tempdir().unwrap();
    let (csv, out) = (temp.path().join("fer.csv"), temp.path().join("out"));
    fs::write(&csv, fer2013()).unwrap();
    let model = in_repository("models/emotion.onnx");
    let model = model.to_str().unwrap();
    let arguments = [csv.to_str().unwrap(), "--model", model, "--model", model];
    let (_, report) = evaluate(&out, &arguments).unwrap();
    let [first, second] = &report["models"].as_array().unwrap()[..] else { panic!("two models") };
    assert_eq!((&first["name"], &second["name"]), (&"emotion".into(), &"emotion-2".into()));
    assert_eq!(first["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(first["classification_report"], second["classification_report"]);
    assert_eq!(frames(&out).len(), 6, "a row for each model and picture");
}

/// The labels of a report, in the order of its lists.
fn names(report: &serde_json::Value) -> Vec<&str> {
    report["labels"]["names"].as_array().unwrap().iter().map(|n| n.as_str().unwrap()).collect()
}

const SEVEN: [&str; 7] = ["angry", "disgust", "fear", "happy", "neutral", "sad", "surprise"];

#[test]
fn classes_are_the_labels_of_the_model_and_those_given() {
    let temp = tempfile::tempdir().unwrap();
    let (root, out) = (temp.path().join("people"), temp.path().join("out"));
    folder(&root);
    let seven = in_repository("models/fer2013.onnx");
    let (_, report) =
        evaluate(&out, &[root.to_str().unwrap(), "--model", seven.to_str().unwrap()]).unwrap();
    assert_eq!(report["format_version"], 2);
    assert_eq!(names(&report), SEVEN);
    assert_eq!(report["models"][0]["labels"].as_array().unwrap().len(), 7);
    let page = || fs::read_to_string(out.join("report.html")).unwrap();
    assert!(!page().contains("contempt"), "nobody has it");

    // A label that the model lacks counts as wrong and is warned of.
    fs::create_dir(root.join("contempt")).unwrap();
    fs::copy(in_repository("tests/pictures/hopper.jpg"), root.join("contempt/hopper.jpg")).unwrap();
    let (code, report) =
        evaluate(&out, &[root.to_str().unwrap(), "--model", seven.to_str().unwrap()]).unwrap();
    assert_eq!(code, 3);
    let found = warnings(&report);
    assert_eq!((found[0].0, found[0].1), ("label that the model lacks", 1), "{found:?}");
    assert!(found[0].2.contains("1 faces are labelled contempt, which fer2013 does not have"));
    assert_eq!(names(&report), [&SEVEN[..], &["contempt"]].concat());
    let model = &report["models"][0];
    let matrix = model["confusion_matrix"].as_array().unwrap();
    assert_eq!((matrix.len(), matrix[7].as_array().unwrap().len()), (8, 8));
    let read_as: u64 = matrix[7].as_array().unwrap().iter().map(|c| c.as_u64().unwrap()).sum();
    assert_eq!((read_as, &matrix[7][7]), (1, &0.into()));
    assert_eq!(report["classification_report"]["contempt"]["recall"], 0.0);
    assert_eq!(report["classification_report"]["accuracy"], 0.75);
    assert!(model["roc"]["contempt"].is_null() && model["roc"].get("contempt").is_some());
    assert!(!frames(&out)[0].contains_key("contempt"), "no model has a probability of it");
    assert!(page().contains("contempt"));
}

/// A network with these labels in its sidecar.
fn model_with_sidecar(folder: &Path, name: &str, change: impl Fn(&str) -> String) -> String {
    let models = in_repository("tests/models");
    let to = folder.join(format!("{name}.onnx"));
    fs::copy(models.join(format!("{name}.onnx")), &to).unwrap();
    let sidecar = fs::read_to_string(models.join(format!("{name}.yaml"))).unwrap();
    fs::write(to.with_extension("yaml"), change(&sidecar)).unwrap();
    to.to_str().unwrap().to_owned()
}

#[test]
fn models_of_different_labels_share_a_report() {
    let temp = tempfile::tempdir().unwrap();
    let (csv, out) = (temp.path().join("fer.csv"), temp.path().join("out"));
    fs::write(&csv, fer2013()).unwrap();
    let eight =
        model_with_sidecar(temp.path(), "grey_logits", |text| text.replace("drop: contempt\n", ""));
    let three = model_with_sidecar(temp.path(), "colour_probabilities", str::to_owned);
    let arguments = [csv.to_str().unwrap(), "--model", &eight, "--model", &three];
    let (code, report) = evaluate(&out, &arguments).unwrap();
    let kinds: Vec<_> = warnings(&report).iter().map(|w| (w.0, w.1)).collect();
    assert_eq!((code, kinds), (3, vec![("label that the model lacks", 1)]), "neutral");
    assert_eq!(names(&report), [&SEVEN[..], &["contempt"]].concat());
    let labels = |index: usize| report["models"][index]["labels"].as_array().unwrap().clone();
    assert_eq!((labels(0).len(), &labels(0)[0]), (8, &"neutral".into()));
    assert_eq!(labels(1), ["happy", "sad", "angry"]);
    let rows = frames(&out);
    let [first, second] = [&rows[0], &rows[1]];
    assert_eq!(first["predicted"], "contempt", "its largest logit");
    assert!(first["contempt"].parse::<f32>().unwrap() > 0.5);
    assert_eq!((second["contempt"].as_str(), second["neutral"].as_str()), ("", ""));
    assert!(second["happy"].parse::<f32>().is_ok());

    // Alone, the model of three labels has no columns of others but those that were given.
    let arguments = [csv.to_str().unwrap(), "--model", &three];
    let (_, report) = evaluate(&out, &arguments).unwrap();
    assert_eq!(names(&report), ["angry", "happy", "neutral", "sad"]);
}

#[test]
fn a_report_names_no_folder_of_a_person() {
    let temp = tempfile::tempdir().unwrap();
    let home = temp.path().join("home-of-anna");
    let (root, out) = (home.join("people"), home.join("out"));
    folder(&root);
    fs::write(root.join("happy").join("broken.jpg"), "no picture").unwrap();
    let csv = home.join("fer.csv");
    fs::write(&csv, fer2013() + "9,1,PublicTest\n").unwrap();
    let model = home.join("emotion.onnx");
    fs::copy(in_repository("models/emotion.onnx"), &model).unwrap();
    for source in [&root, &csv] {
        let arguments = [source.to_str().unwrap(), "--model", model.to_str().unwrap()];
        let (code, report) = evaluate(&out, &arguments).unwrap();
        assert_eq!(code, 3, "the broken one is warned of");
        let name = source.file_name().unwrap().to_str().unwrap();
        assert_eq!(report["source"]["path"], name);
        assert_eq!(report["models"][0]["path"], "emotion.onnx");
        assert_eq!(report["provenance"]["command"][2], name);
        assert!(warnings(&report)[0].2.starts_with(name), "{:?}", warnings(&report));
        for file in ["report.json", "report.html", "frames.csv"] {
            let text = fs::read_to_string(out.join(file)).unwrap();
            let found = text.find("anna").map(|at| &text[at.saturating_sub(60)..at + 20]);
            assert_eq!(found, None, "{file}");
        }
    }
}

const VOTES_HEADER: &str =
    "row,Usage,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n";

/// For each row of [`fer2013`]: happy, happy, neutral, and a smile that most call contempt.
const VOTES: &str = "0,Training,0,10,0,0,0,0,0,0,0,0\n1,PublicTest,1,9,0,0,0,0,0,0,0,0\n\
                     2,PublicTest,6,0,0,4,0,0,0,0,0,0\n3,PublicTest,0,2,0,0,0,0,0,8,0,0\n";

#[test]
fn votes_add_the_figures_of_what_most_people_see() {
    let temp = tempfile::tempdir().unwrap();
    let (csv, out) = (temp.path().join("fer.csv"), temp.path().join("out"));
    let votes = temp.path().join("votes.csv");
    fs::write(&csv, fer2013()).unwrap();
    fs::write(&votes, format!("{VOTES_HEADER}{VOTES}")).unwrap();
    let seven = in_repository("models/fer2013.onnx");
    let (csv, votes) = (csv.to_str().unwrap(), votes.to_str().unwrap());
    let arguments = [csv, "--votes", votes, "--model", seven.to_str().unwrap()];
    let (found, report) = outcome(&out, &arguments).unwrap();
    // The challenge's own labels are scored as without votes.
    assert_eq!(report["classification_report"]["sad"]["support"], 1);
    assert_eq!(report["source"]["votes"], "votes.csv");
    let rows = frames(&out);
    let p = |row: usize, label: &str| rows[row][label].parse::<f64>().unwrap();
    let people = &report["models"][0]["ferplus"];
    assert_eq!((&people["images"], &people["images_left_out"]), (&3.into(), &0.into()));
    let rule = &people["decision"];
    let right = [(0, "happy"), (1, "neutral")].iter().filter(|(r, l)| rows[*r]["predicted"] == *l);
    let accuracy = right.count() as f64 / 3.0;
    assert!((rule["accuracy"].as_f64().unwrap() - accuracy).abs() < 1e-12, "{rule}");
    assert_eq!(rule["confusion_matrix"].as_array().unwrap().len(), 8);
    let contempt = &rule["classification_report"]["contempt"];
    assert_eq!((&contempt["support"], &contempt["recall"]), (&1.into(), &0.0.into()));
    // The single vote for neutral is none.
    let cross = -p(0, "happy").max(0.001).ln()
        - 0.6 * p(1, "neutral").max(0.001).ln()
        - 0.4 * p(1, "sad").max(0.001).ln()
        - 0.2 * p(2, "happy").max(0.001).ln()
        - 0.8 * 0.001f64.ln();
    assert!((people["cross_entropy"].as_f64().unwrap() - cross / 3.0).abs() < 1e-5, "{people}");
    assert_eq!(warnings(&report)[0].0, "label that the model lacks");
    for text in [&found.table, &fs::read_to_string(out.join("report.html")).unwrap()] {
        assert!(text.contains("FER+") && text.contains("contempt"), "{text}");
    }
}

#[test]
fn wrong_votes_are_one_clear_error_and_write_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let (csv, out) = (temp.path().join("fer.csv"), temp.path().join("out"));
    let votes = temp.path().join("votes.csv");
    fs::write(&csv, fer2013()).unwrap();
    for (text, expected) in [
        ("row,neutral\n".to_owned(), "columns are `row,neutral`, expected `row,Usage,neutral,hap"),
        (VOTES_HEADER.to_owned(), "has 0 rows, expected one for each row"),
        (
            format!(
                "{VOTES_HEADER}{}",
                VOTES.lines().take(3).map(|l| format!("{l}\n")).collect::<String>()
            ),
            "has 3 rows, expected one for each row",
        ),
        (
            format!("{VOTES_HEADER}{}", VOTES.replace("6,0,0,4", "6,0,0,many")),
            "line 4: sadness is `many`, expected a count of votes",
        ),
        (
            format!("{VOTES_HEADER}{}", VOTES.replace("6,0,0,4", "-6,0,0,4")),
            "line 4: neutral is `-6`, expected a count of votes",
        ),
        (
            format!("{VOTES_HEADER}{}", VOTES.replace("2,PublicTest,6", "2,PublicTest")),
            "line 4: 11 fields, expected 12",
        ),
        (
            format!("{VOTES_HEADER}{}", VOTES.replace("0,Training", "0,PublicTest")),
            "line 2: Usage is `PublicTest`, expected `Training`",
        ),
        (VOTES_HEADER.to_owned() + &"1,".repeat(5000), "line of over 4096 bytes"),
        ("\0\u{ffff}".to_owned(), "columns are"),
        (String::new(), "columns are ``"),
    ] {
        fs::write(&votes, &text).unwrap();
        let arguments = [csv.to_str().unwrap(), "--votes", votes.to_str().unwrap()];
        let error = format!("{:#}", evaluate(&out, &arguments).unwrap_err());
        assert!(error.contains("votes.csv") && error.contains(expected), "{error}");
        assert_eq!(fs::read_dir(&out).map_or(0, Iterator::count), 0, "nothing is written");
    }
    let error = evaluate(&out, &[csv.to_str().unwrap(), "--votes", "none.csv"]).unwrap_err();
    assert!(format!("{error:#}").contains("none.csv"), "{error:#}");
    let people = temp.path().join("people");
    folder(&people);
    let arguments = [people.to_str().unwrap(), "--votes", votes.to_str().unwrap()];
    let error = evaluate(&out, &arguments).unwrap_err().to_string();
    assert!(error.contains("--votes does not go with"), "{error}");
    let error = evaluate(&out, &[csv.to_str().unwrap(), "--usage", "Test"]).unwrap_err();
    assert!(error.to_string().contains("--usage is `Test`, expected one of Training, PublicTest"));
}
