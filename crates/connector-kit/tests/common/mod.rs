//! A log that fails on cue.

#![allow(clippy::unwrap_used, dead_code, reason = "tests; not every file uses everything")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use connector_kit::OnDurable;
use log::{Consumer, Done, Log, LogError, Producer, Record, Start, Tail, TaskLog, ThreadSlot};
use model::{Micros, Offset};
use schemas::Codec;
use topology::{Group, Topic};

/// What the next producers do: each lets so many sends through, then fails for good. The last one never fails.
#[derive(Default)]
pub struct Script {
    /// Sends each producer still takes before it ends.
    pub lives: Vec<usize>,
    /// Whether a record whose send failed landed all the same.
    pub lands_on_failure: bool,
    /// How often making a producer fails first.
    pub away: usize,
    pub landed: Vec<Record>,
    pub made: usize,
}

pub struct FakeLog {
    pub script: Arc<Mutex<Script>>,
    pub codec: Arc<Codec>,
}

pub struct FakeProducer {
    pub script: Arc<Mutex<Script>>,
    left: AtomicUsize,
    sent: AtomicUsize,
    acknowledged: AtomicUsize,
    ended: Mutex<bool>,
}

impl Producer for FakeProducer {
    fn send(&self, record: Record, done: Option<Done>) -> Result<u64, LogError> {
        let mut script = self.script.lock().unwrap();
        let mut ended = self.ended.lock().unwrap();
        if *ended {
            return Err(LogError::ProducerEnded);
        }
        let sequence = self.sent.fetch_add(1, Ordering::Relaxed) + 1;
        if self.left.load(Ordering::Relaxed) == 0 {
            // Queued, then failed: the sender learns of it later.
            *ended = true;
            if script.lands_on_failure {
                script.landed.push(record);
            }
            if let Some(done) = done {
                done(Err(LogError::ProducerEnded));
            }
            return Ok(sequence as u64);
        }
        self.left.fetch_sub(1, Ordering::Relaxed);
        self.acknowledged.store(sequence, Ordering::Relaxed);
        let acknowledged = log::Acknowledged {
            partition: record.partition,
            offset: 0,
            appended_at: Micros(0),
        };
        script.landed.push(record);
        if let Some(done) = done {
            done(Ok(acknowledged));
        }
        Ok(sequence as u64)
    }
    fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::Relaxed) as u64
    }
    fn wait(&self, sequence: u64, _deadline: Instant) -> Result<(), LogError> {
        if sequence <= self.acknowledged() {
            Ok(())
        } else if *self.ended.lock().unwrap() {
            Err(LogError::ProducerEnded)
        } else {
            Err(LogError::Timeout(Duration::ZERO))
        }
    }
}

impl Log for FakeLog {
    fn partitions(&self) -> u32 {
        4
    }
    fn generation(&self) -> u32 {
        1
    }
    fn codec(&self) -> &Arc<Codec> {
        &self.codec
    }
    fn producer(&self, _name: &str) -> Result<Box<dyn Producer>, LogError> {
        let mut script = self.script.lock().unwrap();
        if script.away > 0 {
            script.away -= 1;
            return Err(LogError::Timeout(Duration::ZERO));
        }
        let left = script.lives.get(script.made).copied().unwrap_or(usize::MAX);
        script.made += 1;
        Ok(Box::new(FakeProducer {
            script: self.script.clone(),
            left: AtomicUsize::new(left),
            sent: AtomicUsize::new(0),
            acknowledged: AtomicUsize::new(0),
            ended: Mutex::new(false),
        }))
    }
    fn task_log(&self, _: Group, _: ThreadSlot) -> Result<Box<dyn TaskLog>, LogError> {
        Err(LogError::Closed)
    }
    fn consumer(&self, _: Group, _: ThreadSlot) -> Result<Box<dyn Consumer>, LogError> {
        Err(LogError::Closed)
    }
    fn tail(&self, _: &[(Topic, Start)]) -> Result<Box<dyn Tail>, LogError> {
        Err(LogError::Closed)
    }
    fn ends(&self, _: Topic) -> Result<Vec<Offset>, LogError> {
        Err(LogError::Closed)
    }
    fn starts(&self, _: Topic) -> Result<Vec<Offset>, LogError> {
        Err(LogError::Closed)
    }
    fn committed(&self, _: Group, _: Topic) -> Result<Vec<Option<Offset>>, LogError> {
        Err(LogError::Closed)
    }
    fn close(&self) -> Result<(), LogError> {
        Ok(())
    }
}

#[derive(Default)]
pub struct Count(pub AtomicUsize);

impl OnDurable for Count {
    fn durable(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}
