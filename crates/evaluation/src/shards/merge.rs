//! One report of the results of many recordings, whoever computed them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};

use super::many::{PROBLEM_FILE, Problem, folder_of};
use super::plan::{PLAN_FILE, Plan};
use super::result::{RESULT_FILE, RecordingEnd, ResultReader, StoredFrame, StoredLabels};
use super::totals::{Machine, TimeTotals};
use crate::evaluate::Files;
use crate::figures::Evaluated;
use crate::items::Items;
use crate::model::Model;
use crate::progress::Progress;
use crate::provenance::Provenance;
use crate::report::LabelSummary;
use crate::sequence::Sequence;
use crate::source::{Kind, RecordingSummary, Source};
use crate::tally::Tally;
use crate::warnings::Warnings;

/// A report of several recordings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// Every figure, as JSON.
    pub report_json: PathBuf,
    /// The report to read.
    pub report_html: PathBuf,
    /// The main figures as a table for a terminal.
    pub table: String,
    /// What went wrong, with recordings that have no result.
    pub warnings: Warnings,
    /// How many recordings the figures are of.
    pub recordings: usize,
}

/// Makes the report of all recordings whose results lie in these folders, each made by
/// [`evaluate_many`](super::evaluate_many) with the same options. Figures are those of one run over all
/// of them, to the last digit.
///
/// # Errors
/// If a folder has no results, if results do not belong together, or if the report cannot be written.
pub fn merge(
    results: &[PathBuf],
    output: &Path,
    command: Vec<String>,
    progress: &mut dyn Progress,
) -> anyhow::Result<Merged> {
    std::fs::create_dir_all(output)
        .with_context(|| format!("folder {} not made", output.display()))?;
    ensure!(
        results.iter().any(|folder| folder == output) || !output.join(PLAN_FILE).exists(),
        "{}: --output has results of its own that are not merged, expected another folder",
        output.display()
    );
    // Names of files alone: the folders above them are of no use to a reader.
    let command = command.iter().map(|word| crate::shown_path::shown(Path::new(word))).collect();
    merge_with(results, output, command, progress)
}

pub(super) fn merge_with(
    results: &[PathBuf],
    output: &Path,
    command: Vec<String>,
    progress: &mut dyn Progress,
) -> anyhow::Result<Merged> {
    let (plan, places) = recordings_of(results)?;
    let mut sums = Sums::new(plan.folder.clone());
    progress.begin(None);
    for (name, folders) in &places {
        sums.add_recording(name, folders, progress)?;
    }
    progress.end();
    sums.write(&plan, output, command, progress)
}

/// All recordings, and the folders that may have a result of each.
fn recordings_of(results: &[PathBuf]) -> anyhow::Result<(Plan, BTreeMap<String, Vec<PathBuf>>)> {
    let mut first: Option<(&PathBuf, Plan)> = None;
    let mut places: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for results in results {
        let plan = Plan::read(results)?;
        for name in &plan.recordings {
            places.entry(name.clone()).or_default().push(folder_of(results, name));
        }
        match &first {
            Some((folder, first)) => {
                if let Some((name, one, other)) = first.differing_setting(&plan) {
                    bail!(
                        "{} has {name} {one}, and {} has {other}: expected results of the same \
                         options",
                        folder.display(),
                        results.display()
                    );
                }
            }
            None => first = Some((results, plan)),
        }
    }
    let (_, plan) = first.context("no folder of results is given, expected one or more")?;
    Ok((plan, places))
}

/// What is counted over all recordings so far.
struct Sums {
    source: Source,
    models: Vec<Model>,
    items: Items,
    labels: Option<LabelSums>,
    warnings: Warnings,
    time: TimeTotals,
    machines: BTreeMap<Machine, u64>,
}

/// Where the labels of all recordings came from.
struct LabelSums {
    kinds: BTreeSet<String>,
    like_first: StoredLabels,
    count: u64,
}

impl Sums {
    fn new(folder: String) -> Self {
        let mut source = Source::new(Kind::Recordings, Path::new(""), false);
        source.path = folder;
        source.duration_secs = Some(0.0);
        Self {
            source,
            models: Vec::new(),
            items: Items::default(),
            labels: None,
            warnings: Warnings::default(),
            time: TimeTotals::default(),
            machines: BTreeMap::new(),
        }
    }

    /// Counts every face of a recording, or notes why it has no result.
    fn add_recording(
        &mut self,
        name: &str,
        folders: &[PathBuf],
        progress: &mut dyn Progress,
    ) -> anyhow::Result<()> {
        let there: Vec<PathBuf> = folders
            .iter()
            .map(|folder| folder.join(RESULT_FILE))
            .filter(|path| path.exists())
            .collect();
        let Some((path, others)) = there.split_first() else {
            self.leave_out(name, folders, progress);
            return Ok(());
        };
        let reader = ResultReader::open(path)?;
        for other in others {
            ensure!(
                ResultReader::open(other)?.head.inputs == reader.head.inputs,
                "{name}: {} and {} are of recordings of other sizes or other labels, expected one \
                 result of each recording",
                path.display(),
                other.display()
            );
        }
        self.replay(name, reader, progress)
    }

    fn leave_out(&mut self, name: &str, folders: &[PathBuf], progress: &mut dyn Progress) {
        let reason = folders.iter().find_map(|folder| {
            let text = std::fs::read(folder.join(PROBLEM_FILE)).ok()?;
            Some(serde_json::from_slice::<Problem>(&text).ok()?.reason)
        });
        let (kind, problem) = match reason {
            Some(reason) => ("recording failed", reason),
            None => ("recording missing", "no result yet".to_owned()),
        };
        if let Some(text) = self.warnings.add(kind, || format!("{name}: {problem}")) {
            progress.warning(text);
        }
        self.source.recordings.push(RecordingSummary {
            name: name.to_owned(),
            problem: Some(problem),
            ..RecordingSummary::default()
        });
    }

    fn replay(
        &mut self,
        name: &str,
        mut reader: ResultReader,
        progress: &mut dyn Progress,
    ) -> anyhow::Result<()> {
        ensure!(
            reader.head.name == name,
            "found the result of {} in the folder of {name}",
            reader.head.name
        );
        let models = reader.models()?;
        if self.models.is_empty() {
            self.models = models;
        } else {
            let same = self.models.iter().map(identity).eq(models.iter().map(identity));
            ensure!(same, "{name}: other models than the recordings before, expected the same");
        }
        let sparse = reader.head.sparse;
        for model in &mut self.models {
            let tally = &mut model.tally;
            tally.recording = name.to_owned();
            tally.sequence.get_or_insert_with(|| Sequence::new(sparse)).next_recording(sparse);
        }
        self.items.next_recording(name);
        let before = self.models.first().map_or(0, |model| model.tally.scored.values().len());
        let (models, items) = (&mut self.models, &mut self.items);
        let end = reader.replay(|StoredFrame { place, labels, seen }| {
            for (model, seen) in models.iter_mut().zip(seen) {
                if let Some(seen) = seen {
                    model.count(&place, &labels, &seen, items, |_| None);
                }
            }
            progress.frame();
        })?;
        let scored = |tally: &Tally| {
            let new = tally.scored.values().get(before..).unwrap_or_default();
            let right = new.iter().filter(|scored| scored.label == scored.truth).count();
            (new.len() as u64, (!new.is_empty()).then(|| right as f64 / new.len() as f64))
        };
        let (labelled_faces, accuracy) =
            self.models.first().map_or((0, None), |model| scored(&model.tally));
        for (model, crops) in self.models.iter_mut().zip(&end.crops) {
            model.tally.mistakes.show(name, |mistake| {
                let is_it = |crop: &&(u64, String, Vec<u8>)| {
                    (crop.0, &crop.1) == (mistake.frame, &mistake.face_id)
                };
                crops.iter().find(is_it).map(|(_, _, png)| png.clone())
            });
        }
        self.source.recordings.push(RecordingSummary {
            name: name.to_owned(),
            problem: None,
            frames: end.source.frames,
            frames_used: end.source.frames_used,
            duration_secs: end.source.duration_secs.unwrap_or_default(),
            labelled_faces,
            accuracy,
            warnings: end.warnings.iter().map(|warning| warning.count).sum(),
        });
        self.add_end(name, end);
        Ok(())
    }

    fn add_end(&mut self, name: &str, end: RecordingEnd) {
        let source = &mut self.source;
        source.frames += end.source.frames;
        source.frames_used += end.source.frames_used;
        let duration = source.duration_secs.get_or_insert_default();
        *duration += end.source.duration_secs.unwrap_or_default();
        let is_first = self.labels.is_none();
        if is_first {
            source.topic = end.source.topic;
            source.rates = end.source.rates;
        } else if source.topic != end.source.topic {
            source.topic = None;
        }
        let labels = self.labels.get_or_insert_with(|| LabelSums {
            kinds: BTreeSet::new(),
            like_first: end.labels.clone(),
            count: 0,
        });
        labels.count += end.labels.count;
        if labels.like_first.time_base != end.labels.time_base {
            labels.like_first.time_base = None;
        }
        labels.kinds.insert(end.labels.kind);
        self.warnings.absorb(name, end.warnings);
        self.time.add(&end.timing);
        *self.machines.entry(end.machine).or_default() += 1;
    }

    fn write(
        self,
        plan: &Plan,
        output: &Path,
        command: Vec<String>,
        progress: &mut dyn Progress,
    ) -> anyhow::Result<Merged> {
        let Self { source, mut models, items, labels, warnings, time, machines } = self;
        let Some(labels) = labels else {
            let all = source.recordings.len();
            let first = warnings.iter().next().map_or("there are none", |w| w.first.as_str());
            bail!("{}: none of its {all} recordings has a result: {first}", source.path);
        };
        // Figures follow; where the frames of each face lie is in the reports of the recordings.
        models.iter_mut().for_each(|model| model.tally.timeline = None);
        let files = Files::in_folder(output);
        let mut provenance = Provenance::now(command);
        let names: BTreeSet<_> = machines.keys().map(|m| m.onnxruntime.clone()).collect();
        provenance.onnxruntime =
            (names.len() == 1).then(|| names.into_iter().next()).flatten().flatten();
        provenance.machines = machines.into_iter().collect();
        let recordings = source.recordings.iter().filter(|found| found.problem.is_none()).count();
        let (resamples, seed) = plan.drawing();
        let labels = labels.summary();
        let evaluated = Evaluated { source, models, items, labels, warnings, resamples, seed };
        let timing = |source: &Source, models: &[Model]| {
            let names: Vec<String> = models.iter().map(|model| model.name.clone()).collect();
            time.timing(source.frames_used, source.duration_secs.unwrap_or_default(), &names)
        };
        let (table, warnings) =
            evaluated.write(&files, timing, &provenance, str::to_owned, progress)?;
        Ok(Merged { report_json: files.json, report_html: files.html, table, warnings, recordings })
    }
}

/// What makes a model the same in every result.
fn identity(model: &Model) -> (&str, &str, Option<u32>) {
    (&model.name, &model.sha256, model.calibration_revision)
}

impl LabelSums {
    fn summary(&self) -> LabelSummary {
        const KINDS: [&str; 4] = ["none", "intervals", "frames", "topic"];
        let known = |kind: &String| KINDS.into_iter().find(|known| known == kind);
        let mut kinds = self.kinds.iter().filter(|kind| *kind != "none");
        let kind = match (kinds.next(), kinds.next()) {
            (None, _) => "none",
            (Some(only), None) => known(only).unwrap_or("several"),
            (Some(_), Some(_)) => "several",
        };
        LabelSummary {
            topic: self.like_first.topic.clone(),
            time_base: self.like_first.time_base,
            ..LabelSummary::new(kind, self.count)
        }
    }
}
