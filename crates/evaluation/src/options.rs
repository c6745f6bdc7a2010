//! What to evaluate, and what came of it.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use crate::warnings::Warnings;
use rapport_perception::RateOptions;
use rapport_perception::detect::WorkingSize;

/// Enough samples for the ends of a 95 % interval: fifty lie beyond each.
pub const DEFAULT_RESAMPLES: u32 = 2000;

/// So that two runs give the same intervals.
pub const DEFAULT_SEED: u64 = 1;

/// What to evaluate, with what, and where the report goes.
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluateOptions {
    /// A rosbag2 recording (a directory or a file, MCAP or sqlite3), a folder with a folder of
    /// pictures for each label, or FER2013's CSV (`.csv`, `.csv.xz`).
    pub source: PathBuf,
    /// The folder for `report.json`, `report.html` and `frames.csv`; made if need be.
    pub output: PathBuf,
    /// A CSV of labels, for a recording: the forms are those of [`labels`](crate::labels); or of a
    /// folder's pictures: `source,label`.
    pub labels: Option<PathBuf>,
    /// Columns of the labels that put faces into groups; empty for `age`, `light` and `site` where
    /// they are there.
    pub groups: Vec<String>,
    /// A topic of labels (`std_msgs/msg/String`), for a recording, instead of `labels`.
    pub label_topic: Option<String>,
    /// The topic of images, where the recording has several.
    pub topic: Option<String>,
    /// Emotion networks, compared side by side; empty for the one that comes with the package.
    pub models: Vec<PathBuf>,
    /// What `rapport adapt` learnt about the network, of which there may be one only; empty for none.
    pub calibration: PathBuf,
    /// The place, for the calibration's thresholds; empty for none of them.
    pub place: String,
    /// The part of FER2013, one of [`USAGES`](crate::pictures::USAGES).
    pub usage: String,
    /// FER+'s votes for the same rows as FER2013's CSV.
    pub votes: Option<PathBuf>,
    /// The pictures of the folder are faces cut out already: none is looked for. FER2013's always
    /// are. Otherwise the largest face of each picture is compared with its label.
    pub cut_out: bool,
    /// Show the faces of the worst mistakes in `report.html`. Otherwise no pixel is written.
    pub include_faces: bool,
    /// The largest size at which faces are looked for; `None` for the node's 480x360 in recordings
    /// and 1920x1920 in pictures.
    pub working_size: Option<WorkingSize>,
    /// Write `faces.parquet` too: after how many rows they can be read, 1 or more
    /// ([`ROWS_OF_A_GROUP`](crate::tables::ROWS_OF_A_GROUP)). Nothing: no such file.
    pub parquet_group_rows: Option<usize>,
    /// How often the images of a recording are searched and its faces classified.
    pub rates: RateOptions,
    /// How many pictures, or how many of several recordings, are looked at beside one another, each by
    /// networks of its own; of one recording, how many threads read, search images where every one is
    /// searched, and run models where there are several. The figures are the same for any number.
    pub jobs: NonZeroUsize,
    /// How many samples are drawn for intervals; 0 for no intervals.
    pub resamples: u32,
    /// What the samples are drawn by.
    pub seed: u64,
    /// ONNX Runtime's shared library, where it is not found by itself.
    pub onnxruntime: Option<PathBuf>,
    /// The command line, for the report; empty where there is none.
    pub command: Vec<String>,
}

impl EvaluateOptions {
    /// Evaluates the source with the model of the package, without labels beside it.
    pub fn new(source: impl Into<PathBuf>, output: impl Into<PathBuf>) -> Self {
        Self {
            source: source.into(),
            output: output.into(),
            labels: None,
            groups: Vec::new(),
            label_topic: None,
            topic: None,
            models: Vec::new(),
            calibration: PathBuf::new(),
            place: String::new(),
            usage: "PublicTest".to_owned(),
            votes: None,
            cut_out: false,
            include_faces: false,
            parquet_group_rows: None,
            working_size: None,
            rates: RateOptions::default(),
            jobs: NonZeroUsize::MIN,
            resamples: DEFAULT_RESAMPLES,
            seed: DEFAULT_SEED,
            onnxruntime: None,
            command: Vec::new(),
        }
    }
}

/// What came of an evaluation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Every figure, as JSON.
    pub report_json: PathBuf,
    /// The report to read.
    pub report_html: PathBuf,
    /// Every face of every frame.
    pub frames_csv: PathBuf,
    /// The same as Parquet, where it was asked for.
    pub faces_parquet: Option<PathBuf>,
    /// The main figures as a table for a terminal.
    pub table: String,
    /// What went wrong without ending the evaluation, with full paths.
    pub warnings: Warnings,
}
