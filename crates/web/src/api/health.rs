//! `GET health`: whether the server works.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::robot::Model;

/// Whether the server works, for programs that watch it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// What it does.
    pub status: Status,
    /// Version of the program.
    pub version: &'static str,
    /// Seconds since it began.
    pub uptime_secs: f64,
    /// The network that reads expressions.
    pub model: Model,
    /// Live sessions now.
    pub sessions: usize,
    /// Live sessions that the machine carries, by the time that pictures took lately.
    pub sessions_max: usize,
}

/// What the server does.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It analyses pictures.
    Ok,
    /// An operator paused the analysis.
    Paused,
}

/// Whether the server works
///
/// Needs no token.
#[utoipa::path(
    get, path = "/health", tag = "server", security(()), responses((status = 200, body = Health))
)]
pub async fn health(State(app): State<Arc<App>>) -> Json<Health> {
    let paused = *app.paused.borrow();
    Json(Health {
        status: if paused { Status::Paused } else { Status::Ok },
        version: env!("CARGO_PKG_VERSION"),
        uptime_secs: app.uptime().as_secs_f64(),
        model: model(&app),
        sessions: app.sessions.now(),
        sessions_max: app.sessions_max(),
    })
}

/// The network that reads expressions here.
pub fn model(app: &App) -> Model {
    let model = app.pool.networks().emotion_model();
    Model { name: model.name.clone(), sha256: model.sha256.clone() }
}
