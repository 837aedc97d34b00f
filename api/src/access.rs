//! Who may call what: one table, asked before every route. A route without a row is refused, and fails a test.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, header};
use axum::middleware::Next;
use axum::response::Response;
use schemas::AuditEntry;

use crate::audit::entry;
use crate::auth::Role;
use crate::{ApiError, ApiState, Code};

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anyone.
    Open,
    /// Anyone, unless the configuration closes it; then any user.
    OpenUnlessClosed,
    /// Users with this role or a higher one.
    From(Role),
}

/// Method, path, who.
pub const RULES: &[(&str, &str, Access)] = &[
    ("GET", "/health", Access::Open),
    ("GET", "/ready", Access::Open),
    ("GET", "/metrics", Access::OpenUnlessClosed),
    // Authenticates in its first frame; topics have a table of their own (`ws::TOPIC_ROLES`).
    ("GET", "/ws", Access::Open),
    ("GET", "/api/v1/health", Access::Open),
    ("GET", "/api/v1/openapi.json", Access::Open),
    ("POST", "/api/v1/auth/login", Access::Open),
    ("POST", "/api/v1/auth/refresh", Access::Open),
    ("POST", "/api/v1/auth/logout", Access::From(Role::Viewer)),
    ("GET", "/api/v1/auth/me", Access::From(Role::Viewer)),
    ("GET", "/api/v1/devices", Access::From(Role::Viewer)),
    ("POST", "/api/v1/devices", Access::From(Role::Operator)),
    ("GET", "/api/v1/devices/{id}", Access::From(Role::Viewer)),
    ("GET", "/api/v1/devices/{id}/status", Access::From(Role::Viewer)),
    ("GET", "/api/v1/devices/{id}/events", Access::From(Role::Viewer)),
    ("GET", "/api/v1/onts", Access::From(Role::Viewer)),
    ("GET", "/api/v1/olts", Access::From(Role::Viewer)),
    ("GET", "/api/v1/olts/{id}/board-info", Access::From(Role::Viewer)),
    ("GET", "/api/v1/olts/{id}/autofind-onts/all", Access::From(Role::Viewer)),
    (
        "GET",
        "/api/v1/olts/{id}/pons/{frame}/{slot}/{port}",
        Access::From(Role::Viewer),
    ),
    ("GET", "/api/v1/alarms", Access::From(Role::Viewer)),
    ("GET", "/api/v1/alarms/counts", Access::From(Role::Viewer)),
    ("GET", "/api/v1/alarms/{id}", Access::From(Role::Viewer)),
    ("GET", "/api/v1/alarms/{id}/transitions", Access::From(Role::Viewer)),
    ("GET", "/api/v1/alarms/{id}/why", Access::From(Role::Viewer)),
    ("POST", "/api/v1/alarms/{id}/acknowledge", Access::From(Role::Operator)),
    (
        "POST",
        "/api/v1/alarms/{id}/unacknowledge",
        Access::From(Role::Operator),
    ),
    ("POST", "/api/v1/alarms/{id}/comment", Access::From(Role::Operator)),
    ("POST", "/api/v1/alarms/{id}/clear", Access::From(Role::Operator)),
    ("POST", "/api/v1/alarms/{id}/silence", Access::From(Role::Operator)),
    ("POST", "/api/v1/alarms/{id}/unsilence", Access::From(Role::Operator)),
    ("GET", "/api/v1/alerts/active", Access::From(Role::Viewer)),
    ("POST", "/api/v1/alerts/{id}/acknowledge", Access::From(Role::Operator)),
    ("POST", "/api/v1/alerts/{id}/clear", Access::From(Role::Operator)),
    ("GET", "/api/v1/alerts/rules", Access::From(Role::Viewer)),
    ("POST", "/api/v1/alerts/rules", Access::From(Role::Operator)),
    ("POST", "/api/v1/alerts/rules/check", Access::From(Role::Operator)),
    ("GET", "/api/v1/alerts/rules/{id}", Access::From(Role::Viewer)),
    ("DELETE", "/api/v1/alerts/rules/{id}", Access::From(Role::Operator)),
    ("GET", "/api/v1/alerts/rules/{id}/versions", Access::From(Role::Viewer)),
    ("GET", "/api/v1/silences", Access::From(Role::Viewer)),
    ("POST", "/api/v1/silences", Access::From(Role::Operator)),
    ("DELETE", "/api/v1/silences/{id}", Access::From(Role::Operator)),
    ("GET", "/api/v1/incidents", Access::From(Role::Viewer)),
    ("GET", "/api/v1/incidents/{id}", Access::From(Role::Viewer)),
    ("GET", "/api/v1/sources", Access::From(Role::Viewer)),
    ("GET", "/api/v1/devices/{id}/measurements", Access::From(Role::Viewer)),
    (
        "GET",
        "/api/v1/devices/{id}/measurements/latest",
        Access::From(Role::Viewer),
    ),
    ("GET", "/api/v1/cards/{serial}/measurements", Access::From(Role::Viewer)),
    ("GET", "/api/v1/measurements/latest", Access::From(Role::Viewer)),
    ("GET", "/api/v1/sites", Access::From(Role::Viewer)),
    ("GET", "/api/v1/sites/{site}/cards", Access::From(Role::Viewer)),
    ("GET", "/api/v1/metrics", Access::From(Role::Viewer)),
];

/// The rule of a route; one that is served under two paths has one.
pub fn rule(method: &Method, path: &str) -> Option<Access> {
    let path = &*crate::rest::canonical(path);
    let method = if *method == Method::HEAD {
        "GET"
    } else {
        method.as_str()
    };
    RULES
        .iter()
        .find(|(m, p, _)| *m == method && *p == path)
        .map(|(_, _, access)| *access)
}

/// Where a request came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remote(pub IpAddr);

impl Remote {
    /// Of a request; the unspecified address where it did not come over a socket (tests).
    pub fn of(request: &Request) -> Self {
        request
            .extensions()
            .get()
            .copied()
            .unwrap_or(Self(IpAddr::from([0, 0, 0, 0])))
    }
}

/// Lets a request through to its route, or not.
///
/// # Errors
/// UNAUTHENTICATED, FORBIDDEN or RATE_LIMITED.
pub async fn guard(
    State(api): State<Arc<ApiState>>,
    path: MatchedPath,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let access = rule(request.method(), path.as_str());
    let least = match access {
        Some(Access::Open) => None,
        Some(Access::OpenUnlessClosed) => (!api.config.metrics_open).then_some(Role::Viewer),
        Some(Access::From(role)) => Some(role),
        None => {
            tracing::error!(path = path.as_str(), method = %request.method(), "this route has no rule");
            return Err(ApiError::new(Code::Forbidden, "nobody may call this"));
        }
    };
    let remote = Remote::of(&request);
    let Some(least) = least else {
        let free = matches!(path.as_str(), "/health" | "/ready" | "/metrics" | "/api/v1/health");
        if !free {
            limit(&api, remote)?;
        }
        return Ok(next.run(request).await);
    };
    let action = format!("{} {}", request.method(), path.as_str());
    let target = request.uri().path().to_owned();
    let denied = |entry: AuditEntry| {
        api.audit.tell(AuditEntry {
            outcome: "denied".into(),
            remote: Some(remote.0.to_string()),
            ..entry
        });
    };
    let caller = match bearer(&request) {
        Some(token) => api.authenticate(token).await,
        None => Err(ApiError::new(Code::Unauthenticated, "this needs a token: log in first")),
    };
    let caller = match caller {
        Ok(caller) => caller,
        Err(error) => {
            if error.code == Code::Unauthenticated {
                denied(entry(None, &action, Some(&target)));
                limit(&api, remote)?;
            }
            return Err(error);
        }
    };
    if caller.role < least {
        denied(entry(Some(&caller), &action, Some(&target)));
        let message = format!("this needs the role {}", least.as_str());
        return Err(ApiError::new(Code::Forbidden, message).with("role", caller.role.as_str()));
    }
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

fn limit(api: &ApiState, remote: Remote) -> Result<(), ApiError> {
    api.public_limit.take(&remote.0, Instant::now()).map_err(|seconds| {
        ApiError::new(
            Code::RateLimited,
            format!("too many requests, try again in {seconds} s"),
        )
        .retry_after(seconds)
    })
}

fn bearer(request: &Request) -> Option<&str> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
