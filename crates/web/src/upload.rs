//! Pictures that come as the body of a request: bounded in bytes, number and time.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout, timeout_at};

use crate::app::App;
use crate::problem::Problem;

/// A picture must have come by this time.
const LONGEST_UPLOAD: Duration = Duration::from_secs(60);

/// For this long a request waits until others have sent theirs.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// The kinds of body that are read as one picture. The first bytes tell which picture it is.
const KINDS: [&str; 4] = ["image/jpeg", "image/png", "image/webp", "application/octet-stream"];

/// One picture as the body.
#[derive(Debug)]
pub struct OnePicture(pub Bytes);

impl FromRequest<Arc<App>> for OnePicture {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        let (kind, shown) = kind_of(request.headers());
        check_kind(&kind, &shown)?;
        let _turn = turn(app).await?;
        Ok(Self(read(request, app).await?))
    }
}

/// One picture as the body, or several as fields `picture` of a form. They are read one by one, so
/// that no more than one is held.
pub struct Pictures {
    source: Source,
    given: usize,
    app: Arc<App>,
    _turn: OwnedSemaphorePermit,
}

enum Source {
    One(Option<Bytes>),
    Form(Multipart),
}

impl FromRequest<Arc<App>> for Pictures {
    type Rejection = Problem;

    async fn from_request(mut request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        let (kind, shown) = kind_of(request.headers());
        let is_form = kind == "multipart/form-data";
        if !is_form {
            check_kind(&kind, &shown)?;
        }
        let turn = turn(app).await?;
        let source = if is_form {
            // Also what is not yet known to be a picture has a bound.
            DefaultBodyLimit::max(app.options.limits.form_bytes).apply(&mut request);
            let form = Multipart::from_request(request, app).await;
            Source::Form(form.map_err(|rejection| Problem::bad_request(rejection.body_text()))?)
        } else {
            Source::One(Some(read(request, app).await?))
        };
        Ok(Self { source, given: 0, app: app.clone(), _turn: turn })
    }
}

impl Pictures {
    /// The next picture and its name; nothing after the last.
    ///
    /// # Errors
    /// If it is too large, one too many, or does not come in time.
    pub async fn next(&mut self) -> Result<Option<(String, Bytes)>, Problem> {
        let limits = self.app.options.limits;
        let form = match &mut self.source {
            Source::One(picture) => {
                return Ok(picture.take().map(|data| ("picture".to_owned(), data)));
            }
            Source::Form(form) => form,
        };
        let until = Instant::now() + LONGEST_UPLOAD;
        let next = timeout_at(until, form.next_field()).await.map_err(|_| slow())?;
        let Some(mut field) = next.map_err(broken)? else {
            return if self.given > 0 { Ok(None) } else { Err(no_picture()) };
        };
        if field.name() != Some("picture") {
            let name: String = field.name().unwrap_or("none").chars().take(40).collect();
            let detail = format!("field `{name}` of the form, expected only `picture`");
            return Err(Problem::bad_request(detail).with(name, "picture"));
        }
        self.given += 1;
        if self.given > limits.pictures_per_request {
            let allowed = limits.pictures_per_request;
            let detail = format!("more than {allowed} pictures in one request");
            return Err(Problem::too_large(detail).with("more", allowed));
        }
        let name = field.file_name().unwrap_or("picture").chars().take(255).collect();
        let mut data = BytesMut::new();
        loop {
            let part = timeout_at(until, field.chunk()).await.map_err(|_| slow())?;
            let Some(part) = part.map_err(broken)? else { break };
            data.extend_from_slice(&part);
            check_bytes(data.len() as u64, limits.picture_bytes)?;
        }
        Ok(Some((name, data.freeze())))
    }
}

/// The kind of a body alone, and as it is named.
fn kind_of(headers: &HeaderMap) -> (String, String) {
    let shown = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("none");
    let kind = shown.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    (kind, shown.chars().take(80).collect())
}

fn check_kind(kind: &str, shown: &str) -> Result<(), Problem> {
    if KINDS.contains(&kind) {
        return Ok(());
    }
    let allowed = format!("{} or multipart/form-data", KINDS.join(", "));
    let detail = format!("Content-Type is {shown}, expected {allowed}");
    Err(Problem::media_type(detail).with(shown, allowed))
}

/// Only so many requests send pictures at a time, so that memory has a bound.
async fn turn(app: &App) -> Result<OwnedSemaphorePermit, Problem> {
    let turn = timeout(LONGEST_WAIT, app.uploads.clone().acquire_owned()).await;
    turn.ok().and_then(Result::ok).ok_or_else(|| {
        app.metrics.refused("uploads");
        let most = app.options.limits.uploads;
        Problem::busy(format!("{most} other requests are sending pictures")).retry_after_secs(5)
    })
}

async fn read(request: Request, app: &App) -> Result<Bytes, Problem> {
    let most = app.options.limits.picture_bytes;
    let announced = request.headers().get(CONTENT_LENGTH).and_then(|bytes| bytes.to_str().ok());
    if let Some(bytes) = announced.and_then(|bytes| bytes.parse().ok()) {
        check_bytes(bytes, most)?;
    }
    timeout(LONGEST_UPLOAD, collect(request.into_body(), most)).await.map_err(|_| slow())?
}

async fn collect(body: Body, most: usize) -> Result<Bytes, Problem> {
    let mut data = BytesMut::new();
    let mut parts = body.into_data_stream();
    while let Some(part) = parts.next().await {
        data.extend_from_slice(&part.map_err(|error| Problem::bad_request(error.to_string()))?);
        check_bytes(data.len() as u64, most)?;
    }
    if data.is_empty() { Err(no_picture()) } else { Ok(data.freeze()) }
}

fn check_bytes(found: u64, most: usize) -> Result<(), Problem> {
    if found <= most as u64 {
        return Ok(());
    }
    let detail = format!("a picture of {found} bytes or more, expected at most {most}");
    Err(Problem::too_large(detail).with(format!("{found} bytes"), format!("{most} bytes")))
}

fn no_picture() -> Problem {
    let detail = "no picture in the body, expected one, or fields `picture` of a form";
    Problem::bad_request(detail).with("nothing", "a picture")
}

fn slow() -> Problem {
    let secs = LONGEST_UPLOAD.as_secs();
    Problem::slow(format!("the picture did not come within {secs} s"))
}

fn broken(error: axum::extract::multipart::MultipartError) -> Problem {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::too_large(error.body_text()),
        _ => Problem::bad_request(error.body_text()),
    }
}
