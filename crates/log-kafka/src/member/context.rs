//! What a member's consumer calls back, on the thread that polls.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::statistics::Statistics;
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientContext, util::Timeout};

use crate::context;
use crate::metrics::GroupMetrics;

/// What librdkafka's callbacks note.
pub(super) enum Note {
    Assigned(Vec<(String, i32)>),
    Revoking(Vec<(String, i32)>),
    Lost(Vec<(String, i32)>),
    Failed(String),
}

/// Callbacks of a member's consumer.
pub(crate) struct MemberContext {
    notes: Mutex<Vec<Note>>,
    /// Raised before anything is given back without a commit: work begun under a lower number must not be committed.
    breaks: AtomicU64,
    /// Assigned to librdkafka's fetchers, which need not be all that we own.
    fetched: Mutex<BTreeSet<(String, i32)>>,
    /// Leaving: give back whatever is asked for.
    leaving: AtomicBool,
    metrics: GroupMetrics,
}

impl ClientContext for MemberContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        context::log_line(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        context::log_error(&error, reason);
    }

    fn stats(&self, statistics: Statistics) {
        let partitions = statistics.topics.values().flat_map(|t| t.partitions.values());
        let (mut lag, mut bytes) = (0, 0);
        for partition in partitions.filter(|p| p.desired) {
            lag += partition.consumer_lag.max(0);
            bytes += partition.fetchq_size;
        }
        #[allow(clippy::cast_precision_loss, reason = "gauges take doubles")]
        {
            self.metrics.lag.set(lag as f64);
            self.metrics.queue_bytes.set(bytes as f64);
        }
    }
}

impl ConsumerContext for MemberContext {
    /// Replaces the whole of rust-rdkafka's own: that one gives partitions back before we have committed.
    fn rebalance(&self, consumer: &BaseConsumer<Self>, what: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let named: Vec<_> = list
            .elements()
            .iter()
            .map(|e| (e.topic().to_owned(), e.partition()))
            .collect();
        let result = match what {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => {
                self.note(Note::Assigned(named));
                self.fetch(consumer, &TopicPartitionList::new())
            }
            _ if self.leaving.load(Ordering::Acquire) => self.unfetch(consumer, &named),
            _ if consumer.assignment_lost() => {
                // In this order: whoever joins again afterwards does so under a higher number.
                self.break_work();
                let result = self.unfetch(consumer, &named);
                self.note(Note::Lost(named));
                result
            }
            _ => {
                self.note(Note::Revoking(named));
                Ok(())
            }
        };
        if let Err(error) = result {
            self.note(Note::Failed(error.to_string()));
        }
    }

    fn main_queue_min_poll_interval(&self) -> Timeout {
        Timeout::After(Duration::from_millis(100))
    }
}

impl MemberContext {
    pub(super) fn new(metrics: GroupMetrics) -> Self {
        Self {
            notes: Mutex::default(),
            breaks: AtomicU64::new(0),
            fetched: Mutex::default(),
            leaving: AtomicBool::new(false),
            metrics,
        }
    }

    /// What happened since the last call.
    pub(super) fn take_notes(&self) -> Vec<Note> {
        std::mem::take(&mut *self.notes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Work that has begun may not be committed any more.
    pub(super) fn break_work(&self) {
        self.breaks.fetch_add(1, Ordering::AcqRel);
    }

    /// From now on everything asked for is given back at once.
    pub(super) fn leave(&self) {
        self.leaving.store(true, Ordering::Release);
    }

    fn note(&self, note: Note) {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).push(note);
    }

    pub(crate) fn breaks(&self) -> u64 {
        self.breaks.load(Ordering::Acquire)
    }

    pub(super) fn is_fetched(&self, name: &str, partition: i32) -> bool {
        let fetched = self.fetched.lock().unwrap_or_else(PoisonError::into_inner);
        fetched.contains(&(name.to_owned(), partition))
    }

    /// Begins to fetch; an empty list answers a rebalance.
    pub(super) fn fetch(&self, consumer: &BaseConsumer<Self>, list: &TopicPartitionList) -> KafkaResult<()> {
        consumer.incremental_assign(list)?;
        let mut fetched = self.fetched.lock().unwrap_or_else(PoisonError::into_inner);
        fetched.extend(list.elements().iter().map(|e| (e.topic().to_owned(), e.partition())));
        Ok(())
    }

    /// Gives back: what librdkafka fetches of it, which may be nothing.
    pub(super) fn unfetch(&self, consumer: &BaseConsumer<Self>, named: &[(String, i32)]) -> KafkaResult<()> {
        let mut list = TopicPartitionList::new();
        let mut fetched = self.fetched.lock().unwrap_or_else(PoisonError::into_inner);
        for place in named {
            if fetched.remove(place) {
                list.add_partition(&place.0, place.1);
            }
        }
        drop(fetched);
        // A pause would outlive this, and hold the partition back when it is fetched again.
        consumer.resume(&list)?;
        consumer.incremental_unassign(&list)
    }
}
