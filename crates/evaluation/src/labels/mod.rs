//! Labels: what people say that faces show. The networks are compared with them.
//!
//! # Files
//! A CSV with a header, columns in any order, in one of two forms:
//!
//! - **Intervals**: `start,end,face_id,label`. Times are seconds since the first message of the
//!   recording by the recorder's clock, as players show them and `time` in `frames.csv` has them,
//!   or, where they are 100,000,000 or more, seconds since 1970 as the images' own stamps have them
//!   (`stamp` in `frames.csv`; where stamps stand still or count whole seconds, the time goes on as
//!   images arrive). An interval holds from `start` up to, not including, `end`.
//! - **Frames**: `frame,face_id,label`, frames of the image topic counted from 0. `frames.csv` of a
//!   report is such a file: one that was made without labels can be filled in by hand.
//!
//! Columns are separated by commas, semicolons or tabs, times have a decimal point or comma, the text is
//! UTF-8, UTF-16 or Western Windows: as spreadsheets write it. Lines that begin with `#` are skipped.
//! A row whose label is none of ours is left out and counted in a warning. Labels may be the numbers
//! of FER2013's classes.
//!
//! `face_id` may be empty or missing: then every face in view shows the label, except those with a
//! label of their own. An empty `label` says nothing. Where labels of one face contradict each
//! other, its frames are left out.
//!
//! # Beside the label
//! Columns named `age`, `light` and `site`, or those that are asked for, put faces into groups;
//! `valence` and `arousal` are numbers from -1 to 1. A row may have these and no label.
//!
//! # Topic
//! Or a topic of `std_msgs/msg/String`: each message holds, for all faces, until the next one; an
//! empty one ends it.

mod csv;
mod details;
mod error;
mod frames;
mod intervals;
mod numbers;
mod of_frame;
mod text;
mod topic;

use std::path::Path;

pub(crate) use csv::Table;
pub use details::{DetailColumns, GROUP_COLUMNS, LabelDetails, WrongCell};
pub use error::LabelError;
pub use frames::FrameTable;
pub use intervals::{Intervals, TimeBase};
pub use numbers::ClassNumbers;
pub use of_frame::FrameLabels;
pub use topic::TopicLabels;

use crate::warnings::Warnings;

/// Where labels come from.
#[derive(Debug)]
pub enum Labels {
    /// There are none.
    None,
    /// A CSV of intervals.
    Intervals(Intervals),
    /// A CSV of frames.
    Frames(FrameTable),
    /// A topic of the recording.
    Topic(TopicLabels),
}

impl Labels {
    /// Reads a CSV of either form. `groups`: its columns of groups, empty for those of
    /// [`GROUP_COLUMNS`] that it has; `bounds_ns`: the recording's first and last log time.
    ///
    /// # Errors
    /// [`LabelError`] with file, line and column.
    pub fn read(
        path: &Path,
        groups: &[String],
        bounds_ns: Option<(i64, i64)>,
        warnings: &mut Warnings,
    ) -> Result<Self, LabelError> {
        let mut table = csv::Table::open(path, groups)?;
        let has_labels = ["label", "valence", "arousal"].into_iter().any(|name| table.has(name));
        if table.has("start") && table.has("end") && has_labels {
            return Ok(Labels::Intervals(Intervals::read(&mut table, bounds_ns, warnings)?));
        }
        if table.has("frame") && has_labels {
            return Ok(Labels::Frames(FrameTable::read(&mut table, warnings)?));
        }
        Err(table.wrong_columns(
            "`start,end,face_id,label` (intervals) or `frame,face_id,label` (frames)",
        ))
    }

    /// The labels of frame number `frame`, which was recorded at `log_time_ns` and taken at
    /// `image_time_ns` by its own clock, both in nanoseconds since 1970.
    pub fn at(&self, frame: u64, log_time_ns: i64, image_time_ns: i64) -> FrameLabels {
        match self {
            Labels::None => FrameLabels::default(),
            Labels::Intervals(intervals) => intervals.at(match intervals.base() {
                TimeBase::SinceFirstMessage => log_time_ns,
                TimeBase::Since1970 => image_time_ns,
            }),
            Labels::Frames(table) => table.at(frame),
            Labels::Topic(topic) => FrameLabels { anyone: topic.now(), ..FrameLabels::default() },
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
            header in "(start,end,label|start,end,face_id,label,age,valence|frame,label|frame,arousal|[a-z,]{0,20})",
            rows in "([0-9.e+-]{0,12},[0-9.e-]{0,22},(sad|happy|f_1|[a-z]{0,4})(,sad)?\n){0,8}",
            bytes in prop::collection::vec(any::<u8>(), 0..20),
            first_ns: i64,
        ) {
            let file = tempfile::NamedTempFile::new().unwrap();
            let text = [format!("{header}\n{rows}").as_bytes(), &bytes].concat();
            std::fs::write(file.path(), text).unwrap();
            let mut warnings = Warnings::default();
            let bounds = Some((first_ns, first_ns.saturating_add(5_000_000_000)));
            if let Ok(labels) = Labels::read(file.path(), &[], bounds, &mut warnings) {
                let _ = labels.at(3, first_ns, first_ns);
            }
        }
    }
}
