//! `rapport feedback` as a process: what it tells, takes out, withdraws and empties.
#![allow(clippy::unwrap_used, missing_docs)]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use rapport_feedback::{Answer, Code, Day, Drawn, FeedbackStore, Key, Picture, Reading};
use rapport_test_support::in_repository;
use rapport_vocabulary::Emotion;

struct Place {
    root: tempfile::TempDir,
    store: FeedbackStore,
    code: Code,
}

impl Place {
    /// One consent with two faces, of which one is reviewed.
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("feedback");
        let key = Key::read_or_make(&root.path().join("keys/key"), &folder).unwrap();
        let store = FeedbackStore::open_or_make(&folder, &key).unwrap();
        let consent = store.consent("lobby", 7, Day::today()).unwrap();
        let face = image::open(in_repository("tests/pictures/astronaut_face_60px.png")).unwrap();
        let face = face.to_rgb8();
        let picture = Picture::of_rgb(face.as_raw(), face.width(), face.height()).unwrap();
        for _ in 0..2 {
            let reading = Reading {
                shown: Emotion::Happy,
                sure: true,
                probabilities: [(Emotion::Happy, 0.9), (Emotion::Neutral, 0.1)].into(),
                model_sha256: "0".repeat(64),
            };
            store
                .keep(&key, &consent.ticket, reading, Drawn::Random, &picture, Day::today())
                .unwrap();
        }
        let (id, _) = store.next().unwrap().item.unwrap();
        store.answer(&id, Answer::Shows(Emotion::Happy)).unwrap();
        Self { root, store, code: consent.code }
    }

    fn path(&self, name: &str) -> String {
        self.root.path().join(name).to_str().unwrap().to_owned()
    }
}

fn rapport(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rapport"));
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().unwrap();
    // It may have ended without reading.
    process.stdin.take().unwrap().write_all(input.as_bytes()).ok();
    process.wait_with_output().unwrap()
}

fn said(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn it_tells_takes_out_and_withdraws() {
    let place = Place::new();
    let (folder, key, out) = (place.path("feedback"), place.path("keys/key"), place.path("out"));
    let (code, text, _) = said(&rapport(&["feedback", "status", &folder], ""));
    assert_eq!(code, Some(0));
    assert!(text.contains("faces      2\n") && text.contains("reviewed   1\n"), "{text}");
    assert!(text.contains("right      fewer than ten answers of ten visits"), "{text}");
    let export = ["feedback", "export", &folder, &out, "--key", &key];
    let (code, text, warning) = said(&rapport(&export, ""));
    assert_eq!(code, Some(0), "{warning}");
    assert!(text.starts_with("1 answers, 1 pictures, 0 removed: "), "{text}");
    assert!(warning.contains("not encrypted"), "{warning}");
    // It is a data set like any other.
    let report = place.path("report");
    let evaluate = ["evaluate", &out, "--cut-out", "--output", &report];
    let (code, text, error) = said(&rapport(&evaluate, ""));
    assert_eq!(code, Some(0), "{text}{error}");
    let report = fs::read_to_string(Path::new(&report).join("report.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(
        (&report["source"]["kind"], &report["source"]["frames"]),
        (&"folder".into(), &1.into())
    );
    // The code by standard input, where no list of processes shows it.
    let withdraw = ["feedback", "withdraw", &folder];
    let (code, text, _) = said(&rapport(&withdraw, &format!("{}\n", place.code)));
    assert_eq!((code, text.as_str()), (Some(0), "deleted: 2 faces, 1 answers\n"));
    let (code, _, error) = said(&rapport(&withdraw, &format!("{}\n", place.code)));
    assert_eq!(code, Some(1));
    assert!(error.contains("no consent has this code"), "{error}");
    let (_, text, _) = said(&rapport(&export, ""));
    assert!(text.starts_with("0 answers, 0 pictures, 1 removed: "), "{text}");
}

#[test]
fn it_empties_only_when_told_so() {
    let place = Place::new();
    let folder = place.path("feedback");
    let (code, _, error) = said(&rapport(&["feedback", "empty", &folder], ""));
    assert_eq!(code, Some(1));
    assert!(error.contains("2 faces and 1 answers would be deleted; add --yes"), "{error}");
    assert_eq!(place.store.summary().unwrap().counts.faces, 2);
    let (code, text, _) = said(&rapport(&["feedback", "empty", &folder, "--yes"], ""));
    assert_eq!((code, text.as_str()), (Some(0), "deleted: 2 faces, 1 answers\n"));
    assert_eq!(place.store.summary().unwrap().counts, Default::default());
}

#[test]
fn what_is_wrong_is_said_in_one_line() {
    let place = Place::new();
    let (folder, key) = (place.path("feedback"), place.path("keys/key"));
    let (strange, missing) = (place.path("keys"), place.path("missing"));
    for (arguments, expected) in [
        (&["feedback", "status", &strange][..], "found key, expected a folder of feedback"),
        (&["feedback", "status", &missing], "No such file"),
        (&["feedback", "withdraw", &folder, "abcd"], "found 4 letters and digits in the code"),
        (
            &["feedback", "export", &folder, &strange, "--key", &key],
            "found key, expected a new folder",
        ),
        (&["feedback", "export", &folder, &missing, "--key", &missing], "No such file"),
        (
            &["serve", "--feedback", &folder, "--feedback-key", &place.path("feedback/key")],
            "lie in one folder",
        ),
        (
            &["serve", "--feedback", &strange, "--feedback-key", &place.path("other/key")],
            "found key",
        ),
    ] {
        let (code, _, error) = said(&rapport(arguments, ""));
        assert_eq!(code, Some(1), "{error}");
        assert!(error.contains(expected), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}
