//! People before the cameras of browsers are counted in the journal: as visits, and nothing else of them.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

mod common;

use std::path::Path;
use std::time::{Duration, Instant};

use common::{Running, file, start};
use futures_util::{SinkExt, StreamExt};
use rapport_journal::{Journal, Period, PeriodFigures, Scope, Zone};
use rapport_web::{JournalOptions, JournalService, Options};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

type Client = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Longer than the shortest visit.
const LOOK: Duration = Duration::from_millis(1100);

async fn next(client: &mut Client) -> Value {
    loop {
        let message = tokio::time::timeout(Duration::from_secs(60), client.next()).await.unwrap();
        if let Message::Text(text) = message.unwrap().unwrap() {
            return serde_json::from_str(&text).unwrap();
        }
    }
}

async fn session(server: &Running) -> Client {
    let (mut client, _) = connect_async(server.socket("live")).await.unwrap();
    assert_eq!(next(&mut client).await["type"], "hello");
    client
}

/// Shows a picture for longer than the shortest visit; gives the ids of those who were in view for all
/// of that time.
async fn show(client: &mut Client, jpeg: &[u8], time_secs: Option<f64>) -> Vec<String> {
    let (mut known, mut number) = (None, 0.0);
    loop {
        let sent = Instant::now();
        if let Some(time) = time_secs {
            let about = json!({ "type": "picture", "time_secs": time + number });
            client.send(Message::text(about.to_string())).await.unwrap();
        }
        client.send(Message::binary(jpeg.to_vec())).await.unwrap();
        let seen = next(client).await;
        assert_eq!(seen["type"], "observation", "{seen}");
        let people = seen["people"].as_array().unwrap().iter();
        let now: Vec<String> =
            people.map(|person| person["face_id"].as_str().unwrap().to_owned()).collect();
        number += 1.0;
        // A face is confirmed by the second picture or the third.
        if number < 4.0 {
            continue;
        }
        // The server saw them before this, and the picture of `sent` after that.
        let (since, ids) = known.get_or_insert_with(|| (Instant::now(), now.clone()));
        ids.retain(|id| now.contains(id));
        if sent.saturating_duration_since(*since) > LOOK {
            return ids.clone();
        }
    }
}

fn kept(file: &Path) -> Vec<PeriodFigures> {
    let scope = Scope {
        place: Some("lobby"),
        from: Duration::ZERO,
        to: rapport_web::journal::now() * 2,
        zone: Zone::UTC,
    };
    Journal::open_read_only(file).unwrap().history(&scope, Period::All).unwrap()
}

async fn serve(file: &Path) -> Running {
    let options =
        JournalOptions { place: Some("lobby".to_owned()), ..JournalOptions::new(file.to_owned()) };
    let journal = Some(JournalService::open(options).unwrap());
    start(Options { journal, ..Options::default() }).await
}

#[tokio::test]
async fn a_group_before_the_camera_is_counted_and_a_video_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let server = serve(&path).await;
    let solvay = file("solvay_1927.jpg");
    let (mut camera, mut video) = (session(&server).await, session(&server).await);
    let group = show(&mut camera, &solvay, None).await;
    assert!(group.len() >= 20, "{group:?}");
    // Its ids are called alike, and it is no visit to this place.
    show(&mut video, &solvay, Some(0.0)).await;
    server.stop().await;

    let history = kept(&path);
    let visits = history[0].visits.as_ref().unwrap();
    // Some more were in view for a second, but not to the end. With the video it would be twice as many.
    assert!((group.len()..2 * group.len()).contains(&(visits.visits as usize)), "{visits:?}");
    let expressions = visits.expressions.as_ref().unwrap();
    assert_eq!(expressions.n, visits.visits);
    assert!(expressions.not_sure.unwrap() > 0.0, "{expressions:?}");
    let health = history[0].health.unwrap();
    assert!(health.images >= 4 && health.watched_secs > 0.0, "{health:?}");

    // Nothing of a person is in the file: no id, and no time finer than a quarter of an hour.
    let bytes = std::fs::read(&path).unwrap();
    let has = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(has("lobby") && !has("face_") && !has("1.0/"));
    let period = &history[0];
    assert_eq!((period.from_secs % 900, period.to_secs % 900), (0, 0));
}

#[tokio::test]
async fn fewer_than_ten_visits_leave_nothing_but_health() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let server = serve(&path).await;
    let mut camera = session(&server).await;
    let alone = show(&mut camera, &file("astronaut.jpg"), None).await;
    assert_eq!(alone.len(), 1);
    camera.send(Message::text(json!({ "type": "reset" }).to_string())).await.unwrap();
    // Called like the one before, and another visit: two, not ten.
    assert_eq!(show(&mut camera, &file("hopper.jpg"), None).await, alone);
    camera.send(Message::binary(b"no picture".to_vec())).await.unwrap();
    assert_eq!(next(&mut camera).await["type"], "problem");
    server.stop().await;
    let history = kept(&path);
    assert_eq!((&history[0].visits, &history[0].ratings), (&None, &None));
    assert_eq!(history[0].health.unwrap().errors, 1);
}
