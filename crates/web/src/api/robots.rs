//! `GET robots` and their pause.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use tokio::time::timeout;

use super::pause::Pause;
use crate::access::{Operator, Viewer};
use crate::app::App;
use crate::hub::{Action, NamedRobot};
use crate::problem::{JsonBody, Problem};

/// A robot answers within this time.
const LONGEST_ANSWER: Duration = Duration::from_secs(5);

/// The robots and how they are
#[utoipa::path(
    get, path = "/robots", tag = "robots", responses((status = 200, body = Vec<NamedRobot>))
)]
pub async fn robots(State(app): State<Arc<App>>, _viewer: Viewer) -> Json<Vec<NamedRobot>> {
    Json(app.hub.robots())
}

/// Pause the perception of a robot, or let it go on
///
/// Takes the role operator.
#[utoipa::path(
    post, path = "/robots/{name}/pause", tag = "robots", request_body = Pause,
    params(("name" = String, Path, description = "Its namespace without the first slash, each other slash as `%2F`; `-` for `/`")),
    responses(
        (status = 200, body = Pause),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 502, body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn pause_robot(
    State(app): State<Arc<App>>,
    _operator: Operator,
    Path(name): Path<String>,
    JsonBody(pause): JsonBody<Pause>,
) -> Result<Json<Pause>, Problem> {
    let robot = if name == "-" { "/".to_owned() } else { format!("/{name}") };
    let robots = app.hub.robots();
    if !robots.iter().any(|known| known.robot == robot) {
        let names: Vec<_> = robots.into_iter().map(|known| known.robot).collect();
        let robot: String = robot.chars().take(80).collect();
        let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let detail = format!("no robot {robot} is known, expected one of: {known}");
        return Err(Problem::not_found(detail).with(robot, known));
    }
    let asked = app.hub.ask(&robot, Action::Pause(pause.paused));
    let answer = timeout(LONGEST_ANSWER, asked).await;
    answer
        .unwrap_or_else(|_| Err(format!("no answer within {} s", LONGEST_ANSWER.as_secs())))
        .map_err(|reason| Problem::robot(format!("{robot}: {reason}")))?;
    Ok(Json(pause))
}
