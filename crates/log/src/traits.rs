//! What the rest of the product knows of a log.

use std::sync::Arc;
use std::time::{Duration, Instant};

use model::{Micros, Offset, Partition};
use schemas::Codec;
use topology::{Group, Topic};

use crate::{LogError, Record, Stored};

/// A log: many writers, many readers, partitions in order. Shared by all parts of a process.
pub trait Log: Send + Sync + 'static {
    /// Partitions of every topic.
    fn partitions(&self) -> u32;

    /// Generation of `observations`: raised by whatever creates, restores, moves or repartitions it.
    fn generation(&self) -> u32;

    /// The codec with the schema ids of this log.
    fn codec(&self) -> &Arc<Codec>;

    /// A producer for plain records. `name` shows in errors and metrics.
    ///
    /// # Errors
    /// When the log is closed or away.
    fn producer(&self, name: &str) -> Result<Box<dyn Producer>, LogError>;

    /// What one stream thread of a processing group works with.
    ///
    /// # Errors
    /// When the log is closed or away.
    fn task_log(&self, group: Group, thread: ThreadSlot) -> Result<Box<dyn TaskLog>, LogError>;

    /// What one thread of a group works with that keeps its state elsewhere (`persist`): reads the group's topics.
    ///
    /// # Errors
    /// When the log is closed or away.
    fn consumer(&self, group: Group, thread: ThreadSlot) -> Result<Box<dyn Consumer>, LogError>;

    /// Reads all partitions of some topics, without a group.
    ///
    /// # Errors
    /// When the log is closed or away, or a start is no longer kept.
    fn tail(&self, topics: &[(Topic, Start)]) -> Result<Box<dyn Tail>, LogError>;

    /// Per partition, the offset after the last readable record.
    ///
    /// # Errors
    /// When the log is closed or away.
    fn ends(&self, topic: Topic) -> Result<Vec<Offset>, LogError>;

    /// Per partition, the oldest offset that can be read.
    ///
    /// # Errors
    /// When the log is closed or away.
    fn starts(&self, topic: Topic) -> Result<Vec<Offset>, LogError>;

    /// Per partition, the next offset a group will read of a topic; `None` where it never committed one.
    ///
    /// # Errors
    /// When the log is closed or away.
    fn committed(&self, group: Group, topic: Topic) -> Result<Vec<Option<Offset>>, LogError>;

    /// Flushes and closes: later calls answer [`LogError::Closed`].
    ///
    /// # Errors
    /// When what was accepted cannot be made durable.
    fn close(&self) -> Result<(), LogError>;
}

/// Where a producer's record came to stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acknowledged {
    /// Partition it went to.
    pub partition: Partition,
    /// Its offset there.
    pub offset: Offset,
    /// When it was appended.
    pub appended_at: Micros,
}

/// Called once, from a thread of the log, when a record is durable or given up. Must not block.
pub type Done = Box<dyn FnOnce(Result<Acknowledged, LogError>) + Send>;

/// Sends plain records. What is readable of them is always a prefix of what was sent: the first failure ends the producer.
pub trait Producer: Send + Sync {
    /// Queues a record and answers its sequence number in this producer, counting from 1. Blocks while the log's queue is
    /// full (back-pressure).
    ///
    /// # Errors
    /// When the record is too large (then it was not sent, and the producer lives), or the producer has ended.
    fn send(&self, record: Record, done: Option<Done>) -> Result<u64, LogError>;

    /// All sends up to this sequence number are durable.
    fn acknowledged(&self) -> u64;

    /// Waits until a send is durable.
    ///
    /// # Errors
    /// When the deadline passes, or the producer has ended before that send.
    fn wait(&self, sequence: u64, deadline: Instant) -> Result<(), LogError>;

    /// Sends one record and waits for it.
    ///
    /// # Errors
    /// As [`Producer::send`] and [`Producer::wait`].
    fn send_and_wait(&self, record: Record, deadline: Instant) -> Result<Acknowledged, LogError> {
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        let done: Done = Box::new(move |result| {
            // The receiver is gone only when the deadline has passed: nobody is left to tell.
            drop(sender.try_send(result));
        });
        self.send(record, Some(done))?;
        let left = deadline.saturating_duration_since(Instant::now());
        receiver.recv_timeout(left).map_err(|_| LogError::Timeout(left))?
    }
}

/// Which of a process's threads this is: embedded, partition p belongs to thread p modulo `of`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThreadSlot {
    /// Counting from 0.
    pub index: u32,
    /// How many there are.
    pub of: u32,
}

/// What a poll brings.
#[derive(Debug, Default)]
pub struct Polled {
    /// Partitions newly owned: restore and seek each before its records come.
    pub assigned: Vec<Partition>,
    /// Partitions that the next poll will give back: whatever of them is not committed until then, somebody else does again.
    /// Only logs with other processes as members tell.
    pub revoking: Vec<Partition>,
    /// Partitions given back in order: commit was still possible.
    pub revoked: Vec<Partition>,
    /// Partitions lost: drop everything since the last commit.
    pub lost: Vec<Partition>,
    /// Records, in order within a partition.
    pub records: Vec<Stored>,
    /// Partitions whose next record cannot be read, and why: they bring nothing more until they are sought again.
    pub damaged: Vec<(Partition, LogError)>,
    /// Partitions whose last readable record is among these or was read before: their owner may write ticks.
    pub caught_up: Vec<Partition>,
}

/// One atomic commit of a thread's tasks.
#[derive(Debug, Default)]
pub struct Commit {
    /// Exact outputs, in id order within a partition.
    pub exact: Vec<Record>,
    /// Changed slots and one marker a partition.
    pub changelog: Vec<Record>,
    /// Next input offset of each partition in the cut.
    pub positions: Vec<(Partition, Offset)>,
}

/// How far a commit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitState {
    /// None is running.
    Idle,
    /// It is running beside the processing.
    Running,
}

/// What a restore found beside the changelog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restored {
    /// The group's offset, or `None` if it never committed one (or it has expired). The marker is the truth; this one is
    /// compared with it.
    pub group_offset: Option<Offset>,
    /// Oldest input offset that can still be read.
    pub input_start: Offset,
}

/// One stream thread's view: input, fast outputs, commits, restores. All calls come from that thread.
pub trait TaskLog: Send {
    /// Waits up to `wait` for something, and brings at most `max` records.
    ///
    /// # Errors
    /// When the log is closed or away; after an error, call [`TaskLog::recover`].
    fn poll(&mut self, max: usize, wait: Duration) -> Result<Polled, LogError>;

    /// Sends a fast output, or a tick: out now, in order, no gaps.
    ///
    /// # Errors
    /// When the record is too large or the thread's producer has ended.
    fn emit(&mut self, record: Record) -> Result<(), LogError>;

    /// Starts a commit; it becomes durable only after every output emitted before. None may be running.
    ///
    /// # Errors
    /// When the thread's producers have ended or it was fenced.
    fn begin_commit(&mut self, commit: Commit) -> Result<(), LogError>;

    /// Waits up to `wait` for the running commit. `Idle`: it stands (or none was started).
    ///
    /// # Errors
    /// When it failed, or its outcome is unknown: recover and restore.
    fn commit_state(&mut self, wait: Duration) -> Result<CommitState, LogError>;

    /// Reads the changelog of a partition in order, the last record of each key at least, tombstones included.
    ///
    /// # Errors
    /// When the log is closed or away, or an earlier owner's commit is still open: ask again.
    fn restore(&mut self, partition: Partition, apply: &mut dyn FnMut(Stored)) -> Result<Restored, LogError>;

    /// Reads this partition's input from `offset` on, and begins to deliver its records.
    ///
    /// # Errors
    /// When the offset is no longer kept, or the partition is not this thread's.
    fn seek(&mut self, partition: Partition, offset: Offset) -> Result<(), LogError>;

    /// After a failure: drops what is queued and the producers, and makes new ones. Every owned partition then shows up
    /// as assigned again.
    ///
    /// # Errors
    /// When the log is closed or still away.
    fn recover(&mut self) -> Result<(), LogError>;
}

/// What a consumer's poll brings; as [`Polled`], over several topics.
#[derive(Debug, Default)]
pub struct ConsumerRecords {
    /// Partitions newly owned, read from the group's offset or else from the start.
    pub assigned: Vec<(Topic, Partition)>,
    /// Partitions no longer owned.
    pub revoked: Vec<(Topic, Partition)>,
    /// Records, in order within a partition.
    pub records: Vec<Stored>,
}

/// A group's reader that commits its position after its own effect stands.
pub trait Consumer: Send {
    /// Waits up to `wait`, and brings at most `max` records.
    ///
    /// # Errors
    /// When the log is closed or away.
    fn poll(&mut self, max: usize, wait: Duration) -> Result<ConsumerRecords, LogError>;

    /// Makes positions durable: the next offset to read of each.
    ///
    /// # Errors
    /// When the log is closed or away, or a partition is no longer owned.
    fn commit(&mut self, positions: &[(Topic, Partition, Offset)]) -> Result<(), LogError>;

    /// Reads a partition from another offset on.
    ///
    /// # Errors
    /// When it is not owned, or the offset is no longer kept.
    fn seek(&mut self, topic: Topic, partition: Partition, offset: Offset) -> Result<(), LogError>;
}

/// Where a tail begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// At the oldest record kept.
    Beginning,
    /// After the last readable record.
    End,
    /// At the first record appended at or after this time.
    At(Micros),
    /// At an offset of each partition.
    Offsets(Vec<Offset>),
}

/// Reads without a group.
pub trait Tail: Send {
    /// Waits up to `wait`, and brings at most `max` records; in order within a partition.
    ///
    /// # Errors
    /// When the log is closed or away, or retention has overtaken the reader.
    fn poll(&mut self, max: usize, wait: Duration) -> Result<Vec<Stored>, LogError>;

    /// The offset this reader will read next.
    fn position(&self, topic: Topic, partition: Partition) -> Offset;
}
