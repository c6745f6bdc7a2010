//! What the Python package `rapport` is made of: [`pipeline`] from pixels to people, [`bag`] for
//! recordings, [`evaluation`] for figures, [`table`] for Arrow, [`command`] for the command line.
//! The Python files in `python/rapport` put a face on it; nothing here is called by anybody else.

// The attributes of pyo3 write code that the lints of the workspace do not mean.
#![allow(clippy::useless_conversion, clippy::too_many_arguments)]

mod bag;
mod command;
mod errors;
mod evaluation;
mod explanation;
mod named;
mod people;
mod pipeline;
mod pixels;
mod table;

use std::path::PathBuf;

use pyo3::prelude::*;

/// Says where models and ONNX Runtime lie. Called once, when the package is imported.
#[pyfunction]
fn set_up(share: PathBuf, onnxruntime: Option<PathBuf>) -> bool {
    rapport_perception::paths::embed(share, onnxruntime)
}

/// The version of the ONNX Runtime at work; None before a pipeline was made.
#[pyfunction]
fn onnxruntime_version() -> Option<String> {
    rapport_perception::onnx::runtime_version()
}

/// The native part of the package `rapport`.
#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<pipeline::Core>()?;
    module.add_class::<people::Person>()?;
    module.add_class::<explanation::Explanation>()?;
    module.add_class::<bag::Recording>()?;
    module.add_class::<bag::Pictures>()?;
    module.add_class::<bag::Messages>()?;
    module.add_class::<table::Table>()?;
    module.add_function(wrap_pyfunction!(set_up, module)?)?;
    module.add_function(wrap_pyfunction!(onnxruntime_version, module)?)?;
    module.add_function(wrap_pyfunction!(pixels::is_borrowed, module)?)?;
    module.add_function(wrap_pyfunction!(people::restore_person, module)?)?;
    module.add_function(wrap_pyfunction!(evaluation::evaluate, module)?)?;
    module.add_function(wrap_pyfunction!(command::run_command, module)?)?;
    Ok(())
}
