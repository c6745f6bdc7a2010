//! Labels of single frames.

use std::collections::HashMap;

use super::csv::Table;
use super::details::LabelDetails;
use super::error::LabelError;
use super::of_frame::FrameLabels;
use crate::warnings::Warnings;
use rapport_vocabulary::Emotion;

/// All labels of a file, by frame.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FrameTable {
    frames: HashMap<u64, FrameLabels>,
    last_frame: Option<u64>,
    count: u64,
}

impl FrameTable {
    pub(super) fn read(table: &mut Table, warnings: &mut Warnings) -> Result<Self, LabelError> {
        let mut found = Self::default();
        // Frames and faces whose labels contradict each other.
        let mut contradicted: Vec<(u64, String)> = Vec::new();
        while table.next(warnings)? {
            let (label, details) = (table.label(warnings), table.details()?);
            // A group alone says nothing that could be compared.
            if label.is_none() && !details.as_ref().is_some_and(LabelDetails::has_affect) {
                continue;
            }
            let frame = table.decimal("frame");
            // Programs for statistics write whole numbers as 3.0.
            let whole = frame.split_once('.').filter(|(_, rest)| rest.bytes().all(|b| b == b'0'));
            let frame: u64 = (whole.map_or(frame.as_str(), |(whole, _)| whole).parse())
                .map_err(|_| table.wrong("frame", "a number of a frame, from 0"))?;
            let face_id = table.text("face_id");
            found.count += 1;
            found.last_frame = found.last_frame.max(Some(frame));
            let labels = found.frames.entry(frame).or_default();
            if let Some(details) = details {
                labels.add_details(face_id, &details);
            }
            let Some(label) = label else {
                continue;
            };
            let before = if face_id.is_empty() { labels.anyone } else { labels.own(face_id) };
            match before {
                None if face_id.is_empty() => labels.anyone = Some(label),
                None => labels.of_face.push((face_id.to_owned(), Some(label))),
                // `frames.csv` of several models names each face once for each model.
                Some(same) if same == label => {}
                Some(_) => {
                    contradicted.push((frame, face_id.to_owned()));
                    warnings.add("overlapping labels", || {
                        format!("{}: frame {frame} has another label already", table.place())
                    });
                }
            }
        }
        table.if_any(found.count)?;
        for (frame, face_id) in contradicted {
            if let Some(labels) = found.frames.get_mut(&frame) {
                match face_id.as_str() {
                    "" => labels.anyone = None,
                    id => labels.contradict(id),
                }
            }
        }
        Ok(found)
    }

    /// The labels of a frame.
    pub fn at(&self, frame: u64) -> FrameLabels {
        self.frames.get(&frame).cloned().unwrap_or_default()
    }

    /// The last frame with a label.
    pub fn last_frame(&self) -> Option<u64> {
        self.last_frame
    }

    /// How many labels there are.
    pub fn count(&self) -> u64 {
        self.count
    }
}

impl FrameLabels {
    fn own(&self, face_id: &str) -> Option<Emotion> {
        self.of_face.iter().find(|(id, _)| id == face_id).and_then(|(_, label)| *label)
    }

    fn contradict(&mut self, face_id: &str) {
        for (_, label) in self.of_face.iter_mut().filter(|(id, _)| id == face_id) {
            *label = None;
        }
    }
}
