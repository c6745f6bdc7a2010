//! A file that cannot be used: one error that says so, the file stays as it was, and what is
//! finished is written once it can be.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod common;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use common::{MONDAY, finished_bucket, hours, journal_with_a_bucket, visits_in};
use rapport_journal::{
    BucketContent, BucketFigures, Journal, JournalError, JournalWriter, Observation, WriterOptions,
};
use rusqlite::Connection;

/// For the program under test, which is this one too.
const PATH: &str = "RAPPORT_TEST_JOURNAL";

#[test]
fn a_damaged_file_is_named_and_left_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    let mut journal = journal_with_a_bucket(&path).unwrap();
    for day in 1..200 {
        journal.append(finished_bucket(MONDAY + hours(day)).finished()).unwrap();
    }
    drop(journal);
    let sound = std::fs::read(&path).unwrap();
    let mut random = fastrand::Rng::with_seed(4);
    let mut damaged = 0;
    for _ in 0..200 {
        let mut bytes = sound.clone();
        // A stretch of noise, or a file cut short.
        let start = random.usize(..bytes.len());
        if random.bool() {
            bytes.truncate(start);
        } else {
            let end = (start + random.usize(1..5000)).min(bytes.len());
            bytes[start..end].iter_mut().for_each(|byte| *byte = random.u8(..));
        }
        std::fs::write(&path, &bytes).unwrap();
        // Nothing here may panic. What is not noticed is read.
        match Journal::open_read_only(&path) {
            Ok(journal) => {
                let _ = journal.history(&common::all("lobby"), rapport_journal::Period::Day);
                let _ = journal.drift(&common::all("lobby"));
            }
            Err(error) => {
                damaged += 1;
                let text = error.to_string();
                assert!(text.contains("journal.db"), "{text}");
            }
        }
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "the file was changed");
    }
    println!("{damaged} of 200 damaged files were refused");
    assert!(damaged > 100);
    // Noise in the middle of a table.
    let mut bytes = sound;
    bytes[4096 * 3..4096 * 4].fill(0x5a);
    std::fs::write(&path, &bytes).unwrap();
    let error = Journal::open(&path).unwrap_err();
    assert!(matches!(error, JournalError::Damaged { .. }), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}

#[test]
fn other_files_are_no_journals() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notes.txt");
    std::fs::write(&path, "Shopping list: ".repeat(100)).unwrap();
    let error = Journal::open(&path).unwrap_err();
    assert!(matches!(error, JournalError::NotAJournal { .. }), "{error}");

    let path = directory.path().join("music.db");
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE songs (name)").unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let error = Journal::open(&path).unwrap_err();
    assert!(error.to_string().ends_with(
        "found an SQLite file of another program, expected a journal of Rapport or no file"
    ));
    assert_eq!(std::fs::read(&path).unwrap(), bytes);

    let path = directory.path().join("newer.db");
    drop(journal_with_a_bucket(&path).unwrap());
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let error = Journal::open(&path).unwrap_err();
    assert!(matches!(error, JournalError::TooNew { found: 99, .. }), "{error}");

    for path in ["nowhere/journal.db", "."] {
        let error = Journal::open(&directory.path().join(path)).unwrap_err();
        assert!(matches!(error, JournalError::CannotOpen { .. }), "{error}");
    }
    let error = Journal::open_read_only(&directory.path().join("none.db")).unwrap_err();
    assert!(matches!(error, JournalError::CannotOpen { .. }), "{error}");
}

#[test]
fn what_another_program_locks_is_written_afterwards() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    let mut journal = journal_with_a_bucket(&path).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut recorder = finished_bucket(MONDAY + hours(1));
    let error = journal.append(recorder.finished()).unwrap_err();
    assert!(matches!(error, JournalError::Locked { .. }), "{error}");
    // Pages read on.
    assert_eq!(visits_in(&Journal::open_read_only(&path).unwrap()), 12);
    other.execute_batch("ROLLBACK").unwrap();
    journal.append(recorder.finished()).unwrap();
    assert_eq!(visits_in(&journal), 24);
    assert!(recorder.finished().is_empty());
}

#[test]
fn a_file_that_is_moved_away_is_not_written_into_the_dark() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    let mut journal = journal_with_a_bucket(&path).unwrap();
    std::fs::rename(&path, directory.path().join("elsewhere.db")).unwrap();
    let mut recorder = finished_bucket(MONDAY + hours(1));
    let error = journal.append(recorder.finished()).unwrap_err();
    assert!(error.to_string().contains("was moved, replaced or removed"), "{error}");
    assert_eq!(recorder.finished().len(), 1);
}

/// As root a file without the right to write can be written, so the program gives up its rights.
#[test]
fn a_read_only_file_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    drop(journal_with_a_bucket(&path).unwrap());
    let bytes = std::fs::read(&path).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o444)).unwrap();
    let without_rights = Command::new("setpriv")
        .args(["--bounding-set", "-all", "--inh-caps", "-all", "true"])
        .status()
        .is_ok_and(|status| status.success());
    let said = if without_rights {
        run(
            "setpriv",
            &["--bounding-set", "-all", "--inh-caps", "-all"],
            "opens_and_appends",
            &path,
        )
    } else {
        run("env", &[], "opens_and_appends", &path)
    };
    assert!(said.contains("open: ") && said.contains("the journal is read-only"), "{said}");
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}

/// With a limit on the size of files, as a quota has it. A disk that is full is the next test.
#[test]
fn a_file_that_may_not_grow_says_so_and_what_is_in_it_stays() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    drop(journal_with_a_bucket(&path).unwrap());
    // The signal that would end the program is ignored; then the write fails.
    let limit = "trap '' XFSZ; ulimit -f 400; exec \"$@\"";
    let said = run("bash", &["-c", limit, "bash"], "appends_until_it_fails", &path);
    assert!(said.contains("append: ") && said.contains("cannot read or write"), "{said}");
    check_what_stayed(&path, &said);
}

/// On a file system of 300 kB, where the machine lets a test make one.
#[test]
fn a_full_disk_says_so_and_what_is_in_it_stays() {
    let probe = Command::new("unshare")
        .args(["-rm", "sh", "-c", "mount -t tmpfs tmpfs /mnt"])
        .status()
        .is_ok_and(|status| status.success());
    if !probe {
        println!("skipped: this machine lets no test make a file system");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("disk/journal.db");
    std::fs::create_dir(path.parent().unwrap()).unwrap();
    let script = "dir=$(dirname \"$RAPPORT_TEST_JOURNAL\"); mount -t tmpfs -o size=300k tmpfs \"$dir\" \
                  && \"$@\"; cp \"$dir\"/journal.db* \"$dir/..\"";
    let said =
        run("unshare", &["-rm", "bash", "-c", script, "bash"], "appends_until_it_fails", &path);
    assert!(said.contains("append: ") && said.contains("the disk is full"), "{said}");
    check_what_stayed(&directory.path().join("journal.db"), &said);
}

/// The buckets that the program said it wrote are there, and no half of another.
fn check_what_stayed(path: &Path, said: &str) {
    let number = |what: &str| -> u64 {
        let line = said.lines().find_map(|line| line.split_once(what)).unwrap();
        line.1.trim().parse().unwrap()
    };
    let (written, waiting) = (number("written: "), number("waiting: "));
    assert!(written > 10 && waiting == 1, "{said}");
    let journal = Journal::open_read_only(path).unwrap();
    assert_eq!(visits_in(&journal), 12 * written);
}

/// Runs one of the programs below under a command. Gives what it printed.
fn run(command: &str, arguments: &[&str], program: &str, path: &Path) -> String {
    let output = Command::new(command)
        .args(arguments)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", program, "--ignored", "--nocapture"])
        .env(PATH, path)
        .output()
        .unwrap();
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

#[test]
#[ignore = "started by another test of this file"]
fn opens_and_appends() {
    let path = std::env::var(PATH).unwrap();
    match Journal::open(Path::new(&path)) {
        Err(error) => println!("open: {error}"),
        Ok(mut journal) => {
            let mut recorder = finished_bucket(MONDAY + hours(1));
            println!("append: {:?}", journal.append(recorder.finished()));
        }
    }
}

#[test]
#[ignore = "started by another test of this file"]
fn appends_until_it_fails() {
    let path = std::env::var(PATH).unwrap();
    let mut journal = Journal::open(Path::new(&path)).unwrap();
    let there = visits_in(&journal) / 12;
    for hour in 1..100_000 {
        let mut recorder = finished_bucket(MONDAY + hours(hour));
        if let Err(error) = journal.append(recorder.finished()) {
            println!("append: {error}");
            println!("written: {}", there + hour - 1);
            println!("waiting: {}", recorder.finished().len());
            return;
        }
    }
}

#[test]
fn the_writer_goes_on_while_the_file_is_locked() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    drop(journal_with_a_bucket(&path).unwrap());
    let (passed_on, buckets) = std::sync::mpsc::channel();
    let written = move |bucket| passed_on.send(bucket).unwrap();
    let writer = JournalWriter::open(&path, &WriterOptions::default(), written).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let observe = |hour: u64| {
        let start = MONDAY + hours(hour);
        let visitor = common::Visitor::of(rapport_vocabulary::Emotion::Happy);
        for second in 0..1200 {
            let time = start + std::time::Duration::from_secs(second);
            let id = format!("face_{}", second / 10);
            let people = [visitor.seen(&id)];
            let image = rapport_journal::ImageSeen { place: "lobby", time, people: &people };
            let now = std::time::Instant::now();
            writer.take(&Observation::Image(image));
            assert!(now.elapsed() < std::time::Duration::from_secs(1), "waited for the disk");
        }
    };
    observe(1);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while writer.status().error.is_none() {
        assert!(std::time::Instant::now() < deadline, "no error after 30 s");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let status = writer.status();
    assert!(status.error.unwrap().contains("locked by another program"));
    assert_eq!(status.waiting, 1);
    observe(2);
    other.execute_batch("ROLLBACK").unwrap();
    let status = writer.close();
    assert_eq!((status.error, status.waiting, status.dropped), (None, 0, 0));
    // Twice 120 visits of ten images each, all written.
    assert_eq!(visits_in(&Journal::open(&path).unwrap()), 12 + 240);
    let of = |bucket: BucketFigures| match bucket.content {
        BucketContent::Visits(figures) => figures.visits,
        other => panic!("{other:?}"),
    };
    assert_eq!(buckets.iter().map(of).sum::<u64>(), 240);
}
