//! A labelled picture.

use std::path::PathBuf;

use crate::labels::LabelDetails;
use crate::metrics::Votes;
use crate::picture_file::read_picture;
use rapport_perception::frame::{Encoding, Frame, FrameError};
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

impl LabelledPicture {
    /// Its pixels.
    ///
    /// # Errors
    /// If size and pixels do not agree.
    pub fn frame(&self) -> Result<Frame<'_>, FrameError> {
        let step_bytes = self.width_px as usize * self.encoding.bytes_per_pixel();
        Frame::new(self.width_px, self.height_px, step_bytes, self.encoding, &self.pixels)
    }
}

/// A picture that is still to be read. A source gives them one after another; several threads can
/// read them.
pub enum Unread {
    /// A file.
    File {
        /// Its path inside the folder.
        source: String,
        /// The label of its face; nothing where only its valence and arousal were given.
        label: Option<Emotion>,
        /// What else was said of it.
        details: Option<LabelDetails>,
        /// Where it lies.
        path: PathBuf,
    },
    /// A row of a file, which is read with the row.
    Row(Result<LabelledPicture, PictureProblem>),
}

impl Unread {
    /// Reads and decodes it.
    ///
    /// # Errors
    /// If there is no picture: why.
    pub fn read(self) -> Result<LabelledPicture, PictureProblem> {
        let (source, label, details, path) = match self {
            Self::File { source, label, details, path } => (source, label, details, path),
            Self::Row(row) => return row,
        };
        let mut warning = None;
        match read_picture(&path, |text| warning = Some(text.to_owned())) {
            Ok(picture) => Ok(LabelledPicture {
                source,
                label,
                details,
                votes: None,
                width_px: picture.width(),
                height_px: picture.height(),
                encoding: Encoding::Rgb8,
                pixels: picture.into_raw(),
                warning,
            }),
            Err(error) => Err(PictureProblem::Skip {
                kind: "picture not read",
                text: format!("{}: {error:#}", path.display()),
            }),
        }
    }
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
