//! The journal of a server: statistics of visits, written on a thread of its own and read for pages.
//! [`rapport_journal`] says what it holds and what it never does.

mod appearance;
mod health;
mod places;
mod seen;
mod service;
mod status;
mod taps;

pub use appearance::Appearance;
pub use health::HealthMeter;
pub(crate) use places::own_place;
pub use seen::Seen;
pub use service::{JournalService, now};
pub use status::{Alert, JournalStatus};
pub use taps::RATING_PAUSE;

use std::path::PathBuf;

use rapport_journal::{LONGEST_NAME, WriterOptions};

use crate::robot::Policy;

/// Drift and the estimate of accuracy are of so many days, if nobody says otherwise.
pub(crate) const DRIFT_DAYS: u64 = 7;

/// How a journal is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalOptions {
    /// The SQLite file; it is made where there is none.
    pub file: PathBuf,
    /// The place of everything that is observed; without one, each robot is a place of its own, and
    /// what browsers send is not counted.
    pub place: Option<String>,
    /// Length of a bucket: 15 minutes, or a multiple of it that divides the day.
    pub bucket_minutes: u32,
    /// After how many days a bucket is forgotten: 1 to 3660.
    pub retention_days: u32,
}

impl JournalOptions {
    /// In this file, with the usual buckets.
    pub fn new(file: PathBuf) -> Self {
        let WriterOptions { bucket_minutes, retention_days } = WriterOptions::default();
        Self { file, place: None, bucket_minutes, retention_days }
    }
}

/// The name of a place, as somebody gave it.
///
/// # Errors
/// What is wrong with it, in a sentence.
pub fn place_name(given: &str) -> Result<String, String> {
    match given.trim() {
        "" => Err("expected a name".to_owned()),
        name if name.len() > LONGEST_NAME => {
            Err(format!("found {} bytes, expected at most {LONGEST_NAME}", name.len()))
        }
        name => Ok(name.to_owned()),
    }
}

/// How a policy is called in the journal: by its file and the beginning of its SHA-256, so that an
/// edited file is another policy.
pub fn policy_name(policy: &Policy) -> String {
    let start: String = policy.sha256.chars().take(12).collect();
    format!("{} {start}", policy.file)
}
