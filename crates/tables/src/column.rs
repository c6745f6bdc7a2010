//! What a column holds, and its values until their group is written.

use std::sync::Arc;

use parquet::basic::{ConvertedType, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FloatType, Int64Type,
};
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedColumnWriter;
use parquet::schema::types::{Type, TypePtr};
use serde::Serialize;

use crate::value::Value;

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8; equal texts are stored once.
    Text,
    /// Milliseconds since 1970 in UTC.
    TimeMillis,
    /// Nanoseconds since 1970 in UTC.
    TimeNanos,
    /// A whole number of 64 bits.
    Count,
    /// A number of 64 bits.
    Double,
    /// A number of 32 bits.
    Float,
    /// Yes or no.
    Flag,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What its values are.
    #[serde(skip)]
    pub kind: Kind,
    /// Whether every row has a value.
    #[serde(skip)]
    pub is_required: bool,
    /// The unit of its values, where they have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<&'static str>,
    /// What it says, in one line; empty where the name does.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub about: &'static str,
}

impl Column {
    /// A column whose values may be absent, without a unit.
    pub fn new(name: impl Into<String>, kind: Kind) -> Self {
        Self { name: name.into(), kind, is_required: false, unit: None, about: "" }
    }

    /// Every row has a value.
    pub fn required(self) -> Self {
        Self { is_required: true, ..self }
    }

    /// With a unit.
    pub fn unit(self, unit: &'static str) -> Self {
        Self { unit: Some(unit), ..self }
    }

    /// With a description.
    pub fn about(self, about: &'static str) -> Self {
        Self { about, ..self }
    }

    pub(crate) fn schema(&self) -> Result<TypePtr, ParquetError> {
        let timestamp = |unit| Some(LogicalType::timestamp(true, unit));
        let (physical, logical) = match self.kind {
            Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            Kind::TimeMillis => (Physical::INT64, timestamp(TimeUnit::MILLIS)),
            Kind::TimeNanos => (Physical::INT64, timestamp(TimeUnit::NANOS)),
            Kind::Count => (Physical::INT64, None),
            Kind::Double => (Physical::DOUBLE, None),
            Kind::Float => (Physical::FLOAT, None),
            Kind::Flag => (Physical::BOOLEAN, None),
        };
        let repetition = if self.is_required { Repetition::REQUIRED } else { Repetition::OPTIONAL };
        let field = Type::primitive_type_builder(&self.name, physical)
            .with_logical_type(logical)
            .with_converted_type(ConvertedType::NONE)
            .with_repetition(repetition)
            .build()?;
        Ok(Arc::new(field))
    }
}

/// The values of one column that wait for the end of their group.
#[derive(Debug)]
pub(crate) struct Waiting {
    values: Values,
    /// 1 for each row with a value, 0 for each without; nothing where every row has one.
    present: Option<Vec<i16>>,
}

#[derive(Debug)]
enum Values {
    Text(Vec<ByteArray>),
    Integers(Vec<i64>),
    Doubles(Vec<f64>),
    Floats(Vec<f32>),
    Flags(Vec<bool>),
}

impl Waiting {
    pub fn of(column: &Column) -> Self {
        let values = match column.kind {
            Kind::Text => Values::Text(Vec::new()),
            Kind::TimeMillis | Kind::TimeNanos | Kind::Count => Values::Integers(Vec::new()),
            Kind::Double => Values::Doubles(Vec::new()),
            Kind::Float => Values::Floats(Vec::new()),
            Kind::Flag => Values::Flags(Vec::new()),
        };
        Self { values, present: (!column.is_required).then(Vec::new) }
    }

    /// Takes the value of the next row. In a column that must have one, an absent value is an empty
    /// text, 0 or no.
    pub fn push(&mut self, value: Value<'_>) {
        let is_required = self.present.is_none();
        let is_present = match (&mut self.values, value) {
            (Values::Text(values), Value::Text(text)) => {
                values.push(ByteArray::from(text.into_owned().into_bytes()));
                true
            }
            (Values::Integers(values), Value::Integer(number)) => {
                values.push(number);
                true
            }
            (Values::Doubles(values), Value::Double(number)) => {
                values.push(number);
                true
            }
            (Values::Floats(values), Value::Float(number)) => {
                values.push(number);
                true
            }
            (Values::Flags(values), Value::Flag(flag)) => {
                values.push(flag);
                true
            }
            (values, _) => {
                if is_required {
                    values.push_nothing();
                }
                false
            }
        };
        if let Some(present) = &mut self.present {
            present.push(i16::from(is_present));
        }
    }

    /// Writes the group's values and forgets them.
    pub fn write(&mut self, to: &mut SerializedColumnWriter<'_>) -> Result<(), ParquetError> {
        let present = self.present.as_deref();
        match &mut self.values {
            Values::Text(values) => write::<ByteArrayType>(to, values, present),
            Values::Integers(values) => write::<Int64Type>(to, values, present),
            Values::Doubles(values) => write::<DoubleType>(to, values, present),
            Values::Floats(values) => write::<FloatType>(to, values, present),
            Values::Flags(values) => write::<BoolType>(to, values, present),
        }?;
        if let Some(present) = &mut self.present {
            present.clear();
        }
        Ok(())
    }
}

impl Values {
    fn push_nothing(&mut self) {
        match self {
            Self::Text(values) => values.push(ByteArray::from("")),
            Self::Integers(values) => values.push(0),
            Self::Doubles(values) => values.push(0.0),
            Self::Floats(values) => values.push(0.0),
            Self::Flags(values) => values.push(false),
        }
    }
}

fn write<T: DataType>(
    to: &mut SerializedColumnWriter<'_>,
    values: &mut Vec<T::T>,
    present: Option<&[i16]>,
) -> Result<(), ParquetError> {
    to.typed::<T>().write_batch(values, present, None)?;
    values.clear();
    Ok(())
}
