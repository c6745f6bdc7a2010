//! One file of a recording, whatever its format.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::compression::ZSTD_MAGIC;
use super::error::{BagError, BagWarning};
use super::types::{FileInfo, Message, Wanted};
use super::{mcap, sqlite};

/// How every sqlite3 file begins.
const SQLITE_MAGIC: &[u8] = b"SQLite format 3\0";

/// The format of a file.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Format {
    Mcap { compressed: bool },
    Sqlite,
}

/// A file of a recording.
#[derive(Debug, Clone)]
pub(super) struct BagFile {
    path: PathBuf,
    format: Format,
}

impl BagFile {
    /// Recognises the format by the first bytes, as names may be anything.
    pub fn recognise(path: PathBuf) -> Result<Self, BagError> {
        let io = |error| BagError::io(&path, error);
        let head = head(File::open(&path).map_err(io)?).map_err(io)?;
        let format = if head.starts_with(::mcap::MAGIC) {
            Format::Mcap { compressed: false }
        } else if head.starts_with(SQLITE_MAGIC) {
            Format::Sqlite
        } else if head.starts_with(&ZSTD_MAGIC) {
            // rosbag2's compression mode `file`.
            let decoder = zstd::Decoder::new(File::open(&path).map_err(io)?).map_err(io)?;
            let inside = self::head(decoder).unwrap_or_default();
            if inside.starts_with(::mcap::MAGIC) {
                Format::Mcap { compressed: true }
            } else if inside.starts_with(SQLITE_MAGIC) {
                let expected = format!(
                    "a database that is not compressed as a whole (`zstd -d {}` makes one)",
                    path.display()
                );
                let found = "a sqlite3 file inside zstd".to_owned();
                return Err(BagError::Compression { path, found, expected });
            } else {
                let found = format!("zstd with {} inside", describe(&inside));
                return Err(BagError::NotABag { path, found });
            }
        } else {
            let found = describe(&head);
            return Err(BagError::NotABag { path, found });
        };
        Ok(Self { path, format })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file's topics and times.
    pub fn inspect(&self) -> Result<FileInfo, BagError> {
        match self.format {
            Format::Mcap { compressed } => mcap::inspect(&self.path, compressed),
            Format::Sqlite => sqlite::inspect(&self.path),
        }
    }

    /// The messages of the wanted topics; the warnings come after them.
    fn messages(&self, wanted: Wanted) -> Result<FileMessages, BagError> {
        Ok(match self.format {
            Format::Mcap { compressed } => FileMessages::Mcap(Box::new(mcap::McapMessages::open(
                &self.path, compressed, wanted,
            )?)),
            Format::Sqlite => {
                FileMessages::Sqlite(Box::new(sqlite::SqliteMessages::open(&self.path, wanted)?))
            }
        })
    }
}

/// The messages of one file.
enum FileMessages {
    Mcap(Box<mcap::McapMessages>),
    Sqlite(Box<sqlite::SqliteMessages>),
}

impl Iterator for FileMessages {
    type Item = Result<Message, BagWarning>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            FileMessages::Mcap(messages) => messages.next(),
            FileMessages::Sqlite(messages) => messages.next(),
        }
    }
}

/// The messages of files one after another, each opened when it is its turn.
pub(super) struct Files {
    waiting: std::vec::IntoIter<BagFile>,
    wanted: Wanted,
    open: Option<FileMessages>,
}

impl Files {
    /// The messages of the wanted topics.
    pub fn new(files: Vec<BagFile>, wanted: Wanted) -> Self {
        Self { waiting: files.into_iter(), wanted, open: None }
    }
}

impl Iterator for Files {
    type Item = Result<Message, BagWarning>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.open.as_mut().and_then(Iterator::next) {
                return Some(item);
            }
            let file = self.waiting.next()?;
            match file.messages(self.wanted.clone()) {
                Ok(messages) => self.open = Some(messages),
                Err(error) => {
                    self.open = None;
                    return Some(Err(BagWarning::Unreadable {
                        path: file.path,
                        reason: error.to_string(),
                    }));
                }
            }
        }
    }
}

fn head(source: impl Read) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::new();
    source.take(16).read_to_end(&mut head)?;
    Ok(head)
}

fn describe(head: &[u8]) -> String {
    if head.is_empty() {
        return "an empty file".to_owned();
    }
    if head.starts_with(b"#ROSBAG V") {
        return "a ROS 1 bag".to_owned();
    }
    match std::str::from_utf8(head) {
        Ok(text) if !text.contains('\0') => format!("text that begins {text:?}"),
        _ => {
            let bytes: Vec<_> = head.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
            format!("bytes {}", bytes.join(" "))
        }
    }
}
