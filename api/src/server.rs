//! The router with everything around it, and the server that drains.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State, WebSocketUpgrade};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Router, body::Body};
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tower::ServiceExt;
use tower_http::compression::CompressionLayer;

use crate::access::{Remote, guard};
use crate::metrics_names as names;
use crate::ws::serve_client;
use crate::{ApiError, ApiState, Code, rest, web};

/// The whole application as a router.
pub fn app(state: Arc<ApiState>) -> Router {
    let (routes, _) = rest::routes(&state.config.version);
    routes
        .route("/ws", get(websocket))
        .route_layer(from_fn_with_state(state.clone(), guard))
        .fallback(web::fallback)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(state.config.limits.body_bytes_max))
        .layer(CompressionLayer::new())
        .layer(from_fn_with_state(state.clone(), in_time))
        .layer(from_fn(headers))
        .layer(from_fn(measured))
        .with_state(state)
}

async fn wrong_method() -> ApiError {
    ApiError::new(Code::MethodNotAllowed, "this path does not take this method")
}

async fn websocket(
    State(api): State<Arc<ApiState>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let Ok(upgrade) = upgrade else {
        return ApiError::new(Code::BadRequest, "this path is for WebSocket clients").into_response();
    };
    let limits = api.hub.limits();
    if api.hub.clients() >= limits.clients_max {
        return ApiError::new(Code::RateLimited, "too many WebSockets are open")
            .retry_after(10)
            .into_response();
    }
    let upgrade = upgrade
        .max_message_size(limits.message_bytes_max)
        .max_frame_size(limits.message_bytes_max)
        .write_buffer_size(64 * 1024)
        .max_write_buffer_size(64 << 20);
    upgrade.on_upgrade(move |socket| serve_client(socket, api))
}

/// No answer takes longer than the limit.
async fn in_time(State(api): State<Arc<ApiState>>, request: Request, next: Next) -> Response {
    match tokio::time::timeout(api.config.limits.request_within, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::new(Code::RequestTimeout, "this took too long, try again").into_response(),
    }
}

static HEADERS: [(HeaderName, &str); 7] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=()",
    ),
    (
        header::CONTENT_SECURITY_POLICY,
        // Style attributes are set by the charts; everything else comes from files of ours.
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
         font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; \
         frame-ancestors 'none'",
    ),
];

/// Headers that a browser is told with every answer.
async fn headers(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let api = path.starts_with("/api") || path.starts_with("/alerts");
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in &HEADERS {
        headers.insert(name.clone(), HeaderValue::from_static(value));
    }
    if api {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

/// Counts and times every answer; the label is the route's pattern, never a path of a client's making.
async fn measured(request: Request, next: Next) -> Response {
    let began = Instant::now();
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let endpoint = matched.map_or_else(|| "other".to_owned(), |m| m.as_str().to_owned());
    let method = match request.method().as_str() {
        known @ ("GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS") => known.to_owned(),
        _ => "other".into(),
    };
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    let labels = [("method", method), ("endpoint", endpoint)];
    metrics::histogram!(names::HTTP_DURATION, &labels).record(began.elapsed().as_secs_f64());
    let [method, endpoint] = labels;
    metrics::counter!(names::HTTP_REQUESTS, &[method, endpoint, ("status", status)]).increment(1);
    response
}

/// Serves until `shutdown` ends, then drains: no new connection, running requests finish, WebSockets are told to go away;
/// at most for the drain limit.
///
/// # Errors
/// When the listener fails for good.
pub async fn serve(
    listener: TcpListener,
    state: Arc<ApiState>,
    shutdown: impl Future<Output = ()>,
) -> std::io::Result<()> {
    let limits = state.config.limits.clone();
    let app = app(state.clone());
    let slots = Arc::new(Semaphore::new(limits.connections_max));
    let closing = watch::Sender::new(false);
    let mut shutdown = pin!(shutdown);
    loop {
        let slot = slots.clone().acquire_owned();
        let accepted = tokio::select! {
            biased;
            () = &mut shutdown => break,
            accepted = async { (slot.await, listener.accept().await) } => accepted,
        };
        let (Ok(slot), Ok((stream, remote))) = accepted else {
            // Out of file descriptors, say: wait a little, others will close.
            tracing::warn!("a connection could not be accepted");
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let connection = serve_connection(
            stream,
            Remote(remote.ip()),
            app.clone(),
            limits.head_within,
            closing.subscribe(),
        );
        tokio::spawn(async move {
            connection.await;
            drop(slot);
        });
    }
    drop(listener);
    closing.send_replace(true);
    drain(&state, &slots).await;
    state.audit.flush().await;
    Ok(())
}

async fn serve_connection(
    stream: TcpStream,
    remote: Remote,
    app: Router,
    head_within: Duration,
    mut closing: watch::Receiver<bool>,
) {
    if let Err(error) = stream.set_nodelay(true) {
        return tracing::debug!(%error, "a connection was gone before it was served");
    }
    let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(remote);
        app.clone().oneshot(request)
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_within)
        .max_buf_size(64 * 1024)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = async { drop(closing.wait_for(|closing| *closing).await) } => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended with an error");
    }
}

/// Waits until every connection has ended, WebSockets included.
async fn drain(state: &ApiState, slots: &Semaphore) {
    let (began, limits) = (Instant::now(), &state.config.limits);
    state.hub.close();
    let all = u32::try_from(limits.connections_max).unwrap_or(u32::MAX);
    let drained = tokio::time::timeout(limits.drain_within, async {
        drop(slots.acquire_many(all).await);
        while state.hub.clients() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    match drained.await {
        Ok(()) => tracing::info!(took = ?began.elapsed(), "all connections have ended"),
        Err(_) => tracing::warn!(
            websockets = state.hub.clients(),
            "some connections did not end in time and are cut"
        ),
    }
}
