//! Aggregated statistics of the visits to a place. Stored are counts, never people.
//!
//! A [`Recorder`] takes in who is in view, what the robot answered and what people tapped, follows
//! visits in memory and sums them up in buckets of 15 minutes or more. A [`Journal`] is the file that
//! finished buckets are written to, and that pages ask.
//!
//! What never reaches the file, its WAL included: ids, faces, a time finer than a bucket, and any
//! figure that rests on fewer than ten visits (or, of ratings, ten ratings). A figure rests on the
//! visits that it is a share or mean of: a smile rate of 1 in 12 rests on 12, the answers of a rule
//! on the visits that it answered.
//!
//! What this costs: up to nine visits, answered visits of each rule, and ratings of a place wait in
//! memory, and are lost where the program ends. A place with fewer than ten visits between two
//! starts of the program has no journal. And a visit is not a person: somebody whom the camera loses
//! and finds again counts twice.
//!
//! ```
//! use std::time::Duration;
//! use rapport_journal::{ImageSeen, Journal, PersonSeen, Period, Recorder, Scope, Zone};
//!
//! # fn main() -> Result<(), rapport_journal::JournalError> {
//! # let directory = tempfile::tempdir().unwrap();
//! # let path = directory.path().join("journal.db");
//! let mut journal = Journal::open(&path)?;
//! let mut recorder = Recorder::new(15)?;
//! let noon = Duration::from_secs(1_795_694_400);
//! for second in 0..900 {
//!     // Somebody else every minute.
//!     let id = format!("face_{}", second / 60);
//!     let person = PersonSeen { id: &id, expression: None, engagement: None, face_size_px: 80.0,
//!                               brightness: None, blur: None };
//!     let time = noon + Duration::from_secs(second);
//!     recorder.see(&ImageSeen { place: "lobby", time, people: &[person] });
//!     // Does nothing but at the end of a bucket. After an error, what is finished waits.
//!     journal.append(recorder.finished())?;
//! }
//! recorder.close();
//! journal.append(recorder.finished())?;
//!
//! let scope = Scope { place: Some("lobby"), from: noon, to: noon + Duration::from_secs(3600),
//!                     zone: Zone::UTC };
//! let days = journal.history(&scope, Period::Day)?;
//! assert_eq!(days[0].visits.as_ref().map(|visits| visits.visits), Some(15));
//! # Ok(())
//! # }
//! ```
//!
//! [`JournalWriter`] does both on a thread of its own, so that a slow disk delays nobody.

mod baseline;
mod bucket;
mod calendar;
mod compare;
mod drift;
mod error;
mod export;
mod figures;
mod histogram;
mod journal;
mod merge;
mod observation;
mod query;
mod recorder;
mod schema;
mod statistics;
mod stored;
mod sums;
mod visit;
mod writer;

pub use bucket::LEAST_VISITS;
pub use compare::{Comparison, PolicyChange, Side};
pub use drift::{
    AccuracyEstimate, Drift, DriftLevel, FeatureDrift, LARGE_DRIFT, SOME_DRIFT, Trust,
};
pub use error::JournalError;
pub use export::{Table, UnknownTable};
pub use figures::{
    AnswerFigures, BucketContent, BucketFigures, ExpressionFigures, FollowedFigures, HourFigures,
    PeriodFigures, RatingFigures, VisitFigures, WeekHours,
};
pub use histogram::Feature;
pub use journal::Journal;
pub use merge::Merged;
pub use observation::{
    AnswerGiven, ExpressionSeen, HealthCounts, ImageSeen, LONGEST_NAME, PersonSeen, Rating,
};
pub use query::{Period, Scope, Zone};
pub use recorder::{Finished, LEAST_BUCKET_MINUTES, Recorder};
pub use statistics::{Difference, Mean, Rate};
pub use writer::{JournalWriter, Observation, WriterOptions, WriterStatus};
