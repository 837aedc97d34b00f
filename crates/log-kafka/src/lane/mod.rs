//! One idempotent producer with the no-gap rule: the first failed or overdue record ends it.
//!
//! A thread of its own serves the delivery reports as they come (never librdkafka's 100 ms flush) and watches the deadline.
//! `Lane` is what senders hold; dropped, it lets what it has taken be delivered, within the deadline, and refuses nothing
//! that was taken. [`Lane::end`] purges instead.

mod producer;

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use log::{Acknowledged, CrashPoint, Done, LogError, Record, crash_point};
use model::{Micros, Offset, Partition};
use rdkafka::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::{BaseProducer, Producer, ProducerContext, PurgeConfig};
use topology::Topic;

use crate::context;
use crate::metrics::ProducerMetrics;
use crate::shared::Shared;
use crate::wire;
pub(crate) use producer::{Lanes, PlainProducer};

/// One wait for delivery reports; they are served within it as they come.
const SERVE: Duration = Duration::from_millis(20);
/// How long the first question of a producer may hold up its thread.
const WAKE: Duration = Duration::from_secs(1);
/// One wait of a sender for room in the queue.
const ROOM: Duration = Duration::from_millis(2);

/// What a lane is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LaneKind {
    /// Plain records of connectors and the API.
    Plain,
    /// Fast outputs and ticks of a stream thread.
    Fast,
}

/// A producer's sending end.
pub(crate) struct Lane {
    core: Arc<Core>,
}

/// What senders, the serving thread and librdkafka's callback share.
pub(crate) struct Core {
    name: String,
    kind: LaneKind,
    send_deadline: Duration,
    state: Mutex<State>,
    changed: Condvar,
    metrics: ProducerMetrics,
}

struct State {
    /// Gone once the lane has ended: nothing is sent any more.
    producer: Option<Arc<BaseProducer<Reports>>>,
    /// Destroyed by the serving thread, since librdkafka may take its time.
    ended: Option<Arc<BaseProducer<Reports>>>,
    acknowledged: u64,
    /// What was sent after `acknowledged`, in order.
    waiting: VecDeque<Waiting>,
    bytes: usize,
    /// The sending end was dropped.
    left: bool,
}

struct Waiting {
    sent_at: Instant,
    bytes: usize,
    done: Option<Done>,
    durable: bool,
}

/// Delivery reports, to their lane.
pub(crate) struct Reports(Weak<Core>);

impl ClientContext for Reports {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        context::log_line(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        context::log_error(&error, reason);
        if matches!(error, KafkaError::Global(RDKafkaErrorCode::Fatal))
            && let Some(core) = self.0.upgrade()
        {
            core.end(&LogError::backend("sending to Kafka", error));
        }
    }
}

impl ProducerContext for Reports {
    type DeliveryOpaque = usize;

    fn delivery(&self, report: &DeliveryResult<'_>, sequence: usize) {
        let Some(core) = self.0.upgrade() else { return };
        match report {
            Ok(message) => {
                if core.kind == LaneKind::Fast {
                    crash_point(CrashPoint::AfterFastSend);
                }
                let at = Acknowledged {
                    partition: Partition::try_from(message.partition()).unwrap_or_default(),
                    offset: Offset::try_from(message.offset()).unwrap_or_default(),
                    appended_at: Micros(
                        message
                            .timestamp()
                            .to_millis()
                            .unwrap_or_default()
                            .saturating_mul(1_000),
                    ),
                };
                core.delivered(sequence as u64, at);
            }
            Err((error, _)) => core.end(&LogError::backend("sending to Kafka", error.clone())),
        }
    }
}

impl Lane {
    /// Makes the producer, and the thread that serves it. Brokers need not answer yet.
    pub(crate) fn open(shared: &Shared, name: &str, kind: LaneKind) -> Result<Self, LogError> {
        let linger = match kind {
            // A batch is worth more than 2 ms to a connector, and less than one to whoever looks at the board.
            LaneKind::Plain => Duration::from_millis(2),
            LaneKind::Fast => Duration::from_millis(1),
        };
        let core = Arc::new(Core {
            name: name.to_owned(),
            kind,
            send_deadline: shared.config.send_deadline,
            state: Mutex::new(State {
                producer: None,
                ended: None,
                acknowledged: 0,
                waiting: VecDeque::new(),
                bytes: 0,
                left: false,
            }),
            changed: Condvar::new(),
            metrics: ProducerMetrics::new(name),
        });
        let reports = Reports(Arc::downgrade(&core));
        let producer = BaseProducer::from_config_and_context(&shared.config.producer(linger), reports)
            .map_err(|error| LogError::backend("making a producer", error))?;
        core.lock().producer = Some(Arc::new(producer));
        let served = core.clone();
        let topic_name = shared.name(Topic::Observations).to_owned();
        thread::Builder::new()
            .name(format!("log-{name}"))
            .spawn(move || {
                served.wake(&topic_name);
                served.serve();
            })
            .map_err(|error| LogError::backend("starting a producer's thread", error))?;
        shared.lanes.add(&core);
        Ok(Self { core })
    }

    /// Sends, as [`log::Producer::send`].
    pub(crate) fn send(&self, topic_name: &str, record: &Record, mut done: Option<Done>) -> Result<u64, LogError> {
        let until = Instant::now() + self.core.send_deadline;
        loop {
            match self.core.try_send(topic_name, record, &mut done)? {
                Some(sequence) => return Ok(sequence),
                None if Instant::now() >= until => {
                    // The queue has stood still for the whole deadline: its oldest record is overdue as well.
                    self.core.end(&LogError::Timeout(self.core.send_deadline));
                    return Err(LogError::ProducerEnded);
                }
                None => self.core.wait_for_change(ROOM),
            }
        }
    }

    pub(crate) fn acknowledged(&self) -> u64 {
        self.core.lock().acknowledged
    }

    pub(crate) fn sent(&self) -> u64 {
        self.core.lock().sent()
    }

    pub(crate) fn is_ended(&self) -> bool {
        self.core.lock().producer.is_none()
    }

    pub(crate) fn wait(&self, sequence: u64, deadline: Instant) -> Result<(), LogError> {
        self.core.wait(sequence, deadline)
    }

    /// Purges what is queued and ends. What was on its way may still arrive, as a prefix.
    pub(crate) fn end(&self, why: &LogError) {
        self.core.end(why);
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.core.lock().left = true;
    }
}

impl State {
    fn sent(&self) -> u64 {
        self.acknowledged + self.waiting.len() as u64
    }
}

impl Core {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Every critical section leaves the state whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_for_change(&self, limit: Duration) {
        let state = self.lock();
        drop(self.changed.wait_timeout(state, limit));
    }

    /// Under one lock with the check, so that nothing is sent after the end, and numbers and queue have one order.
    fn try_send(&self, topic_name: &str, record: &Record, done: &mut Option<Done>) -> Result<Option<u64>, LogError> {
        let mut state = self.lock();
        let Some(producer) = &state.producer else {
            return Err(LogError::ProducerEnded);
        };
        let sequence = state.sent() + 1;
        let opaque = usize::try_from(sequence).expect("a counter of sends fits");
        match producer.send(wire::message(topic_name, record, opaque)?) {
            Ok(()) => {}
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => return Ok(None),
            Err((error, _)) => {
                drop(state);
                let error = LogError::backend("sending to Kafka", error);
                self.end(&error);
                return Err(error);
            }
        }
        let bytes = record.key.len() + record.value.as_ref().map_or(0, bytes::Bytes::len);
        state.bytes += bytes;
        state.waiting.push_back(Waiting {
            sent_at: Instant::now(),
            bytes,
            done: done.take(),
            durable: false,
        });
        Ok(Some(sequence))
    }

    fn delivered(&self, sequence: u64, at: Acknowledged) {
        let mut state = self.lock();
        let Some(index) = sequence.checked_sub(state.acknowledged + 1) else {
            return;
        };
        let Some(waiting) = usize::try_from(index).ok().and_then(|i| state.waiting.get_mut(i)) else {
            return;
        };
        waiting.durable = true;
        let done = waiting.done.take();
        while state.waiting.front().is_some_and(|w| w.durable) {
            let first = state.waiting.pop_front().expect("looked at just now");
            state.acknowledged += 1;
            state.bytes -= first.bytes;
        }
        drop(state);
        self.changed.notify_all();
        if let Some(done) = done {
            done(Ok(at));
        }
    }

    /// Whoever comes second finds nothing to end.
    fn end(&self, why: &LogError) {
        let mut state = self.lock();
        let Some(producer) = state.producer.take() else { return };
        state.ended = Some(producer.clone());
        let given_up: Vec<_> = state
            .waiting
            .iter_mut()
            .filter(|w| !w.durable)
            .map(|w| w.done.take())
            .collect();
        state.bytes = 0;
        drop(state);
        producer.purge(PurgeConfig::default().queue().inflight());
        self.changed.notify_all();
        self.metrics.queue_bytes.set(0.0);
        if !given_up.is_empty() {
            self.metrics.ends.increment(1);
            tracing::warn!(
                producer = %self.name, error = why as &dyn std::error::Error, unacknowledged = given_up.len(),
                "a send failed or is overdue, the producer ends: what follows it is not sent"
            );
        }
        let mut first = true;
        for done in given_up.into_iter().flatten() {
            // Whether the first is in the log is not known; that goes for those behind it as well.
            let error = if std::mem::take(&mut first) {
                LogError::Timeout(self.send_deadline)
            } else {
                LogError::ProducerEnded
            };
            done(Err(error));
        }
    }

    pub(crate) fn wait(&self, sequence: u64, deadline: Instant) -> Result<(), LogError> {
        let began = Instant::now();
        let mut state = self.lock();
        loop {
            if state.acknowledged >= sequence {
                return Ok(());
            }
            if state.producer.is_none() {
                return Err(LogError::ProducerEnded);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(LogError::Timeout(began.elapsed()));
            }
            state = self
                .changed
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Waits for everything sent so far.
    pub(crate) fn flush(&self, deadline: Instant) -> Result<(), LogError> {
        let sent = self.lock().sent();
        self.wait(sent, deadline)
    }

    /// librdkafka asks for a producer id half a second after it was made, or with the first metadata that come.
    fn wake(&self, topic_name: &str) {
        let producer = self.lock().producer.clone();
        if let Some(producer) = producer
            && let Err(error) = producer.client().fetch_metadata(Some(topic_name), WAKE)
        {
            tracing::debug!(%error, producer = %self.name, "no broker answers yet");
        }
    }

    fn serve(&self) {
        loop {
            let (producer, oldest) = {
                let mut state = self.lock();
                let Some(producer) = state.producer.clone() else {
                    let ended = state.ended.take();
                    drop(state);
                    return drop(ended);
                };
                if state.left && state.waiting.is_empty() {
                    drop(state);
                    self.end(&LogError::Closed);
                    continue;
                }
                #[allow(clippy::cast_precision_loss, reason = "a gauge takes doubles")]
                self.metrics.queue_bytes.set(state.bytes as f64);
                (producer, state.waiting.front().map(|w| w.sent_at))
            };
            if oldest.is_some_and(|at| at.elapsed() > self.send_deadline) {
                // What has been acknowledged meanwhile is in the queue of reports: look once more.
                producer.poll(Duration::ZERO);
                let still = self.lock().waiting.front().map(|w| w.sent_at);
                if still == oldest {
                    self.end(&LogError::Timeout(self.send_deadline));
                    continue;
                }
            }
            producer.poll(SERVE);
        }
    }
}
