//! rosbag2 recordings, read and written without ROS.
//!
//! [`Bag::open`] takes a directory with metadata.yaml, a directory without, or a single file; MCAP
//! or sqlite3; chunks, messages or whole MCAP files compressed or not. Memory holds the messages of
//! one second or 32 MiB, whichever is less, however long the recording is.
//!
//! ```no_run
//! # fn main() -> Result<(), rapport_recording::bag::BagError> {
//! let bag = rapport_recording::bag::Bag::open("corridor")?;
//! for message in bag.messages() {
//!     match message {
//!         Ok(message) => {
//!             let topic = &bag.topics()[message.topic];
//!             println!("{} {} {} bytes", message.log_time_ns, topic.name, message.data.len());
//!         }
//!         Err(warning) => eprintln!("{warning}"),
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Layout
//!
//! - [`BagError`] stops, [`BagWarning`] does not.
//! - [`Qos`]: what publishers offered while recording, and what to offer in replay.
//! - [`BagWriter`]: an MCAP recording, written.
//! - `types`: topics and messages, which all others speak of; `compression` of single messages.
//! - `mcap` and `sqlite`: the formats; `salvage`: what is left of a sqlite3 file that was cut.
//! - `file`: one file whatever its format; `metadata`: the YAML beside the files; `order` puts
//!   messages in order of time.

mod compression;
mod error;
mod file;
mod mcap;
mod metadata;
mod order;
mod qos;
mod salvage;
mod sqlite;
mod types;
mod write;

use std::path::{Path, PathBuf};

pub use error::{BagError, BagWarning};
pub use qos::{Durability, History, Qos, Reliability};
pub use types::{Message, Recorded, Topic};
pub use write::{BagWriter, NewTopic};

use file::{BagFile, Files};
use metadata::Metadata;
use order::InOrder;
use types::{CDR, FileInfo, FileTopic, total};

/// A longer time without any message, in nanoseconds, is a [`BagWarning::Gap`]: one day.
pub const LONGEST_GAP_NS: i64 = 86_400_000_000_000;

/// A recording. Only its summary is held; messages are read as they are asked for.
#[derive(Debug)]
pub struct Bag {
    path: PathBuf,
    files: Vec<BagFile>,
    topics: Vec<Topic>,
    bounds_ns: Option<(i64, i64)>,
    warnings: Vec<BagWarning>,
}

impl Bag {
    /// Opens a recording: a directory, or one `.mcap` or `.db3` file of it.
    ///
    /// An MCAP file without a summary, as a recorder leaves it when it is killed, is read through
    /// once to find its topics.
    ///
    /// # Errors
    /// [`BagError`] where there is no recording at `path`, where none of its files can be read
    /// from the beginning, or where none of its topics is in CDR. One file of several that cannot
    /// be read, and one topic of several that is in another encoding, are warnings.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, BagError> {
        let path = path.as_ref();
        let kind = std::fs::metadata(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => BagError::Missing { path: path.to_owned() },
            _ => BagError::io(path, error),
        })?;
        let mut bag = Self {
            path: path.to_owned(),
            files: Vec::new(),
            topics: Vec::new(),
            bounds_ns: None,
            warnings: Vec::new(),
        };
        if !kind.is_dir() {
            let file = BagFile::recognise(path.to_owned())?;
            let info = file.inspect()?;
            bag.add(file, info);
            return bag.if_readable();
        }
        if let Some(metadata) = Metadata::read(path)? {
            for (file, info) in bag.open_all(&metadata.files)? {
                bag.add(file, info);
            }
            bag.complete(metadata);
            return bag.if_readable();
        }
        let mut files = bag.open_all(&recordings_in(path)?)?;
        if files.is_empty() {
            return Err(BagError::EmptyDirectory { path: path.to_owned() });
        }
        files.sort_by_key(|(_, info)| info.bounds_ns);
        bag.warnings
            .push(BagWarning::MetadataMissing { path: path.to_owned(), files: files.len() });
        for (file, info) in files {
            bag.add(file, info);
        }
        bag.if_readable()
    }

    /// Opens the files that can be opened, and notes the others. The error of the first one where
    /// none can.
    fn open_all(&mut self, paths: &[PathBuf]) -> Result<Vec<(BagFile, FileInfo)>, BagError> {
        let (mut opened, mut first_error) = (Vec::new(), None);
        for path in paths {
            let found = BagFile::recognise(path.clone()).and_then(|file| {
                let info = file.inspect()?;
                Ok((file, info))
            });
            match found {
                Ok(file) => opened.push(file),
                Err(error) => {
                    let reason = error.to_string();
                    self.warnings.push(BagWarning::Unreadable { path: path.clone(), reason });
                    first_error.get_or_insert(error);
                }
            }
        }
        match first_error {
            Some(error) if opened.is_empty() => Err(error),
            _ => Ok(opened),
        }
    }

    /// The topics in order of their first appearance.
    pub fn topics(&self) -> &[Topic] {
        &self.topics
    }

    /// How many messages there are on the topics that can be read, where the recording says so.
    pub fn message_count(&self) -> Option<u64> {
        total(self.topics.iter().map(|topic| topic.message_count))
    }

    /// The log times of the earliest and the latest message, in nanoseconds since the epoch;
    /// `None` for a recording without messages, and where a damaged file does not tell.
    pub fn bounds_ns(&self) -> Option<(i64, i64)> {
        self.bounds_ns
    }

    /// What was amiss already when the recording was opened.
    pub fn warnings(&self) -> &[BagWarning] {
        &self.warnings
    }

    /// All messages in order of log time, from the beginning.
    ///
    /// An `Err` does not end the iteration: further messages may follow. Messages
    /// that were written more than a second from their place in time come late, and a
    /// [`BagWarning::OutOfOrder`] at the end counts them.
    pub fn messages(&self) -> Messages {
        self.messages_on(|_| true)
    }

    /// Like [`Bag::messages`], for some of the topics only.
    pub fn messages_on(&self, wanted: impl Fn(&Topic) -> bool) -> Messages {
        let wanted = self
            .topics
            .iter()
            .enumerate()
            .filter(|(_, topic)| wanted(topic))
            .map(|(index, topic)| ((topic.name.clone(), topic.type_name.clone()), index))
            .collect();
        Messages {
            ordered: InOrder::new(Files::new(self.files.clone(), wanted)),
            path: self.path.clone(),
            topic_names: self.topics.iter().map(|topic| topic.name.clone()).collect(),
            last_ns: None,
            after_gap: None,
        }
    }

    fn topic_mut(&mut self, name: &str, type_name: &str) -> Option<&mut Topic> {
        self.topics.iter_mut().find(|topic| topic.name == name && topic.type_name == type_name)
    }

    fn add(&mut self, file: BagFile, info: FileInfo) {
        for FileTopic { topic, serialization } in info.topics {
            if serialization != CDR {
                self.leave_out(file.path(), topic, serialization);
                continue;
            }
            match self.topic_mut(&topic.name, &topic.type_name) {
                None => self.topics.push(topic),
                Some(known) => {
                    known.message_count = total([known.message_count, topic.message_count]);
                    // Every file of a recording repeats the offers.
                    if known.offered_qos.is_empty() {
                        known.offered_qos = topic.offered_qos;
                    }
                }
            }
        }
        self.bounds_ns = match (self.bounds_ns, info.bounds_ns) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (known, new) => known.or(new),
        };
        self.files.push(file);
    }

    /// Warns of a topic that cannot be read, once for all files.
    fn leave_out(&mut self, file: &Path, topic: Topic, serialization: String) {
        for warning in &mut self.warnings {
            if let BagWarning::NotCdr { topic: name, found, messages, .. } = warning
                && (&*name, &*found) == (&topic.name, &serialization)
            {
                *messages = total([*messages, topic.message_count]);
                return;
            }
        }
        self.warnings.push(BagWarning::NotCdr {
            path: file.to_owned(),
            topic: topic.name,
            found: serialization,
            messages: topic.message_count,
        });
    }

    /// The recording, if any of its topics can be read or it has none.
    fn if_readable(self) -> Result<Self, BagError> {
        let first = self.warnings.iter().find_map(|warning| match warning {
            BagWarning::NotCdr { path, topic, found, .. } => Some((path, topic, found)),
            _ => None,
        });
        match first {
            Some((path, topic, found)) if self.topics.is_empty() => Err(BagError::Serialization {
                path: path.clone(),
                topic: topic.clone(),
                found: found.clone(),
            }),
            _ => Ok(self),
        }
    }

    /// Takes from metadata.yaml what the files do not say themselves.
    fn complete(&mut self, metadata: Metadata) {
        for said in metadata.topics {
            if said.serialization != CDR {
                continue;
            }
            match self.topic_mut(&said.name, &said.type_name) {
                Some(known) => {
                    known.message_count.get_or_insert(said.message_count);
                    if known.offered_qos.is_empty() {
                        known.offered_qos = said.offered_qos;
                    }
                    if known.recorded.type_hash.is_empty() {
                        known.recorded.type_hash = said.type_hash;
                    }
                }
                // Recorded without a single message: MCAP files do not name such topics.
                None => self.topics.push(Topic {
                    name: said.name,
                    type_name: said.type_name,
                    message_count: Some(said.message_count),
                    offered_qos: said.offered_qos,
                    recorded: Recorded { type_hash: said.type_hash, ..Recorded::default() },
                }),
            }
        }
    }
}

/// The messages of a recording, in order of log time.
pub struct Messages {
    ordered: InOrder<Files>,
    path: PathBuf,
    topic_names: Vec<String>,
    /// The log time of the last message given.
    last_ns: Option<i64>,
    /// A message that is given after the warning of the time before it.
    after_gap: Option<Message>,
}

impl Iterator for Messages {
    type Item = Result<Message, BagWarning>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(message) = self.after_gap.take() {
            return Some(Ok(message));
        }
        match self.ordered.next() {
            Some(Ok(message)) => {
                let to_ns = message.log_time_ns;
                let before = self.last_ns.replace(to_ns);
                let Some(from_ns) =
                    before.filter(|from| to_ns.saturating_sub(*from) > LONGEST_GAP_NS)
                else {
                    return Some(Ok(message));
                };
                self.after_gap = Some(message);
                return Some(Err(BagWarning::Gap { path: self.path.clone(), from_ns, to_ns }));
            }
            Some(Err(warning)) => return Some(Err(warning)),
            None => {}
        }
        let late = std::mem::take(&mut self.ordered.late);
        (late.messages > 0).then(|| {
            Err(BagWarning::OutOfOrder {
                path: self.path.clone(),
                topic: self.topic_names.get(late.first_topic).cloned().unwrap_or_default(),
                messages: late.messages,
                by_ns: late.by_ns,
            })
        })
    }
}

/// The recordings in a directory, by name.
fn recordings_in(directory: &Path) -> Result<Vec<PathBuf>, BagError> {
    let io = |error| BagError::io(directory, error);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(io)? {
        let path = entry.map_err(io)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let bare = name.strip_suffix(".zstd").unwrap_or(&name);
        if bare.ends_with(".mcap") || bare.ends_with(".db3") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
