//! `POST ratings`: what people say with a tap.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use rapport_journal::Rating;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::{self, Rater};
use crate::app::App;
use crate::journal::RATING_PAUSE;
use crate::problem::{JsonBody, Problem};

/// What somebody says with a tap.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GivenRating {
    /// Where; may be left out where there is only one place.
    #[serde(default)]
    pub place: Option<String>,
    /// 1 (worst) to 5 (best).
    #[schema(minimum = 1, maximum = 5)]
    pub rating: u8,
}

/// A rating that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TakenRating {
    /// Where.
    pub place: String,
    /// 1 (worst) to 5 (best).
    pub rating: u8,
    /// For how long this address gives no other rating for this place, in seconds.
    pub pause_secs: u32,
}

/// Rate a visit
///
/// Any role may do so, and the role rating may do nothing else. A second tap within five seconds, from
/// the same address and for the same place, is refused.
#[utoipa::path(
    post, path = "/ratings", tag = "journal", request_body = GivenRating,
    responses(
        (status = 201, body = TakenRating),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 429, body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn rate(
    State(app): State<Arc<App>>,
    _: Rater,
    access::From(peer): access::From,
    JsonBody(given): JsonBody<GivenRating>,
) -> Result<(StatusCode, Json<TakenRating>), Problem> {
    let service = app.journal()?;
    let rating = Rating::new(given.rating).ok_or_else(|| {
        let detail = format!("`rating` is {}, expected 1 (worst) to 5 (best)", given.rating);
        Problem::bad_request(detail).with(given.rating, "1 to 5")
    })?;
    let place = service.the_place(given.place).await?;
    if let Err(left) = service.rate(peer, &place, rating) {
        app.metrics.refused("rating_too_soon");
        let detail = "this address rated this place just now; the first tap was taken";
        let allowed = format!("one rating in {} s", RATING_PAUSE.as_secs());
        let secs = left.as_secs() as u32 + 1;
        return Err(Problem::too_soon(detail)
            .with("a second rating", allowed)
            .retry_after_secs(secs));
    }
    let pause_secs = RATING_PAUSE.as_secs() as u32;
    Ok((StatusCode::CREATED, Json(TakenRating { place, rating: rating.get(), pause_secs })))
}
