//! What can be seen of persist from outside.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use model::{Partition, RecordId};
use topology::Topic;

use crate::metric;

/// Lag of a thread that has not looked yet.
const NOT_KNOWN: u64 = u64::MAX;

/// How far the threads are; shared with whoever asks.
#[derive(Debug)]
pub struct PersistStatus {
    lags: Vec<AtomicU64>,
    errors: Vec<Mutex<Option<String>>>,
    running: AtomicUsize,
    dead_letters: AtomicU64,
    stored: Mutex<BTreeMap<(Topic, Partition), RecordId>>,
}

impl PersistStatus {
    pub(crate) fn new(threads: u32) -> Self {
        Self {
            lags: (0..threads).map(|_| AtomicU64::new(NOT_KNOWN)).collect(),
            errors: (0..threads).map(|_| Mutex::new(None)).collect(),
            running: AtomicUsize::new(0),
            dead_letters: AtomicU64::new(0),
            stored: Mutex::default(),
        }
    }

    /// Notes the last record of a partition that the store has, and with it all before.
    pub(crate) fn note_stored(&self, ids: BTreeMap<(Topic, Partition), RecordId>) {
        let mut stored = self.stored.lock().unwrap_or_else(PoisonError::into_inner);
        for (place, id) in ids {
            if stored.get(&place).is_none_or(|known| *known < id) {
                stored.insert(place, id);
            }
        }
    }

    /// Whether some thread has seen the store take this record, or a later one of its partition.
    pub(crate) fn has_stored(&self, topic: Topic, partition: Partition, id: &RecordId) -> bool {
        let stored = self.stored.lock().unwrap_or_else(PoisonError::into_inner);
        stored.get(&(topic, partition)).is_some_and(|known| known >= id)
    }

    /// Records that stand in the topics and not yet, durably, in the store; at most, for offsets have gaps. `None` until
    /// every thread has looked.
    pub fn lag(&self) -> Option<u64> {
        let lags = self
            .lags
            .iter()
            .map(|lag| Some(lag.load(Ordering::Relaxed)).filter(|&l| l != NOT_KNOWN));
        lags.sum()
    }

    /// What keeps a thread from going on at present; `None` when all go on.
    pub fn last_error(&self) -> Option<String> {
        self.errors
            .iter()
            .find_map(|e| e.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// Whether all threads run.
    pub fn is_running(&self) -> bool {
        self.running.load(Ordering::Relaxed) == self.lags.len()
    }

    /// Records that could not become rows, since the start.
    pub fn dead_letters(&self) -> u64 {
        self.dead_letters.load(Ordering::Relaxed)
    }

    pub(crate) fn set_lag(&self, thread: u32, lag: u64) {
        if let Some(slot) = self.lags.get(index(thread)) {
            slot.store(lag, Ordering::Relaxed);
            let lag = u32::try_from(lag).unwrap_or(u32::MAX);
            metrics::gauge!(metric::LAG, "thread" => thread.to_string()).set(lag);
        }
    }

    pub(crate) fn set_error(&self, thread: u32, error: Option<String>) {
        if let Some(slot) = self.errors.get(index(thread)) {
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = error;
        }
    }

    pub(crate) fn add_dead_letter(&self) {
        self.dead_letters.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a thread as running until the guard goes, in a panic too.
    pub(crate) fn run(self: &std::sync::Arc<Self>) -> Running {
        self.running.fetch_add(1, Ordering::Relaxed);
        Running(std::sync::Arc::clone(self))
    }
}

pub(crate) struct Running(std::sync::Arc<PersistStatus>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}

fn index(thread: u32) -> usize {
    usize::try_from(thread).unwrap_or(usize::MAX)
}
