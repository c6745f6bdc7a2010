//! The metrics are those of scikit-learn, and have the properties that metrics must have.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use proptest::prelude::*;
use rapport_evaluation::metrics::{
    Confusion, calibration, classification_report, mean_of_defined, precision_recall_curve,
    roc_curve,
};
use serde_json::Value;

const CLASSES: usize = 7;

/// The cases of tools/metrics/make_reference.py.
fn cases() -> Vec<Value> {
    let document: Value =
        serde_json::from_str(include_str!("../../../tests/reference/metrics.json")).unwrap();
    document["cases"].as_array().unwrap().clone()
}

fn numbers(value: &Value) -> Vec<f64> {
    // The only number that JSON has no name for is the first threshold.
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap_or(f64::INFINITY)).collect()
}

fn classes_of(value: &Value) -> Vec<usize> {
    numbers(value).into_iter().map(|n| n as usize).collect()
}

#[track_caller]
fn assert_all_close(found: &[f64], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}: {found:?} for {expected:?}");
    for (f, e) in found.iter().zip(expected) {
        assert!(f == e || (f - e).abs() <= 1e-9, "{what}: {found:?} for {expected:?}");
    }
}

/// Same keys, same numbers to 1e-9, null where scikit-learn has NaN.
fn assert_same(found: &Value, expected: &Value, what: &str) {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => {
            let mut keys: Vec<_> = found.keys().collect();
            let mut wanted: Vec<_> = expected.keys().collect();
            keys.sort();
            wanted.sort();
            assert_eq!(keys, wanted, "{what}");
            for (key, value) in found {
                assert_same(value, &expected[key], &format!("{what}: {key}"));
            }
        }
        (Value::Number(f), Value::Number(e)) => {
            assert_all_close(&[f.as_f64().unwrap()], &[e.as_f64().unwrap()], what);
        }
        _ => assert_eq!(found, expected, "{what}"),
    }
}

fn confusion_of(case: &Value) -> Confusion {
    let (truth, predicted) = (classes_of(&case["truth"]), classes_of(&case["predicted"]));
    Confusion::of(CLASSES, truth.into_iter().zip(predicted))
}

fn scored(case: &Value, class: usize) -> Vec<(bool, f64)> {
    let truth = classes_of(&case["truth"]);
    let scores = case["scores"].as_array().unwrap();
    truth.iter().zip(scores).map(|(&t, row)| (t == class, numbers(row)[class])).collect()
}

#[test]
fn reports_and_confusions_are_those_of_scikit_learn() {
    let names: Vec<String> = (0..CLASSES).map(|class| class.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut micro_averages = 0;
    for case in cases() {
        let what = case["name"].as_str().unwrap();
        let confusion = confusion_of(&case);
        let found = serde_json::to_value(&confusion).unwrap();
        assert_eq!(found, case["confusion"], "{what}");
        for (name, zero_division) in [("0", 0.0), ("1", 1.0), ("nan", f64::NAN)] {
            let what = format!("{what}, zero_division {name}");
            let report =
                classification_report(&confusion, &confusion.classes_seen(), zero_division);
            let found = serde_json::to_value(report.named(&names)).unwrap();
            assert_same(&found, &case["report"][name], &what);
            if !case["subset"].is_null() {
                let subset = classes_of(&case["subset"]);
                let report = classification_report(&confusion, &subset, zero_division);
                let found = serde_json::to_value(report.named(&names)).unwrap();
                assert_same(&found, &case["subset_report"][name], &format!("{what}, subset"));
                micro_averages += usize::from(report.accuracy().is_none());
            }
        }
    }
    assert!(micro_averages > 0, "no case without an accuracy");
}

#[test]
fn curves_and_areas_are_those_of_scikit_learn() {
    let mut undefined = 0;
    for case in cases() {
        let mut areas = Vec::new();
        for class in 0..CLASSES {
            let what = format!("{}, class {class}", case["name"]);
            let expected = &case["curves"][class];
            let roc = roc_curve(&scored(&case, class));
            assert_eq!(roc.is_none(), expected["roc"].is_null(), "{what}");
            areas.push(roc.as_ref().map(|roc| roc.auc()));
            if let Some(roc) = roc {
                let expected = &expected["roc"];
                assert_all_close(&roc.fpr, &numbers(&expected["fpr"]), &what);
                assert_all_close(&roc.tpr, &numbers(&expected["tpr"]), &what);
                assert_all_close(&roc.thresholds, &numbers(&expected["thresholds"]), &what);
                assert_all_close(&[roc.auc()], &[expected["auc"].as_f64().unwrap()], &what);
            } else {
                undefined += 1;
            }
            let pr = precision_recall_curve(&scored(&case, class));
            assert_eq!(pr.is_none(), expected["pr"].is_null(), "{what}");
            if let Some(pr) = pr {
                let expected = &expected["pr"];
                assert_all_close(&pr.precision, &numbers(&expected["precision"]), &what);
                assert_all_close(&pr.recall, &numbers(&expected["recall"]), &what);
                assert_all_close(&pr.thresholds, &numbers(&expected["thresholds"]), &what);
                let average = expected["average_precision"].as_f64().unwrap();
                assert_all_close(&[pr.average_precision], &[average], &what);
            }
        }
        if let Some(expected) = case["macro_auc"].as_f64() {
            let found = mean_of_defined(areas).unwrap();
            assert_all_close(&[found], &[expected], "macro area");
        }
    }
    assert!(undefined > 0, "no case with an absent class");
}

#[test]
fn the_reliability_curve_is_that_of_scikit_learn() {
    let mut compared = 0;
    for case in cases().iter().filter(|case| !case["reliability"].is_null()) {
        let (truth, predicted) = (classes_of(&case["truth"]), classes_of(&case["predicted"]));
        let scores = case["scores"].as_array().unwrap();
        let predictions: Vec<_> = scores
            .iter()
            .enumerate()
            .map(|(i, row)| (numbers(row)[predicted[i]], truth[i] == predicted[i]))
            .collect();
        let found = calibration(&predictions, 10);
        let pick = |figure: fn(&rapport_evaluation::metrics::ReliabilityBin) -> Option<f64>| {
            found.bins.iter().filter_map(figure).collect::<Vec<_>>()
        };
        let (what, expected) = (case["name"].as_str().unwrap(), &case["reliability"]);
        assert_all_close(&pick(|bin| bin.accuracy), &numbers(&expected["accuracy"]), what);
        let mean = numbers(&expected["mean_confidence"]);
        assert_all_close(&pick(|bin| bin.mean_confidence), &mean, what);
        compared += 1;
    }
    assert!(compared >= 5, "{compared} cases compared");
}

#[test]
fn the_calibration_error_is_the_weighted_gap() {
    let mut predictions = vec![(0.9, true); 8];
    predictions.extend([(0.9, false); 2]);
    predictions.extend([(0.5, true); 10]);
    let found = calibration(&predictions, 15);
    assert!((found.expected_calibration_error.unwrap() - 0.3).abs() < 1e-12, "{found:?}");
    assert_eq!(calibration(&[(1.0, true)], 15).bins[14].count, 1);
    assert_eq!(calibration(&[], 15).expected_calibration_error, None);
}

/// Pairs of (true, predicted) class.
fn pairs() -> impl Strategy<Value = Vec<(usize, usize)>> {
    prop::collection::vec((0..CLASSES, 0..CLASSES), 1..200)
}

/// (Is it the class, its score), scores with many ties.
fn scores() -> impl Strategy<Value = Vec<(bool, f64)>> {
    prop::collection::vec((any::<bool>(), (0u8..20).prop_map(|n| f64::from(n) / 19.0)), 1..120)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn averages_lie_between_their_parts_and_the_order_does_not_matter(pairs in pairs()) {
        let confusion = Confusion::of(CLASSES, pairs.iter().copied());
        let report = classification_report(&confusion, &confusion.classes_seen(), 0.0);
        let right = pairs.iter().filter(|(truth, predicted)| truth == predicted).count();
        let accuracy = right as f64 / pairs.len() as f64;
        prop_assert!((report.accuracy().unwrap() - accuracy).abs() < 1e-12);
        // Recall, weighted by support, is accuracy.
        prop_assert!((report.weighted_average.recall - accuracy).abs() < 1e-12);
        prop_assert_eq!(report.weighted_average.support as usize, pairs.len());
        let recalls: Vec<f64> = report.classes.iter().map(|(_, s)| s.recall).collect();
        let (least, most) = recalls.iter().fold((1.0f64, 0.0f64), |(a, b), &r| (a.min(r), b.max(r)));
        prop_assert!((least..=most + 1e-12).contains(&report.macro_average.recall));
        for (_, scores) in &report.classes {
            let (low, high) = (scores.precision.min(scores.recall), scores.precision.max(scores.recall));
            prop_assert!(scores.f1 <= high + 1e-12 && (scores.f1 >= low - 1e-12));
        }
        let reversed = Confusion::of(CLASSES, pairs.iter().rev().copied());
        prop_assert_eq!(reversed, confusion);
    }

    #[test]
    fn the_area_is_the_share_of_pairs_in_the_right_order(scores in scores()) {
        let of = |wanted: bool| scores.iter().filter(move |(p, _)| *p == wanted).map(|(_, s)| *s);
        let mut won = 0.0;
        for positive in of(true) {
            won += of(false).map(|negative| match positive.total_cmp(&negative) {
                std::cmp::Ordering::Greater => 1.0,
                std::cmp::Ordering::Equal => 0.5,
                std::cmp::Ordering::Less => 0.0,
            }).sum::<f64>();
        }
        let all = of(true).count() * of(false).count();
        match roc_curve(&scores) {
            None => prop_assert_eq!(all, 0),
            Some(roc) => {
                prop_assert!((roc.auc() - won / all as f64).abs() < 1e-9);
                prop_assert!(roc.fpr.is_sorted() && roc.tpr.is_sorted());
                prop_assert_eq!((roc.fpr[0], roc.tpr[0]), (0.0, 0.0));
                prop_assert_eq!((roc.fpr.last(), roc.tpr.last()), (Some(&1.0), Some(&1.0)));
                // Only the order of the scores counts.
                let other: Vec<_> = scores.iter().map(|&(p, s)| (p, s.powi(3) * 5.0 - 2.0)).collect();
                prop_assert!((roc_curve(&other).unwrap().auc() - roc.auc()).abs() < 1e-12);
                // The other side of the coin.
                let flipped: Vec<_> = scores.iter().map(|&(p, s)| (!p, s)).collect();
                prop_assert!((roc_curve(&flipped).unwrap().auc() + roc.auc() - 1.0).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn precision_and_recall_stay_in_bounds(scores in scores()) {
        if let Some(pr) = precision_recall_curve(&scores) {
            prop_assert!(pr.precision.iter().chain(&pr.recall).all(|v| (0.0..=1.0).contains(v)));
            prop_assert!(pr.recall.is_sorted_by(|a, b| a >= b));
            prop_assert_eq!(pr.recall[0], 1.0);
            prop_assert!((0.0..=1.0 + 1e-12).contains(&pr.average_precision));
        } else {
            prop_assert!(scores.iter().all(|(is_positive, _)| !is_positive));
        }
    }

    #[test]
    fn calibration_counts_everything_once(
        predictions in prop::collection::vec((0.0f64..=1.0, any::<bool>()), 1..200),
        bins in 1usize..30,
    ) {
        let found = calibration(&predictions, bins);
        prop_assert_eq!(found.bins.iter().map(|bin| bin.count).sum::<u64>(), predictions.len() as u64);
        prop_assert!((0.0..=1.0).contains(&found.expected_calibration_error.unwrap()));
        let one = calibration(&predictions, 1);
        // Finer bins find no smaller error.
        prop_assert!(found.expected_calibration_error >= one.expected_calibration_error.map(|e| e - 1e-9));
    }
}
