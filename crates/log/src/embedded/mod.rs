//! The log in the data folder: fjall underneath, one writer thread, no other process.

mod batch;
mod beacon;
mod config;
mod encoding;
mod last;
mod lock;
mod meta;
mod open;
mod queue;
mod retention;
mod shared;
mod store;
mod tips;
mod usage;
mod writer;

use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use model::{Offset, Partition};
use schemas::Codec;
use topology::{Group, Topic};

pub use config::{EmbeddedConfig, Retention};
pub use usage::{DiskUsage, TopicUsage};

use crate::handles::{Backend, GroupConsumer, LaneProducer, ThreadTaskLog, Ticket, TopicTail, guard};
use crate::{Consumer, Log, LogError, Producer, Start, Tail, TaskLog, ThreadSlot};
use queue::Job;
use shared::Shared;

/// How long a close waits for what is queued, and for readers in the middle of a read.
const CLOSE_WAIT: Duration = Duration::from_secs(20);

/// The embedded log. One process owns its folder; everything goes through it.
pub struct EmbeddedLog {
    shared: Arc<Shared>,
    codec: Arc<Codec>,
    generation: u32,
    writer: Mutex<Option<JoinHandle<Result<(), LogError>>>>,
}

impl EmbeddedLog {
    /// Opens the log in a folder, and creates it if there is none.
    ///
    /// # Errors
    /// [`LogError::Unusable`] when another process has it, or it has another format or number of partitions;
    /// [`LogError::Backend`] when it cannot be read.
    pub fn open(config: EmbeddedConfig) -> Result<Arc<Self>, LogError> {
        let opened = open::open(config)?;
        Ok(Arc::new(Self {
            shared: opened.shared,
            codec: opened.codec,
            generation: opened.generation,
            writer: Mutex::new(Some(opened.writer)),
        }))
    }

    /// Applies retention and clears away old tombstones now, and waits for it. Happens by itself every few seconds.
    ///
    /// # Errors
    /// When the log is closed, or its disk refuses.
    pub fn maintain(&self) -> Result<(), LogError> {
        self.shared.check_open()?;
        let ticket = Ticket::new();
        self.shared.queue.push(Job::Maintain(ticket.clone()))?;
        ticket
            .wait(Instant::now() + CLOSE_WAIT)
            .unwrap_or(Err(LogError::Timeout(CLOSE_WAIT)))
    }

    /// What the log takes up, and how far back each topic reaches.
    ///
    /// # Errors
    /// When the log is closed, or the disk cannot be asked.
    pub fn disk_usage(&self) -> Result<DiskUsage, LogError> {
        usage::disk_usage(&*self.shared.store()?, &self.shared.config)
    }

    /// Bytes that must stay free on the disk: with less, appends are refused and the log stays readable.
    pub fn set_disk_reserve(&self, bytes: u64) {
        self.shared.set_disk_reserve(bytes);
    }

    /// Takes its partitions away from every member of a slot, as if it had been paused too long: it learns so from its next
    /// poll, and nothing it commits stands. Answers whether there was a member.
    pub fn declare_lost(&self, group: Group, slot: ThreadSlot) -> bool {
        let any = self.shared.membership().declare_lost(group, slot);
        self.shared.changes().tell();
        any
    }

    fn per_partition<T>(&self, each: impl Fn(Partition) -> T) -> Result<Vec<T>, LogError> {
        self.shared.check_open()?;
        Ok((0..self.shared.partitions()).map(each).collect())
    }
}

impl Log for EmbeddedLog {
    fn partitions(&self) -> u32 {
        self.shared.partitions()
    }

    fn generation(&self) -> u32 {
        self.generation
    }

    fn codec(&self) -> &Arc<Codec> {
        &self.codec
    }

    fn producer(&self, name: &str) -> Result<Box<dyn Producer>, LogError> {
        self.shared.check_open()?;
        Ok(Box::new(LaneProducer::new(self.shared.clone(), name)))
    }

    fn task_log(&self, group: Group, thread: ThreadSlot) -> Result<Box<dyn TaskLog>, LogError> {
        Ok(Box::new(ThreadTaskLog::new(self.shared.clone(), group, thread)?))
    }

    fn consumer(&self, group: Group, thread: ThreadSlot) -> Result<Box<dyn Consumer>, LogError> {
        Ok(Box::new(GroupConsumer::new(self.shared.clone(), group, thread)?))
    }

    fn tail(&self, topics: &[(Topic, Start)]) -> Result<Box<dyn Tail>, LogError> {
        Ok(Box::new(TopicTail::new(self.shared.clone(), topics)?))
    }

    fn ends(&self, topic: Topic) -> Result<Vec<Offset>, LogError> {
        self.per_partition(|p| self.shared.end(topic, p))
    }

    fn starts(&self, topic: Topic) -> Result<Vec<Offset>, LogError> {
        self.per_partition(|p| self.shared.start(topic, p))
    }

    fn committed(&self, group: Group, topic: Topic) -> Result<Vec<Option<Offset>>, LogError> {
        self.per_partition(|p| self.shared.committed(group, topic, p))
    }

    fn close(&self) -> Result<(), LogError> {
        let Some(writer) = guard(&self.writer).take() else {
            return Ok(());
        };
        if writer.thread().id() == std::thread::current().id() {
            // The writer cannot wait for itself; it ends after this batch.
            self.shared.close();
            return Err(LogError::Unusable(
                "a callback of the log cannot wait for its close".to_owned(),
            ));
        }
        self.shared.close();
        let written = writer.join().unwrap_or_else(|_| {
            Err(LogError::Unusable(
                "the writer of the log panicked: start the process again".to_owned(),
            ))
        });
        self.shared.let_go(CLOSE_WAIT)?;
        written
    }
}

impl Drop for EmbeddedLog {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::error!(%error, "closing the log");
        }
    }
}
