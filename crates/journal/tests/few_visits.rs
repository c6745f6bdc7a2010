//! Nothing that rests on fewer than ten visits reaches the file, its WAL included, or an answer to a
//! query: ten thousand random journals.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use common::{MONDAY, Visitor, all, directory, hours, minutes, visit};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use rapport_journal::{HealthCounts, Journal, Period, Rating, Recorder, Scope, Table, Zone};
use rapport_vocabulary::{Emotion, Engagement};
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};

const JOURNALS: u64 = 10_000;
const PLACES: [&str; 2] = ["lobby", "exit"];
const RULES: [&str; 2] = ["greet", "comfort"];

/// Rows of a table by their number.
type Rows = BTreeMap<(&'static str, i64), Vec<(String, Value)>>;

/// What happened in all journals, so that the test cannot pass because nothing did.
#[derive(Default)]
struct Seen {
    rows: BTreeMap<&'static str, u64>,
    merged: u64,
    over_midnight: u64,
    left_out: u64,
    restarts: u64,
}

#[test]
fn ten_thousand_random_journals_hold_nothing_under_ten_visits() {
    let directory = directory();
    let empty = directory.path().join("empty.db");
    drop(Journal::open(&empty).unwrap());
    let mut seen = Seen::default();
    for seed in 0..JOURNALS {
        let own = directory.path().join("own");
        std::fs::create_dir(&own).unwrap();
        random_journal(seed, &empty, &own.join("journal.db"), &mut seen);
        std::fs::remove_dir_all(&own).unwrap();
    }
    println!("{JOURNALS} journals: {:?}", seen.rows);
    for table in ["visits", "answers", "ratings", "health"] {
        assert!(seen.rows.get(table).is_some_and(|&rows| rows > 1000), "{table}: {:?}", seen.rows);
    }
    for (what, times) in [
        ("buckets that were merged", seen.merged),
        ("buckets that reach over midnight", seen.over_midnight),
        ("figures left out", seen.left_out),
        ("restarts", seen.restarts),
    ] {
        println!("  {what}: {times}");
        assert!(times > 1000, "{what}: {times}");
    }
}

fn random_journal(seed: u64, empty: &Path, path: &Path, seen: &mut Seen) {
    let mut random = fastrand::Rng::with_seed(seed);
    std::fs::copy(empty, path).unwrap();
    let mut journal = Journal::open(path).unwrap();
    let mut recorder = Recorder::new(15).unwrap();
    let mut before = Rows::new();
    let mut now = MONDAY + Duration::from_secs(random.u64(..7 * 86_400));
    let mut people = 0u64;
    for _ in 0..random.usize(1..12) {
        let place = PLACES[random.usize(..2)];
        match random.u8(..20) {
            0..=10 => {
                for _ in 0..random.u32(1..16) {
                    people += 1;
                    let id = format!("secret_{people}");
                    let visitor = Visitor {
                        label: Emotion::ALL[random.usize(..8)],
                        confidence: random.f32(),
                        engagement: random.bool().then_some(Engagement::Engaged),
                        brightness: random.f32(),
                        is_classified: random.u8(..4) > 0,
                    };
                    let rule = (random.u8(..4) > 0).then(|| RULES[random.usize(..2)]);
                    visit(&mut recorder, place, now, &id, &visitor, rule);
                    now += Duration::from_secs(random.u64(1..60));
                }
            }
            11..=13 => {
                for _ in 0..random.u32(1..14) {
                    recorder.rate(place, now, Rating::new(random.u8(1..=5)).unwrap());
                }
            }
            14 => {
                recorder.health(place, now, HealthCounts { images: 9, ..Default::default() });
            }
            15 | 16 => now += hours(random.u64(1..30)),
            // The clock is set back.
            17 => now -= minutes(random.u64(1..60)),
            // The program ends, or is killed and starts anew.
            18 => {
                recorder.close();
                journal.append(recorder.finished()).unwrap();
                seen.restarts += 1;
            }
            _ => {
                recorder = Recorder::new(15).unwrap();
                if random.bool() {
                    journal = Journal::open(path).unwrap();
                }
                seen.restarts += 1;
            }
        }
        recorder.advance(now);
        if !recorder.finished().is_empty() {
            for bucket in recorder.finished().buckets() {
                check_json(seed, &serde_json::to_value(bucket).unwrap());
            }
            journal.append(recorder.finished()).unwrap();
            before = check_file(seed, path, before);
        }
    }
    recorder.close();
    journal.append(recorder.finished()).unwrap();
    let rows = check_file(seed, path, before);
    check_answers(seed, &journal);
    for ((table, _), row) in &rows {
        *seen.rows.entry(table).or_default() += 1;
        let of = |name: &str| row.iter().find(|(column, _)| column == name).map(|(_, value)| value);
        if let (Some(Value::Integer(from)), Some(Value::Integer(to))) =
            (of("from_secs"), of("to_secs"))
        {
            seen.merged += u64::from(to - from > 900);
            seen.over_midnight += u64::from(from / 86_400 != (to - 1) / 86_400);
        }
        seen.left_out += row.iter().filter(|(_, value)| *value == Value::Null).count() as u64;
    }
}

/// Every number in the file, with and without its WAL; that no row was changed; and that no id is in
/// any of its bytes.
fn check_file(seed: u64, path: &Path, before: Rows) -> Rows {
    for file in ["", "-wal", "-shm"] {
        let bytes = std::fs::read(format!("{}{file}", path.display())).unwrap_or_default();
        let found = bytes.windows(7).any(|bytes| bytes == b"secret_");
        assert!(!found, "journal {seed}: an id is in the file {file}");
    }
    let copy = path.with_extension("copy");
    std::fs::copy(path, &copy).unwrap();
    // Without the WAL there may be no tables yet.
    check_rows(seed, &rows(&copy));
    let with_wal = rows(path);
    check_rows(seed, &with_wal);
    for (key, row) in before {
        assert_eq!(with_wal.get(&key), Some(&row), "journal {seed}: {key:?} was changed");
    }
    with_wal
}

fn rows(path: &Path) -> Rows {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut rows = Rows::new();
    for table in ["visits", "answers", "ratings", "health", "baselines"] {
        let Ok(mut query) = connection.prepare(&format!("SELECT rowid, * FROM {table}")) else {
            continue;
        };
        let names: Vec<String> = query.column_names().skip(1).map(str::to_owned).collect();
        let read = query.query_map([], |row| {
            let value = |(column, name): (usize, &String)| Ok((name.clone(), row.get(column + 1)?));
            let values = names.iter().enumerate().map(value).collect::<rusqlite::Result<_>>()?;
            Ok(((table, row.get(0)?), values))
        });
        rows.extend(read.unwrap().map(Result::unwrap));
    }
    rows
}

fn check_rows(seed: u64, rows: &Rows) {
    for ((table, number), row) in rows {
        let mut ratings = 0;
        for (name, value) in row {
            let Value::Integer(value) = *value else { continue };
            let at = format!("journal {seed}, {table} {number}: {name} is {value}");
            if name.ends_with("_n") || name == "visits" {
                assert!(value >= 10, "{at}");
            }
            if name.ends_with("from_secs") || name.ends_with("to_secs") {
                assert!(value % 900 == 0, "{at}");
            }
            if ["ones", "twos", "threes", "fours", "fives"].contains(&name.as_str()) {
                ratings += value;
            }
        }
        assert!(*table != "ratings" || ratings >= 10, "journal {seed}: {ratings} ratings");
        if let Some((_, Value::Blob(bytes))) = row.iter().find(|(name, _)| name == "histograms") {
            check_histograms(seed, bytes);
        }
    }
}

/// Five histograms: the visits, and where there are any, 10 bins (8 of expressions).
fn check_histograms(seed: u64, mut bytes: &[u8]) {
    let mut next = || {
        let mut value = 0u64;
        for shift in (0..).step_by(7) {
            let (&byte, rest) = bytes.split_first().unwrap();
            bytes = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        value
    };
    for bins in [10, 8, 10, 10, 10] {
        let visits = next();
        assert!(visits == 0 || visits >= 10, "journal {seed}: a histogram of {visits} visits");
        if visits > 0 {
            let sum: u64 = (0..bins).map(|_| next()).sum();
            assert!(sum.abs_diff(visits * 1000) <= 10, "journal {seed}: {sum} of {visits} visits");
        }
    }
    assert!(bytes.is_empty());
}

/// Everything that a page may ask.
fn check_answers(seed: u64, journal: &Journal) {
    for place in PLACES {
        let scope = all(place);
        // One period and one table of each journal: every place of every journal takes long.
        let periods = [Period::Day, Period::Week, Period::Month, Period::All];
        let history = journal.history(&scope, periods[seed as usize % periods.len()]).unwrap();
        check_json(seed, &serde_json::to_value(history).unwrap());
        let zone = Zone::Offset { secs: 19_800 };
        let hours = journal.week_hours(&Scope { zone, ..scope }).unwrap();
        check_json(seed, &serde_json::to_value(hours).unwrap());
        check_json(seed, &serde_json::to_value(journal.answers(&scope).unwrap()).unwrap());
        let compared = journal.compare(place, MONDAY + hours_of(seed), 3).unwrap();
        check_json(seed, &serde_json::to_value(compared).unwrap());
        let table = Table::ALL[seed as usize / 4 % Table::ALL.len()];
        let mut csv = Vec::new();
        journal.export_csv(&scope, table, &mut csv).unwrap();
        check_csv(seed, &csv);
        // It takes long, and holds the same fields.
        if seed.is_multiple_of(20) {
            let mut parquet = Vec::new();
            journal.export_parquet(&scope, table, &mut parquet).unwrap();
            check_parquet(seed, parquet);
        }
    }
}

fn hours_of(seed: u64) -> Duration {
    hours(seed % 168)
}

fn check_json(seed: u64, value: &serde_json::Value) {
    match value {
        serde_json::Value::Array(items) => items.iter().for_each(|item| check_json(seed, item)),
        serde_json::Value::Object(fields) => {
            for (name, value) in fields {
                if let Some(count) = value.as_u64()
                    && (name == "n" || name.contains("visits"))
                {
                    assert!(count == 0 || count >= 10, "journal {seed}: {name} is {count}");
                }
                check_json(seed, value);
            }
        }
        _ => {}
    }
}

fn check_csv(seed: u64, bytes: &[u8]) {
    let mut reader = csv::Reader::from_reader(bytes);
    let header = reader.headers().unwrap().clone();
    for record in reader.records() {
        for (name, value) in header.iter().zip(&record.unwrap()) {
            let rests = name.ends_with("_of") || ["visits", "followed", "ratings"].contains(&name);
            if rests && !value.is_empty() {
                let count: u64 = value.parse().unwrap();
                assert!(count >= 10, "journal {seed}: {name} is {count}");
            }
        }
    }
}

fn check_parquet(seed: u64, bytes: Vec<u8>) {
    let file = SerializedFileReader::new(Bytes::from(bytes)).unwrap();
    for row in file.get_row_iter(None).unwrap() {
        for (name, field) in row.unwrap().get_column_iter() {
            let rests =
                name.ends_with("_of") || ["visits", "followed", "ratings"].contains(&name.as_str());
            if let (true, Field::Long(count)) = (rests, field) {
                assert!(*count >= 10, "journal {seed}: {name} is {count}");
            }
        }
    }
}
