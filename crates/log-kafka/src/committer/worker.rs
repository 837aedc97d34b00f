//! The thread that owns the transactional producer, and the order of its calls.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use log::{Commit, CrashPoint, LogError, Record, crash_armed, crash_point};
use model::{Offset, Partition};
use rdkafka::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::{Consumer, ConsumerGroupMetadata};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, Producer, ProducerContext, PurgeConfig};
use rdkafka::topic_partition_list::{Offset as Place, TopicPartitionList};
use topology::Topic;

use super::{Job, Progress};
use crate::context;
use crate::error::{asking, is_stale_generation, transaction};
use crate::metrics::GroupMetrics;
use crate::shared::Shared;
use crate::wire;

/// One wait for delivery reports while something is to be acknowledged.
const DRAIN: Duration = Duration::from_millis(1);
/// Between two looks at the events of an idle producer.
const IDLE: Duration = Duration::from_millis(250);
/// How long an abort may take: polite, since the next producer ends the transaction anyway.
const ABORT: Duration = Duration::from_secs(2);
/// Times a commit is tried under the metadata of a newer generation.
const TRIES_MAX: u32 = 5;
/// Until the group has settled enough for another try.
const TRY_AGAIN: Duration = Duration::from_millis(20);

/// Counts delivery reports; all on the worker's thread.
#[derive(Default)]
struct Reports {
    waiting: AtomicUsize,
    failure: Mutex<Option<KafkaError>>,
}

impl Reports {
    fn failure(&self) -> Option<KafkaError> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn failed(&self, error: KafkaError) {
        self.failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(error);
    }
}

impl ClientContext for Reports {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        context::log_line(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        context::log_error(&error, reason);
    }
}

impl ProducerContext for Reports {
    type DeliveryOpaque = usize;

    fn delivery(&self, report: &DeliveryResult<'_>, _opaque: usize) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        if let Err((error, _)) = report {
            self.failed(error.clone());
        }
    }
}

pub(super) struct Worker {
    shared: Arc<Shared>,
    producer: BaseProducer<Reports>,
    progress: Arc<Progress>,
    metrics: GroupMetrics,
}

/// How one try ended.
enum Tried {
    Stands,
    /// Aborted, and worth another try.
    Stale(LogError),
    Failed(LogError),
}

impl Worker {
    pub(super) fn new(
        shared: Arc<Shared>,
        transactional_id: &str,
        progress: Arc<Progress>,
        metrics: GroupMetrics,
    ) -> Result<Self, LogError> {
        let config = shared.config.transactional(transactional_id);
        let producer = BaseProducer::from_config_and_context(&config, Reports::default())
            .map_err(|error| LogError::backend("making a transactional producer", error))?;
        Ok(Self {
            shared,
            producer,
            progress,
            metrics,
        })
    }

    pub(super) fn run(self, jobs: &Receiver<Job>) {
        let limit = self.shared.config.answer_deadline;
        // Metadata first: without a connection librdkafka would look again only half a second later.
        let name = self.shared.name(Topic::ChangelogNetwork);
        if let Err(error) = self.producer.client().fetch_metadata(Some(name), limit) {
            return self.fail(asking("reaching the brokers", limit, error));
        }
        if let Err(error) = self.producer.init_transactions(limit) {
            let error = transaction("ending transactions of earlier producers", limit, error);
            return self.fail(error);
        }
        self.progress.change(|state| state.ready = true);
        loop {
            match jobs.recv_timeout(IDLE) {
                Ok(job) => match self.commit(job) {
                    Ok(()) => self.progress.change(|state| state.running = false),
                    Err(error) => return self.fail(error),
                },
                Err(RecvTimeoutError::Timeout) => self.producer.poll(Duration::ZERO),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn fail(&self, error: LogError) {
        if matches!(error, LogError::Fenced(_)) {
            self.metrics.fenced.increment(1);
        }
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "a transactional producer ends"
        );
        self.progress.change(|state| {
            state.running = false;
            state.failed = true;
            state.failure = Some(error);
        });
    }

    fn commit(&self, job: Job) -> Result<(), LogError> {
        crash_point(CrashPoint::BeforeCommit);
        job.lane
            .wait(job.sent, Instant::now() + self.shared.config.send_deadline)?;
        crash_point(CrashPoint::AfterAcknowledgements);
        // Beyond this the brokers may have ended the transaction.
        let deadline = Instant::now() + self.shared.config.transaction_timeout;
        for attempt in 1..=TRIES_MAX {
            match self.transact(&job, deadline) {
                Tried::Stands => {
                    self.metrics.commits.increment(1);
                    self.metrics.commit_seconds.record(job.begun.elapsed());
                    return Ok(());
                }
                Tried::Failed(error) => return Err(error),
                Tried::Stale(error) if attempt == TRIES_MAX || Instant::now() > deadline => return Err(error),
                Tried::Stale(_) => {
                    self.metrics.retries.increment(1);
                    thread::sleep(TRY_AGAIN);
                }
            }
        }
        Err(LogError::Timeout(self.shared.config.transaction_timeout))
    }

    fn transact(&self, job: &Job, deadline: Instant) -> Tried {
        if let Err(error) = self.producer.begin_transaction() {
            return Tried::Failed(transaction("beginning a transaction", Duration::ZERO, error));
        }
        if let Err(error) = self.send_all(&job.commit, deadline) {
            self.abort();
            return Tried::Failed(error);
        }
        crash_point(CrashPoint::AfterExactSends);
        let metadata = match metadata(job) {
            Ok(metadata) => metadata,
            Err(error) => {
                self.abort();
                return Tried::Failed(error);
            }
        };
        let limit = deadline.saturating_duration_since(Instant::now());
        let sent = offsets(self.shared.name(job.input), &job.commit.positions)
            .map(|list| self.producer.send_offsets_to_transaction(&list, &metadata, limit));
        match sent {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                let stale = is_stale_generation(&error);
                let indefinite = !requires_abort(&error);
                let error = transaction("sending offsets to the transaction", limit, error);
                if indefinite {
                    return Tried::Failed(error);
                }
                return match self.abort() && stale {
                    true => Tried::Stale(error),
                    false => Tried::Failed(error),
                };
            }
            Err(error) => {
                self.abort();
                return Tried::Failed(error);
            }
        }
        crash_point(CrashPoint::AfterSendOffsets);
        self.end(deadline)
    }

    fn end(&self, deadline: Instant) -> Tried {
        if crash_armed(CrashPoint::InsideCommit) {
            // The request is on its way when the process ends; librdkafka lets a commit be resumed after a time-out.
            match self.producer.commit_transaction(Duration::from_millis(3)) {
                Ok(()) | Err(_) => crash_point(CrashPoint::InsideCommit),
            }
        }
        let limit = deadline.saturating_duration_since(Instant::now());
        match self.producer.commit_transaction(limit) {
            Ok(()) => {
                crash_point(CrashPoint::AfterCommit);
                Tried::Stands
            }
            Err(error) => {
                if requires_abort(&error) {
                    self.abort();
                }
                Tried::Failed(transaction("committing the transaction", limit, error))
            }
        }
    }

    fn send_all(&self, commit: &Commit, deadline: Instant) -> Result<(), LogError> {
        for record in commit.exact.iter().chain(&commit.changelog) {
            self.send(record, deadline)?;
        }
        while self.producer.context().waiting.load(Ordering::Relaxed) > 0 {
            self.serve(deadline)?;
        }
        // The last report may have been a failure.
        self.check()
    }

    fn send(&self, record: &Record, deadline: Instant) -> Result<(), LogError> {
        let name = self.shared.name(record.topic);
        loop {
            match self.producer.send(wire::message(name, record, 0)?) {
                Ok(()) => {
                    self.producer.context().waiting.fetch_add(1, Ordering::Relaxed);
                    return Ok(());
                }
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => self.serve(deadline)?,
                Err((error, _)) => return Err(LogError::backend("sending inside a transaction", error)),
            }
        }
    }

    fn serve(&self, deadline: Instant) -> Result<(), LogError> {
        self.producer.poll(DRAIN);
        self.check()?;
        if Instant::now() > deadline {
            return Err(LogError::Timeout(self.shared.config.transaction_timeout));
        }
        Ok(())
    }

    fn check(&self) -> Result<(), LogError> {
        match self.producer.context().failure() {
            None => Ok(()),
            Some(error) if matches!(error.rdkafka_error_code(), Some(RDKafkaErrorCode::MessageTimedOut)) => {
                Err(LogError::Timeout(self.shared.config.transaction_timeout))
            }
            Some(error) => Err(LogError::backend("sending inside a transaction", error)),
        }
    }

    /// Answers whether the transaction is known to be over.
    fn abort(&self) -> bool {
        self.metrics.aborts.increment(1);
        self.producer.purge(PurgeConfig::default().queue().inflight());
        let deadline = Instant::now() + ABORT;
        while self.producer.in_flight_count() > 0 && Instant::now() < deadline {
            self.producer.poll(DRAIN);
        }
        // What was purged failed on purpose.
        drop(self.producer.context().failure());
        match self.producer.abort_transaction(ABORT) {
            Ok(()) => true,
            Err(error) => {
                tracing::info!(%error, "a transaction stays open until the next producer or its time-out ends it");
                false
            }
        }
    }
}

/// Fresh metadata, since a rebalance that leaves us our partitions raises the generation too. It is of a membership that has
/// held since the cut: a member that was fenced can join again only after its break was counted, on the polling thread, and
/// librdkafka marks an assignment as lost in the same step in which it forgets the generation (an unset generation would be
/// let through by the group).
fn metadata(job: &Job) -> Result<ConsumerGroupMetadata, LogError> {
    let metadata = job.consumer.group_metadata();
    if job.consumer.context().breaks() != job.breaks || job.consumer.assignment_lost() {
        return Err(LogError::Fenced(
            "the member was broken since the cut: others may own its partitions".to_owned(),
        ));
    }
    metadata.ok_or_else(|| LogError::Fenced("not a member of the group".to_owned()))
}

fn requires_abort(error: &KafkaError) -> bool {
    matches!(error, KafkaError::Transaction(inner) if inner.txn_requires_abort())
}

fn offsets(topic_name: &str, positions: &[(Partition, Offset)]) -> Result<TopicPartitionList, LogError> {
    let mut list = TopicPartitionList::with_capacity(positions.len());
    for (partition, next) in positions {
        list.add_partition_offset(
            topic_name,
            wire::partition_id(*partition)?,
            Place::Offset(wire::offset_id(*next)?),
        )
        .map_err(|error| LogError::backend("writing down positions", error))?;
    }
    Ok(list)
}
