//! A CSV of labels, row by row, columns by name.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;

use super::details::{DetailColumns, LabelDetails, WrongCell};
use super::error::LabelError;
use super::numbers::ClassNumbers;
use super::text::{decode, delimiter, is_missing};
use crate::warnings::Warnings;
use rapport_vocabulary::Emotion;

/// Labels of a day, frame by frame, take a tenth of it.
const MOST_BYTES: u64 = 1 << 30;

/// An open file whose header has been read.
pub struct Table {
    path: String,
    columns: Vec<String>,
    reader: csv::Reader<Cursor<String>>,
    record: csv::StringRecord,
    /// Lines before the header that the reader has not seen.
    lines_before: u64,
    numbers: ClassNumbers,
    details: DetailColumns,
    /// The first row that was left out for its length.
    cut_row: Option<String>,
    /// Labels that are none of ours, and how often each came.
    unknown: BTreeMap<String, u64>,
}

impl Table {
    /// Opens a file. `groups`: its columns of groups; empty for the usual ones.
    pub fn open(path: &Path, groups: &[String]) -> Result<Self, LabelError> {
        let name = path.display().to_string();
        let wrong = |reason: String| LabelError::File { path: name.clone(), reason };
        let io = |error: std::io::Error| wrong(error.to_string());
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(io)?;
        file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(io)?;
        if bytes.len() as u64 > MOST_BYTES {
            return Err(wrong(format!("more than {MOST_BYTES} bytes, expected a CSV of labels")));
        }
        let mut text = decode(&bytes);
        let (delimiter, lines_before) = delimiter(&text);
        if lines_before > 0 {
            let rest = text.find('\n').map_or(text.len(), |end| end + 1);
            text.drain(..rest);
        }
        let reader = |text: String| {
            csv::ReaderBuilder::new()
                .trim(csv::Trim::All)
                .delimiter(delimiter)
                .comment(Some(b'#'))
                .flexible(true)
                .from_reader(Cursor::new(text))
        };
        let mut first = reader(text);
        let header = first.headers().map_err(|error| wrong(error.to_string()))?;
        let columns: Vec<String> = header.iter().map(str::to_lowercase).collect();
        let details = DetailColumns::find(columns.iter().map(String::as_str), groups);
        let details = details.map_err(|column| LabelError::NoGroups {
            path: name.clone(),
            column,
            found: columns.join(","),
        })?;
        let label = columns.iter().position(|column| column == "label");
        // All labels are looked at before the first is read: a number means something only beside
        // the others.
        let records = first.records().filter_map(Result::ok);
        let labels =
            records.filter_map(|record| label.and_then(|i| Some(record.get(i)?.to_owned())));
        let numbers = ClassNumbers::of(labels);
        Ok(Self {
            path: name,
            columns,
            reader: reader(first.into_inner().into_inner()),
            record: csv::StringRecord::new(),
            lines_before: lines_before as u64,
            numbers,
            details,
            cut_row: None,
            unknown: BTreeMap::new(),
        })
    }

    pub fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|name| name == column)
    }

    pub fn wrong_columns(&self, expected: &'static str) -> LabelError {
        let found = self.columns.join(",");
        LabelError::Columns { path: self.path.clone(), found, expected }
    }

    /// Goes on to the next row and says whether there is one. A row that ends before its label, or
    /// goes on behind the last column, is left out, with a warning.
    pub fn next(&mut self, warnings: &mut Warnings) -> Result<bool, LabelError> {
        loop {
            let is_there = self.reader.read_record(&mut self.record).map_err(|error| {
                LabelError::File { path: self.path.clone(), reason: error.to_string() }
            })?;
            if !is_there || self.has_its_columns() {
                return Ok(is_there);
            }
            let (found, expected) = (self.record.len(), self.columns.len());
            let cut = format!("line {} has {found} columns, expected {expected}", self.line());
            warnings
                .add("row of another length", || format!("{}: {cut}: it is left out", self.path));
            self.cut_row.get_or_insert(cut);
        }
    }

    fn has_its_columns(&self) -> bool {
        let label = self.columns.iter().position(|column| column == "label");
        label.is_none_or(|label| label < self.record.len())
            && self.record.iter().skip(self.columns.len()).all(str::is_empty)
    }

    /// The line of the present row, from 1.
    pub fn line(&self) -> u64 {
        self.record.position().map_or(0, csv::Position::line) + self.lines_before
    }

    /// What the present row has in a column; empty where there is no such column, or nothing in it.
    pub fn text(&self, column: &str) -> &str {
        let index = self.columns.iter().position(|name| name == column);
        let cell = index.and_then(|index| self.record.get(index)).unwrap_or_default();
        if is_missing(cell) { "" } else { cell }
    }

    /// A number in a column, with a decimal comma or point: its text with a point.
    pub fn decimal(&self, column: &str) -> String {
        let text = self.text(column);
        if text.contains('.') { text.to_owned() } else { text.replacen(',', ".", 1) }
    }

    pub fn wrong(&self, what: &'static str, expected: impl Into<String>) -> LabelError {
        LabelError::Row {
            path: self.path.clone(),
            line: self.line(),
            what,
            found: self.text(what).to_owned(),
            expected: expected.into(),
        }
    }

    /// Something about all rows.
    pub fn wrong_rows(&self, reason: &str) -> LabelError {
        LabelError::File { path: self.path.clone(), reason: reason.to_owned() }
    }

    /// The label of the present row; nothing where it is empty, or none of ours, of which it warns.
    pub fn label(&mut self, warnings: &mut Warnings) -> Option<Emotion> {
        let text = self.text("label").to_owned();
        if text.is_empty() {
            return None;
        }
        match self.numbers.label(&text) {
            Ok((label, is_number)) => {
                if is_number {
                    warnings.add("class numbers", || {
                        format!("{}: {}", self.place(), ClassNumbers::READING)
                    });
                }
                Some(label)
            }
            Err(reason) => {
                warnings.add("unknown label", || {
                    format!("{}: {reason}; rows with such a label are left out", self.place())
                });
                *self.unknown.entry(text).or_default() += 1;
                None
            }
        }
    }

    /// What the present row says beside its label.
    pub fn details(&self) -> Result<Option<LabelDetails>, LabelError> {
        let wrong = |cell: WrongCell| self.wrong(cell.column, WrongCell::EXPECTED);
        self.details.read(|index| self.record.get(index).unwrap_or_default()).map_err(wrong)
    }

    /// Refuses a file whose labels are all none of ours, or whose rows all have another length.
    /// `count`: how many are labels.
    pub fn if_any(&self, count: u64) -> Result<(), LabelError> {
        if count > 0 {
            return Ok(());
        }
        if self.unknown.is_empty() {
            return self.cut_row.as_ref().map_or(Ok(()), |cut| {
                Err(LabelError::File { path: self.path.clone(), reason: cut.clone() })
            });
        }
        let found: Vec<_> =
            self.unknown.keys().take(10).map(|label| format!("`{label}`")).collect();
        Err(LabelError::NoneOfOurs {
            path: self.path.clone(),
            labels: self.unknown.values().sum(),
            found: found.join(", "),
        })
    }

    /// A place in the file, for warnings.
    pub fn place(&self) -> String {
        format!("{}: line {}", self.path, self.line())
    }
}
