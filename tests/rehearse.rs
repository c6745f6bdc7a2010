//! `rapport rehearse` shows what the robot would have done about a recording, the same each time, and
//! `rapport policy` checks a policy.
#![allow(clippy::unwrap_used, missing_docs)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rapport_test_support::bags::{BagWriter, IMAGE, STRING, image_cdr, string_cdr};
use rapport_test_support::picture;
use serde_json::Value;

const POLICY: &str = "version: 2
states: {mode: {topic: /mode, type: std_msgs/String}, muted: /muted}
manners: {not_while: {muted: true}}
rules:
  - name: smile
    when: {emotion: happy, confidence: 0.5, for_secs: 1, state: {mode: [open]}}
    cooldown_secs: 2
    greeting: true
    answer: {say: {en: Hello <b>, de: Guten Tag}, duration_secs: 1}
  - name: near
    when: {emotion: happy, distance_m: {to: 9}}
    cooldown_secs: 2
    answer: {gesture: nod, duration_secs: 1}
";

/// Four seconds of a smile, ten images a second; the robot is open from the second second on, and muted
/// in the first half of it.
fn recording(folder: &Path) -> PathBuf {
    let face = picture("astronaut_face_60px.png");
    let mut bag = BagWriter::new();
    for tenth in 0..40 {
        if tenth == 10 {
            bag.add("/mode", STRING, 1_000, &string_cdr("open"));
            bag.add("/muted", "std_msgs/msg/Bool", 1_000, &[0, 1, 0, 0, 1]);
        }
        if tenth == 25 {
            bag.add("/muted", "std_msgs/msg/Bool", 2_500, &[0, 1, 0, 0, 0]);
        }
        bag.add("/image", IMAGE, tenth * 100 + 5, &image_cdr(&face, tenth * 100));
    }
    let path = folder.join("bag.mcap");
    bag.save(&path);
    path
}

fn rapport(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rapport"))
        .current_dir(folder)
        .args(arguments)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_recording_is_rehearsed_with_two_policies_the_same_each_time() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path();
    recording(folder);
    fs::write(folder.join("a.yaml"), POLICY).unwrap();
    fs::write(folder.join("b.yaml"), POLICY.replace("for_secs: 1", "for_secs: 60")).unwrap();
    let run = |page: &str| {
        let json = format!("{page}.json");
        let output = rapport(
            folder,
            &[
                "rehearse",
                "bag.mcap",
                "--policy",
                "a.yaml",
                "--policy",
                "b.yaml",
                "--language",
                "de-AT",
                "--json",
                &json,
                "--html",
                page,
            ],
        );
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
        (text(&output.stdout), read(&json), read(page))
    };
    let (told, json, page) = run("one.html");
    assert_eq!((told.clone(), json.clone(), page.clone()), run("two.html"));

    let document: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(document["images"], 40);
    assert_eq!(document["people"].as_array().unwrap().len(), 1);
    assert_eq!(document["people"][0]["expressions"][0]["is"], "happy");
    let [first, second] = [0, 1].map(|index| &document["policies"][index]);
    let responses = first["responses"].as_array().unwrap();
    assert_eq!(responses.len(), 1, "{told}");
    let at_secs = responses[0]["at_secs"].as_f64().unwrap();
    // The smile has lasted a second since the robot was open; it was muted until 2.5 s.
    assert!((2.4..2.7).contains(&at_secs), "{at_secs}");
    assert_eq!(responses[0]["speech"], "Guten Tag");
    assert_eq!(responses[0]["language"], "de");
    assert_eq!(first["held_back"][0]["key"], "not_while");
    assert_eq!(first["held_back"][0]["why"], "the robot is muted true");
    let nearly: Vec<&str> = first["nearly"]
        .as_array()
        .unwrap()
        .iter()
        .map(|near| near["key"].as_str().unwrap())
        .collect();
    assert_eq!(nearly, ["distance_m"], "{told}");
    assert_eq!(second["responses"].as_array().unwrap().len(), 0);
    assert_eq!(first["unknown_states"].as_array().unwrap().len(), 0);

    for told in ["smile -> face_1: says \"Guten Tag\"", "nearly near for face_1", "held back smile"]
    {
        assert!(told_in(&run("three.html").0, told), "{told}");
    }
    assert!(page.starts_with("<!DOCTYPE html>"));
    for word in ["a.yaml", "b.yaml", "Guten Tag", "distance unknown", "face_1"] {
        assert!(page.contains(word), "{word}");
    }
    for foreign in ["<script", "http://", "https://", "<link", "<img", "src="] {
        let page = page.replace("http://www.w3.org/2000/svg", "");
        assert!(!page.contains(foreign), "{foreign}");
    }
}

fn told_in(told: &str, words: &str) -> bool {
    told.contains(words)
}

#[test]
fn what_is_wrong_is_one_clear_line() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path();
    recording(folder);
    fs::write(folder.join("wrong.yaml"), POLICY.replace("confidence: 0.5", "confidence: 5"))
        .unwrap();
    let expected = "rapport: wrong.yaml:6:40: confidence is 5; allowed: 0 to 1\n";
    for arguments in
        [&["policy", "wrong.yaml"][..], &["rehearse", "bag.mcap", "--policy", "wrong.yaml"]]
    {
        let output = rapport(folder, arguments);
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(1), expected.to_owned()));
    }
    fs::write(folder.join("right.yaml"), POLICY).unwrap();
    let output = rapport(folder, &["policy", "right.yaml"]);
    let told = "right.yaml: right; version 2, 2 rules, 0 calls to the staff, in en, de, 2 states of the robot\n";
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), told.to_owned()));
    let output = rapport(folder, &["rehearse", "missing.mcap", "--policy", "right.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("missing.mcap"), "{}", text(&output.stderr));
    let output = rapport(
        folder,
        &["rehearse", "bag.mcap", "--policy", "right.yaml", "--html", "no/such/page.html"],
    );
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("no/such/page.html not written"));
}

#[test]
fn a_policy_of_the_first_version_is_printed_as_one_of_the_second() {
    let temp = tempfile::tempdir().unwrap();
    let first = "version: 1 # mine\nrules:\n  - name: a\n    when: {emotion: sad, confidence: 0.5, for_secs: 1}\n    cooldown_secs: 1\n    answer: {gesture: nod, duration_secs: 1}\n";
    fs::write(temp.path().join("first.yaml"), first).unwrap();
    let output = rapport(temp.path(), &["policy", "first.yaml"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stdout), first.replace("version: 1", "version: 2"));
    assert!(text(&output.stderr).contains("first.yaml: version 1"));
}
