//! `GET info`: what a page needs at its start.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use rapport_vocabulary::Rgb;
use serde::Serialize;
use utoipa::ToSchema;

use super::health::model;
use crate::access::MaybeRole;
use crate::app::App;
use crate::options::Notice;
use crate::robot::Model;
use crate::tokens::Role;

/// What a page needs at its start.
#[derive(Debug, Serialize, ToSchema)]
pub struct Info {
    /// Version of the program.
    pub version: &'static str,
    /// The network that reads expressions.
    pub model: Model,
    /// Its labels, in its order.
    pub labels: Vec<&'static str>,
    /// The colours of each label.
    pub colors: BTreeMap<&'static str, Colors>,
    /// Who asks; nothing before signing in.
    pub role: Option<Role>,
    /// Whether a token is needed and none was sent.
    pub sign_in_needed: bool,
    /// Whether a token is needed and was sent: then one can sign out.
    pub signed_in: bool,
    /// Whether faces are blurred in the pictures of robots.
    pub blur_faces: bool,
    /// Whether pictures of robots are not sent at all.
    pub numbers_only: bool,
    /// Whether an operator paused the analysis.
    pub paused: bool,
    /// Whether robots report to this server.
    pub robots: bool,
    /// How faces of people who consent are kept; nothing where none are.
    pub feedback: Option<InfoFeedback>,
    /// Whether a journal is kept: then there are History, Ratings and System.
    pub journal: bool,
    /// What is bounded.
    pub limits: InfoLimits,
    /// What the sign for guests says.
    pub notice: Notice,
}

/// The colours of a label, as `#rrggbb`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Colors {
    /// For lines and areas on a light or dark page.
    pub line: String,
    /// Behind white text.
    pub background: String,
}

/// How faces of people who consent are kept.
#[derive(Debug, Serialize, ToSchema)]
pub struct InfoFeedback {
    /// For so many days after that of the consent.
    pub keep_days: u32,
    /// At most so many pictures a minute.
    pub pictures_per_minute: u32,
    /// A consent lasts so many minutes at most.
    pub longest_minutes: u32,
}

/// What is bounded.
#[derive(Debug, Serialize, ToSchema)]
pub struct InfoLimits {
    /// Bytes of a picture.
    pub picture_bytes: usize,
    /// Bytes of a form with pictures.
    pub form_bytes: usize,
    /// Pixels of a picture.
    pub picture_pixels: usize,
    /// Pictures in one request.
    pub pictures_per_request: usize,
    /// Live sessions at a time.
    pub live_sessions: usize,
}

/// What a page needs at its start
///
/// Needs no token.
#[utoipa::path(
    get, path = "/info", tag = "server", security((), ("token" = [])),
    responses((status = 200, body = Info))
)]
pub async fn info(State(app): State<Arc<App>>, MaybeRole(role): MaybeRole) -> Json<Info> {
    let (limits, privacy) = (app.options.limits, app.options.privacy);
    let colors = app.labels().iter().map(|label| {
        let (line, background) = (hex(label.color()), hex(label.background_color()));
        (label.as_str(), Colors { line, background })
    });
    Json(Info {
        version: env!("CARGO_PKG_VERSION"),
        model: model(&app),
        labels: app.labels().names(),
        colors: colors.collect(),
        role,
        sign_in_needed: role.is_none(),
        signed_in: role.is_some() && app.options.tokens.is_some(),
        blur_faces: privacy.blur_faces,
        numbers_only: privacy.numbers_only,
        paused: *app.paused.borrow(),
        robots: app.robots,
        feedback: app.options.feedback.as_ref().map(|feedback| feedback.info()),
        journal: app.options.journal.is_some(),
        limits: InfoLimits {
            picture_bytes: limits.picture_bytes,
            form_bytes: limits.form_bytes,
            picture_pixels: limits.picture_pixels,
            pictures_per_request: limits.pictures_per_request,
            live_sessions: app.sessions_max(),
        },
        notice: app.options.notice.clone(),
    })
}

fn hex([red, green, blue]: Rgb) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}
