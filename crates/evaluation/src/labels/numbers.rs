//! Labels as numbers of classes. Each data set counts in an order of its own; the one that is known
//! here is FER2013's, and numbers beyond it show that another was meant.

use rapport_vocabulary::Emotion;

/// Whether numbers can be read, in some set of labels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClassNumbers {
    /// A number that is none of FER2013's.
    foreign: Option<u64>,
}

impl ClassNumbers {
    /// FER2013's classes, from 0.
    const FER2013: [Emotion; 7] = [
        Emotion::Angry,
        Emotion::Disgust,
        Emotion::Fear,
        Emotion::Happy,
        Emotion::Sad,
        Emotion::Surprise,
        Emotion::Neutral,
    ];

    /// How numbers are read, for a warning.
    pub const READING: &str = "labels are numbers and are read as FER2013's classes: 0 angry, \
                               1 disgust, 2 fear, 3 happy, 4 sad, 5 surprise, 6 neutral; \
                               RAF-DB and AffectNet count otherwise";

    /// Of all the labels that there are.
    pub fn of(labels: impl IntoIterator<Item = String>) -> Self {
        let foreign = |label: String| number(&label).filter(|n| Self::known(*n).is_none());
        Self { foreign: labels.into_iter().find_map(foreign) }
    }

    fn known(number: u64) -> Option<Emotion> {
        Self::FER2013.get(usize::try_from(number).ok()?).copied()
    }

    /// Takes a label by its word or number. Also says whether it was a number.
    ///
    /// # Errors
    /// If it is none: what was found and expected.
    pub fn label(&self, text: &str) -> Result<(Emotion, bool), String> {
        let Some(number) = number(text) else {
            return Emotion::from_word(text).map(|label| (label, false)).map_err(|e| e.to_string());
        };
        match (self.foreign, Self::known(number)) {
            (None, Some(label)) => Ok((label, true)),
            (foreign, _) => Err(format!(
                "label `{text}` is a number, and {} is none of FER2013's classes 0 to 6, expected \
                 one of {}",
                foreign.unwrap_or(number),
                Emotion::names()
            )),
        }
    }
}

/// The number that a label is, also written as `3.0`.
fn number(text: &str) -> Option<u64> {
    text.strip_suffix(".0").unwrap_or(text).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_fer2013s_unless_one_is_beyond() {
        let of = |labels: &[&str]| ClassNumbers::of(labels.iter().map(|label| (*label).to_owned()));
        let fer = of(&["3", "6", "happy"]);
        assert_eq!(fer.label("3"), Ok((Emotion::Happy, true)));
        assert_eq!(fer.label("6.0"), Ok((Emotion::Neutral, true)));
        assert_eq!(fer.label("joy"), Ok((Emotion::Happy, false)));
        let affectnet = of(&["3", "7"]);
        let error = affectnet.label("3").unwrap_err();
        assert!(error.starts_with("label `3` is a number, and 7 is none of FER2013's"), "{error}");
        assert!(affectnet.label("sad").is_ok());
    }
}
