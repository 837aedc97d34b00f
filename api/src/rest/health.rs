//! Alive, able, and figures.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Caller;
use crate::error::ErrorBody;
use crate::live::counts::Counts;
use crate::time::now;
use crate::{ApiError, ApiState, Code};

/// The process is alive.
#[derive(Serialize, ToSchema)]
pub struct Health {
    /// `ok`.
    status: &'static str,
    /// Version.
    version: String,
    /// Seconds since the start.
    uptime_s: u64,
}

/// Figures of the system, for people and scripts.
#[derive(Serialize, ToSchema)]
pub struct Summary {
    /// Version.
    version: String,
    /// Seconds since the start.
    uptime_s: u64,
    /// Whether every part is able.
    ready: bool,
    /// OLTs known.
    olts: u32,
    /// Boards known.
    boards: u32,
    /// Boards that have failed.
    boards_failed: u32,
    /// PON ports known.
    pons: u32,
    /// PON ports that are down.
    pons_down: u32,
    /// ONUs by state.
    onus: Counts,
    /// Open WebSockets.
    ws_clients: usize,
    /// Changes kept for clients that come back.
    ring_changes: usize,
}

/// Whether the process is alive; also at `/health`.
#[utoipa::path(get, path = "/health", tag = "system", security(()), responses(
    (status = 200, description = "Alive", body = Health),
))]
pub async fn health_v1(State(api): State<Arc<ApiState>>) -> Json<Health> {
    health(State(api)).await
}

/// `/health`.
pub async fn health(State(api): State<Arc<ApiState>>) -> Json<Health> {
    let version = api.config.version.clone();
    Json(Health {
        status: "ok",
        version,
        uptime_s: api.started.elapsed().as_secs(),
    })
}

/// `/ready`: 200, or 503 with what is missing.
pub async fn ready(State(api): State<Arc<ApiState>>) -> Result<Json<serde_json::Value>, ApiError> {
    let mut missing = missing(&api);
    if let Err(error) = api.store.health().await {
        tracing::warn!(error = &error as &dyn std::error::Error, "the store is not able");
        missing.push(("store".into(), "does not answer".into()));
    }
    if missing.is_empty() {
        // Late is said, and is no reason to take away the page that says it.
        let state = api.live.read();
        let freshness = state.system.freshness(now());
        return Ok(Json(serde_json::json!({ "status": "ready", "freshness": freshness })));
    }
    let error = ApiError::new(Code::NotReady, "not every part is able yet");
    Err(missing
        .into_iter()
        .fold(error, |e, (name, reason)| e.with(&name, reason)))
}

fn missing(api: &ApiState) -> Vec<(String, String)> {
    let live: &dyn crate::ReadyCheck = &*api.live;
    let checks = std::iter::once(live).chain(api.ready.iter().map(|c| &**c));
    checks
        .filter_map(|c| c.check().err().map(|reason| (c.name().to_owned(), reason)))
        .collect()
}

/// `/metrics`: Prometheus text.
pub async fn prometheus(State(api): State<Arc<ApiState>>) -> Response {
    let mut response = (api.render_metrics)().into_response();
    let text = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, text);
    response
}

/// System figures as JSON.
#[utoipa::path(get, path = "/metrics", tag = "system", responses(
    (status = 200, description = "Figures", body = Summary),
    (status = 401, description = "Not logged in", body = ErrorBody),
))]
pub async fn summary(State(api): State<Arc<ApiState>>, caller: Caller) -> Json<Summary> {
    let totals = api.live.read().totals(&caller.tenant);
    Json(Summary {
        version: api.config.version.clone(),
        uptime_s: api.started.elapsed().as_secs(),
        ready: missing(&api).is_empty(),
        olts: totals.olts,
        boards: totals.boards,
        boards_failed: totals.boards_failed,
        pons: totals.pons,
        pons_down: totals.pons_down,
        onus: totals.counts,
        ws_clients: api.hub.clients(),
        ring_changes: api.live.ring().len(),
    })
}
