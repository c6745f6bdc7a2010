//! What went wrong without ending the evaluation: told once, counted in the report.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// The kinds of warnings that tell why a frame was not used.
pub const UNUSED_FRAME: [&str; 3] = ["image not used", "picture not read", "network failed"];

/// Warnings of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// What kind, as one word or two: stays the same from run to run, for programs to look for.
    pub kind: Cow<'static, str>,
    /// How many there were.
    pub count: u64,
    /// The first, in full.
    pub first: String,
}

/// All warnings of a run, in the order in which their kinds first came.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Warnings {
    kinds: Vec<Warning>,
}

impl Warnings {
    /// Counts a warning. The text is only made for the first of its kind, which is returned to be
    /// shown.
    pub fn add(&mut self, kind: &'static str, text: impl FnOnce() -> String) -> Option<&str> {
        if let Some(known) = self.kinds.iter_mut().find(|known| known.kind == kind) {
            known.count = known.count.saturating_add(1);
            return None;
        }
        self.kinds.push(Warning { kind: kind.into(), count: 1, first: text() });
        self.kinds.last().map(|warning| warning.first.as_str())
    }

    /// Counts so many warnings at once; as [`Self::add`] otherwise.
    pub fn add_many(
        &mut self,
        kind: &'static str,
        count: u64,
        text: impl FnOnce() -> String,
    ) -> Option<&str> {
        let more = count.checked_sub(1)?;
        let is_new = self.kinds.iter().all(|known| known.kind != kind);
        self.add(kind, text);
        let known = self.kinds.iter_mut().find(|known| known.kind == kind)?;
        known.count = known.count.saturating_add(more);
        is_new.then_some(known.first.as_str())
    }

    /// Counts the warnings of another run, whose texts are preceded by its name.
    pub fn absorb(&mut self, name: &str, others: impl IntoIterator<Item = Warning>) {
        for other in others {
            match self.kinds.iter_mut().find(|known| known.kind == other.kind) {
                Some(known) => known.count = known.count.saturating_add(other.count),
                None => {
                    let first = format!("{name}: {}", other.first);
                    self.kinds.push(Warning { first, ..other });
                }
            }
        }
    }

    /// The same warnings with other texts.
    pub fn with_texts(&self, text: impl Fn(&str) -> String) -> Self {
        let with_text = |known: &Warning| Warning { first: text(&known.first), ..known.clone() };
        Self { kinds: self.kinds.iter().map(with_text).collect() }
    }

    /// Whether all went well.
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// How many warnings there were.
    pub fn count(&self) -> u64 {
        self.kinds.iter().fold(0, |sum: u64, warning| sum.saturating_add(warning.count))
    }

    /// The warnings, one for each kind.
    pub fn iter(&self) -> impl Iterator<Item = &Warning> {
        self.kinds.iter()
    }
}
