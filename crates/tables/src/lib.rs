//! Tables for other programs, as Parquet: columns with types and units, compressed by zstd.
//!
//! A Parquet file has its table of contents at its end: one that is cut off in the middle cannot be
//! read at all. So a table that grows over hours is written as [`Parts`]: each group of rows is a small
//! file of its own, whole from the moment that it has its name, and at the end they become one file.
//! A table that fits into memory needs only a [`TableWriter`].
//!
//! - `column`: what a column holds. `value`: one field. `writer`: rows into groups, groups into a
//!   file. `parts`: a file that is whole at every moment.

mod column;
mod parts;
mod value;
mod writer;

pub use column::{Column, Kind};
pub use parts::{PARTS_ENDING, Parts};
pub use value::Value;
pub use writer::{Table, TableWriter};

use std::path::{Path, PathBuf};

/// A table cannot be made or written.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// What the Parquet library says.
    #[error("cannot write the Parquet file: {0}")]
    Parquet(#[from] parquet::errors::ParquetError),
    /// The disk refuses.
    #[error("{}: {reason}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        reason: std::io::Error,
    },
}

impl TableError {
    fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |reason| Self::Io { path, reason }
    }
}
