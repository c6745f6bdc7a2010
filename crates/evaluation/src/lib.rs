//! `rapport evaluate`: a recording or a data set in, a report out.
//!
//! Everything goes through [`Pipeline::process`](rapport_perception::pipeline::Pipeline::process), as in the
//! node, except pictures that are faces already, which go to the emotion network.
//!
//! # Layout
//!
//! - `source`: what lies at the path. `recording`, [`pictures`]: its frames, one after another;
//!   `images`: a message as a frame.
//! - [`labels`]: what the faces are said to show.
//! - `model`, `run`: who is shown the frames. `tally`, `sequence`, `mistakes`: what they saw.
//! - `report`: the figures, by [`crate::metrics`]. `table`, `html`, `plots`, `frames_csv`: to read,
//!   `whole` files only.

mod face_png;
mod frames_csv;
mod html;
pub mod images;
pub mod labels;
pub mod metrics;
mod mistakes;
mod model;
mod percentile;
pub mod picture_file;
pub mod pictures;
mod plots;
pub mod progress;
mod provenance;
mod recording;
mod report;
mod run;
mod sequence;
mod source;
mod table;
mod tally;
mod timeline;
pub mod warnings;
mod whole;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

use frames_csv::FramesCsv;
use images::{ImageTopic, find_topic};
use labels::{Labels, SpokenLabels};
use model::Model;
use percentile::StageTimes;
use pictures::{Fer2013, Folder};
use progress::Progress;
use provenance::Provenance;
use rapport_perception::detect::WorkingSize;
use rapport_perception::onnx::RuntimeOptions;
use rapport_perception::paths::same_file;
use rapport_perception::pipeline::PipelineOptions;
use rapport_perception::track::TrackOptions;
use rapport_recording::bag::Bag;
use rapport_recording::message::StringMessage;
use recording::Recording;
use report::{LabelSummary, ModelReport, ModelTiming, Report, Timing};
use run::Run;
use source::{Kind, Source};
use warnings::Warnings;

/// Judges the expressions that are read off a recording or a data set, and writes a report.
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
/// Exit status: 0 all right, 1 failed, 2 wrong usage, 3 finished with warnings, which the report
/// counts.
#[derive(Debug, Clone, clap::Args)]
pub struct EvaluateArgs {
    /// The recording, folder or CSV.
    pub source: PathBuf,

    /// Where the report goes: a folder, made if need be.
    #[arg(long, short, value_name = "FOLDER", default_value = "evaluation")]
    pub output: PathBuf,

    /// Labels of a recording.
    #[arg(long, value_name = "CSV", conflicts_with = "label_topic")]
    pub labels: Option<PathBuf>,

    /// Topic of the recording on which labels were said.
    #[arg(long, value_name = "NAME")]
    pub label_topic: Option<String>,

    /// Topic of images, where the recording has several.
    #[arg(long, value_name = "NAME")]
    pub topic: Option<String>,

    /// Emotion network; several are compared side by side. Default: models/emotion.onnx.
    #[arg(long = "model", value_name = "ONNX")]
    pub models: Vec<PathBuf>,

    /// Part of FER2013.
    #[arg(long, value_name = "NAME", default_value = "PublicTest",
          value_parser = ["Training", "PublicTest", "PrivateTest"])]
    pub usage: String,

    /// The pictures of the folder are faces cut out already: do not look for faces in them.
    /// FER2013's always are. Otherwise the largest face of each picture is meant.
    #[arg(long)]
    pub cut_out: bool,

    /// Show the faces of the worst mistakes in report.html. Otherwise no pixel is written.
    #[arg(long)]
    pub include_faces: bool,

    /// Largest size at which faces are looked for. Default: the node's 480x360 for recordings,
    /// 1920x1920 for pictures, as `rapport analyze`.
    #[arg(long, value_name = "WIDTHxHEIGHT")]
    pub working_size: Option<WorkingSize>,

    /// ONNX Runtime's shared library, where it is not found by itself.
    #[arg(long, value_name = "FILE")]
    pub onnxruntime: Option<PathBuf>,
}

/// Runs the command. Returns the exit code: 0, or 3 where there were warnings.
///
/// # Errors
/// If the source, the labels or a model cannot be used, or the report cannot be written.
pub fn run(args: &EvaluateArgs) -> anyhow::Result<u8> {
    let kind = Kind::of(&args.source)?;
    check_options(args, kind)?;
    std::fs::create_dir_all(&args.output)
        .with_context(|| format!("folder {} not made", args.output.display()))?;
    let csv = args.output.join("frames.csv");
    if let Some(labels) = &args.labels {
        ensure!(
            !same_file(labels, &csv),
            "{}: --labels is the file that this run would write over; expected a copy elsewhere, \
             or another --output",
            labels.display()
        );
    }
    spare_filled_in_labels(&csv, &args.output.join("report.json"))?;
    match kind {
        Kind::Bag => with_context(args, evaluate_bag(args, &csv)),
        Kind::Folder => evaluate_folder(args, &csv),
        Kind::Fer2013 => evaluate_fer2013(args, &csv),
    }
}

fn with_context<T>(args: &EvaluateArgs, result: anyhow::Result<T>) -> anyhow::Result<T> {
    let path = args.source.display().to_string();
    // Errors that name the path themselves need no second.
    result.map_err(|error| match error.to_string().contains(&path) {
        true => error,
        false => error.context(path),
    })
}

/// Options that another kind of source would need are a mistake, not silently nothing.
fn check_options(args: &EvaluateArgs, kind: Kind) -> anyhow::Result<()> {
    let given = [
        ("--labels", args.labels.is_some(), kind == Kind::Bag),
        ("--label-topic", args.label_topic.is_some(), kind == Kind::Bag),
        ("--topic", args.topic.is_some(), kind == Kind::Bag),
        ("--cut-out", args.cut_out, kind != Kind::Bag),
    ];
    for (option, is_given, fits) in given {
        let path = args.source.display();
        ensure!(!is_given || fits, "{path}: {option} does not go with this kind of source");
    }
    Ok(())
}

impl EvaluateArgs {
    fn load(&self, options: Option<PipelineOptions>) -> anyhow::Result<Vec<Model>> {
        let runtime = RuntimeOptions { library: self.onnxruntime.clone(), threads: 1 };
        Model::load_all(&self.models, &runtime, options.as_ref())
    }

    fn start(
        &self,
        source: Source,
        models: Vec<Model>,
        frames: Option<u64>,
        frames_csv: FramesCsv,
        warnings: Warnings,
    ) -> Run {
        Run {
            source,
            models,
            frames_csv,
            warnings,
            progress: Progress::new(frames, "frames"),
            include_faces: self.include_faces,
            read_times: Vec::new(),
            decode_times: Vec::new(),
        }
    }
}

fn evaluate_bag(args: &EvaluateArgs, csv: &Path) -> anyhow::Result<u8> {
    let bag = Bag::open(&args.source)?;
    let images = ImageTopic::choose(&bag, args.topic.as_deref())?;
    let mut warnings = Warnings::default();
    let mut label_topic = None;
    let labels = match (&args.labels, &args.label_topic) {
        (Some(path), _) => Labels::read(path, bag.bounds_ns(), &mut warnings)?,
        (None, Some(name)) => {
            let expected = StringMessage::TYPE_NAME;
            let (index, _) = find_topic(&bag, name, expected, |t| t.type_name == expected)?;
            label_topic = Some(index);
            Labels::Topic(SpokenLabels::default())
        }
        (None, None) => Labels::None,
    };
    warnings.iter().for_each(|warning| eprintln!("rapport: warning: {}", warning.first));
    let mut options = PipelineOptions::default();
    options.working_size = args.working_size.unwrap_or(options.working_size);
    let models = args.load(Some(options))?;
    let topic = bag.topics().get(images.index);
    let mut source = Source::new(Kind::Bag, &args.source, false);
    source.topic = topic.map(|topic| topic.name.clone());
    let frames = topic.and_then(|topic| topic.message_count);
    let frames_csv = FramesCsv::create(csv)?;
    let provenance = Provenance::now();
    let start = Instant::now();
    let mut run = args.start(source, models, frames, frames_csv, warnings);
    let mut recording = Recording { bag: &bag, images, labels, label_topic };
    recording::evaluate(&mut recording, &mut run)?;
    let mut summary = match &recording.labels {
        Labels::None => LabelSummary::new("none", 0),
        Labels::Intervals(found) => LabelSummary {
            time_base: Some(found.base()),
            ..LabelSummary::new("intervals", found.count())
        },
        Labels::Frames(found) => LabelSummary::new("frames", found.count()),
        Labels::Topic(spoken) => LabelSummary::new("topic", spoken.count()),
    };
    summary.path = args.labels.clone();
    summary.topic = label_topic.and_then(|i| bag.topics().get(i)).map(|topic| topic.name.clone());
    finish(args, run, &summary, &provenance, start)
}

/// Pictures have nothing to do with each other: a face is there or it is not.
fn picture_options(args: &EvaluateArgs) -> PipelineOptions {
    let all_of_it = WorkingSize { width_px: 1920, height_px: 1920 };
    PipelineOptions {
        working_size: args.working_size.unwrap_or(all_of_it),
        track: TrackOptions { confirm_hits: 1, ..TrackOptions::default() },
        ..PipelineOptions::default()
    }
}

fn evaluate_folder(args: &EvaluateArgs, csv: &Path) -> anyhow::Result<u8> {
    let folder = Folder::open(&args.source)?;
    let models = args.load((!args.cut_out).then(|| picture_options(args)))?;
    let source = Source::new(Kind::Folder, &args.source, args.cut_out);
    let frames_csv = FramesCsv::create(csv)?;
    let provenance = Provenance::now();
    let start = Instant::now();
    let frames = Some(folder.left());
    let mut run = args.start(source, models, frames, frames_csv, Warnings::default());
    for name in folder.unknown() {
        run.warn("folder left out", || format!("folder {name} is left out: its name is no label"));
    }
    pictures::evaluate(folder, &mut run)?;
    let labels = LabelSummary::new("folders", run.source.frames_used);
    finish(args, run, &labels, &provenance, start)
}

fn evaluate_fer2013(args: &EvaluateArgs, csv: &Path) -> anyhow::Result<u8> {
    let rows = Fer2013::open(&args.source, &args.usage)?;
    let models = args.load(None)?;
    let source = Source {
        usage: Some(args.usage.clone()),
        ..Source::new(Kind::Fer2013, &args.source, true)
    };
    let frames_csv = FramesCsv::create(csv)?;
    let provenance = Provenance::now();
    let start = Instant::now();
    let mut run = args.start(source, models, None, frames_csv, Warnings::default());
    pictures::evaluate(rows, &mut run)?;
    if run.source.frames == 0 {
        bail!("{}: no rows with Usage {}", args.source.display(), args.usage);
    }
    let labels = LabelSummary::new("fer2013", run.source.frames_used);
    finish(args, run, &labels, &provenance, start)
}

/// Works out the figures and writes them.
fn finish(
    args: &EvaluateArgs,
    run: Run,
    labels: &LabelSummary,
    provenance: &Provenance,
    start: Instant,
) -> anyhow::Result<u8> {
    run.progress.finish();
    let Run { source, models, frames_csv, mut warnings, read_times, decode_times, .. } = run;
    if source.frames_used == 0 {
        let reason = warnings.iter().next().map_or("there are none", |w| w.first.as_str());
        bail!(
            "{}: none of its {} frames could be used: {reason}",
            source.path.display(),
            source.frames
        );
    }
    note_coverage(&source, labels, &models, &mut warnings);
    let reports: Vec<ModelReport<'_>> = models.iter().map(ModelReport::of).collect();
    let wall_secs = start.elapsed().as_secs_f64();
    let spent: Duration = read_times.iter().chain(&decode_times).sum();
    let timing = Timing {
        wall_secs,
        frames_per_sec: source.frames_used as f64 / wall_secs,
        times_real_time: source.duration_secs.map(|secs| secs / wall_secs),
        read_and_decode_share: spent.as_secs_f64() / wall_secs,
        read: StageTimes::of(read_times.into_iter()),
        decode: StageTimes::of(decode_times.into_iter()),
        models: models.iter().map(ModelTiming::of).collect(),
    };
    let report = Report {
        format_version: 1,
        source: &source,
        labels,
        classification_report: &reports,
        models: &reports,
        warnings: &warnings,
        timing: &timing,
        provenance,
    };
    let timelines: Vec<_> = models.iter().map(|model| model.tally.timeline.as_ref()).collect();
    let page = args.output.join("report.html");
    frames_csv.finish()?;
    whole::write(&args.output.join("report.json"), &serde_json::to_vec(&report)?)?;
    whole::write(&page, html::page(&report, &timelines)?.as_bytes())?;
    table::print(&report, &mut std::io::stdout().lock())?;
    println!("report in {}", page.display());
    Ok(if warnings.is_empty() { 0 } else { 3 })
}

/// Figures about half of the faces are no figures: says so where faces were not found.
fn note_coverage(
    source: &Source,
    labels: &LabelSummary,
    models: &[Model],
    warnings: &mut Warnings,
) {
    if labels.kind == "none" {
        return;
    }
    for model in models {
        let coverage = model.tally.coverage;
        let text = match coverage.share() {
            None => "no label applies to any frame".to_owned(),
            Some(share) if share < 0.5 => {
                let hint = match source.kind {
                    Kind::Folder => "; if the pictures are faces cut out already, use --cut-out",
                    _ => "",
                };
                format!(
                    "{} of {} labelled faces were found{hint}",
                    coverage.found, coverage.labelled
                )
            }
            Some(_) => continue,
        };
        if let Some(text) = warnings.add("few faces found", || text) {
            eprintln!("rapport: warning: {text}");
        }
    }
}

/// Refuses to write over labels that somebody filled in: the report beside tells that the file was
/// made without.
fn spare_filled_in_labels(csv: &Path, report: &Path) -> anyhow::Result<()> {
    let kind = |report: serde_json::Value| report.pointer("/labels/kind").cloned();
    let made_without = std::fs::read(report)
        .ok()
        .and_then(|text| kind(serde_json::from_slice(&text).ok()?))
        .is_some_and(|kind| kind == "none");
    let mut warnings = Warnings::default();
    let mut has_labels = || match Labels::read(csv, None, &mut warnings) {
        Ok(Labels::Frames(table)) => table.count() > 0,
        // Not one of ours, or damaged in the filling in: all the more not to be lost.
        Ok(_) | Err(_) => true,
    };
    ensure!(
        !(made_without && csv.exists() && has_labels()),
        "{}: holds labels that were filled in and would be written over; give it as --labels from \
         another place, or another --output",
        csv.display()
    );
    Ok(())
}
