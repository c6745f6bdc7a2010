//! Metrics and alerts: real journals on a real server, and a webhook that really answers.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

mod common;

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use common::{Running, start, start_at};
use rapport_journal::{
    AnswerGiven, ExpressionSeen, HealthCounts, ImageSeen, Journal, Observation, PersonSeen, Rating,
    Recorder,
};
use rapport_vocabulary::{Emotion, Engagement};
use rapport_web::journal::now;
use rapport_web::monitor::Webhook;
use rapport_web::robot::{Level, RobotState};
use rapport_web::{Hub, JournalOptions, JournalService, Options};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

const PATIENCE: Duration = Duration::from_secs(60);

/// Visits of nine seconds, an image a second.
fn visits(recorder: &mut Recorder, at: Duration, count: u64, brightness: f32) {
    for visit in 0..count {
        let id = format!("secret_{visit}");
        for second in 0..=9 {
            let expression =
                ExpressionSeen { label: Emotion::Happy, sure: true, confidence: 0.8, valence: 0.6 };
            let person = PersonSeen {
                id: &id,
                expression: Some(expression),
                engagement: Some(Engagement::Engaged),
                face_size_px: 90.0,
                brightness: Some(brightness),
                blur: None,
            };
            let time = at + Duration::from_secs(visit * 20 + second);
            recorder.see(&ImageSeen { place: "lobby", time, people: &[person] });
        }
    }
}

/// Three weeks; in the last days before now faces are so bright.
fn keep(file: &Path, brightness: f32) {
    let (mut journal, mut recorder) = (Journal::open(file).unwrap(), Recorder::new(15).unwrap());
    for day in (1..=21).rev() {
        let at = now() - Duration::from_secs(day * 86_400);
        visits(&mut recorder, at, 30, if day > 8 { 0.3 } else { brightness });
    }
    recorder.close();
    journal.append(recorder.finished()).unwrap();
}

fn options(file: &Path) -> Options {
    let options =
        JournalOptions { place: Some("lobby".to_owned()), ..JournalOptions::new(file.to_owned()) };
    Options { journal: Some(JournalService::open(options).unwrap()), ..Options::default() }
}

/// Name with labels, and value.
async fn metrics(server: &Running) -> BTreeMap<String, f64> {
    let answer = server.get("/metrics").await;
    assert_eq!(answer.status, 200);
    let text = String::from_utf8(answer.body).unwrap();
    assert!(text.ends_with("# EOF\n") && text.matches("# EOF").count() == 1, "{text}");
    let values = text.lines().filter(|line| !line.starts_with('#'));
    values
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        })
        .collect()
}

async fn until<T>(what: &str, mut found: impl AsyncFnMut() -> Option<T>) -> T {
    let wait = async {
        loop {
            if let Some(found) = found().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("not in time: {what}"))
}

/// The alerts of `journal/status` as kind and place.
async fn alerts(server: &Running) -> Vec<(String, Option<String>)> {
    let status = server.get("/api/v1/journal/status").await.json();
    let alert = |alert: &Value| {
        let text = |name: &str| alert[name].as_str().map(str::to_owned);
        (text("kind").unwrap(), text("place"))
    };
    status["alerts"].as_array().unwrap().iter().map(alert).collect()
}

/// A server that answers what it is told, and gives each body that came.
async fn receiver(answers: &'static [&'static str]) -> (u16, mpsc::UnboundedReceiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, bodies) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        for number in 0.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut text = Vec::new();
            let body = loop {
                let mut part = [0; 4096];
                let read = stream.read(&mut part).await.unwrap();
                text.extend_from_slice(&part[..read]);
                let all = String::from_utf8_lossy(&text);
                if let Some((head, body)) = all.split_once("\r\n\r\n") {
                    assert!(head.starts_with("POST /hook/secret HTTP/1.1\r\n"), "{head}");
                    if let Ok(body) = serde_json::from_str(body) {
                        break body;
                    }
                }
            };
            let status = answers[number.min(answers.len() - 1)];
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
            if sender.send(body).is_err() {
                return;
            }
        }
    });
    (port, bodies)
}

fn address_file(folder: &Path, address: &str) -> PathBuf {
    let file = folder.join("webhook");
    fs::write(&file, format!("{address}\n")).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    file
}

fn webhook(folder: &Path, port: u16) -> Arc<Webhook> {
    let file = address_file(folder, &format!("http://127.0.0.1:{port}/hook/secret"));
    let pauses = [Duration::from_millis(10); 2];
    Arc::new(Webhook::with_pauses(&file, &Handle::current(), &pauses).unwrap())
}

async fn next(bodies: &mut mpsc::UnboundedReceiver<Value>) -> Value {
    tokio::time::timeout(PATIENCE, bodies.recv()).await.unwrap().unwrap()
}

#[tokio::test]
async fn drift_is_an_alert_and_a_figure_and_reaches_the_webhook() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("journal.db");
    keep(&file, 0.9);
    let (port, mut bodies) = receiver(&["503 Busy", "200 OK"]).await;
    let webhook = webhook(folder.path(), port);
    let server = start(Options { webhook: Some(webhook.clone()), ..options(&file) }).await;
    // The first attempt fails, so it comes twice.
    let (first, again) = (next(&mut bodies).await, next(&mut bodies).await);
    assert_eq!(first, again);
    assert_eq!((&first["state"], &first["kind"]), (&"raised".into(), &"drift".into()));
    assert_eq!(first["place"], "lobby");
    assert!(first["text"].as_str().unwrap().starts_with("Rapport at lobby: The brightness of"));
    until("it is counted", async || (webhook.status().delivered == 1).then_some(())).await;
    assert_eq!(alerts(&server).await, [("drift".to_owned(), Some("lobby".to_owned()))]);
    let found = metrics(&server).await;
    let of = |feature: &str, name: &str| {
        found[&format!("rapport_{name}{{place=\"lobby\",feature=\"{feature}\"}}")]
    };
    assert_eq!((of("brightness", "drift_level"), of("confidence", "drift_level")), (2.0, 0.0));
    assert!(of("brightness", "drift_index") > of("brightness", "drift_by_chance"));
    assert_eq!(found["rapport_alert{kind=\"drift\",place=\"lobby\"}"], 1.0);
    // 0.8 was said of every image, and the light is another than when that was right.
    assert!((found["rapport_accuracy_estimate{place=\"lobby\"}"] - 0.8).abs() < 0.01);
    assert_eq!(found["rapport_accuracy_estimate_trusted{place=\"lobby\"}"], 0.0);
    assert!(found["rapport_accuracy_estimate_visits{place=\"lobby\"}"] >= 100.0);
    assert_eq!(found["rapport_webhook_delivered"], 1.0);
    server.stop().await;
}

#[tokio::test]
async fn where_all_is_as_before_there_is_no_alert() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("journal.db");
    keep(&file, 0.3);
    let server = start(options(&file)).await;
    let trusted = "rapport_accuracy_estimate_trusted{place=\"lobby\"}";
    let is_known = async || metrics(&server).await.get(trusted).copied();
    assert_eq!(until("the estimate is known", is_known).await, 1.0);
    assert!(alerts(&server).await.is_empty());
    let found = metrics(&server).await;
    assert_eq!(found["rapport_journal_writable"], 1.0);
    assert!(found["rapport_journal_size_bytes"] > 1000.0);
    assert!(!found.keys().any(|name| name.starts_with("rapport_alert{")), "{found:?}");
    assert!(!found.keys().any(|name| name.contains("mqtt") || name.contains("webhook")));
    server.stop().await;
}

#[tokio::test]
async fn a_journal_that_cannot_be_written_is_an_alert_until_it_can_be() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("journal.db");
    let (port, mut bodies) = receiver(&["204 No Content"]).await;
    let webhook = webhook(folder.path(), port);
    let server = start(Options { webhook: Some(webhook), ..options(&file) }).await;
    // Somebody moves it away; the next thing to write finds out.
    fs::rename(&file, folder.path().join("elsewhere.db")).unwrap();
    let rating = Rating::new(5).unwrap();
    let journal = server.app.options.journal.clone().unwrap();
    journal.take(&Observation::Rating { place: "lobby", time: now(), rating });
    let told = next(&mut bodies).await;
    assert_eq!((&told["state"], &told["kind"]), (&"raised".into(), &"journal_not_written".into()));
    assert_eq!(told["place"], Value::Null);
    assert!(told["sentence"].as_str().unwrap().contains("moved"), "{told}");
    assert_eq!(alerts(&server).await, [("journal_not_written".to_owned(), None)]);
    let found = metrics(&server).await;
    assert_eq!(found["rapport_journal_writable"], 0.0);
    assert_eq!(found["rapport_alert{kind=\"journal_not_written\",place=\"\"}"], 1.0);
    // A new file is begun at the next attempt, within 30 s.
    let told = next(&mut bodies).await;
    assert_eq!((&told["state"], &told["kind"]), (&"cleared".into(), &"journal_not_written".into()));
    assert_eq!(metrics(&server).await["rapport_journal_writable"], 1.0);
    server.stop().await;
}

/// Also an answer that says no for good is not asked again.
#[tokio::test]
async fn what_the_webhook_refuses_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let (port, mut bodies) = receiver(&["404 Not Found", "500 No", "500 No", "500 No"]).await;
    let webhook = webhook(folder.path(), port);
    let alert = rapport_web::journal::Alert {
        kind: "drift".to_owned(),
        place: None,
        since_secs: 1,
        sentence: "The light changed.".to_owned(),
    };
    webhook.tell(true, &alert);
    webhook.tell(false, &alert);
    let states =
        [next(&mut bodies).await, next(&mut bodies).await].map(|body| body["state"].clone());
    assert_eq!(states, ["raised", "cleared"]);
    until("both are given up", async || (webhook.status().failed == 2).then_some(())).await;
    assert_eq!(webhook.status().delivered, 0);
    // Two more attempts of the second, and none after them.
    assert_eq!(next(&mut bodies).await, next(&mut bodies).await);
    assert!(bodies.try_recv().is_err());
}

#[tokio::test]
async fn an_address_that_others_could_read_or_that_is_not_encrypted_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let start = |file: &Path| Webhook::start(file, &Handle::current()).unwrap_err();
    for (address, found) in [
        ("", "nothing"),
        ("http://example.com/secret", "http:// of another machine"),
        ("ftp://localhost/secret", "neither https:// nor http://"),
        ("not an address", "no address"),
        ("/secret", "no host"),
    ] {
        let error = start(&address_file(folder.path(), address)).to_string();
        assert!(error.contains(&format!("found {found}, expected")), "{error}");
        assert!(!error.contains("secret"), "{error}");
    }
    let file = address_file(folder.path(), "https://example.com/secret");
    fs::set_permissions(&file, Permissions::from_mode(0o604)).unwrap();
    assert!(start(&file).to_string().contains("mode is 604, expected 600"));
    assert!(start(Path::new("/no/such")).to_string().contains("/no/such: No such file"));
}

#[tokio::test]
async fn robots_that_work_and_that_do_not() {
    let hub = Arc::new(Hub::default());
    let server = start_at("127.0.0.1:0", Options::default(), Some(hub.clone())).await;
    let state = |level, paused| RobotState { level, paused, ..RobotState::default() };
    hub.put_state("/left", state(Level::Ok, false));
    hub.put_state("/right", state(Level::Error, true));
    let found = metrics(&server).await;
    let of = |name: &str, robot: &str| found[&format!("rapport_robot_{name}{{robot=\"{robot}\"}}")];
    assert_eq!((of("working", "/left"), of("paused", "/left")), (1.0, 0.0));
    assert_eq!((of("working", "/right"), of("paused", "/right")), (0.0, 1.0));
    hub.remove("/right");
    let found = metrics(&server).await;
    assert!(!found.keys().any(|name| name.contains("/right") || name.contains("journal")));
    server.stop().await;
}

/// Random journals through a real server's metrics: every figure rests on ten or more, and grows by
/// ten or more at a time.
#[tokio::test]
async fn metrics_hold_nothing_under_ten_visits() {
    const ROUNDS: u64 = 300;
    let folder = tempfile::tempdir().unwrap();
    let server = start(options(&folder.path().join("journal.db"))).await;
    let journal = server.app.options.journal.clone().unwrap();
    let mut random = fastrand::Rng::with_seed(19);
    let mut time = now() - Duration::from_secs(300 * 86_400);
    let mut before = BTreeMap::new();
    let (mut seen, mut changes) = (0, 0);
    for round in 0..ROUNDS {
        for visit in 0..random.u32(1..16) {
            let id = format!("secret_{round}_{visit}");
            let expression = ExpressionSeen {
                label: Emotion::ALL[random.usize(..8)],
                sure: random.bool(),
                confidence: random.f32(),
                valence: random.f32(),
            };
            let person = PersonSeen {
                id: &id,
                expression: (visit % 3 > 0).then_some(expression),
                engagement: None,
                face_size_px: 90.0,
                brightness: None,
                blur: None,
            };
            for second in 0..6 {
                let time = time + Duration::from_secs(second);
                let image = ImageSeen { place: "lobby", time, people: &[person] };
                journal.take(&Observation::Image(image));
                if second == 3 && visit % 4 > 0 {
                    let rule = ["greet", "comfort"][random.usize(..2)];
                    let people = &[id.as_str()][..];
                    let answer = AnswerGiven { place: "lobby", time, rule, people };
                    journal.take(&Observation::Answer(answer));
                }
            }
            let rating = Rating::new(random.u8(1..=5)).unwrap();
            if random.bool() {
                journal.take(&Observation::Rating { place: "lobby", time, rating });
            }
            time += Duration::from_secs(random.u64(6..60));
        }
        time += Duration::from_secs(random.u64(..4 * 3600));
        let counts = HealthCounts { images: 9, ..Default::default() };
        journal.take(&Observation::Health { place: "lobby", time, counts });
        let found = metrics(&server).await;
        let now = figures(&found);
        for (name, &value) in &now {
            let grown: u64 = value - before.get(name).unwrap_or(&0);
            assert!(grown == 0 || grown >= 10, "{name} grew by {grown}");
            changes += u64::from(grown > 0);
        }
        for (name, value) in &found {
            assert!(!name.contains("secret"), "{name}");
            if name.contains("_visits_total{")
                || name.starts_with("rapport_accuracy_estimate_visits")
            {
                assert!(*value == 0.0 || *value >= 10.0, "{name} is {value}");
                seen += 1;
            }
        }
        before = now;
    }
    println!("{ROUNDS} rounds: {seen} figures, {changes} changes; {before:?}");
    assert!(seen > 100 && changes > 20, "{seen} figures, {changes} changes");
    server.stop().await;
}

/// Visits, visits by rule, visits with known smiles, and all ratings together.
fn figures(found: &BTreeMap<String, f64>) -> BTreeMap<String, u64> {
    let mut figures = BTreeMap::new();
    for (name, &value) in found {
        if name.starts_with("rapport_journal_ratings_total") {
            *figures.entry("ratings".to_owned()).or_default() += value as u64;
        } else if name.starts_with("rapport_journal_visits_total")
            || name.starts_with("rapport_journal_smile_visits_total")
            || name.starts_with("rapport_journal_answered_visits_total")
        {
            figures.insert(name.clone(), value as u64);
        }
    }
    figures
}
