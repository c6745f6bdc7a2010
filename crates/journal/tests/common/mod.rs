//! Visitors for the tests.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::path::Path;
use std::time::Duration;

use rapport_journal::{
    AnswerGiven, ExpressionSeen, ImageSeen, Journal, JournalError, PersonSeen, Recorder, Scope,
    Zone,
};
use rapport_vocabulary::{Emotion, Engagement};
use tempfile::TempDir;

/// Monday 2 November 2026, 00:00 UTC.
pub const MONDAY: Duration = Duration::from_secs(1_793_577_600);

pub const fn hours(hours: u64) -> Duration {
    Duration::from_secs(3600 * hours)
}

pub const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

/// A place to put a journal: in memory where the system has that, for thousands of them.
pub fn directory() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { TempDir::new_in(memory).unwrap() } else { TempDir::new().unwrap() }
}

/// What a visitor shows.
#[derive(Clone, Copy)]
pub struct Visitor {
    pub label: Emotion,
    pub confidence: f32,
    pub engagement: Option<Engagement>,
    pub brightness: f32,
    pub is_classified: bool,
}

impl Visitor {
    pub fn of(label: Emotion) -> Self {
        let engagement = Some(Engagement::Engaged);
        Self { label, confidence: 0.8, engagement, brightness: 0.5, is_classified: true }
    }

    pub fn seen<'a>(&self, id: &'a str) -> PersonSeen<'a> {
        let expression = ExpressionSeen {
            label: self.label,
            sure: self.confidence >= 0.5,
            confidence: self.confidence,
            valence: self.label.affect().valence,
        };
        PersonSeen {
            id,
            expression: self.is_classified.then_some(expression),
            engagement: self.engagement,
            face_size_px: 90.0,
            brightness: Some(self.brightness),
            blur: None,
        }
    }
}

/// One visit of nine seconds, an image a second; a rule answers after four.
pub fn visit(
    recorder: &mut Recorder,
    place: &str,
    at: Duration,
    id: &str,
    visitor: &Visitor,
    rule: Option<&str>,
) {
    for second in 0..=9 {
        let time = at + Duration::from_secs(second);
        recorder.see(&ImageSeen { place, time, people: &[visitor.seen(id)] });
        if let Some(rule) = rule
            && second == 4
        {
            recorder.answer(&AnswerGiven { place, time, rule, people: &[id] });
        }
    }
}

/// So many visits one after another, 20 s apart.
pub fn visits(recorder: &mut Recorder, place: &str, at: Duration, count: u64, visitor: &Visitor) {
    for number in 0..count {
        let start = at + Duration::from_secs(20 * number);
        visit(recorder, place, start, &format!("face_{number}"), visitor, None);
    }
}

/// Everything at a place.
pub fn all(place: &str) -> Scope<'_> {
    Scope { place: Some(place), from: Duration::ZERO, to: Duration::MAX, zone: Zone::UTC }
}

/// A journal with one bucket of twelve visits in it.
pub fn journal_with_a_bucket(path: &Path) -> Result<Journal, JournalError> {
    let mut journal = Journal::open(path)?;
    let mut recorder = finished_bucket(MONDAY);
    journal.append(recorder.finished())?;
    Ok(journal)
}

/// A recorder with one finished bucket of twelve visits.
pub fn finished_bucket(at: Duration) -> Recorder {
    let mut recorder = Recorder::new(15).unwrap();
    visits(&mut recorder, "lobby", at, 12, &Visitor::of(Emotion::Happy));
    recorder.advance(at + minutes(16));
    assert_eq!(recorder.finished().len(), 1);
    recorder
}

/// The visits in all buckets of the lobby.
pub fn visits_in(journal: &Journal) -> u64 {
    let history = journal.history(&all("lobby"), rapport_journal::Period::All).unwrap();
    history.first().and_then(|all| all.visits.as_ref()).map_or(0, |visits| visits.visits)
}
