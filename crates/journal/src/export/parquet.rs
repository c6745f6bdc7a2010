//! As Parquet, for data frames and time series stores: the columns of the CSV with their types.

use std::io::Write;
use std::sync::Arc;

use parquet::basic::{
    Compression, ConvertedType, LogicalType, Repetition, TimeUnit, Type as Physical,
};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError as Cause;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{WriterProperties, WriterPropertiesPtr};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{Type, TypePtr};

use super::{FIRST_COLUMNS, Field, Kind, Table};
use crate::error::JournalError;
use crate::journal::Journal;
use crate::query::Scope;

/// Rows that wait in memory before they are compressed.
const ROWS_OF_A_GROUP: usize = 50_000;

/// A Parquet file cannot be made or written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the Parquet file: {0}")]
pub struct ParquetError(#[from] Cause);

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
        let columns = table.columns();
        let mut file = File::new(table, &columns).map_err(ParquetError)?;
        // In memory first: a slow receiver must not hold the file.
        let mut wrong = None;
        self.read(|connection| {
            table.each_row(connection, scope, |fields| {
                if wrong.is_none() {
                    wrong = file.take(fields).err();
                }
                Ok(())
            })
        })?;
        let bytes = match wrong {
            Some(error) => Err(error),
            None => file.end(),
        };
        let bytes = bytes.map_err(ParquetError)?;
        to.write_all(&bytes)
            .and_then(|()| to.flush())
            .map_err(|error| ParquetError(error.into()).into())
    }
}

/// A file in memory.
struct File {
    writer: SerializedFileWriter<Vec<u8>>,
    columns: Vec<Column>,
    rows: usize,
}

/// The values of one column that wait for the end of their group.
enum Column {
    Text { values: Vec<ByteArray>, present: Vec<i16> },
    Integers { values: Vec<i64>, present: Vec<i16> },
    Numbers { values: Vec<f64>, present: Vec<i16> },
}

impl File {
    fn new(table: Table, columns: &[(String, Kind)]) -> Result<Self, Cause> {
        let writer = SerializedFileWriter::new(Vec::new(), schema(table, columns)?, properties()?)?;
        let columns = columns.iter().map(|(_, kind)| Column::of(*kind)).collect();
        Ok(Self { writer, columns, rows: 0 })
    }

    fn take(&mut self, fields: Vec<Field>) -> Result<(), Cause> {
        let all = fields.into_iter().chain(std::iter::repeat(Field::Absent));
        self.columns.iter_mut().zip(all).for_each(|(column, field)| column.push(field));
        self.rows += 1;
        if self.rows >= ROWS_OF_A_GROUP { self.end_group() } else { Ok(()) }
    }

    fn end_group(&mut self) -> Result<(), Cause> {
        let mut group = self.writer.next_row_group()?;
        for (number, column) in self.columns.iter_mut().enumerate() {
            let Some(mut to) = group.next_column()? else { break };
            // Columns of every row have no levels.
            let is_optional = number >= FIRST_COLUMNS.len();
            match column {
                Column::Text { values, present } => {
                    let levels = is_optional.then_some(&present[..]);
                    to.typed::<ByteArrayType>().write_batch(values, levels, None)?;
                    values.clear();
                    present.clear();
                }
                Column::Integers { values, present } => {
                    let levels = is_optional.then_some(&present[..]);
                    to.typed::<Int64Type>().write_batch(values, levels, None)?;
                    values.clear();
                    present.clear();
                }
                Column::Numbers { values, present } => {
                    let levels = is_optional.then_some(&present[..]);
                    to.typed::<DoubleType>().write_batch(values, levels, None)?;
                    values.clear();
                    present.clear();
                }
            }
            to.close()?;
        }
        self.rows = 0;
        group.close().map(|_| ())
    }

    fn end(mut self) -> Result<Vec<u8>, Cause> {
        if self.rows > 0 {
            self.end_group()?;
        }
        self.writer.into_inner()
    }
}

impl Column {
    fn of(kind: Kind) -> Self {
        match kind {
            Kind::Text => Self::Text { values: Vec::new(), present: Vec::new() },
            Kind::Time | Kind::Count => Self::Integers { values: Vec::new(), present: Vec::new() },
            Kind::Number => Self::Numbers { values: Vec::new(), present: Vec::new() },
        }
    }

    fn push(&mut self, field: Field) {
        let is_present = match (&mut *self, field) {
            (Self::Text { values, .. }, Field::Text(text)) => {
                values.push(ByteArray::from(text.into_bytes()));
                true
            }
            (Self::Integers { values, .. }, Field::Time(secs)) => {
                values.push(secs * 1000);
                true
            }
            (Self::Integers { values, .. }, Field::Count(count)) => {
                values.push(count as i64);
                true
            }
            (Self::Numbers { values, .. }, Field::Number(value)) => {
                values.push(value);
                true
            }
            _ => false,
        };
        let (Self::Text { present, .. }
        | Self::Integers { present, .. }
        | Self::Numbers { present, .. }) = self;
        present.push(i16::from(is_present));
    }
}

fn schema(table: Table, columns: &[(String, Kind)]) -> Result<TypePtr, Cause> {
    let fields = columns.iter().enumerate().map(|(number, (name, kind))| {
        let (physical, logical) = match kind {
            Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            Kind::Time => (Physical::INT64, Some(timestamp())),
            Kind::Count => (Physical::INT64, None),
            Kind::Number => (Physical::DOUBLE, None),
        };
        let repetition = match number < FIRST_COLUMNS.len() {
            true => Repetition::REQUIRED,
            false => Repetition::OPTIONAL,
        };
        let field = Type::primitive_type_builder(name, physical)
            .with_logical_type(logical)
            .with_converted_type(ConvertedType::NONE)
            .with_repetition(repetition)
            .build()?;
        Ok(Arc::new(field))
    });
    let fields = fields.collect::<Result<Vec<_>, Cause>>()?;
    Ok(Arc::new(Type::group_type_builder(table.as_str()).with_fields(fields).build()?))
}

fn timestamp() -> LogicalType {
    LogicalType::timestamp(true, TimeUnit::MILLIS)
}

fn properties() -> Result<WriterPropertiesPtr, Cause> {
    let version =
        KeyValue::new("rapport.journal_version".to_owned(), crate::schema::VERSION.to_string());
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(Default::default()))
        .set_created_by(concat!("rapport ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_key_value_metadata(Some(vec![version]))
        .build();
    Ok(Arc::new(properties))
}
