//! A program that is killed at any moment loses no bucket that it had finished.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod common;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use common::{MONDAY, Visitor, minutes, visits};
use rapport_journal::{Journal, Recorder};
use rapport_vocabulary::Emotion;
use rusqlite::Connection;

const KILLS: u64 = 200;
/// For the program under test, which is this one too.
const PATH: &str = "RAPPORT_TEST_JOURNAL";
const RUN: &str = "RAPPORT_TEST_RUN";

#[test]
fn kill_9_at_200_moments_loses_no_finished_bucket() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    let mut random = fastrand::Rng::with_seed(9);
    let (mut finished, mut in_file) = (0, 0);
    for run in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "writes_until_it_is_killed", "--ignored", "--nocapture"])
            .env(PATH, &path)
            .env(RUN, run.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // From its start on, or once the first bucket of this run is written.
        let mut written = Vec::new();
        if run % 2 == 0 {
            let first = lines.by_ref().find_map(|line| bucket(&line.unwrap()));
            written.push(first.unwrap_or_else(|| panic!("run {run} wrote nothing")));
        }
        std::thread::sleep(Duration::from_micros(random.u64(..40_000)));
        child.kill().unwrap();
        child.wait().unwrap();
        // What it still said before.
        written.extend(lines.map_while(Result::ok).filter_map(|line| bucket(&line)));
        finished += written.len();
        in_file = check(run, &path, &written);
    }
    println!("{KILLS} kills: {finished} buckets finished and said so, {in_file} in the file");
    assert!(finished as u64 > KILLS, "too few buckets for the kills to hit anything");
}

/// The bucket that a line of the program says is written.
fn bucket(line: &str) -> Option<i64> {
    line.split("written ").nth(1)?.trim().parse().ok()
}

/// That the buckets are in the file, and each of them wholly. Gives how many are.
fn check(run: u64, path: &Path, written: &[i64]) -> u64 {
    // As the program that starts next would.
    Journal::open(path).unwrap();
    let connection = Connection::open(path).unwrap();
    let sound: String =
        connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok", "run {run}");
    for from_secs in written {
        for table in ["visits", "ratings"] {
            let sql = format!("SELECT count(*) FROM {table} WHERE from_secs = ?1");
            let rows: i64 = connection.query_row(&sql, [from_secs], |row| row.get(0)).unwrap();
            assert_eq!(rows, 1, "run {run}: {table} of the bucket at {from_secs}");
        }
    }
    let few = "SELECT count(*) FROM visits WHERE view_n <> 12";
    let few: i64 = connection.query_row(few, [], |row| row.get(0)).unwrap();
    assert_eq!(few, 0, "run {run}: buckets with other than twelve visits");
    connection
        .query_row("SELECT count(*) FROM visits", [], |row| row.get::<_, i64>(0))
        .unwrap()
        .unsigned_abs()
}

/// The program that is killed. It says which buckets are written; each has twelve visits.
#[test]
#[ignore = "started by the other test of this file"]
fn writes_until_it_is_killed() {
    let path = std::env::var(PATH).unwrap();
    let run: u64 = std::env::var(RUN).unwrap().parse().unwrap();
    let mut journal = Journal::open(Path::new(&path)).unwrap();
    let mut recorder = Recorder::new(15).unwrap();
    // A time of its own for each run: 20,000 buckets.
    let start = MONDAY + minutes(15 * 20_000 * run);
    for number in 0..20_000 {
        let at = start + minutes(15 * number);
        visits(&mut recorder, "lobby", at, 12, &Visitor::of(Emotion::Happy));
        (0..10).for_each(|_| {
            recorder.rate("lobby", at, rapport_journal::Rating::new(5).unwrap());
        });
        recorder.advance(at + minutes(15));
        journal.append(recorder.finished()).unwrap();
        let mut out = std::io::stdout().lock();
        writeln!(out, "written {}", at.as_secs()).unwrap();
        out.flush().unwrap();
    }
}
