//! `POST analyze`: the faces of still pictures.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use rapport_perception::report::PictureReport;
use utoipa::ToSchema;

use crate::access::Viewer;
use crate::app::App;
use crate::look;
use crate::problem::Problem;
use crate::upload::Pictures;

/// Pictures as a form.
#[derive(ToSchema)]
#[allow(dead_code)]
struct PictureForm {
    /// One or more files, each a JPEG, PNG or WebP picture.
    #[schema(content_media_type = "application/octet-stream")]
    picture: Vec<String>,
}

/// Find the faces of pictures
///
/// One picture as the body, or several as fields `picture` of a form. Answers with one report for each
/// picture, in their order, as `rapport analyze --json` prints them.
#[utoipa::path(
    post, path = "/analyze", tag = "pictures",
    request_body(content(
        (Vec<u8> = "image/jpeg"), (Vec<u8> = "image/png"), (Vec<u8> = "image/webp"),
        (PictureForm = "multipart/form-data"),
    )),
    responses((status = 200, body = Vec<PictureReport>), crate::api::PictureProblems)
)]
pub async fn analyze(
    State(app): State<Arc<App>>,
    _viewer: Viewer,
    mut pictures: Pictures,
) -> Result<Json<Vec<PictureReport>>, Problem> {
    let mut reports = Vec::new();
    while let Some((name, data)) = pictures.next().await? {
        app.check_running()?;
        let look = move |processor: &mut _, _| look::still(processor, name, &data);
        let report = app.pool.run(look).await??;
        app.metrics.picture("analyze", report.faces.len());
        reports.push(report);
    }
    Ok(Json(reports))
}
