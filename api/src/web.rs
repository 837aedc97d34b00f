//! The web application's files, embedded in the binary. Its own routes (`/olt/rjo-01`) all get `index.html`; the paths of
//! machines never do.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::{ApiError, Code};

#[derive(RustEmbed)]
#[folder = "../web/dist"]
// Without them the page says that they are not built, and everything else can still be worked on.
#[allow_missing = true]
struct Files;

/// First segments that are never the web application's.
const MACHINES: &[&str] = &["api", "alerts", "collector", "ws", "health", "ready", "metrics"];
/// Hashed names: their content never changes.
const HASHED: &str = "assets/";

/// Whatever no route takes.
pub async fn fallback(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    let first = path.split('/').next().unwrap_or_default();
    if MACHINES.contains(&first) {
        return ApiError::new(Code::NotFound, "there is nothing at this path").into_response();
    }
    if method != Method::GET && method != Method::HEAD {
        return ApiError::new(Code::MethodNotAllowed, "only GET and HEAD here").into_response();
    }
    let named = if path.is_empty() { None } else { Files::get(path) };
    match named {
        Some(file) => answer(path, &file, &headers),
        // A file that is missing is missing; a page is the application's, and names of devices may hold a dot.
        None if path.starts_with(HASHED) || (!path.contains('/') && path.contains('.')) => {
            ApiError::new(Code::NotFound, "there is no such file").into_response()
        }
        None => Files::get("index.html").map_or_else(not_built, |file| answer("index.html", &file, &headers)),
    }
}

fn answer(path: &str, file: &EmbeddedFile, headers: &HeaderMap) -> Response {
    let hash = file.metadata.sha256_hash();
    let etag: String = hash[..16].iter().map(|b| format!("{b:02x}")).collect();
    let etag = format!("\"{etag}\"");
    let known = headers.get(header::IF_NONE_MATCH).and_then(|v| v.to_str().ok());
    let unchanged = known.is_some_and(|k| k.split(',').any(|tag| tag.trim().trim_start_matches("W/") == etag));
    let caching = if path.starts_with(HASHED) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let mut response = if unchanged {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let mut response = Response::new(Body::from(file.data.to_vec()));
        if let Ok(kind) = HeaderValue::from_str(&content_type(file.metadata.mimetype())) {
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
        }
        response
    };
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    response
}

fn content_type(mime: &str) -> String {
    let text = mime.starts_with("text/") || mime.ends_with("javascript") || mime.ends_with("json");
    if text {
        format!("{mime}; charset=utf-8")
    } else {
        mime.to_owned()
    }
}

fn not_built() -> Response {
    ApiError::new(Code::NotFound, "the web application was not built into this binary").into_response()
}
