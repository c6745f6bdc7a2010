//! As Parquet, for data frames and time series stores: the columns of the CSV with their types.

use std::io::Write;

use rapport_tables::{Column, TableError, TableWriter, Value};

use super::{FIRST_COLUMNS, Field, Kind, Table};
use crate::error::JournalError;
use crate::journal::Journal;
use crate::query::Scope;

/// Rows that wait in memory before they are compressed.
const ROWS_OF_A_GROUP: usize = 50_000;

impl Journal {
    /// Writes the buckets of a scope as a Parquet file, the earliest first: the columns of
    /// [`Journal::export_csv`], as UTF-8, timestamps (UTC, milliseconds), 64-bit integers and
    /// doubles. A value is null where the figure rests on fewer than ten visits. Compressed by zstd.
    ///
    /// # Errors
    /// If the file cannot be read, or the Parquet file cannot be written.
    pub fn export_parquet(
        &self,
        scope: &Scope<'_>,
        table: Table,
        mut to: impl Write,
    ) -> Result<(), JournalError> {
        let mut file = TableWriter::new(Vec::new(), &schema(table), ROWS_OF_A_GROUP)?;
        // In memory first: a slow receiver must not hold the file.
        let mut wrong = None;
        self.read(|connection| {
            table.each_row(connection, scope, |fields| {
                if wrong.is_none() {
                    wrong = file.push(fields.into_iter().map(value)).err();
                }
                Ok(())
            })
        })?;
        let bytes = match wrong {
            Some(error) => Err(error),
            None => file.finish(),
        }?;
        to.write_all(&bytes)
            .and_then(|()| to.flush())
            .map_err(|error| TableError::Parquet(error.into()).into())
    }
}

fn value(field: Field) -> Value<'static> {
    match field {
        Field::Absent => Value::Absent,
        Field::Text(text) => Value::from(text),
        Field::Time(secs) => Value::Integer(secs * 1000),
        Field::Count(count) => Value::count(count),
        Field::Number(number) => Value::Double(number),
    }
}

fn schema(table: Table) -> rapport_tables::Table {
    let columns = table.columns().into_iter().enumerate().map(|(number, (name, kind))| {
        let kind = match kind {
            Kind::Text => rapport_tables::Kind::Text,
            Kind::Time => rapport_tables::Kind::TimeMillis,
            Kind::Count => rapport_tables::Kind::Count,
            Kind::Number => rapport_tables::Kind::Double,
        };
        let column = Column::new(name, kind);
        // The first columns are of every row.
        if number < FIRST_COLUMNS.len() { column.required() } else { column }
    });
    rapport_tables::Table {
        name: table.as_str().to_owned(),
        columns: columns.collect(),
        metadata: vec![("rapport.journal_version".to_owned(), crate::schema::VERSION.to_string())],
    }
}
