//! A journal that an earlier version wrote is read and written on.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod common;

use std::path::Path;

use common::{MONDAY, all, finished_bucket, hours, journal_with_a_bucket, visits_in};
use rapport_journal::{Journal, JournalError, Period};
use rusqlite::Connection;

/// As `sqlite3 journal.db .dump` gave it; never change it.
const VERSION_1: &str = include_str!("data/version_1.sql");

fn schema(path: &Path) -> Vec<String> {
    let connection = Connection::open(path).unwrap();
    let sql = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name";
    let mut query = connection.prepare(sql).unwrap();
    query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

fn version_1(path: &Path) {
    Connection::open(path).unwrap().execute_batch(VERSION_1).unwrap();
}

#[test]
fn version_1_is_brought_to_this_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    version_1(&path);
    // Only who may write brings it there.
    let error = Journal::open_read_only(&path).unwrap_err();
    assert!(error.to_string().contains("a journal of version 1"), "{error}");
    let mut journal = Journal::open(&path).unwrap();
    assert_eq!(visits_in(&journal), 12);
    let all = &journal.history(&all("lobby"), Period::All).unwrap()[0];
    assert_eq!(all.ratings.as_ref().unwrap().n, 11);
    journal.append(finished_bucket(MONDAY + hours(1)).finished()).unwrap();
    journal.policy_changed("lobby", MONDAY, "quiet").unwrap();
    assert_eq!(visits_in(&journal), 24);
    drop(journal);
    assert_eq!(visits_in(&Journal::open_read_only(&path).unwrap()), 24);

    let new = directory.path().join("new.db");
    drop(journal_with_a_bucket(&new).unwrap());
    assert_eq!(schema(&path), schema(&new));
}

#[test]
fn a_migration_that_fails_leaves_the_file_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    version_1(&path);
    // Something is where the second version puts a table.
    let other = Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE policy_changes (something)").unwrap();
    drop(other);
    let before = schema(&path);
    let error = Journal::open(&path).unwrap_err();
    assert!(matches!(error, JournalError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("policy_changes already exists"), "{error}");
    assert_eq!(schema(&path), before);
    let version: i64 = Connection::open(&path)
        .unwrap()
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap();
    assert_eq!(version, 1);
}

#[test]
fn two_programs_may_open_a_new_journal_at_once() {
    let directory = tempfile::tempdir().unwrap();
    for round in 0..20 {
        let path = directory.path().join(format!("{round}.db"));
        let open = || Journal::open(&path).map(drop);
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(open)).collect();
            threads.into_iter().for_each(|thread| thread.join().unwrap().unwrap());
        });
    }
}

/// The file refuses few visits itself, whoever writes them.
#[test]
fn the_file_refuses_fewer_than_ten_visits_and_finer_times() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    drop(journal_with_a_bucket(&path).unwrap());
    let connection = Connection::open(&path).unwrap();
    for (change, table) in [
        ("view_n = 9", "visits"),
        ("smile_n = 1", "visits"),
        ("peak_n = 9", "visits"),
        ("from_secs = from_secs + 60", "visits"),
        ("to_secs = from_secs", "visits"),
    ] {
        let error = connection.execute(&format!("UPDATE {table} SET {change}"), []).unwrap_err();
        assert!(error.to_string().contains("CHECK constraint failed"), "{change}: {error}");
    }
    let insert = "INSERT INTO ratings VALUES (1, 0, 900, 1, 0, 0, 3, 5, 1)";
    assert!(connection.execute(insert, []).unwrap_err().to_string().contains("CHECK"));
}
