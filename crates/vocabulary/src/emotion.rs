//! The expressions that a face can show, distributions over them, and their valence and arousal.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An expression as shown by a face: the words that all of Rapport knows. Which of them a model tells
/// apart, and in which order, is its [`LabelSet`](crate::LabelSet).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Emotion {
    /// Brows lowered, lips pressed or teeth bared.
    Angry,
    /// Nose wrinkled, upper lip raised.
    Disgust,
    /// Brows raised and drawn together, eyes wide.
    Fear,
    /// Lip corners and cheeks raised.
    Happy,
    /// None of the others to speak of.
    Neutral,
    /// Inner brows raised, lip corners down.
    Sad,
    /// Brows raised, jaw dropped.
    Surprise,
    /// One corner of the mouth tightened and raised.
    Contempt,
}

/// A word that names no expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown emotion `{found}`, expected one of {}", Emotion::names())]
pub struct UnknownEmotion {
    /// The name as it was given.
    pub found: String,
}

impl Emotion {
    /// How many there are.
    pub const COUNT: usize = 8;

    /// All of them, in the order of a distribution.
    pub const ALL: [Emotion; Self::COUNT] = [
        Emotion::Angry,
        Emotion::Disgust,
        Emotion::Fear,
        Emotion::Happy,
        Emotion::Neutral,
        Emotion::Sad,
        Emotion::Surprise,
        Emotion::Contempt,
    ];

    /// The label used in messages, files and models, in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Emotion::Angry => "angry",
            Emotion::Disgust => "disgust",
            Emotion::Fear => "fear",
            Emotion::Happy => "happy",
            Emotion::Neutral => "neutral",
            Emotion::Sad => "sad",
            Emotion::Surprise => "surprise",
            Emotion::Contempt => "contempt",
        }
    }

    /// All labels, comma separated, for error messages.
    pub fn names() -> String {
        Self::ALL.map(Emotion::as_str).join(", ")
    }

    /// Takes a label by its name or by another word that data sets and models use for it, in any
    /// case.
    ///
    /// # Errors
    /// If it is none, with the names that are expected.
    pub fn from_word(text: &str) -> Result<Self, UnknownEmotion> {
        let name = text.trim().to_lowercase();
        match name.as_str() {
            "anger" | "ang" => Ok(Emotion::Angry),
            "contemptuous" | "con" => Ok(Emotion::Contempt),
            "disgusted" | "dis" => Ok(Emotion::Disgust),
            "fearful" | "scared" | "afraid" | "fea" => Ok(Emotion::Fear),
            "happiness" | "joy" | "joyful" | "hap" => Ok(Emotion::Happy),
            "neutrality" | "neu" => Ok(Emotion::Neutral),
            "sadness" => Ok(Emotion::Sad),
            "surprised" | "sur" => Ok(Emotion::Surprise),
            other => other.parse(),
        }
    }

    /// Valence (pleasant or not) and arousal (activated or calm) of the expression, each -1 to 1.
    ///
    /// The values are those reported for the matching terms by [`AFFECT_SOURCE`]; neutral is the
    /// origin of that space by definition, and contempt has the values of disgust, its neighbour.
    pub const fn affect(self) -> Affect {
        let (valence, arousal) = match self {
            Emotion::Angry => (-0.51, 0.59),
            Emotion::Disgust | Emotion::Contempt => (-0.60, 0.35),
            Emotion::Fear => (-0.64, 0.60),
            Emotion::Happy => (0.81, 0.51),
            Emotion::Neutral => (0.0, 0.0),
            Emotion::Sad => (-0.63, -0.27),
            Emotion::Surprise => (0.40, 0.67),
        };
        Affect { valence, arousal }
    }
}

impl fmt::Display for Emotion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Emotion {
    type Err = UnknownEmotion;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|emotion| emotion.as_str() == name)
            .ok_or_else(|| UnknownEmotion { found: name.to_owned() })
    }
}

/// Where the values of [`Emotion::affect`] come from.
pub const AFFECT_SOURCE: &str = "Russell & Mehrabian 1977, doi:10.1016/0092-6566(77)90037-X";

/// A point in the plane of core affect.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Affect {
    /// Unpleasant -1 to pleasant 1.
    pub valence: f32,
    /// Calm -1 to activated 1.
    pub arousal: f32,
}

/// Probabilities of the expressions, in the order of [`Emotion::ALL`], summing to 1. Those that the
/// model does not tell apart have 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Distribution(pub [f32; Emotion::COUNT]);

impl Distribution {
    /// A distribution with these probabilities, and 0 for all others.
    pub fn of_pairs(pairs: impl IntoIterator<Item = (Emotion, f32)>) -> Self {
        let mut values = [0.0; Emotion::COUNT];
        pairs.into_iter().for_each(|(emotion, value)| values[emotion as usize] = value);
        Self(values)
    }

    /// The probability of one expression.
    pub fn of(&self, emotion: Emotion) -> f32 {
        self.0[emotion as usize]
    }

    /// The most probable expression; of equals, the first in order.
    pub fn top(&self) -> Emotion {
        Emotion::ALL.into_iter().fold(Emotion::ALL[0], |best, emotion| {
            if self.of(emotion) > self.of(best) { emotion } else { best }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_other_data_sets_are_understood() {
        for (text, label) in [
            ("Anger", Emotion::Angry),
            (" surprised ", Emotion::Surprise),
            ("SCARED", Emotion::Fear),
            ("neutral", Emotion::Neutral),
            ("joy", Emotion::Happy),
            ("neutrality", Emotion::Neutral),
            ("HAP", Emotion::Happy),
        ] {
            assert_eq!(Emotion::from_word(text), Ok(label));
        }
        assert!(Emotion::from_word("boredom").is_err());
    }

    #[test]
    fn names_round_trip_and_unknown_ones_list_what_is_allowed() {
        for (index, emotion) in Emotion::ALL.into_iter().enumerate() {
            // A distribution is indexed by it.
            assert_eq!(emotion as usize, index);
            assert_eq!(emotion.as_str().parse(), Ok(emotion));
        }
        let error = "hapy".parse::<Emotion>().unwrap_err().to_string();
        assert!(error.contains("`hapy`") && error.contains("angry, disgust, fear"), "{error}");
    }

    #[test]
    fn of_equals_the_first_is_the_top() {
        let half = Distribution::of_pairs([(Emotion::Neutral, 0.5), (Emotion::Happy, 0.5)]);
        assert_eq!(half.top(), Emotion::Happy);
    }
}
