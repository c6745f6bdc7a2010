//! What recordings consist of: topics and messages, as users see them and as the readers of the
//! file formats give them.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::error::BagWarning;
use super::qos::Qos;

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
    /// Index into [`Bag::topics`](super::Bag::topics).
    pub topic: usize,
    /// When it was received by the recorder, in nanoseconds since the epoch.
    pub log_time_ns: i64,
    /// When it was sent, in nanoseconds since the epoch; the log time where that is not recorded.
    pub publish_time_ns: i64,
    /// The message in CDR with its encapsulation header, as rmw sends it.
    pub data: Vec<u8>,
}

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
    pub topic: Topic,
    /// How its messages are written; `cdr` is all that is read.
    pub serialization: String,
}

/// The serialization of ROS 2's messages.
pub(super) const CDR: &str = "cdr";

/// What was read of one file so far, and what was skipped of it.
#[derive(Debug, Default)]
pub(super) struct ReadSoFar {
    pub messages: u64,
    pub last_log_time_ns: Option<i64>,
    /// Messages whose data cannot be used; topic and reason of the first.
    skipped: u64,
    first_skipped: Option<(String, String)>,
    /// Messages whose log time is beyond what can be counted.
    beyond_time: u64,
}

impl ReadSoFar {
    /// Takes note of a message.
    pub fn count(&mut self, log_time_ns: i64) {
        self.messages += 1;
        self.last_log_time_ns = Some(log_time_ns);
    }

    /// Takes note of a message whose data cannot be used, and why. `None` in its place.
    pub fn skip<T>(&mut self, topic: &str, reason: impl ToString) -> Option<T> {
        self.skipped += 1;
        self.first_skipped.get_or_insert_with(|| (topic.to_owned(), reason.to_string()));
        None
    }

    /// Takes note of a message whose log time is beyond what can be counted.
    pub fn count_beyond_time(&mut self) {
        self.beyond_time += 1;
    }

    /// What there is to say about the messages of this file at its end.
    pub fn warnings(&mut self, path: &Path) -> impl Iterator<Item = BagWarning> + use<> {
        let messages = std::mem::take(&mut self.skipped);
        let skipped = self.first_skipped.take().map(|(topic, reason)| BagWarning::Skipped {
            path: path.to_owned(),
            messages,
            topic,
            reason,
        });
        let messages = std::mem::take(&mut self.beyond_time);
        let beyond_time =
            (messages > 0).then(|| BagWarning::TimeNotCounted { path: path.to_owned(), messages });
        skipped.into_iter().chain(beyond_time)
    }
}

/// The sum of the counts of messages, where all are known. Recordings may claim any.
pub(super) fn total(counts: impl IntoIterator<Item = Option<u64>>) -> Option<u64> {
    counts.into_iter().try_fold(0, |sum: u64, count| Some(sum.saturating_add(count?)))
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
