//! Producers, task logs, consumers and tails: written once, over what a backend of this process offers.

mod consumer;
mod cursor;
mod lane;
mod membership;
mod producer;
mod tail;
mod task;
mod ticket;

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use model::{Offset, Partition};
use topology::{Group, RECORD_BYTES_MAX, Topic};

pub(crate) use consumer::GroupConsumer;
pub(crate) use lane::Lane;
pub(crate) use membership::{MemberId, Membership};
pub(crate) use producer::LaneProducer;
pub(crate) use tail::TopicTail;
pub(crate) use task::ThreadTaskLog;
pub(crate) use ticket::Ticket;

use crate::{Commit, Done, LogError, Record, Stored};

/// Longest record key, in bytes: ten times what any of ours needs.
const KEY_BYTES_MAX: usize = 8 * 1024;
/// Longest record id, in bytes: a key with every zero doubled, and the numbers around it.
const ID_BYTES_MAX: usize = 2 * KEY_BYTES_MAX + 64;
/// Longest name of a writer, in bytes: an instance's name and a nonce.
const WRITER_BYTES_MAX: usize = 255;

/// One record of a lane, on its way to the log.
pub(crate) struct Append {
    pub(crate) record: Record,
    pub(crate) lane: Arc<Lane>,
    pub(crate) sequence: u64,
    pub(crate) done: Option<Done>,
}

/// Owner of partitions in whose name something is written: refused once it has lost one of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Owner {
    pub(crate) group: Group,
    pub(crate) member: MemberId,
}

/// What goes to the writer, in one order.
pub(crate) enum Message {
    Append(Append),
    Commit {
        lane: Arc<Lane>,
        owner: Owner,
        input: Topic,
        commit: Commit,
        ticket: Arc<Ticket>,
    },
    Positions {
        owner: Owner,
        positions: Vec<(Topic, Partition, Offset)>,
        ticket: Arc<Ticket>,
    },
    /// Answered when everything before it is decided.
    Barrier(Arc<Ticket>),
}

/// What a backend offers the handles.
pub(crate) trait Backend: Send + Sync + 'static {
    fn partitions(&self) -> u32;
    fn membership(&self) -> &Membership;
    /// Told whenever an end moves, a member comes or goes, or the log closes.
    fn changes(&self) -> &Changes;
    fn check_open(&self) -> Result<(), LogError>;
    fn start(&self, topic: Topic, partition: Partition) -> Offset;
    fn end(&self, topic: Topic, partition: Partition) -> Offset;
    /// Calls `each` with the records in `from..to` in order, until it answers `false`.
    fn scan(
        &self,
        topic: Topic,
        partition: Partition,
        from: Offset,
        to: Offset,
        each: &mut dyn FnMut(Stored) -> bool,
    ) -> Result<(), LogError>;
    fn committed(&self, group: Group, topic: Topic, partition: Partition) -> Option<Offset>;
    /// Takes a message in; blocks while the queue is full. Once taken it is decided, one way or the other.
    fn submit(&self, message: Message) -> Result<(), LogError>;
}

/// Counts changes, for readers that wait for one.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    count: Mutex<u64>,
    changed: Condvar,
}

impl Changes {
    pub(crate) fn count(&self) -> u64 {
        *guard(&self.count)
    }

    pub(crate) fn tell(&self) {
        *guard(&self.count) += 1;
        self.changed.notify_all();
    }

    /// Waits until the count differs from `seen`; `false` if the deadline came first.
    pub(crate) fn wait(&self, seen: u64, deadline: Instant) -> bool {
        let mut count = guard(&self.count);
        while *count == seen {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            count = self
                .changed
                .wait_timeout(count, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        true
    }
}

/// Locks, also after a panic of another holder: every critical section here leaves its data whole.
pub(crate) fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a record may be sent at all, to a log with this many partitions.
///
/// # Errors
/// When its value, key, id or writer's name is too large, or there is no such partition.
pub fn check_record(record: &Record, partitions: u32) -> Result<(), LogError> {
    let headers = &record.headers;
    for (bytes, max) in [
        (record.value.as_ref().map_or(0, bytes::Bytes::len), RECORD_BYTES_MAX),
        (record.key.len(), KEY_BYTES_MAX),
        (
            headers.record_id.as_ref().map_or(0, |id| id.as_bytes().len()),
            ID_BYTES_MAX,
        ),
        (headers.writer.as_ref().map_or(0, |w| w.writer.len()), WRITER_BYTES_MAX),
    ] {
        if bytes > max {
            return Err(LogError::TooLarge {
                topic: record.topic,
                bytes,
                max,
            });
        }
    }
    check_partition(record.topic, record.partition, partitions)
}

/// Whether a log with this many partitions has this one.
///
/// # Errors
/// When it has not.
pub fn check_partition(topic: Topic, partition: Partition, partitions: u32) -> Result<(), LogError> {
    if partition < partitions {
        return Ok(());
    }
    Err(LogError::Unusable(format!(
        "{topic} has no partition {partition}: this log has {partitions} of each topic"
    )))
}
