//! Compares a policy with the labels of the running model.

use rapport_settings::quote;
use rapport_vocabulary::Emotion;

use super::policy::Policy;

/// The most labels of a model that a warning lists.
const MAX_LISTED: usize = 32;

/// The labels of a model, as its messages name them, and what is wrong with them for a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelLabels {
    /// Labels that are no expressions known here, cut short and between backquotes. Faces that show
    /// them are not answered.
    pub unknown: Vec<String>,
    /// Expressions that the policy names and the model does not tell apart. Nobody is ever answered
    /// for them.
    pub missing: Vec<Emotion>,
    /// Expressions that the policy names.
    in_policy: Vec<Emotion>,
    /// All labels of the model, known ones by their usual name.
    in_model: Vec<String>,
}

impl ModelLabels {
    /// Compares the labels of a model with a policy. They may be any text.
    pub fn compare(labels: &[String], policy: &Policy) -> Self {
        let mut known = Vec::new();
        let (mut unknown, mut in_model) = (Vec::new(), Vec::new());
        for label in labels {
            match Emotion::from_word(label) {
                Ok(emotion) => {
                    known.push(emotion);
                    in_model.push(emotion.to_string());
                }
                Err(_) => {
                    unknown.push(quote(label));
                    in_model.push(quote(label));
                }
            }
        }
        let in_policy: Vec<Emotion> = policy.emotions().into_iter().collect();
        let missing = in_policy.iter().copied().filter(|named| !known.contains(named)).collect();
        Self { unknown, missing, in_policy, in_model }
    }

    /// A sentence for each thing that is wrong; none where policy and model fit.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if !self.unknown.is_empty() {
            warnings.push(format!(
                "the model has labels that are unknown here: {}; faces that show them are skipped \
                 (known: {})",
                list(&self.unknown),
                Emotion::names()
            ));
        }
        if !self.missing.is_empty() {
            warnings.push(format!(
                "the policy names expressions that the model does not tell apart: {}; nobody will \
                 be answered for them (the policy names: {}; the model's labels: {})",
                list(&self.missing),
                list(&self.in_policy),
                list(&self.in_model)
            ));
        }
        warnings
    }
}

fn list(words: &[impl ToString]) -> String {
    let mut listed: Vec<String> = words.iter().take(MAX_LISTED).map(ToString::to_string).collect();
    if words.len() > MAX_LISTED {
        listed.push(format!("and {} more", words.len() - MAX_LISTED));
    }
    listed.join(", ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::path::Path;

    use super::*;

    const POLICY: &str = "
version: 1
rules:
  - name: first
    when: {emotion: [contempt, happy], confidence: 0.5, for_secs: 1}
    cooldown_secs: 1
    answer: {gesture: nod, duration_secs: 1}
  - name: second
    when: {emotion: [sad, happy], confidence: 0.5, for_secs: 1}
    cooldown_secs: 1
    answer: {gesture: nod, duration_secs: 1}
";

    fn warnings(labels: &[&str]) -> Vec<String> {
        let policy = Policy::parse(Path::new("test.yaml"), POLICY.as_bytes()).unwrap();
        let labels: Vec<String> = labels.iter().map(|label| (*label).to_owned()).collect();
        ModelLabels::compare(&labels, &policy).warnings()
    }

    #[test]
    fn labels_that_the_policy_needs_are_enough_in_any_word() {
        assert_eq!(warnings(&["contempt", "neutral", "happy", "sad"]), [""; 0]);
        assert_eq!(warnings(&["Contempt", "happiness", "sadness"]), [""; 0]);
    }

    #[test]
    fn what_the_model_lacks_is_named_with_both_lists() {
        assert_eq!(
            warnings(&["happy", "sadness", "fear"]),
            ["the policy names expressions that the model does not tell apart: contempt; nobody \
              will be answered for them (the policy names: happy, sad, contempt; the model's \
              labels: happy, sad, fear)"]
        );
    }

    #[test]
    fn labels_that_are_unknown_are_named_and_cut_short() {
        let long = "bored".repeat(100);
        let found = warnings(&["contempt", "happy", "sad", "calm\n", &long]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("unknown here: `calm `, `boredbored"), "{found:?}");
        assert!(found[0].contains("…`; faces that show them are skipped (known: angry, "));
        assert!(found[0].len() < 400, "{found:?}");
        let many = vec!["x"; 10_000];
        assert!(warnings(&many).iter().all(|warning| warning.len() < 1_000));
        assert!(warnings(&many)[1].ends_with("`x`, and 9968 more)"));
    }
}
