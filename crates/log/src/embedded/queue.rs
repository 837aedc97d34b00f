//! What waits for the writer: bounded in bytes and in number, taken all at once.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::LogError;
use crate::handles::{Message, Ticket, guard};

/// Most messages waiting.
const MESSAGES_MAX: usize = 65_536;

/// One thing for the writer to do.
pub(super) enum Job {
    Message(Message),
    /// Apply retention and clear away tombstones now.
    Maintain(Arc<Ticket>),
}

pub(super) struct Queue {
    bytes_max: usize,
    inner: Mutex<Inner>,
    arrived: Condvar,
    taken: Condvar,
}

#[derive(Default)]
struct Inner {
    jobs: Vec<Job>,
    bytes: usize,
    closed: bool,
}

/// What the writer got.
pub(super) enum Taken {
    Jobs(Vec<Job>),
    /// Nothing came in time.
    Nothing,
    /// Nothing is left, and nothing will come.
    Closed,
}

impl Queue {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            inner: Mutex::default(),
            arrived: Condvar::new(),
            taken: Condvar::new(),
        }
    }

    /// Blocks while the queue is full.
    pub(super) fn push(&self, job: Job) -> Result<(), LogError> {
        let bytes = bytes_of(&job);
        let mut inner = guard(&self.inner);
        // One that is larger than the whole queue goes in alone.
        while !inner.closed
            && !inner.jobs.is_empty()
            && (inner.bytes + bytes > self.bytes_max || inner.jobs.len() >= MESSAGES_MAX)
        {
            inner = self.taken.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
        if inner.closed {
            return Err(LogError::Closed);
        }
        inner.bytes += bytes;
        inner.jobs.push(job);
        let first = inner.jobs.len() == 1;
        drop(inner);
        if first {
            self.arrived.notify_one();
        }
        Ok(())
    }

    pub(super) fn take(&self, wait: Duration) -> Taken {
        let deadline = Instant::now() + wait;
        let mut inner = guard(&self.inner);
        while inner.jobs.is_empty() {
            if inner.closed {
                return Taken::Closed;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Taken::Nothing;
            }
            inner = self
                .arrived
                .wait_timeout(inner, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        inner.bytes = 0;
        let jobs = std::mem::take(&mut inner.jobs);
        drop(inner);
        self.taken.notify_all();
        Taken::Jobs(jobs)
    }

    pub(super) fn bytes(&self) -> usize {
        guard(&self.inner).bytes
    }

    /// Nothing more comes in; what is in is still taken.
    pub(super) fn close(&self) {
        guard(&self.inner).closed = true;
        self.arrived.notify_all();
        self.taken.notify_all();
    }
}

fn bytes_of(job: &Job) -> usize {
    let of = |record: &crate::Record| 128 + record.key.len() + record.value.as_ref().map_or(0, bytes::Bytes::len);
    match job {
        Job::Message(Message::Append(append)) => of(&append.record),
        Job::Message(Message::Commit { commit, .. }) => {
            commit.exact.iter().chain(&commit.changelog).map(of).sum::<usize>() + 128
        }
        Job::Message(_) | Job::Maintain(_) => 128,
    }
}
