//! What all requests share.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use log::Log;
use store::Store;
use tokio::sync::Semaphore;

use crate::audit::Audit;
use crate::auth::Caller;
use crate::auth::limiter::Limiter;
use crate::auth::sessions::Sessions;
use crate::auth::tokens::Tokens;
use crate::config::{ApiConfig, ExplainTrap, Parts};
use crate::idempotency::Idempotency;
use crate::live::LiveView;
use crate::registrar::Registrar;
use crate::rules::Rules;
use crate::time::now;
use crate::ws::Hub;
use crate::{ApiError, Code, ReadyCheck};

/// Keys held by each rate limiter at most.
const LIMITER_KEYS_MAX: usize = 50_000;

/// The API's state, shared by all requests.
pub struct ApiState {
    pub(crate) config: ApiConfig,
    pub(crate) live: Arc<LiveView>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) hub: Hub,
    pub(crate) tokens: Tokens,
    pub(crate) sessions: Sessions,
    pub(crate) audit: Audit,
    pub(crate) registrar: Arc<Registrar>,
    pub(crate) rules: Arc<Rules>,
    pub(crate) log: Arc<dyn Log>,
    pub(crate) explain_trap: Option<ExplainTrap>,
    pub(crate) idempotency: Idempotency,
    pub(crate) ready: Vec<Arc<dyn ReadyCheck>>,
    pub(crate) render_metrics: Arc<dyn Fn() -> String + Send + Sync>,
    pub(crate) login_by_address: Limiter<IpAddr>,
    pub(crate) login_by_user: Limiter<String>,
    pub(crate) public_limit: Limiter<IpAddr>,
    pub(crate) password_checks: Arc<Semaphore>,
    pub(crate) started: Instant,
}

impl ApiState {
    /// Puts the parts together; starts the threads of the audit and of the rules, and nothing else.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn new(config: ApiConfig, parts: Parts) -> std::io::Result<Arc<Self>> {
        let limits = config.limits.clone();
        parts.live.watch_system(&config.tenant, config.probe.clone());
        let registrar = Arc::new(Registrar::new(parts.log.clone(), &config.instance));
        Ok(Arc::new(Self {
            hub: Hub::new(limits.ws),
            tokens: Tokens::new(&config.jwt_key),
            sessions: Sessions::new(parts.store.clone()),
            audit: Audit::start(parts.log.clone())?,
            rules: Rules::start(parts.log.clone(), registrar.clone(), &config.instance)?,
            registrar,
            log: parts.log,
            explain_trap: parts.explain_trap,
            idempotency: Idempotency::default(),
            live: parts.live,
            store: parts.store,
            ready: parts.ready,
            render_metrics: parts.render_metrics,
            login_by_address: Limiter::new(limits.logins_by_address, LIMITER_KEYS_MAX),
            login_by_user: Limiter::new(limits.logins_by_user, LIMITER_KEYS_MAX),
            public_limit: Limiter::new(limits.public_by_address, LIMITER_KEYS_MAX),
            password_checks: Arc::new(Semaphore::new(limits.password_checks_max)),
            started: Instant::now(),
            config,
        }))
    }

    /// Whether the rules have been read from the log once.
    pub fn knows_rules(&self) -> bool {
        self.rules.serve().is_ok()
    }

    /// Who a token is of.
    ///
    /// # Errors
    /// UNAUTHENTICATED, or UPSTREAM_UNAVAILABLE when the session cannot be looked up.
    pub async fn authenticate(&self, token: &str) -> Result<Caller, ApiError> {
        let refused = || {
            ApiError::new(
                Code::Unauthenticated,
                "the token is not valid, or no longer: log in again",
            )
        };
        let caller = self
            .tokens
            .verify(token, now().millis().div_euclid(1_000))
            .ok_or_else(refused)?;
        let stands = self.sessions.check(&caller).await;
        match stands {
            Ok(true) => Ok(caller),
            Ok(false) => Err(refused()),
            Err(error) => Err(ApiError::unavailable("looking up the session", &error)),
        }
    }
}
