//! Labelled pictures, one after another. No picture has to do with the one before.

mod fer2013;
mod folder;
mod lines;
mod listed;
mod picture;
mod votes;

use std::time::Instant;

use anyhow::Context;

pub use fer2013::{Fer2013, USAGES};
pub use folder::{Folder, LeftOut};
pub use listed::Listed;
pub use picture::{LabelledPicture, PictureProblem};

use crate::labels::FrameLabels;
use crate::run::Run;
use crate::seen::{Place, Seen};
use rapport_perception::frame::{Encoding, Frame};

/// Gives every picture to every model.
///
/// # Errors
/// If the pictures cannot be gone through or `frames.csv` cannot be written.
pub fn evaluate(
    pictures: impl Iterator<Item = Result<LabelledPicture, PictureProblem>>,
    run: &mut Run<'_>,
) -> anyhow::Result<()> {
    let mut pictures = pictures;
    loop {
        let start = Instant::now();
        let Some(next) = pictures.next() else {
            return Ok(());
        };
        let number = run.source.frames;
        run.source.frames += 1;
        run.progress.frame();
        let picture = match next {
            Ok(picture) => picture,
            Err(PictureProblem::Skip { kind, text }) => {
                run.warn(kind, || text);
                continue;
            }
            Err(PictureProblem::Stop(error)) => return Err(error),
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
        let labels = FrameLabels {
            anyone: picture.label,
            votes: picture.votes,
            details: picture.details.map(|details| (String::new(), details)).into_iter().collect(),
            ..FrameLabels::default()
        };
        if let Some(warning) = picture.warning {
            run.warn("damaged image", || format!("{}: {warning}", place.source));
        }
        run.process(&frame, &place, &labels, largest).context("frames.csv not written")?;
    }
}

/// The face that the label is about where a picture shows several: the largest. Without its id,
/// which means nothing from picture to picture.
fn largest(seen: Vec<Seen>) -> Vec<Seen> {
    let area = |face: &Seen| face.roi_in_image.area();
    let largest = seen.into_iter().max_by(|a, b| area(a).total_cmp(&area(b)));
    largest.map(|face| Seen { face_id: String::new(), ..face }).into_iter().collect()
}
