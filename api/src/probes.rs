//! Probes and metrics of a process without a board: `/health`, `/ready`, `/metrics`.

use std::future::Future;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use tokio::net::TcpListener;

use crate::ReadyCheck;

/// What the probes ask.
#[derive(Clone)]
pub struct Probes {
    /// What must be able before `/ready` says so.
    pub ready: Vec<Arc<dyn ReadyCheck>>,
    /// Renders the process's metrics as Prometheus text.
    pub render_metrics: Arc<dyn Fn() -> String + Send + Sync>,
}

/// Serves the probes until `shutdown` ends.
///
/// # Errors
/// When the listener fails for good.
pub async fn serve_probes(
    listener: TcpListener,
    probes: Probes,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let app = Router::new()
        .route(
            "/health",
            get(|| async { Json(json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") })) }),
        )
        .route("/ready", get(ready))
        .route("/metrics", get(metrics))
        .with_state(probes);
    axum::serve(listener, app).with_graceful_shutdown(shutdown).await
}

async fn ready(State(probes): State<Probes>) -> Response {
    let missing: serde_json::Map<_, _> = probes
        .ready
        .iter()
        .filter_map(|check| check.check().err().map(|why| (check.name().to_owned(), why.into())))
        .collect();
    if missing.is_empty() {
        return Json(json!({ "status": "ready" })).into_response();
    }
    let body = json!({ "error": { "code": "NOT_READY", "message": "not every part is able yet", "details": missing } });
    (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
}

async fn metrics(State(probes): State<Probes>) -> Response {
    let content = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (content, (probes.render_metrics)()).into_response()
}
