//! One evaluation under way: the models and what is counted.

use std::time::Duration;

use crate::face_png::face_png;
use crate::frames_csv::FramesCsv;
use crate::labels::FrameLabels;
use crate::model::Model;
use crate::progress::Progress;
use crate::seen::{Place, Seen};
use crate::source::Source;
use crate::warnings::Warnings;
use rapport_perception::frame::Frame;

/// What all sources of frames work with.
pub struct Run<'p> {
    /// What is evaluated.
    pub source: Source,
    /// The models, each with what it saw.
    pub models: Vec<Model>,
    /// Gets a row for every face.
    pub frames_csv: FramesCsv,
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
}

impl Run<'_> {
    /// Counts a warning and shows it if it is the first of its kind.
    pub fn warn(&mut self, kind: &'static str, text: impl FnOnce() -> String) {
        if let Some(text) = self.warnings.add(kind, text) {
            self.progress.warning(text);
        }
    }

    /// Gives a frame to every model. `meant` chooses the faces that the labels are about.
    pub fn process(
        &mut self,
        frame: &Frame<'_>,
        place: &Place,
        labels: &FrameLabels,
        meant: impl Fn(Vec<Seen>) -> Vec<Seen>,
    ) -> csv::Result<()> {
        if self.progress.is_cancelled() {
            return Err(std::io::Error::new(std::io::ErrorKind::Interrupted, "cancelled").into());
        }
        let include_faces = self.include_faces;
        for model in &mut self.models {
            let seen = match model.process(frame, place.image_stamp) {
                Ok(seen) => meant(seen),
                Err(error) => {
                    if let Some(text) = self.warnings.add("network failed", || error.to_string()) {
                        self.progress.warning(text);
                    }
                    continue;
                }
            };
            self.frames_csv.frame(&model.name, model.labels(), place, labels, &seen)?;
            model.tally.frame(place, labels, &seen, |roi| {
                include_faces.then(|| face_png(frame, roi)).flatten()
            });
        }
        Ok(())
    }
}
