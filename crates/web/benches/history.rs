//! How fast a server answers what the pages History, Ratings and System ask of a journal of ten places
//! and a month, over HTTP. Prints a table; `cargo bench -p rapport-web --bench history`.
#![allow(clippy::unwrap_used, missing_docs)]

use std::time::{Duration, Instant};

use rapport_journal::{
    AnswerGiven, ExpressionSeen, HealthCounts, ImageSeen, Journal, PersonSeen, Rating, Recorder,
};
use rapport_perception::{ModelFiles, RuntimeOptions};
use rapport_vocabulary::{Emotion, Engagement};
use rapport_web::{JournalOptions, JournalService, Listen, NetworkSets, Options, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const PLACES: usize = 10;
const DAYS: u64 = 30;
/// Monday 2 November 2026.
const START_SECS: u64 = 1_793_577_600;
const QUARTER_SECS: u64 = 900;
const VISITS_A_QUARTER: u64 = 12;
const TIMES: usize = 20;

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let file = folder.path().join("journal.db");
    keep(&file);
    let journal = Some(JournalService::open(JournalOptions::new(file)).unwrap());
    let runtime = RuntimeOptions { library: None, threads: 1 };
    let networks = NetworkSets::load(&ModelFiles::default(), &runtime, 1.try_into().unwrap());
    let listen = Listen::At("127.0.0.1:0".parse().unwrap());
    let options = Options { journal, ..Options::default() };
    let server = Server::bind(listen, options, networks.unwrap(), None).await.unwrap();
    let address = server.address().to_string();
    tokio::spawn(server.run(std::future::pending()));

    let end_secs = START_SECS + DAYS * 86_400;
    let month = format!("from={START_SECS}&to={end_secs}");
    let at = START_SECS + 15 * 86_400;
    let week = format!("from={}&to={end_secs}", end_secs - 7 * 86_400);
    println!("A journal of {PLACES} places and {DAYS} days; the middle and the slowest of {TIMES}");
    for path in [
        format!("history?place=place_3&period=day&{month}"),
        format!("history?place=place_3&period=week&{month}"),
        format!("history?period=month&{month}"),
        format!("hours?place=place_3&{month}"),
        format!("answers?place=place_3&{month}"),
        "policies?place=place_3".to_owned(),
        format!("comparison?place=place_3&at={at}&days=14"),
        format!("drift?place=place_3&{week}"),
        format!("accuracy?place=place_3&{week}"),
        "status".to_owned(),
        format!("export.csv?place=place_3&{month}"),
        format!("export.parquet?place=place_3&{month}"),
    ] {
        let mut times = Vec::new();
        let mut bytes = 0;
        for _ in 0..TIMES {
            let start = Instant::now();
            bytes = ask(&address, &path).await;
            times.push(start.elapsed());
        }
        times.sort();
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        let name = path.replace(&month, "month").replace(&week, "week");
        println!(
            "  {name:<48} {:>7.1} ms {:>7.1} ms {:>8.1} kB",
            ms(times[TIMES / 2]),
            ms(times[TIMES - 1]),
            bytes as f64 / 1e3
        );
    }
}

/// Asks once on a connection of its own; gives the bytes of the answer.
async fn ask(address: &str, path: &str) -> usize {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "GET /api/v1/journal/{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    answer.len()
}

/// Every quarter of an hour has enough visits for a bucket of its own, at every place.
fn keep(file: &std::path::Path) {
    let (mut journal, mut recorder) = (Journal::open(file).unwrap(), Recorder::new(15).unwrap());
    let places: Vec<String> = (0..PLACES).map(|place| format!("place_{place}")).collect();
    for place in &places {
        for (day, policy) in [(0, "old"), (15, "new")] {
            let time = Duration::from_secs(START_SECS + day * 86_400);
            journal.policy_changed(place, time, policy).unwrap();
        }
    }
    for quarter in 0..DAYS * 86_400 / QUARTER_SECS {
        for place in &places {
            for visit in 0..VISITS_A_QUARTER {
                let id = format!("face_{visit}");
                let start = START_SECS + quarter * QUARTER_SECS + visit * 60;
                let label = Emotion::ALL[(quarter + visit) as usize % Emotion::COUNT];
                for second in 0..9 {
                    let time = Duration::from_secs(start + second);
                    let confidence = 0.5 + 0.1 * ((quarter + visit + second) % 5) as f32;
                    let valence = label.affect().valence;
                    let person = PersonSeen {
                        id: &id,
                        expression: Some(ExpressionSeen { label, sure: true, confidence, valence }),
                        engagement: Some(Engagement::Engaged),
                        face_size_px: 90.0,
                        brightness: Some(0.4),
                        blur: Some(0.3),
                    };
                    recorder.see(&ImageSeen { place, time, people: &[person] });
                    if second == 4 {
                        let rule = ["greet", "comfort", "joke"][visit as usize % 3];
                        recorder.answer(&AnswerGiven { place, time, rule, people: &[&id] });
                    }
                }
                let time = Duration::from_secs(start + 10);
                recorder.rate(place, time, Rating::new(1 + (visit % 5) as u8).unwrap());
            }
            let counts = HealthCounts { images: 900, watched_secs: 900.0, ..Default::default() };
            let time = Duration::from_secs(START_SECS + quarter * QUARTER_SECS + 890);
            recorder.health(place, time, counts);
        }
        journal.append(recorder.finished()).unwrap();
    }
    recorder.close();
    journal.append(recorder.finished()).unwrap();
}
