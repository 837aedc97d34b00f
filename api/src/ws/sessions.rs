//! Subscriptions that outlive a connection for a while, so that a client that comes back goes on where it was.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hashbrown::HashMap;

use super::subscription::Subscription;
use crate::auth::Caller;
use crate::auth::tokens::random_text;

/// A client's subscriptions, and which connection has them now.
#[derive(Debug)]
pub struct Session {
    /// What the client shows to come back: this API instance and a secret of its own.
    pub token: String,
    user: String,
    tenant: String,
    pub subscriptions: Mutex<Vec<Subscription>>,
    owner: AtomicU64,
    seen: Mutex<Instant>,
}

impl Session {
    /// Whether this connection still has it.
    pub fn is_owned_by(&self, connection: u64) -> bool {
        self.owner.load(Ordering::Acquire) == connection
    }

    /// A connection still holds it, or has just let go.
    pub fn touch(&self) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn idle(&self) -> Duration {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }
}

/// All sessions of this instance.
#[derive(Debug)]
pub struct Sessions {
    kept: Duration,
    max: usize,
    next_connection: AtomicU64,
    all: Mutex<HashMap<String, Arc<Session>>>,
}

impl Sessions {
    /// None yet.
    pub fn new(kept: Duration, max: usize) -> Self {
        Self {
            kept,
            max,
            next_connection: AtomicU64::new(1),
            all: Mutex::default(),
        }
    }

    /// Number for a new connection.
    pub fn connection(&self) -> u64 {
        self.next_connection.fetch_add(1, Ordering::Relaxed)
    }

    /// A new session.
    pub fn open(&self, instance: &str, caller: &Caller, connection: u64) -> Arc<Session> {
        let session = Arc::new(Session {
            token: format!("{instance}.{}", random_text::<16>()),
            user: caller.user.clone(),
            tenant: caller.tenant.clone(),
            subscriptions: Mutex::default(),
            owner: AtomicU64::new(connection),
            seen: Mutex::new(Instant::now()),
        });
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= self.max {
            // Only sessions without a connection are idle: a connection touches its own.
            all.retain(|_, s| s.idle() < self.kept);
        }
        all.insert(session.token.clone(), session.clone());
        session
    }

    /// Takes a session over from a connection that is lost (or about to be); only for its own user.
    pub fn resume(&self, token: &str, caller: &Caller, connection: u64) -> Option<Arc<Session>> {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let session = all.get(token)?;
        let own = session.user == caller.user && session.tenant == caller.tenant;
        if !own || session.idle() >= self.kept {
            return None;
        }
        session.owner.store(connection, Ordering::Release);
        session.touch();
        Some(session.clone())
    }

    /// Forgets one that cannot go on.
    pub fn forget(&self, token: &str) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).remove(token);
    }

    /// Forgets those that nobody came back to.
    pub fn sweep(&self) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, s| s.idle() < self.kept);
    }
}
