//! Writes a journal of six simulated weeks until now at three places of a hotel, to try the pages
//! with: `cargo run --release -p rapport-journal --example weeks -- FILE`.
//!
//! The lobby is busy, gets new rules two weeks ago after which more people smile, and darker light
//! in the last week; guests rate at the exit; the library has few visitors. The same on each day it
//! is run, but for the days themselves.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::time::{Duration, SystemTime};

use rapport_journal::{
    AnswerGiven, ExpressionSeen, HealthCounts, ImageSeen, Journal, PersonSeen, Rating, Recorder,
};
use rapport_vocabulary::{Emotion, Engagement};

const STEP_SECS: u64 = 900;
const DAY_SECS: u64 = 86_400;
const DAYS: u64 = 42;
const NEW_RULES_DAYS_AGO: u64 = 14;
const DARK_DAYS_AGO: u64 = 7;

/// Visits in each quarter of an hour, by the hour of the day.
const BUSY: [f32; 24] = [
    0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0, 8.0, 16.0, 14.0, 11.0, 8.0, 7.0, 6.0, 7.0, 11.0, 15.0, 18.0,
    17.0, 12.0, 8.0, 5.0, 2.0, 0.0,
];

fn main() {
    let Some(path) = std::env::args_os().nth(1) else {
        eprintln!("usage: weeks FILE");
        std::process::exit(2);
    };
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let end = now / STEP_SECS * STEP_SECS;
    let mut journal = Journal::open(Path::new(&path)).unwrap();
    for (place, busy) in [("exit", 0.9), ("library", 0.16), ("lobby", 1.0)] {
        write(&mut journal, place, busy, end);
    }
}

fn write(journal: &mut Journal, place: &str, busy: f32, end: u64) {
    let mut recorder = Recorder::new(15).unwrap();
    let mut random = fastrand::Rng::with_seed(19 + place.len() as u64);
    let start = end / DAY_SECS * DAY_SECS - DAYS * DAY_SECS;
    let changed = end / DAY_SECS * DAY_SECS - NEW_RULES_DAYS_AGO * DAY_SECS + 9 * 3600;
    let is_lobby = place == "lobby";
    let policies = [(start, "hotel.yaml 9f2c61d04b7e"), (changed, "hotel.yaml 41d7a90c5e28")];
    for (at, policy) in policies.iter().take(if is_lobby { 2 } else { 1 }) {
        journal.policy_changed(place, Duration::from_secs(*at), policy).unwrap();
    }
    for step in (start..end).step_by(STEP_SECS as usize) {
        let hour = (step / 3600 % 24) as usize;
        // 1970 began on a Thursday.
        let is_weekend = (step / DAY_SECS + 3) % 7 >= 5;
        let expected = BUSY[hour] * busy * if is_weekend { 0.6 } else { 1.0 };
        let visits = (expected * (0.6 + 0.8 * random.f32())).round() as u64;
        for number in 0..visits {
            let arrival = step + number * (STEP_SECS - 60) / visits;
            let is_new = is_lobby && arrival >= changed;
            let is_dark = is_lobby && end - arrival < DARK_DAYS_AGO * DAY_SECS;
            visit(&mut recorder, &mut random, place, arrival, is_new, is_dark);
            if place == "exit" && random.u8(..3) == 0 {
                let taps = [1, 2, 3, 4, 4, 5, 5, 5, 4, 3];
                let rating = Rating::new(taps[random.usize(..taps.len())]).unwrap();
                recorder.rate(place, Duration::from_secs(arrival), rating);
            }
        }
        if (6..23).contains(&hour) {
            let counts = HealthCounts {
                images: 15 * STEP_SECS,
                lost_images: random.u64(..40),
                watched_secs: STEP_SECS as f64,
                ..Default::default()
            };
            recorder.health(place, Duration::from_secs(step), counts);
        }
        recorder.advance(Duration::from_secs(step + STEP_SECS - 1));
        if hour == 23 {
            journal.append(recorder.finished()).unwrap();
        }
    }
    recorder.close();
    journal.append(recorder.finished()).unwrap();
}

/// Some seconds of one person, an image a second.
fn visit(
    recorder: &mut Recorder,
    random: &mut fastrand::Rng,
    place: &str,
    arrival: u64,
    is_new: bool,
    is_dark: bool,
) {
    let id = format!("face_{arrival}_{}", random.u32(..));
    let smiles = random.f32() < if is_new { 0.30 } else { 0.24 };
    // Some smile back at a greeting.
    let smiles_back = !smiles && random.f32() < if is_new { 0.24 } else { 0.14 };
    let smiles_from = if smiles { random.u64(..6) } else { 5 };
    let moods = "nnnnnnssuuad".as_bytes();
    let mood = match moods[random.usize(..moods.len())] {
        b's' => Emotion::Sad,
        b'u' => Emotion::Surprise,
        b'a' => Emotion::Angry,
        b'd' => Emotion::Contempt,
        _ => Emotion::Neutral,
    };
    let is_engaged = random.f32() < 0.55;
    let size_px = 50.0 + 130.0 * random.f32();
    let light = if is_dark { 0.36 } else { 0.44 } + 0.3 * random.f32();
    for second in 0..4 + random.u64(..8) + random.u64(..8) {
        let time = Duration::from_secs(arrival + second);
        let happy = (smiles || smiles_back && is_engaged) && second >= smiles_from;
        let label = if happy { Emotion::Happy } else { mood };
        let confidence = 0.45 + 0.54 * random.f32().sqrt();
        let person = PersonSeen {
            id: &id,
            expression: Some(ExpressionSeen {
                label,
                sure: confidence > 0.6,
                confidence,
                valence: label.affect().valence * confidence,
            }),
            engagement: Some(if is_engaged { Engagement::Engaged } else { Engagement::Disengaged }),
            face_size_px: size_px,
            brightness: Some(light),
            blur: Some(0.2 + 0.2 * random.f32()),
        };
        recorder.see(&ImageSeen { place, time, people: &[person] });
        if second == 3 && is_engaged {
            let rule = if happy { "smile-back" } else { "greet" };
            recorder.answer(&AnswerGiven { place, time, rule, people: &[&id] });
        }
    }
}
