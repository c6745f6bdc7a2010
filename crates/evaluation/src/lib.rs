//! Figures worth citing: how good the expressions are that Rapport reads in a recording or a data
//! set.
//!
//! A source and its labels go in; `report.json`, `report.html` and `frames.csv` come out. The source
//! is a rosbag2 recording (MCAP or sqlite3), a folder with a folder of pictures for each label, or
//! FER2013's CSV, with FER+'s votes where they are given. Recordings and pictures go through the
//! same pipeline as a camera's images in the node; pictures that are faces already go to the
//! emotion network. Nothing here prints, asks or needs ROS.
//!
//! ```no_run
//! use rapport_evaluation::{EvaluateOptions, evaluate};
//!
//! # fn main() -> anyhow::Result<()> {
//! let options = EvaluateOptions {
//!     labels: Some("labels.csv".into()),
//!     ..EvaluateOptions::new("corridor.mcap", "report")
//! };
//! let outcome = evaluate(&options)?;
//! println!("{}", outcome.table);
//! for warning in outcome.warnings.iter() {
//!     eprintln!("{} times: {}", warning.count, warning.first);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # What the figures are about
//!
//! Every figure compares the expression that a face shows, as somebody labelled it, with the one
//! that was read. The classes of a report are the labels of its models and those that were given;
//! a label that a model lacks counts as wrong, with a warning. Definitions are scikit-learn's
//! ([`metrics`]). Times are those of [`ImageClock`](rapport_vocabulary::ImageClock), as perception
//! and behavior have them. A report names no folder above what was given, as these often name a
//! person.
//!
//! # Layout
//!
//! - [`EvaluateOptions`], [`Outcome`], [`Progress`]: what goes in and comes out; `evaluate` connects
//!   the rest.
//! - `source`: what lies at the path. `recording`, [`pictures`]: its frames, one after another;
//!   [`images`]: a message as a frame; [`picture_file`]: a file as a picture.
//! - [`labels`]: what people say that the faces show.
//! - `reader`: reading ahead of the networks, and jobs beside one another.
//! - `predictor`, `model`, `run`: gives frames to the models. [`seen`]: what they saw. `tally`,
//!   `sequence`, `timeline`, `mistakes`: what is counted.
//!   `items`: which picture, face and group an answer belongs to; `stats`: how sure the figures are,
//!   and models and groups side by side.
//! - [`tables`]: every face as a row of a Parquet file. [`shards`]: many recordings, divided among
//!   processes, and one report of all.
//! - [`adapt`]: what people's answers say about a network, and the calibration that follows.
//! - [`metrics`]: the figures, from counts. `report`: all of them, as `report.json` has them.
//!   `figures`: works them out and writes
//!   them. `table`, `html`, `html_statistics`, `plots`, `frames_csv`: to read. `whole_file`: files
//!   written whole or not at all. `shown_path`: paths without the folders above.

pub mod adapt;
mod evaluate;
mod face_png;
mod figures;
mod frames_csv;
mod html;
mod html_statistics;
pub mod images;
mod items;
pub mod labels;
pub mod metrics;
mod mistakes;
mod model;
mod options;
pub mod picture_file;
pub mod pictures;
mod plots;
mod predictor;
mod progress;
mod provenance;
mod reader;
mod recording;
mod report;
mod run;
pub mod seen;
mod sequence;
pub mod shards;
mod shown_path;
mod source;
mod stage_times;
mod stats;
mod table;
pub mod tables;
mod tally;
mod timeline;
pub mod warnings;
mod whole_file;

pub use evaluate::evaluate as evaluate_with;
pub use options::{DEFAULT_RESAMPLES, DEFAULT_SEED, EvaluateOptions, Outcome};
pub use progress::{Progress, Silent};
pub use whole_file::write as write_whole_file;

/// Evaluates without telling how far it is.
///
/// # Errors
/// As [`evaluate_with`].
pub fn evaluate(options: &EvaluateOptions) -> anyhow::Result<Outcome> {
    evaluate_with(options, &mut Silent)
}
