//! `GET journal/export...`: the buckets as a file.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use rapport_journal::{Journal, JournalError, Scope, Table};

use super::JournalProblems;
use super::query::ExportQuery;
use crate::access::Viewer;
use crate::app::App;
use crate::problem::{Problem, QueryOf};

/// A table of the journal as CSV
///
/// One row for each bucket, the earliest first. A field is empty where the figure rests on fewer than
/// ten visits.
#[utoipa::path(
    get, path = "/journal/export.csv", tag = "journal", params(ExportQuery),
    responses((status = 200, body = String, content_type = "text/csv"), JournalProblems)
)]
pub async fn csv(
    State(app): State<Arc<App>>,
    _: Viewer,
    QueryOf(query): QueryOf<ExportQuery>,
) -> Result<Response, Problem> {
    let kind = HeaderValue::from_static("text/csv; charset=utf-8; header=present");
    file(&app, query, ("csv", kind), |journal, scope, table| {
        let mut file = Vec::new();
        journal.export_csv(scope, table, &mut file)?;
        Ok(file)
    })
    .await
}

/// A table of the journal as a Parquet file
///
/// The same as CSV. A value is null where the figure rests on fewer than ten visits.
#[utoipa::path(
    get, path = "/journal/export.parquet", tag = "journal", params(ExportQuery),
    responses(
        (status = 200, body = Vec<u8>, content_type = "application/vnd.apache.parquet"),
        JournalProblems,
    )
)]
pub async fn parquet(
    State(app): State<Arc<App>>,
    _: Viewer,
    QueryOf(query): QueryOf<ExportQuery>,
) -> Result<Response, Problem> {
    let kind = HeaderValue::from_static("application/vnd.apache.parquet");
    file(&app, query, ("parquet", kind), |journal, scope, table| {
        let mut file = Vec::new();
        journal.export_parquet(scope, table, &mut file)?;
        Ok(file)
    })
    .await
}

/// The file that `write` makes, as an answer that a browser saves.
async fn file(
    app: &App,
    query: ExportQuery,
    (ending, kind): (&str, HeaderValue),
    write: fn(&Journal, &Scope<'_>, Table) -> Result<Vec<u8>, JournalError>,
) -> Result<Response, Problem> {
    let table = query.table()?;
    let range = query.scope().range(None)?;
    let service = app.journal()?;
    if let Some(place) = &range.place {
        service.check_place(place).await?;
    }
    let file = service.read(move |journal| write(journal, &range.scope(), table)).await?;
    let name = format!("attachment; filename=\"rapport-{}.{ending}\"", table.as_str());
    let mut response = file.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, kind);
    if let Ok(name) = HeaderValue::from_str(&name) {
        headers.insert(CONTENT_DISPOSITION, name);
    }
    Ok(response)
}
