//! `run.json`: what a folder of results is about. Results of other models or options do not belong
//! together, and a recording without a result is missing, not absent.

use std::path::Path;

use anyhow::{Context, bail, ensure};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::recordings::Recordings;
use crate::model::Model;
use crate::options::EvaluateOptions;
use crate::shown_path::shown;

/// The file's name.
pub const PLAN_FILE: &str = "run.json";

/// Goes up when the file changes.
const VERSION: u32 = 1;

/// What several processes do together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    format_version: u32,
    /// The name of the folder that the recordings are in.
    pub folder: String,
    /// All that figures depend on, but for the recordings and their labels.
    settings: Map<String, Value>,
    /// The names of all recordings, in order.
    pub recordings: Vec<String>,
}

impl Plan {
    /// What is asked for.
    pub fn new(options: &EvaluateOptions, models: &[Model], recordings: &Recordings) -> Self {
        let model = |m: &Model| {
            json!({
                "name": m.name,
                "sha256": m.sha256,
                "calibration_revision": m.calibration_revision,
            })
        };
        let size = options.working_size.map(|size| format!("{}x{}", size.width_px, size.height_px));
        let settings = [
            ("version", json!(env!("CARGO_PKG_VERSION"))),
            ("models", models.iter().map(model).collect()),
            ("place", json!(options.place)),
            ("topic", json!(options.topic)),
            ("label_topic", json!(options.label_topic)),
            ("labels", json!(options.labels.as_deref().map(shown))),
            ("working_size", json!(size)),
            ("rates", json!(options.rates)),
            ("include_faces", json!(options.include_faces)),
            ("groups", json!(options.groups)),
            ("resamples", json!(options.resamples)),
            ("seed", json!(options.seed)),
            ("parquet", json!(options.parquet_group_rows.is_some())),
        ];
        Self {
            format_version: VERSION,
            folder: recordings.folder.clone(),
            settings: settings.map(|(name, value)| (name.to_owned(), value)).into_iter().collect(),
            recordings: recordings.list.iter().map(|found| found.name.clone()).collect(),
        }
    }

    /// Writes the plan into a folder, or finds it there.
    ///
    /// # Errors
    /// If there is another plan: which of its settings differs, and how.
    pub fn agree(&self, folder: &Path) -> anyhow::Result<()> {
        let path = folder.join(PLAN_FILE);
        if !path.exists() {
            // Processes that begin at once write the same, each under a name of its own first.
            let own = folder.join(format!(".{PLAN_FILE}.{}", std::process::id()));
            let text = serde_json::to_vec_pretty(self)?;
            std::fs::write(&own, text)
                .and_then(|()| std::fs::rename(&own, &path))
                .with_context(|| format!("{} not written", path.display()))?;
            return Ok(());
        }
        let there = Self::read(folder)?;
        let expected = "expected the same, or another --output";
        if let Some((name, found, asked)) = there.differing_setting(self) {
            bail!(
                "{}: found results with {name} {found}, and this run has {asked}: {expected}",
                folder.display()
            );
        }
        let unlike =
            there.recordings.iter().zip(&self.recordings).find(|(one, other)| one != other);
        let (found, asked) = (there.recordings.len(), self.recordings.len());
        ensure!(
            unlike.is_none() && found == asked,
            "{}: found results of {found} recordings, and this run has {asked}{}: {expected}",
            folder.display(),
            unlike.map_or_else(String::new, |(one, other)| format!(", {other} in place of {one}"))
        );
        Ok(())
    }

    /// Reads the plan of a folder.
    ///
    /// # Errors
    /// If there is none, or it is of another version.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join(PLAN_FILE);
        let wrong = || {
            format!(
                "{}: no results, expected a folder that `rapport evaluate` made of several recordings \
                 ({PLAN_FILE} in it)",
                folder.display()
            )
        };
        let text = std::fs::read(&path).with_context(wrong)?;
        let plan: Self = serde_json::from_slice(&text).with_context(wrong)?;
        ensure!(
            plan.format_version == VERSION,
            "{}: found version {}, expected {VERSION}",
            path.display(),
            plan.format_version
        );
        Ok(plan)
    }

    /// How many samples are drawn for intervals, and by what.
    pub fn drawing(&self) -> (u32, u64) {
        let number =
            |name: &str| self.settings.get(name).and_then(Value::as_u64).unwrap_or_default();
        (u32::try_from(number("resamples")).unwrap_or_default(), number("seed"))
    }

    /// The first setting in which two plans differ, with both values.
    pub fn differing_setting(&self, other: &Self) -> Option<(String, Value, Value)> {
        let value = |plan: &Self, name: &str| plan.settings.get(name).cloned().unwrap_or_default();
        let names = self.settings.keys().chain(other.settings.keys());
        let mut pairs = names.map(|name| (name.clone(), value(self, name), value(other, name)));
        pairs.find(|(_, one, another)| one != another)
    }
}
