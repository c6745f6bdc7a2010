//! The figures at a glance, for a terminal.

use std::fmt::{Result, Write};

use crate::metrics::{Agreement, Scores};
use crate::report::{ModelReport, Report};
use crate::stats::{Comparison, Estimate, Figure, Format, McNemar};
use rapport_vocabulary::Emotion;

fn number(value: Option<f64>, decimals: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.decimals$}"))
}

/// Milliseconds, with two decimals.
pub fn ms(value: Option<f64>) -> String {
    number(value, 2)
}

/// A figure that is shown first, in the table and in the page.
pub struct Headline {
    /// Its name.
    pub name: &'static str,
    /// Its value, with its unit.
    pub value: String,
    /// Its interval, without a unit.
    pub interval: Option<String>,
}

/// The figures that are shown first.
pub fn headline(model: &ModelReport<'_>) -> Vec<Headline> {
    let mut figures = vec![of_figure(model, Figure::Accuracy)];
    if model.classification_report_raw.is_some() {
        figures.push(of_figure(model, Figure::AccuracyRaw));
    }
    figures.extend(
        [
            Figure::MacroF1,
            Figure::MacroAuc,
            Figure::MacroAveragePrecision,
            Figure::CalibrationError,
            Figure::Coverage,
        ]
        .map(|figure| of_figure(model, figure)),
    );
    if let Some(sequence) = &model.sequence {
        let onsets = &sequence.onset_to_detection;
        let detected = format!("{} of {}", onsets.smoothed.detected, onsets.segments);
        let interval = of_figure(model, Figure::Detected).interval;
        figures.extend([
            count(
                "frames with faces",
                format!("{} of {}", sequence.frames_with_faces, sequence.frames),
            ),
            of_figure(model, Figure::FlipsRaw),
            of_figure(model, Figure::Flips),
            count("id switches", sequence.id_switches.to_string()),
            Headline {
                interval: interval.map(|shares| shares + " %"),
                ..count(Figure::Detected.name(), detected)
            },
            of_figure(model, Figure::OnsetMedian),
        ]);
    }
    if let Some(people) = &model.ferplus {
        figures.push(count("FER+: pictures that count", people.images.to_string()));
        figures.extend(VOTES.map(|figure| of_figure(model, figure)));
    }
    if let Some(soft) = &model.soft_labels {
        figures.push(count("soft labels: pictures", soft.images.to_string()));
        figures.extend(SOFT_LABELS.map(|figure| of_figure(model, figure)));
    }
    if let Some(affect) = &model.affect {
        let faces = |agreement: &Option<Agreement>| agreement.map_or(0, |found| found.n);
        let most = faces(&affect.valence).max(faces(&affect.arousal));
        figures.push(count("valence and arousal: faces", most.to_string()));
        figures.extend(AFFECT.map(|figure| of_figure(model, figure)));
    }
    figures
}

/// The figures against the votes of several people, by the label that users get.
const VOTES: [Figure; 8] = [
    Figure::VotesAccuracy,
    Figure::VotesMacroF1,
    Figure::VotesNeutralAsNegative,
    Figure::VotesNeutralAsNegativeSure,
    Figure::VotesAccuracySure,
    Figure::VotesCalibrationError,
    Figure::VotesCrossEntropy,
    Figure::VotesEntropy,
];

/// The figures against the votes as distributions.
pub const SOFT_LABELS: [Figure; 4] = [
    Figure::SoftCrossEntropy,
    Figure::SoftEntropy,
    Figure::SoftJensenShannon,
    Figure::SoftVotesForLabel,
];

const AFFECT: [Figure; 2] = [Figure::Valence, Figure::Arousal];

fn of_figure(model: &ModelReport<'_>, figure: Figure) -> Headline {
    let found = model.intervals.get(figure);
    let interval = found.and_then(Estimate::interval);
    Headline {
        name: figure.name(),
        value: figure.format().text(found.map(|found| found.estimate)),
        interval: interval.map(|ends| figure.format().interval(ends)),
    }
}

/// A count has no interval.
fn count(name: &'static str, value: String) -> Headline {
    Headline { name, value, interval: None }
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
    let cell = |found: &Headline| match &found.interval {
        Some(interval) => format!("{} ({interval})", found.value),
        None => found.value.clone(),
    };
    let cells: Vec<Vec<String>> =
        columns.iter().map(|column| column.iter().map(cell).collect()).collect();
    let lengths = cells.iter().flatten().map(String::len);
    let names = report.models.iter().map(|model| model.name.len());
    let width = lengths.chain(names).max().unwrap_or(0).max(14) + 2;
    write!(out, "{:<32}", "")?;
    report.models.iter().try_for_each(|model| write!(out, "{:>width$}", model.name))?;
    writeln!(out)?;
    for (row, found) in columns.first().into_iter().flatten().enumerate() {
        write!(out, "{:<32}", found.name)?;
        for column in &cells {
            write!(out, "{:>width$}", column.get(row).map_or("-", String::as_str))?;
        }
        writeln!(out)?;
    }
    writeln!(out, "{}", report.statistics.text())?;
    report.comparisons.iter().try_for_each(|comparison| write_comparison(out, comparison))?;
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
        write_groups(out, model)?;
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

/// A probability: small ones are not 0.
pub fn p_digits(p: f64) -> String {
    if p < 0.0001 { "< 0.0001".to_owned() } else { format!("{p:.4}") }
}

fn p_text(p: f64) -> String {
    let digits = p_digits(p);
    if digits.starts_with('<') { format!("p {digits}") } else { format!("p = {digits}") }
}

fn write_comparison(out: &mut String, comparison: &Comparison) -> Result {
    let Comparison { baseline, model, mcnemar, mcnemar_ferplus, differences } = comparison;
    writeln!(out, "\n{model} less {baseline}")?;
    for (figure, found) in differences.that_vary() {
        let format = figure.format();
        let value = format.difference(found.difference.estimate) + unit_of_difference(format);
        let interval = found.difference.interval();
        let interval = interval.map_or_else(String::new, |(lower, upper)| {
            format!("({} to {})", format.difference(lower), format.difference(upper))
        });
        let p = found.p.map_or_else(String::new, p_text);
        writeln!(out, "{:<32}{value:>16}  {interval:<22}  {p}", figure.name())?;
    }
    for (name, test) in [("McNemar", mcnemar), ("McNemar, FER+", mcnemar_ferplus)] {
        if let Some(test) = test {
            writeln!(out, "{name:<32}{}", mcnemar_text(test, baseline, model))?;
        }
    }
    Ok(())
}

/// Shares differ by percentage points.
pub fn unit_of_difference(format: Format) -> &'static str {
    match format {
        Format::Percent => " points",
        Format::Seconds => " s",
        Format::Number | Format::Rate => "",
    }
}

/// A test in words.
pub fn mcnemar_text(test: &McNemar, baseline: &str, model: &str) -> String {
    let McNemar { only_first_right, only_second_right, p_exact, chi_squared, .. } = test;
    let corrected = chi_squared.zip(test.p_chi_squared).map_or_else(String::new, |(value, p)| {
        format!("; chi-squared with correction {value:.2}, {}", p_text(p))
    });
    format!(
        "only {model} right {only_second_right} times, only {baseline} {only_first_right}; exact {}{corrected}",
        p_text(*p_exact)
    )
}

fn write_groups(out: &mut String, model: &ModelReport<'_>) -> Result {
    for column in model.groups.iter().flat_map(|groups| &groups.0) {
        writeln!(
            out,
            "\n{:<20}{:>9}{:>26}{:>26}{:>26}",
            column.name, "faces", "accuracy", "macro F1", "less all others"
        )?;
        for (name, group) in &column.groups {
            let cell = |found: &Estimate, format: Format| match found.interval() {
                Some(ends) => {
                    format!("{} ({})", format.text(Some(found.estimate)), format.interval(ends))
                }
                None => format.text(Some(found.estimate)),
            };
            let others = group.accuracy_less_others.map_or_else(String::new, |found| {
                let points = Format::Percent.difference(found.difference.estimate) + " points";
                found.p.map_or(points.clone(), |p| format!("{points}, {}", p_text(p)))
            });
            writeln!(
                out,
                "{name:<20}{:>9}{:>26}{:>26}{others:>26}",
                group.faces,
                cell(&group.accuracy, Format::Percent),
                cell(&group.macro_f1, Format::Number),
            )?;
        }
        if column.without > 0 {
            writeln!(out, "{:<20}{:>9}", "without", column.without)?;
        }
    }
    Ok(())
}
