//! As CSV, for spreadsheets.

use std::io::Write;

use csv::Writer;

use super::{Field, Table};
use crate::calendar;
use crate::error::JournalError;
use crate::journal::Journal;
use crate::query::Scope;

impl Journal {
    /// Writes the buckets of a scope as CSV with a header, the earliest first. Times are UTC, as
    /// `2026-11-26T14:15:00Z`; a field is empty where the figure rests on fewer than ten visits.
    ///
    /// # Errors
    /// If the file cannot be read, or the CSV cannot be written.
    pub fn export_csv(
        &self,
        scope: &Scope<'_>,
        table: Table,
        mut to: impl Write,
    ) -> Result<(), JournalError> {
        // In memory first: a slow receiver must not hold the file.
        let mut writer = Writer::from_writer(Vec::new());
        writer.write_record(table.columns().iter().map(|(name, _)| name))?;
        let mut wrong = None;
        self.read(|connection| {
            table.each_row(connection, scope, |fields| {
                // Memory takes whatever it is given; the records are of one length.
                wrong = writer.write_record(fields.into_iter().map(text)).err().or(wrong.take());
                Ok(())
            })
        })?;
        if let Some(error) = wrong {
            return Err(error.into());
        }
        let bytes = writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
        to.write_all(&bytes)
            .and_then(|()| to.flush())
            .map_err(|error| JournalError::Csv(error.into()))
    }
}

fn text(field: Field) -> String {
    match field {
        Field::Absent => String::new(),
        Field::Text(name) => name_of(name),
        Field::Time(secs) => calendar::iso(secs),
        Field::Count(count) => count.to_string(),
        Field::Number(value) => format!("{value:.4}"),
    }
}

/// A name, so that a spreadsheet takes none for a formula.
fn name_of(name: String) -> String {
    if name.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{name}") } else { name }
}
