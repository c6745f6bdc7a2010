//! From a distribution to the label that users get.

use serde::Deserialize;

use crate::emotion::{Distribution, Emotion};
use crate::labels::LabelSet;

/// The rule by which a label is chosen, as the model's metadata holds it.
///
/// Each probability is multiplied by its label's weight, and the label with the largest product is
/// reported; of equals, the first in the model's order. Its confidence is its own probability,
/// without the weight. It is sure where that reaches the least confidence of the label. So a label
/// whose mistakes cost more, such as a negative one, can be asked for more evidence. The
/// probabilities themselves stay as they are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DecisionRule {
    weights: [f32; Emotion::COUNT],
    min_confidence: [f32; Emotion::COUNT],
}

/// The least confidence of a label that is sure, where the model says nothing.
pub const DEFAULT_MIN_CONFIDENCE: f32 = 0.5;

/// The most probable label, sure from one half: below it, the network holds all others together for
/// more probable.
impl Default for DecisionRule {
    fn default() -> Self {
        Self {
            weights: [1.0; Emotion::COUNT],
            min_confidence: [DEFAULT_MIN_CONFIDENCE; Emotion::COUNT],
        }
    }
}

/// As JSON has it; every key may be left out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Document {
    weights: std::collections::BTreeMap<String, f32>,
    min_confidence: f32,
    min_confidence_of: std::collections::BTreeMap<String, f32>,
}

impl Default for Document {
    fn default() -> Self {
        Self {
            weights: Default::default(),
            min_confidence: DEFAULT_MIN_CONFIDENCE,
            min_confidence_of: Default::default(),
        }
    }
}

impl DecisionRule {
    /// Reads the metadata entry `decision` of a model with these labels:
    /// `{"weights": {"sad": 0.7}, "min_confidence": 0.5, "min_confidence_of": {"sad": 0.7}}`.
    ///
    /// # Errors
    /// What is wrong: no such JSON, a label that the model lacks, or a number outside 0 to 1.
    pub fn from_json(text: &str, labels: &LabelSet) -> Result<Self, String> {
        let document: Document = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let share = |what: &str, value: f32| match (0.0..=1.0).contains(&value) {
            true => Ok(value),
            false => Err(format!("{what} is {value}, expected 0 to 1")),
        };
        let label = |word: &str| {
            let known = word.parse().ok().filter(|label| labels.contains(*label));
            known.ok_or_else(|| format!("label `{word}`, expected one of {labels}"))
        };
        let least = share("min_confidence", document.min_confidence)?;
        let mut decision = Self { min_confidence: [least; Emotion::COUNT], ..Self::default() };
        for (word, weight) in &document.weights {
            decision.weights[label(word)? as usize] = share(&format!("weight of {word}"), *weight)?;
        }
        for (word, least) in &document.min_confidence_of {
            decision.min_confidence[label(word)? as usize] =
                share(&format!("min_confidence_of {word}"), *least)?;
        }
        if labels.iter().all(|label| decision.weight(label) == 0.0) {
            return Err("every weight is 0, expected at least one above".to_owned());
        }
        Ok(decision)
    }

    /// What a label's probability is multiplied by, 0 to 1.
    pub fn weight(&self, label: Emotion) -> f32 {
        self.weights[label as usize]
    }

    /// The label that is reported for a distribution.
    pub fn label(&self, distribution: &Distribution, labels: &LabelSet) -> Emotion {
        let mut best = None;
        for label in labels.iter() {
            let product = distribution.of(label) * self.weight(label);
            if best.is_none_or(|(_, most)| product > most) {
                best = Some((label, product));
            }
        }
        best.map_or(Emotion::Neutral, |(label, _)| label)
    }

    /// By how much one label leads another under this rule, -1 to 1.
    pub fn lead(&self, distribution: &Distribution, label: Emotion, other: Emotion) -> f32 {
        distribution.of(label) * self.weight(label) - distribution.of(other) * self.weight(other)
    }

    /// Whether a label is sure at a confidence.
    pub fn is_sure(&self, label: Emotion, confidence: f32) -> bool {
        confidence >= self.min_confidence[label as usize]
    }

    /// From which confidence a label is sure, 0 to 1.
    pub fn min_confidence(&self, label: Emotion) -> f32 {
        self.min_confidence[label as usize]
    }

    /// The same weights with one least confidence for all labels, 0 to 1.
    pub fn with_min_confidence(self, min_confidence: f32) -> Self {
        Self { min_confidence: [min_confidence; Emotion::COUNT], ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_asks_for_more_evidence() {
        let labels: LabelSet = "neutral,sad".parse().unwrap();
        let text = r#"{"weights": {"sad": 0.5}, "min_confidence_of": {"sad": 0.8}}"#;
        let decision = DecisionRule::from_json(text, &labels).unwrap();
        let label = |sad: f32| decision.label(&labels.distribution(&[1.0 - sad, sad]), &labels);
        assert_eq!(label(0.6), Emotion::Neutral);
        assert_eq!(label(0.7), Emotion::Sad);
        assert!(!decision.is_sure(Emotion::Sad, 0.7) && decision.is_sure(Emotion::Sad, 0.8));
        assert!(decision.is_sure(Emotion::Neutral, 0.5));
        let plain = DecisionRule::default();
        let even = labels.distribution(&[0.5, 0.5]);
        assert_eq!(plain.label(&even, &labels), Emotion::Neutral);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let labels = LabelSet::seven();
        let error = |text: &str| DecisionRule::from_json(text, &labels).unwrap_err();
        assert!(error("[").contains("EOF"));
        assert!(error(r#"{"weight": {}}"#).contains("unknown field `weight`"));
        assert!(error(r#"{"weights": {"contempt": 1}}"#).starts_with("label `contempt`"));
        assert_eq!(error(r#"{"min_confidence": 2}"#), "min_confidence is 2, expected 0 to 1");
        let one: LabelSet = "sad".parse().unwrap();
        assert!(DecisionRule::from_json(r#"{"weights": {"sad": 0}}"#, &one).is_err());
    }
}
