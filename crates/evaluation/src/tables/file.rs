//! The table of one evaluation or recording, written while it runs.

use std::path::{Path, PathBuf};

use rapport_tables::{Parts, Table, TableError};
use rapport_vocabulary::LabelSet;
use serde::Serialize;

use super::columns::{FORMAT_VERSION, OfFrame, columns, row};
use crate::labels::FrameLabels;
use crate::seen::{Place, Seen};

/// After how many rows they can be read, also if the program is killed; and how many are compressed
/// together.
pub const ROWS_OF_A_GROUP: usize = 20_000;

/// A model as the file's metadata has it.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct OfModel<'a> {
    name: &'a str,
    sha256: &'a str,
    labels: Vec<&'static str>,
    affect_source: &'a str,
}

/// How many frames a table is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FramesSeen {
    /// All of them.
    pub frames: u64,
    /// Those that could be processed.
    pub frames_used: u64,
}

/// Writes `faces.parquet`; until it is whole, its rows are in the folder `faces.parts` beside it.
pub struct FacesTable {
    parts: Parts,
    recording: String,
}

impl FacesTable {
    /// Begins the table of a recording, by its name. `models`: name, SHA-256 and labels of each.
    /// `rows_of_a_group`: [`ROWS_OF_A_GROUP`] unless there is a reason.
    ///
    /// # Errors
    /// If nothing can be written there.
    pub fn create<'m>(
        path: &Path,
        recording: &str,
        models: impl Iterator<Item = (&'m str, &'m str, &'m LabelSet)>,
        rows_of_a_group: usize,
    ) -> Result<Self, TableError> {
        let models: Vec<_> = models
            .map(|(name, sha256, labels)| OfModel {
                name,
                sha256,
                labels: labels.names(),
                affect_source: labels.affect_source(),
            })
            .collect();
        let columns = columns();
        let json = |value: Result<String, serde_json::Error>| value.unwrap_or_default();
        let metadata = [
            ("rapport.faces_version", FORMAT_VERSION.to_string()),
            ("rapport.version", env!("CARGO_PKG_VERSION").to_owned()),
            ("rapport.recording", recording.to_owned()),
            ("rapport.models", json(serde_json::to_string(&models))),
            ("rapport.columns", json(serde_json::to_string(&columns))),
        ];
        let metadata = metadata.map(|(key, value)| (key.to_owned(), value)).to_vec();
        let table = Table { name: "faces".to_owned(), columns, metadata };
        Ok(Self {
            parts: Parts::create(path, table, rows_of_a_group)?,
            recording: recording.to_owned(),
        })
    }

    /// Writes what a model (its name, SHA-256 and labels) saw in a frame.
    ///
    /// # Errors
    /// If a group of rows ends with it and cannot be written.
    pub fn frame(
        &mut self,
        (model, sha256, has): (&str, &str, &LabelSet),
        place: &Place,
        labels: &FrameLabels,
        seen: &[Seen],
    ) -> Result<(), TableError> {
        let of = OfFrame { recording: &self.recording, model, sha256, has, place, labels };
        seen.iter().try_for_each(|face| self.parts.push(row(&of, face)))
    }

    /// Makes one file of what was written. `frames`: how many frames there were.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn finish(self, frames: FramesSeen) -> Result<PathBuf, TableError> {
        let metadata = [
            ("rapport.frames".to_owned(), frames.frames.to_string()),
            ("rapport.frames_used".to_owned(), frames.frames_used.to_string()),
        ];
        self.parts.finish(&metadata)
    }
}
