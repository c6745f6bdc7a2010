//! What can be wrong with a folder of feedback or its key.

use std::path::{Path, PathBuf};

use rapport_settings::SecretFileError;

use crate::code;

/// Why faces cannot be kept, read or deleted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FeedbackError {
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The operating system gives no random numbers.
    #[error("no random numbers: {0}")]
    Random(getrandom::Error),
    /// Who copies one would get both.
    #[error(
        "the key {} and the faces in {} lie in one folder, expected the key in a place where a copy \
         of the faces does not take it along, such as a folder of its own",
        key.display(), folder.display()
    )]
    Together {
        /// The file of the key.
        key: PathBuf,
        /// The folder of the faces.
        folder: PathBuf,
    },
    /// The key cannot be read, or others than its owner can read it.
    #[error("key {0}")]
    Key(#[from] SecretFileError),
    /// The file holds no key.
    #[error("key {}: expected one line with an age identity (AGE-SECRET-KEY-1...)", path.display())]
    KeyContent {
        /// The file.
        path: PathBuf,
    },
    /// The faces were encrypted for another key.
    #[error(
        "{}: the faces were encrypted for another key than {}; name that key, or empty the folder \
         first (rapport feedback empty)",
        folder.display(), key.display()
    )]
    OtherKey {
        /// The folder.
        folder: PathBuf,
        /// The key that was given.
        key: PathBuf,
    },
    /// A face does not open.
    #[error("{}: the face cannot be decrypted: {reason}", path.display())]
    Decrypt {
        /// The file.
        path: PathBuf,
        /// What the library said.
        reason: String,
    },
    /// A face does not close.
    #[error("a face cannot be encrypted: {0}")]
    Encrypt(String),
    /// The folder is something else. It is left as it is.
    #[error("{}: found {found}, expected a folder of feedback, or an empty or new one", path.display())]
    NotFeedback {
        /// The folder.
        path: PathBuf,
        /// What it holds.
        found: String,
    },
    /// A newer Rapport made the folder. It is left as it is.
    #[error("{}: feedback of version {found}, expected {known}: a newer Rapport made it", path.display())]
    TooNew {
        /// The folder.
        path: PathBuf,
        /// Its version.
        found: u64,
        /// The version that this program knows.
        known: u64,
    },
    /// A file of ours does not hold what it should.
    #[error("{}: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// No more is kept.
    #[error("{most} items are kept, which is all that are allowed; review, export and empty them")]
    Full {
        /// How many.
        most: usize,
    },
    /// The consent was withdrawn or is over.
    #[error("the consent for this face was withdrawn or is over")]
    NoConsent,
    /// So many days are not offered.
    #[error("days to keep faces: {found}, expected 1 to {most}")]
    KeepDays {
        /// What was asked for.
        found: u32,
        /// The most that may be.
        most: u32,
    },
    /// No such code can have been shown.
    #[error(
        "found {found} in the code, expected {} of a to z and 2 to 9 without l and o, such as \
         abcd-efgh-jkmn",
        code::LETTERS
    )]
    Code {
        /// What is wrong with it.
        found: String,
    },
    /// The place for the export has other files.
    #[error(
        "{}: found {found}, expected a new folder, an empty one, or one of an earlier export",
        path.display()
    )]
    ExportFolder {
        /// The folder.
        path: PathBuf,
        /// What it holds.
        found: String,
    },
    /// The picture cannot be written as PNG.
    #[error("picture of {width_px}x{height_px} pixels and {bytes} bytes: {reason}")]
    Picture {
        /// Width in pixels.
        width_px: u32,
        /// Height in pixels.
        height_px: u32,
        /// Bytes of its rows.
        bytes: usize,
        /// What is wrong.
        reason: String,
    },
}

impl FeedbackError {
    /// What the operating system said of a path.
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| Self::Io { path: path.to_owned(), source }
    }
}
