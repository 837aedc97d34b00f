//! Who gets in: passwords, the lock after wrong ones, the limit on sessions, and the counts a test reads.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::config::CliConfig;

/// Commands counted by name: a hostile client does not fill the memory with names.
const NAMES_MAX: usize = 256;

/// What happened at one OLT's command line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CliCounts {
    /// TCP connections.
    pub connections: u64,
    /// Passwords offered.
    pub logins: u64,
    /// Of these refused, by password or by lock.
    pub refused: u64,
    /// Logins that found the limit on sessions reached.
    pub turned_away: u64,
    /// Connections logged in right now, those turned away included.
    pub open: u64,
    /// The most of them at once.
    pub open_max: u64,
    /// Commands run, by their words without places and numbers.
    pub commands: BTreeMap<String, u64>,
}

/// The door of one OLT.
#[derive(Debug, Default)]
pub(crate) struct Door {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    counts: CliCounts,
    sessions: usize,
    /// When closed sessions will be forgotten.
    closing: Vec<Instant>,
    refused_in_a_row: u32,
    locked_until: Option<Instant>,
}

/// A connection that is logged in; it leaves when dropped.
#[derive(Debug)]
pub(crate) struct Visit {
    door: Arc<Door>,
    /// Whether it has a session, or was turned away.
    pub(crate) admitted: bool,
    /// Whether the session was ended by the box: logged out or timed out.
    ended: Arc<AtomicBool>,
    forgets_after: Duration,
    keeps_dropped: Duration,
}

impl Door {
    pub(crate) fn connected(&self) {
        self.inner().counts.connections += 1;
    }

    pub(crate) fn ran(&self, name: &str) {
        let commands = &mut self.inner().counts.commands;
        if let Some(times) = commands.get_mut(name) {
            *times += 1;
        } else if commands.len() < NAMES_MAX {
            commands.insert(name.to_owned(), 1);
        }
    }

    pub(crate) fn counts(&self) -> CliCounts {
        self.inner().counts.clone()
    }

    /// Forgets wrong passwords and the lock they led to.
    pub(crate) fn unlock(&self) {
        let mut inner = self.inner();
        (inner.refused_in_a_row, inner.locked_until) = (0, None);
    }

    /// Whether this user with this password may log in. `open`: the door is not refusing everybody.
    pub(crate) fn knows(&self, config: &CliConfig, user: &str, password: &str, open: bool, now: Instant) -> bool {
        let mut inner = self.inner();
        inner.counts.logins += 1;
        let locked = inner.locked_until.is_some_and(|until| until > now);
        if open && !locked && user == config.user && password == config.password {
            inner.refused_in_a_row = 0;
            return true;
        }
        inner.counts.refused += 1;
        inner.refused_in_a_row += 1;
        if inner.refused_in_a_row >= config.refusals_max && !locked {
            inner.locked_until = Some(now + config.locked_for);
            inner.refused_in_a_row = 0;
        }
        false
    }

    /// A login that was let in. `limit`: the box says that the limit is reached whatever it is.
    pub(crate) fn enter(self: &Arc<Self>, config: &CliConfig, limit: bool, now: Instant) -> Visit {
        let mut inner = self.inner();
        inner.closing.retain(|&forgotten| forgotten > now);
        let admitted = !limit && inner.sessions + inner.closing.len() < config.sessions_max;
        inner.sessions += usize::from(admitted);
        let counts = &mut inner.counts;
        counts.turned_away += u64::from(!admitted);
        counts.open += 1;
        counts.open_max = counts.open_max.max(counts.open);
        Visit {
            door: self.clone(),
            admitted,
            ended: Arc::default(),
            forgets_after: config.forgets_after,
            keeps_dropped: config.keeps_dropped,
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Plain data, whole after every statement.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Visit {
    /// To be set when the box ends the session: else the client dropped it.
    pub(crate) fn end(&self) -> Arc<AtomicBool> {
        self.ended.clone()
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut inner = self.door.inner();
        inner.counts.open -= 1;
        if self.admitted {
            inner.sessions -= 1;
            let longer = if self.ended.load(Ordering::Acquire) {
                self.forgets_after
            } else {
                self.forgets_after.max(self.keeps_dropped)
            };
            inner.closing.push(Instant::now() + longer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_session_is_forgotten_only_later() {
        let (door, config) = (Arc::new(Door::default()), CliConfig::default());
        let now = Instant::now();
        let first = door.enter(&config, false, now);
        assert!(first.admitted && !door.enter(&config, false, now).admitted);
        drop(first);
        assert!(!door.enter(&config, false, now + Duration::from_secs(7)).admitted);
        assert!(door.enter(&config, false, now + Duration::from_secs(9)).admitted);
        let counts = door.counts();
        assert_eq!((counts.turned_away, counts.open, counts.open_max), (2, 0, 2));
    }

    #[test]
    fn a_dropped_session_is_kept() {
        let config = CliConfig {
            forgets_after: Duration::ZERO,
            keeps_dropped: Duration::from_secs(300),
            ..CliConfig::default()
        };
        for (ended, expected) in [(true, true), (false, false)] {
            let door = Arc::new(Door::default());
            let visit = door.enter(&config, false, Instant::now());
            visit.end().store(ended, Ordering::Release);
            drop(visit);
            let later = Instant::now() + Duration::from_secs(60);
            assert_eq!(door.enter(&config, false, later).admitted, expected, "{ended}");
        }
    }

    #[test]
    fn wrong_passwords_lock_the_user() {
        let (door, config) = (Door::default(), CliConfig::default());
        let now = Instant::now();
        let late = now + config.locked_for;
        for (user, password, open, at, expected) in [
            ("noc", "noc", true, now, true),
            ("noc", "noc", false, now, false),
            ("noc", "x", true, now, false),
            ("root", "noc", true, now, false),
            ("noc", "noc", true, now, false),
            ("noc", "noc", true, late, true),
        ] {
            assert_eq!(door.knows(&config, user, password, open, at), expected, "{user}");
        }
        assert_eq!((door.counts().logins, door.counts().refused), (6, 4));
    }
}
