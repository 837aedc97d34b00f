//! The order of one producer's records, and how far it is durable.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::guard;
use crate::LogError;

/// One producer: no record of it is written after one that failed.
#[derive(Debug)]
pub(crate) struct Lane {
    name: String,
    progress: Mutex<Progress>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Progress {
    acknowledged: u64,
    ended: bool,
}

impl Lane {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            progress: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    pub(crate) fn acknowledged(&self) -> u64 {
        guard(&self.progress).acknowledged
    }

    pub(crate) fn is_ended(&self) -> bool {
        guard(&self.progress).ended
    }

    /// Everything up to this sequence number is durable.
    pub(crate) fn acknowledge(&self, sequence: u64) {
        let mut progress = guard(&self.progress);
        progress.acknowledged = progress.acknowledged.max(sequence);
        drop(progress);
        self.changed.notify_all();
    }

    /// Nothing more is written of this lane.
    pub(crate) fn end(&self) {
        guard(&self.progress).ended = true;
        self.changed.notify_all();
    }

    pub(crate) fn end_failed(&self, why: &LogError) {
        if !self.is_ended() {
            tracing::warn!(producer = %self.name, error = %why, "a send failed, the producer ends");
        }
        self.end();
    }

    pub(crate) fn wait(&self, sequence: u64, deadline: Instant) -> Result<(), LogError> {
        let began = Instant::now();
        let mut progress = guard(&self.progress);
        loop {
            if progress.acknowledged >= sequence {
                return Ok(());
            }
            if progress.ended {
                return Err(LogError::ProducerEnded);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left == Duration::ZERO {
                return Err(LogError::Timeout(began.elapsed()));
            }
            progress = self
                .changed
                .wait_timeout(progress, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}
