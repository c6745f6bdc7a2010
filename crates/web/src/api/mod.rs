//! The API, version 1. Each file is one resource; the document is made from their types.

pub mod analyze;
pub mod events;
pub mod explain;
pub mod feedback;
pub mod health;
pub mod info;
pub mod journal;
pub mod pause;
pub mod ratings;
pub mod robots;
pub mod sign_in;
pub mod sockets;

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::{Extension, Router};
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::Viewer;
use crate::app::App;
use crate::messages::{LiveMessage, LiveRequest, WatchMessage, WatchRequest};
use crate::problem::Problem;

/// Where the API lies.
pub const BASE: &str = "/api/v1";

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Rapport",
        description = "Pictures in, expressions out. It reports the expression shown, never the \
            emotion felt. Every error is a problem document (RFC 9457). Where the server asks for \
            tokens, send `Authorization: Bearer TOKEN`, or sign in for a cookie.",
    ),
    tags(
        (name = "pictures", description = "Faces in still pictures"),
        (name = "live", description = "Faces in pictures that follow one another"),
        (name = "robots", description = "What robots see and do"),
        (name = "feedback", description = "Faces of people who consented, and what reviewers say of them"),
        (name = "journal", description = "Statistics of visits, and ratings"),
        (name = "server", description = "The server itself"),
    ),
    components(schemas(LiveMessage, LiveRequest, WatchMessage, WatchRequest, Problem)),
    security((), ("token" = [])),
    modifiers(&Token, &Problems),
)]
struct Document;

struct Token;

impl utoipa::Modify for Token {
    fn modify(&self, document: &mut OpenApi) {
        use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(scheme));
    }
}

/// Lists every kind of problem as `x-problems`, for the page `/api`, where their types point to.
struct Problems;

impl utoipa::Modify for Problems {
    fn modify(&self, document: &mut OpenApi) {
        let kinds = Problem::KINDS.iter().map(|(kind, title, status)| {
            serde_json::json!({ "type": kind, "title": title, "status": status })
        });
        let all = serde_json::Value::Array(kinds.collect());
        document.extensions.get_or_insert_default().insert("x-problems".to_owned(), all);
    }
}

/// What can go wrong with a picture.
#[derive(utoipa::IntoResponses)]
#[allow(dead_code)]
pub enum PictureProblems {
    /// The request makes no sense
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem),
    /// No token, or a wrong one
    #[response(status = 401, content_type = "application/problem+json")]
    SignIn(Problem),
    /// A picture is too large, or there are too many
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(Problem),
    /// Not a JPEG, PNG or WebP picture
    #[response(status = 415, content_type = "application/problem+json")]
    MediaType(Problem),
    /// The picture is damaged
    #[response(status = 422, content_type = "application/problem+json")]
    Picture(Problem),
    /// Busy or paused
    #[response(status = 503, content_type = "application/problem+json")]
    Busy(Problem),
}

/// The routes of the API and the document that describes them.
pub fn router() -> (Router<Arc<App>>, OpenApi) {
    let api = OpenApiRouter::new()
        .routes(routes!(health::health))
        .routes(routes!(info::info))
        .routes(routes!(analyze::analyze))
        .routes(routes!(explain::explain))
        .routes(routes!(sockets::live))
        .routes(routes!(sockets::watch))
        .routes(routes!(events::events))
        .routes(routes!(robots::robots))
        .routes(routes!(robots::pause_robot))
        .routes(routes!(feedback::summary))
        .routes(routes!(feedback::next))
        .routes(routes!(feedback::face))
        .routes(routes!(feedback::answer))
        .routes(routes!(feedback::withdraw))
        .routes(routes!(feedback::empty))
        .routes(routes!(pause::pause))
        .routes(routes!(sign_in::sign_in))
        .routes(routes!(sign_in::sign_out))
        .routes(routes!(ratings::rate))
        .merge(journal::router())
        .routes(routes!(openapi));
    let all =
        OpenApiRouter::with_openapi(Document::openapi()).nest(BASE, api).routes(routes!(metrics));
    let (router, document) = all.split_for_parts();
    let text: Arc<str> = document.to_json().unwrap_or_default().into();
    (router.layer(Extension(DocumentText(text))), document)
}

#[derive(Clone)]
struct DocumentText(Arc<str>);

/// This document
///
/// The API described by OpenAPI 3.1, made from the types of the program.
#[utoipa::path(get, path = "/openapi.json", tag = "server", responses((status = 200, body = Object)))]
async fn openapi(Extension(DocumentText(text)): Extension<DocumentText>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], text.to_string())
}

/// Figures for Prometheus
///
/// Rates, latencies, refusals and sessions as text (OpenMetrics). No id of a face, nor how many people
/// are in view.
#[utoipa::path(
    get, path = "/metrics", tag = "server",
    responses((status = 200, body = String, content_type = "application/openmetrics-text")),
)]
async fn metrics(State(app): State<Arc<App>>, _viewer: Viewer) -> impl IntoResponse {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(CONTENT_TYPE, kind)], app.metrics.text(&app))
}
