//! One evaluation: the models, and everything that is found out about them.

use std::time::Duration;

use super::face_png::face_png;
use super::frames_csv::FramesCsv;
use super::labels::FrameLabels;
use super::model::Model;
use super::progress::Progress;
use super::source::Source;
use super::tally::{Place, Seen};
use super::warnings::Warnings;
use rapport_perception::frame::Frame;

/// What all sources of frames work with.
pub struct Run {
    /// What is evaluated.
    pub source: Source,
    /// Who is evaluated.
    pub models: Vec<Model>,
    /// Where every face goes.
    pub frames_csv: FramesCsv,
    /// What went wrong.
    pub warnings: Warnings,
    /// How far it is.
    pub progress: Progress,
    /// Whether faces may be cut out for the report.
    pub include_faces: bool,
    /// The time it took to read each frame.
    pub read_times: Vec<Duration>,
    /// The time it took to make pixels of it.
    pub decode_times: Vec<Duration>,
}

impl Run {
    /// Counts a warning and shows it if it is the first of its kind.
    pub fn warn(&mut self, kind: &'static str, text: impl FnOnce() -> String) {
        self.progress.warn(&mut self.warnings, kind, text);
    }

    /// Shows a frame to every model. `meant` chooses the faces that the labels are about.
    pub fn show(
        &mut self,
        frame: &Frame<'_>,
        stamp: Duration,
        place: &Place,
        labels: &FrameLabels,
        meant: impl Fn(Vec<Seen>) -> Vec<Seen>,
    ) -> csv::Result<()> {
        let include_faces = self.include_faces;
        for model in &mut self.models {
            if place.stamp.is_none() {
                model.reset();
            }
            let seen = match model.look(frame, stamp) {
                Ok(seen) => meant(seen),
                Err(error) => {
                    self.progress.warn(&mut self.warnings, "network failed", || error.to_string());
                    continue;
                }
            };
            self.frames_csv.frame(&model.name, place, labels, &seen)?;
            model.tally.frame(place, labels, &seen, |roi| {
                include_faces.then(|| face_png(frame, roi)).flatten()
            });
        }
        Ok(())
    }
}
