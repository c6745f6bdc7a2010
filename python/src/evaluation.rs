//! `rapport evaluate` for Python: the same report, and every face of every frame as a table.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use rapport_evaluation::{
    DEFAULT_RESAMPLES, DEFAULT_SEED, EvaluateOptions, Progress, evaluate_with,
};
use rapport_perception::RateOptions;

use crate::errors::Kind;
use crate::pipeline::working_size_of;
use crate::table::Table;

/// How often Ctrl-C is looked for.
const INTERVAL: Duration = Duration::from_millis(100);

/// Ends the evaluation where Python has a signal to handle, as Ctrl-C in a notebook.
#[derive(Default)]
struct Interruptible {
    last: Option<Instant>,
    raised: Option<PyErr>,
}

impl Progress for Interruptible {
    fn is_cancelled(&mut self) -> bool {
        if self.last.is_none_or(|last| last.elapsed() >= INTERVAL) {
            self.last = Some(Instant::now());
            self.raised = Python::attach(|py| py.check_signals()).err();
        }
        self.raised.is_some()
    }
}

/// The figures for a terminal, the warnings as (kind, count, first), and the faces.
type Outcome = (String, Vec<(String, u64, String)>, Table);

/// Evaluates.
#[pyfunction]
#[pyo3(signature = (source, output, *, labels, label_topic, topic, models, calibration, place, usage,
    votes, cut_out, include_faces, working_size, search_hz, classify_hz, groups, resamples, seed, jobs,
    onnxruntime))]
pub fn evaluate(
    py: Python<'_>,
    source: PathBuf,
    output: PathBuf,
    labels: Option<PathBuf>,
    label_topic: Option<String>,
    topic: Option<String>,
    models: Vec<PathBuf>,
    calibration: Option<PathBuf>,
    place: Option<String>,
    usage: String,
    votes: Option<PathBuf>,
    cut_out: bool,
    include_faces: bool,
    working_size: Option<(u32, u32)>,
    search_hz: Option<f32>,
    classify_hz: Option<f32>,
    groups: Vec<String>,
    resamples: Option<u32>,
    seed: Option<u64>,
    jobs: NonZeroUsize,
    onnxruntime: Option<PathBuf>,
) -> PyResult<Outcome> {
    let rates = RateOptions::default();
    let options = EvaluateOptions {
        labels,
        label_topic,
        topic,
        models,
        calibration: calibration.unwrap_or_default(),
        place: place.unwrap_or_default(),
        usage,
        votes,
        cut_out,
        include_faces,
        working_size: working_size.map(|(w, h)| working_size_of(w, h)).transpose()?,
        rates: RateOptions {
            search_hz: search_hz.unwrap_or(rates.search_hz),
            classify_hz: classify_hz.unwrap_or(rates.classify_hz),
        },
        groups,
        resamples: resamples.unwrap_or(DEFAULT_RESAMPLES),
        seed: seed.unwrap_or(DEFAULT_SEED),
        jobs,
        onnxruntime,
        ..EvaluateOptions::new(source, output)
    };
    let mut progress = Interruptible::default();
    let outcome = py.detach(|| evaluate_with(&options, &mut progress));
    if let Some(raised) = progress.raised {
        return Err(raised);
    }
    let outcome = outcome.map_err(|error| Kind::Evaluation.error(format!("{error:#}")))?;
    let frames = py
        .detach(|| Table::of_csv(&outcome.frames_csv))
        .map_err(|error| Kind::Evaluation.error(format!("{error:#}")))?;
    let warnings = outcome.warnings.iter().map(|w| (w.kind.to_string(), w.count, w.first.clone()));
    Ok((outcome.table, warnings.collect(), frames))
}
