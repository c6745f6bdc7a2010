//! Drift and the estimate of accuracy, where the truth is known.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod common;

use std::time::Duration;

use common::{MONDAY, Visitor, all, directory, hours, visit};
use rapport_journal::{Drift, DriftLevel, Feature, FeatureDrift, Journal, Recorder, Scope, Trust};
use rapport_vocabulary::Emotion;

/// Visits of a day: 300, an hour apart in tens. Gives the share of labels that were right.
fn day(
    recorder: &mut Recorder,
    day: u64,
    random: &mut fastrand::Rng,
    visitor: impl Fn(&mut fastrand::Rng) -> (Visitor, f32),
) -> f64 {
    let mut right = 0;
    for number in 0..300u64 {
        let at = MONDAY + hours(24 * day + number / 20) + Duration::from_secs(15 * (number % 20));
        let (visitor, chance) = visitor(random);
        right += u32::from(random.f32() < chance);
        visit(recorder, "lobby", at, &format!("face_{number}"), &visitor, None);
    }
    f64::from(right) / 300.0
}

/// Right as often as the confidence says.
fn calibrated(random: &mut fastrand::Rng) -> (Visitor, f32) {
    let label = if random.bool() { Emotion::Happy } else { Emotion::Neutral };
    let confidence = 1.0 - 0.6 * random.f32() * random.f32();
    let brightness = 0.4 + 0.2 * random.f32();
    (Visitor { confidence, brightness, ..Visitor::of(label) }, confidence)
}

/// In the dark the network is as sure as before, and wrong more often.
fn in_the_dark(random: &mut fastrand::Rng) -> (Visitor, f32) {
    let (visitor, confidence) = calibrated(random);
    (Visitor { brightness: 0.1, ..visitor }, confidence - 0.25)
}

fn days_of(from: u64, to: u64) -> Scope<'static> {
    let at = |day| MONDAY + hours(24 * day);
    Scope { from: at(from), to: at(to), ..all("lobby") }
}

fn features(drift: Option<Drift>) -> Vec<FeatureDrift> {
    match drift {
        Some(Drift::Measured { features, .. }) => features,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_estimate_is_near_the_truth_where_calibration_holds_and_doubted_where_faces_changed() {
    let directory = directory();
    let mut journal = Journal::open(&directory.path().join("journal.db")).unwrap();
    let mut recorder = Recorder::new(15).unwrap();
    let mut random = fastrand::Rng::with_seed(7);
    let write = |recorder: &mut Recorder, journal: &mut Journal, number: u64| {
        recorder.advance(MONDAY + hours(24 * (number + 1)));
        journal.append(recorder.finished()).unwrap();
    };

    let mut truth = 0.0;
    for number in 0..6 {
        day(&mut recorder, number, &mut random, calibrated);
        write(&mut recorder, &mut journal, number);
    }
    let early = journal.drift(&all("lobby")).unwrap();
    let expected_secs = Some((MONDAY + hours(7 * 24)).as_secs() as i64);
    assert_eq!(early, Some(Drift::TooEarly { expected_secs }));
    let estimate = journal.estimate_accuracy(&all("lobby")).unwrap().unwrap();
    assert_eq!(estimate.trust, Trust::Unknown);

    for number in 6..14 {
        let right = day(&mut recorder, number, &mut random, calibrated);
        write(&mut recorder, &mut journal, number);
        truth += if number >= 8 { right / 6.0 } else { 0.0 };
    }
    let second_week = days_of(8, 14);
    let found = features(journal.drift(&second_week).unwrap());
    assert_eq!(found.len(), 4, "blur is unknown: {found:?}");
    assert!(found.iter().all(|drift| drift.level == DriftLevel::Stable), "{found:?}");
    assert!(found.iter().all(|drift| drift.n_then >= 2000 && drift.n_now == 1800), "{found:?}");
    let estimate = journal.estimate_accuracy(&second_week).unwrap().unwrap();
    println!("accuracy {truth:.3}, estimated {:?}", estimate.expected);
    assert!((estimate.expected.mean - truth).abs() < 0.03);
    assert!((estimate.then.unwrap() - truth).abs() < 0.03);
    assert_eq!(estimate.trust, Trust::LooksAsBefore);

    let mut truth = 0.0;
    for number in 14..16 {
        truth += day(&mut recorder, number, &mut random, in_the_dark) / 2.0;
        write(&mut recorder, &mut journal, number);
    }
    let dark = days_of(14, 16);
    let estimate = journal.estimate_accuracy(&dark).unwrap().unwrap();
    println!("in the dark {truth:.3}, estimated {:?}", estimate.expected);
    assert!(estimate.expected.mean - truth > 0.15, "the test's dark is too harmless");
    assert_eq!(estimate.trust, Trust::Drifted { features: vec![Feature::Brightness] });
    let found = features(journal.drift(&dark).unwrap());
    let brightness = found.iter().find(|drift| drift.feature == Feature::Brightness).unwrap();
    assert_eq!(brightness.level, DriftLevel::Large);

    // The first week is forgotten, but not what it looked like.
    journal.keep_days(8, MONDAY + hours(24 * 16)).unwrap();
    assert_eq!(features(journal.drift(&dark).unwrap()), found);

    // Another camera: its own first week counts.
    journal.reset_baseline("lobby", MONDAY + hours(24 * 16) - hours(1)).unwrap();
    assert!(matches!(journal.drift(&dark).unwrap(), Some(Drift::TooEarly { .. })));
    for number in 16..25 {
        day(&mut recorder, number, &mut random, in_the_dark);
        write(&mut recorder, &mut journal, number);
    }
    let found = features(journal.drift(&days_of(24, 25)).unwrap());
    assert!(found.iter().all(|drift| drift.level == DriftLevel::Stable), "{found:?}");
    assert_eq!(journal.drift(&all("nowhere")).unwrap(), None);
}
