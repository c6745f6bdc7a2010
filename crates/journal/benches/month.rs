//! A month of ten places, around the clock: how long it takes to write three million observations,
//! how large the file is, and how fast pages are answered. Prints a table;
//! `cargo bench -p rapport-journal`. The file is made in `CARGO_TARGET_TMPDIR`, on a real disk.
#![allow(clippy::unwrap_used, missing_docs)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use rapport_journal::{
    AnswerGiven, ExpressionSeen, HealthCounts, ImageSeen, Journal, Period, PersonSeen, Rating,
    Recorder, Scope, Table, Zone,
};
use rapport_vocabulary::{Emotion, Engagement};

const PLACES: usize = 10;
const DAYS: u64 = 30;
const OBSERVATIONS: u64 = 3_000_000;
/// Monday 2 November 2026.
const START: Duration = Duration::from_secs(1_793_577_600);
const VISIT_SECS: u64 = 9;

fn main() {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = directory.path().join("journal.db");
    let names: Vec<String> = (0..PLACES).map(|place| format!("place_{place}")).collect();
    let (mut journal, mut recorder) = (Journal::open(&path).unwrap(), Recorder::new(15).unwrap());
    let mut random = fastrand::Rng::with_seed(19);

    let (start, mut writing, mut seen, mut writes) = (Instant::now(), Duration::ZERO, 0, 0);
    let end = DAYS * 86_400;
    // So many images of each visitor fill the month, one a second.
    let step = (end * PLACES as u64 * VISIT_SECS / OBSERVATIONS).max(1);
    let mut people = 0u64;
    for visit_start in (0..end).step_by(step as usize) {
        for place in &names {
            people += 1;
            let id = format!("face_{people}");
            let mood = *random.choice(&Emotion::ALL).as_ref().unwrap();
            for second in 0..VISIT_SECS {
                let time = START + Duration::from_secs(visit_start + second);
                let confidence = 0.4 + 0.6 * random.f32();
                let person = PersonSeen {
                    id: &id,
                    expression: Some(ExpressionSeen {
                        label: *mood,
                        sure: confidence > 0.5,
                        confidence,
                        valence: mood.affect().valence * confidence,
                    }),
                    engagement: Some(Engagement::Engaged),
                    face_size_px: 30.0 + 200.0 * random.f32(),
                    brightness: Some(random.f32()),
                    blur: Some(random.f32()),
                };
                recorder.see(&ImageSeen { place, time, people: &[person] });
                seen += 1;
                if second == 4 {
                    let rule = ["greet", "comfort", "joke"][random.usize(..3)];
                    recorder.answer(&AnswerGiven { place, time, rule, people: &[&id] });
                }
            }
            let time = START + Duration::from_secs(visit_start + VISIT_SECS);
            if random.u8(..4) == 0 {
                recorder.rate(place, time, Rating::new(random.u8(1..=5)).unwrap());
            }
            let counts = HealthCounts { images: 135, watched_secs: 9.0, ..Default::default() };
            recorder.health(place, time, counts);
        }
        // A bucket ends at all places at once, as it does in one program.
        recorder.advance(START + Duration::from_secs(visit_start + VISIT_SECS));
        if !recorder.finished().is_empty() {
            let now = Instant::now();
            journal.append(recorder.finished()).unwrap();
            writing += now.elapsed();
            writes += 1;
        }
    }
    recorder.close();
    journal.append(recorder.finished()).unwrap();
    let wrote = start.elapsed();
    drop(journal);
    let bytes = std::fs::metadata(&path).unwrap().len();
    println!("{seen} observations of {people} visits to {PLACES} places in {DAYS} days");
    println!(
        "  written in {:.1} s, {:.1} s of it on {writes} writes to the disk (limit 60 s)",
        wrote.as_secs_f64(),
        writing.as_secs_f64()
    );
    let megabytes = bytes as f64 / 1e6;
    println!("  file {megabytes:.1} MB, {:.2} MB a place (limit 5 MB)", megabytes / PLACES as f64);

    let journal = Journal::open_read_only(&path).unwrap();
    let scope = |place| Scope {
        place,
        from: START,
        to: START + Duration::from_secs(end),
        zone: Zone::Local,
    };
    println!("  a month's queries, the middle and the slowest of 20 (limit 150 ms)");
    let one = scope(Some(names[3].as_str()));
    let all = scope(None);
    twenty_times("days of a place", || journal.history(&one, Period::Day).unwrap());
    twenty_times("hours by weekday of a place", || journal.week_hours(&one).unwrap());
    twenty_times("answers of a place", || journal.answers(&one).unwrap());
    twenty_times("before and after at a place", || {
        journal.compare(&names[3], START + Duration::from_secs(15 * 86_400), 14).unwrap()
    });
    twenty_times("drift of a place", || journal.drift(&one).unwrap());
    twenty_times("days of all places", || journal.history(&all, Period::Day).unwrap());
    twenty_times("hours by weekday of all places", || journal.week_hours(&all).unwrap());
    twenty_times("CSV of visits of a place", || {
        let mut csv = Vec::new();
        journal.export_csv(&one, Table::Visits, &mut csv).unwrap();
        csv
    });
    let now = Instant::now();
    Journal::open_read_only(&path).unwrap();
    println!("    {:<32} {:>6.1} ms", "opening and checking the file", ms(now.elapsed()));
}

fn twenty_times<T>(what: &str, query: impl Fn() -> T) {
    let times = (0..20).map(|_| {
        let now = Instant::now();
        black_box(query());
        ms(now.elapsed())
    });
    let mut times: Vec<f64> = times.collect();
    times.sort_by(f64::total_cmp);
    println!(
        "    {what:<32} {:>6.1} ms {:>6.1} ms",
        times[times.len() / 2],
        times[times.len() - 1]
    );
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
