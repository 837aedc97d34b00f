//! A log that goes away while a condition holds, and takes records only so fast.

#![allow(clippy::unwrap_used, dead_code, reason = "tests; not every file uses everything")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use log::{Consumer, Done, Log, LogError, Producer, Record, Start, Tail, TaskLog, ThreadSlot};
use model::Offset;
use schemas::Codec;
use topology::{Group, Topic};

type Away = Arc<dyn Fn() -> bool + Send + Sync>;

pub struct GatedLog {
    pub inner: Arc<dyn Log>,
    pub away: Away,
    /// After so many records a send rests for so long.
    pub rest: Option<(u64, Duration)>,
}

struct GatedProducer {
    inner: Box<dyn Producer>,
    away: Away,
    rest: Option<(u64, Duration)>,
    sent: AtomicU64,
}

impl Producer for GatedProducer {
    fn send(&self, record: Record, done: Option<Done>) -> Result<u64, LogError> {
        if (self.away)() {
            return Err(LogError::ProducerEnded);
        }
        let sequence = self.inner.send(record, done)?;
        if let Some((every, rest)) = self.rest
            && self.sent.fetch_add(1, Ordering::Relaxed) % every == every - 1
        {
            std::thread::sleep(rest);
        }
        Ok(sequence)
    }
    fn acknowledged(&self) -> u64 {
        self.inner.acknowledged()
    }
    fn wait(&self, sequence: u64, deadline: Instant) -> Result<(), LogError> {
        if (self.away)() {
            return Err(LogError::ProducerEnded);
        }
        self.inner.wait(sequence, deadline)
    }
}

impl Log for GatedLog {
    fn partitions(&self) -> u32 {
        self.inner.partitions()
    }
    fn generation(&self) -> u32 {
        self.inner.generation()
    }
    fn codec(&self) -> &Arc<Codec> {
        self.inner.codec()
    }
    fn producer(&self, name: &str) -> Result<Box<dyn Producer>, LogError> {
        if (self.away)() {
            return Err(LogError::Timeout(Duration::ZERO));
        }
        Ok(Box::new(GatedProducer {
            inner: self.inner.producer(name)?,
            away: self.away.clone(),
            rest: self.rest,
            sent: AtomicU64::new(0),
        }))
    }
    fn task_log(&self, group: Group, thread: ThreadSlot) -> Result<Box<dyn TaskLog>, LogError> {
        self.inner.task_log(group, thread)
    }
    fn consumer(&self, group: Group, thread: ThreadSlot) -> Result<Box<dyn Consumer>, LogError> {
        self.inner.consumer(group, thread)
    }
    fn tail(&self, topics: &[(Topic, Start)]) -> Result<Box<dyn Tail>, LogError> {
        self.inner.tail(topics)
    }
    fn ends(&self, topic: Topic) -> Result<Vec<Offset>, LogError> {
        self.inner.ends(topic)
    }
    fn starts(&self, topic: Topic) -> Result<Vec<Offset>, LogError> {
        self.inner.starts(topic)
    }
    fn committed(&self, group: Group, topic: Topic) -> Result<Vec<Option<Offset>>, LogError> {
        self.inner.committed(group, topic)
    }
    fn close(&self) -> Result<(), LogError> {
        self.inner.close()
    }
}
