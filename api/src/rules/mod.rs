//! Alarm rules and silences: every version of them, in memory, and their way to those who apply them.
//!
//! ```text
//! POST /alerts/rules ──▶ topic rules (key id#version#writer, never changed) ──▶ every api instance ──▶ every partition of observations
//! ```
//!
//! A version is (counter, writer), and whoever applies rules keeps the highest. So each instance may say each version, as often as it
//! likes: repeats, two writers at one time and a broadcaster that dies half-way all end in the same.

mod book;
mod keeper;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use log::{Headers, Log, LogError, Producer, Record};
use schemas::{AnyRecord, Rule, Silence};
use topology::{Topic, partition_of};

pub use book::{Book, Versioned};

use crate::registrar::Registrar;
use crate::{ApiError, Code};

/// The log must have answered within this time.
const WITHIN: Duration = Duration::from_secs(10);

/// Why a version is not in the log.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// It does not fit its schema, or is too large.
    #[error("the record does not fit: {0}")]
    Unfit(String),
    /// The log did not take or acknowledge it; it may stand all the same.
    #[error("the log did not answer")]
    Log(#[from] LogError),
}

/// All rules and silences. Dropping the last handle stops its thread.
pub struct Rules {
    log: Arc<dyn Log>,
    /// This start of this process: decides between two versions of one number, so no two may have it.
    writer: String,
    book: RwLock<Book>,
    is_ready: AtomicBool,
    stop: AtomicBool,
    /// Held while a version is chosen and written, so that each of this process is a new one.
    producer: Mutex<Option<Box<dyn Producer>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Rules {
    /// Starts the thread that follows the topic and tells every partition.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(log: Arc<dyn Log>, registrar: Arc<Registrar>, instance: &str) -> std::io::Result<Arc<Self>> {
        let rules = Arc::new(Self {
            log: log.clone(),
            writer: format!(
                "{}-{:08x}",
                instance.get(..48).unwrap_or(instance),
                rand::random::<u32>()
            ),
            book: RwLock::default(),
            is_ready: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            producer: Mutex::new(None),
            thread: Mutex::new(None),
        });
        let keeper = keeper::Keeper::new(log, registrar, Arc::downgrade(&rules));
        let thread = std::thread::Builder::new()
            .name("rules".into())
            .spawn(move || keeper.run())?;
        *rules.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        Ok(rules)
    }

    /// What is known, to answer a request with.
    ///
    /// # Errors
    /// NOT_READY while the topic has not been read.
    pub fn serve(&self) -> Result<RwLockReadGuard<'_, Book>, ApiError> {
        if self.is_ready.load(Ordering::Acquire) {
            return Ok(self.book.read().unwrap_or_else(PoisonError::into_inner));
        }
        Err(ApiError::new(
            Code::NotReady,
            "the rules are being read from the log, try again in a moment",
        ))
    }

    /// Writes the next version of something; blocks. `make` is given what is known and answers the version to write: its number is
    /// the highest known and one.
    ///
    /// # Errors
    /// What `make` refuses, or UPSTREAM_UNAVAILABLE; then the version may stand all the same.
    pub fn put<T: Versioned>(&self, make: impl FnOnce(&Book) -> Result<T, ApiError>) -> Result<T, ApiError> {
        let mut producer = self.producer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut version = make(&*self.serve()?)?;
        let known = T::versions(&*self.serve()?, version.id()).last().map_or(0, T::number);
        version.stamp(known + 1, &self.writer);
        match self.write(&mut producer, version.clone().into()) {
            Ok(()) => {}
            Err(WriteError::Unfit(problem)) => return Err(ApiError::new(Code::ValidationFailed, problem)),
            Err(error) => {
                *producer = None;
                return Err(ApiError::unavailable("writing to the log", &error));
            }
        }
        // Known here at once; everybody, this process included, hears of it by the log.
        self.learn(version.clone().into());
        Ok(version)
    }

    /// Writes one version into the topic.
    fn write(&self, producer: &mut Option<Box<dyn Producer>>, record: AnyRecord) -> Result<(), WriteError> {
        let (id, key) = match &record {
            AnyRecord::Rule(rule) => (rule.rule_id.clone(), rule.key()),
            AnyRecord::Silence(silence) => (silence.silence_id.clone(), silence.key()),
            other => return Err(WriteError::Unfit(other.record_type().name().to_owned())),
        };
        let value = self.log.codec().encode(&record);
        let value = value.map_err(|error| WriteError::Unfit(error.to_string()))?;
        let record = Record {
            topic: Topic::Rules,
            partition: partition_of(&id, self.log.partitions()),
            key: Bytes::from(key),
            value: Some(value.into()),
            headers: Headers::default(),
        };
        let producer = match producer {
            Some(producer) => producer,
            empty => empty.insert(self.log.producer("api-rules")?),
        };
        producer.send_and_wait(record, Instant::now() + WITHIN)?;
        Ok(())
    }

    fn learn(&self, record: AnyRecord) {
        let mut book = self.book.write().unwrap_or_else(PoisonError::into_inner);
        match record {
            AnyRecord::Rule(rule) => Rule::learn(&mut book, rule),
            AnyRecord::Silence(silence) => Silence::learn(&mut book, silence),
            _ => {}
        }
    }
}

impl Drop for Rules {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.thread().id() != std::thread::current().id()
            && thread.join().is_err()
        {
            tracing::error!("the thread of the rules has panicked");
        }
    }
}
