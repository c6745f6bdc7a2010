//! What can be wrong with a journal. Nothing of it need stop the program: what could not be written
//! waits, and is written once the file can be.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use rusqlite::ffi::SQLITE_READONLY_DBMOVED;

use crate::recorder::LEAST_BUCKET_MINUTES;

/// Why a journal cannot be opened, written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The file cannot be opened or made.
    #[error("{}: cannot open the journal: {reason}", path.display())]
    CannotOpen {
        /// The file.
        path: PathBuf,
        /// What SQLite or the operating system says.
        reason: String,
    },
    /// The file, or its directory, may not be written.
    #[error("{}: the journal is read-only, expected a file that may be written", path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// Another program holds the file.
    #[error(
        "{}: the journal is locked by another program, and was for {} s",
        path.display(), crate::journal::BUSY.as_secs()
    )]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// No room is left.
    #[error("{}: the disk is full, so the journal cannot grow", path.display())]
    DiskFull {
        /// The file.
        path: PathBuf,
    },
    /// The operating system refused to read or write.
    #[error("{}: cannot read or write the journal: {reason}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        reason: String,
    },
    /// The file is a journal whose content is damaged. It is left as it is.
    #[error(
        "{}: the journal is damaged: {found}; move it away to begin another", path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        found: String,
    },
    /// The file is something else. It is left as it is.
    #[error("{}: found {found}, expected a journal of Rapport or no file", path.display())]
    NotAJournal {
        /// The file.
        path: PathBuf,
        /// What it is.
        found: String,
    },
    /// A newer Rapport wrote the file. It is left as it is.
    #[error(
        "{}: found a journal of version {found}, expected {known} or earlier: a newer Rapport wrote it",
        path.display()
    )]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// SQLite refuses for any other reason.
    #[error("{}: {reason}", path.display())]
    Other {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        reason: String,
    },
    /// Buckets of this length are not offered.
    #[error(
        "bucket of {found} minutes, expected {LEAST_BUCKET_MINUTES} or a multiple of it that divides \
         the day"
    )]
    BucketMinutes {
        /// What was asked for, in minutes.
        found: u32,
    },
    /// So many days are not offered.
    #[error("days to keep: {found}, expected 1 to {most}")]
    RetentionDays {
        /// What was asked for.
        found: u32,
        /// The most that may be.
        most: u32,
    },
    /// A journal was to be merged into itself.
    #[error("{}: found the same journal on both sides of a merge, expected two", path.display())]
    SameJournal {
        /// The file.
        path: PathBuf,
    },
    /// The export cannot be written.
    #[error("cannot write the CSV: {0}")]
    Csv(#[from] csv::Error),
    /// The export cannot be written.
    #[error(transparent)]
    Parquet(#[from] rapport_tables::TableError),
}

impl JournalError {
    /// What SQLite said of a file.
    pub(crate) fn of(path: &Path, error: &rusqlite::Error) -> Self {
        let (path, reason) = (path.to_owned(), error.to_string());
        let rusqlite::Error::SqliteFailure(failure, _) = error else {
            // A value of another type than the schema has.
            return Self::Damaged { path, found: reason };
        };
        match failure.code {
            ErrorCode::CannotOpen => Self::CannotOpen { path, reason },
            ErrorCode::ReadOnly if failure.extended_code == SQLITE_READONLY_DBMOVED => {
                let reason = "the file was moved or removed while it was open".to_owned();
                Self::Io { path, reason }
            }
            ErrorCode::ReadOnly | ErrorCode::PermissionDenied => Self::ReadOnly { path },
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::Locked { path },
            ErrorCode::DiskFull => Self::DiskFull { path },
            ErrorCode::SystemIoFailure => Self::Io { path, reason },
            ErrorCode::DatabaseCorrupt => Self::Damaged { path, found: reason },
            ErrorCode::NotADatabase => {
                Self::NotAJournal { path, found: "no SQLite file".to_owned() }
            }
            _ => Self::Other { path, reason },
        }
    }
}
