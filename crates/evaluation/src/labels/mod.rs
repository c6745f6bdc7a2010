//! What people say that faces show: the truth that the networks are judged by.
//!
//! # Files
//! A CSV with a header, columns in any order, in one of two forms:
//!
//! - **Intervals**: `start,end,face_id,label`. Times are seconds since the first message of the
//!   recording by the recorder's clock, as players show them and `time` in `frames.csv` has them,
//!   or, where they are 100,000,000 or more, seconds since 1970 as the images' own stamps have them
//!   (`stamp` in `frames.csv`). An interval holds from `start` up to, not including, `end`.
//! - **Frames**: `frame,face_id,label`, frames of the image topic counted from 0. `frames.csv` of a
//!   report is such a file: one that was made without labels can be filled in by hand.
//!
//! `face_id` may be empty or missing: then every face in view shows the label, except those with a
//! label of their own. An empty `label` says nothing. Where labels of one face contradict each
//! other, its frames are left out.
//!
//! # Topic
//! Or a topic of `std_msgs/msg/String`: each message holds, for all faces, until the next one; an
//! empty one ends it.

mod csv;
mod frames;
mod intervals;
mod topic;

use std::path::Path;

pub use frames::FrameTable;
pub use intervals::{Intervals, TimeBase};
pub use topic::SpokenLabels;

use super::warnings::Warnings;
use rapport_vocabulary::Emotion;

/// Why labels cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LabelError {
    /// The file cannot be read.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: String,
        /// What the operating system or the CSV reader says.
        reason: String,
    },
    /// The header is of neither form.
    #[error(
        "{path}: columns are `{found}`, expected `start,end,face_id,label` (intervals) or \
         `frame,face_id,label` (frames)"
    )]
    Columns {
        /// The file.
        path: String,
        /// The header.
        found: String,
    },
    /// A row that cannot be understood.
    #[error("{path}: line {line}: {what} is `{found}`, expected {expected}")]
    Row {
        /// The file.
        path: String,
        /// The line, from 1.
        line: u64,
        /// The column.
        what: &'static str,
        /// Its content.
        found: String,
        /// What would do.
        expected: String,
    },
}

/// What the faces of one frame are said to show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FrameLabels {
    /// What every face without a label of its own shows.
    pub anyone: Option<Emotion>,
    /// Faces with labels of their own; nothing where these contradict each other.
    pub of_face: Vec<(String, Option<Emotion>)>,
}

impl FrameLabels {
    /// What a face shows.
    pub fn of(&self, face_id: &str) -> Option<Emotion> {
        match self.of_face.iter().find(|(id, _)| id == face_id) {
            Some((_, own)) => *own,
            None => self.anyone,
        }
    }

    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        self.anyone.is_none() && self.of_face.is_empty()
    }
}

/// Where labels come from.
#[derive(Debug)]
pub enum Labels {
    /// Nobody says what is shown.
    None,
    /// A CSV of intervals.
    Intervals(Intervals),
    /// A CSV of frames.
    Frames(FrameTable),
    /// A topic of the recording.
    Topic(SpokenLabels),
}

impl Labels {
    /// Reads a CSV of either form. `bounds_ns`: the recording's first and last log time.
    ///
    /// # Errors
    /// [`LabelError`] with file, line and column.
    pub fn read(
        path: &Path,
        bounds_ns: Option<(i64, i64)>,
        warnings: &mut Warnings,
    ) -> Result<Self, LabelError> {
        let mut table = csv::Table::open(path)?;
        if table.has("start") && table.has("end") && table.has("label") {
            return Ok(Labels::Intervals(Intervals::read(&mut table, bounds_ns, warnings)?));
        }
        if table.has("frame") && table.has("label") {
            return Ok(Labels::Frames(FrameTable::read(&mut table, warnings)?));
        }
        Err(table.wrong_columns())
    }

    /// What is said about frame number `frame`, which was recorded at `log_time_ns` and stamped
    /// `stamp_ns`, both in nanoseconds since 1970.
    pub fn at(&self, frame: u64, log_time_ns: i64, stamp_ns: i64) -> FrameLabels {
        match self {
            Labels::None => FrameLabels::default(),
            Labels::Intervals(intervals) => intervals.at(match intervals.base() {
                TimeBase::SinceFirstMessage => log_time_ns,
                TimeBase::Since1970 => stamp_ns,
            }),
            Labels::Frames(table) => table.at(frame),
            Labels::Topic(spoken) => FrameLabels { anyone: spoken.now(), of_face: Vec::new() },
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_file_is_read_or_refused(
            header in "(start,end,label|start,end,face_id,label|frame,label|[a-z,]{0,20})",
            rows in "([0-9.e+-]{0,12},[0-9.e-]{0,22},(sad|happy|f_1|[a-z]{0,4})(,sad)?\n){0,8}",
            bytes in prop::collection::vec(any::<u8>(), 0..20),
            first_ns: i64,
        ) {
            let file = tempfile::NamedTempFile::new().unwrap();
            let text = [format!("{header}\n{rows}").as_bytes(), &bytes].concat();
            std::fs::write(file.path(), text).unwrap();
            let mut warnings = Warnings::default();
            let bounds = Some((first_ns, first_ns.saturating_add(5_000_000_000)));
            if let Ok(labels) = Labels::read(file.path(), bounds, &mut warnings) {
                let _ = labels.at(3, first_ns, first_ns);
            }
        }
    }
}
