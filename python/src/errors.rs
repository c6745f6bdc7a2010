//! The errors of the package, with the messages of the Rust side. The classes are written in Python
//! (`rapport/_errors.py`), so that they can have several bases and be pickled.

use pyo3::exceptions::PyImportError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

/// A class of `rapport/_errors.py`.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Pixels that cannot be used.
    Image,
    /// ONNX Runtime or a network.
    Model,
    /// A recording.
    Recording,
    /// An evaluation.
    Evaluation,
    /// A setting out of its range.
    Setting,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Image => "ImageError",
            Self::Model => "ModelError",
            Self::Recording => "RecordingError",
            Self::Evaluation => "EvaluationError",
            Self::Setting => "SettingError",
        }
    }

    /// An error of this class.
    pub fn error(self, text: impl ToString) -> PyErr {
        let text = text.to_string();
        Python::attach(|py| match class(py, self) {
            Ok(class) => PyErr::from_type(class, text),
            Err(_) => PyImportError::new_err(text),
        })
    }
}

fn class(py: Python<'_>, kind: Kind) -> PyResult<Bound<'_, PyType>> {
    static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let module = MODULE.get_or_try_init(py, || py.import("rapport._errors").map(Bound::unbind))?;
    Ok(module.bind(py).getattr(kind.name())?.cast_into::<PyType>()?)
}
