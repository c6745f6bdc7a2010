//! The figures at a glance, for a terminal.

use std::io::{Result, Write};

use super::report::{ModelReport, Report};
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

/// The figures that stand above all others, each with its name: shared with the HTML.
pub fn headline(model: &ModelReport<'_>) -> Vec<(&'static str, String)> {
    let report = model.classification_report.as_ref();
    let mut figures = vec![
        ("accuracy", percent(report.and_then(|r| r.accuracy()))),
        ("macro F1", number(report.map(|r| r.macro_average.f1), 4)),
        ("macro AUC", number(model.roc_auc_macro, 4)),
        ("macro average precision", number(model.average_precision_macro, 4)),
        ("calibration error", percent(model.calibration.expected_calibration_error)),
        ("labelled faces found", percent(model.coverage.share())),
    ];
    if let Some(raw) = &model.classification_report_raw {
        figures.insert(1, ("accuracy, each frame alone", percent(raw.accuracy())));
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
    figures
}

/// Prints the figures of all models side by side, then each model's classes.
pub fn print(report: &Report<'_>, out: &mut impl Write) -> Result<()> {
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
        let Some(found) = &model.classification_report else {
            continue;
        };
        writeln!(
            out,
            "\n{:<14}{:>10}{:>10}{:>10}{:>10}",
            model.name, "precision", "recall", "F1", "support"
        )?;
        let classes = found.classes.iter().map(|(class, s)| (Emotion::ALL[*class].as_str(), s));
        let averages =
            [("macro avg", &found.macro_average), ("weighted avg", &found.weighted_average)];
        for (name, s) in classes.chain(averages) {
            let (p, r, f1) = (s.precision, s.recall, s.f1);
            writeln!(out, "{name:<14}{p:>10.4}{r:>10.4}{f1:>10.4}{:>10}", s.support)?;
        }
    }
    let timing = report.timing;
    let rate =
        timing.times_real_time.map_or_else(String::new, |r| format!(", {r:.1} times real time"));
    writeln!(
        out,
        "\n{} of {} frames in {:.1} s ({:.0} a second{rate}), {:.0} % of it reading and decoding; {} warnings",
        report.source.frames_used,
        report.source.frames,
        timing.wall_secs,
        timing.frames_per_sec,
        timing.read_and_decode_share * 100.0,
        report.warnings.count()
    )
}
