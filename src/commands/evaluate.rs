//! `rapport evaluate`: a recording or a data set in, a report out.

use std::io::Write;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use rapport_evaluation::pictures::USAGES;
use rapport_evaluation::shards::{
    ManyOptions, ManyOutcome, Recordings, Shard, evaluate_many, merge,
};
use rapport_evaluation::tables::ROWS_OF_A_GROUP;
use rapport_evaluation::{DEFAULT_RESAMPLES, DEFAULT_SEED, EvaluateOptions, evaluate_with};
use rapport_perception::detect::WorkingSize;

use crate::commands::calibration::CalibrationArgs;
use crate::commands::cli::command_line;
use crate::commands::progress::EvaluationProgress;
use crate::commands::rates::RateArgs;

/// More take hours and change nothing.
const MOST_RESAMPLES: i64 = 100_000;

/// Compares predicted expressions with labels, for a recording or a data set, and writes a report.
///
/// SOURCE is a rosbag2 recording (a directory or a file, MCAP or sqlite3), a folder with a folder
/// of pictures for each label, or FER2013's CSV (.csv, .csv.xz). The report goes into a folder:
/// report.json (scikit-learn's key names), report.html, frames.csv.
///
/// Several recordings, a folder of recordings, or a list of them (.txt, a path in each line) are
/// evaluated one after another into one report; --shard and --resume divide the work and go on with it.
///
/// Labels of a recording are a CSV with `start,end,face_id,label` (seconds since the recording's
/// first message, or since 1970) or `frame,face_id,label`, or a topic of std_msgs/msg/String.
/// Without labels there are only the figures that need none. An empty face_id stands for every
/// face in view without a label of its own. Labels of a folder's pictures are a CSV with
/// `source,label`, the path inside the folder. Columns age, light and site (or --group) add tables
/// of groups; valence and arousal (-1 to 1) add their concordance; subject says whose pictures
/// belong together.
///
/// Exit status: 0 success, 1 failed, 2 wrong options, 3 finished with warnings, which the report
/// counts.
#[derive(Debug, Clone, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct EvaluateArgs {
    /// The recording, folder or CSV; several recordings, folders of recordings or lists (.txt).
    #[arg(required = true, value_name = "SOURCE")]
    pub sources: Vec<PathBuf>,

    /// Folder for the report, created if missing.
    #[arg(long, short, value_name = "FOLDER", default_value = "evaluation")]
    pub output: PathBuf,

    /// Labels of a recording, or of the pictures of a folder; of several recordings, a folder with
    /// NAME.csv for each.
    #[arg(long, value_name = "CSV", conflicts_with = "label_topic")]
    pub labels: Option<PathBuf>,

    /// Column of the labels that puts faces into groups; may be given several times.
    /// Default: those of age, light and site that are there.
    #[arg(long = "group", value_name = "COLUMN")]
    pub groups: Vec<String>,

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

    /// Write faces.parquet too: a row for each face and frame. While it runs, its rows are in
    /// faces.parts.
    #[arg(long)]
    pub parquet: bool,

    /// Rows that are written together: as many are lost if the program is killed.
    #[arg(long, value_name = "ROWS", requires = "parquet", default_value_t = ROWS_OF_A_GROUP,
        value_parser = parse_rows)]
    pub parquet_group_rows: usize,

    /// Evaluate only each n-th recording, from the i-th on, for example 3/8. The report is then made by
    /// `rapport evaluate merge`.
    #[arg(long, value_name = "I/N")]
    pub shard: Option<Shard>,

    /// Go on with a run of several recordings that was cut off: those with a result are not evaluated
    /// again.
    #[arg(long)]
    pub resume: bool,

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

    /// How many work beside one another, each on a core: on pictures, or on several recordings; on one
    /// recording only with --search-hz 0 or several models. The figures are the same for any number.
    #[arg(long, value_name = "N", default_value = "1")]
    pub jobs: NonZeroUsize,

    /// Samples that are drawn for the intervals; 0 for no intervals.
    #[arg(long, value_name = "COUNT", default_value_t = DEFAULT_RESAMPLES, value_parser = clap::value_parser!(u32).range(..=MOST_RESAMPLES))]
    pub resamples: u32,

    /// What the samples are drawn by: the same seed gives the same intervals.
    #[arg(long, value_name = "NUMBER", default_value_t = DEFAULT_SEED)]
    pub seed: u64,

    /// Shared library of ONNX Runtime. Default: found automatically.
    #[arg(long, value_name = "FILE")]
    pub onnxruntime: Option<PathBuf>,

    /// What else there is to do.
    #[command(subcommand)]
    pub command: Option<EvaluateCommand>,
}

/// What is done with results.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum EvaluateCommand {
    /// Makes one report of the results of many recordings, as one run over all would have made it.
    Merge(MergeArgs),
}

/// Makes one report of the results of many recordings, as one run over all would have made it.
///
/// Exit status: 0 success, 1 failed, 2 wrong options, 3 finished with warnings, of which one names a
/// recording without a result.
#[derive(Debug, Clone, clap::Args)]
pub struct MergeArgs {
    /// Folders that `rapport evaluate --shard` wrote.
    #[arg(required = true)]
    pub results: Vec<PathBuf>,

    /// Folder for the report, created if missing; it may be that of the results.
    #[arg(long, short, value_name = "FOLDER", default_value = "evaluation")]
    pub output: PathBuf,
}

/// How many rows a group has.
pub fn parse_rows(text: &str) -> Result<usize, String> {
    let rows = text.parse().ok().filter(|rows| (1..=10_000_000).contains(rows));
    rows.ok_or_else(|| "expected a number from 1 to 10000000".to_owned())
}

fn given_command() -> Vec<String> {
    command_line().iter().map(|argument| argument.to_string_lossy().into_owned()).collect()
}

impl EvaluateArgs {
    fn options(&self, source: &Path) -> EvaluateOptions {
        EvaluateOptions {
            labels: self.labels.clone(),
            groups: self.groups.clone(),
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
            jobs: self.jobs,
            resamples: self.resamples,
            seed: self.seed,
            onnxruntime: self.onnxruntime.clone(),
            parquet_group_rows: self.parquet.then_some(self.parquet_group_rows),
            command: given_command(),
            ..EvaluateOptions::new(source, &self.output)
        }
    }
}

/// Runs the command. Returns the exit code: 0, or 3 where there were warnings.
///
/// # Errors
/// If the source, the labels or a model cannot be used, or the report cannot be written.
pub fn run(args: &EvaluateArgs) -> anyhow::Result<u8> {
    if let Some(EvaluateCommand::Merge(args)) = &args.command {
        return run_merge(args);
    }
    match &args.sources[..] {
        [source] if args.shard.is_none() && !args.resume && !Recordings::is_several(source) => {
            run_one(args, source)
        }
        sources => run_many(args, sources),
    }
}

fn run_one(args: &EvaluateArgs, source: &Path) -> anyhow::Result<u8> {
    let outcome = evaluate_with(&args.options(source), &mut EvaluationProgress::default())?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}report in {}", outcome.table, outcome.report_html.display())?;
    if let Some(faces) = &outcome.faces_parquet {
        writeln!(out, "faces in {}", faces.display())?;
    }
    Ok(if outcome.warnings.is_empty() { 0 } else { 3 })
}

fn run_many(args: &EvaluateArgs, sources: &[PathBuf]) -> anyhow::Result<u8> {
    let options = ManyOptions {
        sources: sources.to_vec(),
        evaluate: args.options(Path::new("")),
        shard: args.shard.unwrap_or(Shard::WHOLE),
        resume: args.resume,
    };
    let outcome = evaluate_many(&options, &mut EvaluationProgress::default())?;
    let ManyOutcome { evaluated, resumed, failed, recordings, report } = &outcome;
    let mut out = std::io::stdout().lock();
    if let Some(report) = report {
        write!(out, "{}", report.table)?;
    }
    writeln!(
        out,
        "{evaluated} recordings evaluated, {resumed} had a result, {} failed; {recordings} in all",
        failed.len()
    )?;
    for (name, reason) in failed {
        writeln!(out, "  failed: {name}: {reason}")?;
    }
    let folder = args.output.display();
    match report {
        Some(report) => writeln!(out, "report in {}", report.report_html.display())?,
        None => writeln!(
            out,
            "results in {folder}; `rapport evaluate merge {folder}` makes the report"
        )?,
    }
    let is_clean = report.as_ref().is_none_or(|report| report.warnings.is_empty());
    Ok(if failed.is_empty() && is_clean { 0 } else { 3 })
}

fn run_merge(args: &MergeArgs) -> anyhow::Result<u8> {
    let mut progress = EvaluationProgress::default();
    let merged = merge(&args.results, &args.output, given_command(), &mut progress)?;
    let mut out = std::io::stdout().lock();
    let recordings = merged.recordings;
    writeln!(
        out,
        "{}{recordings} recordings; report in {}",
        merged.table,
        merged.report_html.display()
    )?;
    Ok(if merged.warnings.is_empty() { 0 } else { 3 })
}
