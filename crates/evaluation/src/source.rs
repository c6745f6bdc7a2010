//! What is evaluated: a recording, a folder of pictures, or FER2013's CSV.

use std::path::Path;

use anyhow::bail;
use rapport_perception::RateOptions;
use serde::{Deserialize, Serialize};

use crate::shown_path::shown;

/// What lies at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A rosbag2 recording.
    Bag,
    /// Pictures in folders that are named like labels.
    Folder,
    /// `emotion,pixels,Usage`.
    Fer2013,
    /// Several rosbag2 recordings.
    Recordings,
}

/// What is evaluated, as the report has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// What it is.
    pub kind: Kind,
    /// The name of the file or folder, without those above it.
    pub path: String,
    /// The topic, for a recording.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// How often images were searched and faces classified, for a recording.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rates: Option<RateOptions>,
    /// The part, for FER2013.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<String>,
    /// The file of FER+'s votes, by its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub votes: Option<String>,
    /// Whether each picture is a face already; otherwise faces are looked for.
    pub faces_are_cut_out: bool,
    /// Messages of the topic, pictures, or rows.
    pub frames: u64,
    /// Those that could be processed.
    pub frames_used: u64,
    /// From the first stamp used to the last, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_secs: Option<f64>,
    /// Where a recording ends: seconds from its first message to its last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_at_secs: Option<f64>,
    /// Each recording, where there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recordings: Vec<RecordingSummary>,
}

/// One recording of several.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RecordingSummary {
    /// Its path below the folder of all.
    pub name: String,
    /// Why it could not be evaluated; `None` where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// Messages of its topic.
    pub frames: u64,
    /// Those that could be processed.
    pub frames_used: u64,
    /// From the first stamp used to the last, in seconds.
    pub duration_secs: f64,
    /// Labelled faces that were found.
    pub labelled_faces: u64,
    /// The share of them that the first model reads as labelled.
    pub accuracy: Option<f64>,
    /// Warnings about it.
    pub warnings: u64,
}

impl Source {
    /// Nothing seen yet.
    pub fn new(kind: Kind, path: &Path, faces_are_cut_out: bool) -> Self {
        Self {
            kind,
            path: shown(path),
            topic: None,
            rates: None,
            usage: None,
            votes: None,
            faces_are_cut_out,
            frames: 0,
            frames_used: 0,
            duration_secs: None,
            ends_at_secs: None,
            recordings: Vec::new(),
        }
    }
}

impl Kind {
    /// Recognises what lies at a path. `is_listed`: a CSV names its pictures, wherever they lie in it.
    ///
    /// # Errors
    /// If it is nothing that can be evaluated.
    pub fn of(path: &Path, is_listed: bool) -> anyhow::Result<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        if name.ends_with(".csv") || name.ends_with(".csv.xz") {
            return Ok(Kind::Fer2013);
        }
        if !path.is_dir() {
            // `Bag::open` says what is wrong with anything else.
            return Ok(Kind::Bag);
        }
        let is_recording = |name: &str| {
            let name = name.strip_suffix(".zstd").unwrap_or(name);
            name == "metadata.yaml" || name.ends_with(".mcap") || name.ends_with(".db3")
        };
        let mut folders = 0;
        for entry in std::fs::read_dir(path)? {
            let entry = entry?;
            if is_recording(&entry.file_name().to_string_lossy()) {
                return Ok(Kind::Bag);
            }
            folders += usize::from(entry.path().is_dir());
        }
        if folders == 0 && !is_listed {
            bail!(
                "{}: found no recording and no folders in it, expected metadata.yaml, .mcap or \
                 .db3 files, or one folder of pictures for each label",
                path.display()
            );
        }
        Ok(Kind::Folder)
    }
}
