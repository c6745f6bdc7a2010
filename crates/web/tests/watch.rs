//! WebSocket `watch` and the events: what robots report reaches viewers, and slow viewers cost nobody.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{Running, file, start_at};
use futures_util::{SinkExt, StreamExt};
use rapport_perception::report::BoxReport;
use rapport_web::hub::Action;
use rapport_web::picture::{Picture, PictureError, Privacy};
use rapport_web::robot::{Level, RobotEmotions, RobotResponse, RobotState};
use rapport_web::{Hub, Options};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

type Client = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn message(client: &mut Client) -> Message {
    loop {
        let message = tokio::time::timeout(Duration::from_secs(20), client.next()).await.unwrap();
        match message.unwrap().unwrap() {
            Message::Ping(_) | Message::Pong(_) => {}
            message => return message,
        }
    }
}

async fn next(client: &mut Client) -> Value {
    match message(client).await {
        Message::Text(text) => serde_json::from_str(&text).unwrap(),
        other => panic!("{other:?}"),
    }
}

async fn say(client: &mut Client, message: Value) {
    client.send(Message::text(message.to_string())).await.unwrap();
}

fn state(sentence: &str) -> RobotState {
    RobotState { level: Level::Ok, sentence: sentence.to_owned(), ..RobotState::default() }
}

fn response(rule: &str) -> RobotResponse {
    RobotResponse {
        stamp_secs: 2.0,
        rule: rule.to_owned(),
        face_id: "face_1".to_owned(),
        reason: "happy at 0.82 for 1.0 s".to_owned(),
        speech: "Hello.".to_owned(),
        gesture: "nod".to_owned(),
        expression: "happy".to_owned(),
    }
}

async fn server(privacy: Privacy) -> (Running, Arc<Hub>) {
    let hub = Arc::new(Hub::default());
    hub.put_state("/left", state("All is well."));
    let options = Options { privacy, ..Options::default() };
    (start_at("127.0.0.1:0", options, Some(hub.clone())).await, hub)
}

async fn viewer(server: &Running) -> Client {
    let (mut client, _) = connect_async(server.socket("watch")).await.unwrap();
    let hello = next(&mut client).await;
    assert_eq!((&hello["type"], &hello["robots"][0]["robot"]), (&"hello".into(), &"/left".into()));
    client
}

fn photograph(stamp_secs: f64, privacy: Privacy, faces: &[BoxReport]) -> Picture {
    let picture = rapport_test_support::picture("astronaut.jpg");
    Picture::new(picture.as_raw(), 512, 512, stamp_secs, faces, privacy).unwrap()
}

#[tokio::test]
async fn viewers_see_what_robots_see_and_do() {
    let (server, hub) = server(Privacy::default()).await;
    assert_eq!(server.get("/api/v1/info").await.json()["robots"], true);
    assert_eq!(server.get("/api/v1/robots").await.json()[0]["state"]["level"], "ok");
    let mut client = viewer(&server).await;
    hub.put_state("/right", state("No images since 4 s."));
    let told = next(&mut client).await;
    assert_eq!((&told["type"], &told["robot"]), (&"robot".into(), &"/right".into()));
    assert_eq!(told["state"]["sentence"], "No images since 4 s.");
    let emotions = RobotEmotions { stamp_secs: 1.5, width: 640, height: 480, people: vec![] };
    hub.put_emotions("/left", emotions);
    let told = next(&mut client).await;
    assert_eq!((&told["type"], &told["stamp_secs"]), (&"emotions".into(), &1.5.into()), "{told}");
    hub.put_response("/left", response("greet"));
    let told = next(&mut client).await;
    assert_eq!((&told["type"], &told["rule"]), (&"response".into(), &"greet".into()), "{told}");
    hub.remove("/right");
    assert_eq!(next(&mut client).await, json!({ "type": "gone", "robot": "/right" }));
}

#[tokio::test]
async fn pictures_come_one_at_a_time_and_always_the_newest() {
    let (server, hub) = server(Privacy::default()).await;
    let mut client = viewer(&server).await;
    let mut lookers = hub.lookers("/left").unwrap();
    say(&mut client, json!({ "type": "look", "robot": "/left", "pictures": true })).await;
    lookers.wait_for(|count| *count == 1).await.unwrap();
    hub.put_picture("/left", photograph(1.0, Privacy::default(), &[]));
    let told = next(&mut client).await;
    assert_eq!((&told["type"], &told["stamp_secs"]), (&"picture".into(), &1.0.into()));
    let Message::Binary(jpeg) = message(&mut client).await else { panic!("no picture") };
    assert_eq!(image::load_from_memory(&jpeg).unwrap().width(), 512);
    // Two more while the viewer is busy: it gets the last, once it is ready.
    hub.put_picture("/left", photograph(2.0, Privacy::default(), &[]));
    hub.put_picture("/left", photograph(3.0, Privacy::default(), &[]));
    hub.put_response("/left", response("greet"));
    assert_eq!(next(&mut client).await["type"], "response");
    say(&mut client, json!({ "type": "ready" })).await;
    assert_eq!(next(&mut client).await["stamp_secs"], 3.0);
    message(&mut client).await;
    say(&mut client, json!({ "type": "look", "robot": "/left", "pictures": false })).await;
    lookers.wait_for(|count| *count == 0).await.unwrap();
    // Also where the viewer just leaves.
    say(&mut client, json!({ "type": "look", "robot": "/left", "pictures": true })).await;
    lookers.wait_for(|count| *count == 1).await.unwrap();
    drop(client);
    lookers.wait_for(|count| *count == 0).await.unwrap();
}

#[tokio::test]
async fn what_makes_no_sense_is_a_problem_and_the_viewer_stays() {
    let (server, _hub) = server(Privacy::default()).await;
    let mut client = viewer(&server).await;
    client.send(Message::binary(file("hopper_small.png")[..100].to_vec())).await.unwrap();
    assert_eq!(next(&mut client).await["status"], 400);
    say(&mut client, json!({ "type": "look", "robot": "/nobody", "pictures": true })).await;
    assert_eq!(next(&mut client).await["status"], 404);
    say(&mut client, json!({ "type": "look", "robot": "/left" })).await;
    assert_eq!(next(&mut client).await["status"], 400);
}

#[tokio::test]
async fn numbers_only_sends_no_picture() {
    let privacy = Privacy { numbers_only: true, blur_faces: false };
    let (server, hub) = server(privacy).await;
    let mut client = viewer(&server).await;
    say(&mut client, json!({ "type": "look", "robot": "/left", "pictures": true })).await;
    assert_eq!(next(&mut client).await["status"], 403);
    assert_eq!(*hub.lookers("/left").unwrap().borrow(), 0);
    let refused = Picture::new(&[0; 12], 2, 2, 0.0, &[], privacy);
    assert!(matches!(refused, Err(PictureError::NumbersOnly)));
    assert_eq!(server.get("/api/v1/info").await.json()["numbers_only"], true);
}

#[tokio::test]
async fn blurred_faces_are_nobodys() {
    let blur = Privacy { blur_faces: true, numbers_only: false };
    let server = common::start(Options::default()).await;
    let found = server.post("/api/v1/analyze", "image/jpeg", &file("astronaut.jpg")).await.json();
    let number = |key: &str| found[0]["faces"][0]["roi"][key].as_u64().unwrap() as u32;
    let face = BoxReport {
        x: number("x"),
        y: number("y"),
        width: number("width"),
        height: number("height"),
    };
    let (clear, blurred) =
        (photograph(0.0, Privacy::default(), &[face]), photograph(0.0, blur, &[face]));
    let again = server.post("/api/v1/analyze", "image/jpeg", &blurred.jpeg).await.json();
    assert_eq!(again[0]["faces"], json!([]), "a blurred face is still found");
    let [clear, blurred] =
        [clear, blurred].map(|p| image::load_from_memory(&p.jpeg).unwrap().to_rgb8());
    let differs = |x: u32, y: u32| {
        let pairs = clear.get_pixel(x, y).0.into_iter().zip(blurred.get_pixel(x, y).0);
        pairs.map(|(a, b)| u32::from(a.abs_diff(b))).sum::<u32>() > 60
    };
    assert!(!differs(20, 20) && !differs(500, 500), "only faces are blurred");
    let changed = (face.x..face.x + face.width)
        .flat_map(|x| (face.y..face.y + face.height).map(move |y| (x, y)))
        .filter(|(x, y)| differs(*x, *y))
        .count();
    assert!(changed > 1000, "{changed}");
    // Boxes at and beyond the edges, and wrong sizes.
    let wild = BoxReport { x: 500, y: 500, width: u32::MAX, height: u32::MAX };
    photograph(0.0, blur, &[wild, BoxReport { x: 0, y: 0, width: 0, height: 0 }]);
    assert!(Picture::new(&[0; 10], 2, 2, 0.0, &[], blur).is_err());
}

#[tokio::test]
async fn a_robot_is_paused_by_its_name() {
    let (server, hub) = server(Privacy::default()).await;
    let mut commands = hub.take_commands().unwrap();
    let robot = async {
        for answer in [Ok(()), Err("the service did not answer".to_owned())] {
            let command = commands.recv().await.unwrap();
            assert_eq!((&*command.robot, command.action), ("/left", Action::Pause(true)));
            command.answer.send(answer).unwrap();
        }
    };
    let pause = async {
        let body = br#"{"paused": true}"#;
        let path = "/api/v1/robots/left/pause";
        let done = server.post(path, "application/json", body).await;
        assert_eq!(done.json(), json!({ "paused": true }));
        let failed = server.post(path, "application/json", body).await;
        let detail = failed.problem(502, "robot");
        assert_eq!(detail, "/left: the service did not answer");
    };
    tokio::join!(robot, pause);
}

#[tokio::test]
async fn scripts_read_the_same_as_events() {
    let (server, hub) = server(Privacy::default()).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = server.head("GET", "/api/v1/events", &[], 0);
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut text = String::new();
    let mut read = async |until: &str| {
        let mut buffer = [0; 4096];
        while !text.contains(until) {
            let read = tokio::time::timeout(Duration::from_secs(10), stream.read(&mut buffer));
            let read = read.await.unwrap().unwrap();
            assert!(read > 0, "{text}");
            text.push_str(&String::from_utf8_lossy(&buffer[..read]));
        }
    };
    read(r#"data: {"type":"hello","robots":[{"robot":"/left""#).await;
    hub.put_response("/left", response("greet"));
    read(r#""rule":"greet""#).await;
    server.stop().await;
}

#[tokio::test]
async fn a_viewer_that_does_not_read_loses_messages_and_costs_nobody() {
    let (server, hub) = server(Privacy::default()).await;
    let (_sleeper, mut reader) = (viewer(&server).await, viewer(&server).await);
    let long = "x".repeat(100_000);
    let before = std::time::Instant::now();
    for index in 0..1000 {
        hub.put_response("/left", response(&format!("{index} {long}")));
        // As long as anybody reads, what it reads is new.
        if index % 100 == 99 {
            while !next(&mut reader).await["rule"]
                .as_str()
                .is_some_and(|rule| rule.starts_with(&format!("{index} ")))
            {}
        }
    }
    assert!(before.elapsed() < Duration::from_secs(20), "{:?}", before.elapsed());
}
