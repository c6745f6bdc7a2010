//! `POST explain`: which parts of each face of a picture spoke for which label.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use rapport_perception::explain::Explanation;
use rapport_perception::report::FaceReport;
use rapport_vocabulary::{Emotion, LabelSet};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::access::Viewer;
use crate::app::App;
use crate::look;
use crate::messages::HeatReport;
use crate::problem::Problem;
use crate::upload::OnePicture;

/// The faces of a picture and why each was read as it was.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ExplainedPicture {
    /// Width of the picture in pixels, upright.
    pub width: u32,
    /// Height of the picture in pixels, upright.
    pub height: u32,
    /// The faces.
    pub faces: Vec<ExplainedFace>,
}

/// A face and why it was read as it was.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ExplainedFace {
    /// The face, as `analyze` reports it.
    #[serde(flatten)]
    pub face: FaceReport,
    /// The map of the label asked for, else of the label that was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heat: Option<HeatReport>,
    /// If no label was asked for: the values of the map of every label.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub maps: BTreeMap<String, Vec<f32>>,
}

impl ExplainedFace {
    /// The face with the map of one label, or with those of all.
    pub fn new(
        face: FaceReport,
        explanation: &Explanation,
        label: Option<Emotion>,
        labels: &LabelSet,
    ) -> Self {
        let map = |label: Emotion| HeatReport::new(explanation, label);
        let named = |label: Emotion| Some((label.to_string(), map(label)?.values));
        Self {
            heat: label.or_else(|| face.label.parse().ok()).and_then(map),
            maps: match label {
                Some(_) => BTreeMap::new(),
                None => labels.iter().filter_map(named).collect(),
            },
            face,
        }
    }
}

/// What to explain.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExplainQuery {
    /// A label of the model; without it, all labels are explained.
    pub label: Option<String>,
}

/// Explain the faces of one picture
///
/// Answers with the faces and their class activation maps: how much each part of a face spoke for or
/// against a label.
#[utoipa::path(
    post, path = "/explain", tag = "pictures", params(ExplainQuery),
    request_body(content(
        (Vec<u8> = "image/jpeg"), (Vec<u8> = "image/png"), (Vec<u8> = "image/webp"),
    )),
    responses((status = 200, body = ExplainedPicture), crate::api::PictureProblems)
)]
pub async fn explain(
    State(app): State<Arc<App>>,
    _viewer: Viewer,
    query: Result<Query<ExplainQuery>, QueryRejection>,
    OnePicture(data): OnePicture,
) -> Result<Json<ExplainedPicture>, Problem> {
    let Query(query) = query.map_err(|rejection| Problem::bad_request(rejection.body_text()))?;
    let label = query.label.map(|word| label_of(&word, app.labels())).transpose()?;
    app.check_running()?;
    let explained =
        app.pool.run(move |processor, _| look::explained(processor, label, &data)).await??;
    app.metrics.picture("explain", explained.faces.len());
    Ok(Json(explained))
}

/// A label of the model by its name.
///
/// # Errors
/// If the model has no such label.
pub fn label_of(word: &str, labels: &LabelSet) -> Result<Emotion, Problem> {
    let known = word.parse().ok().filter(|label| labels.contains(*label));
    known.ok_or_else(|| {
        let word: String = word.chars().take(40).collect();
        let detail = format!("label `{word}`, expected one of {labels}");
        Problem::bad_request(detail).with(word, labels)
    })
}
