//! Evaluates the recordings of one process, each by itself.

use std::fs;
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context, bail, ensure};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::merge::{Merged, merge_with};
use super::plan::Plan;
use super::recordings::{FoundRecording, Recordings};
use super::result::{Inputs, OneOfMany, RESULT_FILE, ResultReader};
use super::shard::Shard;
use crate::evaluate::{check_together, cleaner, command, evaluate_one, load_for_recordings};
use crate::model::{Loaded, Model};
use crate::options::EvaluateOptions;
use crate::progress::Progress;
use crate::reader::{Ahead, Bounds};
use crate::whole_file;

/// The folder of the recordings' own folders.
const RECORDINGS_FOLDER: &str = "recordings";

/// The file that says why a recording has no result.
pub(super) const PROBLEM_FILE: &str = "failed.json";

/// Which recordings are evaluated, and how.
#[derive(Debug, Clone)]
pub struct ManyOptions {
    /// Recordings, folders of recordings and lists of recordings ([`Recordings::find`]).
    pub sources: Vec<PathBuf>,
    /// How each is evaluated; its `source` is not used. `output`: the folder for all results. `labels`:
    /// a folder with the labels of each recording, by its name with the ending `.csv`.
    pub evaluate: EvaluateOptions,
    /// Which of the recordings; [`Shard::WHOLE`] evaluates all of them and makes the report.
    pub shard: Shard,
    /// Go on with the results that are there.
    pub resume: bool,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ManyOutcome {
    /// Recordings of this process that were evaluated now.
    pub evaluated: usize,
    /// Those that had a result already.
    pub resumed: usize,
    /// Those that have none: name and reason.
    pub failed: Vec<(String, String)>,
    /// Recordings of all processes.
    pub recordings: usize,
    /// The report, where this process had all recordings.
    pub report: Option<Merged>,
}

/// Why a recording has no result.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Problem {
    pub reason: String,
}

/// The folder of one recording.
pub(super) fn folder_of(output: &Path, name: &str) -> PathBuf {
    output.join(RECORDINGS_FOLDER).join(name)
}

/// Evaluates recordings one after another, or, with several jobs, beside one another. One that cannot be
/// evaluated is counted and named, and the others are evaluated all the same.
///
/// # Errors
/// If sources, options or models are wrong, if there are results of another run, or if nothing can be
/// written.
pub fn evaluate_many(
    options: &ManyOptions,
    progress: &mut dyn Progress,
) -> anyhow::Result<ManyOutcome> {
    check(options)?;
    let recordings = Recordings::find(&options.sources)?;
    let evaluate = &options.evaluate;
    // Where recordings are evaluated beside one another, each is evaluated in one job.
    let beside = evaluate.jobs.get().min(recordings.list.len());
    let jobs = if beside > 1 { NonZeroUsize::MIN } else { evaluate.jobs };
    let of_one = EvaluateOptions { jobs, ..evaluate.clone() };
    let mut loaded = load_for_recordings(&of_one)?;
    let models: Vec<_> = loaded.models.iter().map(Model::anew).collect();
    let output = &evaluate.output;
    fs::create_dir_all(output).with_context(|| format!("folder {} not made", output.display()))?;
    let lock = options.shard.lock(output)?;
    Plan::new(evaluate, &models, &recordings).agree(output)?;
    let all = recordings.list.iter().enumerate();
    let mine: Vec<_> = all.filter(|(index, _)| options.shard.has(*index)).map(|(_, r)| r).collect();
    if !options.resume
        && let Some(there) =
            mine.iter().find(|r| folder_of(output, &r.name).join(RESULT_FILE).exists())
    {
        bail!(
            "{}: found results of an earlier run ({}), expected --resume to go on with it, or another \
             --output",
            output.display(),
            there.name
        );
    }
    let mut outcome = ManyOutcome {
        evaluated: 0,
        resumed: 0,
        failed: Vec::new(),
        recordings: recordings.list.len(),
        report: None,
    };
    let mut count = |found: &FoundRecording, done: Done, progress: &mut dyn Progress| match done {
        Done::Now => outcome.evaluated += 1,
        Done::Before => outcome.resumed += 1,
        Done::Failed(reason) => {
            progress.warning(&format!("{} is left out: {reason}", found.name));
            outcome.failed.push((found.name.clone(), reason));
        }
    };
    if beside > 1 {
        evaluate_beside(&of_one, beside, loaded, &mine, progress, count)?;
    } else {
        for (number, found) in mine.iter().enumerate() {
            progress.recording(number, mine.len(), &found.name);
            let done = evaluate_found(&of_one, &mut loaded, found, progress)?;
            count(found, done, progress);
        }
    }
    drop(lock);
    if options.shard == Shard::WHOLE {
        let command = command(evaluate, &models);
        let results = std::slice::from_ref(output);
        outcome.report = Some(merge_with(results, output, command, progress)?);
    }
    Ok(outcome)
}

/// Evaluates so many recordings beside one another, each with models of its own. `options` are those of
/// each. What there is to tell of them comes in the order of the recordings.
fn evaluate_beside(
    options: &EvaluateOptions,
    jobs: usize,
    loaded: Loaded,
    mine: &[&FoundRecording],
    progress: &mut dyn Progress,
    mut count: impl FnMut(&FoundRecording, Done, &mut dyn Progress),
) -> anyhow::Result<()> {
    // However long the first recording takes, the others go on: what is kept of each is small.
    let items = NonZeroUsize::new(mine.len()).unwrap_or(NonZeroUsize::MIN);
    let bounds = Bounds { items, bytes: usize::MAX, bytes_of: |_| 0 };
    thread::scope(|scope| {
        let all_loaded = std::iter::once(Some(loaded)).chain(std::iter::repeat_with(|| None));
        let workers = all_loaded.take(jobs).map(|mut loaded| {
            move |found: &FoundRecording| {
                let mut told = Told::default();
                let mut evaluate = || {
                    // By the thread that needs them, so that all begin at once.
                    let loaded = match &mut loaded {
                        Some(loaded) => loaded,
                        none => none.insert(load_for_recordings(options)?),
                    };
                    evaluate_found(options, loaded, found, &mut told)
                };
                let done = evaluate();
                (told, done)
            }
        });
        let all = Ahead::threads(scope, mine.iter().copied(), workers.collect(), bounds)?;
        for (number, (found, (told, done))) in mine.iter().zip(all).enumerate() {
            progress.recording(number, mine.len(), &found.name);
            told.warnings.iter().for_each(|text| progress.warning(text));
            count(found, done?, progress);
        }
        Ok(())
    })
}

/// What a recording had to tell while others were evaluated beside it.
#[derive(Default)]
struct Told {
    warnings: Vec<String>,
}

impl Progress for Told {
    fn warning(&mut self, text: &str) {
        self.warnings.push(text.to_owned());
    }
}

/// How one recording was done.
enum Done {
    Now,
    Before,
    Failed(String),
}

fn evaluate_found(
    options: &EvaluateOptions,
    loaded: &mut Loaded,
    found: &FoundRecording,
    progress: &mut dyn Progress,
) -> anyhow::Result<Done> {
    let folder = folder_of(&options.output, &found.name);
    fs::create_dir_all(&folder).with_context(|| format!("folder {} not made", folder.display()))?;
    let labels = options.labels.as_deref().map(|folder| labels_of(folder, &found.name));
    let labels = labels.filter(|path| path.exists());
    let (result, problem) = (folder.join(RESULT_FILE), folder.join(PROBLEM_FILE));
    let mut evaluate = || -> anyhow::Result<Done> {
        let inputs = inputs_of(&found.path, labels.as_deref())?;
        if ResultReader::open(&result).is_ok_and(|there| there.head.inputs == inputs) {
            return Ok(Done::Before);
        }
        remove(&result)?;
        let one = OneOfMany { name: &found.name, inputs, result: result.clone() };
        let options = EvaluateOptions {
            source: found.path.clone(),
            output: folder.clone(),
            labels: labels.clone(),
            ..options.clone()
        };
        evaluate_one(&options, loaded, &one, progress)?;
        Ok(Done::Now)
    };
    match evaluate() {
        Ok(done) => {
            remove(&problem).with_context(|| format!("{} not removed", problem.display()))?;
            Ok(done)
        }
        Err(error) => {
            progress.end();
            let reason = format!("{error:#}");
            let own = EvaluateOptions { source: found.path.clone(), ..options.clone() };
            let shown = Problem { reason: cleaner(&own, &loaded.models).clean(&reason) };
            // What hinders this file hinders the others too.
            whole_file::write(&problem, &serde_json::to_vec(&shown)?).context(reason.clone())?;
            Ok(Done::Failed(reason))
        }
    }
}

fn check(options: &ManyOptions) -> anyhow::Result<()> {
    let evaluate = &options.evaluate;
    for (option, is_given) in
        [("--cut-out", evaluate.cut_out), ("--votes", evaluate.votes.is_some())]
    {
        ensure!(!is_given, "{option} does not go with several recordings");
    }
    check_together(evaluate)?;
    if let Some(labels) = &evaluate.labels {
        ensure!(
            labels.is_dir(),
            "{}: found no folder, expected one with the labels of each recording, NAME.csv",
            labels.display()
        );
    }
    Ok(())
}

/// The labels of a recording: its name with the ending `.csv` in place of its own.
fn labels_of(folder: &Path, name: &str) -> PathBuf {
    let name = name.strip_suffix(".zstd").unwrap_or(name);
    let stem = name.strip_suffix(".mcap").or_else(|| name.strip_suffix(".db3")).unwrap_or(name);
    folder.join(format!("{stem}.csv"))
}

fn inputs_of(recording: &Path, labels: Option<&Path>) -> anyhow::Result<Inputs> {
    let hash = |path: &Path| -> io::Result<String> {
        let mut hasher = Sha256::new();
        hasher.update(fs::read(path)?);
        Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    };
    let labels_sha256 = match labels {
        Some(path) => Some(hash(path).with_context(|| path.display().to_string())?),
        None => None,
    };
    let bytes = size(recording).with_context(|| recording.display().to_string())?;
    Ok(Inputs { bytes, labels_sha256 })
}

/// The size of a file, or of the files in a folder.
fn size(path: &Path) -> io::Result<u64> {
    let found = fs::metadata(path)?;
    if !found.is_dir() {
        return Ok(found.len());
    }
    fs::read_dir(path)?.try_fold(0, |sum: u64, entry| {
        let found = fs::metadata(entry?.path())?;
        Ok(sum.saturating_add(if found.is_file() { found.len() } else { 0 }))
    })
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
