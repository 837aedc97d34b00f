//! A simulated log that behaves as Kafka does where it hurts: fast sends in flight, transactions that stay open,
//! a group whose generation is checked when offsets are sent, owners that are paused, expelled and come back.
//!
//! Nothing happens by itself: whoever drives it delivers, acknowledges, advances commits, moves the clock, crashes.

mod commit;
mod member;
mod task_log;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use log::{Record, Stored};
use model::{Micros, Offset, Partition};
use runtime::Clock;
use schemas::Codec;
use topology::{TOPICS, Topic};

pub use commit::Stage;
pub use task_log::SimTaskLog;

use crate::rng::Rng;
use commit::{Txn, TxnState};
use member::Member;

/// Places between two effects at which a member can die: before each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names say it")]
pub enum CrashAt {
    Poll,
    Emit,
    Tick,
    Cut,
    FastAcknowledged,
    Begin,
    Append,
    AllAcknowledged,
    SendOffsets,
    Commit,
    Answer,
    Restore,
    Seek,
    Recover,
}

impl CrashAt {
    /// All of them, in the order of the protocol.
    pub const ALL: &'static [Self] = &[
        Self::Poll,
        Self::Emit,
        Self::Tick,
        Self::Cut,
        Self::FastAcknowledged,
        Self::Begin,
        Self::Append,
        Self::AllAcknowledged,
        Self::SendOffsets,
        Self::Commit,
        Self::Answer,
        Self::Restore,
        Self::Seek,
        Self::Recover,
    ];
}

/// A guard of the log or its reader taken away, to show that the simulation notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFault {
    /// As it should be.
    #[default]
    None,
    /// Commits do not wait for the fast outputs before them.
    CommitBeforeFastAcks,
    /// Position and marker are written before the transaction, on their own.
    PositionOutsideCommit,
    /// A restore reads what an open transaction has written, and does not wait for its end.
    RestoreReadsOpenCommit,
    /// A fast output is given up and later ones are delivered.
    LosesFastOutput,
}

#[derive(Debug, Clone)]
struct Entry {
    record: Record,
    offset: Offset,
    appended_at: Micros,
    txn: Option<usize>,
}

impl Entry {
    fn stored(&self) -> Stored {
        Stored {
            record: self.record.clone(),
            offset: self.offset,
            appended_at: self.appended_at,
        }
    }
}

/// The log, the group and their clock, behind one lock.
pub(crate) struct World {
    pub rng: Rng,
    pub fault: LogFault,
    partitions: u32,
    clock: Micros,
    /// By topic, then by partition.
    topics: Vec<Vec<Entry>>,
    txns: Vec<Txn>,
    committed: Vec<Option<Offset>>,
    group_generation: u64,
    owners: Vec<Option<usize>>,
    /// Partitions on their way from an owner that has not let go yet.
    moving: BTreeMap<Partition, usize>,
    members: Vec<Member>,
    /// Calls of `poll` bring at most this many records.
    poll_max: usize,
    armed: Option<(usize, CrashAt)>,
    expelled_next: Option<usize>,
    crashes: BTreeMap<CrashAt, u64>,
    violations: Vec<String>,
}

/// A handle on the simulated log; clones share it.
#[derive(Clone)]
pub struct Cluster {
    world: Arc<Mutex<World>>,
    now: Arc<AtomicU64>,
    codec: Arc<Codec>,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cluster")
    }
}

/// Beginning of time in every simulation: 2026-01-01T00:00:00Z.
pub const EPOCH: Micros = Micros(1_767_225_600_000_000);

impl Cluster {
    /// An empty log of `partitions` partitions a topic and `members` places for stream threads.
    pub fn new(seed: u64, partitions: u32, members: usize, codec: Arc<Codec>) -> Self {
        let world = World {
            rng: Rng::new(seed),
            fault: LogFault::None,
            partitions,
            clock: EPOCH,
            topics: vec![Vec::new(); TOPICS.len() * partitions as usize],
            txns: Vec::new(),
            committed: vec![None; partitions as usize],
            group_generation: 0,
            owners: vec![None; partitions as usize],
            moving: BTreeMap::new(),
            members: (0..members).map(|_| Member::default()).collect(),
            poll_max: usize::MAX,
            armed: None,
            expelled_next: None,
            crashes: BTreeMap::new(),
            violations: Vec::new(),
        };
        Self {
            world: Arc::new(Mutex::new(world)),
            now: Arc::default(),
            codec,
        }
    }

    /// Its codec.
    pub fn codec(&self) -> &Arc<Codec> {
        &self.codec
    }

    /// Appends to the input as a connector does.
    pub fn append(&self, record: Record) -> Offset {
        self.lock().append(record, None)
    }

    /// Moves the log's clock, and the threads' with it when it moves forwards.
    pub fn advance(&self, micros: i64) {
        let mut world = self.lock();
        world.clock = world.clock.plus(micros);
        self.now
            .fetch_add(u64::try_from(micros).unwrap_or(0), Ordering::Relaxed);
    }

    /// Moves the threads' own time on, for their retries; the log's clock stands.
    pub fn wait(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.now.fetch_add(micros, Ordering::Relaxed);
    }

    /// The log's clock.
    pub fn clock(&self) -> Micros {
        self.lock().clock
    }

    /// What a read_committed reader sees of a partition.
    pub fn read(&self, topic: Topic, partition: Partition) -> Vec<Stored> {
        self.lock()
            .visible(topic, partition, false)
            .map(Entry::stored)
            .collect()
    }

    /// The group's offset of a partition.
    pub fn committed(&self, partition: Partition) -> Option<Offset> {
        self.lock().committed[partition as usize]
    }

    /// Tears state and position apart, as nothing but a fault of the log could.
    pub fn set_committed(&self, partition: Partition, offset: Offset) {
        self.lock().committed[partition as usize] = Some(offset);
    }

    /// The offset after the last record of a partition of the input.
    pub fn input_end(&self, partition: Partition) -> Offset {
        self.lock().end(Topic::Observations, partition)
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for Cluster {
    fn now(&self) -> Duration {
        Duration::from_micros(self.now.load(Ordering::Relaxed))
    }

    fn wall(&self) -> Micros {
        EPOCH.plus(i64::try_from(self.now.load(Ordering::Relaxed)).unwrap_or(i64::MAX))
    }
}

impl World {
    fn append(&mut self, record: Record, txn: Option<usize>) -> Offset {
        let appended_at = self.clock;
        let at = self.at(record.topic, record.partition);
        let entries = &mut self.topics[at];
        // Control records take offsets: a transaction leaves a gap behind itself.
        let gap = entries.last().is_some_and(|last| last.txn != txn);
        let offset = entries.last().map_or(0, |last| last.offset + 1 + u64::from(gap));
        entries.push(Entry {
            record,
            offset,
            appended_at,
            txn,
        });
        offset
    }

    fn end(&self, topic: Topic, partition: Partition) -> Offset {
        self.entries(topic, partition).last().map_or(0, |last| last.offset + 1)
    }

    fn at(&self, topic: Topic, partition: Partition) -> usize {
        topic as usize * self.partitions as usize + partition as usize
    }

    fn entries(&self, topic: Topic, partition: Partition) -> &[Entry] {
        &self.topics[self.at(topic, partition)]
    }

    /// Up to the first open transaction, without aborted ones; or (`uncommitted`) with what is open.
    fn visible(&self, topic: Topic, partition: Partition, uncommitted: bool) -> impl Iterator<Item = &Entry> {
        let entries = self.entries(topic, partition);
        let state = |entry: &Entry| entry.txn.map_or(TxnState::Committed, |txn| self.txns[txn].state);
        entries
            .iter()
            .take_while(move |entry| uncommitted || state(entry) != TxnState::Open)
            .filter(move |entry| state(entry) != TxnState::Aborted)
    }

    /// Records a violation that only the log can see.
    fn violation(&mut self, text: String) {
        self.violations.push(text);
    }

    pub fn take_violations(&mut self) -> Vec<String> {
        std::mem::take(&mut self.violations)
    }

    pub fn crashes(&self) -> &BTreeMap<CrashAt, u64> {
        &self.crashes
    }

    pub fn set_poll_max(&mut self, max: usize) {
        self.poll_max = max;
    }
}
