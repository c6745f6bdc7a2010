//! An MCAP recording as rosbag2 would have written it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use mcap::records::{MessageHeader, Metadata};
use mcap::{Compression, WriteOptions, Writer};
use serde_json::{Value, json};

use super::error::BagError;
use super::qos::Qos;
use super::types::{Recorded, Topic};

/// A topic to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTopic {
    /// The full name.
    pub name: String,
    /// The type, for example `sensor_msgs/msg/Image`.
    pub type_name: String,
    /// What replay is to offer.
    pub offered_qos: Vec<Qos>,
    /// What else is kept about it.
    pub recorded: Recorded,
}

impl From<&Topic> for NewTopic {
    fn from(topic: &Topic) -> Self {
        Self {
            name: topic.name.clone(),
            type_name: topic.type_name.clone(),
            offered_qos: topic.offered_qos.clone(),
            recorded: topic.recorded.clone(),
        }
    }
}

#[derive(Debug)]
struct Written {
    topic: NewTopic,
    channel_id: u16,
    count: u64,
}

/// Writes a recording message by message.
pub struct BagWriter {
    writer: Writer<BufWriter<File>>,
    path: PathBuf,
    /// Where metadata.yaml goes, if the recording is a directory.
    directory: Option<PathBuf>,
    topics: Vec<Written>,
    bounds_ns: Option<(i64, i64)>,
}

impl BagWriter {
    /// Begins a recording: one file if `out` ends in `.mcap`, else a directory.
    ///
    /// # Errors
    /// [`BagError::Write`] if something is there already or cannot be made.
    pub fn create(out: &Path) -> Result<Self, BagError> {
        let is_file = out.extension().is_some_and(|extension| extension == "mcap");
        let (directory, path) = if is_file {
            (None, out.to_owned())
        } else {
            let wrong = |error| BagError::write(out, error);
            if out.exists() {
                return Err(wrong("it exists already".to_owned()));
            }
            std::fs::create_dir_all(out).map_err(|error| wrong(error.to_string()))?;
            let name = out.file_name().unwrap_or_default().to_string_lossy();
            (Some(out.to_owned()), out.join(format!("{name}_0.mcap")))
        };
        let file = File::create_new(&path).map_err(|error| BagError::write(&path, error))?;
        let options = WriteOptions::new().profile("ros2").compression(Some(Compression::Zstd));
        let writer = Writer::with_options(BufWriter::new(file), options)
            .map_err(|error| BagError::write(&path, error))?;
        Ok(Self { writer, path, directory, topics: Vec::new(), bounds_ns: None })
    }

    /// Adds a topic and returns its index.
    ///
    /// # Errors
    /// [`BagError::Write`] if it cannot be written.
    pub fn add_topic(&mut self, topic: NewTopic) -> Result<usize, BagError> {
        let recorded = &topic.recorded;
        // Where a definition was not recorded its language is not known either.
        let encoding = match recorded.definition_encoding.as_str() {
            "" => "ros2msg",
            encoding => encoding,
        };
        let definition = recorded.definition.as_bytes();
        let mut metadata =
            BTreeMap::from([("offered_qos_profiles".to_owned(), offers(&topic).to_string())]);
        if !recorded.type_hash.is_empty() {
            metadata.insert("topic_type_hash".to_owned(), recorded.type_hash.clone());
        }
        let writer = &mut self.writer;
        let channel_id = writer
            .add_schema(&topic.type_name, encoding, definition)
            .and_then(|schema| writer.add_channel(schema, &topic.name, "cdr", &metadata))
            .map_err(|error| BagError::write(&self.path, error))?;
        self.topics.push(Written { topic, channel_id, count: 0 });
        Ok(self.topics.len() - 1)
    }

    /// Writes a message in CDR on the topic of this index, which [`Self::add_topic`] gave, with the
    /// times at which it was received and sent.
    ///
    /// # Errors
    /// [`BagError::Write`] if it cannot be written.
    pub fn write(
        &mut self,
        topic: usize,
        log_time_ns: i64,
        publish_time_ns: i64,
        data: &[u8],
    ) -> Result<(), BagError> {
        let Some(written) = self.topics.get_mut(topic) else {
            let topics = self.topics.len();
            let reason = format!("topic number {topic}, expected one below {topics}");
            return Err(BagError::write(&self.path, reason));
        };
        let log_time = u64::try_from(log_time_ns).unwrap_or_default();
        let header = MessageHeader {
            channel_id: written.channel_id,
            // The counter of a channel begins again after its last number.
            sequence: written.count as u32,
            log_time,
            publish_time: u64::try_from(publish_time_ns).unwrap_or_default(),
        };
        written.count += 1;
        let (first, last) = self.bounds_ns.get_or_insert((log_time_ns, log_time_ns));
        (*first, *last) = ((*first).min(log_time_ns), (*last).max(log_time_ns));
        self.writer
            .write_to_known_channel(&header, data)
            .map_err(|error| BagError::write(&self.path, error))
    }

    /// Writes the summary, and metadata.yaml where the recording is a directory.
    ///
    /// # Errors
    /// [`BagError::Write`] if they cannot be written.
    pub fn finish(mut self) -> Result<(), BagError> {
        let about = self.metadata();
        let wrong = |path: &Path, error: &dyn std::fmt::Display| BagError::write(path, error);
        let yaml = |value: &Value| {
            serde_saphyr::to_string(value).map_err(|error| wrong(&self.path, &error))
        };
        let serialized = BTreeMap::from([("serialized_metadata".to_owned(), yaml(&about)?)]);
        let document = yaml(&json!({ "rosbag2_bagfile_information": about }))?;
        let record = Metadata { name: "rosbag2".to_owned(), metadata: serialized };
        self.writer.write_metadata(&record).map_err(|error| wrong(&self.path, &error))?;
        self.writer.finish().map_err(|error| wrong(&self.path, &error))?;
        if let Some(directory) = &self.directory {
            let path = directory.join("metadata.yaml");
            std::fs::write(&path, document).map_err(|error| wrong(&path, &error))?;
        }
        Ok(())
    }

    /// The content of metadata.yaml in version 9, ROS 2 Jazzy's.
    fn metadata(&self) -> Value {
        let (first_ns, last_ns) = self.bounds_ns.unwrap_or_default();
        let count: u64 = self.topics.iter().map(|topic| topic.count).sum();
        let duration = json!({ "nanoseconds": last_ns.saturating_sub(first_ns) });
        let starting_time = json!({ "nanoseconds_since_epoch": first_ns });
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let topic = |written: &Written| {
            let topic = &written.topic;
            json!({
                "topic_metadata": {
                    "name": topic.name,
                    "type": topic.type_name,
                    "serialization_format": "cdr",
                    "offered_qos_profiles": offers(topic),
                    "type_description_hash": topic.recorded.type_hash,
                },
                "message_count": written.count,
            })
        };
        json!({
            "version": 9,
            "storage_identifier": "mcap",
            "duration": duration,
            "starting_time": starting_time,
            "message_count": count,
            "topics_with_message_count": self.topics.iter().map(topic).collect::<Vec<_>>(),
            "compression_format": "",
            "compression_mode": "",
            "relative_file_paths": [name],
            "files": [{
                "path": name,
                "starting_time": starting_time,
                "duration": duration,
                "message_count": count,
            }],
            "custom_data": null,
            "ros_distro": "jazzy",
        })
    }
}

/// What is offered on a topic; JSON, which is YAML too.
fn offers(topic: &NewTopic) -> Value {
    Value::Array(Qos::full_list(&topic.recorded.offered_qos_yaml, &topic.offered_qos))
}
