//! Whom a request comes from, before anything else looks at it.
//!
//! A page of another site can make a browser send requests to this server, and, by letting its own
//! name point here (DNS rebinding), even read the answers. So the name of the host must be ours, and
//! what other pages cause is refused.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::problem::Problem;

/// Refuses requests for other hosts and of other pages.
pub async fn gate(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let checked = check_host(&app, request.headers(), request.uri())
        .and_then(|host| check_page(&app, request.method(), request.headers(), &host));
    let response = match checked {
        Ok(()) => next.run(request).await,
        Err(problem) => {
            app.metrics.refused("foreign");
            problem.into_response()
        }
    };
    app.metrics.answered(response.status());
    response
}

/// The host that was asked for, with its port.
fn check_host(app: &App, headers: &HeaderMap, uri: &Uri) -> Result<String, Problem> {
    let named = headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = named.or(uri.authority().map(|authority| authority.as_str())).unwrap_or_default();
    let name = name_of(host);
    let known = match name.trim_matches(['[', ']']).parse::<IpAddr>() {
        // A browser that was given an address asked no name server: nothing can be rebound. Beyond
        // this machine the server is reached by any of its addresses.
        Ok(address) => address.is_loopback() || !app.loopback,
        Err(_) => {
            name.eq_ignore_ascii_case("localhost")
                || app.options.hosts.iter().any(|known| known.eq_ignore_ascii_case(name))
        }
    };
    if known && headers.get_all(HOST).iter().count() <= 1 {
        return Ok(host.to_ascii_lowercase());
    }
    let found: String = host.chars().take(80).collect();
    let allowed = std::iter::once("localhost or the server's address".to_owned());
    let allowed = allowed.chain(app.options.hosts.iter().cloned()).collect::<Vec<_>>().join(", ");
    let detail = format!("the host is `{found}`, expected {allowed}; `--host` adds a name");
    Err(Problem::foreign_host(detail).with(found, allowed))
}

fn name_of(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Browsers tell by which page a request was caused, other programs do not.
fn check_page(app: &App, method: &Method, headers: &HeaderMap, host: &str) -> Result<(), Problem> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("unreadable"));
    let scheme = if app.options.certificate.is_some() { "https" } else { "http" };
    let own = format!("{scheme}://{host}");
    let refuse = |found: &str| {
        let found: String = found.chars().take(80).collect();
        let detail = format!("the request was caused by a page of {found}, expected {own}");
        Err(Problem::foreign_page(detail).with(found, &own))
    };
    if let Some(origin) = text(ORIGIN.as_str())
        && !origin.eq_ignore_ascii_case(&own)
    {
        return refuse(origin);
    }
    match text("sec-fetch-site") {
        None | Some("same-origin" | "none") => Ok(()),
        // A link to a page of ours may be followed.
        Some(_) if method == Method::GET && text("sec-fetch-mode") == Some("navigate") => Ok(()),
        Some(site) => refuse(&format!("another site ({site})")),
    }
}

/// What is answered where no handler is.
pub async fn no_such_page(uri: Uri) -> Problem {
    let path: String = uri.path().chars().take(200).collect();
    Problem::not_found(format!("nothing is at {path}")).with(path, "the paths of /api")
}

/// What is answered where the handler is for other methods.
pub async fn no_such_method(method: Method, uri: Uri) -> Problem {
    let path: String = uri.path().chars().take(200).collect();
    Problem::method(format!("{path} does not have the method {method}"))
}

/// A handler panicked: a mistake of ours, which must not end the server.
pub fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    tracing::error!("a request handler panicked");
    let problem = Problem::internal("this request met a mistake in the server");
    (StatusCode::INTERNAL_SERVER_ERROR, problem).into_response()
}
