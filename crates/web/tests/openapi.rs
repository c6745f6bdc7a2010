//! The document describes every route, and every route that it describes is there.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

mod common;

use std::collections::BTreeSet;

use rapport_web::{JournalOptions, JournalService, Options};

const ROUTES: [(&str, &str); 32] = [
    ("get", "/api/v1/health"),
    ("get", "/api/v1/info"),
    ("post", "/api/v1/analyze"),
    ("post", "/api/v1/explain"),
    ("get", "/api/v1/live"),
    ("get", "/api/v1/watch"),
    ("get", "/api/v1/events"),
    ("get", "/api/v1/robots"),
    ("post", "/api/v1/robots/{name}/pause"),
    ("post", "/api/v1/pause"),
    ("post", "/api/v1/sign-in"),
    ("post", "/api/v1/sign-out"),
    ("post", "/api/v1/ratings"),
    ("get", "/api/v1/journal/places"),
    ("get", "/api/v1/journal/history"),
    ("get", "/api/v1/journal/hours"),
    ("get", "/api/v1/journal/answers"),
    ("get", "/api/v1/journal/policies"),
    ("get", "/api/v1/journal/comparison"),
    ("get", "/api/v1/journal/drift"),
    ("get", "/api/v1/journal/accuracy"),
    ("get", "/api/v1/journal/status"),
    ("get", "/api/v1/journal/export.csv"),
    ("get", "/api/v1/journal/export.parquet"),
    ("get", "/api/v1/feedback"),
    ("get", "/api/v1/feedback/next"),
    ("get", "/api/v1/feedback/items/{id}/face"),
    ("post", "/api/v1/feedback/items/{id}/answer"),
    ("post", "/api/v1/feedback/withdraw"),
    ("post", "/api/v1/feedback/empty"),
    ("get", "/api/v1/openapi.json"),
    ("get", "/metrics"),
];

#[tokio::test]
async fn every_route_is_in_the_document_and_there() {
    let folder = tempfile::tempdir().unwrap();
    let options = JournalOptions {
        place: Some("lobby".to_owned()),
        ..JournalOptions::new(folder.path().join("journal.db"))
    };
    let journal = Some(JournalService::open(options).unwrap());
    let server = common::start(Options { journal, ..Options::default() }).await;
    let document = server.get("/api/v1/openapi.json").await.json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let paths = document["paths"].as_object().unwrap();
    let described: BTreeSet<_> = paths
        .iter()
        .flat_map(|(path, methods)| {
            methods.as_object().unwrap().keys().map(move |method| (method.as_str(), path.as_str()))
        })
        .collect();
    assert_eq!(described, BTreeSet::from(ROUTES));
    for (method, path) in described {
        if path == "/api/v1/events" {
            continue;
        }
        let status = server.ask(&method.to_uppercase(), path, &[], b"").await.status;
        // No robot has that name, and no faces are kept here.
        let is_unknown = path.contains("{name}") || path.contains("/feedback");
        assert!(status != 405 && (status != 404 || is_unknown), "{method} {path}: {status}");
        let operation = &document["paths"][path][method];
        assert!(operation["summary"].is_string() && operation["tags"].is_array(), "{operation}");
    }
}

#[tokio::test]
async fn the_sources_have_no_route_beside_the_document() {
    let folder = rapport_test_support::in_repository("crates/web/src");
    for name in ["server.rs", "api/mod.rs", "api/journal.rs"] {
        let source = std::fs::read_to_string(folder.join(name)).unwrap();
        assert!(!source.contains(".route("), "{name} has a route that no document describes");
    }
}

#[tokio::test]
async fn every_reference_leads_somewhere_and_every_schema_is_described() {
    let server = common::start(Options::default()).await;
    let document = server.get("/api/v1/openapi.json").await.json();
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for name in
        ["PictureReport", "LiveMessage", "LiveRequest", "WatchMessage", "Problem", "PeriodFigures"]
    {
        assert!(schemas.contains_key(name), "{name}");
    }
    for (name, schema) in schemas {
        assert!(schema["description"].is_string(), "{name} is not described");
    }
}

#[test]
fn every_kind_of_problem_is_described() {
    let page = std::fs::read_to_string(rapport_test_support::in_repository("docs/api.md")).unwrap();
    for (kind, _, status) in rapport_web::problem::Problem::KINDS {
        assert!(page.contains(&format!("| `{kind}` | {status} |")), "{kind}");
    }
}
