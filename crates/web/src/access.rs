//! Who may do what: the token of a request gives its role.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, COOKIE};
use axum::http::request::Parts;

use crate::app::App;
use crate::problem::Problem;
use crate::tokens::Role;

/// The cookie that holds the token.
pub const COOKIE_NAME: &str = "rapport_token";

/// So many wrong tokens from one address are answered within [`FORGOTTEN_AFTER`].
const WRONG_TOKENS: u32 = 5;

/// After this long without another wrong token an address begins anew.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(60);

/// Addresses remembered; when there are more, all count as one.
const ADDRESSES: usize = 1000;

/// The other end of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// The role of a request; nothing before it signed in.
///
/// # Errors
/// If a token was sent in the header and is wrong, or there were too many wrong ones.
pub fn role_of(app: &App, parts: &Parts) -> Result<Option<Role>, Problem> {
    let Some(tokens) = &app.options.tokens else {
        return Ok(Some(Role::Operator));
    };
    if let Some(token) = bearer(&parts.headers) {
        return check_token(app, peer(parts), token).map(Some);
    }
    // A page with an old cookie asks often: it is not counted, and 160 bits are not guessed.
    Ok(cookie(&parts.headers).and_then(|token| tokens.role_of(token)))
}

/// The role that a token gives.
///
/// # Errors
/// If it is wrong, or there were too many wrong ones from this address.
pub fn check_token(app: &App, peer: IpAddr, token: &str) -> Result<Role, Problem> {
    app.attempts.check(peer)?;
    let role = app.options.tokens.as_ref().and_then(|tokens| tokens.role_of(token));
    role.ok_or_else(|| {
        app.attempts.wrong(peer);
        app.metrics.refused("wrong_token");
        Problem::sign_in("the token is not one of this server")
    })
}

/// The address that a request came from.
pub fn peer(parts: &Parts) -> IpAddr {
    let peer = parts.extensions.get().map(|Peer(address)| address.ip());
    peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|cookies| cookies.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split(';'));
    pairs.find_map(|pair| pair.trim().strip_prefix(COOKIE_NAME)?.strip_prefix('='))
}

/// Somebody who may rate a visit: everybody who signed in.
#[derive(Debug, Clone, Copy)]
pub struct Rater;

/// Somebody who may look and have pictures analysed.
#[derive(Debug, Clone, Copy)]
pub struct Viewer;

/// Somebody who may pause and resume.
#[derive(Debug, Clone, Copy)]
pub struct Operator;

impl FromRequestParts<Arc<App>> for Rater {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        require(app, parts, Role::Rating).map(|()| Self)
    }
}

impl FromRequestParts<Arc<App>> for Viewer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        require(app, parts, Role::Viewer).map(|()| Self)
    }
}

impl FromRequestParts<Arc<App>> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        require(app, parts, Role::Operator).map(|()| Self)
    }
}

/// The address that a request came from.
#[derive(Debug, Clone, Copy)]
pub struct From(pub IpAddr);

impl<S: Sync> FromRequestParts<S> for From {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(peer(parts)))
    }
}

/// The role, where there is one: a wrong token counts as none.
#[derive(Debug, Clone, Copy)]
pub struct MaybeRole(pub Option<Role>);

impl FromRequestParts<Arc<App>> for MaybeRole {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        role_of(app, parts).map(Self)
    }
}

fn require(app: &App, parts: &Parts, least: Role) -> Result<(), Problem> {
    match role_of(app, parts)? {
        Some(role) if role >= least => Ok(()),
        Some(role) => {
            let (role, least) = (role.as_str(), least.as_str());
            let detail = format!("this takes the token of role {least}, yours is of {role}");
            Err(Problem::forbidden(detail).with(role, least))
        }
        None => {
            let allowed = "the cookie of `sign-in`, or the header `Authorization: Bearer TOKEN`";
            Err(Problem::sign_in("this server asks for a token").with("no valid token", allowed))
        }
    }
}

/// Wrong tokens, by the address that they came from.
#[derive(Debug, Default)]
pub struct Attempts {
    wrong: Mutex<HashMap<IpAddr, (u32, Instant)>>,
}

impl Attempts {
    /// Whether an address may try another token.
    ///
    /// # Errors
    /// If it tried too many wrong ones.
    fn check(&self, peer: IpAddr) -> Result<(), Problem> {
        let wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((count, last)) = wrong.get(&peer) else { return Ok(()) };
        let left = FORGOTTEN_AFTER.saturating_sub(last.elapsed());
        if *count < WRONG_TOKENS || left.is_zero() {
            return Ok(());
        }
        let detail = format!("{count} wrong tokens from this address");
        let problem = Problem::too_many(detail).with(format!("{count} wrong"), WRONG_TOKENS);
        Err(problem.retry_after_secs(left.as_secs() as u32 + 1))
    }

    fn wrong(&self, peer: IpAddr) {
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        wrong.retain(|_, (_, last)| last.elapsed() < FORGOTTEN_AFTER);
        if wrong.len() < ADDRESSES || wrong.contains_key(&peer) {
            let (count, last) = wrong.entry(peer).or_insert((0, Instant::now()));
            *count += 1;
            *last = Instant::now();
        }
    }
}
