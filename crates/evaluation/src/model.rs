//! A network that is evaluated.

use std::path::PathBuf;
use std::thread::{self, ScopedJoinHandle};

use crate::items::Items;
use crate::labels::FrameLabels;
use crate::predictor::Predictor;
use crate::seen::{Place, Seen};
use crate::tally::Tally;
use rapport_perception::detect::YuNetDetector;
use rapport_perception::geometry::Rect;
use rapport_perception::onnx::RuntimeOptions;
use rapport_perception::{ModelFiles, SessionOptions, model_file};
use rapport_vocabulary::{Emotion, LabelSet};

/// A model and what it saw.
pub struct Model {
    /// The file's name without its ending, told apart by a number where two are alike.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// The file's SHA-256 in hexadecimal.
    pub sha256: String,
    /// Which revision of a calibration is in use, if any.
    pub calibration_revision: Option<u32>,
    /// What it saw.
    pub tally: Tally,
    labels: LabelSet,
}

/// Models and what frames are given to.
pub struct Loaded {
    /// Each model once.
    pub models: Vec<Model>,
    /// For each job a predictor of each model, in the order of the models.
    pub predictors: Vec<Vec<Predictor>>,
    /// What searches the images of a recording ahead of their turn, one for each thread.
    pub detectors: Vec<YuNetDetector>,
}

impl Loaded {
    /// Loads the models, of the package if none is named, `jobs` times each, at least once. `files`:
    /// the others, and the calibration. `options`: how faces are looked for; nothing where frames are
    /// faces.
    ///
    /// # Errors
    /// If one cannot be read or is no emotion network.
    pub fn load(
        paths: &[PathBuf],
        files: &ModelFiles,
        runtime: &RuntimeOptions,
        options: Option<&SessionOptions>,
        jobs: usize,
    ) -> anyhow::Result<Self> {
        let shipped = [PathBuf::new()];
        let paths = if paths.is_empty() { &shipped } else { paths };
        let mut models: Vec<Model> = Vec::new();
        let mut predictors: Vec<Vec<Predictor>> = Vec::new();
        predictors.resize_with(jobs.max(1), Vec::new);
        for given in paths {
            let path = model_file(given, "emotion.onnx")?;
            let files = ModelFiles { emotion: path.clone(), ..files.clone() };
            let predictor = Predictor::load(&files, runtime, options)?;
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let alike = models.iter().filter(|m| m.path.file_stem() == path.file_stem()).count();
            let name = if alike == 0 { stem } else { format!("{stem}-{}", alike + 1) };
            models.push(Model::new(
                name,
                path,
                predictor.identity().sha256,
                predictor.calibration_revision(),
                predictor.labels().clone(),
            ));
            let load = || Predictor::load(&files, runtime, options);
            // Beside one another: several jobs begin as soon as one.
            let others = thread::scope(|scope| {
                let threads: Vec<_> = (1..jobs).map(|_| scope.spawn(load)).collect();
                let join = |thread: ScopedJoinHandle<'_, _>| match thread.join() {
                    Ok(loaded) => loaded,
                    Err(panic) => std::panic::resume_unwind(panic),
                };
                threads.into_iter().map(join).collect::<Result<Vec<_>, _>>()
            })?;
            let all = std::iter::once(predictor).chain(others);
            predictors.iter_mut().zip(all).for_each(|(of_job, one)| of_job.push(one));
        }
        Ok(Self { models, predictors, detectors: Vec::new() })
    }
}

impl Model {
    /// A model that has seen nothing.
    pub fn new(
        name: String,
        path: PathBuf,
        sha256: String,
        calibration_revision: Option<u32>,
        labels: LabelSet,
    ) -> Self {
        Self { name, path, sha256, calibration_revision, labels, tally: Tally::default() }
    }

    /// The same model before it saw anything.
    pub fn anew(&self) -> Self {
        Self::new(
            self.name.clone(),
            self.path.clone(),
            self.sha256.clone(),
            self.calibration_revision,
            self.labels.clone(),
        )
    }

    /// Counts what it saw in a frame, as [`Tally::frame`].
    pub fn count(
        &mut self,
        place: &Place,
        labels: &FrameLabels,
        seen: &[Seen],
        items: &mut Items,
        crop: impl Fn(&Rect) -> Option<Vec<u8>>,
    ) {
        self.tally.frame(&self.labels, place, labels, seen, items, crop);
    }

    /// The labels that the model tells apart, in its order.
    pub fn labels(&self) -> &LabelSet {
        &self.labels
    }
}

/// The labels of all models, in the order of [`Emotion::ALL`].
pub fn labels_of_all(models: &[Model]) -> Vec<Emotion> {
    let has = |label: &Emotion| models.iter().any(|model| model.labels().contains(*label));
    Emotion::ALL.into_iter().filter(has).collect()
}
