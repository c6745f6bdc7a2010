//! The Parquet file holds what the CSV holds, with types. `tests/test_journal_commands.py` reads it
//! with another program.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod common;

use bytes::Bytes;
use common::{MONDAY, Visitor, all, hours, minutes, visit, visits};
use parquet::basic::Compression;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use rapport_journal::{HealthCounts, Journal, Rating, Recorder, Table};
use rapport_vocabulary::Emotion;

fn journal() -> (tempfile::TempDir, Journal) {
    let directory = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(&directory.path().join("journal.db")).unwrap();
    let mut recorder = Recorder::new(15).unwrap();
    let unseen = Visitor { is_classified: false, ..Visitor::of(Emotion::Happy) };
    visits(&mut recorder, "=lobby", MONDAY, 12, &unseen);
    for number in 0..12 {
        let at = MONDAY + hours(1) + minutes(number);
        let visitor = Visitor::of(Emotion::ALL[number as usize % 8]);
        visit(&mut recorder, "=lobby", at, &format!("face_{number}"), &visitor, Some("greet"));
        recorder.rate("=lobby", at, Rating::new(1 + number as u8 % 5).unwrap());
    }
    let counts =
        HealthCounts { images: 3, lost_images: 1, watched_secs: 0.3, ..Default::default() };
    recorder.health("=lobby", MONDAY + hours(1), counts);
    recorder.close();
    journal.append(recorder.finished()).unwrap();
    (directory, journal)
}

#[test]
fn the_values_are_those_of_the_csv() {
    let (_directory, journal) = journal();
    for table in Table::ALL {
        let (mut csv, mut parquet) = (Vec::new(), Vec::new());
        journal.export_csv(&all("=lobby"), table, &mut csv).unwrap();
        journal.export_parquet(&all("=lobby"), table, &mut parquet).unwrap();
        let file = SerializedFileReader::new(Bytes::from(parquet)).unwrap();
        let group = file.metadata().row_group(0);
        assert!(matches!(group.column(0).compression(), Compression::ZSTD(_)));
        let rows: Vec<_> = file.get_row_iter(None).unwrap().map(Result::unwrap).collect();
        let mut csv = csv::Reader::from_reader(&csv[..]);
        let header = csv.headers().unwrap().clone();
        let records: Vec<_> = csv.records().map(Result::unwrap).collect();
        assert_eq!(rows.len(), records.len());
        assert!(!rows.is_empty(), "{table:?}");
        for (row, record) in rows.iter().zip(&records) {
            for (((name, field), of_csv), text) in row.get_column_iter().zip(&header).zip(record) {
                assert_eq!(name, of_csv);
                match field {
                    Field::Null => assert_eq!(text, "", "{name}"),
                    // A spreadsheet would take it for a formula, a data frame does not.
                    Field::Str(value) if value == "=lobby" => assert_eq!(text, "'=lobby"),
                    Field::Str(value) => assert_eq!(text, value, "{name}"),
                    Field::Long(value) => assert_eq!(text, value.to_string(), "{name}"),
                    Field::Double(value) => assert_eq!(text, format!("{value:.4}"), "{name}"),
                    Field::TimestampMillis(value) => {
                        let hour = (value / 1000 - MONDAY.as_secs() as i64) / 3600;
                        assert!(text.starts_with(&format!("2026-11-02T0{hour}:")), "{text}");
                    }
                    other => panic!("{name} is {other:?}"),
                }
            }
        }
        if table == Table::Visits {
            let nulls = |number: usize| {
                rows[number].get_column_iter().filter(|(_, field)| **field == Field::Null).count()
            };
            assert_eq!((rows.len(), nulls(1)), (2, 0));
            assert!(nulls(0) > 15, "{:?}", rows[0]);
        }
    }
}

#[test]
fn an_unknown_place_has_a_file_without_rows() {
    let (_directory, journal) = journal();
    let mut bytes = Vec::new();
    journal.export_parquet(&all("nowhere"), Table::Visits, &mut bytes).unwrap();
    let file = SerializedFileReader::new(Bytes::from(bytes)).unwrap();
    let schema = file.metadata().file_metadata().schema_descr();
    assert_eq!((file.get_row_iter(None).unwrap().count(), schema.num_columns()), (0, 26));
}
