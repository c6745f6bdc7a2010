//! The journal over HTTP: what it holds, ratings, and what is refused. Real SQLite files, a real server.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

mod common;
#[path = "common/journal.rs"]
mod kept;

use std::path::Path;
use std::sync::Arc;

use common::{Running, start, start_at};
use rapport_journal::Journal;
use rapport_web::{Hub, JournalOptions, JournalService, Options};
use serde_json::json;
use tempfile::TempDir;

fn options(file: &Path, place: Option<&str>) -> Options {
    let options =
        JournalOptions { place: place.map(str::to_owned), ..JournalOptions::new(file.to_owned()) };
    Options { journal: Some(JournalService::open(options).unwrap()), ..Options::default() }
}

/// A server with a journal of three weeks of the place `lobby`.
async fn with_three_weeks() -> (TempDir, Running) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("journal.db");
    kept::keep(&file, "lobby");
    let server = start(options(&file, Some("lobby"))).await;
    (folder, server)
}

async fn get(server: &Running, path: &str) -> serde_json::Value {
    let answer = server.get(&format!("/api/v1/journal/{path}")).await;
    assert_eq!(answer.status, 200, "{path}: {}", String::from_utf8_lossy(&answer.body));
    answer.json()
}

async fn rate(server: &Running, body: &str) -> common::Answer {
    server.post("/api/v1/ratings", "application/json", body.as_bytes()).await
}

#[tokio::test]
async fn everything_is_answered_from_the_file() {
    let (_folder, server) = with_three_weeks().await;
    assert_eq!(get(&server, "places").await, json!(["lobby"]));
    let days = get(&server, "history?place=lobby&zone=utc").await;
    let days = days.as_array().unwrap();
    assert_eq!(days.len() as u64, kept::DAYS);
    for day in days {
        assert_eq!(day["visits"]["visits"], kept::VISITS, "{day}");
        assert_eq!(day["ratings"]["n"], kept::VISITS, "{day}");
        assert_eq!(day["health"]["images"], 1000, "{day}");
    }
    assert_eq!(days[0]["visits"]["smiles"]["rate"], 0.25);
    assert_eq!(days[20]["visits"]["smiles"]["rate"], 1.0);
    let all = get(&server, "history?period=all").await;
    assert_eq!(all[0]["visits"]["visits"], kept::DAYS * kept::VISITS);
    let weeks = get(&server, "history?period=week").await;
    assert!((3..=4).contains(&weeks.as_array().unwrap().len()), "{weeks}");

    let hours = get(&server, "hours?zone=%2B02:00").await;
    assert_eq!(hours["hours"].as_array().unwrap().len(), 7, "{hours}");
    assert!(hours["hours"].as_array().unwrap().iter().all(|hour| hour["hour"] == 14), "{hours}");
    let answers = get(&server, "answers").await;
    assert_eq!((&answers[0]["rule"], &answers[0]["times"]), (&json!("greet"), &json!(504)));

    let changes = get(&server, "policies").await;
    assert_eq!(changes[1]["policy"], "new", "{changes}");
    assert_eq!(changes, get(&server, "policies?place=lobby").await);
    let at = changes[1]["at_secs"].as_u64().unwrap();
    let compared = get(&server, &format!("comparison?at={at}&days=7")).await;
    assert_eq!(compared["before"]["visits"]["smiles"]["rate"], 0.25, "{compared}");
    assert_eq!(compared["after"]["visits"]["smiles"]["rate"], 1.0, "{compared}");
    assert!(compared["smiles"]["low"].as_f64().unwrap() > 0.5, "{compared}");

    let drift = get(&server, "drift").await;
    assert_eq!(
        (&drift["state"], drift["features"].as_array().unwrap().len()),
        (&json!("measured"), 5)
    );
    let accuracy = get(&server, "accuracy?place=lobby").await;
    assert!((accuracy["expected"]["mean"].as_f64().unwrap() - 0.8).abs() < 1e-6, "{accuracy}");
    // Others smile now, so the calibration may not hold.
    assert_eq!(accuracy["trust"]["trust"], "drifted", "{accuracy}");

    let status = get(&server, "status").await;
    assert_eq!((&status["file"], &status["error"]), (&json!("journal.db"), &json!(null)));
    assert!(status["bytes"].as_u64().unwrap() > 4096, "{status}");
    server.stop().await;
}

#[tokio::test]
async fn it_is_downloaded_as_csv() {
    let (_folder, server) = with_three_weeks().await;
    for table in ["visits", "answers", "ratings", "health"] {
        let answer = server.get(&format!("/api/v1/journal/export.csv?table={table}")).await;
        let text = String::from_utf8(answer.body.clone()).unwrap();
        assert!(answer.header("content-type").unwrap().starts_with("text/csv"));
        let name = format!("attachment; filename=\"rapport-{table}.csv\"");
        assert_eq!(answer.header("content-disposition"), Some(name.as_str()));
        assert!(text.starts_with("place,from_utc,to_utc,"), "{text}");
        assert!(text.lines().skip(1).all(|line| line.starts_with("lobby,2")), "{text}");
        assert_eq!(text.lines().count() as u64, kept::DAYS + 1, "{table}: {text}");
    }
    server.stop().await;
}

#[tokio::test]
async fn questions_that_make_no_sense_are_refused_by_name() {
    let (_folder, server) = with_three_weeks().await;
    for (path, word) in [
        ("history?period=year", "`period` is `year`, expected day, week, month or all"),
        ("history?from=yesterday", "`from` is `yesterday`, expected seconds since 1970"),
        ("history?from=20&to=10", "expected `from` before `to`"),
        ("hours?zone=CET", "`zone` is `CET`, expected local, utc, or an offset"),
        ("hours?place=a&place=b", "duplicate"),
        ("answers?until=3", "unknown field `until`"),
        ("comparison", "missing field `at`"),
        ("comparison?at=1&days=0", "`days` is `0`, expected a number from 1 to 366"),
        ("export.csv?table=people", "expected one of visits, answers, ratings, health"),
    ] {
        let answer = server.get(&format!("/api/v1/journal/{path}")).await;
        let detail = answer.problem(400, "bad-request");
        assert!(detail.contains(word), "{path}: {detail}");
    }
    for path in ["history", "hours", "answers", "policies", "drift", "accuracy", "export.csv"] {
        let answer = server.get(&format!("/api/v1/journal/{path}?place=cellar")).await;
        let detail = answer.problem(404, "not-found");
        assert_eq!(detail, "no place `cellar` is known, expected one of: lobby", "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn without_a_journal_that_is_said() {
    let server = start(Options::default()).await;
    for path in ["places", "history", "comparison?at=1", "status", "export.csv"] {
        let detail =
            server.get(&format!("/api/v1/journal/{path}")).await.problem(404, "no-journal");
        assert!(detail.contains("--journal FILE"), "{detail}");
    }
    rate(&server, r#"{"rating": 5}"#).await.problem(404, "no-journal");
    assert_eq!(server.get("/api/v1/info").await.json()["journal"], false);
    server.stop().await;
}

#[tokio::test]
async fn a_tap_counts_once_and_ten_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("journal.db");
    let server = start(options(&file, Some("exit"))).await;
    let taken = rate(&server, r#"{"rating": 4}"#).await;
    assert_eq!(taken.status, 201);
    assert_eq!(taken.json(), json!({ "place": "exit", "rating": 4, "pause_secs": 5 }));
    let again = rate(&server, r#"{"rating": 1, "place": "exit"}"#).await;
    again.problem(429, "too-soon");
    let wait: u32 = again.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=5).contains(&wait), "{wait}");
    for (body, word) in [
        (r#"{"rating": 6}"#, "`rating` is 6, expected 1 (worst) to 5 (best)"),
        (r#"{"rating": 0}"#, "`rating` is 0"),
        (r#"{"rating": "good"}"#, "invalid type: string"),
        (r#"{"stars": 3}"#, "unknown field `stars`"),
    ] {
        let detail = rate(&server, body).await.problem(400, "bad-request");
        assert!(detail.contains(word), "{detail}");
    }
    rate(&server, r#"{"rating": 3, "place": "cellar"}"#).await.problem(404, "not-found");
    // Nine more, from other tablets.
    let journal = server.app.journal().unwrap().clone();
    for tablet in 1..10 {
        let rating = rapport_journal::Rating::new(5).unwrap();
        journal.rate([192, 168, 0, tablet].into(), "exit", rating).unwrap();
    }
    server.stop().await;
    let all = Journal::open_read_only(&file).unwrap();
    let scope = rapport_journal::Scope {
        place: Some("exit"),
        from: std::time::Duration::ZERO,
        to: rapport_web::journal::now() * 2,
        zone: rapport_journal::Zone::UTC,
    };
    let history = all.history(&scope, rapport_journal::Period::All).unwrap();
    assert_eq!(history[0].ratings.as_ref().unwrap().counts, [0, 0, 0, 1, 9]);
}

#[tokio::test]
async fn of_several_places_one_must_be_named() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(&folder.path().join("journal.db"), None);
    let journal = options.journal.clone().unwrap();
    let server = start_at("127.0.0.1:0", options, Some(Arc::new(Hub::default()))).await;
    let detail = rate(&server, r#"{"rating": 5}"#).await.problem(400, "bad-request");
    assert!(detail.contains("none yet"), "{detail}");
    journal.observe("left");
    assert_eq!(rate(&server, r#"{"rating": 5}"#).await.json()["place"], "left");
    journal.observe("right");
    let detail = rate(&server, r#"{"rating": 5}"#).await.problem(400, "bad-request");
    assert!(detail.contains("left, right"), "{detail}");
    assert_eq!(rate(&server, r#"{"rating": 5, "place": "right"}"#).await.status, 201);
    // Known before it has any figure.
    assert_eq!(get(&server, "history?place=left").await, json!([]));
    assert_eq!(get(&server, "drift?place=left").await["state"], "too_early");
    assert_eq!(get(&server, "accuracy?place=left").await, json!(null));
    let answer = server.get("/api/v1/journal/comparison?place=left&at=1").await;
    answer.problem(404, "not-found");
    server.stop().await;
}

#[tokio::test]
async fn the_token_of_the_tablet_rates_and_reads_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = rapport_web::tokens::Tokens::in_folder(folder.path()).unwrap();
    let file = folder.path().join("journal.db");
    let options = Options { tokens: Some(tokens.clone()), ..options(&file, Some("exit")) };
    let server = start(options).await;
    rate(&server, r#"{"rating": 5}"#).await.problem(401, "sign-in");
    let token = |role| {
        let (_, token) = tokens.iter().find(|(known, _)| *known == role).unwrap();
        format!("Bearer {token}")
    };
    let rating = token(rapport_web::tokens::Role::Rating);
    let headers = [("Authorization", rating.as_str()), ("Content-Type", "application/json")];
    let taken = server.ask("POST", "/api/v1/ratings", &headers, br#"{"rating": 5}"#).await;
    assert_eq!(taken.status, 201);
    for path in
        ["journal/places", "journal/history", "journal/status", "journal/export.csv", "robots"]
    {
        let answer = server.ask("GET", &format!("/api/v1/{path}"), &headers, b"").await;
        answer.problem(403, "forbidden");
    }
    let viewer = token(rapport_web::tokens::Role::Viewer);
    let answer = server
        .ask("GET", "/api/v1/journal/places", &[("Authorization", viewer.as_str())], b"")
        .await;
    assert_eq!(answer.json(), json!(["exit"]));
    server.stop().await;
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_an_error_and_the_server_lives_on() {
    let (folder, server) = with_three_weeks().await;
    get(&server, "places").await;
    let (file, away) = (folder.path().join("journal.db"), folder.path().join("away.db"));
    std::fs::rename(&file, &away).unwrap();
    server.get("/api/v1/journal/history").await.problem(500, "journal");
    assert_eq!(get(&server, "status").await["bytes"], json!(null));
    std::fs::rename(&away, &file).unwrap();
    assert_eq!(get(&server, "places").await, json!(["lobby"]));
    server.stop().await;
}
