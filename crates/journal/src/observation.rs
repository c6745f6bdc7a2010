//! What goes in: who is in view, what the robot answered, what people tapped, how the program does.

use std::time::Duration;

use rapport_vocabulary::{Emotion, Engagement};
use serde::Serialize;

/// The people in one image of one place. Give an image with nobody in it too: it tells that a visit
/// is over.
#[derive(Debug, Clone, Copy)]
pub struct ImageSeen<'a> {
    /// The place, as the operator calls it.
    pub place: &'a str,
    /// When, since 1970 began in UTC. In memory only.
    pub time: Duration,
    /// Everybody in view.
    pub people: &'a [PersonSeen<'a>],
}

/// One person in one image. Numbers that are not finite count as unknown.
#[derive(Debug, Clone, Copy)]
pub struct PersonSeen<'a> {
    /// Stays the same while the person is in view. In memory only.
    pub id: &'a str,
    /// The expression shown; nothing where the face is not classified.
    pub expression: Option<ExpressionSeen>,
    /// Whether the person attends to the robot; nothing where that is unknown.
    pub engagement: Option<Engagement>,
    /// The longer side of the face's box, in pixels.
    pub face_size_px: f32,
    /// Mean brightness of the face, 0 (black) to 1; nothing where unknown.
    pub brightness: Option<f32>,
    /// How blurred the face is, 0 (sharp) to 1; nothing where unknown. Any measure will do that
    /// stays the same over the weeks, for it is only compared with itself.
    pub blur: Option<f32>,
}

/// What a face shows in one image.
#[derive(Debug, Clone, Copy)]
pub struct ExpressionSeen {
    /// The label.
    pub label: Emotion,
    /// Whether the label is more than a guess. The others count only in the share not sure.
    pub sure: bool,
    /// The calibrated probability of the label, 0 to 1: the estimate of accuracy rests on it.
    pub confidence: f32,
    /// How pleasant the expression is, -1 to 1.
    pub valence: f32,
}

/// One answer of the robot.
#[derive(Debug, Clone, Copy)]
pub struct AnswerGiven<'a> {
    /// The place, as the operator calls it.
    pub place: &'a str,
    /// When, since 1970 began in UTC.
    pub time: Duration,
    /// The rule of the policy that fired.
    pub rule: &'a str,
    /// Who was answered: ids of people in view.
    pub people: &'a [&'a str],
}

/// What a person says with a tap: 1 (worst) to 5 (best).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rating(u8);

impl Rating {
    /// How many there are.
    pub const COUNT: usize = 5;

    /// The rating of a number from 1 to 5; `None` for others.
    pub fn new(value: u8) -> Option<Self> {
        (1..=Self::COUNT as u8).contains(&value).then_some(Self(value))
    }

    /// 1 to 5.
    pub const fn get(self) -> u8 {
        self.0
    }
}

/// How the program does at a place: counts since the last call. They tell a quiet hour from one in
/// which nobody looked, and are written for each bucket, however many came; so nothing may go in
/// that depends on people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct HealthCounts {
    /// Images that arrived.
    pub images: u64,
    /// Images that did not arrive, or were not processed.
    pub lost_images: u64,
    /// Errors.
    pub errors: u64,
    /// Seconds for which the camera was looked at, pauses left out.
    pub watched_secs: f64,
    /// Seconds for which somebody had paused it.
    pub paused_secs: f64,
}

/// The longest name of a place or rule, in bytes: longer ones are cut.
pub const LONGEST_NAME: usize = 100;

/// A name as it is stored: cut at [`LONGEST_NAME`], between two characters.
pub(crate) fn name(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST_NAME)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratings_are_1_to_5() {
        let known: Vec<u8> = (0..=255).filter_map(Rating::new).map(Rating::get).collect();
        assert_eq!(known, [1, 2, 3, 4, 5]);
    }

    #[test]
    fn long_names_are_cut_between_characters() {
        assert_eq!(name("lobby"), "lobby");
        assert_eq!(name(&"é".repeat(80)), "é".repeat(50));
        assert_eq!(name(&format!("a{}", "é".repeat(80))).len(), 99);
    }
}
