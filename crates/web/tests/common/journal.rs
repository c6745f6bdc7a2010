//! A journal of three weeks, as it was kept before the server of a test starts.

use std::path::Path;
use std::time::Duration;

use rapport_journal::{
    AnswerGiven, ExpressionSeen, HealthCounts, ImageSeen, Journal, PersonSeen, Rating, Recorder,
};
use rapport_vocabulary::{Emotion, Engagement};
use rapport_web::journal::now;

pub const DAYS: u64 = 21;
/// Of each day.
pub const VISITS: u64 = 24;

/// A quarter of an hour from noon UTC with visits on each of the last days, the last one yesterday. With the
/// second half of the days the policy is another one, and everybody smiles.
pub fn keep(file: &Path, place: &str) {
    let (mut journal, mut recorder) = (Journal::open(file).unwrap(), Recorder::new(15).unwrap());
    let today = now().as_secs() / 86_400;
    for day in today - DAYS..today {
        let noon = Duration::from_secs(day * 86_400 + 43_200);
        let is_later = day >= today - DAYS / 2;
        let policy = if is_later { "new" } else { "old" };
        journal.policy_changed(place, noon, policy).unwrap();
        for visit in 0..VISITS {
            let id = format!("face_{visit}");
            let smiles = is_later || visit % 4 == 0;
            for second in 0..10 {
                let time = noon + Duration::from_secs(visit * 30 + second);
                let label = if smiles { Emotion::Happy } else { Emotion::Neutral };
                let expression =
                    ExpressionSeen { label, sure: true, confidence: 0.8, valence: 0.5 };
                let person = PersonSeen {
                    id: &id,
                    expression: Some(expression),
                    engagement: Some(Engagement::Engaged),
                    face_size_px: 90.0,
                    brightness: Some(0.4),
                    blur: Some(0.3),
                };
                recorder.see(&ImageSeen { place, time, people: &[person] });
                if second == 4 {
                    recorder.answer(&AnswerGiven { place, time, rule: "greet", people: &[&id] });
                }
            }
            let rating = Rating::new(if is_later { 5 } else { 3 }).unwrap();
            recorder.rate(place, noon + Duration::from_secs(visit * 30 + 12), rating);
        }
        let counts = HealthCounts { images: 1000, watched_secs: 900.0, ..Default::default() };
        recorder.health(place, noon + Duration::from_secs(800), counts);
    }
    recorder.close();
    journal.append(recorder.finished()).unwrap();
}
