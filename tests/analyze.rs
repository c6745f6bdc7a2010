//! `rapport analyze`: table, JSON, annotated pictures, and what it says of bad input.
#![allow(clippy::unwrap_used, missing_docs)]

use std::process::{Command, Output};

use rapport_test_support::{in_repository, picture};

fn analyze(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rapport"))
        .arg("analyze")
        .args(arguments)
        .current_dir(in_repository("tests/pictures"))
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_table_tells_who_where_what_and_how_sure() {
    let out = analyze(&["astronaut.jpg", "coffee.jpg"]);
    assert_eq!(out.status.code(), Some(0));
    let table = text(&out.stdout);
    assert!(table.contains("astronaut.jpg: 512x512, 1 face,"), "{table}");
    assert!(table.contains("face_1") && table.contains("happy"), "{table}");
    assert!(table.contains("coffee.jpg: 600x400, 0 faces,"), "{table}");
}

#[test]
fn json_holds_the_whole_distribution() {
    let out = analyze(&["--json", "astronaut.jpg"]);
    let json: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    let face = &json[0]["faces"][0];
    assert_eq!(face["label"], "happy");
    let probabilities = face["probabilities"].as_object().unwrap();
    assert_eq!(probabilities.len(), 8);
    let sum: f64 = probabilities.values().map(|p| p.as_f64().unwrap()).sum();
    assert!((sum - 1.0).abs() < 1e-4, "{sum}");
    assert!(face["roi"]["x"].as_u64().unwrap().abs_diff(178) < 5, "{face}");
}

#[test]
fn a_label_below_the_least_confidence_is_marked_as_a_guess() {
    let sure = |least: &str| {
        let options = ["astronaut.jpg", "--min-confidence", least];
        let table = text(&analyze(&options).stdout);
        let json = analyze(&[&options[..], &["--json"]].concat()).stdout;
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        let sure = json[0]["faces"][0]["sure"].as_bool().unwrap();
        assert_eq!(table.contains("happy?"), !sure, "{table}");
        sure
    };
    assert!(sure("0.5"));
    assert!(!sure("1"));
    assert_eq!(analyze(&["astronaut.jpg", "--min-confidence", "1.5"]).status.code(), Some(2));
}

#[test]
fn the_annotated_picture_is_the_picture_with_the_face_marked() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out.png");
    let out = analyze(&["astronaut.jpg", "--output", target.to_str().unwrap()]);
    assert_eq!(out.status.code(), Some(0));
    let (before, after) = (
        picture("astronaut.jpg"),
        rapport_evaluation::picture_file::read_picture(&target, |_| ()).unwrap(),
    );
    assert_eq!(before.dimensions(), after.dimensions());
    // Far from the face nothing changed; on the box's edge it did.
    assert_eq!(before.get_pixel(20, 400), after.get_pixel(20, 400));
    let edge = (150..210).filter(|&x| before.get_pixel(x, 120) != after.get_pixel(x, 120)).count();
    assert!(edge > 0);

    let several = folder.path().join("several");
    let out = analyze(&["astronaut.jpg", "hopper.jpg", "-o", several.to_str().unwrap()]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    assert!(several.join("astronaut.png").exists() && several.join("hopper.png").exists());
}

#[test]
fn bad_pictures_are_named_and_the_good_ones_still_shown() {
    let folder = tempfile::tempdir().unwrap();
    let whole = std::fs::read(in_repository("tests/pictures/astronaut_face_60px.png")).unwrap();
    let cut = folder.path().join("cut.png");
    std::fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
    let cut = cut.to_str().unwrap();

    let out = analyze(&["nowhere.jpg", "README.md", cut, "astronaut.jpg"]);
    assert_eq!(out.status.code(), Some(3));
    let errors = text(&out.stderr);
    assert_eq!(errors.lines().count(), 3, "{errors}");
    assert!(errors.contains("nowhere.jpg: No such file"), "{errors}");
    assert!(errors.contains("README.md: compressed image of format `md`"), "{errors}");
    assert!(errors.contains("cut.png: "), "{errors}");
    assert!(text(&out.stdout).contains("astronaut.jpg: 512x512, 1 face"));

    assert_eq!(analyze(&["nowhere.jpg"]).status.code(), Some(1));
    assert_eq!(analyze(&[]).status.code(), Some(2));
    let size = analyze(&["astronaut.jpg", "--working-size", "big"]);
    assert_eq!(size.status.code(), Some(2));
    assert!(text(&size.stderr).contains("expected WIDTHxHEIGHT, each 32 to 16384"));
}

#[test]
fn a_missing_model_or_library_is_named() {
    let out = analyze(&["astronaut.jpg", "--model", "none.onnx"]);
    assert_eq!(out.status.code(), Some(1));
    assert!(text(&out.stderr).contains("model none.onnx: No such file"), "{}", text(&out.stderr));
    for (library, expected) in [("none.so", "No such file"), ("README.md", "README.md")] {
        let out = analyze(&["astronaut.jpg", "--onnxruntime", library]);
        assert_eq!(out.status.code(), Some(1));
        let error = text(&out.stderr);
        assert!(error.contains("ONNX Runtime library") && error.contains(expected), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

#[test]
fn no_picture_is_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for name in ["frame.001.jpg", "frame.002.jpg"] {
        std::fs::copy(in_repository("tests/pictures/coffee.jpg"), at(name)).unwrap();
    }
    let out = at("out");
    let both = [&at("frame.001.jpg"), &at("frame.002.jpg"), "-o", &out];
    assert_eq!(analyze(&both).status.code(), Some(0));
    assert!(folder.path().join("out/frame.001.png").is_file());
    assert!(folder.path().join("out/frame.002.png").is_file());

    let drawn = std::fs::read(at("out/frame.001.png")).unwrap();
    let own = analyze(&[&at("out/frame.001.png"), &at("frame.001.jpg"), "-o", &out]);
    assert_eq!(own.status.code(), Some(1));
    assert!(text(&own.stderr).contains("is one of the pictures given"), "{own:?}");
    assert_eq!(std::fs::read(at("out/frame.001.png")).unwrap(), drawn);

    let twice = analyze(&[&at("frame.001.jpg"), "coffee.jpg", &at("frame.001.jpg"), "-o", &out]);
    assert_eq!(twice.status.code(), Some(1));
    assert!(text(&twice.stderr).contains("another picture of that name"), "{twice:?}");
}
