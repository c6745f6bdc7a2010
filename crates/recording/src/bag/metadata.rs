//! `metadata.yaml`, which rosbag2 writes beside the files of a recording.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::error::BagError;
use super::qos::{Qos, RecordedQos};
use super::types::CDR;

/// The part of metadata.yaml that reading needs.
#[derive(Debug)]
pub(super) struct Metadata {
    /// The files of the recording in order, as full paths.
    pub files: Vec<PathBuf>,
    /// What it says about each topic.
    pub topics: Vec<MetadataTopic>,
}

/// What metadata.yaml says about one topic.
#[derive(Debug)]
pub(super) struct MetadataTopic {
    pub name: String,
    pub type_name: String,
    pub serialization: String,
    pub message_count: u64,
    pub offered_qos: Vec<Qos>,
    pub type_hash: String,
}

impl Metadata {
    /// Reads `directory/metadata.yaml`; `None` where there is none, or an empty one, as a recorder
    /// leaves it whose power was cut.
    pub fn read(directory: &Path) -> Result<Option<Self>, BagError> {
        let path = directory.join("metadata.yaml");
        let bytes = match std::fs::read(&path) {
            Ok(bytes) if bytes.is_empty() => return Ok(None),
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(BagError::io(&path, error)),
        };
        let wrong = |reason: String| BagError::Metadata { path: path.clone(), reason };
        let text = String::from_utf8(bytes).map_err(|error| wrong(error.to_string()))?;
        let document: Document =
            serde_saphyr::from_str(&text).map_err(|error| wrong(one_line(&error.to_string())))?;
        let info = document.rosbag2_bagfile_information;

        match (info.compression_mode.to_lowercase().as_str(), info.compression_format.as_str()) {
            ("" | "none", _) | (_, "zstd" | "") => {}
            (_, other) => {
                return Err(BagError::Compression {
                    path,
                    found: format!("`{other}`"),
                    expected: "`zstd` or none".to_owned(),
                });
            }
        }
        if info.relative_file_paths.is_empty() {
            return Err(wrong("relative_file_paths is empty".to_owned()));
        }
        let files = info
            .relative_file_paths
            .iter()
            .map(|listed| find_listed(directory, Path::new(listed), &path))
            .collect::<Result<_, _>>()?;
        let topics = info
            .topics_with_message_count
            .into_iter()
            .map(|topic| {
                let TopicMetadata {
                    name,
                    type_name,
                    serialization_format,
                    offered_qos_profiles,
                    type_description_hash,
                } = topic.topic_metadata;
                let offered_qos = offered_qos_profiles.into_qos().map_err(|error| {
                    wrong(format!("offered_qos_profiles of {name}: {}", one_line(&error)))
                })?;
                Ok(MetadataTopic {
                    name,
                    type_name,
                    serialization: serialization_format,
                    message_count: topic.message_count,
                    offered_qos,
                    type_hash: type_description_hash,
                })
            })
            .collect::<Result<_, BagError>>()?;
        Ok(Some(Self { files, topics }))
    }
}

/// Early rosbag2 wrote the directory's name into the paths, so the bare name is tried too; before
/// both, what `zstd -d` makes of a compressed file.
fn find_listed(directory: &Path, listed: &Path, metadata: &Path) -> Result<PathBuf, BagError> {
    let path = directory.join(listed);
    let bare = directory.join(listed.file_name().unwrap_or_default());
    let is_compressed = listed.extension().is_some_and(|extension| extension == "zstd");
    let unpacked = is_compressed.then(|| bare.with_extension(""));
    unpacked
        .into_iter()
        .chain([path.clone(), bare])
        .find(|candidate| candidate.is_file())
        .ok_or_else(|| BagError::ListedFileMissing { path, listed_in: metadata.to_owned() })
}

/// The YAML reader draws the offending lines; one line is enough here.
fn one_line(message: &str) -> String {
    message.lines().next().unwrap_or_default().trim_end_matches(':').to_owned()
}

#[derive(Deserialize)]
struct Document {
    rosbag2_bagfile_information: Information,
}

#[derive(Deserialize)]
struct Information {
    relative_file_paths: Vec<String>,
    #[serde(default)]
    topics_with_message_count: Vec<TopicWithCount>,
    #[serde(default)]
    compression_format: String,
    #[serde(default)]
    compression_mode: String,
}

#[derive(Deserialize)]
struct TopicWithCount {
    topic_metadata: TopicMetadata,
    #[serde(default)]
    message_count: u64,
}

#[derive(Deserialize)]
struct TopicMetadata {
    name: String,
    #[serde(rename = "type")]
    type_name: String,
    #[serde(default = "cdr")]
    serialization_format: String,
    #[serde(default)]
    offered_qos_profiles: OfferedQos,
    /// From metadata version 7 on.
    #[serde(default)]
    type_description_hash: String,
}

fn cdr() -> String {
    CDR.to_owned()
}

/// Up to metadata version 8 a text that holds YAML, from version 9 on YAML itself.
#[derive(Deserialize)]
#[serde(untagged)]
enum OfferedQos {
    List(Vec<RecordedQos>),
    Text(String),
}

impl Default for OfferedQos {
    fn default() -> Self {
        OfferedQos::List(Vec::new())
    }
}

impl OfferedQos {
    fn into_qos(self) -> Result<Vec<Qos>, String> {
        match self {
            OfferedQos::List(list) => Ok(list.into_iter().map(Qos::from).collect()),
            OfferedQos::Text(text) => Qos::parse_list(&text).map_err(|error| error.to_string()),
        }
    }
}
