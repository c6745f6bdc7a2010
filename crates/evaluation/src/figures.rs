//! Works out the figures of all that was seen, and writes the report.

use crate::evaluate::Files;
use crate::html;
use crate::items::Items;
use crate::model::Model;
use crate::progress::Progress;
use crate::provenance::Provenance;
use crate::report::{FORMAT_VERSION, LabelSummary, ModelReport, Report, Timing, classes_of};
use crate::source::{Kind, Source};
use crate::stats::{Answered, Bootstrap, MOST_GROUPS, Statistics, too_many};
use crate::table::table;
use crate::warnings::Warnings;
use crate::whole_file;
use rapport_vocabulary::Emotion;

/// All that a report is made of.
pub struct Evaluated {
    /// What was evaluated.
    pub source: Source,
    /// What each model saw.
    pub models: Vec<Model>,
    /// What each answer belongs to.
    pub items: Items,
    /// Where the labels came from.
    pub labels: LabelSummary,
    /// What went wrong so far.
    pub warnings: Warnings,
    /// How many samples are drawn for intervals.
    pub resamples: u32,
    /// What they are drawn by.
    pub seed: u64,
}

impl Evaluated {
    /// Works out the figures and writes `report.json` and `report.html`. `clean` takes folders out of
    /// the texts of warnings. Returns the table for a terminal and all warnings.
    ///
    /// # Errors
    /// If a plot cannot be drawn or a file cannot be written.
    pub fn write(
        self,
        files: &Files,
        timing: impl FnOnce(&Source, &[Model]) -> Timing,
        provenance: &Provenance,
        clean: impl Fn(&str) -> String,
        progress: &mut dyn Progress,
    ) -> anyhow::Result<(String, Warnings)> {
        let Self { source, models, items, mut labels, mut warnings, resamples, seed } = self;
        warn_of_coverage(&source, &labels, &models, &mut warnings, progress);
        warn_of_missing_labels(&models, &mut warnings, progress);
        let classes = classes_of(&models);
        labels.names = classes.names();
        warn_of_groups(&items, &mut warnings, progress);
        let answered: Vec<_> = models
            .iter()
            .map(|m| Answered { name: &m.name, labels: m.labels(), tally: &m.tally })
            .collect();
        let statistics = Statistics::of(&items, resamples, seed);
        let Bootstrap { statistics, intervals, groups, comparisons } =
            Bootstrap::of(&answered, &classes, &items, statistics);
        let reports: Vec<_> = models
            .iter()
            .zip(intervals.into_iter().zip(groups))
            .map(|(model, (intervals, groups))| ModelReport::of(model, &classes, intervals, groups))
            .collect();
        let timing = timing(&source, &models);
        let report = Report {
            format_version: FORMAT_VERSION,
            source: &source,
            labels: &labels,
            classification_report: &reports,
            models: &reports,
            statistics: &statistics,
            comparisons: &comparisons,
            warnings: &warnings.with_texts(clean),
            timing: &timing,
            provenance,
        };
        let timelines: Vec<_> = models.iter().map(|model| model.tally.timeline.as_ref()).collect();
        let page = html::page(&report, &timelines)?;
        whole_file::write(&files.json, &serde_json::to_vec(&report)?)?;
        whole_file::write(&files.html, page.as_bytes())?;
        Ok((table(&report), warnings))
    }
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
