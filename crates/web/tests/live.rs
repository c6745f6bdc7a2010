//! WebSocket `live`: pictures in, observations out, one at a time; and what does not end it.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

mod common;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{Running, file, start};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, SinkExt, StreamExt};
use rapport_web::{Limits, Options};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

type Client = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn next(client: &mut Client) -> Value {
    loop {
        let message = tokio::time::timeout(Duration::from_secs(20), client.next()).await.unwrap();
        match message.unwrap().unwrap() {
            Message::Text(text) => return serde_json::from_str(&text).unwrap(),
            Message::Ping(_) | Message::Pong(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

async fn say(client: &mut Client, message: Value) {
    client.send(Message::text(message.to_string())).await.unwrap();
}

async fn picture(client: &mut Client, data: &[u8]) -> Value {
    client.send(Message::binary(data.to_vec())).await.unwrap();
    next(client).await
}

/// A session, past its hello.
async fn session(server: &Running) -> Client {
    let (mut client, _) = connect_async(server.socket("live")).await.unwrap();
    let hello = next(&mut client).await;
    assert_eq!((&hello["type"], &hello["paused"]), (&"hello".into(), &false.into()));
    assert_eq!(hello["labels"].as_array().unwrap().len(), 8);
    client
}

#[tokio::test]
async fn a_face_is_followed_from_picture_to_picture() {
    let server = start(Options::default()).await;
    let mut client = session(&server).await;
    let jpeg = file("astronaut.jpg");
    let mut seen = Value::Null;
    for number in 1..=5 {
        seen = picture(&mut client, &jpeg).await;
        assert_eq!((&seen["type"], &seen["number"]), (&"observation".into(), &number.into()));
    }
    let person = &seen["people"][0];
    assert_eq!((&person["face_id"], &person["label"]), (&"face_1".into(), &"happy".into()));
    assert!(person["first_seen_secs"].as_f64().unwrap() < seen["time_secs"].as_f64().unwrap());
    assert_eq!(person["instant_probabilities"].as_object().unwrap().len(), 8);
    assert!(person.get("heat").is_none());
    let timings = seen["timings_ms"].as_object().unwrap();
    let total = timings["total"].as_f64().unwrap();
    let parts = ["decode", "detect", "verify", "crop", "classify"].map(|part| &timings[part]);
    let sum: f64 = parts.iter().map(|part| part.as_f64().unwrap()).sum();
    assert!(sum > 0.0 && sum <= total + 0.01, "{timings:?}");
    // Somebody else is a new person; after a reset the ids begin anew.
    say(&mut client, json!({ "type": "reset" })).await;
    for _ in 0..3 {
        seen = picture(&mut client, &file("hopper.jpg")).await;
    }
    assert_eq!(seen["people"][0]["face_id"], "face_1");
    assert_eq!(seen["people"][0]["label"], "neutral");
}

#[tokio::test]
async fn the_same_video_gives_the_same_table() {
    let server = start(Options::default()).await;
    let (happy, neutral) = (file("astronaut.jpg"), file("hopper.jpg"));
    let mut tables = Vec::new();
    for _ in 0..2 {
        let mut client = session(&server).await;
        let mut table = Vec::new();
        for frame in 0..12 {
            let secs = f64::from(frame) / 10.0;
            say(&mut client, json!({ "type": "picture", "time_secs": secs })).await;
            let jpeg = if frame < 6 { &happy } else { &neutral };
            let mut seen = picture(&mut client, jpeg).await;
            assert!((seen["time_secs"].as_f64().unwrap() - secs).abs() < 1e-6, "{seen}");
            seen.as_object_mut().unwrap().remove("timings_ms");
            table.push(seen);
        }
        tables.push(table);
    }
    assert!(!tables[0][5]["people"].as_array().unwrap().is_empty());
    assert_eq!(tables[0], tables[1]);
}

#[tokio::test]
async fn a_second_picture_before_the_answer_is_dropped() {
    let server = start(Options::default()).await;
    let mut client = session(&server).await;
    for _ in 0..2 {
        client.feed(Message::binary(file("solvay_1927.jpg"))).await.unwrap();
    }
    client.flush().await.unwrap();
    let (one, other) = (next(&mut client).await, next(&mut client).await);
    assert_eq!((&one["type"], &one["status"]), (&"problem".into(), &429.into()), "{one}");
    assert_eq!((&other["type"], &other["number"]), (&"observation".into(), &1.into()));
    assert_eq!(picture(&mut client, &file("hopper.jpg")).await["number"], 2);
}

#[tokio::test]
async fn why_comes_with_a_picture_where_it_is_wanted() {
    let server = start(Options::default()).await;
    let mut client = session(&server).await;
    let jpeg = file("astronaut.jpg");
    for _ in 0..3 {
        picture(&mut client, &jpeg).await;
    }
    say(&mut client, json!({ "type": "picture", "want": ["heat:sad", "heat:happy"] })).await;
    let seen = picture(&mut client, &jpeg).await;
    let heat = seen["people"][0]["heat"].as_array().unwrap();
    assert_eq!(heat.iter().map(|map| &map["label"]).collect::<Vec<_>>(), ["sad", "happy"]);
    assert!(picture(&mut client, &jpeg).await["people"][0].get("heat").is_none());
}

#[tokio::test]
async fn what_makes_no_sense_is_a_problem_and_the_session_goes_on() {
    let limits = Limits { picture_pixels: 300_000, ..Limits::default() };
    let server = start(Options { limits, ..Options::default() }).await;
    let mut client = session(&server).await;
    for (message, expected) in [
        ("{", "text message: "),
        (r#"{"type": "dance"}"#, "unknown variant `dance`"),
        (r#"{"type": "picture", "time_secs": -1}"#, "time_secs is -1, expected 0 to"),
        (r#"{"type": "picture", "want": ["soup"]}"#, "`soup` wanted"),
        (r#"{"type": "picture", "want": ["heat:bored"]}"#, "label `bored`"),
        (r#"{"type": "picture", "time": 1}"#, "unknown field `time`"),
    ] {
        client.send(Message::text(message)).await.unwrap();
        let problem = next(&mut client).await;
        assert_eq!((&problem["type"], &problem["status"]), (&"problem".into(), &400.into()));
        assert!(problem["detail"].as_str().unwrap().contains(expected), "{problem}");
    }
    let cut = file("astronaut.jpg")[..9000].to_vec();
    for (data, status) in [(vec![], 415), (b"hello".to_vec(), 415), (cut, 422)] {
        let problem = picture(&mut client, &data).await;
        assert_eq!((&problem["type"], &problem["status"]), (&"problem".into(), &status.into()));
    }
    let too_large = picture(&mut client, &file("solvay_1927.jpg")).await;
    assert_eq!(
        (&too_large["status"], &too_large["problem"]),
        (&413.into(), &"/api#too-large".into())
    );
    assert_eq!(picture(&mut client, &file("astronaut.jpg")).await["type"], "observation");
}

#[tokio::test]
async fn a_pause_is_told_and_stops_pictures() {
    let server = start(Options::default()).await;
    let mut client = session(&server).await;
    for paused in [true, false] {
        let body = json!({ "paused": paused }).to_string();
        server.post("/api/v1/pause", "application/json", body.as_bytes()).await;
        assert_eq!(next(&mut client).await, json!({ "type": "paused", "paused": paused }));
        let answer = picture(&mut client, &file("hopper.jpg")).await;
        let expected = if paused { "problem" } else { "observation" };
        assert_eq!(answer["type"], expected, "{answer}");
    }
}

#[tokio::test]
async fn more_sessions_than_the_machine_carries_are_refused_as_busy() {
    let limits = Limits { live_sessions: 2, ..Limits::default() };
    let server = start(Options { limits, ..Options::default() }).await;
    let (mut first, _second) = (session(&server).await, session(&server).await);
    assert_eq!(server.get("/api/v1/health").await.json()["sessions"], 2);
    // A script learns it from the answer, a page from a message.
    let error = connect_async(server.socket("live")).await.unwrap_err().to_string();
    assert!(error.contains("503"), "{error}");
    let mut request = server.socket("live").into_client_request().unwrap();
    let origin = format!("http://{}", server.address);
    request.headers_mut().insert("Origin", origin.parse().unwrap());
    let (mut page, _) = connect_async(request).await.unwrap();
    let problem = next(&mut page).await;
    assert_eq!((&problem["status"], &problem["problem"]), (&503.into(), &"/api#busy".into()));
    assert!(problem["retry_after_secs"].as_u64().unwrap() > 0);
    let Some(Ok(Message::Close(Some(frame)))) = page.next().await else { panic!("no goodbye") };
    assert_eq!(u16::from(frame.code), 1013);
    // A place that is left is free again.
    first.close(None).await.unwrap();
    while first.next().await.is_some() {}
    tokio::time::sleep(Duration::from_millis(100)).await;
    session(&server).await;
}

#[tokio::test]
async fn slow_machines_carry_fewer_sessions() {
    let server = start(Options::default()).await;
    assert_eq!(server.app.sessions_max(), Limits::default().live_sessions);
    server.app.pool.measured(Duration::from_millis(100));
    // Two processors, five pictures a second for each session.
    assert_eq!(server.app.sessions_max(), 4);
}

#[tokio::test]
async fn pictures_are_processed_in_the_order_in_which_they_came() {
    let server = start(Options::default()).await;
    let pool = &server.app.pool;
    // Every processor is held while pictures queue up.
    let (release, held) = std::sync::mpsc::channel::<()>();
    let held = Arc::new(Mutex::new(held));
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut waiting = FuturesUnordered::new();
    for _ in 0..pool.processors() {
        let held = held.clone();
        waiting.push(pool.run(move |_, _| _ = held.lock().unwrap().recv()).boxed());
    }
    assert!(waiting.next().now_or_never().is_none(), "a job ended that was to be held");
    for picture in 0..20 {
        let order = order.clone();
        waiting.push(pool.run(move |_, _| order.lock().unwrap().push(picture)).boxed());
        assert!(waiting.next().now_or_never().is_none(), "a picture did not queue up");
    }
    // One processor goes on, so that the order in which pictures start is that in which they end.
    release.send(()).unwrap();
    while order.lock().unwrap().len() < 20 {
        waiting.next().await.unwrap().unwrap();
    }
    assert_eq!(*order.lock().unwrap(), (0..20).collect::<Vec<_>>());
    drop(release);
}

#[tokio::test]
async fn no_session_starves_beside_others() {
    let server = start(Options::default()).await;
    let jpeg = file("astronaut.jpg");
    let mut clients = Vec::new();
    for _ in 0..6 {
        clients.push(session(&server).await);
    }
    let busy = clients.into_iter().map(|mut client| {
        let jpeg = jpeg.clone();
        tokio::spawn(async move {
            let until = tokio::time::Instant::now() + Duration::from_secs(2);
            let mut pictures = 0;
            while tokio::time::Instant::now() < until {
                picture(&mut client, &jpeg).await;
                pictures += 1;
            }
            pictures
        })
    });
    let mut counts = Vec::new();
    for client in busy.collect::<Vec<_>>() {
        counts.push(client.await.unwrap());
    }
    // Turns are exact in the queue (above); here the clients' own threads are scheduled too.
    let (least, most) = (*counts.iter().min().unwrap(), *counts.iter().max().unwrap());
    assert!(2 * least >= most, "{counts:?}");
}

#[tokio::test]
async fn the_end_of_the_server_is_told() {
    let server = start(Options::default()).await;
    let mut client = session(&server).await;
    let (goodbye, ()) = tokio::join!(client.next(), server.stop());
    let Some(Ok(Message::Close(Some(frame)))) = goodbye else { panic!("{goodbye:?}") };
    assert_eq!((u16::from(frame.code), frame.reason.as_str()), (1001, "the server ends"));
}
