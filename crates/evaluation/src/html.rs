//! `report.html`: one page that loads nothing else.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::html_statistics::{affect, differences, groups, soft_labels, value_and_interval};
use crate::metrics::{ClassificationReport, Confusion, PeopleScores, Scores};
use crate::mistakes::Mistake;
use crate::plots;
use crate::report::{ModelReport, NamedReport, Report};
use crate::shards;
use crate::stage_times::StageTimes;
use crate::table::{headline, ms};
use crate::timeline::Timeline;
use rapport_vocabulary::Emotion;

/// The page. `timelines`: of each model, where there is one.
///
/// # Errors
/// If a plot cannot be drawn.
pub fn page(report: &Report<'_>, timelines: &[Option<&Timeline>]) -> anyhow::Result<String> {
    let source = &report.source.path;
    let mut models = Vec::new();
    for (index, model) in report.models.iter().enumerate() {
        let timeline = timelines.get(index).copied().flatten();
        models.push(section(report, model, timeline)?);
    }
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Expressions in " (source) }
                style { (PreEscaped(include_str!("report.css"))) }
            }
            body {
                h1 { "Expressions in " (source) }
                p { (summary(report)) }
                p { "Every figure is about the expression shown, as somebody labelled it. None is \
                     about what anyone felt." }
                (warnings(report))
                (comparison(report))
                (shards::recordings(report.source))
                @for comparison in report.comparisons { (differences(comparison)) }
                @for model in &models { (model) }
                (timing(report))
                (provenance(report))
            }
        }
    };
    Ok(page.into_string())
}

fn summary(report: &Report<'_>) -> String {
    let source = report.source;
    let part = source.usage.as_ref().map_or_else(String::new, |usage| format!(", {usage}"));
    let topic = source.topic.as_ref().map_or_else(String::new, |topic| format!(" of {topic}"));
    let length = source.duration_secs.map_or_else(String::new, |secs| format!(", {secs:.1} s"));
    let labels = match report.labels.kind {
        "none" => "no labels".to_owned(),
        kind => format!("{} labels ({kind})", report.labels.count),
    };
    let (used, all) = (source.frames_used, source.frames);
    format!("{used} of {all} frames{topic}{part}{length}; {labels}.")
}

fn warnings(report: &Report<'_>) -> Markup {
    html! {
        @if !report.warnings.is_empty() {
            div.warnings {
                strong { "Warnings: " (report.warnings.count()) }
                ul {
                    @for warning in report.warnings.iter() {
                        li { (warning.kind) ", " (warning.count) " times. " (warning.first) }
                    }
                }
            }
        }
    }
}

fn comparison(report: &Report<'_>) -> Markup {
    let columns: Vec<_> = report.models.iter().map(headline).collect();
    html! {
        div.scroll { table {
            tr { th {} @for model in report.models { th { (model.name) } } }
            @for (row, figure) in columns.first().into_iter().flatten().enumerate() {
                tr {
                    td { (figure.name) }
                    @for column in &columns {
                        td { @if let Some(figure) = column.get(row) {
                            (value_and_interval(&figure.value, figure.interval.as_deref()))
                        } }
                    }
                }
            }
        } }
        p { (report.statistics.text()) }
    }
}

fn section(
    report: &Report<'_>,
    model: &ModelReport<'_>,
    timeline: Option<&Timeline>,
) -> anyhow::Result<Markup> {
    let ends_at = report.source.ends_at_secs.unwrap_or_default();
    let timeline = match timeline {
        Some(found) if found.faces() > 0 => Some((plots::timeline(found, ends_at)?, found.faces())),
        _ => None,
    };
    let labelled = match &model.classification_report {
        Some(found) => Some((found, curves(model)?)),
        None => None,
    };
    let classes = report_classes(report);
    Ok(html! {
        h2 { (model.name) }
        @if let Some((found, curves)) = labelled {
            div.scroll { table {
                tr { th { "class" } th { "precision" } th { "recall" } th { "F1" } th { "AUC" } th { "AP" } th { "support" } }
                @for (class, scores) in named_classes(found) { (class_row(model, class, scores)) }
                (average_row("macro average", &found.report.macro_average))
                (average_row("weighted average", &found.report.weighted_average))
            } }
            p { "A quotient without a denominator counts as 0. AUC and average precision (AP) are \
                 of each class against the rest." }
            h3 { "Confusion matrix" }
            (matrix(&classes, &model.confusion_matrix))
            p { "Rows: the label. Columns: read as. Below each count its share of the row." }
            (curves)
        }
        @if let Some(found) = &model.groups { (groups(found, model)) }
        @if let Some(found) = &model.affect { (affect(found, model)) }
        @if let Some(people) = &model.ferplus { (votes(people)) }
        @if let Some(soft) = &model.soft_labels { (soft_labels(soft, model)) }
        @if let Some((svg, faces)) = timeline {
            h3 { "Over time" }
            div.scroll.wide { (PreEscaped(svg)) }
            (key(&classes, |_| None))
            p { "For each face, from above: its label, that of each frame alone, that reported."
                @if faces > plots::TIMELINE_FACES {
                    " The " (plots::TIMELINE_FACES) " faces that were seen longest of " (faces) "."
                }
            }
        }
        (mistakes(&model.worst_mistakes))
    })
}

fn report_classes(report: &Report<'_>) -> Vec<Emotion> {
    let is_one = |label: &Emotion| report.labels.names.contains(&label.as_str());
    Emotion::ALL.into_iter().filter(is_one).collect()
}

fn named_classes(found: &NamedReport) -> impl Iterator<Item = (Emotion, &Scores)> {
    let labels: Vec<Emotion> = found.classes.iter().collect();
    let rows = found.report.classes.iter();
    rows.filter_map(move |(class, scores)| Some((*labels.get(*class)?, scores)))
}

fn class_row(model: &ModelReport<'_>, class: Emotion, scores: &Scores) -> Markup {
    let area = model.roc_auc.get(class).copied().flatten();
    let average = model.precision_recall.get(class).and_then(|pr| pr.as_ref());
    html! {
        tr {
            td { (class) }
            td { (three(Some(scores.precision))) } td { (three(Some(scores.recall))) }
            td { (three(Some(scores.f1))) }
            td { (three(area)) } td { (three(average.map(|pr| pr.average_precision))) }
            td { (scores.support) }
        }
    }
}

/// The figures against the votes of several people.
fn votes(people: &PeopleScores) -> Markup {
    let rules = [("most probable label", &people.argmax), ("as users get it", &people.decision)];
    let percent = |share: Option<f64>| {
        share.map_or_else(|| "-".to_owned(), |share| format!("{:.2} %", share * 100.0))
    };
    let rows = rules.map(|(_, rule)| {
        [
            ("accuracy", percent(rule.accuracy)),
            ("macro F1", three(Some(rule.macro_f1))),
            ("neutral read as angry, disgust, fear or sad", percent(rule.neutral_as_negative)),
            ("the same, and sure", percent(rule.neutral_as_negative_sure)),
            ("sure", percent(rule.sure)),
            ("accuracy where sure", percent(rule.accuracy_sure)),
            ("calibration error, against the votes", percent(rule.expected_calibration_error)),
        ]
    });
    let [argmax, decision] = &rows;
    html! {
        h3 { "What most people see (FER+)" }
        div.scroll { table {
            tr { th { (people.images) " pictures" } @for (name, _) in rules { th { (name) } } }
            @for ((name, one), (_, other)) in argmax.iter().zip(decision) {
                tr { td { (name) } td { (one) } td { (other) } }
            }
        } }
        p { (format!(
            "Cross-entropy to the votes {:.3} nats; the entropy of the votes, which no network can \
             go below, {:.3}. {} pictures do not count: no majority, unknown or no face.",
            people.cross_entropy, people.entropy_of_votes, people.images_left_out
        )) }
        (class_table(&people.decision.classification_report))
        (matrix(&Emotion::ALL, &people.decision.confusion_matrix))
        p { "As users get it. Rows: what most people see. Columns: read as." }
    }
}

/// Precision, recall and F1 of all expressions.
fn class_table(found: &ClassificationReport) -> Markup {
    html! {
        div.scroll { table {
            tr { th { "class" } th { "precision" } th { "recall" } th { "F1" } th { "support" } }
            @for (class, scores) in &found.classes {
                tr {
                    td { (Emotion::ALL.get(*class).map_or("", |label| label.as_str())) }
                    td { (three(Some(scores.precision))) } td { (three(Some(scores.recall))) }
                    td { (three(Some(scores.f1))) } td { (scores.support) }
                }
            }
        } }
    }
}

fn average_row(name: &str, scores: &Scores) -> Markup {
    html! {
        tr {
            td { (name) } td { (three(Some(scores.precision))) } td { (three(Some(scores.recall))) }
            td { (three(Some(scores.f1))) } td {} td {} td { (scores.support) }
        }
    }
}

fn three(figure: Option<f64>) -> String {
    figure.map_or_else(|| "-".to_owned(), |figure| format!("{figure:.3}"))
}

fn matrix(classes: &[Emotion], confusion: &Confusion) -> Markup {
    html! {
        div.scroll { table.matrix {
            tr { th {} @for class in classes { th { (class) } } }
            @for (row, truth) in classes.iter().enumerate() {
                @let support = confusion.support(row);
                tr {
                    th { (truth) }
                    @for column in 0..classes.len() {
                        @let count = confusion.count(row, column);
                        @let share = count as f64 / support.max(1) as f64;
                        td.right[row == column] style=(format!("background: rgba(var(--heat), {:.2})", share * 0.75)) {
                            (count)
                            @if support > 0 { small { (format!("{:.0} %", share * 100.0)) } }
                        }
                    }
                }
            }
        } }
    }
}

/// The colours of the classes, each with its figure where it has one.
fn key(classes: &[Emotion], figure: impl Fn(Emotion) -> Option<Option<f64>>) -> Markup {
    html! {
        div.key {
            @for class in classes {
                @let [red, green, blue] = class.color();
                span {
                    i style=(format!("background: rgb({red}, {green}, {blue})")) {}
                    (class) @if let Some(figure) = figure(*class) { " " (three(figure)) }
                }
            }
        }
    }
}

fn curves(model: &ModelReport<'_>) -> anyhow::Result<Markup> {
    let roc = plots::roc(&model.roc)?;
    let precision_recall = plots::precision_recall(&model.precision_recall)?;
    let reliability = plots::reliability(&model.calibration)?;
    let average =
        |class: Emotion| model.precision_recall.get(class)?.as_ref().map(|pr| pr.average_precision);
    let classes: Vec<Emotion> = model.roc.0.iter().map(|(class, _)| *class).collect();
    let error = model.calibration.expected_calibration_error.unwrap_or_default() * 100.0;
    Ok(html! {
        div.plots {
            figure {
                h3 { "ROC, one against the rest" }
                (PreEscaped(roc))
                figcaption { "Area under the curve; macro " (three(model.roc_auc_macro)) ":" (key(&classes, |class| Some(model.roc_auc.get(class).copied().flatten()))) }
            }
            figure {
                h3 { "Precision and recall" }
                (PreEscaped(precision_recall))
                figcaption { "Average precision; macro " (three(model.average_precision_macro)) ":" (key(&classes, |class| Some(average(class)))) }
            }
            figure {
                h3 { "Reliability" }
                (PreEscaped(reliability))
                figcaption { (format!("Expected calibration error {error:.2} %, {} bins. Bars: share of the predictions.", model.calibration.bins.len())) }
            }
        }
    })
}

fn mistakes(mistakes: &[&Mistake]) -> Markup {
    html! {
        @if !mistakes.is_empty() {
            h3 { "Worst mistakes" }
            div.mistakes {
                @for mistake in mistakes {
                    div {
                        @if let Some(png) = &mistake.crop_png {
                            img alt="the face" src={ "data:image/png;base64," (BASE64_STANDARD.encode(png)) };
                        }
                        (mistake.truth) " read as " strong { (mistake.label) }
                        (format!(", {:.0} %", mistake.confidence * 100.0)) br;
                        @if !mistake.recording.is_empty() { (mistake.recording) " " }
                        @if !mistake.source.is_empty() { (mistake.source) }
                        @if let Some(secs) = mistake.time_secs {
                            (mistake.face_id) (format!(", {secs:.2} s, frame {}", mistake.frame))
                        }
                    }
                }
            }
        }
    }
}

fn timing(report: &Report<'_>) -> Markup {
    let timing = report.timing;
    let row = |name: String, times: &StageTimes| {
        html! { tr {
            td { (name) } td { (ms(times.p50_ms)) } td { (ms(times.p95_ms)) } td { (ms(times.p99_ms)) }
        } }
    };
    html! {
        h2 { "Time" }
        div.scroll { table {
            tr { th { "milliseconds a frame" } th { "p50" } th { "p95" } th { "p99" } }
            (row("read".into(), &timing.read))
            @if timing.decode.total_secs > 0.0 { (row("decode".into(), &timing.decode)) }
            @for model in &timing.models {
                @for (stage, times) in [
                    ("detect", &model.detect), ("face classifier", &model.verify), ("crop", &model.crop),
                    ("classify", &model.classify), ("all", &model.total),
                ] {
                    @if times.total_secs > 0.0 { (row(format!("{}: {stage}", model.name), times)) }
                }
            }
        } }
        p {
            (format!("{:.1} s in all, {:.0} frames a second", timing.wall_secs, timing.frames_per_sec))
            @if let Some(times) = timing.times_real_time { (format!(", {times:.1} times real time")) }
            (format!("; {:.0} % of it waiting for images.", timing.waiting_share * 100.0))
        }
    }
}

fn provenance(report: &Report<'_>) -> Markup {
    let found = report.provenance;
    html! {
        h2 { "Where these figures come from" }
        dl {
            (shards::machines(&found.machines))
            dt { "command" } dd { code { (found.command.join(" ")) } }
            dt { "started" } dd { (found.started) }
            dt { "rapport" } dd { (found.rapport) }
            dt { "ONNX Runtime" } dd { (found.onnxruntime.as_deref().unwrap_or("unknown")) }
            dt { "machine" } dd {
                (found.processor.as_deref().unwrap_or("unknown processor"))
                @if let Some(cores) = found.cores { ", " (cores) " cores" } ", " (found.system)
            }
            @for model in report.models {
                dt { (model.name) } dd { (model.path) br; (model.labels.join(", ")) br; code { "sha256 " (model.sha256) } }
            }
        }
    }
}
