//! The command line `rapport`, for the script of that name in the package.

use std::ffi::OsString;
use std::io::Write;

use pyo3::prelude::*;

/// Runs a command line, `arguments` without the program's name, and gives the exit status.
#[pyfunction]
pub fn run_command(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| {
        let line = std::iter::once(OsString::from("rapport")).chain(arguments);
        let status = rapport::commands::cli::run_from(line);
        // A library is not told of the end of the process.
        match std::io::stdout().flush() {
            Ok(()) => status,
            Err(_) => status.max(1),
        }
    })
}
