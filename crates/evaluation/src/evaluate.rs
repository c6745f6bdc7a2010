//! From the options to the files of the report.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

use crate::figures::Evaluated;
use crate::frames_csv::FramesCsv;
use crate::images::{ImageTopic, find_topic};
use crate::items::Items;
use crate::labels::{Labels, TopicLabels};
use crate::model::{Loaded, Model, labels_of_all};
use crate::options::{EvaluateOptions, Outcome};
use crate::pictures::{self, Fer2013, Folder, LeftOut, Listed, USAGES, Unread};
use crate::predictor::Predictor;
use crate::progress::Progress;
use crate::provenance::Provenance;
use crate::reader::{Plan, Waiting};
use crate::recording::{self, Looking, Recording};
use crate::report::{LabelSummary, ModelTiming, Timing};
use crate::run::Run;
use crate::shards::{OneOfMany, RecordingEnd, ResultWriter};
use crate::shown_path::{PathCleaner, shown};
use crate::source::{Kind, Source};
use crate::stage_times::StageTimes;
use crate::tables::{FacesTable, FramesSeen};
use crate::warnings::{UNUSED_FRAME, Warning, Warnings};
use rapport_perception::onnx::RuntimeOptions;
use rapport_perception::paths::same_file;
use rapport_perception::{ModelFiles, SessionOptions, detector};
use rapport_recording::bag::Bag;
use rapport_recording::message::StringMessage;

/// Where the files of a report lie.
pub struct Files {
    /// Every figure.
    pub json: PathBuf,
    /// The page.
    pub html: PathBuf,
    csv: PathBuf,
    parquet: PathBuf,
}

impl Files {
    /// The files of a report in this folder.
    pub fn in_folder(folder: &Path) -> Self {
        let file = |name: &str| folder.join(name);
        Self {
            json: file("report.json"),
            html: file("report.html"),
            csv: file("frames.csv"),
            parquet: file("faces.parquet"),
        }
    }

    /// The files of a report that may be written now.
    fn for_report(options: &EvaluateOptions) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&options.output)
            .with_context(|| format!("folder {} not made", options.output.display()))?;
        let files = Self::in_folder(&options.output);
        for (option, given) in [("labels", &options.labels), ("votes", &options.votes)] {
            let Some(given) = given else {
                continue;
            };
            ensure!(
                !same_file(given, &files.csv),
                "{}: --{option} is the file that this run would write over; expected a copy \
                 elsewhere, or another --output",
                given.display()
            );
        }
        keep_filled_in_labels(&files)?;
        Ok(files)
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
    let files = Files::for_report(options)?;
    match kind {
        Kind::Bag => with_source(options, evaluate_bag(options, &files, None, progress)),
        Kind::Folder => evaluate_folder(options, &files, progress),
        Kind::Fer2013 => evaluate_fer2013(options, &files, progress),
        Kind::Recordings => {
            bail!("{}: found several recordings, expected one", options.source.display())
        }
    }
}

/// Evaluates one recording of several, as [`evaluate`] does, with models that are loaded already, and
/// keeps what the report of all is made of.
///
/// # Errors
/// As [`evaluate`].
pub fn evaluate_one(
    options: &EvaluateOptions,
    loaded: &mut Loaded,
    one: &OneOfMany<'_>,
    progress: &mut dyn Progress,
) -> anyhow::Result<Outcome> {
    let files = Files::for_report(options)?;
    with_source(options, evaluate_bag(options, &files, Some((loaded, one)), progress))
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
    check_together(options)?;
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

/// Options of which only one may be given, whatever the source.
///
/// # Errors
/// If both of a pair are given: which.
pub fn check_together(options: &EvaluateOptions) -> anyhow::Result<()> {
    ensure!(
        options.labels.is_none() || options.label_topic.is_none(),
        "--labels and --label-topic are given, expected one of them"
    );
    ensure!(
        options.calibration.as_os_str().is_empty() || options.models.len() < 2,
        "--calibration is given with {} models, expected one: it is of one network",
        options.models.len()
    );
    Ok(())
}

/// One thread for each network: jobs run beside one another instead.
fn runtime(options: &EvaluateOptions) -> RuntimeOptions {
    RuntimeOptions { library: options.onnxruntime.clone(), threads: 1 }
}

/// Loads every model so many times.
fn load(
    options: &EvaluateOptions,
    session: Option<&SessionOptions>,
    times: usize,
) -> anyhow::Result<Loaded> {
    let (calibration, place) = (options.calibration.clone(), options.place.clone());
    let files = ModelFiles { calibration, place, ..ModelFiles::default() };
    Loaded::load(&options.models, &files, &runtime(options), session, times)
}

/// How the faces of a recording are looked for.
fn of_recordings(options: &EvaluateOptions) -> SessionOptions {
    with_size(SessionOptions { rates: options.rates, ..SessionOptions::default() }, options)
}

/// Loads the models for recordings. A recording has one memory of who is in view, so that there is one
/// session for each model; what searches images ahead is there where every image is searched: otherwise
/// what was seen before decides which are.
///
/// # Errors
/// If one cannot be read or is no emotion network.
pub fn load_for_recordings(options: &EvaluateOptions) -> anyhow::Result<Loaded> {
    let session = of_recordings(options);
    let mut loaded = load(options, Some(&session), 1)?;
    let is_followed = session.rates.search_hz > 0.0;
    let count = if is_followed { 0 } else { Plan::new(options.jobs).predictors };
    for _ in 0..count {
        loaded.detectors.push(detector(&ModelFiles::default(), &runtime(options))?);
    }
    Ok(loaded)
}

/// When an evaluation began, by the clock on the wall and by one that only goes forward.
pub struct Begin {
    /// Versions, command and machine.
    pub provenance: Provenance,
    start: Instant,
}

impl Begin {
    /// Now.
    pub fn now(command: Vec<String>) -> Self {
        Self { provenance: Provenance::now(command), start: Instant::now() }
    }
}

fn run<'p>(
    options: &EvaluateOptions,
    (source, recording): (Source, &str),
    models: Vec<Model>,
    files: &Files,
    warnings: Warnings,
    progress: &'p mut dyn Progress,
) -> anyhow::Result<Run<'p>> {
    let faces = match options.parquet_group_rows {
        Some(rows) => {
            let identities =
                models.iter().map(|m| (m.name.as_str(), m.sha256.as_str(), m.labels()));
            Some(FacesTable::create(&files.parquet, recording, identities, rows)?)
        }
        None => None,
    };
    Ok(Run {
        source,
        items: Items::default(),
        frames_csv: FramesCsv::create(&files.csv, labels_of_all(&models))?,
        faces,
        result: None,
        models,
        warnings,
        progress,
        include_faces: options.include_faces,
        read_times: Vec::new(),
        decode_times: Vec::new(),
        waiting: Waiting::default(),
    })
}

fn evaluate_bag(
    options: &EvaluateOptions,
    files: &Files,
    one: Option<(&mut Loaded, &OneOfMany<'_>)>,
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
    let mut own;
    let (loaded, one) = match one {
        Some((loaded, one)) => (loaded, Some(one)),
        None => {
            own = load_for_recordings(options)?;
            (&mut own, None)
        }
    };
    let models: Vec<_> = loaded.models.iter().map(Model::anew).collect();
    let topic = bag.topics().get(images.index);
    let mut source = Source::new(Kind::Bag, &options.source, false);
    source.topic = topic.map(|topic| topic.name.clone());
    source.rates = Some(options.rates);
    let frames = topic.and_then(|topic| topic.message_count);
    let begin = Begin::now(command(options, &models));
    let shown_name = source.path.clone();
    let name = one.map_or(shown_name.as_str(), |one| one.name);
    let mut run = run(options, (source, name), models, files, warnings, progress)?;
    if let Some(one) = one {
        let sparse = matches!(labels, Labels::Frames(_));
        run.result = Some(ResultWriter::create(one, &run.models, sparse)?);
    }
    run.progress.begin(frames);
    let mut recording = Recording { bag: &bag, images, labels, label_topic };
    let Some(predictors) = loaded.predictors.first_mut() else {
        bail!("no models are loaded");
    };
    predictors.iter_mut().for_each(Predictor::reset);
    let looking = Looking {
        predictors,
        detectors: &mut loaded.detectors,
        detect: of_recordings(options).detect,
        plan: Plan::new(options.jobs),
    };
    recording::evaluate(&mut recording, looking, &mut run)?;
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

/// Pictures that are evaluated, and what is known of them before one is read.
struct Pictures<P> {
    pictures: P,
    source: Source,
    /// How many there are, where that is known.
    count: Option<u64>,
    /// How faces are looked for; nothing where the pictures are faces.
    session: Option<SessionOptions>,
    /// Warnings that were told already.
    warnings: Warnings,
    /// What is told when the pictures begin.
    left_out: Vec<LeftOut>,
}

/// Gives all pictures to all models.
fn look_at<'p, P: Iterator<Item = Unread> + Send>(
    options: &EvaluateOptions,
    files: &Files,
    given: Pictures<P>,
    progress: &'p mut dyn Progress,
) -> anyhow::Result<(Run<'p>, Begin)> {
    let Pictures { pictures, source, count, session, warnings, left_out } = given;
    let Loaded { models, mut predictors, .. } =
        load(options, session.as_ref(), options.jobs.get())?;
    let begin = Begin::now(command(options, &models));
    let name = source.path.clone();
    let mut run = run(options, (source, &name), models, files, warnings, progress)?;
    run.progress.begin(count);
    for LeftOut { kind, text } in left_out {
        run.warn(kind, || text);
    }
    pictures::evaluate(pictures, &mut predictors, Plan::new(options.jobs), &mut run)?;
    Ok((run, begin))
}

fn evaluate_folder(
    options: &EvaluateOptions,
    files: &Files,
    progress: &mut dyn Progress,
) -> anyhow::Result<Outcome> {
    let source = Source::new(Kind::Folder, &options.source, options.cut_out);
    let session = (!options.cut_out).then(|| with_size(SessionOptions::for_pictures(), options));
    let mut warnings = Warnings::default();
    let Some(labels) = &options.labels else {
        let folder = Folder::open(&options.source)?;
        let (count, left_out) = (Some(folder.left()), folder.left_out().to_vec());
        let given = Pictures { pictures: folder, source, count, session, warnings, left_out };
        let (run, begin) = look_at(options, files, given, progress)?;
        let labels = LabelSummary::new("folders", run.source.frames_used);
        return finish(options, files, run, labels, &begin);
    };
    let listed = Listed::open(&options.source, labels, &options.groups, &mut warnings)?;
    warnings.iter().for_each(|warning| progress.warning(&warning.first));
    let (count, left_out) = (Some(listed.left()), Vec::new());
    let given = Pictures { pictures: listed, source, count, session, warnings, left_out };
    let (run, begin) = look_at(options, files, given, progress)?;
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
    let mut source = Source::new(Kind::Fer2013, &options.source, true);
    source.usage = Some(options.usage.clone());
    source.votes = votes.map(shown);
    let given = Pictures {
        pictures: rows,
        source,
        count: None,
        session: None,
        warnings: Warnings::default(),
        left_out: Vec::new(),
    };
    let (run, begin) = look_at(options, files, given, progress)?;
    if run.source.frames == 0 {
        bail!("{}: no rows with Usage {}", options.source.display(), options.usage);
    }
    let labels = LabelSummary::new("fer2013", run.source.frames_used);
    finish(options, files, run, labels, &begin)
}

/// Takes the folders above everything that was given out of texts.
pub fn cleaner(options: &EvaluateOptions, models: &[Model]) -> PathCleaner {
    let program = options.command.first().map(Path::new);
    let given = [Some(options.source.as_path()), Some(options.output.as_path()), program]
        .into_iter()
        .chain([&options.labels, &options.votes, &options.onnxruntime].map(Option::as_deref))
        .flatten()
        .chain(models.iter().map(|model| model.path.as_path()));
    PathCleaner::new(given)
}

/// The command line as a report has it.
pub fn command(options: &EvaluateOptions, models: &[Model]) -> Vec<String> {
    let cleaner = cleaner(options, models);
    options.command.iter().map(|argument| cleaner.clean(argument)).collect()
}

/// Works out the figures and writes them.
fn finish(
    options: &EvaluateOptions,
    files: &Files,
    run: Run<'_>,
    labels: LabelSummary,
    begin: &Begin,
) -> anyhow::Result<Outcome> {
    let Run {
        source,
        models,
        items,
        frames_csv,
        faces,
        result,
        warnings,
        progress,
        read_times,
        decode_times,
        waiting,
        ..
    } = run;
    progress.end();
    if source.frames_used == 0 {
        // Of all warnings, the one about frames; others may be about something beside them.
        let of_frames = |warning: &&Warning| UNUSED_FRAME.contains(&warning.kind.as_ref());
        let first = warnings.iter().find(of_frames).or(warnings.iter().next());
        let reason = first.map_or("there are none", |w| w.first.as_str());
        let (path, frames) = (options.source.display(), source.frames);
        bail!("{path}: none of its {frames} frames could be used: {reason}");
    }
    let cleaner = cleaner(options, &models);
    let spent: Duration = read_times.iter().chain(&decode_times).sum();
    let timing = |source: &Source, models: &[Model]| {
        let wall_secs = begin.start.elapsed().as_secs_f64();
        Timing {
            wall_secs,
            frames_per_sec: source.frames_used as f64 / wall_secs,
            times_real_time: source.duration_secs.map(|secs| secs / wall_secs),
            jobs: Some(options.jobs.get()),
            waiting_share: waiting.total().as_secs_f64() / wall_secs,
            read_and_decode_share: spent.as_secs_f64() / wall_secs,
            read: StageTimes::of(read_times.iter().copied()),
            decode: StageTimes::of(decode_times.iter().copied()),
            models: models.iter().map(ModelTiming::of).collect(),
        }
    };
    let end = result.is_some().then(|| RecordingEnd {
        source: source.clone(),
        labels: (&labels).into(),
        // Before those about all faces, which a report of several recordings finds anew.
        warnings: warnings.with_texts(|text| cleaner.clean(text)).iter().cloned().collect(),
        timing: (&timing(&source, &models)).into(),
        machine: begin.provenance.machine(),
        crops: RecordingEnd::crops_of(&models),
    });
    let (resamples, seed) = (options.resamples, options.seed);
    let evaluated = Evaluated { source, models, items, labels, warnings, resamples, seed };
    frames_csv.finish()?;
    let frames =
        FramesSeen { frames: evaluated.source.frames, frames_used: evaluated.source.frames_used };
    let faces_parquet = faces.map(|faces| faces.finish(frames)).transpose()?;
    let clean = |text: &str| cleaner.clean(text);
    let (table, warnings) = evaluated.write(files, timing, &begin.provenance, clean, progress)?;
    if let (Some(result), Some(end)) = (result, end) {
        result.finish(&end)?;
    }
    Ok(Outcome {
        table,
        report_json: files.json.clone(),
        report_html: files.html.clone(),
        frames_csv: files.csv.clone(),
        faces_parquet,
        warnings,
    })
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
