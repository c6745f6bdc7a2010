//! What can be wrong with a recording: errors that stop, warnings that do not.

use std::path::{Path, PathBuf};

/// Why a recording cannot be read at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BagError {
    /// Nothing is at the path.
    #[error(
        "{}: no such file or directory, expected a rosbag2 directory, a .mcap or a .db3 file",
        path.display()
    )]
    Missing {
        /// The path as it was given.
        path: PathBuf,
    },
    /// A file that metadata.yaml lists is not there.
    #[error("{}: missing, but {} lists it", path.display(), listed_in.display())]
    ListedFileMissing {
        /// Where the file was looked for.
        path: PathBuf,
        /// The metadata.yaml that names it.
        listed_in: PathBuf,
    },
    /// A directory without any recording in it.
    #[error(
        "{}: found neither metadata.yaml nor any .mcap or .db3 file, expected a rosbag2 recording",
        path.display()
    )]
    EmptyDirectory {
        /// The directory.
        path: PathBuf,
    },
    /// A file that is neither MCAP nor sqlite3.
    #[error("{}: found {found}, expected an MCAP or a sqlite3 (.db3) recording", path.display())]
    NotABag {
        /// The file.
        path: PathBuf,
        /// How it begins.
        found: String,
    },
    /// The operating system refused to open or read.
    #[error("{}: cannot read: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// metadata.yaml does not hold what rosbag2 writes.
    #[error("{}: {reason}, expected what rosbag2 writes", path.display())]
    Metadata {
        /// The metadata.yaml.
        path: PathBuf,
        /// The place in the file and what was found there.
        reason: String,
    },
    /// An MCAP file whose structure cannot be followed from the beginning.
    #[error("{}: found {found}, expected a readable MCAP header", path.display())]
    Mcap {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        found: String,
    },
    /// A sqlite3 file without the tables of rosbag2.
    #[error(
        "{}: found {found}, expected the tables `topics` and `messages` of a rosbag2 recording",
        path.display()
    )]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What is there instead, or what sqlite3 says.
        found: String,
    },
    /// No topic is in ROS 2's CDR.
    #[error(
        "{}: topic {topic} is serialized as `{found}`, expected `cdr`",
        path.display()
    )]
    Serialization {
        /// The file.
        path: PathBuf,
        /// The first topic.
        topic: String,
        /// Its serialization format.
        found: String,
    },
    /// A recording that cannot be written.
    #[error("{}: not written: {reason}", path.display())]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system or the MCAP library says.
        reason: String,
    },
    /// A compression that is not supported.
    #[error("{}: compressed as {found}, expected {expected}", path.display())]
    Compression {
        /// The file.
        path: PathBuf,
        /// The compression.
        found: String,
        /// What is supported, or how to undo the compression.
        expected: String,
    },
}

impl BagError {
    pub(super) fn write(path: &Path, reason: impl std::fmt::Display) -> Self {
        Self::Write { path: path.to_owned(), reason: reason.to_string() }
    }

    pub(super) fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
}

/// What is wrong with a recording that is read all the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BagWarning {
    /// The directory has no metadata.yaml, or an empty one: its files are read in order of time.
    #[error("{}: no metadata.yaml or an empty one, reading {files} file(s) in order of time", path.display())]
    MetadataMissing {
        /// The directory.
        path: PathBuf,
        /// How many recordings it holds.
        files: usize,
    },
    /// The file ends in the middle: every whole message before the end was read.
    #[error(
        "{}: cut off at byte {at_byte} after {messages} whole messages{}",
        path.display(), until(*last_log_time_ns)
    )]
    Cut {
        /// The file.
        path: PathBuf,
        /// The length of the file.
        at_byte: u64,
        /// How many messages of the file were read.
        messages: u64,
        /// When the last of them was recorded, in nanoseconds since the epoch.
        last_log_time_ns: Option<i64>,
    },
    /// Some of the file cannot be understood.
    #[error(
        "{}: damaged near byte {at_byte} ({reason}); read {messages} messages{}",
        path.display(), until(*last_log_time_ns)
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where reading failed, after decompression of the file as a whole.
        at_byte: u64,
        /// What failed.
        reason: String,
        /// How many messages of the file were read.
        messages: u64,
        /// When the last of them was recorded, in nanoseconds since the epoch.
        last_log_time_ns: Option<i64>,
    },
    /// A topic whose messages are not in ROS 2's CDR.
    #[error(
        "{}: topic {topic} left out{}: serialized as `{found}`, expected `cdr`",
        path.display(), of_messages(*messages)
    )]
    NotCdr {
        /// The file.
        path: PathBuf,
        /// The topic.
        topic: String,
        /// Its serialization format.
        found: String,
        /// How many messages it has, where the recording says so.
        messages: Option<u64>,
    },
    /// Messages whose data cannot be used, for example because it does not decompress.
    #[error("{}: {messages} message(s) skipped, the first on {topic}: {reason}", path.display())]
    Skipped {
        /// The file.
        path: PathBuf,
        /// How many.
        messages: u64,
        /// The topic of the first.
        topic: String,
        /// What is wrong with the first.
        reason: String,
    },
    /// Messages whose log time lies beyond the year 2262, where nanoseconds end. The time at which
    /// they were sent stands in for it where that can be counted.
    #[error(
        "{}: {messages} message(s) have a log time beyond the year 2262: the recorder's clock was \
         wrong or the file is damaged",
        path.display()
    )]
    TimeNotCounted {
        /// The file.
        path: PathBuf,
        /// How many.
        messages: u64,
    },
    /// A longer time without any message than a recording lasts.
    #[error(
        "{}: no message for {:.1} days from {} on: the recorder's clock was set, or recording \
         paused",
        path.display(), (*to_ns as f64 - *from_ns as f64) / DAY_NS, secs(*from_ns)
    )]
    Gap {
        /// The recording.
        path: PathBuf,
        /// The log time of the last message before, in nanoseconds since the epoch.
        from_ns: i64,
        /// The log time of the first message after.
        to_ns: i64,
    },
    /// A file of several that cannot be opened.
    #[error("left out a file that cannot be read: {reason}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why, with the path.
        reason: String,
    },
    /// Some messages lie too far from their place in time to be put there.
    #[error(
        "{}: {messages} messages come up to {:.3} s late, the first on {topic}",
        path.display(), *by_ns as f64 / 1e9
    )]
    OutOfOrder {
        /// The recording.
        path: PathBuf,
        /// The topic of the first such message.
        topic: String,
        /// How many there are.
        messages: u64,
        /// The longest time by which one comes late, in nanoseconds.
        by_ns: i64,
    },
}

fn until(last_log_time_ns: Option<i64>) -> String {
    last_log_time_ns.map_or_else(String::new, |ns| format!(", the last at {}", secs(ns)))
}

fn of_messages(messages: Option<u64>) -> String {
    messages.map_or_else(String::new, |messages| format!(" with {messages} message(s)"))
}

fn secs(ns: i64) -> String {
    format!("{}.{:09} s", ns.div_euclid(NS), ns.rem_euclid(NS))
}

const NS: i64 = 1_000_000_000;
const DAY_NS: f64 = 86_400e9;
