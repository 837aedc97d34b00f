//! What the binary decides for the API.

use std::sync::Arc;
use std::time::Duration;

use log::Log;
use store::Store;

use crate::ReadyCheck;
use crate::auth::limiter::Rate;
use crate::live::{LiveView, ProbeConfig};
use crate::ws::WsLimits;

/// Settings.
#[derive(Clone)]
pub struct ApiConfig {
    /// Secret that signs tokens: 32 random bytes, kept in a file only the owner reads.
    pub jwt_key: [u8; 32],
    /// Name of this process, in writer ids.
    pub instance: String,
    /// Tenant of this installation, where a user has none of its own.
    pub tenant: String,
    /// Where people reach it (`https://noc.example.net`), for links; `None`: as asked.
    pub public_base: Option<String>,
    /// Whether `/metrics` answers without a token.
    pub metrics_open: bool,
    /// Version shown by `/health` and OpenAPI.
    pub version: String,
    /// Freshness probes to wait for; `None`: there are none.
    pub probe: Option<ProbeConfig>,
    /// Limits.
    pub limits: Limits,
}

impl ApiConfig {
    /// Defaults around what has none.
    pub fn new(jwt_key: [u8; 32], instance: &str, tenant: &str) -> Self {
        Self {
            jwt_key,
            instance: instance.into(),
            tenant: tenant.into(),
            public_base: None,
            metrics_open: true,
            version: env!("CARGO_PKG_VERSION").into(),
            probe: None,
            limits: Limits::default(),
        }
    }
}

/// Limits, each on something a client can ask for.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Largest request body.
    pub body_bytes_max: usize,
    /// Longest answer time.
    pub request_within: Duration,
    /// Open connections.
    pub connections_max: usize,
    /// The head of a request must come within this time.
    pub head_within: Duration,
    /// Logins by one address (m101).
    pub logins_by_address: Rate,
    /// Failed logins of one user name.
    pub logins_by_user: Rate,
    /// Requests by one address to what is open, and requests with bad tokens.
    pub public_by_address: Rate,
    /// Passwords checked at a time: each takes 19 MiB and some 30 ms of a core.
    pub password_checks_max: usize,
    /// How long a drain may take.
    pub drain_within: Duration,
    /// The WebSocket's.
    pub ws: WsLimits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes_max: 2 << 20,
            request_within: Duration::from_secs(30),
            connections_max: 12_000,
            head_within: Duration::from_secs(10),
            logins_by_address: Rate {
                burst: 20.0,
                per_minute: 20.0,
            },
            logins_by_user: Rate {
                burst: 10.0,
                per_minute: 10.0,
            },
            public_by_address: Rate {
                burst: 300.0,
                per_minute: 3_000.0,
            },
            password_checks_max: 4,
            drain_within: Duration::from_secs(8),
            ws: WsLimits::default(),
        }
    }
}

/// Says what the bytes of a trap's PDU, which a root sent, mean.
pub type ExplainTrap = Arc<dyn Fn(&[u8], &str) -> serde_json::Value + Send + Sync>;

/// The parts the API stands on.
#[derive(Clone)]
pub struct Parts {
    /// Written to: `observations`, `audit`.
    pub log: Arc<dyn Log>,
    /// Histories, users, sessions.
    pub store: Arc<dyn Store>,
    /// The present.
    pub live: Arc<LiveView>,
    /// What else must be able before `/ready` says so.
    pub ready: Vec<Arc<dyn ReadyCheck>>,
    /// What a trap's PDU (first) of a root (second) says, for people; `None`: it stays bytes.
    pub explain_trap: Option<ExplainTrap>,
    /// Renders the process's metrics as Prometheus text.
    pub render_metrics: Arc<dyn Fn() -> String + Send + Sync>,
}
