//! The driver: a chain over the production stream thread and the simulated log, one call at a time, time by hand.
//!
//! Nothing is committed unless [`Driver::commit`] says so, nothing ticks unless [`Driver::tick`] does, and whatever is sent
//! is delivered at once. So a test says exactly what happened, in which order.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use log::{Headers, IdFilter, Record};
use model::{Micros, Offset, Partition, Position, RecordId};
use runtime::{Chain, ChainFactory, CommitPolicy, OnTorn, Outcomes, PartitionState, StreamThread, ThreadConfig};
use schemas::{AnyRecord, Tick};
use serde::de::DeserializeOwned;
use topology::{Topic, partition_of};

use crate::cluster::{Cluster, CrashAt};
use crate::sim::codec;

/// Turns after which a thread that has not come to rest never will.
const TURNS_MAX: usize = 10_000;
/// In front of a slot's state: format, applied, wts, number of timers; then ten bytes a timer.
const SLOT_HEAD_BYTES: usize = 19;

/// An output as a reader of the topic sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// Partition it is in.
    pub partition: Partition,
    /// Its key.
    pub key: Bytes,
    /// The record; `None` is a tombstone.
    pub record: Option<AnyRecord>,
    /// Its id.
    pub id: Option<RecordId>,
}

/// Stream threads over a simulated log.
pub struct Driver<E> {
    cluster: Cluster,
    chain: ChainFactory<E>,
    partitions: u32,
    on_torn: OnTorn,
    threads: Vec<Option<StreamThread<E>>>,
    taken: BTreeMap<Topic, usize>,
}

impl<E: Send + 'static> Driver<E> {
    /// One member, four partitions.
    pub fn new(chain: impl Fn() -> Chain<E> + Send + Sync + 'static) -> Self {
        Self::with(4, 1, chain)
    }

    /// So many partitions a topic, shared by so many members.
    pub fn with(partitions: u32, members: usize, chain: impl Fn() -> Chain<E> + Send + Sync + 'static) -> Self {
        let mut driver = Self {
            cluster: Cluster::new(0, partitions, members, codec()),
            chain: Arc::new(chain),
            partitions,
            on_torn: OnTorn::Wait,
            threads: (0..members).map(|_| None).collect(),
            taken: BTreeMap::new(),
        };
        driver.restore();
        driver
    }

    /// Every member dies, and comes back with another build's chain.
    #[must_use]
    pub fn restart_with(mut self, chain: impl Fn() -> Chain<E> + Send + Sync + 'static) -> Self {
        (0..self.threads.len()).for_each(|member| self.crash(member));
        self.chain = Arc::new(chain);
        self.restore();
        self
    }

    /// What members started from now on do with a restore that does not add up.
    pub fn set_on_torn(&mut self, on_torn: OnTorn) {
        self.on_torn = on_torn;
    }

    /// Writes a record about a root into `observations`, and lets it be processed.
    pub fn pipe(&mut self, root: &str, record: impl Into<AnyRecord>) -> Position {
        let value = codec().encode(&record.into()).expect("a test's records encode");
        self.pipe_bytes(root, value, Headers::default())
    }

    /// As [`Driver::pipe`], whatever the bytes are.
    pub fn pipe_bytes(&mut self, root: &str, value: impl Into<Bytes>, headers: Headers) -> Position {
        let partition = partition_of(root, self.partitions);
        let offset = self.append(partition, Bytes::from(root.to_owned()), value.into(), headers);
        self.settle();
        Position {
            generation: 1,
            partition,
            offset,
        }
    }

    /// Moves the log's clock on, writes a tick into every partition, and lets them be processed.
    pub fn tick(&mut self, ms: i64) {
        self.cluster.advance(ms * 1_000);
        let tick = codec()
            .encode(
                &Tick {
                    sent_at: self.cluster.clock(),
                }
                .into(),
            )
            .expect("a tick encodes");
        for partition in 0..self.partitions {
            self.append(partition, Bytes::new(), Bytes::from(tick.clone()), Headers::default());
        }
        self.settle();
    }

    /// Moves the log's clock alone.
    pub fn advance(&self, ms: i64) {
        self.cluster.advance(ms * 1_000);
    }

    /// The log's clock.
    pub fn now(&self) -> Micros {
        self.cluster.clock()
    }

    /// Commits what was processed, unless a crash comes in between. True if it stands.
    pub fn commit(&mut self) -> bool {
        let mut stands = true;
        for slot in &mut self.threads {
            if let Some(thread) = slot
                && thread.drain(Duration::from_secs(1)).is_err()
            {
                stands = false;
                *slot = None;
            }
        }
        self.settle();
        stands
    }

    /// A member dies when it comes to this place next; see [`Driver::is_alive`].
    pub fn crash_at(&mut self, member: usize, at: CrashAt) {
        self.cluster.lock().arm(member, at);
    }

    /// A member dies here and now, with all it had in memory.
    pub fn crash(&mut self, member: usize) {
        self.threads[member] = None;
        self.cluster.lock().crash(member);
    }

    /// Whether a member is alive.
    pub fn is_alive(&self, member: usize) -> bool {
        self.cluster.lock().is_alive(member)
    }

    /// Starts every member that is not alive, ends transactions nobody drives, and lets all be restored.
    pub fn restore(&mut self) {
        self.cluster.lock().time_out_transactions();
        for member in 0..self.threads.len() {
            if self.threads[member].is_none() || !self.is_alive(member) {
                self.start(member);
            }
        }
        self.settle();
    }

    /// Gives the partitions out anew among the members that are alive.
    pub fn rebalance(&mut self) {
        self.cluster.lock().rebalance();
        self.settle();
    }

    /// The group takes a member for dead, though it is not.
    pub fn expel(&mut self, member: usize) {
        self.cluster.lock().expel(member);
    }

    /// What a reader with the id rule sees of a topic: partition by partition, in order; committed records only.
    pub fn outputs(&self, topic: Topic) -> Vec<Seen> {
        let mut filter = IdFilter::default();
        let stored = (0..self.partitions).flat_map(|p| self.cluster.read(topic, p));
        let seen = stored.filter(|stored| filter.admits(stored)).map(|stored| Seen {
            partition: stored.record.partition,
            record: stored
                .record
                .value
                .map(|value| codec().decode(&value).expect("outputs decode")),
            key: stored.record.key,
            id: stored.record.headers.record_id,
        });
        seen.collect()
    }

    /// What [`Driver::outputs`] has that it had not the last time this was asked; for one partition's worth of roots.
    pub fn new_outputs(&mut self, topic: Topic) -> Vec<Seen> {
        let all = self.outputs(topic);
        let before = self.taken.insert(topic, all.len()).unwrap_or(0);
        all.into_iter().skip(before).collect()
    }

    /// Last value of each key of a compacted topic.
    pub fn table(&self, topic: Topic) -> BTreeMap<Bytes, AnyRecord> {
        let mut table = BTreeMap::new();
        for seen in self.outputs(topic) {
            match seen.record {
                Some(record) => drop(table.insert(seen.key, record)),
                None => drop(table.remove(&seen.key)),
            }
        }
        table
    }

    /// The state a step has of a key, in the memory of whoever owns it.
    pub fn state<S: DeserializeOwned>(&self, step: u8, key: &str) -> Option<S> {
        let bytes = self.slots().remove(&[&[step], key.as_bytes()].concat()[..])?;
        let timers = usize::from(u16::from_be_bytes([bytes[17], bytes[18]]));
        postcard::from_bytes(&bytes[SLOT_HEAD_BYTES + 10 * timers..]).ok()
    }

    /// Every slot in memory, as the changelog would have it.
    pub fn slots(&self) -> BTreeMap<Bytes, Bytes> {
        let mut slots = BTreeMap::new();
        for thread in self.threads.iter().flatten() {
            for task in (0..self.partitions).filter_map(|p| thread.task(p)) {
                task.each_slot(&mut |key, value| drop(slots.insert(key, value)));
            }
        }
        slots
    }

    /// How the records of all partitions ended.
    pub fn outcomes(&self) -> Outcomes {
        let mut all = Outcomes::default();
        for thread in self.threads.iter().flatten() {
            (0..self.partitions)
                .filter_map(|p| thread.task(p))
                .for_each(|task| all.add(task.outcomes()));
        }
        all
    }

    /// What the owner of a partition is doing with it.
    pub fn partition_state(&self, partition: Partition) -> Option<PartitionState> {
        self.threads.iter().flatten().find_map(|thread| thread.state(partition))
    }

    /// The simulated log beneath.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    fn append(&self, partition: Partition, key: Bytes, value: Bytes, headers: Headers) -> Offset {
        self.cluster.append(Record {
            topic: Topic::Observations,
            partition,
            key,
            value: Some(value),
            headers,
        })
    }

    fn start(&mut self, member: usize) {
        let config = ThreadConfig {
            generation: 1,
            partitions: self.partitions,
            commit: CommitPolicy {
                slots_max: usize::MAX,
                bytes_max: usize::MAX,
                ..CommitPolicy::every(Duration::MAX)
            },
            on_torn: self.on_torn,
            tick_every: None,
        };
        let log = Box::new(self.cluster.join(member));
        let source = Box::new(codec);
        let clock = Arc::new(self.cluster.clone());
        self.threads[member] = Some(StreamThread::new(log, source, self.chain.clone(), clock, config));
    }

    /// Turns every member until nothing is left to do.
    fn settle(&mut self) {
        for _ in 0..TURNS_MAX {
            for member in 0..self.threads.len() {
                let ended = self.threads[member]
                    .as_mut()
                    .is_some_and(|thread| thread.turn().is_err());
                if ended {
                    self.threads[member] = None;
                }
                let mut world = self.cluster.lock();
                if world.is_alive(member) {
                    world.deliver(member, usize::MAX);
                    world.acknowledge(member);
                }
            }
            if self.is_settled() {
                return;
            }
            self.cluster.wait(Duration::from_millis(20));
        }
        panic!("the driver does not come to rest");
    }

    fn is_settled(&self) -> bool {
        let done = |p: Partition| match self.partition_state(p) {
            Some(PartitionState::Running) => {
                let task = self.threads.iter().flatten().find_map(|thread| thread.task(p));
                task.is_some_and(|task| task.next_offset() == self.cluster.input_end(p))
            }
            Some(PartitionState::Waiting(_)) => true,
            Some(PartitionState::Restoring) | None => false,
        };
        // What a member that died owned stays where it is until somebody restores.
        self.threads.iter().any(Option::is_none) || (0..self.partitions).all(done)
    }
}
