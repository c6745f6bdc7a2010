//! `POST sign-in` and `sign-out`: a token becomes a cookie that no script reads.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::access::{self, COOKIE_NAME, check_token};
use crate::app::App;
use crate::problem::{JsonBody, Problem};

/// A day at the reception.
const COOKIE_SECS: u32 = 24 * 60 * 60;

/// A token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The token of a role, from the server's token file.
    pub token: String,
}

/// Sign in
///
/// The answer sets a cookie with which a browser may do what the token allows, for a day.
#[utoipa::path(
    post, path = "/sign-in", tag = "server", request_body = SignIn, security(()),
    responses(
        (status = 204, description = "Signed in"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 429, body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn sign_in(
    State(app): State<Arc<App>>,
    access::From(peer): access::From,
    JsonBody(SignIn { token }): JsonBody<SignIn>,
) -> Result<Response, Problem> {
    if app.options.tokens.is_none() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let token = token.trim();
    check_token(&app, peer, token)?;
    // The token is letters and digits: a file may hold others, which a cookie cannot.
    if !token.bytes().all(|byte| byte.is_ascii_graphic() && !b"\",;\\".contains(&byte)) {
        let detail =
            "the token has characters that a cookie cannot hold, expected letters and digits";
        return Err(Problem::bad_request(detail));
    }
    Ok(with_cookie(&app, token, COOKIE_SECS))
}

/// Sign out
///
/// The answer takes the cookie away.
#[utoipa::path(
    post, path = "/sign-out", tag = "server", security(()),
    responses((status = 204, description = "Signed out"))
)]
pub async fn sign_out(State(app): State<Arc<App>>) -> Response {
    with_cookie(&app, "", 0)
}

fn with_cookie(app: &App, token: &str, secs: u32) -> Response {
    let secure = if app.options.certificate.is_some() { "; Secure" } else { "" };
    let cookie =
        format!("{COOKIE_NAME}={token}; Path=/; Max-Age={secs}; HttpOnly; SameSite=Strict{secure}");
    (StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)]).into_response()
}
