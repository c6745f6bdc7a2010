//! A table for whoever speaks Arrow's C data interface: PyArrow, pandas, Polars, DuckDB.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use arrow_array::builder::{
    Float32Builder, Float64Builder, StringDictionaryBuilder, UInt64Builder,
};
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, RecordBatch, RecordBatchIterator, StringArray};
use arrow_schema::ffi::FFI_ArrowSchema;
use arrow_schema::{Field, Schema};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use rapport_vocabulary::Emotion;

use crate::errors::Kind;

/// Columns in memory; see `_native.pyi`.
#[pyclass(frozen, module = "rapport")]
pub struct Table(RecordBatch);

/// The box of `frames.csv`, one text there, four columns here.
const BOX: &str = "roi";
const BOX_COLUMNS: [&str; 4] = ["x", "y", "width", "height"];

/// A column under way; an empty text is null.
enum Column {
    Words(StringDictionaryBuilder<Int32Type>),
    Count(UInt64Builder),
    Float(Float64Builder),
    Single(Float32Builder),
    Box([Float32Builder; 4]),
}

impl Column {
    /// The type of a column by its name.
    fn new(name: &str) -> Self {
        match name {
            "frame" => Self::Count(UInt64Builder::new()),
            "time" | "stamp" => Self::Float(Float64Builder::new()),
            // One dictionary for all of them, so that they can be compared with each other.
            "label" | "predicted" | "predicted_raw" => Self::Words(of_labels()),
            BOX => Self::Box(std::array::from_fn(|_| Float32Builder::new())),
            "confidence" => Self::Single(Float32Builder::new()),
            // The probability of a label.
            name if name.parse::<Emotion>().is_ok() => Self::Single(Float32Builder::new()),
            _ => Self::Words(StringDictionaryBuilder::new()),
        }
    }

    fn append(&mut self, text: &str) {
        match self {
            Self::Words(column) => match text {
                "" => column.append_null(),
                text => column.append_value(text),
            },
            Self::Count(column) => column.append_option(text.parse().ok()),
            Self::Float(column) => column.append_option(text.parse().ok()),
            Self::Single(column) => column.append_option(text.parse().ok()),
            Self::Box(columns) => {
                let mut numbers = text.split(' ').map(|number| number.parse().ok());
                for column in columns {
                    column.append_option(numbers.next().flatten());
                }
            }
        }
    }

    /// Its fields and arrays: one, but four for a box.
    fn finish(self, name: &str) -> Vec<(Field, ArrayRef)> {
        let of = |name: &str, unit: Option<&str>, array: ArrayRef| {
            let field = Field::new(name, array.data_type().clone(), true);
            let unit = unit.map(|unit| ("unit".to_owned(), unit.to_owned()));
            (field.with_metadata(unit.into_iter().collect::<HashMap<_, _>>()), array)
        };
        match self {
            Self::Words(mut column) => vec![of(name, None, Arc::new(column.finish()))],
            Self::Count(mut column) => vec![of(name, None, Arc::new(column.finish()))],
            Self::Float(mut column) => vec![of(name, Some("s"), Arc::new(column.finish()))],
            Self::Single(mut column) => vec![of(name, None, Arc::new(column.finish()))],
            Self::Box(columns) => BOX_COLUMNS
                .into_iter()
                .zip(columns)
                .map(|(name, mut column)| of(name, Some("px"), Arc::new(column.finish())))
                .collect(),
        }
    }
}

/// A column of labels, with a dictionary of all that there are.
fn of_labels() -> StringDictionaryBuilder<Int32Type> {
    let names = StringArray::from_iter_values(Emotion::ALL.iter().map(|label| label.as_str()));
    // It refuses values that come twice, or more than its keys can count.
    StringDictionaryBuilder::new_with_dictionary(0, &names).unwrap_or_default()
}

impl Table {
    /// The table of `frames.csv`.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn of_csv(path: &Path) -> anyhow::Result<Self> {
        let mut reader =
            csv::Reader::from_path(path).with_context(|| path.display().to_string())?;
        let names: Vec<String> = reader.headers()?.iter().map(str::to_owned).collect();
        let mut columns: Vec<_> = names.iter().map(|name| Column::new(name)).collect();
        let mut record = csv::StringRecord::new();
        while reader.read_record(&mut record)? {
            for (column, text) in columns.iter_mut().zip(record.iter()) {
                column.append(text);
            }
        }
        let finished = names.iter().zip(columns).flat_map(|(name, column)| column.finish(name));
        let (fields, arrays): (Vec<_>, Vec<_>) = finished.unzip();
        Ok(Self(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?))
    }
}

#[pymethods]
impl Table {
    #[getter]
    fn column_names(&self) -> Vec<String> {
        self.0.schema_ref().fields().iter().map(|field| field.name().clone()).collect()
    }

    #[getter]
    fn num_rows(&self) -> usize {
        self.0.num_rows()
    }

    fn __len__(&self) -> usize {
        self.0.num_rows()
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        let schema = FFI_ArrowSchema::try_from(self.0.schema_ref().as_ref())
            .map_err(|error| Kind::Evaluation.error(error))?;
        PyCapsule::new_with_value(py, schema, c"arrow_schema")
    }

    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // A producer may give its own types whatever is requested.
        drop(requested_schema);
        let batches = RecordBatchIterator::new([Ok(self.0.clone())], self.0.schema());
        let stream = FFI_ArrowArrayStream::new(Box::new(batches));
        PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
    }

    /// As a `pyarrow.Table`.
    fn to_arrow<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let pyarrow = needed(py, "pyarrow")?;
        pyarrow.call_method1("table", (Py::new(py, Self(self.0.clone()))?,))
    }

    /// As a `pandas.DataFrame`.
    fn to_pandas<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        needed(py, "pandas")?;
        self.to_arrow(py)?.call_method0("to_pandas")
    }

    fn __repr__(&self) -> String {
        format!("Table({} rows: {})", self.0.num_rows(), self.column_names().join(", "))
    }
}

/// A package that is not installed with this one.
fn needed<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyModule>> {
    py.import(name).map_err(|error| {
        let text = format!("{error}; pip install 'rapport-expressions[tables]' brings {name}");
        pyo3::exceptions::PyImportError::new_err(text)
    })
}
