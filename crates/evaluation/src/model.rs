//! A network that is evaluated.

use std::path::PathBuf;
use std::time::Instant;

use ndarray::Axis;

use crate::seen::Seen;
use crate::tally::Tally;
use rapport_perception::classify::EmotionNet;
use rapport_perception::frame::Frame;
use rapport_perception::geometry::Rect;
use rapport_perception::onnx::{ModelError, RuntimeOptions};
use rapport_perception::{
    ModelFiles, ModelIdentity, Networks, Session, SessionOptions, Timings, emotion_net, model_file,
};
use rapport_vocabulary::{Emotion, ImageStamp, LabelSet};

/// What frames go through.
enum Input {
    /// A session: faces are looked for.
    Session(Box<Session>),
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
    /// Which revision of a calibration is in use, if any.
    pub calibration_revision: Option<u32>,
    /// What it saw.
    pub tally: Tally,
    input: Input,
}

impl Model {
    /// Loads the models, of the package if none is named. `files`: the others, and the calibration.
    /// `options`: how faces are looked for; nothing where frames are faces.
    ///
    /// # Errors
    /// If one cannot be read or is no emotion network.
    pub fn load_all(
        paths: &[PathBuf],
        files: &ModelFiles,
        runtime: &RuntimeOptions,
        options: Option<&SessionOptions>,
    ) -> anyhow::Result<Vec<Self>> {
        let shipped = [PathBuf::new()];
        let paths = if paths.is_empty() { &shipped } else { paths };
        let mut models: Vec<Self> = Vec::new();
        for given in paths {
            let path = model_file(given, "emotion.onnx")?;
            let files = ModelFiles { emotion: path.clone(), ..files.clone() };
            let input = match options {
                Some(options) => {
                    let networks = Networks::load(&files, runtime)?;
                    Input::Session(Box::new(Session::new(networks, options.clone())))
                }
                None => Input::Face(Box::new(emotion_net(&files, runtime)?)),
            };
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let alike = models.iter().filter(|m| m.path.file_stem() == path.file_stem()).count();
            let name = if alike == 0 { stem } else { format!("{stem}-{}", alike + 1) };
            let ModelIdentity { sha256, .. } = match &input {
                Input::Session(session) => session.networks().emotion_model().clone(),
                Input::Face(net) => net.network().identity(),
            };
            let calibration_revision = match &input {
                Input::Session(session) => session.networks().calibration(),
                Input::Face(net) => net.calibration(),
            }
            .map(|calibration| calibration.revision);
            models.push(Self {
                name,
                path,
                sha256,
                calibration_revision,
                input,
                tally: Tally::default(),
            });
        }
        Ok(models)
    }

    /// The labels that the model tells apart, in its order.
    pub fn labels(&self) -> &LabelSet {
        match &self.input {
            Input::Session(session) => session.networks().labels(),
            Input::Face(net) => net.labels(),
        }
    }

    /// Processes a frame and notes the time it took. `stamp`: when the image was taken; nothing for a
    /// picture, which has nothing to do with the one before.
    ///
    /// # Errors
    /// If a network fails on it.
    pub fn process(
        &mut self,
        frame: &Frame<'_>,
        stamp: Option<ImageStamp>,
    ) -> Result<Vec<Seen>, ModelError> {
        let (seen, timings) = match &mut self.input {
            Input::Session(session) => {
                let stamp = stamp.unwrap_or_else(|| {
                    session.reset();
                    ImageStamp::at(std::time::Duration::ZERO)
                });
                let observation = session.process(frame, stamp)?;
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
    let mut crop = net.blank_crops(1);
    net.crop_whole(frame, crop.index_axis_mut(Axis(0), 0));
    let cropped = Instant::now();
    let distributions = net.classify(crop.view())?;
    let total = start.elapsed();
    let seen = distributions.iter().map(|&probabilities| {
        let label = net.reading().label(&probabilities);
        Seen {
            face_id: String::new(),
            roi_in_image: Rect { x: 0.0, y: 0.0, width, height },
            label,
            instant_label: label,
            sure: net.reading().decision.is_sure(label, probabilities.of(label)),
            probabilities,
            instant_probabilities: probabilities,
        }
    });
    let crop = cropped - start;
    let timings = Timings { crop, classify: total - crop, total, ..Timings::default() };
    Ok((seen.collect(), timings))
}
