//! Publishes records to the log in order, without gaps, and says of each what became of it.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use log::{Done, Headers, Log, LogError, Producer, Record, TraceParent};
use metrics::{Counter, Gauge, counter, gauge};
use model::WriterId;
use schemas::AnyRecord;
use topology::{RECORD_BYTES_MAX, Topic, partition_of};

use crate::window::{Entry, Window};
use crate::{Backoff, Deadline, metric};

/// How long a sent record may stay unacknowledged before the producer is asked whether it still lives.
const ASK_AFTER: Duration = Duration::from_millis(200);

/// Told once a record is durable, from a thread of the log: must not block. May be told twice when a producer ended
/// after its record had landed.
pub trait OnDurable: Send + Sync + 'static {
    /// The record is durable.
    fn durable(&self);
}

/// Why a record was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DropReason {
    /// The log is away or slow, and as much waits as may.
    WindowFull,
    /// Larger than the log takes.
    TooLarge,
    /// It does not fit its schema: a bug of whoever made it.
    NotEncodable,
    /// Not acknowledged when the drain had to end. It may be durable all the same.
    DrainOverdue,
}

impl DropReason {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::WindowFull, Self::TooLarge, Self::NotEncodable, Self::DrainOverdue];

    /// The word for a label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WindowFull => "window_full",
            Self::TooLarge => "too_large",
            Self::NotEncodable => "not_encodable",
            Self::DrainOverdue => "drain_overdue",
        }
    }
}

/// What became of a record; with what its sender wanted to remember of it.
pub(crate) type Fate = Result<(), DropReason>;

/// A record to publish.
#[derive(Debug, Clone)]
pub struct Outgoing<'a> {
    /// Where to.
    pub topic: Topic,
    /// Its key, which also chooses the partition: the root, in `observations`.
    pub key: &'a str,
    /// What to say.
    pub record: AnyRecord,
}

/// How a publisher works.
#[derive(Debug, Clone)]
pub struct PublisherConfig {
    /// Instance and thread; the writer id is this and a nonce. Also the metrics' label.
    pub name: String,
    /// Most records taken and not acknowledged.
    pub window_records_max: usize,
    /// Most bytes of them.
    pub window_bytes_max: usize,
    /// How long a send may go without acknowledgement before its producer is given up.
    pub send_deadline: Duration,
}

impl PublisherConfig {
    /// The usual limits: 65,536 records, 64 MiB, 10 s.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            window_records_max: 65_536,
            window_bytes_max: 64 << 20,
            send_deadline: Duration::from_secs(10),
        }
    }
}

/// One sending thread's way into the log. `T` is what the sender wants back with each record's fate.
///
/// A producer that fails is dropped, and a new one sends again from the first unacknowledged record on, in order, each with
/// the writer id it had: what had landed already is then a duplicate that the reader drops by that id. Call
/// [`Publisher::tend`] at least every 100 ms: all of this happens in it and in [`Publisher::publish`], on their thread.
pub struct Publisher<T> {
    log: Arc<dyn Log>,
    producer: Option<Box<dyn Producer>>,
    config: PublisherConfig,
    writer: String,
    next_sequence: u64,
    window: Window<T>,
    backoff: Backoff,
    retry_at: Instant,
    given_up: Vec<(T, DropReason)>,
    metrics: Metrics,
}

struct Metrics {
    window: Gauge,
    acknowledged: Counter,
    restarts: Counter,
}

impl<T> Publisher<T> {
    /// A publisher with a writer id of its own. The log may be away: the first records wait for it.
    pub fn new(log: Arc<dyn Log>, config: PublisherConfig) -> Self {
        let writer = format!("{}-{:016x}", config.name, rand::random::<u64>());
        let metrics = Metrics {
            window: gauge!(metric::PUBLISHER_WINDOW, "publisher" => config.name.clone()),
            acknowledged: counter!(metric::PUBLISHER_ACKNOWLEDGED, "publisher" => config.name.clone()),
            restarts: counter!(metric::PUBLISHER_RESTARTS, "publisher" => config.name.clone()),
        };
        Self {
            log,
            producer: None,
            writer,
            next_sequence: 0,
            window: Window::new(config.window_records_max, config.window_bytes_max),
            backoff: Backoff::new(Duration::from_millis(50), Duration::from_secs(5)),
            retry_at: Instant::now(),
            given_up: Vec::new(),
            metrics,
            config,
        }
    }

    /// The writer id's name.
    pub fn writer(&self) -> &str {
        &self.writer
    }

    /// Records taken whose fate is not yet told.
    pub fn waiting(&self) -> usize {
        self.window.len() + self.given_up.len()
    }

    /// Takes a record, or says why not and gives the ticket back.
    ///
    /// Blocks while the log's own queue is full.
    ///
    /// # Errors
    /// When there is no room for it, or it is not one the log takes.
    pub fn publish(
        &mut self,
        out: Outgoing<'_>,
        ticket: T,
        durable: Option<Arc<dyn OnDurable>>,
    ) -> Result<(), (T, DropReason)> {
        let value = match self.log.codec().encode(&out.record) {
            Ok(value) => value,
            Err(error) => {
                tracing::error!(publisher = %self.config.name, error = &error as &dyn Error, "a record does not fit its schema");
                return Err((ticket, self.count(DropReason::NotEncodable)));
            }
        };
        if value.len() > RECORD_BYTES_MAX {
            return Err((ticket, self.count(DropReason::TooLarge)));
        }
        let record = Record {
            topic: out.topic,
            partition: partition_of(out.key, self.log.partitions()),
            key: Bytes::copy_from_slice(out.key.as_bytes()),
            value: Some(value.into()),
            headers: Headers {
                record_id: None,
                traceparent: Some(TraceParent::new(rand::random(), rand::random(), true)),
                writer: Some(WriterId {
                    writer: self.writer.clone(),
                    sequence: self.next_sequence,
                }),
            },
        };
        if !self.window.has_room(&record) {
            return Err((ticket, self.count(DropReason::WindowFull)));
        }
        self.window.push(Entry {
            record,
            ticket,
            durable,
        });
        self.next_sequence += 1;
        self.pump(Instant::now());
        Ok(())
    }

    /// Learns what was acknowledged, replaces a producer that failed, and sends what waits. `settled` hears of every record
    /// whose fate is known now.
    pub fn tend(&mut self, mut settled: impl FnMut(T, Result<(), DropReason>)) {
        self.tend_with(&mut settled);
    }

    /// Tends until nothing waits or the deadline passes; what waits then is given up.
    pub fn drain(&mut self, deadline: Deadline, mut settled: impl FnMut(T, Result<(), DropReason>)) {
        self.tend_with(&mut settled);
        while self.window.len() > 0 && !deadline.passed() {
            let pause = deadline.at_most(Duration::from_millis(20)).instant();
            match (&self.producer, self.window.oldest_sent()) {
                // Its error, if any, is found and said by the next turn.
                (Some(producer), Some((sequence, _))) => drop(producer.wait(sequence, pause)),
                _ => std::thread::sleep(pause.saturating_duration_since(Instant::now())),
            }
            self.tend_with(&mut settled);
        }
        while let Some(entry) = self.window.pop() {
            settled(entry.ticket, Err(self.count(DropReason::DrainOverdue)));
        }
    }

    fn tend_with(&mut self, settled: &mut dyn FnMut(T, Fate)) {
        let now = Instant::now();
        self.settle(settled);
        self.check(now);
        self.pump(now);
        for (ticket, reason) in self.given_up.drain(..) {
            settled(ticket, Err(reason));
        }
        #[allow(clippy::cast_precision_loss, reason = "a gauge")]
        self.metrics.window.set(self.window.len() as f64);
    }

    fn settle(&mut self, settled: &mut dyn FnMut(T, Fate)) {
        let Some(producer) = &self.producer else { return };
        let acknowledged = producer.acknowledged();
        let mut count = 0;
        while let Some(entry) = self.window.pop_acknowledged(acknowledged) {
            settled(entry.ticket, Ok(()));
            count += 1;
        }
        if count > 0 {
            self.metrics.acknowledged.increment(count);
            self.backoff.succeed();
        }
    }

    /// Whether the present producer still lives: a dead or overdue one is dropped.
    fn check(&mut self, now: Instant) {
        let (Some(producer), Some((sequence, since))) = (&self.producer, self.window.oldest_sent()) else {
            return;
        };
        let age = now.saturating_duration_since(since);
        if age < ASK_AFTER {
            return;
        }
        match producer.wait(sequence, now) {
            Err(LogError::Timeout(_)) if age >= self.config.send_deadline => {
                self.end(&LogError::Timeout(age), now);
            }
            Ok(()) | Err(LogError::Timeout(_)) => {}
            Err(error) => self.end(&error, now),
        }
    }

    /// Sends what was not sent yet, with a new producer if there is none.
    fn pump(&mut self, now: Instant) {
        if self.window.unsent().is_none() || !self.has_producer(now) {
            return;
        }
        while let (Some(producer), Some(entry)) = (&self.producer, self.window.unsent()) {
            let done = entry.durable.clone().map(|durable| -> Done {
                Box::new(move |result| {
                    if result.is_ok() {
                        durable.durable();
                    }
                })
            });
            match producer.send(entry.record.clone(), done) {
                Ok(sequence) => self.window.mark_sent(sequence, now),
                Err(LogError::TooLarge { .. }) => {
                    let reason = self.count(DropReason::TooLarge);
                    self.given_up
                        .extend(self.window.remove_unsent().map(|e| (e.ticket, reason)));
                }
                Err(error) => self.end(&error, now),
            }
        }
    }

    fn has_producer(&mut self, now: Instant) -> bool {
        if self.producer.is_some() {
            return true;
        }
        if now < self.retry_at {
            return false;
        }
        match self.log.producer(&self.config.name) {
            Ok(producer) => {
                self.producer = Some(producer);
                true
            }
            Err(error) => {
                self.wait_after(&error, now);
                false
            }
        }
    }

    /// Drops the producer; the next one starts with the first unacknowledged record.
    fn end(&mut self, error: &LogError, now: Instant) {
        self.producer = None;
        self.window.unsend();
        self.metrics.restarts.increment(1);
        self.wait_after(error, now);
    }

    fn wait_after(&mut self, error: &LogError, now: Instant) {
        let wait = self.backoff.fail();
        self.retry_at = now + wait;
        tracing::warn!(
            publisher = %self.config.name,
            error = error as &dyn Error,
            waiting = self.window.len(),
            retry_in_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
            "cannot write to the log, records wait"
        );
    }

    fn count(&self, reason: DropReason) -> DropReason {
        counter!(metric::PUBLISHER_DROPPED, "publisher" => self.config.name.clone(), "reason" => reason.as_str())
            .increment(1);
        reason
    }
}

impl<T> fmt::Debug for Publisher<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publisher")
            .field("writer", &self.writer)
            .field("waiting", &self.waiting())
            .finish()
    }
}
