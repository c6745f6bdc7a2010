//! The estimate of accuracy on FER2013's PublicTest and its harder versions, where the truth is known:
//! a label is as accurate as the share of taggers who say the same.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod common;

use std::time::Duration;

use common::{MONDAY, all, directory, hours};
use rapport_journal::{ExpressionSeen, ImageSeen, Journal, PersonSeen, Recorder, Scope, Trust};
use rapport_test_support::answers::{Answers, Seen};
use rapport_vocabulary::{DecisionRule, Emotion, LabelSet};

/// As the shipped network reads.
fn decision(labels: &LabelSet) -> DecisionRule {
    let rule = r#"{"weights": {"sad": 0.85}, "min_confidence": 0.65}"#;
    DecisionRule::from_json(rule, labels).unwrap()
}

/// A visit of two seconds for each image, `every` apart. Gives the label of each.
fn visits(
    recorder: &mut Recorder,
    table: &Answers,
    version: &[Seen],
    from: Duration,
    every: Duration,
) -> Vec<Emotion> {
    let decision = decision(&table.labels);
    let mut labels = Vec::new();
    for (number, seen) in version.iter().enumerate() {
        let label = decision.label(&seen.probabilities, &table.labels);
        let confidence = seen.probabilities.of(label);
        let expression = ExpressionSeen {
            label,
            sure: decision.is_sure(label, confidence),
            confidence,
            valence: label.affect().valence,
        };
        let id = format!("face_{number}");
        let person = PersonSeen {
            id: &id,
            expression: Some(expression),
            engagement: None,
            face_size_px: 90.0,
            brightness: Some(seen.brightness),
            blur: Some(seen.blur),
        };
        let start = from + every * number as u32;
        for second in 0..=2 {
            let time = start + Duration::from_secs(second);
            recorder.see(&ImageSeen { place: "lobby", time, people: &[person] });
        }
        labels.push(label);
    }
    labels
}

/// The bar: within 3 points of the truth where calibration holds, and it says so where it does not.
#[test]
fn the_estimate_is_within_three_points_or_doubted() {
    let table = Answers::read();
    let directory = directory();
    let mut journal = Journal::open(&directory.path().join("journal.db")).unwrap();
    let mut recorder = Recorder::new(15).unwrap();
    let mut write = |recorder: &mut Recorder, until: Duration| {
        recorder.advance(until);
        journal.append(recorder.finished()).unwrap();
    };
    // The first week: the images as they are.
    let plain = table.version("plain");
    visits(&mut recorder, &table, plain, MONDAY, Duration::from_secs(185));
    write(&mut recorder, MONDAY + hours(24 * 8));
    let mut weeks = Vec::new();
    for (number, (name, version)) in table.versions.iter().enumerate() {
        let from = MONDAY + hours(24 * (8 + number as u64));
        let labels = visits(&mut recorder, &table, version, from, Duration::from_secs(20));
        write(&mut recorder, from + hours(24));
        let agreed: f32 =
            labels.iter().zip(&table.people).map(|(label, people)| people.of(*label)).sum();
        let scope = Scope { from, to: from + hours(24), ..all("lobby") };
        weeks.push((name, scope, f64::from(agreed) / labels.len() as f64));
    }
    println!("{:<6} {:>6} {:>9} {:>6}  trust", "faces", "truth", "estimate", "off");
    let mut doubted_rightly = 0;
    for (name, scope, truth) in weeks {
        let found = journal.estimate_accuracy(&scope).unwrap().unwrap();
        let (estimate, off) = (found.expected.mean, found.expected.mean - truth);
        println!("{name:<6} {truth:>6.3} {estimate:>9.3} {off:>+6.3}  {:?}", found.trust);
        assert!(found.expected.n > 3000, "{name}: {found:?}");
        match &found.trust {
            Trust::LooksAsBefore => assert!(off.abs() < 0.03, "{name}"),
            Trust::Drifted { features } => {
                assert!(!features.is_empty());
                doubted_rightly += u32::from(off.abs() >= 0.03);
            }
            Trust::Unknown => panic!("{name}: there is a first week"),
        }
        if name == "plain" {
            assert_eq!(found.trust, Trust::LooksAsBefore);
            assert!(off.abs() < 0.03);
        }
    }
    // Else the test would not show that it says so.
    assert!(doubted_rightly > 0);
}
