//! Extractors whose refusals are errors of the API, and small helpers of the handlers.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::Micros;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::auth::Caller;
use crate::live::alarms::items::instant_of;
use crate::{ApiError, Code};

/// A JSON body.
pub struct Body<T>(pub T);

/// A JSON body that may be missing altogether.
pub struct OptionalBody<T>(pub Option<T>, pub Bytes);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for OptionalBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        if !request.headers().contains_key(header::CONTENT_TYPE) {
            let bytes = Bytes::from_request(request, state).await;
            return match bytes {
                Ok(bytes) if bytes.is_empty() => Ok(Self(None, bytes)),
                _ => Err(ApiError::new(
                    Code::UnsupportedMediaType,
                    "send `content-type: application/json`",
                )),
            };
        }
        let JsonBytes(bytes) = JsonBytes::from_request(request, state).await?;
        if bytes.is_empty() {
            return Ok(Self(None, bytes));
        }
        Ok(Self(Some(parse(&bytes)?), bytes))
    }
}

/// The bytes of a JSON body.
pub struct JsonBytes(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for JsonBytes {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let content_type = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default();
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/json") {
            return Err(ApiError::new(
                Code::UnsupportedMediaType,
                "send `content-type: application/json`",
            ));
        }
        Bytes::from_request(request, state)
            .await
            .map(Self)
            .map_err(|rejection: BytesRejection| {
                if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                    return ApiError::new(Code::PayloadTooLarge, "the body is too large");
                }
                ApiError::new(Code::BadRequest, "the body could not be read")
            })
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let JsonBytes(bytes) = JsonBytes::from_request(request, state).await?;
        parse(&bytes).map(Self)
    }
}

/// Reads JSON: malformed is BAD_REQUEST, well-formed but wrong VALIDATION_FAILED.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(bytes).map_err(|error| {
        let code = if error.classify() == Category::Data {
            Code::ValidationFailed
        } else {
            Code::BadRequest
        };
        ApiError::new(code, crate::audit::cut(&error.to_string()))
            .with("line", error.line())
            .with("column", error.column())
    })
}

/// A query.
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        axum::extract::Query::try_from_uri(&parts.uri)
            .map(|axum::extract::Query(query)| Self(query))
            .map_err(|rejection| {
                let text = rejection.body_text();
                // Its own words around what is wrong help nobody.
                let wrong = text
                    .strip_prefix("Failed to deserialize query string: ")
                    .unwrap_or(&text);
                ApiError::new(Code::BadRequest, crate::audit::cut(wrong))
            })
    }
}

/// The `{id}` of a path, decoded.
pub struct DeviceId(pub String);

/// Longer is nobody's id, serial or name.
const DEVICE_ID_BYTES_MAX: usize = 256;

impl<S: Send + Sync> FromRequestParts<S> for DeviceId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = axum::extract::Path::<String>::from_request_parts(parts, state).await;
        match path {
            Ok(axum::extract::Path(id)) if id.len() <= DEVICE_ID_BYTES_MAX => Ok(Self(id)),
            _ => Err(ApiError::new(
                Code::BadRequest,
                "the id in the path is not UTF-8, or too long",
            )),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let missing = || ApiError::new(Code::Unauthenticated, "this needs a token: log in first");
        parts.extensions.get::<Self>().cloned().ok_or_else(missing)
    }
}

/// An answer that is JSON text already.
pub fn json_text(text: String) -> Response {
    let mut response = text.into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A list: `{"items":[…],"next":cursor|null}`.
pub fn list_text(items: &[String], next: Option<&[u8]>) -> Response {
    let next = next.map_or_else(|| "null".into(), |n| format!("\"{}\"", URL_SAFE_NO_PAD.encode(n)));
    json_text(format!(r#"{{"items":[{}],"next":{next}}}"#, items.join(",")))
}

/// Reads a cursor back; an empty one is none.
pub fn cursor(text: Option<&str>) -> Result<Option<Vec<u8>>, ApiError> {
    let text = text.filter(|t| !t.is_empty());
    text.map(|t| URL_SAFE_NO_PAD.decode(t))
        .transpose()
        .map_err(|_| foreign_cursor())
}

/// The cursor is not the `next` of this list.
pub fn foreign_cursor() -> ApiError {
    ApiError::new(Code::BadRequest, "`cursor` is not one of this list: begin it again")
}

/// An instant of a query: RFC 3339.
pub fn instant(name: &str, text: Option<&str>) -> Result<Option<Micros>, ApiError> {
    let read = |text: &str| {
        instant_of(text).ok_or_else(|| {
            let message = format!("`{name}` is an instant such as 2026-11-21T10:00:00Z");
            ApiError::new(Code::BadRequest, message)
        })
    };
    text.map(read).transpose()
}

/// The `limit` of a list: 100 unless asked, 1 to `max`.
pub fn limit(asked: Option<usize>, max: usize) -> Result<usize, ApiError> {
    match asked.unwrap_or(100.min(max)) {
        limit if (1..=max).contains(&limit) => Ok(limit),
        _ => Err(ApiError::new(Code::BadRequest, format!("`limit` is 1 to {max}"))),
    }
}
