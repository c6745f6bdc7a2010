//! A labelled picture.

use crate::labels::LabelDetails;
use crate::metrics::Votes;
use rapport_perception::frame::Encoding;
use rapport_vocabulary::Emotion;

/// A picture and its label.
pub struct LabelledPicture {
    /// Its path inside the folder, or the line of its file.
    pub source: String,
    /// The label of its face; nothing where only its valence and arousal were given.
    pub label: Option<Emotion>,
    /// What else was said of it.
    pub details: Option<LabelDetails>,
    /// What several people voted, where that was given.
    pub votes: Option<Votes>,
    /// Width in pixels.
    pub width_px: u32,
    /// Height in pixels.
    pub height_px: u32,
    /// How pixels are stored: `Mono8` or `Rgb8`.
    pub encoding: Encoding,
    /// Rows from the top, without gaps.
    pub pixels: Vec<u8>,
    /// What is wrong with its file, if it has all its pixels.
    pub warning: Option<String>,
}

/// Why there is no picture.
#[derive(Debug)]
pub enum PictureProblem {
    /// This one is skipped.
    Skip {
        /// The kind of warning.
        kind: &'static str,
        /// Which picture, and what is wrong with it.
        text: String,
    },
    /// The evaluation cannot go on.
    Stop(anyhow::Error),
}
