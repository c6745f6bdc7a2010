//! The pages and what belongs to them, embedded in the program.

use std::borrow::Cow;
use std::path::{Component, Path};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

use crate::app::App;
use crate::gate::{no_such_method, no_such_page};

#[derive(RustEmbed)]
#[folder = "assets"]
struct Assets;

struct Asset {
    data: Cow<'static, [u8]>,
    kind: String,
    tag: String,
}

/// `/` is `index.html`, `/NAME` is `NAME.html`, `/assets/PATH` is `PATH`.
pub async fn asset(State(app): State<Arc<App>>, request: Request) -> Response {
    let uri = request.uri().clone();
    let path = match uri.path().strip_prefix('/') {
        Some("") => "index.html".to_owned(),
        Some(path) => match path.strip_prefix("assets/") {
            Some(file) => file.to_owned(),
            None if path.contains(['/', '.']) => return no_such_page(uri).await.into_response(),
            None => format!("{path}.html"),
        },
        None => return no_such_page(uri).await.into_response(),
    };
    let Some(asset) = find(&path, app.options.assets.as_deref()) else {
        return no_such_page(uri).await.into_response();
    };
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        return no_such_method(request.method().clone(), uri).await.into_response();
    }
    // A new version of the program has new pages: ask each time, and get little where all is known.
    let headers = [(ETAG, asset.tag.clone()), (CACHE_CONTROL, "no-cache".to_owned())];
    if request.headers().get(IF_NONE_MATCH).is_some_and(|known| known == asset.tag.as_str()) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, [(CONTENT_TYPE, asset.kind)], asset.data).into_response()
}

fn find(path: &str, folder: Option<&Path>) -> Option<Asset> {
    if let Some(folder) = folder {
        let inside = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
        let data = inside.then(|| std::fs::read(folder.join(path)).ok()).flatten()?;
        let kind = Assets::get(path).map(|file| file.metadata.mimetype().to_owned());
        let kind = kind.unwrap_or_else(|| kind_by_name(path).to_owned());
        return Some(Asset { tag: format!("\"{}-{path}\"", data.len()), data: data.into(), kind });
    }
    let file = Assets::get(path)?;
    let hash = file.metadata.sha256_hash();
    let tag = hash[..8].iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let kind = file.metadata.mimetype().to_owned();
    Some(Asset { data: file.data, kind, tag: format!("\"{tag}\"") })
}

fn kind_by_name(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html",
        Some("js" | "mjs") => "text/javascript",
        Some("css") => "text/css",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}
