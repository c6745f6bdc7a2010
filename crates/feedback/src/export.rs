//! What an operator takes out for `rapport evaluate`, `rapport adapt` and Label Studio.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rapport_vocabulary::Emotion;
use serde::Serialize;

use crate::day::Day;
use crate::draw::Drawn;
use crate::error::FeedbackError;
use crate::files::{self, make_private_folder, write_private};
use crate::item::{Answer, Item, ItemId};
use crate::key::Key;
use crate::label_studio;
use crate::store::{Answered, FeedbackStore};

const LINES: &str = "feedback.jsonl";
const TASKS: &str = "label_studio.json";
const SETUP: &str = "label_studio.xml";

/// So many digits of an item's name tell the pictures apart.
const NAME_LENGTH: usize = 16;

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exported {
    /// Lines of `feedback.jsonl`: answers.
    pub answers: u64,
    /// Pictures in folders of labels.
    pub pictures: u64,
    /// Pictures of an earlier export that are there no more.
    pub removed: u64,
}

/// A line of `feedback.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Line {
    /// The picture, from the folder on; nothing where there is none, or the answer is no label.
    pub(crate) file: Option<String>,
    pub(crate) answer: Answer,
    pub(crate) shown: Emotion,
    pub(crate) probabilities: BTreeMap<Emotion, f32>,
    pub(crate) drawn: Drawn,
    pub(crate) chance: f64,
    pub(crate) model_sha256: String,
    pub(crate) place: String,
    pub(crate) day: Day,
    /// Lines of one visit share it; counted anew in each export.
    pub(crate) visit: u64,
}

impl FeedbackStore {
    /// Writes the answered items to a folder, their faces **not encrypted**: `LABEL/NAME.png` as
    /// `rapport evaluate --cut-out` reads it, `feedback.jsonl` with a line for each answer, and tasks
    /// and set-up for Label Studio. A folder of an earlier export is brought up to date: what was
    /// withdrawn or has expired goes away there too.
    ///
    /// # Errors
    /// If the folder holds anything else or cannot be written, or a face does not open.
    pub fn export(&self, key: &Key, folder: &Path) -> Result<Exported, FeedbackError> {
        make_private_folder(folder)?;
        let before = earlier_pictures(folder)?;
        let answered = self.answered(key)?;
        let mut visits = BTreeMap::new();
        let mut lines = Vec::new();
        for Answered { id, item, answer, face } in &answered {
            let next = visits.len() as u64 + 1;
            let visit = *visits.entry(item.visit).or_insert(next);
            let file = match (answer.emotion(), face) {
                (Some(label), Some(png)) => {
                    let name = picture_name(label, id);
                    make_private_folder(&folder.join(label.as_str()))?;
                    write_private(&folder.join(&name), png)?;
                    Some(name)
                }
                _ => None,
            };
            lines.push(Line::new(item, *answer, file, visit));
        }
        let files: Vec<_> = lines.iter().filter_map(|line| line.file.as_ref()).collect();
        let mut removed = 0;
        for name in before.iter().filter(|name| !files.contains(name)) {
            removed += u64::from(files::delete(&folder.join(name))?);
        }
        let mut text = String::new();
        for line in &lines {
            text += &serde_json::to_string(line).unwrap_or_default();
            text.push('\n');
        }
        // Last: an export that was cut short still has the list of the one before.
        write_private(&folder.join(TASKS), label_studio::tasks(&lines).as_bytes())?;
        write_private(&folder.join(SETUP), label_studio::SETUP.as_bytes())?;
        write_private(&folder.join(LINES), text.as_bytes())?;
        let (answers, pictures) = (lines.len() as u64, files.len() as u64);
        Ok(Exported { answers, pictures, removed })
    }
}

fn picture_name(label: Emotion, id: &ItemId) -> String {
    let short: String = id.as_str().chars().take(NAME_LENGTH).collect();
    format!("{label}/{short}.png")
}

/// The pictures of an export that is there already; an error where the folder is of something else.
fn earlier_pictures(folder: &Path) -> Result<Vec<String>, FeedbackError> {
    let has_list = folder.join(LINES).exists();
    let mut pictures = Vec::new();
    for entry in fs::read_dir(folder).map_err(FeedbackError::io(folder))? {
        let entry = entry.map_err(FeedbackError::io(folder))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let refuse = |found: &str| {
            let (path, found) = (folder.to_owned(), found.to_owned());
            FeedbackError::ExportFolder { path, found }
        };
        match name.parse::<Emotion>() {
            // Also those of an export that was cut short.
            Ok(_) if entry.path().is_dir() => {
                for file in files::names(&entry.path(), ".png")? {
                    let is_ours = file.len() == NAME_LENGTH
                        && file.bytes().all(|byte| byte.is_ascii_hexdigit());
                    if !is_ours {
                        return Err(refuse(&format!("{name}/{file}.png")));
                    }
                    pictures.push(format!("{name}/{file}.png"));
                }
            }
            _ if [LINES, TASKS, SETUP].contains(&name.as_str()) => {}
            _ if has_list || files::is_unfinished(&name) => {}
            _ => return Err(refuse(&name)),
        }
    }
    Ok(pictures)
}

impl Line {
    fn new(item: &Item, answer: Answer, file: Option<String>, visit: u64) -> Self {
        Self {
            file,
            answer,
            shown: item.reading.shown,
            probabilities: item.reading.probabilities.clone(),
            drawn: item.drawn,
            chance: item.chance,
            model_sha256: item.reading.model_sha256.clone(),
            place: item.place.clone(),
            day: item.day,
            visit,
        }
    }
}
