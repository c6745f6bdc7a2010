//! Labelled pictures, one after another. No picture has to do with the one before.

mod fer2013;
mod folder;
mod lines;
mod listed;
mod picture;
mod votes;

use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;

pub use fer2013::{Fer2013, USAGES};
pub use folder::{Folder, LeftOut};
pub use listed::Listed;
pub use picture::{LabelledPicture, PictureProblem, Unread};

use crate::labels::FrameLabels;
use crate::predictor::{Prediction, Predictor};
use crate::reader::{Ahead, Bounds, Plan};
use crate::run::{Predictions, Run};
use crate::seen::{Place, Seen};

/// Pixels that may wait for the networks, and for what comes after, in bytes.
const WAITING_BYTES: usize = 64 << 20;

/// A picture or why there is none, and how long it took to read.
struct Read {
    picture: Result<LabelledPicture, PictureProblem>,
    time: Duration,
}

/// What the models saw in a picture, or why there is none.
struct Looked {
    picture: Result<(LabelledPicture, Predictions), PictureProblem>,
    time: Duration,
}

/// Gives every picture to every model. `predictors`: those of each job.
///
/// # Errors
/// If the pictures cannot be gone through or a file cannot be written.
pub fn evaluate(
    pictures: impl Iterator<Item = Unread> + Send,
    predictors: &mut [Vec<Predictor>],
    plan: Plan,
    run: &mut Run<'_>,
) -> anyhow::Result<()> {
    let keep_pixels = run.include_faces;
    let waiting = run.waiting.clone();
    thread::scope(|scope| {
        let mut pictures = pictures;
        let unread = std::iter::from_fn(move || {
            let start = Instant::now();
            let unread = pictures.next()?;
            Some((unread, start.elapsed()))
        });
        let read = match plan.readers {
            0 => Ahead::here(unread, read),
            readers => {
                let bytes_of = |read: &Read| read.picture.as_ref().map_or(0, |p| p.pixels.len());
                let bounds = Bounds::of_images(readers, WAITING_BYTES, bytes_of);
                Ahead::threads(scope, unread, vec![read; readers], bounds)?
            }
        };
        let read = waiting.on(read);
        let mut workers = predictors
            .iter_mut()
            .map(|predictors| move |read: Read| look(read, predictors, keep_pixels));
        let looked = match plan.predictors {
            0 => Ahead::here(read, workers.next().context("no networks are loaded")?),
            jobs => {
                let bytes_of =
                    |looked: &Looked| looked.picture.as_ref().map_or(0, |(p, _)| p.pixels.len());
                let bounds = Bounds::of_images(jobs, WAITING_BYTES, bytes_of);
                Ahead::threads(scope, read, workers.collect(), bounds)?
            }
        };
        looked.into_iter().try_for_each(|looked| take(looked, run))
    })
}

fn read((unread, waited): (Unread, Duration)) -> Read {
    let start = Instant::now();
    let picture = unread.read();
    Read { picture, time: waited + start.elapsed() }
}

fn look(read: Read, predictors: &mut [Predictor], keep_pixels: bool) -> Looked {
    let look = |mut picture: LabelledPicture| {
        let frame = picture.frame().map_err(|error| PictureProblem::Skip {
            kind: "picture not read",
            text: format!("{}: {error}", picture.source),
        })?;
        let predict = |predictor: &mut Predictor| {
            let Prediction { seen, timings } = predictor.predict(&frame, None, None)?;
            Ok(Prediction { seen: largest(seen), timings })
        };
        let predictions = predictors.iter_mut().map(predict).collect();
        if !keep_pixels {
            picture.pixels = Vec::new();
        }
        Ok((picture, predictions))
    };
    Looked { picture: read.picture.and_then(look), time: read.time }
}

/// Counts what was seen in the next picture.
fn take(looked: Looked, run: &mut Run<'_>) -> anyhow::Result<()> {
    let number = run.source.frames;
    run.source.frames += 1;
    run.progress.frame();
    let (picture, predictions) = match looked.picture {
        Ok(looked) => looked,
        Err(PictureProblem::Skip { kind, text }) => {
            run.warn(kind, || text);
            return Ok(());
        }
        Err(PictureProblem::Stop(error)) => return Err(error),
    };
    run.read_times.push(looked.time);
    run.source.frames_used += 1;
    if let Some(warning) = &picture.warning {
        run.warn("damaged image", || format!("{}: {warning}", picture.source));
    }
    let place = Place { frame: number, source: picture.source.clone(), ..Place::default() };
    let details = picture.details.clone().map(|details| (String::new(), details));
    let labels = FrameLabels {
        anyone: picture.label,
        votes: picture.votes,
        details: details.into_iter().collect(),
        ..FrameLabels::default()
    };
    // Without its pixels it is no frame.
    let frame = picture.frame().ok();
    run.take(frame.as_ref(), &place, &labels, predictions)
}

/// The face that the label is about where a picture shows several: the largest. Without its id,
/// which means nothing from picture to picture.
fn largest(seen: Vec<Seen>) -> Vec<Seen> {
    let area = |face: &Seen| face.roi_in_image.area();
    let largest = seen.into_iter().max_by(|a, b| area(a).total_cmp(&area(b)));
    largest.map(|face| Seen { face_id: String::new(), ..face }).into_iter().collect()
}
