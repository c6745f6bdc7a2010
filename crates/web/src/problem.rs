//! Every error as a problem document (RFC 9457) that names what was found and what is allowed.

use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, FromRequest, FromRequestParts, Query};
use axum::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// Bytes of a JSON body.
const MOST_JSON: usize = 16 << 10;

/// What went wrong, in the members of RFC 9457 and some of our own.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// Which kind of problem: a place on the page `/api` that describes it.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The kind in words.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// This very problem, in a sentence.
    pub detail: String,
    /// What was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// What is allowed instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed: Option<String>,
    /// Seconds after which to try again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_secs: Option<u32>,
}

macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident $status:literal $kind:literal $title:literal)*) => {
        impl Problem {
            $($(#[$doc])*
            pub fn $name(detail: impl Into<String>) -> Self {
                Self::new(concat!("/api#", $kind), $title, $status, detail.into())
            })*

            /// Every kind: its type, title and status.
            pub const KINDS: &[(&'static str, &'static str, u16)] =
                &[$((concat!("/api#", $kind), $title, $status)),*];
        }
    };
}

problems! {
    /// A request that makes no sense.
    bad_request 400 "bad-request" "Bad request"
    /// No token, or a wrong one.
    sign_in 401 "sign-in" "Sign in first"
    /// A token that does not allow this.
    forbidden 403 "forbidden" "Not allowed"
    /// A request from another page than ours.
    foreign_page 403 "foreign-page" "Request of another page"
    /// Nothing of this name.
    not_found 404 "not-found" "Not found"
    /// No journal is kept here.
    no_journal 404 "no-journal" "No journal"
    /// No faces are kept here.
    no_feedback 404 "no-feedback" "No feedback"
    /// A method that the resource does not have.
    method 405 "method" "Method not allowed"
    /// The body did not come in time.
    slow 408 "slow" "Too slow"
    /// More bytes, pixels or pictures than allowed.
    too_large 413 "too-large" "Too large"
    /// Of a kind that is not read.
    media_type 415 "media-type" "Unsupported media type"
    /// A name of a host that is not ours.
    foreign_host 421 "foreign-host" "Unknown host name"
    /// A picture that cannot be decoded.
    picture 422 "picture" "Picture not read"
    /// A request that only makes sense as a WebSocket.
    web_socket 426 "web-socket" "WebSocket expected"
    /// More at once than allowed.
    too_many 429 "too-many" "Too many at once"
    /// The same again before the pause was over.
    too_soon 429 "too-soon" "Too soon"
    /// Something of ours failed.
    internal 500 "internal" "Internal error"
    /// The journal that cannot be read.
    journal 500 "journal" "Journal not read"
    /// The folder of feedback that cannot be read or written.
    feedback 500 "feedback" "Feedback not kept"
    /// A robot that does not answer.
    robot 502 "robot" "Robot did not do it"
    /// More than the machine carries.
    busy 503 "busy" "Busy"
    /// An operator paused the analysis.
    paused 503 "paused" "Paused"
}

impl Problem {
    fn new(kind: &'static str, title: &'static str, status: u16, detail: String) -> Self {
        let (found, allowed, retry_after_secs) = (None, None, None);
        Self { kind, title, status, detail, found, allowed, retry_after_secs }
    }

    /// Names what was found and what is allowed.
    pub fn with(mut self, found: impl ToString, allowed: impl ToString) -> Self {
        self.found = Some(found.to_string());
        self.allowed = Some(allowed.to_string());
        self
    }

    /// Says when to try again.
    pub fn retry_after_secs(mut self, secs: u32) -> Self {
        self.retry_after_secs = Some(secs);
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(secs) = self.retry_after_secs {
            headers.insert(RETRY_AFTER, HeaderValue::from(secs));
        }
        match status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            // What the resource allows is put in by the router.
            StatusCode::METHOD_NOT_ALLOWED => {
                headers.remove(ALLOW);
            }
            _ => {}
        }
        response
    }
}

/// A JSON body; whatever is wrong with it becomes a [`Problem`].
#[derive(Debug)]
pub struct JsonBody<T>(pub T);

impl<S: Send + Sync, T: serde::de::DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(
        mut request: Request<axum::body::Body>,
        state: &S,
    ) -> Result<Self, Self::Rejection> {
        DefaultBodyLimit::max(MOST_JSON).apply(&mut request);
        match axum::Json::from_request(request, state).await {
            Ok(axum::Json(value)) => Ok(Self(value)),
            Err(rejection) => Err(of_json(&rejection)),
        }
    }
}

/// The query of an address; whatever is wrong with it becomes a [`Problem`].
#[derive(Debug)]
pub struct QueryOf<T>(pub T);

impl<S: Send + Sync, T: serde::de::DeserializeOwned> FromRequestParts<S> for QueryOf<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let query = Query::from_request_parts(parts, state).await;
        query
            .map(|Query(query)| Self(query))
            .map_err(|rejection| Problem::bad_request(rejection.body_text()))
    }
}

fn of_json(rejection: &JsonRejection) -> Problem {
    let detail = rejection.body_text();
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::too_large(detail),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Problem::media_type(detail),
        _ => Problem::bad_request(detail),
    }
}
