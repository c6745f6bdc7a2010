//! `GET journal/export...`: the buckets as a file.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::IntoResponse;

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
) -> Result<impl IntoResponse, Problem> {
    let table = query.table()?;
    let range = query.scope().range(None)?;
    let service = app.journal()?;
    if let Some(place) = &range.place {
        service.check_place(place).await?;
    }
    let write = move |journal: &rapport_journal::Journal| {
        let mut file = Vec::new();
        journal.export_csv(&range.scope(), table, &mut file)?;
        Ok::<_, rapport_journal::JournalError>(file)
    };
    let file = service.read(write).await?;
    let name = format!("attachment; filename=\"rapport-{}.csv\"", table.as_str());
    let kind = "text/csv; charset=utf-8; header=present";
    Ok(([(CONTENT_TYPE, kind.to_owned()), (CONTENT_DISPOSITION, name)], file))
}
