//! From the options to the files of the report.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

use crate::frames_csv::FramesCsv;
use crate::html;
use crate::images::{ImageTopic, find_topic};
use crate::items::Items;
use crate::labels::{Labels, TopicLabels};
use crate::model::{Model, labels_of_all};
use crate::options::{EvaluateOptions, Outcome};
use crate::pictures::{self, Fer2013, Folder, LeftOut, Listed, USAGES};
use crate::progress::Progress;
use crate::provenance::Provenance;
use crate::recording::{self, Recording};
use crate::report::{
    FORMAT_VERSION, LabelSummary, ModelReport, ModelTiming, Report, Timing, classes_of,
};
use crate::run::Run;
use crate::shown_path::{PathCleaner, shown};
use crate::source::{Kind, Source};
use crate::stage_times::StageTimes;
use crate::stats::{Answered, Bootstrap, MOST_GROUPS, Statistics, too_many};
use crate::table::table;
use crate::warnings::{UNUSED_FRAME, Warning, Warnings};
use crate::whole_file;
use rapport_perception::onnx::RuntimeOptions;
use rapport_perception::paths::same_file;
use rapport_perception::{ModelFiles, SessionOptions};
use rapport_recording::bag::Bag;
use rapport_recording::message::StringMessage;
use rapport_vocabulary::Emotion;

/// Where the files of a report lie.
struct Files {
    json: PathBuf,
    html: PathBuf,
    csv: PathBuf,
}

impl Files {
    fn in_folder(folder: &Path) -> Self {
        let file = |name: &str| folder.join(name);
        Self { json: file("report.json"), html: file("report.html"), csv: file("frames.csv") }
    }
}

/// Evaluates and tells `progress` how far it is.
///
/// # Errors
/// If the source, the labels or a model cannot be used, or the report cannot be written. Then no
/// file of an earlier report is changed.
pub fn evaluate(options: &EvaluateOptions, progress: &mut dyn Progress) -> anyhow::Result<Outcome> {
    let kind = Kind::of(&options.source, options.labels.is_some())?;
    check(options, kind)?;
    std::fs::create_dir_all(&options.output)
        .with_context(|| format!("folder {} not made", options.output.display()))?;
    let files = Files::in_folder(&options.output);
    for (option, given) in [("labels", &options.labels), ("votes", &options.votes)] {
        let Some(given) = given else {
            continue;
        };
        ensure!(
            !same_file(given, &files.csv),
            "{}: --{option} is the file that this run would write over; expected a copy elsewhere, \
             or another --output",
            given.display()
        );
    }
    keep_filled_in_labels(&files)?;
    match kind {
        Kind::Bag => with_source(options, evaluate_bag(options, &files, progress)),
        Kind::Folder => evaluate_folder(options, &files, progress),
        Kind::Fer2013 => evaluate_fer2013(options, &files, progress),
    }
}

fn with_source<T>(options: &EvaluateOptions, result: anyhow::Result<T>) -> anyhow::Result<T> {
    let path = options.source.display().to_string();
    // Errors that name the path themselves need no second.
    result.map_err(|error| match error.to_string().contains(&path) {
        true => error,
        false => error.context(path),
    })
}

/// Options that another kind of source would need are a mistake, not silently nothing.
fn check(options: &EvaluateOptions, kind: Kind) -> anyhow::Result<()> {
    let given = [
        ("--labels", options.labels.is_some(), kind != Kind::Fer2013),
        ("--label-topic", options.label_topic.is_some(), kind == Kind::Bag),
        ("--topic", options.topic.is_some(), kind == Kind::Bag),
        ("--cut-out", options.cut_out, kind != Kind::Bag),
        ("--votes", options.votes.is_some(), kind == Kind::Fer2013),
    ];
    for (option, is_given, fits) in given {
        let path = options.source.display();
        ensure!(!is_given || fits, "{path}: {option} does not go with this kind of source");
    }
    ensure!(
        options.labels.is_none() || options.label_topic.is_none(),
        "--labels and --label-topic are given, expected one of them"
    );
    ensure!(
        options.calibration.as_os_str().is_empty() || options.models.len() < 2,
        "--calibration is given with {} models, expected one: it is of one network",
        options.models.len()
    );
    ensure!(
        options.groups.is_empty() || options.labels.is_some() || kind == Kind::Fer2013,
        "--group is given without --labels, expected the CSV that has the column"
    );
    ensure!(
        USAGES.contains(&options.usage.as_str()),
        "--usage is `{}`, expected one of {}",
        options.usage,
        USAGES.join(", ")
    );
    Ok(())
}

fn load(options: &EvaluateOptions, session: Option<SessionOptions>) -> anyhow::Result<Vec<Model>> {
    let runtime = RuntimeOptions { library: options.onnxruntime.clone(), threads: 1 };
    let (calibration, place) = (options.calibration.clone(), options.place.clone());
    let files = ModelFiles { calibration, place, ..ModelFiles::default() };
    Model::load_all(&options.models, &files, &runtime, session.as_ref())
}

/// When an evaluation began, by the clock on the wall and by one that only goes forward.
struct Begin {
    provenance: Provenance,
    start: Instant,
}

impl Begin {
    fn now(command: Vec<String>) -> Self {
        Self { provenance: Provenance::now(command), start: Instant::now() }
    }
}

fn run<'p>(
    options: &EvaluateOptions,
    source: Source,
    models: Vec<Model>,
    files: &Files,
    warnings: Warnings,
    progress: &'p mut dyn Progress,
) -> anyhow::Result<Run<'p>> {
    Ok(Run {
        source,
        items: Items::default(),
        frames_csv: FramesCsv::create(&files.csv, labels_of_all(&models))?,
        models,
        warnings,
        progress,
        include_faces: options.include_faces,
        read_times: Vec::new(),
        decode_times: Vec::new(),
    })
}

fn evaluate_bag(
    options: &EvaluateOptions,
    files: &Files,
    progress: &mut dyn Progress,
) -> anyhow::Result<Outcome> {
    let bag = Bag::open(&options.source)?;
    let images = ImageTopic::choose(&bag, options.topic.as_deref())?;
    let mut warnings = Warnings::default();
    let mut label_topic = None;
    let labels = match (&options.labels, &options.label_topic) {
        (Some(path), _) => Labels::read(path, &options.groups, bag.bounds_ns(), &mut warnings)?,
        (None, Some(name)) => {
            let expected = StringMessage::TYPE_NAME;
            let (index, _) = find_topic(&bag, name, expected, |t| t.type_name == expected)?;
            label_topic = Some(index);
            Labels::Topic(TopicLabels::default())
        }
        (None, None) => Labels::None,
    };
    warnings.iter().for_each(|warning| progress.warning(&warning.first));
    let session = SessionOptions { rates: options.rates, ..SessionOptions::default() };
    let models = load(options, Some(with_size(session, options)))?;
    let topic = bag.topics().get(images.index);
    let mut source = Source::new(Kind::Bag, &options.source, false);
    source.topic = topic.map(|topic| topic.name.clone());
    source.rates = Some(options.rates);
    let frames = topic.and_then(|topic| topic.message_count);
    let begin = Begin::now(command(options, &models));
    let mut run = run(options, source, models, files, warnings, progress)?;
    run.progress.begin(frames);
    let mut recording = Recording { bag: &bag, images, labels, label_topic };
    recording::evaluate(&mut recording, &mut run)?;
    let mut summary = match &recording.labels {
        Labels::None => LabelSummary::new("none", 0),
        Labels::Intervals(found) => LabelSummary {
            time_base: Some(found.base()),
            ..LabelSummary::new("intervals", found.count())
        },
        Labels::Frames(found) => LabelSummary::new("frames", found.count()),
        Labels::Topic(found) => LabelSummary::new("topic", found.count()),
    };
    summary.path = options.labels.as_deref().map(shown);
    summary.topic = label_topic.and_then(|i| bag.topics().get(i)).map(|topic| topic.name.clone());
    finish(options, files, run, summary, &begin)
}

fn with_size(mut session: SessionOptions, options: &EvaluateOptions) -> SessionOptions {
    if let Some(size) = options.working_size {
        session.detect.working_size = size;
    }
    session
}

fn evaluate_folder(
    options: &EvaluateOptions,
    files: &Files,
    progress: &mut dyn Progress,
) -> anyhow::Result<Outcome> {
    if let Some(labels) = &options.labels {
        return evaluate_listed(options, labels, files, progress);
    }
    let folder = Folder::open(&options.source)?;
    let models = load(options, of_pictures(options))?;
    let source = Source::new(Kind::Folder, &options.source, options.cut_out);
    let begin = Begin::now(command(options, &models));
    let mut run = run(options, source, models, files, Warnings::default(), progress)?;
    run.progress.begin(Some(folder.left()));
    for LeftOut { kind, text } in folder.left_out() {
        run.warn(kind, || text.clone());
    }
    pictures::evaluate(folder, &mut run)?;
    let labels = LabelSummary::new("folders", run.source.frames_used);
    finish(options, files, run, labels, &begin)
}

/// How faces are looked for in pictures; nothing where they are faces.
fn of_pictures(options: &EvaluateOptions) -> Option<SessionOptions> {
    (!options.cut_out).then(|| with_size(SessionOptions::for_pictures(), options))
}

fn evaluate_listed(
    options: &EvaluateOptions,
    labels: &Path,
    files: &Files,
    progress: &mut dyn Progress,
) -> anyhow::Result<Outcome> {
    let mut warnings = Warnings::default();
    let listed = Listed::open(&options.source, labels, &options.groups, &mut warnings)?;
    warnings.iter().for_each(|warning| progress.warning(&warning.first));
    let models = load(options, of_pictures(options))?;
    let source = Source::new(Kind::Folder, &options.source, options.cut_out);
    let begin = Begin::now(command(options, &models));
    let mut run = run(options, source, models, files, warnings, progress)?;
    run.progress.begin(Some(listed.left()));
    pictures::evaluate(listed, &mut run)?;
    let mut summary = LabelSummary::new("pictures", run.source.frames_used);
    summary.path = Some(shown(labels));
    finish(options, files, run, summary, &begin)
}

fn evaluate_fer2013(
    options: &EvaluateOptions,
    files: &Files,
    progress: &mut dyn Progress,
) -> anyhow::Result<Outcome> {
    let votes = options.votes.as_deref();
    let rows = Fer2013::open(&options.source, &options.usage, votes, &options.groups)?;
    let models = load(options, None)?;
    let mut source = Source::new(Kind::Fer2013, &options.source, true);
    source.usage = Some(options.usage.clone());
    source.votes = options.votes.as_deref().map(shown);
    let begin = Begin::now(command(options, &models));
    let mut run = run(options, source, models, files, Warnings::default(), progress)?;
    run.progress.begin(None);
    pictures::evaluate(rows, &mut run)?;
    if run.source.frames == 0 {
        bail!("{}: no rows with Usage {}", options.source.display(), options.usage);
    }
    let labels = LabelSummary::new("fer2013", run.source.frames_used);
    finish(options, files, run, labels, &begin)
}

/// Takes the folders above everything that was given out of texts.
fn cleaner(options: &EvaluateOptions, models: &[Model]) -> PathCleaner {
    let program = options.command.first().map(Path::new);
    let given = [Some(options.source.as_path()), Some(options.output.as_path()), program]
        .into_iter()
        .chain([&options.labels, &options.votes, &options.onnxruntime].map(Option::as_deref))
        .flatten()
        .chain(models.iter().map(|model| model.path.as_path()));
    PathCleaner::new(given)
}

fn command(options: &EvaluateOptions, models: &[Model]) -> Vec<String> {
    let cleaner = cleaner(options, models);
    options.command.iter().map(|argument| cleaner.clean(argument)).collect()
}

/// Works out the figures and writes them.
fn finish(
    options: &EvaluateOptions,
    files: &Files,
    run: Run<'_>,
    mut labels: LabelSummary,
    begin: &Begin,
) -> anyhow::Result<Outcome> {
    let Run {
        source,
        models,
        items,
        frames_csv,
        mut warnings,
        progress,
        read_times,
        decode_times,
        ..
    } = run;
    progress.end();
    if source.frames_used == 0 {
        // Of all warnings, the one about frames; others may be about something beside them.
        let of_frames = |warning: &&Warning| UNUSED_FRAME.contains(&warning.kind);
        let first = warnings.iter().find(of_frames).or(warnings.iter().next());
        let reason = first.map_or("there are none", |w| w.first.as_str());
        let (path, frames) = (options.source.display(), source.frames);
        bail!("{path}: none of its {frames} frames could be used: {reason}");
    }
    warn_of_coverage(&source, &labels, &models, &mut warnings, progress);
    warn_of_missing_labels(&models, &mut warnings, progress);
    let classes = classes_of(&models);
    labels.names = classes.names();
    warn_of_groups(&items, &mut warnings, progress);
    let answered: Vec<_> = models
        .iter()
        .map(|m| Answered { name: &m.name, labels: m.labels(), tally: &m.tally })
        .collect();
    let statistics = Statistics::of(&items, options.resamples, options.seed);
    let Bootstrap { statistics, intervals, groups, comparisons } =
        Bootstrap::of(&answered, &classes, &items, statistics);
    let reports: Vec<_> = models
        .iter()
        .zip(intervals.into_iter().zip(groups))
        .map(|(model, (intervals, groups))| ModelReport::of(model, &classes, intervals, groups))
        .collect();
    let wall_secs = begin.start.elapsed().as_secs_f64();
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
    let cleaner = cleaner(options, &models);
    let report = Report {
        format_version: FORMAT_VERSION,
        source: &source,
        labels: &labels,
        classification_report: &reports,
        models: &reports,
        statistics: &statistics,
        comparisons: &comparisons,
        warnings: &warnings.with_texts(|text| cleaner.clean(text)),
        timing: &timing,
        provenance: &begin.provenance,
    };
    let timelines: Vec<_> = models.iter().map(|model| model.tally.timeline.as_ref()).collect();
    let page = html::page(&report, &timelines)?;
    frames_csv.finish()?;
    whole_file::write(&files.json, &serde_json::to_vec(&report)?)?;
    whole_file::write(&files.html, page.as_bytes())?;
    Ok(Outcome {
        table: table(&report),
        report_json: files.json.clone(),
        report_html: files.html.clone(),
        frames_csv: files.csv.clone(),
        warnings,
    })
}

/// Warns where fewer than half of the labelled faces were found: the figures then say little.
fn warn_of_coverage(
    source: &Source,
    labels: &LabelSummary,
    models: &[Model],
    warnings: &mut Warnings,
    progress: &mut dyn Progress,
) {
    if labels.kind == "none" {
        return;
    }
    for model in models {
        let coverage = model.tally.coverage;
        let text = match coverage.share() {
            // Labels of valence and arousal alone.
            None if !model.tally.affect.is_empty() => continue,
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
            progress.warning(text);
        }
    }
}

/// Warns of columns of groups that are none.
fn warn_of_groups(items: &Items, warnings: &mut Warnings, progress: &mut dyn Progress) {
    for (column, values) in too_many(items) {
        let text = || {
            format!(
                "column {column} has {values} different values, expected at most {MOST_GROUPS} \
                 groups: it is left out"
            )
        };
        if let Some(text) = warnings.add("groups left out", text) {
            progress.warning(text);
        }
    }
}

/// Warns of labels that were given and that a model cannot read.
fn warn_of_missing_labels(models: &[Model], warnings: &mut Warnings, progress: &mut dyn Progress) {
    for model in models {
        let scored = model.tally.scored.values().iter().map(|scored| scored.truth);
        let people = model.tally.people.values().iter().map(|answer| answer.agreed.label);
        let truths: Vec<Emotion> = scored.chain(people).collect();
        for label in Emotion::ALL.into_iter().filter(|label| !model.labels().contains(*label)) {
            let faces = truths.iter().filter(|truth| **truth == label).count();
            let text = || {
                format!(
                    "{faces} faces are labelled {label}, which {} does not have: they count as \
                     wrong",
                    model.name
                )
            };
            if let Some(text) = warnings.add_many("label that the model lacks", faces as u64, text)
            {
                progress.warning(text);
            }
        }
    }
}

/// Refuses to write over labels that somebody filled in: the report beside tells that the file was
/// made without.
fn keep_filled_in_labels(files: &Files) -> anyhow::Result<()> {
    let kind = |report: serde_json::Value| report.pointer("/labels/kind").cloned();
    let made_without = std::fs::read(&files.json)
        .ok()
        .and_then(|text| kind(serde_json::from_slice(&text).ok()?))
        .is_some_and(|kind| kind == "none");
    let mut warnings = Warnings::default();
    let mut has_labels = || match Labels::read(&files.csv, &[], None, &mut warnings) {
        Ok(Labels::Frames(table)) => table.count() > 0,
        // Not one of ours, or damaged in the filling in: all the more not to be lost.
        Ok(_) | Err(_) => true,
    };
    ensure!(
        !(made_without && files.csv.exists() && has_labels()),
        "{}: holds labels that were filled in and would be written over; give it as --labels from \
         another place, or another --output",
        files.csv.display()
    );
    Ok(())
}
