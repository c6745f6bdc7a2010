//! The parts of `report.html` that tell how sure figures are: models and groups side by side, and the
//! figures that have little but their interval.

use maud::{Markup, PreEscaped, html};

use crate::metrics::{Agreement, SoftScores};
use crate::plots::{Scale, whisker};
use crate::report::{AffectReport, ModelReport};
use crate::stats::{Column, Comparison, Estimate, Figure, Format, Groups};
use crate::table::{SOFT_LABELS, mcnemar_text, p_digits, unit_of_difference};

/// A value and its interval behind it, or below it where there is no room. Without one there is the
/// room for it, so that values stand below each other.
pub fn value_and_interval(value: &str, interval: Option<&str>) -> Markup {
    html! { (value) span.interval { (interval.unwrap_or_default()) } }
}

fn with_interval(found: &Estimate, format: Format) -> Markup {
    let interval = found.interval().map(|ends| format.interval(ends));
    value_and_interval(&format.text(Some(found.estimate)), interval.as_deref())
}

fn with_signs(found: &Estimate, format: Format) -> Markup {
    let value = format.difference(found.estimate) + unit_of_difference(format);
    let interval = found.interval().map(|(lower, upper)| {
        format!("{} to {}", format.difference(lower), format.difference(upper))
    });
    value_and_interval(&value, interval.as_deref())
}

/// A model beside the first one.
pub fn differences(comparison: &Comparison) -> Markup {
    let Comparison { baseline, model, differences, .. } = comparison;
    let tests = [("McNemar", &comparison.mcnemar), ("McNemar, FER+", &comparison.mcnemar_ferplus)];
    html! {
        h2 { (model) " less " (baseline) }
        div.scroll { table {
            tr { th { "figure" } th { "difference" } th.sketch { "worse | better" } th { "p" } }
            @for (figure, found) in differences.that_vary() {
                tr {
                    td { (figure.name()) }
                    td { (with_signs(&found.difference, figure.format())) }
                    td.sketch { (PreEscaped(sketch(*figure, &found.difference))) }
                    td { (found.p.map_or_else(String::new, p_digits)) }
                }
            }
        } }
        @for (name, test) in tests {
            @if let Some(test) = test {
                p { (name) ": " (mcnemar_text(test, baseline, model)) "." }
            }
        }
        p { "Both models are drawn together. p: how often a difference so large comes about where \
             there is none; it is of each line alone. An interval that contains 0 leaves open which \
             model is better." }
    }
}

/// A difference beside nothing, better on the right. Each figure has a scale of its own: what is seen
/// is whether the interval contains 0.
fn sketch(figure: Figure, found: &Estimate) -> String {
    let Some((lower, upper)) = found.interval() else {
        return String::new();
    };
    let (lower, value, upper) = match figure.less_is_better() {
        Some(true) => (-upper, -found.estimate, -lower),
        _ => (lower, found.estimate, upper),
    };
    let most = lower.abs().max(upper.abs()).max(f64::MIN_POSITIVE);
    whisker(Scale { from: -most, to: most, mark: Some(0.0) }, lower, value, upper)
}

/// The groups of all columns.
pub fn groups(found: &Groups, model: &ModelReport<'_>) -> Markup {
    let whole = model.intervals.get(Figure::Accuracy).map(|found| found.estimate);
    html! {
        @for column in &found.0 {
            h3 { "By " (column.name) }
            (group_table(column, whole))
        }
        p { "The line across the sketches is the accuracy of all faces. Less all others: the group's \
             accuracy less that of the faces in the column's other groups." }
    }
}

/// The range of all intervals in steps of 5 %, so that groups can be told apart.
fn scale_of(column: &Column, whole: Option<f64>) -> Option<Scale> {
    let ends = || column.groups.iter().filter_map(|(_, group)| group.accuracy.interval());
    let lower = ends().map(|(lower, _)| lower).chain(whole).reduce(f64::min)?;
    let upper = ends().map(|(_, upper)| upper).chain(whole).reduce(f64::max)?;
    let (from, to) = ((lower * 20.0).floor() / 20.0, (upper * 20.0).ceil() / 20.0);
    (ends().count() > 0 && from < to).then_some(Scale { from, to, mark: whole })
}

fn group_table(column: &Column, whole: Option<f64>) -> Markup {
    let scale = scale_of(column, whole);
    html! {
        div.scroll { table.stacked {
            tr {
                th { (column.name) } th { "faces" } th { "accuracy" }
                th.sketch { @if let Some(scale) = scale { (format!("{:.0} to {:.0} %", scale.from * 100.0, scale.to * 100.0)) } }
                th { "macro F1" } th { "less all others" } th { "p" }
            }
            @for (name, group) in &column.groups {
                @let others = group.accuracy_less_others;
                tr {
                    td { (name) } td { (group.faces) }
                    td { (with_interval(&group.accuracy, Format::Percent)) }
                    td.sketch {
                        @if let Some((scale, (lower, upper))) = scale.zip(group.accuracy.interval()) {
                            (PreEscaped(whisker(scale, lower, group.accuracy.estimate, upper)))
                        }
                    }
                    td { (with_interval(&group.macro_f1, Format::Number)) }
                    td { @if let Some(found) = others { (with_signs(&found.difference, Format::Percent)) } }
                    td { @if let Some(p) = others.and_then(|found| found.p) { (p_digits(p)) } }
                }
            }
        } }
        @if column.without > 0 { p { (column.without) " faces have no " (column.name) "." } }
    }
}

/// Valence and arousal.
pub fn affect(found: &AffectReport, model: &ModelReport<'_>) -> Markup {
    let rows = [
        ("valence", Figure::Valence, &found.valence),
        ("arousal", Figure::Arousal, &found.arousal),
    ];
    let number = |value: Option<f64>| Format::Number.text(value);
    html! {
        h3 { "Valence and arousal" }
        div.scroll { table {
            tr { th { "" } th { "faces" } th { "concordance" } th { "correlation" } th { "RMSE" } }
            @for (name, figure, agreement) in rows {
                @if let Some(Agreement { n, pearson, rmse, .. }) = agreement {
                    tr {
                        td { (name) } td { (n) }
                        td { @if let Some(found) = model.intervals.get(figure) { (with_interval(found, Format::Number)) } @else { "-" } }
                        td { (number(*pearson)) } td { (number(Some(*rmse))) }
                    }
                }
            }
        } }
        p { "Concordance (CCC): 1 only where both are the same. The network reads no valence and \
             arousal: they are the means of its labels' values (" (found.source) ")." }
    }
}

/// The figures against the votes as distributions.
pub fn soft_labels(soft: &SoftScores, model: &ModelReport<'_>) -> Markup {
    html! {
        h3 { "The votes as soft labels" }
        div.scroll { table {
            tr { th { (soft.images) " pictures" } th { "mean" } }
            @for figure in SOFT_LABELS {
                @if let Some(found) = model.intervals.get(figure) {
                    tr {
                        td { (figure.name().trim_start_matches("soft labels: ")) }
                        td { (with_interval(found, figure.format())) }
                    }
                }
            }
        } }
        p { "Of every picture that people see an expression in, also where no majority sees the same. \
             Cross-entropy and entropy in nats; Jensen-Shannon divergence from 0 (alike) to 1 (nothing \
             in common). " (soft.images_left_out) " pictures do not count: unknown or no face to most." }
    }
}
