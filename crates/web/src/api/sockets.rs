//! The WebSockets: upgrades of `live` and `watch`.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::http::HeaderMap;
use axum::http::header::ORIGIN;
use axum::response::Response;

use crate::access::Viewer;
use crate::app::{App, Counted};
use crate::problem::Problem;
use crate::{live, socket, watch};

type Upgrade = Result<WebSocketUpgrade, WebSocketUpgradeRejection>;

/// Pictures in, observations out
///
/// WebSocket. Send each picture (JPEG, PNG or WebP) as one binary message and wait for its answer before
/// the next. `LiveRequest` and `LiveMessage` are the text messages in either direction. A browser that
/// comes when the machine carries no more sessions gets a problem message and close code 1013, any other
/// program the problem document.
#[utoipa::path(
    get, path = "/live", tag = "live",
    responses(
        (status = 101, description = "WebSocket"),
        (status = 426, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn live(
    State(app): State<Arc<App>>,
    _viewer: Viewer,
    headers: HeaderMap,
    upgrade: Upgrade,
) -> Result<Response, Problem> {
    let most = app.options.limits.picture_bytes;
    let upgrade = accept(upgrade, most)?;
    match app.begin_session() {
        Ok(session) => Ok(upgrade.on_upgrade(move |socket| live::run(app, socket, session))),
        Err(problem) => refuse(upgrade, &headers, problem),
    }
}

/// What robots see and do
///
/// WebSocket. `WatchRequest` and `WatchMessage` are the text messages; a picture comes as a message
/// `picture` and one binary message (JPEG) after it.
#[utoipa::path(
    get, path = "/watch", tag = "robots",
    responses(
        (status = 101, description = "WebSocket"),
        (status = 426, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn watch(
    State(app): State<Arc<App>>,
    _viewer: Viewer,
    headers: HeaderMap,
    upgrade: Upgrade,
) -> Result<Response, Problem> {
    let upgrade = accept(upgrade, socket::MOST_TEXT)?;
    match app.begin_viewer() {
        Ok(viewer) => Ok(upgrade.on_upgrade(move |socket| watched(app, socket, viewer))),
        Err(problem) => refuse(upgrade, &headers, problem),
    }
}

async fn watched(app: Arc<App>, socket: WebSocket, _viewer: Counted) {
    watch::run(app, socket).await;
}

fn accept(upgrade: Upgrade, most_bytes: usize) -> Result<WebSocketUpgrade, Problem> {
    let upgrade = upgrade.map_err(|rejection| Problem::web_socket(rejection.body_text()))?;
    Ok(upgrade.max_message_size(most_bytes).max_frame_size(most_bytes))
}

/// The script of a page does not learn why an upgrade failed: it is told afterwards.
fn refuse(
    upgrade: WebSocketUpgrade,
    headers: &HeaderMap,
    problem: Problem,
) -> Result<Response, Problem> {
    if !headers.contains_key(ORIGIN) {
        return Err(problem);
    }
    Ok(upgrade.on_upgrade(|socket| socket::refuse(socket, problem)))
}
