//! `GET events`: what robots report, as server-sent events for scripts.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures_util::{Stream, StreamExt};
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError;

use crate::access::Viewer;
use crate::app::App;
use crate::messages::WatchMessage;
use crate::problem::Problem;

/// A comment so often keeps the connection open.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// What robots see and do, as it happens
///
/// Server-sent events. Each is one message of WebSocket `watch` but pictures; the first is `hello` with
/// the robots known. A script that reads too slowly loses messages, and a message `lost` says how many.
#[utoipa::path(
    get, path = "/events", tag = "robots",
    responses(
        (status = 200, body = WatchMessage, content_type = "text/event-stream"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn events(
    State(app): State<Arc<App>>,
    _viewer: Viewer,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let counted = app.begin_viewer()?;
    let happens = BroadcastStream::new(app.hub.events()).map(|event| match event {
        Ok(event) => Event::default().data(event.json.as_str()),
        Err(BroadcastStreamRecvError::Lagged(messages)) => told(&WatchMessage::Lost { messages }),
    });
    let numbers_only = app.options.privacy.numbers_only;
    let hello = told(&WatchMessage::Hello { robots: app.hub.robots(), numbers_only });
    let all = futures_util::stream::once(async { hello }).chain(happens);
    let stream = all.take_until(app.ended()).map(move |event| {
        // Counts this viewer until the stream is dropped.
        let _ = &counted;
        Ok(event)
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

fn told(message: &WatchMessage) -> Event {
    Event::default().data(serde_json::to_string(message).unwrap_or_default())
}
