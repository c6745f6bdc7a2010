//! What is kept of one recording: every face that the models saw, with its labels.

use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use rmp_serde::decode::Error as DecodeError;
use serde::{Deserialize, Serialize};
use tempfile::TempPath;

use super::totals::{Machine, TimeTotals};
use crate::labels::{FrameLabels, TimeBase};
use crate::mistakes::Mistake;
use crate::model::Model;
use crate::report::LabelSummary;
use crate::seen::{Place, Seen};
use crate::source::Source;
use crate::warnings::Warning;
use crate::whole_file::part_of;
use rapport_vocabulary::{Affect, Emotion, LabelSet};

/// What the file begins with.
const FORMAT: &str = "rapport result";

/// Goes up when the file changes: a result of another version is computed anew.
const VERSION: u32 = 1;

/// How the file is called in the folder of its recording.
pub const RESULT_FILE: &str = "result.msgpack.zst";

/// What a result was made of beside the settings of the run: if it changes, the result is computed anew.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inputs {
    /// The size of the recording's files.
    pub bytes: u64,
    /// The SHA-256 of the file of labels, in hexadecimal.
    pub labels_sha256: Option<String>,
}

/// One recording of several: what its result is called and where it goes.
#[derive(Debug, Clone)]
pub struct OneOfMany<'a> {
    /// Its name among the recordings.
    pub name: &'a str,
    /// What it is made of.
    pub inputs: Inputs,
    /// The file for its result.
    pub result: PathBuf,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Head {
    format: String,
    version: u32,
    pub name: String,
    pub inputs: Inputs,
    models: Vec<StoredModel>,
    /// Whether labels stand for single frames.
    pub sparse: bool,
}

#[derive(Serialize, Deserialize)]
struct StoredModel {
    name: String,
    file: PathBuf,
    sha256: String,
    calibration_revision: Option<u32>,
    labels: Vec<Emotion>,
    affect: Vec<Affect>,
    affect_source: String,
}

impl From<&Model> for StoredModel {
    fn from(model: &Model) -> Self {
        let labels = model.labels();
        // The affect of a label is that of a distribution with nothing else.
        let only =
            |label| labels.affect(&rapport_vocabulary::Distribution::of_pairs([(label, 1.0)]));
        Self {
            name: model.name.clone(),
            file: crate::shown_path::shown(&model.path).into(),
            sha256: model.sha256.clone(),
            calibration_revision: model.calibration_revision,
            labels: labels.iter().collect(),
            affect: labels.iter().map(only).collect(),
            affect_source: labels.affect_source().to_owned(),
        }
    }
}

impl StoredModel {
    fn model(self) -> anyhow::Result<Model> {
        let labels = LabelSet::new(self.labels)?.with_affect(self.affect, self.affect_source)?;
        let Self { name, file, sha256, calibration_revision, .. } = self;
        Ok(Model::new(name, file, sha256, calibration_revision, labels))
    }
}

/// A frame as it is written. Nothing in its place is the last; then comes the [`RecordingEnd`].
#[derive(Serialize)]
struct FrameToWrite<'a> {
    place: &'a Place,
    labels: &'a FrameLabels,
    seen: &'a [Option<Vec<Seen>>],
}

/// A frame as it is read.
#[derive(Deserialize)]
pub(super) struct StoredFrame {
    pub place: Place,
    pub labels: FrameLabels,
    /// What each model saw; nothing where a network failed.
    pub seen: Vec<Option<Vec<Seen>>>,
}

/// What is known when a recording ends.
#[derive(Debug, Serialize, Deserialize)]
pub struct RecordingEnd {
    /// What was evaluated.
    pub source: Source,
    /// Where the labels came from.
    pub labels: StoredLabels,
    /// What went wrong, without folders.
    pub warnings: Vec<Warning>,
    /// Where the time went.
    pub timing: TimeTotals,
    /// What computed it.
    pub machine: Machine,
    /// For each model the faces that were cut out: frame, face id and PNG.
    pub crops: Vec<Vec<(u64, String, Vec<u8>)>>,
}

impl RecordingEnd {
    /// The faces that were cut out for the worst mistakes.
    pub fn crops_of(models: &[Model]) -> Vec<Vec<(u64, String, Vec<u8>)>> {
        let crop = |mistake: &Mistake| {
            Some((mistake.frame, mistake.face_id.clone(), mistake.crop_png.clone()?))
        };
        models.iter().map(|model| model.tally.mistakes.iter().filter_map(crop).collect()).collect()
    }
}

/// Where the labels of a recording came from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredLabels {
    /// As [`LabelSummary::kind`].
    pub kind: String,
    /// The topic.
    pub topic: Option<String>,
    /// What times of intervals count from.
    pub time_base: Option<TimeBase>,
    /// How many there are.
    pub count: u64,
}

impl From<&LabelSummary> for StoredLabels {
    fn from(summary: &LabelSummary) -> Self {
        Self {
            kind: summary.kind.to_owned(),
            topic: summary.topic.clone(),
            time_base: summary.time_base,
            count: summary.count,
        }
    }
}

/// Writes the result of a recording. It has its name once it is whole.
pub struct ResultWriter {
    to: zstd::Encoder<'static, BufWriter<File>>,
    part: TempPath,
    path: PathBuf,
}

impl ResultWriter {
    /// Begins the file. `sparse`: whether labels stand for single frames.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn create(one: &OneOfMany<'_>, models: &[Model], sparse: bool) -> anyhow::Result<Self> {
        let path = one.result.clone();
        let make = || -> anyhow::Result<_> {
            let part = part_of(&path)?;
            let to = zstd::Encoder::new(BufWriter::new(File::create(&part)?), 0)?;
            Ok((to, part))
        };
        let (to, part) = make().with_context(|| format!("{} not written", path.display()))?;
        let mut writer = Self { to, part, path };
        writer.write(&Head {
            format: FORMAT.to_owned(),
            version: VERSION,
            name: one.name.to_owned(),
            inputs: one.inputs.clone(),
            models: models.iter().map(StoredModel::from).collect(),
            sparse,
        })?;
        Ok(writer)
    }

    fn write(&mut self, value: &impl Serialize) -> anyhow::Result<()> {
        rmp_serde::encode::write_named(&mut self.to, value)
            .with_context(|| format!("{} not written", self.path.display()))
    }

    /// Takes the next frame and what each model saw in it.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn frame(
        &mut self,
        place: &Place,
        labels: &FrameLabels,
        seen: &[Option<Vec<Seen>>],
    ) -> anyhow::Result<()> {
        self.write(&Some(FrameToWrite { place, labels, seen }))
    }

    /// Ends the file and gives it its name.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn finish(mut self, end: &RecordingEnd) -> anyhow::Result<()> {
        self.write(&None::<FrameToWrite<'_>>)?;
        self.write(end)?;
        let Self { to, part, path } = self;
        let done = || -> anyhow::Result<()> {
            let file = to.finish()?.into_inner().map_err(|error| error.into_error())?;
            // Whole on the disk before it has the name that stands for done.
            file.sync_all()?;
            Ok(part.persist(&path)?)
        };
        done().with_context(|| format!("{} not written", path.display()))
    }
}

/// Reads the result of a recording.
pub(super) struct ResultReader {
    from: zstd::Decoder<'static, BufReader<File>>,
    path: PathBuf,
    pub head: Head,
}

impl ResultReader {
    /// Opens a result.
    ///
    /// # Errors
    /// If it cannot be read, is something else, or of another version.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let open = || -> anyhow::Result<_> {
            let mut from = zstd::Decoder::new(File::open(path)?)?;
            let head: Head = rmp_serde::decode::from_read(&mut from)?;
            Ok((from, head))
        };
        let (from, head) =
            open().with_context(|| format!("{}: not a result of a recording", path.display()))?;
        ensure!(
            head.format == FORMAT && head.version == VERSION,
            "{}: found `{}` version {}, expected `{FORMAT}` version {VERSION}: evaluate the recording \
             again with this program",
            path.display(),
            head.format,
            head.version
        );
        Ok(Self { from, path: path.to_owned(), head })
    }

    /// The models, before they saw anything.
    ///
    /// # Errors
    /// If their labels are none.
    pub fn models(&mut self) -> anyhow::Result<Vec<Model>> {
        let models = std::mem::take(&mut self.head.models);
        models.into_iter().map(StoredModel::model).collect()
    }

    /// Gives each frame in turn, then the end.
    ///
    /// # Errors
    /// If the file is damaged.
    pub fn replay(mut self, mut frame: impl FnMut(StoredFrame)) -> anyhow::Result<RecordingEnd> {
        let mut read = || -> Result<RecordingEnd, DecodeError> {
            while let Some(next) = rmp_serde::decode::from_read(&mut self.from)? {
                frame(next);
            }
            rmp_serde::decode::from_read(&mut self.from)
        };
        read().with_context(|| format!("{}: damaged, remove it and resume", self.path.display()))
    }
}
