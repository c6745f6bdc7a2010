//! What frames go through: a session, or the emotion network alone. It sees frames and counts
//! nothing, so that it can be on another thread than what is counted.

use std::time::{Duration, Instant};

use ndarray::Axis;

use crate::reader::found::{Found, Slot, ToldDetector};
use crate::seen::Seen;
use rapport_perception::classify::EmotionNet;
use rapport_perception::frame::Frame;
use rapport_perception::geometry::Rect;
use rapport_perception::onnx::{ModelError, RuntimeOptions};
use rapport_perception::{
    ModelFiles, ModelIdentity, Networks, Session, SessionOptions, Timings, detector, emotion_net,
};
use rapport_vocabulary::{ImageStamp, LabelSet};

enum Input {
    /// A session: faces are looked for, where nobody has done so already.
    Session(Box<Session>, Slot),
    /// The emotion network alone: the frame is a face.
    Face(Box<EmotionNet>),
}

/// A loaded model that frames are given to.
pub struct Predictor(Input);

/// What a model saw in a frame, and the time it took.
#[derive(Debug)]
pub struct Prediction {
    /// The faces.
    pub seen: Vec<Seen>,
    /// Where the time went.
    pub timings: Timings,
}

impl Predictor {
    /// Loads a model. `options`: how faces are looked for; nothing where frames are faces.
    ///
    /// # Errors
    /// If a file cannot be read or is no emotion network.
    pub fn load(
        files: &ModelFiles,
        runtime: &RuntimeOptions,
        options: Option<&SessionOptions>,
    ) -> Result<Self, ModelError> {
        Ok(Self(match options {
            Some(options) => {
                let slot = Slot::default();
                let detector = detector(files, runtime)?;
                let detector = Box::new(ToldDetector { detector, slot: slot.clone() });
                let networks = Networks::of(detector, emotion_net(files, runtime)?);
                Input::Session(Box::new(Session::new(networks, options.clone())), slot)
            }
            None => Input::Face(Box::new(emotion_net(files, runtime)?)),
        }))
    }

    /// The labels that the model tells apart, in its order.
    pub fn labels(&self) -> &LabelSet {
        match &self.0 {
            Input::Session(session, _) => session.networks().labels(),
            Input::Face(net) => net.labels(),
        }
    }

    /// Which model it is.
    pub fn identity(&self) -> ModelIdentity {
        match &self.0 {
            Input::Session(session, _) => session.networks().emotion_model().clone(),
            Input::Face(net) => net.network().identity(),
        }
    }

    /// Which revision of a calibration is in use, if any.
    pub fn calibration_revision(&self) -> Option<u32> {
        let calibration = match &self.0 {
            Input::Session(session, _) => session.networks().calibration(),
            Input::Face(net) => net.calibration(),
        };
        calibration.map(|calibration| calibration.revision)
    }

    /// Forgets whom it saw, as for another recording: ids begin anew.
    pub fn reset(&mut self) {
        if let Input::Session(session, _) = &mut self.0 {
            session.reset();
        }
    }

    /// Processes a frame. `stamp`: when the image was taken; nothing for a picture, which has nothing
    /// to do with the one before. `found`: the faces, where they were found already.
    ///
    /// # Errors
    /// If a network fails on it.
    pub fn predict(
        &mut self,
        frame: &Frame<'_>,
        stamp: Option<ImageStamp>,
        found: Option<&Found>,
    ) -> Result<Prediction, ModelError> {
        match &mut self.0 {
            Input::Session(session, slot) => {
                let stamp = stamp.unwrap_or_else(|| {
                    session.reset();
                    ImageStamp::at(Duration::ZERO)
                });
                slot.put(found);
                let observation = session.process(frame, stamp);
                // An image that was not searched must not leave anything to the next one.
                slot.put(None);
                let observation = observation?;
                let seen = observation.people.iter().map(Seen::from).collect();
                let timings = observation.timings;
                Ok(Prediction { seen, timings: found.map_or(timings, |f| f.add_to(timings)) })
            }
            Input::Face(net) => predict_face(net, frame),
        }
    }
}

fn predict_face(net: &mut EmotionNet, frame: &Frame<'_>) -> Result<Prediction, ModelError> {
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
            details: None,
        }
    });
    let crop = cropped - start;
    let timings = Timings { crop, classify: total - crop, total, ..Timings::default() };
    Ok(Prediction { seen: seen.collect(), timings })
}
