//! The labels of one frame.

use serde::{Deserialize, Serialize};

use super::details::LabelDetails;
use crate::metrics::Votes;
use rapport_vocabulary::Emotion;

/// The labels that were given for the faces of one frame.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FrameLabels {
    /// The label of every face without one of its own.
    pub anyone: Option<Emotion>,
    /// Faces with labels of their own; nothing where these contradict each other.
    pub of_face: Vec<(String, Option<Emotion>)>,
    /// What several people voted, for a picture of one face.
    pub votes: Option<Votes>,
    /// What else is said, by face; under the empty id of every face that has none of its own.
    pub details: Vec<(String, LabelDetails)>,
}

impl FrameLabels {
    /// The label of a face; `None` where it has none.
    pub fn of(&self, face_id: &str) -> Option<Emotion> {
        match self.of_face.iter().find(|(id, _)| id == face_id) {
            Some((_, own)) => *own,
            None => self.anyone,
        }
    }

    /// What else is said of a face.
    pub fn details_of(&self, face_id: &str) -> Option<&LabelDetails> {
        let of = |id: &str| self.details.iter().find(|(known, _)| known == id);
        of(face_id).or_else(|| of("")).map(|(_, details)| details)
    }

    /// Adds what a row says of a face.
    pub fn add_details(&mut self, face_id: &str, more: &LabelDetails) {
        match self.details.iter_mut().find(|(known, _)| known == face_id) {
            Some((_, details)) => details.merge(more),
            None => self.details.push((face_id.to_owned(), more.clone())),
        }
    }

    /// Whether nothing is labelled.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_face_whose_labels_contradict_each_other_is_not_anyone() {
        let labels = FrameLabels {
            anyone: Some(Emotion::Neutral),
            of_face: vec![("face_1".to_owned(), None)],
            ..FrameLabels::default()
        };
        assert_eq!(labels.of("face_1"), None);
        assert_eq!(labels.of("face_2"), Some(Emotion::Neutral));
        assert!(!labels.is_empty() && FrameLabels::default().is_empty());
    }
}
