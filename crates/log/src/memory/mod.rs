//! The log in memory, for tests: the same promises, and faults on request.

mod backend;

use std::sync::Arc;

use model::{Micros, Offset, Partition};
use schemas::Codec;
use topology::{Group, Topic};

use crate::clock::Clock;
use crate::handles::{Backend, GroupConsumer, LaneProducer, ThreadTaskLog, TopicTail};
use crate::{Consumer, Log, LogError, Producer, Start, Tail, TaskLog, ThreadSlot};
use backend::MemoryBackend;

/// A log in memory. What is sent is readable as soon as the call returns; [`crate::Done`] callbacks come from a thread of
/// the log, as with the other backends.
///
/// Members of one group that have the same [`ThreadSlot`] share its partitions, with rebalance in
/// [`TaskLog::poll`].
pub struct MemoryLog {
    backend: Arc<MemoryBackend>,
    codec: Arc<Codec>,
}

/// What goes wrong next in a [`MemoryLog`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// A send is not written, and says so: its producer ends.
    FailSend,
    /// A send is written, and its acknowledgement lost: its producer ends.
    LoseAck,
    /// A commit is not written, and says so.
    FailCommit,
    /// A commit is written, and its answer lost.
    LoseCommitAnswer,
}

impl MemoryLog {
    /// An empty log with the machine's clock.
    pub fn new(partitions: u32) -> Arc<Self> {
        Self::with_clock(partitions, Clock::system())
    }

    /// An empty log with this clock.
    pub fn with_clock(partitions: u32, clock: Clock) -> Arc<Self> {
        let backend = Arc::new(MemoryBackend::new(partitions, clock));
        Arc::new(Self {
            backend,
            codec: Arc::new(Codec::standalone()),
        })
    }

    /// A log with the same content, as after a restart of the process; this one and its handles are closed.
    pub fn reopen(&self) -> Arc<Self> {
        Arc::new(Self {
            backend: Arc::new(self.backend.reopen()),
            codec: self.codec.clone(),
        })
    }

    /// Lets the next `count` passages go wrong in this way.
    pub fn inject(&self, fault: Fault, count: u32) {
        self.backend.inject(fault, count);
    }

    /// How many of the next passages go wrong in this way, whatever was injected before; `u32::MAX` for all.
    pub fn set_fault(&self, fault: Fault, count: u32) {
        self.backend.set_fault(fault, count);
    }

    /// From now on commits stay running, and with them the restores of successors, until [`MemoryLog::release_commits`].
    pub fn hold_commits(&self) {
        self.backend.hold_commits();
    }

    /// Decides the commits held so far, in order, and holds no more.
    pub fn release_commits(&self) {
        self.backend.release_commits();
    }

    /// Takes its partitions away from every member of a slot, as after a pause longer than its session: it learns so from
    /// its next poll, and nothing it commits stands. Answers whether there was a member.
    pub fn declare_lost(&self, group: Group, slot: ThreadSlot) -> bool {
        let any = self.backend.membership().declare_lost(group, slot);
        self.backend.changes().tell();
        any
    }

    /// Forgets the records below an offset, as retention does.
    pub fn drop_before(&self, topic: Topic, partition: Partition, offset: Offset) {
        self.backend.drop_before(topic, partition, offset);
    }

    /// From now on, reading the record at this offset fails as a damaged one does.
    pub fn damage(&self, topic: Topic, partition: Partition, offset: Offset) {
        self.backend.damage(topic, partition, offset);
    }

    /// When the log last appended something.
    pub fn last_appended_at(&self) -> Micros {
        self.backend.last_appended_at()
    }

    fn per_partition<T>(&self, each: impl Fn(Partition) -> T) -> Result<Vec<T>, LogError> {
        self.backend.check_open()?;
        Ok((0..self.backend.partitions()).map(each).collect())
    }
}

impl Log for MemoryLog {
    fn partitions(&self) -> u32 {
        self.backend.partitions()
    }

    fn generation(&self) -> u32 {
        1
    }

    fn codec(&self) -> &Arc<Codec> {
        &self.codec
    }

    fn producer(&self, name: &str) -> Result<Box<dyn Producer>, LogError> {
        self.backend.check_open()?;
        Ok(Box::new(LaneProducer::new(self.backend.clone(), name)))
    }

    fn task_log(&self, group: Group, thread: ThreadSlot) -> Result<Box<dyn TaskLog>, LogError> {
        Ok(Box::new(ThreadTaskLog::new(self.backend.clone(), group, thread)?))
    }

    fn consumer(&self, group: Group, thread: ThreadSlot) -> Result<Box<dyn Consumer>, LogError> {
        Ok(Box::new(GroupConsumer::new(self.backend.clone(), group, thread)?))
    }

    fn tail(&self, topics: &[(Topic, Start)]) -> Result<Box<dyn Tail>, LogError> {
        Ok(Box::new(TopicTail::new(self.backend.clone(), topics)?))
    }

    fn ends(&self, topic: Topic) -> Result<Vec<Offset>, LogError> {
        self.per_partition(|p| self.backend.end(topic, p))
    }

    fn starts(&self, topic: Topic) -> Result<Vec<Offset>, LogError> {
        self.per_partition(|p| self.backend.start(topic, p))
    }

    fn committed(&self, group: Group, topic: Topic) -> Result<Vec<Option<Offset>>, LogError> {
        self.per_partition(|p| self.backend.committed(group, topic, p))
    }

    fn close(&self) -> Result<(), LogError> {
        self.backend.close();
        Ok(())
    }
}

impl Drop for MemoryLog {
    fn drop(&mut self) {
        self.backend.close();
    }
}
