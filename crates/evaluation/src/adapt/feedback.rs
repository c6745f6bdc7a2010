//! What people answered about what the network saw: the file `feedback.jsonl` of an export.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use rapport_settings::quote;
use rapport_vocabulary::{Distribution, Emotion, LabelSet};
use serde::{Deserialize, Serialize};

/// The name of the file in an export's folder.
pub const FEEDBACK_FILE: &str = "feedback.jsonl";

/// The longest line that is read, in bytes.
const MAX_LINE_BYTES: u64 = 64 * 1024;
/// The sum of probabilities may be off by it: they are written with few digits.
const SUM_TOLERANCE: f32 = 0.02;
/// The least chance with which a face may have been drawn.
const LEAST_CHANCE: f64 = 1e-6;
const MOST_PLACE_CHARS: usize = 200;

/// What somebody said about a face.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It shows this.
    Shows(Emotion),
    /// It is no face.
    NotAFace,
    /// They cannot tell.
    CantTell,
}

/// One answer about one face.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// What was said.
    pub answer: Answer,
    /// What the network gave, before any calibration.
    pub probabilities: Distribution,
    /// How many faces it stands for: 1 over the chance with which it was drawn.
    pub weight: f64,
    /// Where the face was seen.
    pub place: String,
    /// On which day, `2026-11-26`.
    pub day: String,
    /// Answers of one visit share it; nothing where that is unknown.
    pub visit: Option<u64>,
}

/// The answers that are about one network.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Feedback {
    /// In the order of the file.
    pub items: Vec<Item>,
    /// Answers about another network, which say nothing about this one.
    pub of_another_model: u64,
    /// Answers that name an expression that the network does not tell apart.
    pub of_another_label: u64,
}

/// A line of the file. Keys that are not here are for others.
#[derive(Deserialize)]
struct Line {
    answer: String,
    probabilities: BTreeMap<String, f32>,
    chance: f64,
    model_sha256: String,
    #[serde(default)]
    place: String,
    #[serde(default)]
    day: String,
    visit: Option<u64>,
}

impl Feedback {
    /// Reads the answers about a network with these labels from an export's folder, or from its
    /// file.
    ///
    /// # Errors
    /// If the file cannot be read, or a line is no answer: which, what was found and what is
    /// expected.
    pub fn read(path: &Path, model_sha256: &str, labels: &LabelSet) -> anyhow::Result<Self> {
        let path = match path.is_dir() {
            true => path.join(FEEDBACK_FILE),
            false => PathBuf::from(path),
        };
        let shown = path.display();
        let file = File::open(&path).with_context(|| {
            format!(
                "{shown}: expected a folder of `rapport feedback export`, or its feedback.jsonl"
            )
        })?;
        let mut reader = BufReader::new(file);
        let (mut found, mut number) = (Self::default(), 0u64);
        loop {
            let mut line = Vec::new();
            number += 1;
            let mut bounded = std::io::Read::take(&mut reader, MAX_LINE_BYTES + 1);
            if bounded.read_until(b'\n', &mut line).with_context(|| shown.to_string())? == 0 {
                return Ok(found);
            }
            let at = || format!("{shown}:{number}");
            ensure!(
                line.len() as u64 <= MAX_LINE_BYTES,
                "{}: the line has over {MAX_LINE_BYTES} bytes, expected one JSON object",
                at()
            );
            if line.trim_ascii().is_empty() {
                continue;
            }
            let line: Line = serde_json::from_slice(&line)
                .with_context(|| format!("{}: no answer as docs/adapt.md describes it", at()))?;
            found.take(line, model_sha256, labels).with_context(at)?;
        }
    }

    fn take(&mut self, line: Line, model_sha256: &str, labels: &LabelSet) -> anyhow::Result<()> {
        let answer = match line.answer.as_str() {
            "not_a_face" => Answer::NotAFace,
            "cant_tell" => Answer::CantTell,
            word => match Emotion::from_word(word) {
                Ok(label) => Answer::Shows(label),
                Err(_) => bail!(
                    "answer is `{word}`, expected one of {}, not_a_face, cant_tell",
                    Emotion::names()
                ),
            },
        };
        ensure!(
            (LEAST_CHANCE..=1.0).contains(&line.chance),
            "chance is {}, expected {LEAST_CHANCE} to 1",
            line.chance
        );
        // As a calibration's file may name a place.
        let place = line.place.trim();
        ensure!(
            place.chars().count() <= MOST_PLACE_CHARS && !place.chars().any(char::is_control),
            "place is {}, expected up to {MOST_PLACE_CHARS} characters on one line",
            quote(place)
        );
        if !line.model_sha256.eq_ignore_ascii_case(model_sha256) {
            self.of_another_model += 1;
            return Ok(());
        }
        if let Answer::Shows(label) = answer
            && !labels.contains(label)
        {
            self.of_another_label += 1;
            return Ok(());
        }
        let mut pairs = Vec::new();
        for (word, share) in &line.probabilities {
            let label = Emotion::from_word(word).ok().filter(|label| labels.contains(*label));
            let Some(label) = label else {
                bail!("probabilities name `{word}`, expected labels of {labels}")
            };
            ensure!(
                (0.0..=1.0).contains(share),
                "the probability of {word} is {share}, expected 0 to 1"
            );
            pairs.push((label, *share));
        }
        let sum: f32 = pairs.iter().map(|(_, share)| share).sum();
        ensure!(
            (sum - 1.0).abs() <= SUM_TOLERANCE,
            "the probabilities have the sum {sum}, expected 1"
        );
        self.items.push(Item {
            answer,
            probabilities: Distribution::of_pairs(pairs),
            weight: 1.0 / line.chance,
            place: place.to_owned(),
            day: line.day,
            visit: line.visit,
        });
        Ok(())
    }

    /// What was given, for a report.
    pub fn counts(&self) -> FeedbackCounts {
        let count = |is: fn(Answer) -> bool| {
            self.items.iter().filter(|item| is(item.answer)).count() as u64
        };
        let days = || self.items.iter().map(|item| item.day.as_str()).filter(|day| !day.is_empty());
        FeedbackCounts {
            expressions: count(|answer| matches!(answer, Answer::Shows(_))),
            not_a_face: count(|answer| answer == Answer::NotAFace),
            cant_tell: count(|answer| answer == Answer::CantTell),
            of_another_model: self.of_another_model,
            of_another_label: self.of_another_label,
            first_day: days().min().unwrap_or_default().to_owned(),
            last_day: days().max().unwrap_or_default().to_owned(),
        }
    }
}

/// What was given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FeedbackCounts {
    /// Answers that name an expression: the calibration rests on them.
    pub expressions: u64,
    /// Answers that there is no face. They count for the places' thresholds.
    pub not_a_face: u64,
    /// Answers of those who cannot tell. They count for nothing.
    pub cant_tell: u64,
    /// Left out: about another network.
    pub of_another_model: u64,
    /// Left out: naming an expression that the network does not tell apart.
    pub of_another_label: u64,
    /// The first day of a face; empty where none is given.
    pub first_day: String,
    /// The last one.
    pub last_day: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"file": null, "answer": "happy", "shown": "neutral", "probabilities":
        {"happy": 0.25, "neutral": 0.75}, "drawn": "uncertain", "chance": 0.2,
        "model_sha256": "AB", "place": "lobby", "day": "2026-11-26"}"#;

    fn read(text: &str) -> anyhow::Result<Feedback> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FEEDBACK_FILE), text).unwrap();
        Feedback::read(folder.path(), "ab", &"happy,neutral,sad".parse().unwrap())
    }

    fn line() -> String {
        LINE.replace('\n', " ")
    }

    #[test]
    fn answers_are_read_and_others_counted() {
        let other = line().replace("\"AB\"", "\"cd\"");
        let fear = line().replace("\"answer\": \"happy\"", "\"answer\": \"fear\"");
        let none = line().replace("\"answer\": \"happy\"", "\"answer\": \"not_a_face\"");
        let found = read(&format!("{}\n\n{other}\n{fear}\n{none}", line())).unwrap();
        assert_eq!((found.of_another_model, found.of_another_label), (1, 1));
        let [first, second] = &found.items[..] else { panic!("{found:?}") };
        assert_eq!(first.answer, Answer::Shows(Emotion::Happy));
        assert_eq!((first.weight, first.place.as_str()), (5.0, "lobby"));
        assert_eq!(first.probabilities.of(Emotion::Neutral), 0.75);
        assert_eq!(second.answer, Answer::NotAFace);
        let counts = found.counts();
        assert_eq!((counts.expressions, counts.not_a_face), (1, 1));
        assert_eq!(counts.first_day, "2026-11-26");
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let error = |from: &str, to: &str| {
            let text = format!("{}\n{}\n", line(), line().replace(from, to));
            format!("{:#}", read(&text).unwrap_err())
        };
        for (from, to, expected) in [
            (
                "\"answer\": \"happy\"",
                "\"answer\": \"bored\"",
                "answer is `bored`, expected one of",
            ),
            ("0.2,", "0,", "chance is 0, expected 0.000001 to 1"),
            ("lobby", "lob\\nby", "place is `lob by`, expected up to 200 characters"),
            ("0.25", "0.5", "the sum 1.25, expected 1"),
            ("0.25", "-0.25", "the probability of happy is -0.25"),
            ("{\"happy\"", "{\"fear\"", "probabilities name `fear`"),
            ("\"chance\": 0.2,", "", "missing field `chance`"),
            ("{\"file\"", "[\"file\"", "no answer as docs/adapt.md"),
        ] {
            let found = error(from, to);
            assert!(found.contains("feedback.jsonl:2") && found.contains(expected), "{found}");
        }
        let nowhere = Feedback::read(Path::new("/no/such"), "ab", &LabelSet::seven()).unwrap_err();
        assert!(format!("{nowhere:#}").contains("/no/such: expected a folder"), "{nowhere:#}");
    }
}
