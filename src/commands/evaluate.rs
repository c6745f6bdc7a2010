//! `rapport evaluate`: a recording or a data set in, a report out.

use std::io::Write;
use std::path::PathBuf;

use rapport_evaluation::pictures::USAGES;
use rapport_evaluation::{EvaluateOptions, evaluate_with};
use rapport_perception::detect::WorkingSize;

use crate::commands::calibration::CalibrationArgs;
use crate::commands::cli::command_line;
use crate::commands::progress::EvaluationProgress;
use crate::commands::rates::RateArgs;

/// Compares predicted expressions with labels, for a recording or a data set, and writes a report.
///
/// SOURCE is a rosbag2 recording (a directory or a file, MCAP or sqlite3), a folder with a folder
/// of pictures for each label, or FER2013's CSV (.csv, .csv.xz). The report goes into a folder:
/// report.json (scikit-learn's key names), report.html, frames.csv.
///
/// Labels of a recording are a CSV with `start,end,face_id,label` (seconds since the recording's
/// first message, or since 1970) or `frame,face_id,label`, or a topic of std_msgs/msg/String.
/// Without labels there are only the figures that need none. An empty face_id stands for every
/// face in view without a label of its own.
///
/// Exit status: 0 success, 1 failed, 2 wrong options, 3 finished with warnings, which the report
/// counts.
#[derive(Debug, Clone, clap::Args)]
pub struct EvaluateArgs {
    /// The recording, folder or CSV.
    pub source: PathBuf,

    /// Folder for the report, created if missing.
    #[arg(long, short, value_name = "FOLDER", default_value = "evaluation")]
    pub output: PathBuf,

    /// Labels of a recording.
    #[arg(long, value_name = "CSV", conflicts_with = "label_topic")]
    pub labels: Option<PathBuf>,

    /// Topic of the recording that has labels.
    #[arg(long, value_name = "NAME")]
    pub label_topic: Option<String>,

    /// Topic of images, where the recording has several.
    #[arg(long, value_name = "NAME")]
    pub topic: Option<String>,

    /// Emotion network; several are compared side by side. Default: models/emotion.onnx.
    #[arg(long = "model", value_name = "ONNX")]
    pub models: Vec<PathBuf>,

    /// Part of FER2013.
    #[arg(long, value_name = "NAME", default_value = "PublicTest", value_parser = USAGES)]
    pub usage: String,

    /// FER+'s votes for FER2013, ferplus_votes.csv: adds the figures against what most of ten
    /// people see. A row for each row of the pictures' CSV, in the same order.
    #[arg(long, value_name = "CSV")]
    pub votes: Option<PathBuf>,

    /// The pictures are cropped faces: do not search for faces in them.
    /// FER2013's always are. Otherwise the largest face of each picture is compared with its label.
    #[arg(long)]
    pub cut_out: bool,

    /// Show the faces of the worst mistakes in report.html. Otherwise no pixel is written.
    #[arg(long)]
    pub include_faces: bool,

    /// Largest size at which faces are searched. Default: the node's 480x360 for recordings,
    /// 1920x1920 for pictures, as `rapport analyze`.
    #[arg(long, value_name = "WIDTHxHEIGHT")]
    pub working_size: Option<WorkingSize>,

    /// How often images are searched and faces classified; a recording's only.
    #[command(flatten)]
    pub rates: RateArgs,

    /// What `rapport adapt` learnt about the network.
    #[command(flatten)]
    pub calibration: CalibrationArgs,

    /// Shared library of ONNX Runtime. Default: found automatically.
    #[arg(long, value_name = "FILE")]
    pub onnxruntime: Option<PathBuf>,
}

impl EvaluateArgs {
    fn options(&self) -> EvaluateOptions {
        EvaluateOptions {
            labels: self.labels.clone(),
            label_topic: self.label_topic.clone(),
            topic: self.topic.clone(),
            models: self.models.clone(),
            calibration: self.calibration.calibration.clone().unwrap_or_default(),
            place: self.calibration.place.clone().unwrap_or_default(),
            usage: self.usage.clone(),
            votes: self.votes.clone(),
            cut_out: self.cut_out,
            include_faces: self.include_faces,
            working_size: self.working_size,
            rates: self.rates.into(),
            onnxruntime: self.onnxruntime.clone(),
            command: command_line()
                .iter()
                .map(|argument| argument.to_string_lossy().into_owned())
                .collect(),
            ..EvaluateOptions::new(&self.source, &self.output)
        }
    }
}

/// Runs the command. Returns the exit code: 0, or 3 where there were warnings.
///
/// # Errors
/// If the source, the labels or a model cannot be used, or the report cannot be written.
pub fn run(args: &EvaluateArgs) -> anyhow::Result<u8> {
    let outcome = evaluate_with(&args.options(), &mut EvaluationProgress::default())?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}report in {}", outcome.table, outcome.report_html.display())?;
    Ok(if outcome.warnings.is_empty() { 0 } else { 3 })
}
