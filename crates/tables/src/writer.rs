//! Rows into groups, groups into a file.

use std::io::Write;
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{WriterProperties, WriterPropertiesPtr};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{Type, TypePtr};

use crate::TableError;
use crate::column::{Column, Waiting};
use crate::value::Value;

/// What a table is: its name, its columns, and what the file says about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name in the schema.
    pub name: String,
    /// Its columns, in order.
    pub columns: Vec<Column>,
    /// Keys and values that a reader finds in the file.
    pub metadata: Vec<(String, String)>,
}

impl Table {
    pub(crate) fn schema(&self) -> Result<TypePtr, ParquetError> {
        let fields = self.columns.iter().map(Column::schema).collect::<Result<Vec<_>, _>>()?;
        Ok(Arc::new(Type::group_type_builder(&self.name).with_fields(fields).build()?))
    }

    pub(crate) fn properties(&self, more: &[(String, String)]) -> WriterPropertiesPtr {
        let all = self.metadata.iter().chain(more);
        let metadata = all.map(|(key, value)| KeyValue::new(key.clone(), value.clone()));
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(Default::default()))
            .set_created_by(concat!("rapport ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_key_value_metadata(Some(metadata.collect()))
            .build();
        Arc::new(properties)
    }
}

/// Writes a table row by row. Rows wait in memory until their group is full.
pub struct TableWriter<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    columns: Vec<Waiting>,
    rows_of_a_group: usize,
    rows: usize,
}

impl<W: Write + Send> TableWriter<W> {
    /// Begins the file. `rows_of_a_group`: how many rows are compressed together, at least 1.
    ///
    /// # Errors
    /// If the columns make no schema, or nothing can be written.
    pub fn new(to: W, table: &Table, rows_of_a_group: usize) -> Result<Self, TableError> {
        let writer = SerializedFileWriter::new(to, table.schema()?, table.properties(&[]))?;
        let columns = table.columns.iter().map(Waiting::of).collect();
        Ok(Self { writer, columns, rows_of_a_group: rows_of_a_group.max(1), rows: 0 })
    }

    /// Takes a row: its values in the order of the columns. Columns after the last value have none.
    ///
    /// # Errors
    /// If the row ends a group and that cannot be written.
    pub fn push<'v>(&mut self, row: impl IntoIterator<Item = Value<'v>>) -> Result<(), TableError> {
        let all = row.into_iter().chain(std::iter::repeat(Value::Absent));
        self.columns.iter_mut().zip(all).for_each(|(column, value)| column.push(value));
        self.rows += 1;
        if self.rows >= self.rows_of_a_group { self.end_group() } else { Ok(()) }
    }

    /// How many rows wait for the end of their group.
    pub fn waiting_rows(&self) -> usize {
        self.rows
    }

    fn end_group(&mut self) -> Result<(), TableError> {
        let mut group = self.writer.next_row_group()?;
        for column in &mut self.columns {
            let Some(mut to) = group.next_column()? else { break };
            column.write(&mut to)?;
            to.close()?;
        }
        self.rows = 0;
        group.close()?;
        Ok(())
    }

    /// Ends the file and gives back what it was written to.
    ///
    /// # Errors
    /// If the rest cannot be written.
    pub fn finish(mut self) -> Result<W, TableError> {
        if self.rows > 0 {
            self.end_group()?;
        }
        Ok(self.writer.into_inner()?)
    }
}
