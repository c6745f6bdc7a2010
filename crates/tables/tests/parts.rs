//! A table in parts is readable at every moment, and one file at the end.
#![allow(clippy::unwrap_used, missing_docs)]

use std::fs;
use std::path::{Path, PathBuf};

use parquet::basic::Encoding;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use rapport_tables::{Column, Kind, PARTS_ENDING, Parts, Table, TableWriter, Value};

fn table() -> Table {
    Table {
        name: "things".to_owned(),
        columns: vec![
            Column::new("name", Kind::Text).required().about("what it is called"),
            Column::new("note", Kind::Text),
            Column::new("at", Kind::TimeNanos).unit("ns"),
            Column::new("count", Kind::Count).required(),
            Column::new("exact", Kind::Double),
            Column::new("rough", Kind::Float),
            Column::new("yes", Kind::Flag),
        ],
        metadata: vec![("who".to_owned(), "me".to_owned())],
    }
}

fn row(number: u32) -> Vec<Value<'static>> {
    let every = |n: u32, value: Value<'static>| {
        if number.is_multiple_of(n) { value } else { Value::Absent }
    };
    vec![
        format!("thing {}", number % 3).into(),
        every(2, "seen".into()),
        Value::Integer(1_760_000_000_000_000_000 + i64::from(number)),
        Value::count(u64::from(number)),
        every(3, Value::Double(f64::from(number) / 7.0)),
        every(5, Value::Float(number as f32 / 7.0)),
        (number % 2 == 1).into(),
    ]
}

fn rows_of(path: &Path) -> Vec<Vec<Field>> {
    let reader = SerializedFileReader::new(fs::File::open(path).unwrap()).unwrap();
    let rows = reader.get_row_iter(None).unwrap().map(Result::unwrap);
    rows.map(|row| row.get_column_iter().map(|(_, field)| field.clone()).collect()).collect()
}

fn parts_in(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut parts: Vec<_> = files.filter(|p| p.extension().unwrap() == "parquet").collect();
    parts.sort();
    parts
}

fn in_one_file(count: u32) -> Vec<Vec<Field>> {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut writer = TableWriter::new(file.reopen().unwrap(), &table(), 1000).unwrap();
    (0..count).for_each(|number| writer.push(row(number)).unwrap());
    writer.finish().unwrap();
    rows_of(file.path())
}

#[test]
fn whatever_ends_the_program_full_groups_are_there() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("things.parquet");
    let mut parts = Parts::create(&path, table(), 10).unwrap();
    for number in 0..37 {
        parts.push(row(number)).unwrap();
        let there: usize =
            parts_in(&path.with_extension(PARTS_ENDING)).iter().map(|p| rows_of(p).len()).sum();
        assert_eq!(there, (number as usize + 1) / 10 * 10);
    }
    // As when it is killed: nothing is cleared up. What a kill leaves of a file in the middle of being
    // written has another ending.
    std::mem::forget(parts);
    let folder = path.with_extension(PARTS_ENDING);
    fs::write(folder.join("000003.unfinished"), b"PAR1 cut").unwrap();
    let rows: Vec<_> = parts_in(&folder).iter().flat_map(|part| rows_of(part)).collect();
    assert_eq!(rows, in_one_file(30));
    assert!(!path.exists());
    // The next run begins anew.
    let mut parts = Parts::create(&path, table(), 10).unwrap();
    assert!(parts_in(&folder).is_empty());
    (0..12).for_each(|number| parts.push(row(number)).unwrap());
    assert_eq!(parts.finish(&[]).unwrap(), path);
    assert_eq!(rows_of(&path), in_one_file(12));
}

#[test]
fn the_parts_become_one_file_with_all_that_it_says() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("things.parquet");
    fs::write(&path, "an earlier one").unwrap();
    let mut parts = Parts::create(&path, table(), 8).unwrap();
    (0..30).for_each(|number| parts.push(row(number)).unwrap());
    assert_eq!(fs::read(&path).unwrap(), b"an earlier one", "stays until the new one is whole");
    parts.finish(&[("end".to_owned(), "30".to_owned())]).unwrap();
    assert_eq!(rows_of(&path), in_one_file(30));
    let left: Vec<_> = fs::read_dir(temp.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["things.parquet"]);
    let reader = SerializedFileReader::new(fs::File::open(&path).unwrap()).unwrap();
    let metadata = reader.metadata();
    let sizes: Vec<_> = metadata.row_groups().iter().map(|group| group.num_rows()).collect();
    assert_eq!(sizes, [8, 8, 8, 6]);
    let said = metadata.file_metadata().key_value_metadata().unwrap();
    let said: Vec<_> = said.iter().map(|kv| (kv.key.as_str(), kv.value.as_deref())).collect();
    assert!(said.contains(&("who", Some("me"))) && said.contains(&("end", Some("30"))), "{said:?}");
    let names = metadata.row_group(0).column(0);
    assert!(names.encodings().any(|encoding| encoding == Encoding::RLE_DICTIONARY));
    let json = serde_json::to_string(&table().columns).unwrap();
    assert!(
        json.contains(r#"{"name":"name","about":"what it is called"},{"name":"note"}"#),
        "{json}"
    );
}

#[test]
fn a_table_without_rows_is_a_table() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("none.parquet");
    Parts::create(&path, table(), 10).unwrap().finish(&[]).unwrap();
    assert!(rows_of(&path).is_empty());
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let temp = tempfile::tempdir().unwrap();
    fs::write(temp.path().join("file"), "").unwrap();
    let error = Parts::create(&temp.path().join("file/things.parquet"), table(), 10).err().unwrap();
    assert!(error.to_string().contains("file/things.parts"), "{error}");
}
