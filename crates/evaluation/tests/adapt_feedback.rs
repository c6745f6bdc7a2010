//! What `rapport feedback export` writes is what `adapt` reads.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use rapport_evaluation::adapt::{Answer, Feedback};
use rapport_feedback::{Answer as Reviewed, Day, Drawn, FeedbackStore, Key, Picture, Reading};
use rapport_vocabulary::{Emotion, LabelSet};

#[test]
fn an_export_is_read() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("feedback");
    let key = Key::read_or_make(&root.path().join("keys/feedback.key"), &folder).unwrap();
    let store = FeedbackStore::open_or_make(&folder, &key).unwrap();
    let day: Day = "2026-11-27".parse().unwrap();
    let consent = store.consent("lobby", 5, day).unwrap();
    let sha256 = "ab".repeat(32);
    for answer in [Reviewed::Shows(Emotion::Happy), Reviewed::NotAFace, Reviewed::CantTell] {
        let reading = Reading {
            shown: Emotion::Neutral,
            sure: false,
            probabilities: [(Emotion::Happy, 0.4), (Emotion::Neutral, 0.6)].into(),
            model_sha256: sha256.clone(),
        };
        let face = Picture::of_rgb(&[90; 12], 2, 2).unwrap();
        let id = store.keep(&key, &consent.ticket, reading, Drawn::Random, &face, day).unwrap();
        assert!(store.answer(&id, answer).unwrap());
    }
    let out = root.path().join("out");
    store.export(&key, &out).unwrap();
    let labels: LabelSet = "happy,neutral".parse().unwrap();
    let found = Feedback::read(&out, &sha256, &labels).unwrap();
    let mut answers: Vec<Answer> = found.items.iter().map(|item| item.answer).collect();
    answers.sort_by_key(|answer| format!("{answer:?}"));
    let expected = [Answer::CantTell, Answer::NotAFace, Answer::Shows(Emotion::Happy)];
    assert_eq!(answers, expected);
    for item in &found.items {
        assert_eq!(item.probabilities.of(Emotion::Neutral), 0.6);
        assert_eq!((item.place.as_str(), item.day.as_str()), ("lobby", "2026-11-27"));
        assert!(item.weight > 1.0 && item.weight < 100.0, "{}", item.weight);
        assert_eq!(item.visit, found.items[0].visit, "one consent, one visit");
    }
    let counts = Feedback::read(&out, &"cd".repeat(32), &labels).unwrap().counts();
    assert_eq!(counts.of_another_model, 3);
}
