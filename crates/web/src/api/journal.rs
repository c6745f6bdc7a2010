//! `GET journal/...`: what the journal holds, in the journal's own types.

mod export;
mod query;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use rapport_journal::{
    AccuracyEstimate, AnswerFigures, Comparison, Drift, Journal, JournalError, Period,
    PeriodFigures, PolicyChange, Scope, WeekHours,
};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::query::{ComparisonQuery, HistoryQuery, PlaceQuery, ScopeQuery, TimeRange};
use crate::access::Viewer;
use crate::app::App;
use crate::journal::{DRIFT_DAYS, JournalStatus};
use crate::problem::{Problem, QueryOf};

/// Days of a history by day without `from`.
const HISTORY_DAYS: u64 = 31;
/// Days of hours and answers without `from`.
const WEEKS_DAYS: u64 = 28;
/// The most days on each side of a comparison.
const MOST_COMPARED_DAYS: u32 = 366;

/// What can go wrong with a question to the journal.
#[derive(utoipa::IntoResponses)]
#[allow(dead_code)]
enum JournalProblems {
    /// The query makes no sense
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem),
    /// No token, or a wrong one
    #[response(status = 401, content_type = "application/problem+json")]
    SignIn(Problem),
    /// No journal is kept, or the place is not known
    #[response(status = 404, content_type = "application/problem+json")]
    NotThere(Problem),
    /// The journal cannot be read
    #[response(status = 500, content_type = "application/problem+json")]
    Journal(Problem),
}

/// The routes of the journal.
pub fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(places))
        .routes(routes!(history))
        .routes(routes!(hours))
        .routes(routes!(answers))
        .routes(routes!(policies))
        .routes(routes!(comparison))
        .routes(routes!(drift))
        .routes(routes!(accuracy))
        .routes(routes!(status))
        .routes(routes!(export::csv))
        .routes(routes!(export::parquet))
}

/// The places of the journal
///
/// Those that the journal has figures of, and those that are observed now.
#[utoipa::path(
    get, path = "/journal/places", tag = "journal",
    responses((status = 200, body = Vec<String>), JournalProblems)
)]
async fn places(State(app): State<Arc<App>>, _: Viewer) -> Result<Json<Vec<String>>, Problem> {
    app.journal()?.places().await.map(Json)
}

/// Visits, ratings and health of each day, week or month
///
/// The earliest first; those about which nothing is known are left out.
#[utoipa::path(
    get, path = "/journal/history", tag = "journal", params(HistoryQuery),
    responses((status = 200, body = Vec<PeriodFigures>), JournalProblems)
)]
async fn history(
    State(app): State<Arc<App>>,
    _: Viewer,
    QueryOf(query): QueryOf<HistoryQuery>,
) -> Result<Json<Vec<PeriodFigures>>, Problem> {
    let period = query.period()?;
    // Weeks and months are few, and none should be cut.
    let days = (period == Period::Day).then_some(HISTORY_DAYS);
    let range = query.scope().range(days)?;
    ask(&app, range, move |journal, scope| journal.history(scope, period)).await
}

/// The hours of the week
///
/// Summed up over all weeks of the range: by default the last four.
#[utoipa::path(
    get, path = "/journal/hours", tag = "journal", params(ScopeQuery),
    responses((status = 200, body = WeekHours), JournalProblems)
)]
async fn hours(
    State(app): State<Arc<App>>,
    _: Viewer,
    QueryOf(query): QueryOf<ScopeQuery>,
) -> Result<Json<WeekHours>, Problem> {
    ask(&app, query.range(Some(WEEKS_DAYS))?, |journal, scope| journal.week_hours(scope)).await
}

/// What each rule answered
///
/// And how expressions went on; the rule with the most visits first.
#[utoipa::path(
    get, path = "/journal/answers", tag = "journal", params(ScopeQuery),
    responses((status = 200, body = Vec<AnswerFigures>), JournalProblems)
)]
async fn answers(
    State(app): State<Arc<App>>,
    _: Viewer,
    QueryOf(query): QueryOf<ScopeQuery>,
) -> Result<Json<Vec<AnswerFigures>>, Problem> {
    ask(&app, query.range(Some(WEEKS_DAYS))?, |journal, scope| journal.answers(scope)).await
}

/// The changes of policy
///
/// Of one place or of all, those of each place the earliest first.
#[utoipa::path(
    get, path = "/journal/policies", tag = "journal", params(PlaceQuery),
    responses((status = 200, body = Vec<PolicyChange>), JournalProblems)
)]
async fn policies(
    State(app): State<Arc<App>>,
    _: Viewer,
    QueryOf(query): QueryOf<PlaceQuery>,
) -> Result<Json<Vec<PolicyChange>>, Problem> {
    let service = app.journal()?;
    let places = match query.place {
        Some(place) => {
            service.check_place(&place).await?;
            vec![place]
        }
        None => service.places().await?,
    };
    let changes = move |journal: &Journal| {
        let of_each = places.iter().map(|place| journal.policy_changes(place));
        Ok::<_, JournalError>(of_each.collect::<Result<Vec<_>, _>>()?.concat())
    };
    service.read(changes).await.map(Json)
}

/// A place before and after
///
/// So many days before a time against as many after it; fewer where the policy changed within them
/// once more. Take `at` from `policies`.
#[utoipa::path(
    get, path = "/journal/comparison", tag = "journal", params(ComparisonQuery),
    responses((status = 200, body = Comparison), JournalProblems)
)]
async fn comparison(
    State(app): State<Arc<App>>,
    _: Viewer,
    QueryOf(query): QueryOf<ComparisonQuery>,
) -> Result<Json<Comparison>, Problem> {
    let service = app.journal()?;
    let (at, days) = (query.at()?, query.days()?);
    let place = service.the_place(query.place).await?;
    let compared = {
        let place = place.clone();
        service.read(move |journal| journal.compare(&place, at, days)).await?
    };
    let empty = || Problem::not_found(format!("nothing is known of the place `{place}` yet"));
    compared.map(Json).ok_or_else(empty)
}

/// How far a place is from its first week
///
/// By default the last seven days. Either `too_early`, or for each feature its population stability
/// index and what it may mean.
#[utoipa::path(
    get, path = "/journal/drift", tag = "journal", params(ScopeQuery),
    responses((status = 200, body = Drift), JournalProblems)
)]
async fn drift(
    State(app): State<Arc<App>>,
    _: Viewer,
    QueryOf(query): QueryOf<ScopeQuery>,
) -> Result<Json<Drift>, Problem> {
    let mut range = query.range(Some(DRIFT_DAYS))?;
    range.place = Some(app.journal()?.the_place(range.place).await?);
    let Json(drift) = ask(&app, range, |journal, scope| journal.drift(scope)).await?;
    Ok(Json(drift.unwrap_or(Drift::TooEarly { expected_secs: None })))
}

/// An estimate of how accurate the labels are
///
/// Without any label by people: the mean confidence, which is the accuracy where confidences are
/// calibrated. `null` where nothing is known. By default of the last seven days.
#[utoipa::path(
    get, path = "/journal/accuracy", tag = "journal", params(ScopeQuery),
    responses((status = 200, body = Option<AccuracyEstimate>), JournalProblems)
)]
async fn accuracy(
    State(app): State<Arc<App>>,
    _: Viewer,
    QueryOf(query): QueryOf<ScopeQuery>,
) -> Result<Json<Option<AccuracyEstimate>>, Problem> {
    ask(&app, query.range(Some(DRIFT_DAYS))?, |journal, scope| journal.estimate_accuracy(scope))
        .await
}

/// How the journal is
///
/// Whether it is written, how large it is, and what needs a look.
#[utoipa::path(
    get, path = "/journal/status", tag = "journal",
    responses((status = 200, body = JournalStatus), JournalProblems)
)]
async fn status(State(app): State<Arc<App>>, _: Viewer) -> Result<Json<JournalStatus>, Problem> {
    Ok(Json(app.journal()?.status()))
}

/// Asks the journal about a range; a place that nobody knows is a mistake of who asks.
async fn ask<T: Send + 'static>(
    app: &App,
    range: TimeRange,
    query: impl FnOnce(&Journal, &Scope<'_>) -> Result<T, JournalError> + Send + 'static,
) -> Result<Json<T>, Problem> {
    let service = app.journal()?;
    if let Some(place) = &range.place {
        service.check_place(place).await?;
    }
    service.read(move |journal| query(journal, &range.scope())).await.map(Json)
}
