//! A CSV of labels, row by row, columns by name.

use std::fs::File;
use std::path::Path;

use super::error::LabelError;
use rapport_vocabulary::Emotion;

/// An open file whose header has been read.
pub struct Table {
    path: String,
    columns: Vec<String>,
    reader: csv::Reader<File>,
    record: csv::StringRecord,
}

impl Table {
    pub fn open(path: &Path) -> Result<Self, LabelError> {
        let name = path.display().to_string();
        let wrong = |reason: String| LabelError::File { path: name.clone(), reason };
        let file = File::open(path).map_err(|error| wrong(error.to_string()))?;
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(file);
        let header = reader.headers().map_err(|error| wrong(error.to_string()))?;
        let clean = |name: &str| name.trim_start_matches('\u{feff}').to_lowercase();
        let columns = header.iter().map(clean).collect();
        Ok(Self { path: name, columns, reader, record: csv::StringRecord::new() })
    }

    pub fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|name| name == column)
    }

    pub fn wrong_columns(&self) -> LabelError {
        LabelError::Columns { path: self.path.clone(), found: self.columns.join(",") }
    }

    /// Goes on to the next row and says whether there is one.
    pub fn next(&mut self) -> Result<bool, LabelError> {
        self.reader.read_record(&mut self.record).map_err(|error| LabelError::File {
            path: self.path.clone(),
            reason: error.to_string(),
        })
    }

    /// The line of the present row, from 1.
    pub fn line(&self) -> u64 {
        self.record.position().map_or(0, csv::Position::line)
    }

    /// What the present row has in a column; empty where there is no such column.
    pub fn text(&self, column: &str) -> &str {
        let index = self.columns.iter().position(|name| name == column);
        index.and_then(|index| self.record.get(index)).unwrap_or_default()
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

    /// The label of the present row; nothing where it is empty.
    pub fn label(&self) -> Result<Option<Emotion>, LabelError> {
        let text = self.text("label");
        if text.is_empty() {
            return Ok(None);
        }
        let expected = || format!("one of {}", Emotion::names());
        Emotion::from_word(text).map(Some).map_err(|_| self.wrong("label", expected()))
    }

    /// A place in the file, for warnings.
    pub fn place(&self) -> String {
        format!("{}: line {}", self.path, self.line())
    }
}
