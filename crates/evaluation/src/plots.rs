//! The plots of the report, as SVG that takes its text colour from the page.

use std::sync::Once;

use plotters::prelude::*;
use plotters::style::{FontStyle, register_font};

use crate::metrics::{Calibration, PrecisionRecall, RocCurve};
use crate::report::ByClass;
use crate::timeline::{LabelRun, Timeline};
use rapport_vocabulary::Emotion;

/// What is drawn with this becomes the page's text colour, light or dark.
const INK: RGBColor = RGBColor(1, 2, 3);

/// Size of a square plot: as wide as a phone, so that text keeps its size there.
const SIZE_PX: (u32, u32) = (380, 340);

/// Text size in pixels.
const TEXT_PX: u32 = 15;

/// Most points of a curve that are drawn: more cannot be told apart.
const MOST_POINTS: usize = 400;

/// How many faces the timeline shows.
pub const TIMELINE_FACES: usize = 8;

fn color(emotion: Emotion) -> RGBColor {
    let [red, green, blue] = emotion.color();
    RGBColor(red, green, blue)
}

/// Why a plot could not be drawn.
type PlotError = Box<dyn std::error::Error + Send + Sync>;

fn svg(
    size: (u32, u32),
    draw: impl FnOnce(&DrawingArea<SVGBackend<'_>, plotters::coord::Shift>) -> Result<(), PlotError>,
) -> anyhow::Result<String> {
    static FONT: Once = Once::new();
    // Text is measured with a font that comes with the program and shown with the reader's own.
    FONT.call_once(|| {
        let _ = register_font("sans-serif", FontStyle::Normal, epaint_default_fonts::UBUNTU_LIGHT);
    });
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
        draw(&area).map_err(|error| anyhow::anyhow!("plot not drawn: {error}"))?;
        area.present()?;
    }
    // Inside a page the name space goes without saying, and the page names no address.
    Ok(text
        .replace("#010203", "currentColor")
        .replace(r#" xmlns="http://www.w3.org/2000/svg""#, ""))
}

/// Curves in the unit square, each with its class's colour.
fn unit_square<'a>(
    x: &str,
    y: &str,
    curves: impl Iterator<Item = (Emotion, &'a [f64], &'a [f64])>,
    diagonal: bool,
) -> anyhow::Result<String> {
    svg(SIZE_PX, |area| {
        let mut chart = axes(area, x, y)?;
        if diagonal {
            let line = LineSeries::new([(0.0, 0.0), (1.0, 1.0)], INK.mix(0.4));
            chart.draw_series(line)?;
        }
        for (class, xs, ys) in curves {
            let step = xs.len().div_ceil(MOST_POINTS).max(1);
            let last = xs.len().saturating_sub(1);
            let points = xs.iter().zip(ys).enumerate();
            let points =
                points.filter(|(i, _)| i % step == 0 || *i == last).map(|(_, (&x, &y))| (x, y));
            chart.draw_series(LineSeries::new(points, color(class).stroke_width(2)))?;
        }
        Ok(())
    })
}

type Axes<'a, 'b> = ChartContext<
    'a,
    SVGBackend<'b>,
    Cartesian2d<plotters::coord::types::RangedCoordf64, plotters::coord::types::RangedCoordf64>,
>;

fn axes<'a, 'b>(
    area: &'a DrawingArea<SVGBackend<'b>, plotters::coord::Shift>,
    x: &str,
    y: &str,
) -> Result<Axes<'a, 'b>, PlotError> {
    let mut chart = ChartBuilder::on(area)
        .margin(6)
        .margin_right(14)
        .x_label_area_size(44)
        .y_label_area_size(50)
        .build_cartesian_2d(0.0..1.0, 0.0..1.0)?;
    let text = ("sans-serif", TEXT_PX).into_font().color(&INK);
    chart
        .configure_mesh()
        .x_desc(x)
        .y_desc(y)
        .x_labels(6)
        .y_labels(6)
        .x_label_formatter(&|v| format!("{v:.1}"))
        .y_label_formatter(&|v| format!("{v:.1}"))
        .label_style(text.clone())
        .axis_desc_style(text)
        .axis_style(INK.mix(0.6))
        .bold_line_style(INK.mix(0.15))
        .light_line_style(TRANSPARENT)
        .draw()?;
    Ok(chart)
}

/// Receiver operating characteristics, one against the rest.
///
/// # Errors
/// If drawing fails.
pub fn roc(curves: &ByClass<Option<RocCurve>>) -> anyhow::Result<String> {
    let curves = curves.0.iter();
    let curves =
        curves.filter_map(|(class, c)| c.as_ref().map(|c| (*class, &c.fpr[..], &c.tpr[..])));
    unit_square("false positive rate", "true positive rate", curves, true)
}

/// Precision over recall, one against the rest.
///
/// # Errors
/// If drawing fails.
pub fn precision_recall(curves: &ByClass<Option<PrecisionRecall>>) -> anyhow::Result<String> {
    let curves = curves.0.iter();
    let curves = curves
        .filter_map(|(class, c)| c.as_ref().map(|c| (*class, &c.recall[..], &c.precision[..])));
    unit_square("recall", "precision", curves, false)
}

/// Accuracy over confidence, with the share of predictions in each bin below.
///
/// # Errors
/// If drawing fails.
pub fn reliability(calibration: &Calibration) -> anyhow::Result<String> {
    svg(SIZE_PX, |area| {
        let mut chart = axes(area, "confidence", "accuracy")?;
        let all: u64 = calibration.bins.iter().map(|bin| bin.count).sum();
        let bars = calibration.bins.iter().map(|bin| {
            let share = bin.count as f64 / all.max(1) as f64;
            Rectangle::new([(bin.lower, 0.0), (bin.upper, share)], INK.mix(0.25).filled())
        });
        chart.draw_series(bars)?;
        chart.draw_series(LineSeries::new([(0.0, 0.0), (1.0, 1.0)], INK.mix(0.4)))?;
        let points: Vec<_> = calibration
            .bins
            .iter()
            .filter_map(|bin| bin.mean_confidence.zip(bin.accuracy))
            .collect();
        let color = color(Emotion::Sad);
        chart.draw_series(LineSeries::new(points.iter().copied(), color.stroke_width(2)))?;
        chart.draw_series(points.into_iter().map(|point| Circle::new(point, 4, color.filled())))?;
        Ok(())
    })
}

/// Where a [`whisker`] is drawn.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    /// The value at its left end.
    pub from: f64,
    /// The value at its right end.
    pub to: f64,
    /// The value that a line across marks.
    pub mark: Option<f64>,
}

/// A value and its interval on a line, as small as a word.
pub fn whisker(scale: Scale, lower: f64, value: f64, upper: f64) -> String {
    const WIDTH_PX: f64 = 132.0;
    const MARGIN_PX: f64 = 5.0;
    let x = |value: f64| {
        let share = (value - scale.from) / (scale.to - scale.from);
        MARGIN_PX + share.clamp(0.0, 1.0) * (WIDTH_PX - 2.0 * MARGIN_PX)
    };
    let mark = scale.mark.map_or_else(String::new, |mark| {
        let x = x(mark);
        format!(r#"<line class="mark" x1="{x:.1}" y1="0" x2="{x:.1}" y2="18"/>"#)
    });
    format!(
        r#"<svg class="whisker" width="{WIDTH_PX}" height="18" viewBox="0 0 {WIDTH_PX} 18" aria-hidden="true"><line class="axis" x1="{MARGIN_PX}" y1="9" x2="{:.1}" y2="9"/>{mark}<line class="range" x1="{:.1}" y1="9" x2="{:.1}" y2="9"/><circle cx="{:.1}" cy="9" r="3.5"/></svg>"#,
        WIDTH_PX - MARGIN_PX,
        x(lower),
        x(upper),
        x(value),
    )
}

/// Three rows for each of the main faces: the labels that were given, those of each frame alone,
/// and those reported.
///
/// # Errors
/// If drawing fails.
pub fn timeline(timeline: &Timeline, ends_at_secs: f64) -> anyhow::Result<String> {
    const WIDTH_PX: u32 = 760;
    const LABELS_PX: u32 = 84;
    const ROW_PX: u32 = 13;
    let faces = timeline.main_faces(TIMELINE_FACES);
    let lane_px = 3 * ROW_PX + 10;
    let height_px = faces.len() as u32 * lane_px + 44;
    let lanes = faces.len().max(1) as f64;
    let end = ends_at_secs.max(0.1);
    svg((WIDTH_PX, height_px), |area| {
        let mut chart = ChartBuilder::on(area)
            .margin_right(14)
            .x_label_area_size(44)
            .y_label_area_size(LABELS_PX)
            .build_cartesian_2d(0.0..end, lanes..0.0)?;
        let text = ("sans-serif", TEXT_PX).into_font().color(&INK);
        chart
            .configure_mesh()
            .x_desc("seconds")
            .disable_y_mesh()
            .disable_y_axis()
            .label_style(text.clone())
            .axis_desc_style(text.clone())
            .axis_style(INK.mix(0.6))
            .bold_line_style(INK.mix(0.15))
            .light_line_style(TRANSPARENT)
            .draw()?;
        let pixel_secs = end / f64::from(WIDTH_PX - LABELS_PX);
        for (lane, (face_id, runs)) in faces.iter().enumerate() {
            for (row, runs) in [&runs.truth, &runs.raw, &runs.smoothed].into_iter().enumerate() {
                let top = lane as f64 + 0.08 + row as f64 * 0.28;
                let boxes = visible(runs, pixel_secs).into_iter().map(|run| {
                    let corners = [(run.start_secs, top), (run.end_secs, top + 0.24)];
                    Rectangle::new(corners, color(run.label).filled())
                });
                chart.draw_series(boxes)?;
            }
            let place = (4, (lane as u32 * lane_px + lane_px / 2 - 8) as i32);
            area.draw(&Text::new((*face_id).to_owned(), place, text.clone()))?;
        }
        Ok(())
    })
}

/// The runs as they look at a pixel's width: at least that long, shorter ones hidden by the next.
fn visible(runs: &[LabelRun], pixel_secs: f64) -> Vec<LabelRun> {
    let mut visible: Vec<LabelRun> = Vec::new();
    for run in runs {
        let run = LabelRun { end_secs: run.end_secs.max(run.start_secs + pixel_secs), ..*run };
        match visible.last_mut() {
            Some(last) if run.start_secs < last.start_secs + pixel_secs => {
                last.end_secs = run.end_secs
            }
            Some(last)
                if last.label == run.label && run.start_secs <= last.end_secs + pixel_secs =>
            {
                last.end_secs = run.end_secs;
            }
            _ => visible.push(run),
        }
    }
    visible
}
