//! A network that is evaluated.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use sha2::{Digest, Sha256};

use crate::seen::Seen;
use crate::tally::Tally;
use rapport_perception::classify::EmotionNet;
use rapport_perception::frame::Frame;
use rapport_perception::geometry::Rect;
use rapport_perception::onnx::{ModelError, RuntimeOptions};
use rapport_perception::pipeline::{ModelFiles, Pipeline, PipelineOptions, Timings, model_file};
use rapport_vocabulary::{Emotion, ImageTime, LabelSet};

/// What frames go through.
enum Input {
    /// The whole pipeline: faces are looked for.
    Pipeline(Box<Pipeline>),
    /// The emotion network alone: the frame is a face.
    Face(Box<EmotionNet>),
}

/// A model and what it saw.
pub struct Model {
    /// The file's name without its ending, told apart by a number where two are alike.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// The file's SHA-256 in hexadecimal.
    pub sha256: String,
    /// What it saw.
    pub tally: Tally,
    input: Input,
}

impl Model {
    /// Loads the models, of the package if none is named. `options`: how the pipeline looks for
    /// faces; nothing where frames are faces.
    ///
    /// # Errors
    /// If one cannot be read or is no emotion network.
    pub fn load_all(
        paths: &[PathBuf],
        runtime: &RuntimeOptions,
        options: Option<&PipelineOptions>,
    ) -> anyhow::Result<Vec<Self>> {
        let shipped = [PathBuf::new()];
        let paths = if paths.is_empty() { &shipped } else { paths };
        let mut models: Vec<Self> = Vec::new();
        for given in paths {
            let path = model_file(given, "emotion.onnx")?;
            let input = match options {
                Some(options) => {
                    let files = ModelFiles { emotion: path.clone(), ..ModelFiles::default() };
                    Input::Pipeline(Box::new(Pipeline::load(&files, runtime, options.clone())?))
                }
                None => Input::Face(Box::new(EmotionNet::load(&path, runtime)?)),
            };
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let alike = models.iter().filter(|m| m.path.file_stem() == path.file_stem()).count();
            let name = if alike == 0 { stem } else { format!("{stem}-{}", alike + 1) };
            let sha256 = sha256_of(&path)?;
            models.push(Self { name, path, sha256, input, tally: Tally::default() });
        }
        Ok(models)
    }

    /// The labels that the model tells apart, in its order.
    pub fn labels(&self) -> &LabelSet {
        match &self.input {
            Input::Pipeline(pipeline) => pipeline.labels(),
            Input::Face(net) => net.labels(),
        }
    }

    /// Processes a frame and notes the time it took. `time`: of the image; nothing for a picture,
    /// which has nothing to do with the one before.
    ///
    /// # Errors
    /// If a network fails on it.
    pub fn process(
        &mut self,
        frame: &Frame<'_>,
        time: Option<ImageTime>,
    ) -> Result<Vec<Seen>, ModelError> {
        let (seen, timings) = match &mut self.input {
            Input::Pipeline(pipeline) => {
                if time.is_none() {
                    pipeline.reset();
                }
                let time = time.map_or(Duration::ZERO, |at| at.time);
                let observation = pipeline.process(frame, time)?;
                (observation.people.iter().map(Seen::from).collect(), observation.timings)
            }
            Input::Face(net) => process_face(net, frame)?,
        };
        self.tally.timings.push(timings);
        Ok(seen)
    }
}

/// The labels of all models, in the order of [`Emotion::ALL`].
pub fn labels_of_all(models: &[Model]) -> Vec<Emotion> {
    let has = |label: &Emotion| models.iter().any(|model| model.labels().contains(*label));
    Emotion::ALL.into_iter().filter(has).collect()
}

fn process_face(
    net: &mut EmotionNet,
    frame: &Frame<'_>,
) -> Result<(Vec<Seen>, Timings), ModelError> {
    let start = Instant::now();
    let (width, height) = (frame.width_px() as f32, frame.height_px() as f32);
    let mut crop = Vec::new();
    net.crop_whole(frame, &mut crop);
    let cropped = Instant::now();
    let distributions = net.classify(&crop)?;
    let total = start.elapsed();
    let least = PipelineOptions::default().min_confidence;
    let seen = distributions.iter().map(|&probabilities| {
        let label = probabilities.top();
        Seen {
            face_id: String::new(),
            roi_in_image: Rect { x: 0.0, y: 0.0, width, height },
            label,
            sure: probabilities.of(label) >= least,
            probabilities,
            instant_probabilities: probabilities,
        }
    });
    let crop = cropped - start;
    let timings = Timings { crop, classify: total - crop, total, ..Timings::default() };
    Ok((seen.collect(), timings))
}

/// The SHA-256 of a file, in hexadecimal.
///
/// # Errors
/// If it cannot be read.
pub fn sha256_of(path: &Path) -> anyhow::Result<String> {
    let name = || path.display().to_string();
    let mut file = std::fs::File::open(path).with_context(name)?;
    let (mut hasher, mut buffer) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer).with_context(name)? {
            0 => break,
            count => hasher.update(buffer.get(..count).unwrap_or_default()),
        }
    }
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
