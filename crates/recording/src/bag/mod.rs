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
//! - `file`: one file whatever its format; `mcap` and `sqlite` the formats, `salvage`
//!   what is left of a sqlite3 file that was cut; `metadata` the YAML
//!   beside them; `order` puts messages in order of time.

mod error;
mod file;
mod mcap;
mod metadata;
mod order;
mod qos;
mod salvage;
mod sqlite;
mod write;

use std::path::{Path, PathBuf};

pub use error::{BagError, BagWarning};
pub use qos::{Durability, History, Qos, Reliability};
pub use write::{BagWriter, NewTopic};

use file::{BagFile, FileInfo, Files};
use metadata::Metadata;
use order::InOrder;

/// A topic of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// The full name, for example `/camera/image_raw`.
    pub name: String,
    /// The type, for example `sensor_msgs/msg/Image`; empty where none was recorded.
    pub type_name: String,
    /// How many messages there are, where the recording says so.
    pub message_count: Option<u64>,
    /// What each publisher offered while recording; empty where that was not recorded.
    pub offered_qos: Vec<Qos>,
    /// What a copy keeps beside.
    pub recorded: Recorded,
}

/// What a recording holds about a topic that reading its messages does not need.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recorded {
    /// The offers in full, as YAML; empty where they are not in the file itself.
    pub offered_qos_yaml: String,
    /// The hash of the type, `RIHS01_...`; empty where it is not known.
    pub type_hash: String,
    /// The language of the type's definition, `ros2msg` or `ros2idl`; empty where there is none.
    pub definition_encoding: String,
    /// The type's definition.
    pub definition: String,
}

/// A recorded message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Index into [`Bag::topics`].
    pub topic: usize,
    /// When it was received by the recorder, in nanoseconds since the epoch.
    pub log_time_ns: i64,
    /// When it was sent, in nanoseconds since the epoch; the log time where that is not recorded.
    pub publish_time_ns: i64,
    /// The message in CDR with its encapsulation header, as rmw sends it.
    pub data: Vec<u8>,
}

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
    /// from the beginning, or where its messages are not CDR. One file of several that cannot be
    /// read is a warning.
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
            bag.add(file, info)?;
            return Ok(bag);
        }
        if let Some(metadata) = Metadata::read(path)? {
            for (file, info) in bag.open_all(&metadata.files)? {
                bag.add(file, info)?;
            }
            bag.complete(metadata);
            return Ok(bag);
        }
        let mut files = bag.open_all(&recordings_in(path)?)?;
        if files.is_empty() {
            return Err(BagError::EmptyDirectory { path: path.to_owned() });
        }
        files.sort_by_key(|(_, info)| info.bounds_ns);
        bag.warnings
            .push(BagWarning::MetadataMissing { path: path.to_owned(), files: files.len() });
        for (file, info) in files {
            bag.add(file, info)?;
        }
        Ok(bag)
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
    /// An `Err` does not end the iteration: the messages of further files may follow. Messages
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
        }
    }

    fn topic_mut(&mut self, name: &str, type_name: &str) -> Option<&mut Topic> {
        self.topics.iter_mut().find(|topic| topic.name == name && topic.type_name == type_name)
    }

    fn add(&mut self, file: BagFile, info: FileInfo) -> Result<(), BagError> {
        for topic in info.topics {
            if topic.serialization != "cdr" {
                return Err(BagError::Serialization {
                    path: file.path().to_owned(),
                    topic: topic.name,
                    found: topic.serialization,
                });
            }
            match self.topic_mut(&topic.name, &topic.type_name) {
                None => self.topics.push(Topic {
                    name: topic.name,
                    type_name: topic.type_name,
                    message_count: topic.message_count,
                    offered_qos: topic.offered_qos,
                    recorded: topic.recorded,
                }),
                Some(known) => {
                    known.message_count =
                        known.message_count.zip(topic.message_count).map(|(a, b)| a + b);
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
        Ok(())
    }

    /// Takes from metadata.yaml what the files do not say themselves.
    fn complete(&mut self, metadata: Metadata) {
        for said in metadata.topics {
            match self.topic_mut(&said.name, &said.type_name) {
                Some(known) => {
                    known.message_count.get_or_insert(said.message_count);
                    if known.offered_qos.is_empty() {
                        known.offered_qos = said.offered_qos;
                    }
                }
                // Recorded without a single message: MCAP files do not name such topics.
                None => self.topics.push(Topic {
                    name: said.name,
                    type_name: said.type_name,
                    message_count: Some(said.message_count),
                    offered_qos: said.offered_qos,
                    recorded: Recorded::default(),
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
}

impl Iterator for Messages {
    type Item = Result<Message, BagWarning>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(next) = self.ordered.next() {
            return Some(next.map(|message| Message {
                topic: message.topic,
                log_time_ns: message.log_time_ns,
                publish_time_ns: message.publish_time_ns,
                data: message.data,
            }));
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
