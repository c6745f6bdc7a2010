//! What is taken out: pictures in folders of labels, a line for each answer, tasks for Label Studio.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

mod common;

use std::fs;
use std::path::Path;

use common::{Place, day, picture, reading};
use rapport_feedback::{Answer, Drawn, FeedbackError};
use rapport_vocabulary::Emotion;
use serde_json::Value;

fn lines(folder: &Path) -> Vec<Value> {
    let text = fs::read_to_string(folder.join("feedback.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn an_export_has_what_was_answered_and_follows_a_withdrawal() {
    let place = Place::new();
    let (stays, leaves) = (
        place.store.consent("lobby", 5, day(0)).unwrap(),
        place.store.consent("exit", 5, day(0)).unwrap(),
    );
    let mut ids = Vec::new();
    for (ticket, happy) in [
        (&stays.ticket, 0.9),
        (&stays.ticket, 0.4),
        (&stays.ticket, 0.3),
        (&stays.ticket, 0.7),
        (&leaves.ticket, 0.8),
    ] {
        let (seed, drawn) = (ids.len() as u64, Drawn::Uncertain);
        let reading = reading(happy);
        let kept = place.store.keep(&place.key, ticket, reading, drawn, &picture(seed), day(0));
        ids.push(kept.unwrap());
    }
    for (id, answer) in ids.iter().zip([
        Answer::Shows(Emotion::Happy),
        Answer::Shows(Emotion::Sad),
        Answer::NotAFace,
    ]) {
        assert!(place.store.answer(id, answer).unwrap());
    }
    assert!(place.store.answer(&ids[4], Answer::Shows(Emotion::Sad)).unwrap());
    let out = place.root.path().join("out");
    let exported = place.store.export(&place.key, &out).unwrap();
    assert_eq!((exported.answers, exported.pictures, exported.removed), (4, 3, 0));
    let found = lines(&out);
    assert_eq!(found.len(), 4);
    for line in &found {
        let keys: Vec<_> = line.as_object().unwrap().keys().map(String::as_str).collect();
        let expected = [
            "file",
            "answer",
            "shown",
            "probabilities",
            "drawn",
            "chance",
            "model_sha256",
            "place",
            "day",
            "visit",
        ];
        assert!(keys.len() == expected.len() && expected.iter().all(|key| keys.contains(key)));
        assert_eq!(line["shown"], "happy");
        assert_eq!(line["drawn"], "uncertain");
        assert_eq!(line["day"], "2026-11-27");
        let sum: f64 =
            line["probabilities"].as_object().unwrap().values().map(|p| p.as_f64().unwrap()).sum();
        assert!((sum - 1.0).abs() < 1e-5);
        match line["file"].as_str() {
            Some(file) => {
                assert_eq!(file.split('/').next().unwrap(), line["answer"]);
                let png = fs::read(out.join(file)).unwrap();
                assert!((0..5).any(|seed| png == picture(seed).png()), "{file}");
            }
            None => assert_eq!(line["answer"], "not_a_face"),
        }
    }
    let tasks: Value =
        serde_json::from_str(&fs::read_to_string(out.join("label_studio.json")).unwrap()).unwrap();
    let tasks = tasks.as_array().unwrap();
    assert_eq!(tasks.len(), 3);
    let setup = fs::read_to_string(out.join("label_studio.xml")).unwrap();
    for task in tasks {
        let file = task["data"]["image"].as_str().unwrap().strip_prefix("/data/local-files/?d=");
        assert!(out.join(file.unwrap()).exists());
        for part in ["annotations", "predictions"] {
            let result = &task[part][0]["result"][0];
            assert_eq!(
                (&result["from_name"], &result["to_name"]),
                (&"expression".into(), &"image".into())
            );
            let choice = result["value"]["choices"][0].as_str().unwrap();
            assert!(setup.contains(&format!("<Choice value=\"{choice}\"/>")));
        }
    }
    // Who withdraws is gone from the next export to the same folder.
    place.store.withdraw(&leaves.code).unwrap();
    let exported = place.store.export(&place.key, &out).unwrap();
    assert_eq!((exported.answers, exported.pictures, exported.removed), (3, 2, 1));
    assert!(lines(&out).iter().all(|line| line["place"] == "lobby"));
    assert_eq!(common::files(&out).len(), 2 + 3);
    // So is whose time is over, but for the numbers.
    place.store.expire(day(6)).unwrap();
    let exported = place.store.export(&place.key, &out).unwrap();
    assert_eq!((exported.answers, exported.pictures, exported.removed), (3, 0, 2));
    assert!(lines(&out).iter().all(|line| line["file"].is_null()));
    assert_eq!(common::files(&out).len(), 3);
}

#[test]
fn a_folder_with_other_files_is_left_as_it_is() {
    let place = Place::new();
    let out = place.root.path().join("holiday");
    fs::create_dir_all(out.join("happy")).unwrap();
    fs::write(out.join("happy/beach.png"), b"x").unwrap();
    let error = place.store.export(&place.key, &out).unwrap_err();
    assert!(matches!(error, FeedbackError::ExportFolder { .. }));
    assert!(error.to_string().contains("happy/beach.png"), "{error}");
    assert!(out.join("happy/beach.png").exists());
}
