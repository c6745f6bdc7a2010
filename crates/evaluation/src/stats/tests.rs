//! Intervals, tests and tables are those of scikit-learn, scipy and statsmodels.

use serde_json::Value;

use super::*;
use crate::items::Item;
use crate::labels::LabelDetails;
use crate::metrics::{SoftAnswer, Votes, agreement, jensen_shannon};
use crate::seen::Place;
use crate::tally::{AffectAnswer, Scored};
use rapport_vocabulary::{Distribution, Emotion};

/// What tools/metrics/make_statistics.py writes.
fn reference() -> Value {
    serde_json::from_str(include_str!("../../../../tests/reference/statistics.json")).unwrap()
}

fn list(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    list(value).iter().map(|number| number.as_f64().unwrap()).collect()
}

#[track_caller]
fn assert_close(found: f64, expected: &Value, what: &str) {
    let expected = expected.as_f64().unwrap();
    assert!((found - expected).abs() <= 1e-9, "{what}: {found} for {expected}");
}

#[track_caller]
fn assert_same(found: &Estimate, expected: &Value, what: &str) {
    assert_close(found.estimate, &expected["estimate"], what);
    let (lower, upper) = found.interval().unwrap();
    assert_close(lower, &expected["lower"], &format!("{what}, lower"));
    assert_close(upper, &expected["upper"], &format!("{what}, upper"));
}

/// The answers of one model of a case.
fn tally(case: &Value, model: &Value, items: &mut Items) -> Tally {
    let mut tally = Tally::default();
    let at = |list: &Value, index: usize| list[index].as_f64().unwrap();
    for index in 0..list(&case["truth"]).len() {
        let details = LabelDetails {
            groups: vec![("light".to_owned(), case["group"][index].as_str().unwrap().to_owned())],
            subject: match case["name"].as_str() {
                Some("pictures") => String::new(),
                _ => case["unit"][index].to_string(),
            },
            ..LabelDetails::default()
        };
        let labels = crate::labels::FrameLabels {
            details: vec![(String::new(), details)],
            ..Default::default()
        };
        let place = Place { frame: index as u64, ..Place::default() };
        let unit = items.unit(&place, &labels);
        let item: Item = items.of(unit, place.frame, "", labels.details_of(""));
        let scores = numbers(&model["scores"][index]);
        let scores = Emotion::ALL.into_iter().zip(scores.into_iter().map(|score| score as f32));
        let probabilities = Distribution::of_pairs(scores);
        let label = probabilities.top();
        let truth = Emotion::ALL[at(&case["truth"], index) as usize];
        tally.scored.push(item, Scored { truth, label, instant_label: label, probabilities });
        let votes = numbers(&case["votes"][index]);
        let votes = Votes(std::array::from_fn(|column| votes[column] as u32));
        let sure = probabilities.of(label) >= 0.5;
        if let Some(agreed) = votes.agreed() {
            let answer = crate::metrics::PeopleAnswer { agreed, label, sure, probabilities };
            tally.people.push(item, answer);
        }
        if let Some(people) = votes.soft_label() {
            tally.soft.push(item, SoftAnswer { people, label, probabilities });
        }
        let pair = |name: &str| Some((at(&case[name], index), at(&model[name], index)));
        let (valence, arousal) = (pair("valence"), pair("arousal"));
        tally.affect.push(item, AffectAnswer { valence, arousal });
    }
    tally
}

/// A case with the statistics that this program makes of it.
fn bootstrap(case: &Value, resamples: u32, seed: u64) -> Bootstrap {
    let mut items = Items::default();
    let tallies: Vec<Tally> =
        list(&case["models"]).iter().map(|model| tally(case, model, &mut items)).collect();
    let classes = LabelSet::seven();
    let names = ["one", "other"];
    let models = names.iter().zip(&tallies);
    let models: Vec<_> =
        models.map(|(name, tally)| Answered { name, labels: &classes, tally }).collect();
    let statistics = Statistics::of(&items, resamples, seed);
    Bootstrap::of(&models, &classes, &items, statistics)
}

#[test]
fn intervals_are_those_of_scikit_learns_figures_in_the_same_samples() {
    let reference = reference();
    let (samples, seed) =
        (reference["samples"].as_u64().unwrap(), reference["seed"].as_u64().unwrap());
    for case in list(&reference["cases"]) {
        let name = case["name"].as_str().unwrap();
        let found = bootstrap(case, samples as u32, seed);
        for (model, (intervals, groups)) in
            list(&case["models"]).iter().zip(found.intervals.iter().zip(&found.groups))
        {
            let expected = model["intervals"].as_object().unwrap();
            assert!(expected.len() >= 18, "{name}");
            for (key, expected) in expected {
                let figure = Figure::ALL.into_iter().find(|figure| figure.key() == key).unwrap();
                let what = format!("{name}, {key}");
                assert_same(intervals.get(figure).unwrap(), expected, &what);
            }
            let groups = &groups.as_ref().unwrap().0[0].groups;
            assert_eq!(groups.len(), 3, "{name}");
            for (group, figures) in groups {
                let (what, expected) = (format!("{name}, {group}"), &model["groups"][group]);
                assert_same(&figures.accuracy, &expected["accuracy"], &what);
                assert_same(&figures.macro_f1, &expected["macro_f1"], &what);
                let others = figures.accuracy_less_others.unwrap();
                assert_same(&others.difference, &expected["accuracy_less_others"], &what);
                assert_close(others.p.unwrap(), &expected["p"], &what);
            }
        }
        let comparison = &found.comparisons[0];
        for (figure, difference) in &comparison.differences.0 {
            let Some(expected) = case["differences"].get(figure.key()) else { continue };
            let what = format!("{name}, difference of {}", figure.key());
            assert_same(&difference.difference, expected, &what);
            assert_close(difference.p.unwrap(), &expected["p"], &what);
        }
    }
}

#[test]
fn intervals_are_about_those_of_scipys_own_bootstrap() {
    let reference = reference();
    let case = &reference["cases"][0];
    let found = bootstrap(case, 4000, 1);
    let difference = &found.comparisons[0].differences.0[0];
    assert_eq!(difference.0, Figure::Accuracy);
    let of = |figure: Figure| *found.intervals[0].get(figure).unwrap();
    for (found, key) in [
        (of(Figure::Accuracy), "accuracy"),
        (of(Figure::SoftJensenShannon), "soft_jensen_shannon"),
        (of(Figure::Valence), "valence_ccc"),
        (difference.1.difference, "accuracy_difference"),
    ] {
        let ends = numbers(&case["scipy"][key]);
        let (lower, upper) = found.interval().unwrap();
        let room = 0.1 * (ends[1] - ends[0]);
        assert!((lower - ends[0]).abs() < room, "{key}: {lower} for {}", ends[0]);
        assert!((upper - ends[1]).abs() < room, "{key}: {upper} for {}", ends[1]);
    }
}

#[test]
fn mcnemars_test_is_that_of_statsmodels() {
    let reference = reference();
    for case in list(&reference["tests"]) {
        let count = |key: &str| case[key].as_u64().unwrap() as usize;
        let first = vec![(true, false); count("only_first")];
        let found = McNemar::of([first, vec![(false, true); count("only_second")]].concat());
        assert_test(&found, case);
    }
    // The models of the pictures; none where faces are not independent.
    let found = |index: usize| bootstrap(&reference["cases"][index], 0, 1).comparisons.remove(0);
    assert_test(&found(0).mcnemar.unwrap(), &reference["cases"][0]["mcnemar"]);
    assert_eq!(found(1).mcnemar, None);
}

#[track_caller]
fn assert_test(found: &McNemar, expected: &Value) {
    assert_close(found.p_exact, &expected["p_exact"], "exact");
    assert_close(found.chi_squared.unwrap(), &expected["chi_squared"], "statistic");
    assert_close(found.p_chi_squared.unwrap(), &expected["p_chi_squared"], "corrected");
}

#[test]
fn agreement_and_divergence_are_those_of_scipy() {
    let reference = reference();
    for case in list(&reference["agreements"]) {
        let what = case["name"].as_str().unwrap();
        let pairs = numbers(&case["given"]).into_iter().zip(numbers(&case["read"]));
        let found = agreement(&pairs.collect::<Vec<_>>()).unwrap();
        assert_close(found.ccc.unwrap(), &case["ccc"], what);
        assert_close(found.pearson.unwrap(), &case["pearson"], what);
        assert_close(found.rmse, &case["rmse"], what);
    }
    for case in list(&reference["divergences"]) {
        let found = jensen_shannon(&numbers(&case["one"]), &numbers(&case["other"]));
        assert_close(found, &case["jensen_shannon"], "Jensen-Shannon");
    }
}

#[test]
fn few_units_have_figures_and_no_intervals() {
    let reference = reference();
    let found = bootstrap(&reference["cases"][0], 0, 1);
    let accuracy = found.intervals[0].get(Figure::Accuracy).unwrap();
    assert!(accuracy.interval().is_none() && accuracy.estimate > 0.0);
    let mut items = Items::default();
    for frame in 0..4 {
        items.unit(&Place { frame, ..Place::default() }, &Default::default());
    }
    let statistics = Statistics::of(&items, 2000, 1);
    assert_eq!((statistics.resamples, statistics.units), (0, 4));
    assert_eq!(statistics.text(), "No intervals: 4 pictures, expected at least 5.");
}
