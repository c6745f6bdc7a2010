//! What an adaptation found, to read and as JSON.

use std::fmt;

use rapport_vocabulary::Emotion;
use serde::Serialize;

use super::feedback::FeedbackCounts;
use super::interval::Interval;

/// Everything that was found, whether the calibration was accepted or not. Figures of after are held
/// out: each answer is judged by a calibration that was fitted without it and without the other
/// answers of its day and place.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AdaptReport {
    /// Goes up when keys change their meaning.
    pub format_version: u32,
    /// The network's name.
    pub model: String,
    /// The SHA-256 of its file.
    pub model_sha256: String,
    /// What was given.
    pub feedback: FeedbackCounts,
    /// How many answers were drawn with so small a chance that they would count more than ten times
    /// the median; they count that much.
    pub capped_weights: u64,
    /// Whether answers of one day and place were held out together, which there must be ten of.
    pub grouped_by_day: bool,
    /// With what was in use. Absent where there are too few answers.
    pub before: Option<Figures>,
    /// With the new calibration.
    pub after: Option<Figures>,
    /// By how much the log-loss falls, in nats.
    pub log_loss_improvement: Option<Interval>,
    /// By how much the share of right labels rises.
    pub right_improvement: Option<Interval>,
    /// The temperature that was fitted to all answers.
    pub temperature: Option<f32>,
    /// Each label.
    pub classes: Vec<ClassReport>,
    /// Each place.
    pub places: Vec<PlaceReport>,
    /// Whether temperature and biases are accepted.
    pub accepted_calibration: bool,
    /// Labels that would hardly be found any more: less than half as often as before.
    pub lost_labels: Vec<Emotion>,
    /// Why temperature and biases are not accepted; empty where they are.
    pub refusals: Vec<String>,
}

/// How good labels and probabilities are, over the answers that name an expression.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Figures {
    /// How many answers.
    pub n: u64,
    /// Mean negative logarithm of the probability of what was answered, in nats.
    pub log_loss: f64,
    /// Share of labels that are right.
    pub right: f64,
    /// Mean confidence of the labels: equal to `right` where it holds.
    pub confidence: f64,
    /// Share of labels that are sure.
    pub sure: f64,
    /// Of these, the share that is right; absent where there are none.
    pub right_where_sure: Option<f64>,
}

/// One label.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassReport {
    /// Which one.
    pub label: Emotion,
    /// How many answers name it.
    pub answers: u64,
    /// How many answers are about faces of which the network says it.
    pub shown: u64,
    /// Its share of the faces, by the answers.
    pub share: f64,
    /// Its mean probability with what was in use.
    pub probability_before: f64,
    /// Its mean probability with the new calibration.
    pub probability_after: f64,
    /// Of the faces that show it, the share that gets it as label, with what was in use.
    pub recall_before: Option<f64>,
    /// The same with the new calibration.
    pub recall_after: Option<f64>,
    /// The bias that was fitted; absent where there are too few examples, and it stays 0.
    pub bias: Option<f32>,
}

/// One place.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlaceReport {
    /// Which one; empty for answers that name none.
    pub place: String,
    /// How many answers.
    pub n: u64,
    /// The threshold that gains most; absent where there are too few answers.
    pub min_confidence: Option<f32>,
    /// What it gains over the present rule for each label; a right sure label counts 1.
    pub gain: Option<Interval>,
    /// Whether it is accepted.
    pub accepted: bool,
    /// Why not; empty where it is.
    pub refusal: String,
}

impl fmt::Display for AdaptReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { feedback, .. } = self;
        writeln!(f, "network {}, {:.12}", self.model, self.model_sha256)?;
        write!(f, "{} answers name an expression", feedback.expressions)?;
        write!(f, ", {} no face, {} can't tell", feedback.not_a_face, feedback.cant_tell)?;
        if !feedback.first_day.is_empty() {
            write!(f, "; {} to {}", feedback.first_day, feedback.last_day)?;
        }
        writeln!(f)?;
        for (count, why) in [
            (feedback.of_another_model, "are about another network: left out"),
            (feedback.of_another_label, "name a label that this network lacks: left out"),
            (self.capped_weights, "were drawn too seldom to count in full: capped"),
        ] {
            if count > 0 {
                writeln!(f, "{count} {why}")?;
            }
        }
        self.write_figures(f)?;
        self.write_classes(f)?;
        for label in &self.lost_labels {
            writeln!(
                f,
                "note: {label} is found less than half as often as before: most of the faces that \
                 look like it here show something else"
            )?;
        }
        for place in &self.places {
            let name = if place.place.is_empty() { "(no place)" } else { &place.place };
            match (place.min_confidence, place.accepted) {
                (Some(least), true) => writeln!(
                    f,
                    "{name}: sure from {least}, gains {} a label",
                    shown_interval(place.gain.as_ref(), 3)
                )?,
                _ => writeln!(f, "{name}: sure as before: {}", place.refusal)?,
            }
        }
        match self.accepted_calibration {
            true => writeln!(f, "temperature and biases: accepted"),
            false => self
                .refusals
                .iter()
                .try_for_each(|why| writeln!(f, "temperature and biases: refused: {why}")),
        }
    }
}

impl AdaptReport {
    fn write_figures(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Some(before), Some(after)) = (&self.before, &self.after) else { return Ok(()) };
        let percent = |share: f64| format!("{:.1} %", 100.0 * share);
        let sure = |figures: &Figures| figures.right_where_sure.map_or("-".to_owned(), percent);
        let improvement = shown_interval(self.log_loss_improvement.as_ref(), 3);
        let right = self.right_improvement.as_ref();
        let right = right.map_or(String::new(), |found| {
            let [mean, lower, upper] = [found.mean, found.lower, found.upper].map(|x| 100.0 * x);
            format!("{mean:+.1} ({lower:+.1} to {upper:+.1}) points")
        });
        writeln!(f, "\n{:<18} {:>8} {:>8}   change (95 %)", "held out", "before", "after")?;
        for (name, before, after, change) in [
            (
                "log-loss",
                format!("{:.3}", before.log_loss),
                format!("{:.3}", after.log_loss),
                format!("better by {improvement}"),
            ),
            ("right", percent(before.right), percent(after.right), right),
            (
                "mean confidence",
                percent(before.confidence),
                percent(after.confidence),
                String::new(),
            ),
            ("sure", percent(before.sure), percent(after.sure), String::new()),
            ("right where sure", sure(before), sure(after), String::new()),
        ] {
            writeln!(f, "{}", format!("{name:<18} {before:>8} {after:>8}   {change}").trim_end())?;
        }
        let kept = if self.grouped_by_day { "days at places" } else { "visits" };
        writeln!(f, "n = {}; {kept} were held out\n", before.n)
    }

    fn write_classes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.classes.is_empty() {
            return Ok(());
        }
        let percent = |share: f64| format!("{:.1} %", 100.0 * share);
        let maybe = |share: Option<f64>| share.map_or("-".to_owned(), percent);
        writeln!(
            f,
            "{:<9} {:>7} {:>7} {:>8} {:>9} {:>9} {:>8} {:>8}  bias",
            "label", "answers", "said", "share", "p before", "p after", "recall", "after"
        )?;
        for class in &self.classes {
            writeln!(
                f,
                "{:<9} {:>7} {:>7} {:>8} {:>9} {:>9} {:>8} {:>8}  {}",
                class.label.as_str(),
                class.answers,
                class.shown,
                percent(class.share),
                percent(class.probability_before),
                percent(class.probability_after),
                maybe(class.recall_before),
                maybe(class.recall_after),
                class.bias.map_or("0, too few examples".to_owned(), |bias| format!("{bias:+.2}")),
            )?;
        }
        match self.temperature {
            Some(temperature) => writeln!(f, "temperature {temperature:.2}\n"),
            None => writeln!(f),
        }
    }
}

fn shown_interval(interval: Option<&Interval>, digits: usize) -> String {
    interval.map_or("?".to_owned(), |found| {
        let Interval { mean, lower, upper, .. } = found;
        format!("{mean:.digits$} ({lower:.digits$} to {upper:.digits$})")
    })
}
