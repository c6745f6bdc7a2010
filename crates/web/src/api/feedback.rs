//! `feedback`: what is kept of people who consented, for those who review it, and the way out.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use rapport_feedback::{Accuracy, Answer, Code, Counts, Item, ItemId, Summary};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::Operator;
use crate::app::App;
use crate::problem::{JsonBody, Problem};

/// What can go wrong with a question to the feedback.
#[derive(utoipa::IntoResponses)]
#[allow(dead_code)]
enum FeedbackProblems {
    /// What was sent makes no sense
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem),
    /// It takes the role operator
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(Problem),
    /// No feedback is kept, or the item is no more
    #[response(status = 404, content_type = "application/problem+json")]
    NotThere(Problem),
}

/// What can go wrong with a withdrawal.
#[derive(utoipa::IntoResponses)]
#[allow(dead_code)]
enum WithdrawalProblems {
    /// That is no code
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem),
    /// No feedback is kept, or no consent has this code
    #[response(status = 404, content_type = "application/problem+json")]
    NotThere(Problem),
}

/// An item that is to be reviewed.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReviewItem {
    /// Its name; the face is at `feedback/items/{id}/face`.
    pub id: String,
    /// The expression that was shown to the person.
    pub shown: String,
    /// Whether that was more than the best guess.
    pub sure: bool,
    /// The network's probability of every label.
    pub probabilities: BTreeMap<String, f32>,
    /// Where it was.
    pub place: String,
    /// When: the day.
    pub day: String,
}

impl ReviewItem {
    fn new((id, item): (ItemId, Item)) -> Self {
        let probabilities = item.reading.probabilities.iter();
        Self {
            id: id.to_string(),
            shown: item.reading.shown.to_string(),
            sure: item.reading.sure,
            probabilities: probabilities.map(|(label, p)| (label.to_string(), *p)).collect(),
            place: item.place,
            day: item.day.to_string(),
        }
    }
}

/// The next item.
#[derive(Debug, Serialize, ToSchema)]
pub struct NextItem {
    /// The item; nothing where none waits.
    pub item: Option<ReviewItem>,
    /// How many wait, with this one.
    pub waiting: u64,
}

/// What a reviewer says.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewAnswer {
    /// A label, `not_a_face` or `cant_tell`.
    pub answer: String,
}

/// The way out.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Withdrawal {
    /// The code that was shown with the consent.
    pub code: String,
}

/// What was deleted.
#[derive(Debug, Serialize, ToSchema)]
pub struct Deleted {
    /// Faces.
    pub faces: u64,
    /// Answers of reviewers.
    pub answers: u64,
}

impl From<Counts> for Deleted {
    fn from(Counts { faces, answered, .. }: Counts) -> Self {
        Self { faces, answers: answered }
    }
}

/// How much there is and what it says.
#[derive(Debug, Serialize, ToSchema)]
pub struct FeedbackSummary {
    /// How much there is.
    pub counts: Counts,
    /// How many answers of each kind, by their words.
    pub answers: BTreeMap<String, u64>,
    /// What they say of all readings of people who consented.
    pub accuracy: Accuracy,
}

/// What reviewers' answers say
///
/// Takes the role operator. Numbers only: how much is kept and waits, and how often the network is
/// right, with an interval that allows for how items were drawn and for visits.
#[utoipa::path(
    get, path = "/feedback", tag = "feedback",
    responses(
        (status = 200, body = FeedbackSummary),
        FeedbackProblems,
    )
)]
pub async fn summary(
    State(app): State<Arc<App>>,
    _operator: Operator,
) -> Result<Json<FeedbackSummary>, Problem> {
    let Summary { counts, answers, accuracy } = app.feedback()?.summary().await?;
    Ok(Json(FeedbackSummary { counts, answers, accuracy }))
}

/// The next item to review
///
/// Takes the role operator. Items come in an order that tells nothing.
#[utoipa::path(
    get, path = "/feedback/next", tag = "feedback",
    responses(
        (status = 200, body = NextItem),
        FeedbackProblems,
    )
)]
pub async fn next(
    State(app): State<Arc<App>>,
    _operator: Operator,
) -> Result<Json<NextItem>, Problem> {
    let review = app.feedback()?.next().await?;
    let item = review.item.map(ReviewItem::new);
    Ok(Json(NextItem { item, waiting: review.waiting }))
}

/// The face of an item
///
/// Takes the role operator. It is decrypted for this answer alone, which no browser keeps.
#[utoipa::path(
    get, path = "/feedback/items/{id}/face", tag = "feedback",
    params(("id" = String, Path, description = "The item")),
    responses(
        (status = 200, body = Vec<u8>, content_type = "image/png"),
        FeedbackProblems,
    )
)]
pub async fn face(
    State(app): State<Arc<App>>,
    _operator: Operator,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Problem> {
    let face = app.feedback()?.face(item_id(&id)?).await?;
    Ok(([(CONTENT_TYPE, "image/png")], face.ok_or_else(gone)?))
}

/// Say what an item shows
///
/// Takes the role operator. Replaces what was said before.
#[utoipa::path(
    post, path = "/feedback/items/{id}/answer", tag = "feedback", request_body = ReviewAnswer,
    params(("id" = String, Path, description = "The item")),
    responses(
        (status = 204, description = "Noted"),
        FeedbackProblems,
    )
)]
pub async fn answer(
    State(app): State<Arc<App>>,
    _operator: Operator,
    Path(id): Path<String>,
    JsonBody(ReviewAnswer { answer }): JsonBody<ReviewAnswer>,
) -> Result<StatusCode, Problem> {
    let feedback = app.feedback()?;
    let answer: Answer = answer.parse().map_err(Problem::bad_request)?;
    match feedback.answer(item_id(&id)?, answer).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(gone()),
    }
}

/// Withdraw a consent
///
/// Needs no token: the code is one, too long to be found by trying. Deletes the faces and what
/// reviewers said of them, at once.
#[utoipa::path(
    post, path = "/feedback/withdraw", tag = "feedback", request_body = Withdrawal, security(()),
    responses(
        (status = 200, body = Deleted),
        WithdrawalProblems,
    )
)]
pub async fn withdraw(
    State(app): State<Arc<App>>,
    JsonBody(Withdrawal { code }): JsonBody<Withdrawal>,
) -> Result<Json<Deleted>, Problem> {
    let feedback = app.feedback()?;
    let code: Code = code.parse()?;
    let gone = feedback.withdraw(code).await?.ok_or_else(|| {
        Problem::not_found("no consent has this code: it was withdrawn, or its time is over")
    })?;
    Ok(Json(gone.into()))
}

/// Delete everything that is kept
///
/// Takes the role operator. Faces, answers and consents: nothing is left.
#[utoipa::path(
    post, path = "/feedback/empty", tag = "feedback",
    responses(
        (status = 200, body = Deleted),
        FeedbackProblems,
    )
)]
pub async fn empty(
    State(app): State<Arc<App>>,
    _operator: Operator,
) -> Result<Json<Deleted>, Problem> {
    Ok(Json(app.feedback()?.empty().await?.into()))
}

fn item_id(text: &str) -> Result<ItemId, Problem> {
    text.parse().map_err(Problem::bad_request)
}

fn gone() -> Problem {
    Problem::not_found("this item is no more: it was withdrawn, or its time is over")
}
