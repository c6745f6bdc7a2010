//! The figures at a glance, for a terminal.

use std::fmt::{Result, Write};

use crate::metrics::{PeopleScores, Scores};
use crate::report::{ModelReport, Report};
use rapport_vocabulary::Emotion;

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "-".to_owned(), |share| format!("{:.2} %", share * 100.0))
}

fn number(value: Option<f64>, decimals: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.decimals$}"))
}

/// Milliseconds, with two decimals.
pub fn ms(value: Option<f64>) -> String {
    number(value, 2)
}

/// The figures that are shown first, each with its name, in the table and in the page.
pub fn headline(model: &ModelReport<'_>) -> Vec<(&'static str, String)> {
    let report = model.scores();
    let mut figures = vec![
        ("accuracy", percent(report.and_then(|r| r.accuracy()))),
        ("macro F1", number(report.map(|r| r.macro_average.f1), 4)),
        ("macro AUC", number(model.roc_auc_macro, 4)),
        ("macro average precision", number(model.average_precision_macro, 4)),
        ("calibration error", percent(model.calibration.expected_calibration_error)),
        ("labelled faces found", percent(model.coverage.share())),
    ];
    if let Some(raw) = &model.classification_report_raw {
        figures.insert(1, ("accuracy, each frame alone", percent(raw.report.accuracy())));
    }
    if let Some(sequence) = &model.sequence {
        let flips = sequence.label_flips_per_minute;
        let onsets = &sequence.onset_to_detection;
        let of = |detected: usize| format!("{detected} of {}", onsets.segments);
        figures.extend([
            ("frames with faces", format!("{} of {}", sequence.frames_with_faces, sequence.frames)),
            ("label flips a minute, raw", number(flips.raw, 1)),
            ("label flips a minute, smoothed", number(flips.smoothed, 1)),
            ("id switches", sequence.id_switches.to_string()),
            ("expressions detected", of(onsets.smoothed.detected)),
            ("onset to detection, median", number(onsets.smoothed.median_secs, 2) + " s"),
        ]);
    }
    if let Some(people) = &model.ferplus {
        figures.extend(people_figures(people));
    }
    figures
}

/// The figures against the votes of several people, by the label that users get.
fn people_figures(people: &PeopleScores) -> [(&'static str, String); 9] {
    let rule = &people.decision;
    [
        ("FER+: pictures that count", people.images.to_string()),
        ("FER+: accuracy", percent(rule.accuracy)),
        ("FER+: macro F1, eight classes", number(Some(rule.macro_f1), 4)),
        ("FER+: neutral read as negative", percent(rule.neutral_as_negative)),
        ("FER+: the same, and sure", percent(rule.neutral_as_negative_sure)),
        ("FER+: accuracy where sure", percent(rule.accuracy_sure)),
        ("FER+: calibration error", percent(rule.expected_calibration_error)),
        ("FER+: cross-entropy to votes", number(Some(people.cross_entropy), 4)),
        ("FER+: entropy of the votes", number(Some(people.entropy_of_votes), 4)),
    ]
}

/// The figures of all models side by side, then each model's classes.
pub fn table(report: &Report<'_>) -> String {
    let mut text = String::new();
    // Writing into a string does not fail.
    let _ = write(report, &mut text);
    text
}

fn write(report: &Report<'_>, out: &mut String) -> Result {
    let columns: Vec<_> = report.models.iter().map(headline).collect();
    let width = report.models.iter().map(|m| m.name.len()).max().unwrap_or(0).max(14) + 2;
    write!(out, "{:<32}", "")?;
    report.models.iter().try_for_each(|model| write!(out, "{:>width$}", model.name))?;
    writeln!(out)?;
    for (row, (name, _)) in columns.first().into_iter().flatten().enumerate() {
        write!(out, "{name:<32}")?;
        for column in &columns {
            write!(out, "{:>width$}", column.get(row).map_or("-", |(_, value)| value))?;
        }
        writeln!(out)?;
    }
    for model in report.models {
        let Some(named) = &model.classification_report else {
            continue;
        };
        let found = &named.report;
        writeln!(
            out,
            "\n{:<14}{:>10}{:>10}{:>10}{:>10}",
            model.name, "precision", "recall", "F1", "support"
        )?;
        let names = named.classes.names();
        let rows = found.classes.iter().map(|(class, s)| (names.get(*class).copied(), s));
        let averages = [
            (Some("macro avg"), &found.macro_average),
            (Some("weighted avg"), &found.weighted_average),
        ];
        for (name, s) in rows.chain(averages) {
            write_scores(out, name.unwrap_or_default(), s)?;
        }
        if let Some(people) = &model.ferplus {
            writeln!(out, "{:<14}{:>40}", "", "as most people see it (FER+)")?;
            for (class, s) in &people.decision.classification_report.classes {
                let name = Emotion::ALL.get(*class).map_or("", |label| label.as_str());
                write_scores(out, name, s)?;
            }
        }
    }
    let timing = report.timing;
    let rate =
        timing.times_real_time.map_or_else(String::new, |r| format!(", {r:.1} times real time"));
    writeln!(
        out,
        "\n{} of {} frames in {:.1} s ({:.0} a second{rate}), {:.0} % of it waiting for images; {} warnings",
        report.source.frames_used,
        report.source.frames,
        timing.wall_secs,
        timing.frames_per_sec,
        timing.waiting_share * 100.0,
        report.warnings.count()
    )
}

fn write_scores(out: &mut String, name: &str, scores: &Scores) -> Result {
    let Scores { precision, recall, f1, support } = scores;
    writeln!(out, "{name:<14}{precision:>10.4}{recall:>10.4}{f1:>10.4}{support:>10}")
}
