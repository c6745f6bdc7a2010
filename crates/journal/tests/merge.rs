//! Journals of several robots become one: nothing twice, nothing lost, nothing under ten visits.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod common;

use std::path::Path;

use common::{MONDAY, Visitor, all, directory, hours, minutes, visit, visits};
use rapport_journal::{
    Drift, HealthCounts, Journal, JournalError, Merged, Period, Rating, Recorder, Table,
};
use rapport_vocabulary::Emotion;
use rusqlite::Connection;

/// A journal of a day: visits each hour, a rule, ratings, health.
fn journal_of(path: &Path, place: &str, of_an_hour: u64) -> Journal {
    let mut journal = Journal::open(path).unwrap();
    let mut recorder = Recorder::new(15).unwrap();
    for hour in 0..24 {
        let at = MONDAY + hours(hour);
        visits(&mut recorder, place, at, of_an_hour, &Visitor::of(Emotion::Happy));
        visit(
            &mut recorder,
            place,
            at + minutes(14),
            "x",
            &Visitor::of(Emotion::Sad),
            Some("joke"),
        );
        recorder.rate(place, at, Rating::new(4).unwrap());
        // The same in every bucket and at every place.
        recorder.health(place, at, HealthCounts { images: 900, ..Default::default() });
    }
    recorder.close();
    journal.append(recorder.finished()).unwrap();
    journal.policy_changed(place, MONDAY + hours(3), "quiet").unwrap();
    journal
}

/// Place, visits, ratings, answers and images of each place.
fn totals(journal: &Journal) -> Vec<(String, u64, u64, u64, u64)> {
    let of = |place: String| {
        let history = journal.history(&all(&place), Period::All).unwrap();
        let total = history.first().unwrap();
        (
            place.clone(),
            total.visits.as_ref().map_or(0, |of| of.visits),
            total.ratings.as_ref().map_or(0, |of| of.n),
            journal.answers(&all(&place)).unwrap().iter().map(|of| of.visits).sum(),
            total.health.map_or(0, |of| of.images),
        )
    };
    journal.places().unwrap().into_iter().map(of).collect()
}

fn row(place: &str, numbers: (u64, u64, u64, u64)) -> (String, u64, u64, u64, u64) {
    (place.to_owned(), numbers.0, numbers.1, numbers.2, numbers.3)
}

#[test]
fn the_same_again_adds_nothing() {
    let directory = directory();
    let at = |name: &str| directory.path().join(name);
    let (mut lobby, exit) =
        (journal_of(&at("lobby"), "lobby", 12), journal_of(&at("exit"), "exit", 20));
    let expected = [row("exit", (504, 20, 20, 21_600)), row("lobby", (312, 20, 20, 21_600))];
    let mut fleet = Journal::open(&at("fleet")).unwrap();
    let first = fleet.merge(&lobby).unwrap();
    assert!(first.added > 48 && first.known == 0, "{first:?}");
    assert_eq!(fleet.merge(&lobby).unwrap(), Merged { added: 0, known: first.added });
    let second = fleet.merge(&exit).unwrap();
    assert_eq!(totals(&fleet), expected);

    // Also by way of a third journal, and where its own buckets come back.
    let mut other = Journal::open(&at("other")).unwrap();
    other.merge(&exit).unwrap();
    assert_eq!(other.merge(&fleet).unwrap(), Merged { added: first.added, known: second.added });
    assert_eq!(totals(&other), expected);
    assert_eq!(fleet.merge(&other).unwrap().added, 0);
    assert_eq!(lobby.merge(&other).unwrap(), Merged { added: second.added, known: first.added });
    assert_eq!(totals(&lobby), expected);
    let days = |journal: &Journal| journal.history(&all("lobby"), Period::Day).unwrap();
    assert_eq!(days(&lobby), days(&fleet));
}

/// A quiet hour looks the same everywhere, and a clock that is set back makes an hour twice.
#[test]
fn buckets_that_look_the_same_are_counted_as_often_as_they_are() {
    let directory = directory();
    let at = |name: &str| directory.path().join(name);
    let twice = |path: &Path| {
        let mut journal = Journal::open(path).unwrap();
        let mut recorder = Recorder::new(15).unwrap();
        for _ in 0..2 {
            let counts = HealthCounts { images: 900, ..Default::default() };
            recorder.health("lobby", MONDAY + hours(1), counts);
            recorder.advance(MONDAY + hours(2));
            recorder.advance(MONDAY + hours(1));
        }
        recorder.close();
        journal.append(recorder.finished()).unwrap();
        journal
    };
    let (one, two) = (twice(&at("one")), twice(&at("two")));
    let mut both = Journal::open(&at("both")).unwrap();
    for journal in [&one, &two] {
        assert_eq!(both.merge(journal).unwrap(), Merged { added: 2, known: 0 });
    }
    for journal in [&two, &one] {
        assert_eq!(both.merge(journal).unwrap(), Merged { added: 0, known: 2 });
    }
    assert_eq!(totals(&both), [row("lobby", (0, 0, 0, 3600))]);
}

#[test]
fn a_merge_that_was_cut_off_goes_on_and_new_buckets_follow() {
    let directory = directory();
    let at = |name: &str| directory.path().join(name);
    let mut lobby = journal_of(&at("lobby"), "lobby", 12);
    let mut fleet = Journal::open(&at("fleet")).unwrap();
    let all_of_it = fleet.merge(&lobby).unwrap().added;
    let expected = totals(&fleet);
    let cut = Connection::open(at("fleet")).unwrap();
    let gone = cut.execute("DELETE FROM visits WHERE rowid > 9", []).unwrap() as u64
        + cut.execute("DELETE FROM health", []).unwrap() as u64;
    drop(cut);
    assert_eq!(fleet.merge(&lobby).unwrap(), Merged { added: gone, known: all_of_it - gone });
    assert_eq!(totals(&fleet), expected);
    lobby.append(common::finished_bucket(MONDAY + hours(30)).finished()).unwrap();
    assert_eq!(fleet.merge(&lobby).unwrap(), Merged { added: 1, known: all_of_it });
    // What changed when comes along too.
    for journal in [&lobby, &fleet] {
        let compared = journal.compare("lobby", MONDAY + hours(3), 1).unwrap();
        let json = serde_json::to_string(&compared).unwrap();
        assert!(json.contains("\"before\""), "{json}");
    }
    assert_eq!(lobby.policy_changes("lobby").unwrap(), fleet.policy_changes("lobby").unwrap());
}

#[test]
fn the_first_week_of_a_new_place_comes_along() {
    let directory = directory();
    let at = |name: &str| directory.path().join(name);
    let mut journal = Journal::open(&at("lobby")).unwrap();
    let mut recorder = Recorder::new(15).unwrap();
    for day in 0..20 {
        let visitor = Visitor { brightness: 0.3, ..Visitor::of(Emotion::Happy) };
        visits(&mut recorder, "lobby", MONDAY + hours(24 * day), 30, &visitor);
    }
    recorder.close();
    journal.append(recorder.finished()).unwrap();
    // The week itself is forgotten.
    journal.keep_days(8, MONDAY + hours(24 * 20)).unwrap();
    let mut fleet = Journal::open(&at("fleet")).unwrap();
    fleet.merge(&journal).unwrap();
    let drift = fleet.drift(&all("lobby")).unwrap();
    assert_eq!(drift, journal.drift(&all("lobby")).unwrap());
    assert!(matches!(drift, Some(Drift::Measured { .. })), "{drift:?}");
}

#[test]
fn what_no_journal_may_hold_is_not_taken_over() {
    let directory = directory();
    let at = |name: &str| directory.path().join(name);
    for (number, (change, problem)) in [
        ("view_n = 3", "row 7 of visits rests on fewer than ten visits"),
        ("smile_n = 4, smiles = 1", "row 7 of visits rests on fewer than ten visits"),
        ("histograms = X'0301'", "that are no histograms"),
        ("from_secs = from_secs + 60", "row 7 of visits has a time that is no border"),
        ("peak_sum = 1, peak_n = NULL", "row 7 of visits is not as a journal has it"),
    ]
    .into_iter()
    .enumerate()
    {
        let path = at(&format!("lobby {number}"));
        let lobby = journal_of(&path, "lobby", 12);
        let other = Connection::open(&path).unwrap();
        other.pragma_update(None, "ignore_check_constraints", true).unwrap();
        other.execute(&format!("UPDATE visits SET {change} WHERE rowid = 7"), []).unwrap();
        let mut fleet = Journal::open(&at(&format!("fleet {number}"))).unwrap();
        let error = fleet.merge(&lobby).unwrap_err();
        assert!(matches!(&error, JournalError::Damaged { path: of, .. } if *of == path), "{error}");
        assert!(error.to_string().contains(problem), "{error}");
        let history = fleet.history(&all("lobby"), Period::All).unwrap();
        assert!(history.is_empty(), "{history:?}");
    }
}

#[test]
fn a_journal_is_not_merged_into_itself() {
    let directory = directory();
    let path = directory.path().join("lobby");
    let mut lobby = journal_of(&path, "lobby", 12);
    let again = Journal::open_read_only(&path).unwrap();
    let error = lobby.merge(&again).unwrap_err();
    assert!(matches!(error, JournalError::SameJournal { .. }), "{error}");
}

/// Each journal that was merged gives the same rows as CSV.
#[test]
fn the_export_of_a_merged_journal_is_that_of_its_parts() {
    let directory = directory();
    let lobby = journal_of(&directory.path().join("lobby"), "lobby", 12);
    let mut fleet = Journal::open(&directory.path().join("fleet")).unwrap();
    fleet.merge(&lobby).unwrap();
    for table in Table::ALL {
        let csv = |journal: &Journal| {
            let mut csv = Vec::new();
            journal.export_csv(&all("lobby"), table, &mut csv).unwrap();
            String::from_utf8(csv).unwrap()
        };
        assert!(csv(&lobby).lines().count() > 1);
        assert_eq!(csv(&lobby), csv(&fleet));
    }
}
