//! One evaluation under way: the models and what is counted.

use std::time::Duration;

use anyhow::{Context, ensure};

use crate::face_png::face_png;
use crate::frames_csv::FramesCsv;
use crate::items::Items;
use crate::labels::FrameLabels;
use crate::model::Model;
use crate::predictor::Prediction;
use crate::progress::Progress;
use crate::reader::Waiting;
use crate::seen::Place;
use crate::shards::ResultWriter;
use crate::source::Source;
use crate::tables::FacesTable;
use crate::warnings::Warnings;
use rapport_perception::frame::Frame;
use rapport_perception::onnx::ModelError;

/// What each model saw in a frame, in their order, or why a network failed on it.
pub type Predictions = Vec<Result<Prediction, ModelError>>;

/// What all sources of frames work with.
pub struct Run<'p> {
    /// What is evaluated.
    pub source: Source,
    /// The models, each with what it saw.
    pub models: Vec<Model>,
    /// Says what each answer belongs to.
    pub items: Items,
    /// Gets a row for every face.
    pub frames_csv: FramesCsv,
    /// Gets a row for every face, where it was asked for.
    pub faces: Option<FacesTable>,
    /// Keeps everything that figures are made of, where this is one recording of several.
    pub result: Option<ResultWriter>,
    /// What went wrong.
    pub warnings: Warnings,
    /// Is told how far the evaluation is.
    pub progress: &'p mut dyn Progress,
    /// Whether faces may be cut out for the report.
    pub include_faces: bool,
    /// The time it took to read each frame.
    pub read_times: Vec<Duration>,
    /// The time it took to decode each frame.
    pub decode_times: Vec<Duration>,
    /// The time in which the networks waited for frames.
    pub waiting: Waiting,
}

impl Run<'_> {
    /// Counts a warning and shows it if it is the first of its kind.
    pub fn warn(&mut self, kind: &'static str, text: impl FnOnce() -> String) {
        if let Some(text) = self.warnings.add(kind, text) {
            self.progress.warning(text);
        }
    }

    /// Takes what the models saw in the next frame. `frame`: its pixels, where faces of it may be cut
    /// out for the report.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn take(
        &mut self,
        frame: Option<&Frame<'_>>,
        place: &Place,
        labels: &FrameLabels,
        predictions: Predictions,
    ) -> anyhow::Result<()> {
        ensure!(!self.progress.is_cancelled(), "cancelled");
        let frame = frame.filter(|_| self.include_faces);
        let mut all_seen = Vec::with_capacity(self.models.len());
        for (model, prediction) in self.models.iter_mut().zip(predictions) {
            let Prediction { seen, timings } = match prediction {
                Ok(prediction) => prediction,
                Err(error) => {
                    if let Some(text) = self.warnings.add("network failed", || error.to_string()) {
                        self.progress.warning(text);
                    }
                    all_seen.push(None);
                    continue;
                }
            };
            model.tally.timings.push(timings);
            self.frames_csv
                .frame(&model.name, model.labels(), place, labels, &seen)
                .context("frames.csv not written")?;
            if let Some(faces) = &mut self.faces {
                let identity = (model.name.as_str(), model.sha256.as_str(), model.labels());
                faces.frame(identity, place, labels, &seen)?;
            }
            model.count(place, labels, &seen, &mut self.items, |roi| face_png(frame?, roi));
            all_seen.push(Some(seen));
        }
        if let Some(result) = &mut self.result {
            result.frame(place, labels, &all_seen)?;
        }
        Ok(())
    }
}
