//! SNMPv3 at the listeners: one security model for all of them, so that what was heard at one cannot be replayed at another.

use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use metrics::{Gauge, gauge};
use model::Cidr;
use rand::random;
use snmp_pdu::TrapPdu;
use snmp_usm::{Envelope, Limits, LocalEngine, Received, Rejected, Rejection, User, Usm};
use thiserror::Error;

use crate::account::Outcome;
use crate::config::TrapUser;
use crate::engine::{EngineError, next_boot};
use crate::metric;
use crate::refusal::Refusal;

/// The users cannot be prepared.
#[derive(Debug, Error)]
pub enum V3Error {
    /// The engine's file.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A user's name or password.
    #[error("the user of credential `{credential}` cannot be made")]
    User {
        /// Which one.
        credential: String,
        /// Why.
        #[source]
        source: snmp_usm::UserError,
    },
    /// Two of one name.
    #[error(transparent)]
    Users(#[from] snmp_usm::UsmError),
}

/// Users, and what is known of their engines.
pub(crate) struct V3 {
    usm: Mutex<Usm>,
    /// By user: its credential's name, and the networks it may send from.
    credentials: Vec<(String, Vec<Cidr>)>,
    origin: Instant,
    engines: Gauge,
}

impl V3 {
    /// `None` where there are no users. Counts this start of our engine, on the disk, before anything can be answered.
    pub fn start(users: &[TrapUser], folder: Option<&std::path::Path>) -> Result<Option<Self>, V3Error> {
        let (false, Some(folder)) = (users.is_empty(), folder) else {
            return Ok(None);
        };
        let (id, boots) = next_boot(folder)?;
        let mut made = Vec::with_capacity(users.len());
        for user in users {
            let auth = user.auth.as_ref().map(|(p, s)| (*p, s.expose().as_bytes()));
            let privacy = user.privacy.as_ref().map(|(p, s)| (*p, s.expose().as_bytes()));
            let user_made = User::new(user.user.as_bytes(), auth, privacy, user.engines.clone());
            made.push(user_made.map_err(|source| V3Error::User {
                credential: user.name.clone(),
                source,
            })?);
        }
        let engine = LocalEngine {
            id,
            boots,
            started: Duration::ZERO,
        };
        tracing::info!(engine_id = %id, boots, users = users.len(), "ready for SNMPv3");
        Ok(Some(Self {
            usm: Mutex::new(Usm::new(engine, made, Limits::default(), random())?),
            credentials: users.iter().map(|u| (u.name.clone(), u.sources.clone())).collect(),
            origin: Instant::now(),
            engines: gauge!(metric::ENGINES),
        }))
    }

    /// Whether a datagram is a notification of a user who may send it; else its outcome, and the report for its sender.
    pub fn admit<'a>(
        &self,
        datagram: &'a [u8],
        plain: &'a mut Vec<u8>,
        source: IpAddr,
    ) -> Result<Received<'a>, (Outcome, Option<Vec<u8>>)> {
        let permits = |user: usize| {
            let sources = self.credentials.get(user).map_or(&[][..], |(_, sources)| sources);
            sources.is_empty() || sources.iter().any(|s| s.contains(source))
        };
        self.usm()
            .receive(datagram, plain, self.origin.elapsed(), permits)
            .map_err(|Rejected { why, report }| match why {
                Rejection::Undecodable(error) => (Outcome::Undecodable(error.reason), report),
                Rejection::Refused(refusal) => (Outcome::Refused(Refusal::V3(refusal)), report),
            })
    }

    /// The credential's name of what was admitted.
    pub fn credential(&self, envelope: &Envelope<'_>) -> &str {
        self.credentials.get(envelope.user).map_or("", |(name, _)| name)
    }

    /// The datagram that answers an inform.
    pub fn response(&self, envelope: &Envelope<'_>, inform: &TrapPdu<'_>) -> Option<Vec<u8>> {
        self.usm().response(envelope, inform, self.origin.elapsed())
    }

    /// Shows how much is remembered.
    #[allow(clippy::cast_precision_loss, reason = "a gauge")]
    pub fn gauge(&self) {
        self.engines.set(self.usm().engines() as f64);
    }

    fn usm(&self) -> MutexGuard<'_, Usm> {
        self.usm.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many reports go out: their addressee is not authenticated, and must not be made to drown in them.
#[derive(Debug)]
pub(crate) struct ReportBudget {
    tokens: f64,
    filled: Instant,
}

/// Reports a second in the long run, and at once: a thousand devices may look for us together after our restart.
const REPORTS_PER_S: f64 = 1_000.0;
const REPORTS_BURST: f64 = 5_000.0;

impl ReportBudget {
    pub fn new(now: Instant) -> Self {
        Self {
            tokens: REPORTS_BURST,
            filled: now,
        }
    }

    /// Whether one more may go.
    pub fn spend(&mut self, now: Instant) -> bool {
        let since = now.saturating_duration_since(self.filled).as_secs_f64();
        self.filled = now;
        self.tokens = (self.tokens + since * REPORTS_PER_S).min(REPORTS_BURST);
        let may = self.tokens >= 1.0;
        if may {
            self.tokens -= 1.0;
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_limited() {
        let start = Instant::now();
        let mut budget = ReportBudget::new(start);
        let at_once = (0..6_000).filter(|_| budget.spend(start)).count();
        assert_eq!(at_once, 5_000);
        let later = start + Duration::from_millis(100);
        assert_eq!((0..6_000).filter(|_| budget.spend(later)).count(), 100);
    }
}
