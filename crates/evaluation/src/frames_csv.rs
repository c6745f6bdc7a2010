//! `frames.csv`: every face of every frame, for notebooks and for labelling by hand.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::Context;
use tempfile::TempPath;

use crate::labels::FrameLabels;
use crate::seen::{Place, Seen};
use crate::whole_file::part_of;
use rapport_vocabulary::{Emotion, LabelSet};

const COLUMNS: [&str; 11] = [
    "model",
    "frame",
    "source",
    "time",
    "stamp",
    "face_id",
    "label",
    "predicted",
    "predicted_raw",
    "confidence",
    "roi",
];

/// Writes a row for each face; a frame without any has one row without a prediction. Under another
/// name until it is whole: an evaluation that fails leaves the file of an earlier one as it was.
pub struct FramesCsv {
    writer: csv::Writer<File>,
    path: PathBuf,
    /// The columns of probabilities.
    classes: Vec<Emotion>,
    /// What is written so far; removed with the value.
    part: TempPath,
}

impl FramesCsv {
    /// Begins the file with its header. `classes`: the labels of all models, each with a column for
    /// its probability.
    pub fn create(path: &Path, classes: Vec<Emotion>) -> anyhow::Result<Self> {
        let make = || -> csv::Result<_> {
            let part = part_of(path)?;
            let mut writer = csv::Writer::from_path(&part)?;
            writer.write_record(
                COLUMNS.into_iter().chain(classes.iter().map(|label| label.as_str())),
            )?;
            Ok((writer, part))
        };
        let (writer, part) = make().with_context(|| format!("{} not written", path.display()))?;
        Ok(Self { writer, path: path.to_owned(), classes, part })
    }

    /// Writes what a model with these labels saw in a frame. Labels that it does not have are left
    /// empty.
    pub fn frame(
        &mut self,
        model: &str,
        has: &LabelSet,
        place: &Place,
        labels: &FrameLabels,
        seen: &[Seen],
    ) -> csv::Result<()> {
        let frame = place.frame.to_string();
        let time = place.time_secs.map_or_else(String::new, |secs| format!("{secs:.6}"));
        let stamp = place.stamp.map_or_else(String::new, |stamp| {
            format!("{}.{:09}", stamp.as_secs(), stamp.subsec_nanos())
        });
        let name = |label: Option<Emotion>| label.map_or("", Emotion::as_str);
        let common = |face_id, label| {
            [model, &frame, &place.source, &time, &stamp, face_id, name(label)].map(str::to_owned)
        };
        if seen.is_empty() {
            let empty = vec![String::new(); COLUMNS.len() - 7 + self.classes.len()];
            return self.writer.write_record(common("", labels.anyone).into_iter().chain(empty));
        }
        for face in seen {
            let roi = face.roi_in_image;
            let rest = [
                face.label.as_str().to_owned(),
                face.instant_probabilities.top().as_str().to_owned(),
                face.confidence().to_string(),
                format!("{:.1} {:.1} {:.1} {:.1}", roi.x, roi.y, roi.width, roi.height),
            ];
            let row = common(&face.face_id, labels.of(&face.face_id)).into_iter().chain(rest);
            let probabilities = self.classes.iter().map(|label| match has.contains(*label) {
                true => face.probabilities.of(*label).to_string(),
                false => String::new(),
            });
            self.writer.write_record(row.chain(probabilities))?;
        }
        Ok(())
    }

    /// Writes out what is buffered and gives the file its name.
    pub fn finish(mut self) -> anyhow::Result<()> {
        let written = self.writer.flush().and_then(|()| Ok(self.part.persist(&self.path)?));
        written.with_context(|| format!("{} not written", self.path.display()))
    }
}
