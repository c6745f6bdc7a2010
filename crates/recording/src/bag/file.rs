//! One file of a recording, whatever its format.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::{BagError, BagWarning};
use super::qos::Qos;
use super::{Recorded, mcap, sqlite};

/// How every zstd frame begins. CDR begins with 0, so a message cannot be taken for one.
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];

/// How every sqlite3 file begins.
const SQLITE_MAGIC: &[u8] = b"SQLite format 3\0";

/// What a file says about itself without its messages being read.
#[derive(Debug)]
pub(super) struct FileInfo {
    pub topics: Vec<FileTopic>,
    /// The earliest and the latest log time, where there is a message.
    pub bounds_ns: Option<(i64, i64)>,
}

/// A topic of one file.
#[derive(Debug)]
pub(super) struct FileTopic {
    pub name: String,
    pub type_name: String,
    pub serialization: String,
    pub message_count: Option<u64>,
    pub offered_qos: Vec<Qos>,
    pub recorded: Recorded,
}

/// A message of one file; `topic` is what [`Wanted`] gave for its topic.
#[derive(Debug, PartialEq)]
pub(super) struct FileMessage {
    pub topic: usize,
    pub log_time_ns: i64,
    pub publish_time_ns: i64,
    pub data: Vec<u8>,
}

/// How far reading of one file came.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Progress {
    pub messages: u64,
    pub last_log_time_ns: Option<i64>,
}

impl Progress {
    pub fn count(&mut self, log_time_ns: i64) {
        self.messages += 1;
        self.last_log_time_ns = Some(log_time_ns);
    }
}

/// The topics to read, by name and type, each with its index in the recording.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted(Arc<HashMap<(String, String), usize>>);

impl Wanted {
    pub fn get(&self, name: &str, type_name: &str) -> Option<usize> {
        self.0.get(&(name.to_owned(), type_name.to_owned())).copied()
    }
}

impl FromIterator<((String, String), usize)> for Wanted {
    fn from_iter<I: IntoIterator<Item = ((String, String), usize)>>(topics: I) -> Self {
        Self(Arc::new(topics.into_iter().collect()))
    }
}

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

    /// The messages of the wanted topics; nothing comes after a warning.
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
    type Item = Result<FileMessage, BagWarning>;

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
    type Item = Result<FileMessage, BagWarning>;

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

/// Undoes rosbag2's compression mode `message` where a message is compressed.
pub(super) fn decompress_message(data: &[u8]) -> std::io::Result<Vec<u8>> {
    /// The longest message that is believed.
    const LIMIT_BYTES: u64 = 256 << 20;

    if !data.starts_with(&ZSTD_MAGIC) {
        return Ok(data.to_vec());
    }
    let mut whole = Vec::new();
    let decoder = zstd::Decoder::with_buffer(data)?;
    let read = decoder.take(LIMIT_BYTES + 1).read_to_end(&mut whole)?;
    if read as u64 > LIMIT_BYTES {
        return Err(std::io::Error::other(format!("a message of over {LIMIT_BYTES} bytes")));
    }
    Ok(whole)
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
