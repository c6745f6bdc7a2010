//! Labelled pictures, one after another: each is a person of its own.

mod fer2013;
mod folder;
mod lines;

use std::time::{Duration, Instant};

use anyhow::Context;

pub use fer2013::Fer2013;
pub use folder::Folder;

use super::labels::FrameLabels;
use super::run::Run;
use super::tally::{Place, Seen};
use rapport_perception::frame::{Encoding, Frame};
use rapport_vocabulary::Emotion;

/// A picture and what it shows.
pub struct LabelledPicture {
    /// Its path or the line of its file.
    pub source: String,
    /// What the face shows.
    pub label: Emotion,
    /// Width in pixels.
    pub width_px: u32,
    /// Height in pixels.
    pub height_px: u32,
    /// How pixels are stored.
    pub encoding: Encoding,
    /// Packed rows.
    pub pixels: Vec<u8>,
}

/// A picture that is passed over.
pub struct PictureProblem {
    /// What kind of warning.
    pub kind: &'static str,
    /// Which picture, and what is wrong with it.
    pub text: String,
}

/// Shows every picture to every model.
///
/// # Errors
/// If `frames.csv` cannot be written.
pub fn evaluate(
    pictures: impl Iterator<Item = Result<LabelledPicture, PictureProblem>>,
    run: &mut Run,
) -> anyhow::Result<()> {
    let mut pictures = pictures;
    loop {
        let start = Instant::now();
        let Some(next) = pictures.next() else {
            return Ok(());
        };
        let number = run.source.frames;
        run.source.frames += 1;
        run.progress.step();
        let picture = match next {
            Ok(picture) => picture,
            Err(problem) => {
                run.warn(problem.kind, || problem.text);
                continue;
            }
        };
        let step =
            picture.width_px as usize * if picture.encoding == Encoding::Mono8 { 1 } else { 3 };
        let frame = Frame::new(
            picture.width_px,
            picture.height_px,
            step,
            picture.encoding,
            &picture.pixels,
        );
        let frame = match frame {
            Ok(frame) => frame,
            Err(error) => {
                run.warn("picture not read", || format!("{}: {error}", picture.source));
                continue;
            }
        };
        run.read_times.push(start.elapsed());
        run.source.frames_used += 1;
        let place = Place { frame: number, source: picture.source, ..Place::default() };
        let labels = FrameLabels { anyone: Some(picture.label), of_face: Vec::new() };
        run.show(&frame, Duration::ZERO, &place, &labels, largest)
            .context("frames.csv not written")?;
    }
}

/// Who is meant where a picture shows several: the largest.
fn largest(seen: Vec<Seen>) -> Vec<Seen> {
    let area = |face: &Seen| face.roi_in_image.area();
    let largest = seen.into_iter().max_by(|a, b| area(a).total_cmp(&area(b)));
    largest.map(|face| Seen { face_id: String::new(), ..face }).into_iter().collect()
}
