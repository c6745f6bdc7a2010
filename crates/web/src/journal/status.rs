//! How a journal is.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rapport_journal::WriterStatus;
use serde::Serialize;
use utoipa::ToSchema;

use super::JournalOptions;

/// How a journal is.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct JournalStatus {
    /// The file's name, without its folder.
    pub file: String,
    /// Bytes of the file and what belongs to it; absent where it cannot be found.
    pub bytes: Option<u64>,
    /// The place of everything observed here; absent where each robot is a place of its own.
    pub place: Option<String>,
    /// Length of a bucket in minutes.
    pub bucket_minutes: u32,
    /// After how many days a bucket is forgotten.
    pub retention_days: u32,
    /// On how many visits a figure must rest at least, to be kept.
    pub least_visits: u64,
    /// Why the last attempt to write failed; absent where it did not. It is tried again.
    pub error: Option<String>,
    /// Finished buckets that wait because of it.
    pub waiting: usize,
    /// Finished buckets that were dropped because of it.
    pub dropped: u64,
    /// What needs a look, the gravest first.
    pub alerts: Vec<Alert>,
}

/// Something that needs a look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Alert {
    /// Which kind, as `drift` or `journal_not_written`.
    pub kind: String,
    /// The place that it is about; absent where it is about the program.
    pub place: Option<String>,
    /// Since when, in seconds since 1970 in UTC.
    pub since_secs: i64,
    /// What is the matter, in a sentence.
    pub sentence: String,
}

impl JournalStatus {
    pub(super) fn of(options: &JournalOptions, writer: WriterStatus, alerts: Vec<Alert>) -> Self {
        let file = options.file.file_name().unwrap_or(options.file.as_os_str());
        Self {
            file: file.to_string_lossy().into_owned(),
            bytes: bytes(&options.file),
            place: options.place.clone(),
            bucket_minutes: options.bucket_minutes,
            retention_days: options.retention_days,
            least_visits: rapport_journal::LEAST_VISITS,
            error: writer.error,
            waiting: writer.waiting,
            dropped: writer.dropped,
            alerts,
        }
    }
}

/// Of the file and its WAL.
fn bytes(file: &Path) -> Option<u64> {
    let length = |path: &Path| std::fs::metadata(path).ok().map(|found| found.len());
    let mut wal = file.as_os_str().to_owned();
    wal.push("-wal");
    Some(length(file)? + length(Path::new(&wal)).unwrap_or(0))
}

/// The alerts that stand.
#[derive(Debug, Default)]
pub(super) struct SharedAlerts(Mutex<Vec<Alert>>);

impl SharedAlerts {
    pub(super) fn all(&self) -> Vec<Alert> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set(&self, alerts: Vec<Alert>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = alerts;
    }
}
