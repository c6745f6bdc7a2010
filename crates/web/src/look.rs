//! One picture: decoded, upright, processed, reported.

use std::time::{Duration, Instant};

use image::RgbImage;
use rapport_perception::explain::Explanation;
use rapport_perception::frame::{CompressedError, Encoding, Frame, FrameError};
use rapport_perception::onnx::ModelError;
use rapport_perception::report::{FaceReport, PictureReport};
use rapport_perception::{Observation, Person, Session, SessionOptions};
use rapport_vocabulary::{Emotion, ImageStamp};

use crate::api::explain::{ExplainedFace, ExplainedPicture};
use crate::feedback::visitor::{self, Read};
use crate::journal::Seen;
use crate::messages::{HeatReport, ObservationReport, PersonReport, TimingsReport};
use crate::pool::Processor;
use crate::problem::Problem;

/// Reports the faces of a still picture, as `rapport analyze` does.
///
/// # Errors
/// If the picture cannot be decoded or a network fails.
pub fn still(
    processor: &mut Processor,
    name: String,
    data: &[u8],
) -> Result<PictureReport, Problem> {
    let picture = processor.decoder.decode_upright(&name, data)?;
    let (_, observation) = see_still(processor, &picture)?;
    let (width, height) = picture.dimensions();
    let labels = processor.networks.labels();
    Ok(PictureReport::new(name, &observation.people, labels, width, height))
}

/// Explains the faces of a still picture, for one label or for all.
///
/// # Errors
/// If the picture cannot be decoded, or a network fails or gives no evidence maps.
pub fn explained(
    processor: &mut Processor,
    label: Option<Emotion>,
    data: &[u8],
) -> Result<ExplainedPicture, Problem> {
    let picture = processor.decoder.decode_upright("picture", data)?;
    let (session, observation) = see_still(processor, &picture)?;
    let (width, height) = picture.dimensions();
    let (frame, labels) = (frame_of(&picture)?, processor.networks.labels());
    let face = |person: &Person| {
        let explanation = session.explain(&frame, &person.face)?;
        let face = FaceReport::new(person, labels, width, height);
        Ok(ExplainedFace::new(face, &explanation, label, labels))
    };
    let faces = observation.people.iter().map(face).collect::<Result<_, ModelError>>()?;
    Ok(ExplainedPicture { width, height, faces })
}

fn see_still(processor: &Processor, picture: &RgbImage) -> Result<(Session, Observation), Problem> {
    let mut session = Session::new(processor.networks.clone(), SessionOptions::for_pictures());
    let observation = session.process(&frame_of(picture)?, ImageStamp::at(Duration::ZERO))?;
    Ok((session, observation))
}

/// A picture of a sequence, as it waits for its turn.
#[derive(Debug)]
pub struct Moment {
    /// The file.
    pub data: bytes::Bytes,
    /// Which picture of the session.
    pub number: u64,
    /// Its time.
    pub stamp: ImageStamp,
    /// The labels whose class activation maps are wanted.
    pub heat: Vec<Emotion>,
    /// Whose face is to be read for feedback: somebody who consented.
    pub read: Option<String>,
    /// Whose ids they are, where the journal is to count the people of this picture.
    pub counted_as: Option<String>,
}

/// What came of it.
#[derive(Debug)]
pub struct Looked {
    /// What is answered.
    pub report: ObservationReport,
    /// The people for the journal, where it is to count them.
    pub counted: Option<Vec<Seen>>,
    /// The reading for feedback, where one was due.
    pub read: Read,
}

/// Looks at the next picture of a session.
///
/// # Errors
/// If the picture cannot be decoded or a network fails; the session goes on.
pub fn moment(
    processor: &mut Processor,
    session: &mut Session,
    moment: &Moment,
    queued: Duration,
) -> Result<Looked, Problem> {
    let start = Instant::now();
    let picture = processor.decoder.decode_upright("picture", &moment.data)?;
    let decode = start.elapsed();
    session.use_networks(processor.networks.clone());
    let frame = frame_of(&picture)?;
    let Observation { people, time, timings, .. } = session.process(&frame, moment.stamp)?;
    let (width, height) = picture.dimensions();
    let labels = processor.networks.labels();
    let read = match &moment.read {
        Some(face_id) => visitor::read(&frame, &people, face_id, &processor.networks)?,
        None => Read::NotFit,
    };
    let seen = |person: &Person, whose: &String| Seen::new(person, &picture, whose);
    let counted = moment.counted_as.as_ref();
    let counted = counted.map(|whose| people.iter().map(|person| seen(person, whose)).collect());
    let person = |person: &Person| {
        let mut report = PersonReport::new(person, labels, width, height);
        if !moment.heat.is_empty() {
            let explanation = session.explain(&frame, &person.face)?;
            report.heat = heat(&explanation, &moment.heat);
        }
        Ok(report)
    };
    let people = people.iter().map(person).collect::<Result<_, ModelError>>()?;
    let report = ObservationReport {
        number: moment.number,
        time_secs: time.time.as_secs_f64(),
        width,
        height,
        people,
        timings_ms: TimingsReport {
            queued: ms(queued),
            decode: ms(decode),
            detect: ms(timings.detect),
            verify: ms(timings.verify),
            crop: ms(timings.crop),
            classify: ms(timings.classify),
            total: ms(start.elapsed()),
        },
    };
    Ok(Looked { report, counted, read })
}

fn heat(explanation: &Explanation, labels: &[Emotion]) -> Vec<HeatReport> {
    labels.iter().filter_map(|label| HeatReport::new(explanation, *label)).collect()
}

fn ms(time: Duration) -> f64 {
    // Microseconds are as exact as these are.
    (time.as_secs_f64() * 1e6).round() / 1e3
}

fn frame_of(picture: &RgbImage) -> Result<Frame<'_>, FrameError> {
    let (width, height) = picture.dimensions();
    Frame::new(width, height, width as usize * 3, Encoding::Rgb8, picture.as_raw())
}

impl From<CompressedError> for Problem {
    fn from(error: CompressedError) -> Self {
        let detail = error.to_string();
        match error {
            CompressedError::Format { bytes, start, .. } => {
                let found = format!("{bytes} bytes that start with [{start}]");
                Self::media_type(detail).with(found, "JPEG, PNG or WebP")
            }
            CompressedError::NotRead { kind, .. } => {
                Self::media_type(detail).with(kind, "JPEG, PNG or WebP")
            }
            CompressedError::Size { width_px, height_px, max_pixels, .. } => {
                let found = format!("{width_px}x{height_px} pixels");
                let side = Frame::MAX_SIDE_PX;
                let allowed = format!("{max_pixels} pixels, 1 to {side} a side");
                Self::too_large(detail).with(found, allowed)
            }
            _ => Self::picture(detail),
        }
    }
}

impl From<FrameError> for Problem {
    fn from(error: FrameError) -> Self {
        Self::picture(error.to_string())
    }
}

impl From<ModelError> for Problem {
    fn from(error: ModelError) -> Self {
        // It names files of the server.
        tracing::error!("{error}");
        Self::internal("a network failed on this picture; the server's log says more")
    }
}
