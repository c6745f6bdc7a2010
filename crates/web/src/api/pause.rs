//! `POST pause`: the switch that everybody sees.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::Operator;
use crate::app::App;
use crate::problem::{JsonBody, Problem};

/// Whether something is paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Pause {
    /// Whether it is paused.
    pub paused: bool,
}

/// Pause the analysis for everybody, or let it go on
///
/// Takes the role operator. While it is paused, no picture is looked at.
#[utoipa::path(
    post, path = "/pause", tag = "server", request_body = Pause,
    responses(
        (status = 200, body = Pause),
        (status = 403, body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn pause(
    State(app): State<Arc<App>>,
    _operator: Operator,
    JsonBody(pause): JsonBody<Pause>,
) -> Json<Pause> {
    app.paused.send_if_modified(|paused| std::mem::replace(paused, pause.paused) != pause.paused);
    Json(pause)
}
