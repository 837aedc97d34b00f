//! The recent changes, shared by all clients: each keeps a place in it and reads on from there.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::change::Change;

/// How much is remembered for clients that come back.
#[derive(Debug, Clone, Copy)]
pub struct RingLimits {
    /// At least this long …
    pub keep_time: Duration,
    /// … and at least this many changes,
    pub keep_changes: usize,
    /// but never more than this many (about 700 bytes each).
    pub changes_max: usize,
}

impl Default for RingLimits {
    /// The protocol promises 60 s and 50,000 changes.
    fn default() -> Self {
        Self {
            keep_time: Duration::from_secs(75),
            keep_changes: 50_000,
            changes_max: 400_000,
        }
    }
}

/// The ring. Numbers of changes rise, with gaps.
#[derive(Debug)]
pub struct Ring {
    limits: RingLimits,
    inner: RwLock<Inner>,
    /// Last number given to anything.
    last: Mutex<u64>,
    head: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Inner {
    changes: VecDeque<(Instant, Change)>,
    /// Number of the last change that is no longer here.
    forgotten: u64,
}

impl Ring {
    /// An empty ring.
    pub fn new(limits: RingLimits) -> Self {
        Self {
            limits,
            inner: RwLock::default(),
            last: Mutex::new(0),
            head: watch::Sender::new(0),
        }
    }

    /// Appends changes, each with the next number; nobody is told before [`Ring::announce`].
    pub fn push(&self, changes: &mut [Change], now: Instant) {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        for change in changes {
            *last += 1;
            change.seq = *last;
            inner.changes.push_back((now, change.clone()));
        }
        drop(last);
        while let Some((at, oldest)) = inner.changes.front() {
            let (count, young) = (inner.changes.len(), now.duration_since(*at) < self.limits.keep_time);
            if count <= self.limits.changes_max && (young || count <= self.limits.keep_changes) {
                break;
            }
            inner.forgotten = oldest.seq;
            inner.changes.pop_front();
        }
    }

    /// Tells all clients that there is something to read.
    pub fn announce(&self) {
        self.head.send_replace(self.last());
    }

    /// A number of its own for a snapshot, above all changes it includes.
    pub fn reserve(&self) -> u64 {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last += 1;
        *last
    }

    /// Last number given.
    pub fn last(&self) -> u64 {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where a client hears of new changes.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.head.subscribe()
    }

    /// Whether everything after `seq` is still here.
    pub fn reaches(&self, seq: u64) -> bool {
        seq >= self.inner.read().unwrap_or_else(PoisonError::into_inner).forgotten && seq <= self.last()
    }

    /// Visits the changes after `from`, up to `to`, newest first; `None` when some of them are gone.
    pub fn newest_first(&self, from: u64, to: u64, mut visit: impl FnMut(&Change)) -> Option<()> {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        if from < inner.forgotten {
            return None;
        }
        let first = inner.changes.partition_point(|(_, c)| c.seq <= from);
        let end = inner.changes.partition_point(|(_, c)| c.seq <= to);
        for (_, change) in inner.changes.range(first..end.max(first)).rev() {
            visit(change);
        }
        Some(())
    }

    /// Changes held.
    pub fn len(&self) -> usize {
        self.inner.read().unwrap_or_else(PoisonError::into_inner).changes.len()
    }
}
