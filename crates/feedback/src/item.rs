//! One reading of a face that is to be reviewed.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use rapport_vocabulary::Emotion;
use serde::{Deserialize, Serialize};

use crate::day::Day;
use crate::draw::Drawn;
use crate::error::FeedbackError;

/// What the network said of a face at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// The expression that was shown to whoever looked.
    pub shown: Emotion,
    /// Whether that was more than the best guess.
    pub sure: bool,
    /// The network's own distribution for this picture alone.
    pub probabilities: BTreeMap<Emotion, f32>,
    /// SHA-256 of the network's file.
    pub model_sha256: String,
}

/// What a reviewer says of a face.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    /// It shows this expression.
    Shows(Emotion),
    /// It is no face.
    NotAFace,
    /// One cannot tell.
    CantTell,
}

impl Answer {
    const NOT_A_FACE: &'static str = "not_a_face";
    const CANT_TELL: &'static str = "cant_tell";

    /// The word for it in files and over the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Shows(emotion) => emotion.as_str(),
            Self::NotAFace => Self::NOT_A_FACE,
            Self::CantTell => Self::CANT_TELL,
        }
    }

    /// The expression, where one was named.
    pub fn emotion(self) -> Option<Emotion> {
        match self {
            Self::Shows(emotion) => Some(emotion),
            Self::NotAFace | Self::CantTell => None,
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Answer {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            Self::NOT_A_FACE => Ok(Self::NotAFace),
            Self::CANT_TELL => Ok(Self::CantTell),
            word => word.parse().map(Self::Shows).map_err(|_| {
                let word: String = word.chars().take(40).collect();
                let (names, no, cant) = (Emotion::names(), Self::NOT_A_FACE, Self::CANT_TELL);
                format!("answer `{word}`, expected one of {names}, {no}, {cant}")
            }),
        }
    }
}

impl Serialize for Answer {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Answer {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What is stored of an item beside its face: numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// Where it was.
    pub place: String,
    /// When, no finer than the day.
    pub day: Day,
    /// What the network said.
    #[serde(flatten)]
    pub reading: Reading,
    /// How it was drawn.
    pub drawn: Drawn,
    /// The chance with which it was drawn, above 0 to 1.
    pub chance: f64,
    /// Items of one visit share it; it means nothing else.
    pub visit: u64,
    /// The hash of the consent's code, while that lasts; then the answer is nobody's.
    pub(crate) consent: Option<String>,
    /// What a reviewer said.
    pub answer: Option<Answer>,
}

/// The name of an item: random, so that their order tells nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemId(String);

impl ItemId {
    pub(crate) fn new() -> Result<Self, FeedbackError> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(FeedbackError::Random)?;
        Ok(Self(format!("{:032x}", u128::from_ne_bytes(random))))
    }

    /// As files and addresses have it: 32 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for ItemId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() == 32 && text.bytes().all(is_digit) {
            return Ok(Self(text.to_owned()));
        }
        let text: String = text.chars().take(40).collect();
        Err(format!("item `{text}`, expected 32 hexadecimal digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_round_trip_and_others_are_named() {
        let answers = Emotion::ALL.map(Answer::Shows).into_iter();
        for answer in answers.chain([Answer::NotAFace, Answer::CantTell]) {
            assert_eq!(answer.as_str().parse(), Ok(answer));
            let json = serde_json::to_string(&answer).unwrap();
            assert_eq!(serde_json::from_str::<Answer>(&json).unwrap(), answer);
        }
        assert!("hapy".parse::<Answer>().unwrap_err().contains("`hapy`"));
        let id = ItemId::new().unwrap();
        assert_eq!(id.as_str().parse(), Ok(id));
        for wrong in ["", "../../../../../../../../etc/passwd", "ABCDEF00000000000000000000000000"]
        {
            assert!(wrong.parse::<ItemId>().is_err());
        }
    }
}
