//! Publishes records to the log in order, without gaps, and says of each what became of it.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use log::{Done, Headers, Log, LogError, Producer, Record, TraceParent};
use metrics::{Counter, Gauge, counter, gauge};
use model::WriterId;
use schemas::{AnyRecord, Codec};
use topology::{RECORD_BYTES_MAX, Topic, partition_of};

use crate::spool::{Next, Refused, Spool};
use crate::window::{Entry, Window};
use crate::{Backoff, Deadline, DropReason, PublisherConfig, SpoolError, SpoolState, Ticket, metric};

/// How long a sent record may stay unacknowledged before the producer is asked whether it still lives.
const ASK_AFTER: Duration = Duration::from_millis(20);
/// How long before the log counts as away, and what waits goes to disk.
const AWAY_AFTER: Duration = Duration::from_millis(500);
/// How long the spool's last sync may take at the end.
const FINISH: Duration = Duration::from_secs(1);

/// Told once a record is durable, from a thread of the log: must not block. May be told twice when a producer ended
/// after its record had landed.
pub trait OnDurable: Send + Sync + 'static {
    /// The record is durable.
    fn durable(&self);
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

/// One sending thread's way into the log. `T` is what the sender wants back with each record's fate.
///
/// A producer that fails is dropped, and a new one sends again from the first unacknowledged record on, in order, each with
/// the writer id it had: what had landed already is then a duplicate that the reader drops by that id.
///
/// With a spool, what the log does not take at once (a producer fails, an acknowledgement is overdue, the window is full) goes
/// to disk, and everything behind it until the disk is drained: the order stays. What an earlier run left there goes first.
///
/// Call [`Publisher::tend`] at least every 100 ms: all of this happens in it and in [`Publisher::publish`], on their thread.
pub struct Publisher<T> {
    log: Arc<dyn Log>,
    producer: Option<Box<dyn Producer>>,
    config: PublisherConfig,
    writer: String,
    next_sequence: u64,
    window: Window<T>,
    backoff: Backoff,
    retry_at: Instant,
    /// Fates not told yet.
    fates: Vec<(T, Fate)>,
    spool: Option<Spool>,
    /// The log does not take what it is given: everything new goes to disk.
    away: bool,
    recovered: u64,
    metrics: Metrics,
}

struct Metrics {
    window: Gauge,
    acknowledged: Counter,
    restarts: Counter,
}

impl<T: Ticket> Publisher<T> {
    /// A publisher with a writer id of its own and no spool, whatever the configuration says of one. The log may be away:
    /// the first records wait for it.
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
            fates: Vec::new(),
            spool: None,
            away: false,
            recovered: 0,
            metrics,
            config,
        }
    }

    /// As [`Publisher::new`], with the spool of the configuration, if it names one.
    ///
    /// # Errors
    /// When the spool cannot be opened.
    pub fn open(log: Arc<dyn Log>, config: PublisherConfig) -> Result<Self, SpoolError> {
        let mut publisher = Self::new(log, config);
        if let Some(spool) = publisher.config.spool.clone() {
            let (spool, recovered) = Spool::open(spool, &publisher.config.name, &publisher.writer)?;
            publisher.recovered = recovered.records;
            publisher.spool = Some(spool);
        }
        Ok(publisher)
    }

    /// Records that an earlier run left in the spool: their fate is told with [`Ticket::earlier`].
    pub fn recovered(&self) -> u64 {
        self.recovered
    }

    /// How the spool stands, if there is one.
    pub fn spool_state(&self) -> Option<SpoolState> {
        self.spool.as_ref().map(Spool::state)
    }

    /// The codec of its log.
    pub fn codec(&self) -> &Arc<Codec> {
        self.log.codec()
    }

    /// The writer id's name.
    pub fn writer(&self) -> &str {
        &self.writer
    }

    /// Records taken whose fate is not yet told.
    pub fn waiting(&self) -> usize {
        let unread = self.spool.as_ref().map_or(0, Spool::unread);
        self.window.len() + self.fates.len() + usize::try_from(unread).unwrap_or(usize::MAX)
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
        let key = Bytes::copy_from_slice(out.key.as_bytes());
        self.publish_encoded(out.topic, key, value.into(), ticket, durable)
    }

    /// As [`Publisher::publish`], of a record that is encoded already.
    ///
    /// # Errors
    /// When there is no room for it, or it is not one the log takes.
    pub fn publish_encoded(
        &mut self,
        topic: Topic,
        key: Bytes,
        value: Bytes,
        ticket: T,
        durable: Option<Arc<dyn OnDurable>>,
    ) -> Result<(), (T, DropReason)> {
        if value.len() > RECORD_BYTES_MAX {
            return Err((ticket, self.count(DropReason::TooLarge)));
        }
        let record = Record {
            topic,
            partition: partition_of(key_text(&key), self.log.partitions()),
            key,
            value: Some(value),
            headers: Headers {
                record_id: None,
                traceparent: Some(TraceParent::new(rand::random(), rand::random(), true)),
                writer: Some(WriterId {
                    writer: self.writer.clone(),
                    sequence: self.next_sequence,
                }),
            },
        };
        let entry = Entry {
            record,
            ticket,
            durable,
            spooled: None,
        };
        match self.take(entry) {
            Ok(()) => {
                self.next_sequence += 1;
                Ok(())
            }
            Err((ticket, reason)) => Err((ticket, self.count(reason))),
        }
    }

    /// What was taken so far survives this process, unless it is on its way into a log that takes it. Call it before saying
    /// that records were taken.
    pub fn write_out(&mut self) {
        if let Some(spool) = &mut self.spool {
            spool.write_out(Instant::now());
        }
    }

    /// Into the window, or behind what waits on disk.
    fn take(&mut self, entry: Entry<T>) -> Result<(), (T, DropReason)> {
        let has_room = self.window.has_room(&entry.record);
        let unread = self.spool.as_ref().is_some_and(Spool::has_unread);
        if has_room && !unread && !self.away {
            self.window.push(entry);
            self.pump(Instant::now());
            return Ok(());
        }
        if !unread {
            self.move_to_disk();
        }
        let Some(spool) = &mut self.spool else {
            return if has_room {
                self.window.push(entry);
                self.pump(Instant::now());
                Ok(())
            } else {
                Err((entry.ticket, DropReason::WindowFull))
            };
        };
        match spool.append(&entry.record, entry.ticket.to_tag(), entry.durable.as_ref()) {
            Ok(()) => Ok(()),
            Err(Refused::Full) => Err((entry.ticket, DropReason::SpoolFull)),
            Err(Refused::Disk) if has_room && !spool.has_unread() => {
                self.window.push(entry);
                Ok(())
            }
            Err(Refused::Disk) => Err((entry.ticket, DropReason::SpoolFailed)),
        }
    }

    /// Learns what was acknowledged, replaces a producer that failed, and sends what waits. `settled` hears of every record
    /// whose fate is known now.
    pub fn tend(&mut self, mut settled: impl FnMut(T, Result<(), DropReason>)) {
        self.tend_with(&mut settled);
    }

    /// Tends until nothing waits or the deadline passes; what waits then stays in the spool, or is given up without one.
    pub fn drain(&mut self, deadline: Deadline, mut settled: impl FnMut(T, Result<(), DropReason>)) {
        self.tend_with(&mut settled);
        while self.waiting() > 0 && !deadline.passed() {
            let pause = deadline.at_most(Duration::from_millis(20)).instant();
            match (&self.producer, self.window.oldest_sent()) {
                // Its error, if any, is found and said by the next turn.
                (Some(producer), Some((sequence, _))) => drop(producer.wait(sequence, pause)),
                _ => std::thread::sleep(pause.saturating_duration_since(Instant::now())),
            }
            self.tend_with(&mut settled);
        }
        self.spill();
        while let Some(entry) = self.window.pop() {
            if entry.spooled.is_none() {
                settled(entry.ticket, Err(self.count(DropReason::DrainOverdue)));
            }
        }
        if let Some(spool) = &mut self.spool {
            spool.finish(Deadline::after(FINISH));
        }
    }

    fn tend_with(&mut self, settled: &mut dyn FnMut(T, Fate)) {
        let now = Instant::now();
        self.settle();
        self.check(now);
        self.refill();
        self.pump(now);
        if let Some(spool) = &mut self.spool {
            spool.tend(now);
        }
        for (ticket, fate) in self.fates.drain(..) {
            settled(ticket, fate);
        }
        #[allow(clippy::cast_precision_loss, reason = "a gauge")]
        self.metrics.window.set(self.window.len() as f64);
    }

    /// Takes out what the present producer says is durable.
    fn settle(&mut self) {
        let Some(producer) = &self.producer else { return };
        let acknowledged = producer.acknowledged();
        let mut count = 0;
        while let Some(entry) = self.window.pop_acknowledged(acknowledged) {
            if let (Some((place, bytes)), Some(spool)) = (entry.spooled, &mut self.spool) {
                spool.drained(place, bytes);
            }
            self.fates.push((entry.ticket, Ok(())));
            count += 1;
        }
        if count > 0 {
            self.metrics.acknowledged.increment(count);
            self.backoff.succeed();
            self.back();
        }
    }

    /// The log takes records; once nothing waits on disk, new ones go to it directly.
    fn back(&mut self) {
        let drained = self.spool.as_ref().is_some_and(|s| !s.has_unread());
        if self.away && drained {
            self.away = false;
            tracing::info!(publisher = %self.config.name, "the log takes records again, the spool is drained");
        }
    }

    /// The log does not take records: what is on its way goes to disk, and everything after it.
    fn spill(&mut self) {
        if self.spool.is_none() {
            return;
        }
        if !std::mem::replace(&mut self.away, true) {
            tracing::warn!(publisher = %self.config.name, waiting = self.window.len(), "the log is away or slow: records go to the spool");
        }
        self.move_to_disk();
    }

    /// What is on its way is on disk too, before anything newer is there.
    fn move_to_disk(&mut self) {
        let Some(spool) = &mut self.spool else { return };
        if spool.has_unread() || spool.rests(Instant::now()) {
            return;
        }
        for entry in self.window.entries().filter(|e| e.spooled.is_none()) {
            match spool.append_on_its_way(&entry.record, entry.ticket.to_tag(), entry.durable.as_ref()) {
                Ok(spooled) => entry.spooled = Some(spooled),
                // It stays in memory, as before.
                Err(_) => break,
            }
        }
        spool.write_out(Instant::now());
    }

    /// Moves what waits on disk into the window, as far as there is room.
    fn refill(&mut self) {
        let Some(spool) = &mut self.spool else { return };
        while self.window.has_room_for_any() {
            match spool.next() {
                None => break,
                Some(Next::Lost(lost)) => {
                    for (tag, count) in lost {
                        for _ in 0..count {
                            self.fates.push((ticket(tag), Err(DropReason::SpoolDamaged)));
                        }
                    }
                }
                Some(Next::Record {
                    mut record,
                    tag,
                    place,
                    bytes,
                }) => {
                    let partitions = self.log.partitions();
                    if record.partition >= partitions {
                        // The log has fewer partitions than when it was taken.
                        record.partition = partition_of(key_text(&record.key), partitions);
                    }
                    self.window.push(Entry {
                        record,
                        ticket: ticket(tag),
                        durable: None,
                        spooled: Some((place, bytes)),
                    });
                }
            }
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
        let alive = producer.wait(sequence, now);
        if age >= AWAY_AFTER && !self.away {
            self.spill();
        }
        match alive {
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
                    if let Some(entry) = self.window.remove_unsent() {
                        if let (Some((_, bytes)), Some(spool)) = (entry.spooled, &mut self.spool) {
                            spool.gave_up(bytes);
                        }
                        self.fates.push((entry.ticket, Err(reason)));
                    }
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
        self.settle();
        self.producer = None;
        self.window.unsend();
        self.metrics.restarts.increment(1);
        self.wait_after(error, now);
    }

    fn wait_after(&mut self, error: &LogError, now: Instant) {
        self.spill();
        let wait = self.backoff.fail();
        self.retry_at = now + wait;
        tracing::warn!(
            publisher = %self.config.name,
            error = error as &dyn Error,
            waiting = self.waiting(),
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

/// A key chooses its partition as text; one that is none is no key of ours.
fn key_text(key: &[u8]) -> &str {
    std::str::from_utf8(key).unwrap_or_default()
}

fn ticket<T: Ticket>(tag: Option<u64>) -> T {
    tag.map_or_else(T::earlier, T::from_tag)
}

impl<T: Ticket> fmt::Debug for Publisher<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publisher")
            .field("writer", &self.writer)
            .field("waiting", &self.waiting())
            .finish()
    }
}
