//! Faces are kept of who consented, alone and while that lasts; operators review them; a code deletes
//! them.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

mod common;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use common::{Running, file, start};
use futures_util::{SinkExt, StreamExt};
use rapport_web::setup::{Setup, SetupError};
use rapport_web::tokens::{Role, Tokens};
use rapport_web::{FeedbackOptions, FeedbackService, Options};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

type Client = WebSocketStream<MaybeTlsStream<TcpStream>>;

const PATIENCE: Duration = Duration::from_secs(120);

fn options(root: &Path) -> FeedbackOptions {
    FeedbackOptions {
        folder: root.join("feedback"),
        key: root.join("keys/feedback.key"),
        keep_days: 7,
        place: "lobby".to_owned(),
        read_every: Duration::from_millis(100),
    }
}

fn service(root: &TempDir) -> Option<Arc<FeedbackService>> {
    Some(FeedbackService::open(options(root.path())).unwrap())
}

async fn next(client: &mut Client) -> Value {
    loop {
        let message = tokio::time::timeout(PATIENCE, client.next()).await.unwrap();
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

async fn session(server: &Running) -> Client {
    let (mut client, _) = connect_async(server.socket("live")).await.unwrap();
    assert_eq!(next(&mut client).await["type"], "hello");
    client
}

/// Sends a picture and takes all messages up to its answer.
async fn look(client: &mut Client, jpeg: &[u8]) -> Vec<Value> {
    client.send(Message::binary(jpeg.to_vec())).await.unwrap();
    let mut heard = vec![next(client).await];
    while heard.last().unwrap()["type"] != "observation" {
        heard.push(next(client).await);
    }
    heard
}

/// Looks until a message of this type comes, and gives it.
async fn look_until(client: &mut Client, jpeg: &[u8], kind: &str) -> Value {
    let until = tokio::time::Instant::now() + PATIENCE;
    while tokio::time::Instant::now() < until {
        let mut heard = look(client, jpeg).await;
        if let Some(index) = heard.iter().position(|message| message["type"] == kind) {
            return heard.swap_remove(index);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("no {kind}");
}

async fn consent(client: &mut Client) -> String {
    say(client, json!({ "type": "consent" })).await;
    let answer = next(client).await;
    assert_eq!(answer["type"], "consent", "{answer}");
    answer["code"].as_str().unwrap().to_owned()
}

fn faces(root: &TempDir) -> usize {
    std::fs::read_dir(root.path().join("feedback/faces")).unwrap().count()
}

#[tokio::test]
async fn a_face_is_kept_with_consent_reviewed_and_withdrawn() {
    let root = tempfile::tempdir().unwrap();
    let server = start(Options { feedback: service(&root), ..Options::default() }).await;
    let (mut client, jpeg) = (session(&server).await, file("astronaut.jpg"));
    let info = server.get("/api/v1/info").await.json();
    assert_eq!(info["feedback"]["keep_days"], 7);
    // Without consent nothing is kept, however long somebody looks.
    for _ in 0..40 {
        look(&mut client, &jpeg).await;
    }
    assert_eq!(faces(&root), 0);
    assert_eq!(server.get("/api/v1/feedback/next").await.json()["item"], Value::Null);
    let code = consent(&mut client).await;
    assert_eq!(look_until(&mut client, &jpeg, "consenting").await["view"], "alone");
    let kept = look_until(&mut client, &jpeg, "kept").await;
    assert_eq!(kept["faces"], 1);
    say(&mut client, json!({ "type": "end_consent" })).await;
    let ended = next(&mut client).await;
    assert_eq!((&ended["reason"], &ended["faces"]), (&"ended".into(), &1.into()));
    for _ in 0..20 {
        assert_eq!(look(&mut client, &jpeg).await.len(), 1, "something was kept after the end");
    }
    assert_eq!(faces(&root), 1);
    // The review: numbers, then the face.
    let found = server.get("/api/v1/feedback/next").await.json();
    let item = &found["item"];
    assert_eq!((&found["waiting"], &item["shown"]), (&1.into(), &"happy".into()));
    assert_eq!(item["place"], "lobby");
    assert_eq!(item["probabilities"].as_object().unwrap().len(), 8);
    let path = format!("/api/v1/feedback/items/{}", item["id"].as_str().unwrap());
    let face = server.get(&format!("{path}/face")).await;
    assert_eq!(face.header("content-type"), Some("image/png"));
    assert_eq!(face.header("cache-control"), Some("no-store"));
    let (width, height) = png_size(&face.body);
    assert_eq!((width, height), (112, 112));
    let answer = |word: &str| json!({ "answer": word }).to_string();
    let post =
        async |path: &str, body: &str| server.post(path, "application/json", body.as_bytes()).await;
    let path = format!("{path}/answer");
    post(&path, &answer("hapy")).await.problem(400, "bad-request");
    assert_eq!(post(&path, &answer("sad")).await.status, 204);
    assert_eq!(post(&path, &answer("happy")).await.status, 204);
    let summary = server.get("/api/v1/feedback").await.json();
    assert_eq!(
        summary["counts"],
        json!({ "consents": 1, "faces": 1, "waiting": 0, "answered": 1 })
    );
    assert_eq!(summary["answers"], json!({ "happy": 1 }));
    assert_eq!(summary["accuracy"]["right"], Value::Null, "ten answers are too few for a share");
    // The way out, as a person types it.
    let withdraw = |code: &str| json!({ "code": code }).to_string();
    post("/api/v1/feedback/withdraw", &withdraw("abcd")).await.problem(400, "bad-request");
    let other = "aaaa-aaaa-aaaa";
    post("/api/v1/feedback/withdraw", &withdraw(other)).await.problem(404, "not-found");
    let typed = withdraw(&code.to_uppercase().replace('-', " "));
    let gone = post("/api/v1/feedback/withdraw", &typed).await.json();
    assert_eq!(gone, json!({ "faces": 1, "answers": 1 }));
    assert_eq!(faces(&root), 0);
    post(&path, &answer("happy")).await.problem(404, "not-found");
    post("/api/v1/feedback/withdraw", &typed).await.problem(404, "not-found");
    server.stop().await;
}

#[tokio::test]
async fn nothing_is_kept_of_others_and_a_withdrawal_ends_the_looking() {
    let root = tempfile::tempdir().unwrap();
    let server = start(Options { feedback: service(&root), ..Options::default() }).await;
    let (mut client, alone, many) =
        (session(&server).await, file("astronaut.jpg"), file("solvay_rows.png"));
    let code = consent(&mut client).await;
    assert_eq!(look_until(&mut client, &many, "consenting").await["view"], "others");
    for _ in 0..20 {
        let heard = look(&mut client, &many).await;
        assert!(heard.iter().all(|message| message["type"] != "kept"), "{heard:?}");
    }
    assert_eq!(faces(&root), 0);
    look_until(&mut client, &alone, "kept").await;
    // Withdrawn elsewhere while the person still stands there.
    let body = json!({ "code": code }).to_string();
    let gone = server.post("/api/v1/feedback/withdraw", "application/json", body.as_bytes()).await;
    assert!(gone.json()["faces"].as_u64().unwrap() >= 1);
    let ended = look_until(&mut client, &alone, "consent_ended").await;
    assert_eq!(ended["reason"], "withdrawn");
    assert_eq!(faces(&root), 0);
    // Forgetting everybody ends a consent too: the next face of the same id may be anybody's.
    consent(&mut client).await;
    look_until(&mut client, &alone, "consenting").await;
    say(&mut client, json!({ "type": "reset" })).await;
    assert_eq!(next(&mut client).await["type"], "consent_ended");
    // Nobody in view: the consent is over by itself.
    consent(&mut client).await;
    look_until(&mut client, &alone, "consenting").await;
    let ended = look_until(&mut client, &file("rocket.jpg"), "consent_ended").await;
    assert_eq!(ended["reason"], "left");
    server.stop().await;
}

#[tokio::test]
async fn only_an_operator_reviews_and_anybody_withdraws() {
    let root = tempfile::tempdir().unwrap();
    let tokens = Tokens::in_folder(&root.path().join("state")).unwrap();
    let token = |wanted| tokens.iter().find(|(role, _)| *role == wanted).unwrap().1.to_owned();
    let bearers = [Role::Rating, Role::Viewer, Role::Operator]
        .map(|role| (role, format!("Bearer {}", token(role))));
    let feedback = service(&root);
    let server = start(Options { feedback, tokens: Some(tokens), ..Options::default() }).await;
    let item = format!("/api/v1/feedback/items/{}", "0".repeat(32));
    let (face, answer) = (format!("{item}/face"), format!("{item}/answer"));
    for (method, path, body) in [
        ("GET", "/api/v1/feedback", ""),
        ("GET", "/api/v1/feedback/next", ""),
        ("GET", face.as_str(), ""),
        ("POST", answer.as_str(), r#"{"answer": "happy"}"#),
        ("POST", "/api/v1/feedback/empty", ""),
    ] {
        let kind = ("Content-Type", "application/json");
        server.ask(method, path, &[kind], body.as_bytes()).await.problem(401, "sign-in");
        for (role, bearer) in &bearers {
            let headers = [kind, ("Authorization", bearer.as_str())];
            let found = server.ask(method, path, &headers, body.as_bytes()).await;
            match role {
                Role::Operator if path.contains("items") => drop(found.problem(404, "not-found")),
                Role::Operator => assert_eq!(found.status, 200, "{path}"),
                _ => drop(found.problem(403, "forbidden")),
            }
        }
    }
    let body = br#"{"code": "aaaa-aaaa-aaaa"}"#;
    let found = server.post("/api/v1/feedback/withdraw", "application/json", body).await;
    found.problem(404, "not-found");
    server.stop().await;
}

#[tokio::test]
async fn without_a_folder_nobody_can_consent() {
    let server = start(Options::default()).await;
    let mut client = session(&server).await;
    say(&mut client, json!({ "type": "consent" })).await;
    let answer = next(&mut client).await;
    assert_eq!(
        (&answer["type"], &answer["problem"]),
        (&"problem".into(), &"/api#no-feedback".into())
    );
    server.get("/api/v1/feedback").await.problem(404, "no-feedback");
    assert_eq!(server.get("/api/v1/info").await.json()["feedback"], Value::Null);
    server.stop().await;
}

#[test]
fn a_server_that_would_give_faces_away_does_not_start() {
    let root = tempfile::tempdir().unwrap();
    let with = |change: &dyn Fn(&mut Setup)| {
        let mut setup = Setup { feedback: Some(options(root.path())), ..Setup::default() };
        change(&mut setup);
        setup.decide().map(drop)
    };
    let open = with(&|setup| {
        setup.listen = Some("0.0.0.0:80".parse().unwrap());
        setup.insecure = true;
    });
    assert!(matches!(open, Err(SetupError::OpenFaces)));
    let hidden = with(&|setup| setup.privacy.blur_faces = true);
    assert!(matches!(hidden, Err(SetupError::HiddenFaces("--blur-faces"))));
    let hidden = with(&|setup| setup.privacy.numbers_only = true);
    assert!(matches!(hidden, Err(SetupError::HiddenFaces("--numbers-only"))));
    let together = with(&|setup| {
        let mut options = options(root.path());
        options.key = options.folder.join("key");
        setup.feedback = Some(options);
    });
    assert!(together.unwrap_err().to_string().contains("lie in one folder"));
    assert!(!root.path().join("feedback").exists());
    with(&|_| {}).unwrap();
    assert!(root.path().join("feedback").exists());
}

/// Width and height, from the head of a PNG.
fn png_size(png: &[u8]) -> (u32, u32) {
    assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
    let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    (number(16), number(20))
}
