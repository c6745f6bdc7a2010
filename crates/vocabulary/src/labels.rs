//! The labels that a model tells apart.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::emotion::{AFFECT_SOURCE, Affect, Distribution, Emotion, UnknownEmotion};

/// The labels that a model tells apart, in the order of its output, with the valence and arousal of
/// each. Never empty, each label once. Cheap to clone.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelSet(Arc<Inner>);

#[derive(Debug, PartialEq)]
struct Inner {
    labels: Vec<Emotion>,
    affect: Vec<Affect>,
    affect_source: String,
}

/// Why words are no label set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LabelSetError {
    /// No label at all.
    #[error("no labels, expected at least one of {}", Emotion::names())]
    Empty,
    /// A label that comes twice.
    #[error("label `{0}` comes twice, expected each once")]
    Twice(Emotion),
    /// A word that is no label.
    #[error(transparent)]
    Unknown(#[from] UnknownEmotion),
    /// Values of valence and arousal that do not go with the labels.
    #[error("{found} pairs of valence and arousal for {expected} labels, each expected -1 to 1")]
    Affect {
        /// How many pairs were given.
        found: usize,
        /// How many labels there are.
        expected: usize,
    },
}

impl LabelSet {
    /// These labels in this order, with the valence and arousal of [`Emotion::affect`].
    ///
    /// # Errors
    /// If there are none, or one comes twice.
    pub fn new(labels: impl IntoIterator<Item = Emotion>) -> Result<Self, LabelSetError> {
        let labels: Vec<_> = labels.into_iter().collect();
        if labels.is_empty() {
            return Err(LabelSetError::Empty);
        }
        for (index, label) in labels.iter().enumerate() {
            if labels.iter().take(index).any(|before| before == label) {
                return Err(LabelSetError::Twice(*label));
            }
        }
        Ok(Self::of_distinct(labels))
    }

    fn of_distinct(labels: Vec<Emotion>) -> Self {
        let affect = labels.iter().map(|label| label.affect()).collect();
        Self(Arc::new(Inner { labels, affect, affect_source: AFFECT_SOURCE.to_owned() }))
    }

    /// The seven of FER2013: all but contempt, in the order of [`Emotion::ALL`].
    pub fn seven() -> Self {
        Self::of_distinct(vec![
            Emotion::Angry,
            Emotion::Disgust,
            Emotion::Fear,
            Emotion::Happy,
            Emotion::Neutral,
            Emotion::Sad,
            Emotion::Surprise,
        ])
    }

    /// The same labels with other valence and arousal, one pair for each label, -1 to 1.
    ///
    /// # Errors
    /// If there are more or fewer pairs than labels, or one lies outside -1 to 1.
    pub fn with_affect(
        self,
        affect: Vec<Affect>,
        source: impl Into<String>,
    ) -> Result<Self, LabelSetError> {
        let is_in_range = |value: f32| (-1.0..=1.0).contains(&value);
        let all = affect.iter().all(|a| is_in_range(a.valence) && is_in_range(a.arousal));
        if affect.len() != self.len() || !all {
            return Err(LabelSetError::Affect { found: affect.len(), expected: self.len() });
        }
        let labels = self.0.labels.clone();
        Ok(Self(Arc::new(Inner { labels, affect, affect_source: source.into() })))
    }

    /// The labels in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Emotion> + Clone + '_ {
        self.0.labels.iter().copied()
    }

    /// How many labels there are; at least 1.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.0.labels.len()
    }

    /// Whether a label is among them.
    pub fn contains(&self, label: Emotion) -> bool {
        self.0.labels.contains(&label)
    }

    /// Where a label stands in the order.
    pub fn index_of(&self, label: Emotion) -> Option<usize> {
        self.iter().position(|known| known == label)
    }

    /// The words in order.
    pub fn names(&self) -> Vec<&'static str> {
        self.iter().map(Emotion::as_str).collect()
    }

    /// The probabilities of the labels, in their order.
    pub fn values(&self, distribution: &Distribution) -> Vec<f32> {
        self.iter().map(|label| distribution.of(label)).collect()
    }

    /// The distribution of probabilities given in the order of the labels; missing ones count as 0.
    pub fn distribution(&self, values: &[f32]) -> Distribution {
        Distribution::of_pairs(self.iter().zip(values.iter().copied()))
    }

    /// The mean valence and arousal of the labels under a distribution.
    pub fn affect(&self, distribution: &Distribution) -> Affect {
        let mut mean = Affect { valence: 0.0, arousal: 0.0 };
        for (label, affect) in self.iter().zip(&self.0.affect) {
            mean.valence += distribution.of(label) * affect.valence;
            mean.arousal += distribution.of(label) * affect.arousal;
        }
        mean
    }

    /// Where the valence and arousal of each label come from.
    pub fn affect_source(&self) -> &str {
        &self.0.affect_source
    }
}

/// The words, separated by commas.
impl fmt::Display for LabelSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().join(","))
    }
}

/// Reads words separated by commas, as a model's metadata has them.
impl FromStr for LabelSet {
    type Err = LabelSetError;

    fn from_str(text: &str) -> Result<Self, LabelSetError> {
        if text.trim().is_empty() {
            return Err(LabelSetError::Empty);
        }
        let labels = text.split(',').map(Emotion::from_word).collect::<Result<Vec<_>, _>>()?;
        Self::new(labels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_a_set_in_their_order() {
        let labels: LabelSet = "sadness, happy,contempt".parse().unwrap();
        assert_eq!(labels.to_string(), "sad,happy,contempt");
        assert_eq!(labels.index_of(Emotion::Contempt), Some(2));
        assert_eq!(labels.index_of(Emotion::Fear), None);
        let distribution = labels.distribution(&[0.2, 0.7, 0.1]);
        assert_eq!(distribution.of(Emotion::Happy), 0.7);
        assert_eq!(labels.values(&distribution), [0.2, 0.7, 0.1]);
        assert_eq!(LabelSet::seven().len(), 7);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let error = |text: &str| text.parse::<LabelSet>().unwrap_err().to_string();
        assert!(error("").starts_with("no labels"));
        assert_eq!(error("sad,sadness"), "label `sad` comes twice, expected each once");
        assert!(error("sad,hapy").contains("`hapy`"));
        let one = LabelSet::new([Emotion::Sad]).unwrap();
        let out = Affect { valence: -2.0, arousal: 0.0 };
        assert!(one.clone().with_affect(vec![out], "x").is_err());
        assert!(one.with_affect(vec![], "x").is_err());
    }

    #[test]
    fn affect_is_the_mean_over_the_distribution() {
        let labels = LabelSet::seven();
        let half_happy = Distribution::of_pairs([(Emotion::Happy, 0.5), (Emotion::Neutral, 0.5)]);
        assert_eq!(labels.affect(&half_happy), Affect { valence: 0.405, arousal: 0.255 });
        let own = vec![Affect { valence: 1.0, arousal: -1.0 }; 7];
        let own = labels.with_affect(own, "ours").unwrap();
        assert_eq!(own.affect(&half_happy), Affect { valence: 1.0, arousal: -1.0 });
        assert_eq!(own.affect_source(), "ours");
    }
}
