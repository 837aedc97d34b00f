//! Windows that `rollup` cannot add up itself. A request waits until the store has what it is about, and is answered into
//! `observations`; its position moves after its answer is durable. An answer that is given twice is asked for once: the second one
//! is of no effect.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use log::{Headers, LogError, Producer, Record};
use model::rollup::{Summary, Window};
use model::{Micros, Offset, Partition, WriterId};
use schemas::{WindowPart, WindowRecomputed};
use store::{Store, StoreError, queries};
use topology::{Group, Topic};

use crate::core::Request;
use crate::metric;
use crate::plan::all;
use crate::session::Context;

/// Requests that are held of one partition; more wait in the log.
const HELD_MAX: usize = 4_096;
/// Answers of one turn, and reads at one time.
const ANSWERS_MAX: usize = 256;
const READS_MAX: usize = 16;
/// How often the log is asked how far others are.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// How long answers may take to be durable.
const ANSWER_DEADLINE: Duration = Duration::from_secs(10);

/// Why requests wait.
#[derive(Debug)]
pub(crate) enum AnswerError {
    /// The store does not answer: they are answered later.
    Store(StoreError),
    /// The log failed.
    Log(LogError),
}

impl From<StoreError> for AnswerError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<LogError> for AnswerError {
    fn from(error: LogError) -> Self {
        Self::Log(error)
    }
}

struct Held {
    offset: Offset,
    request: Request,
    /// Where the topic that it waits for ended when this was first seen: what it is about stands before.
    end: Option<Offset>,
}

impl Held {
    /// Where the record stands that has to be stored before.
    fn topic(&self) -> Topic {
        match self.request.window {
            Window::Hour | Window::Day => Topic::Measurements,
            Window::Month => Topic::RollupsDay,
        }
    }
}

#[derive(Default)]
struct Queue {
    held: VecDeque<Held>,
    /// Behind the last record taken.
    next: Offset,
}

/// The sending side: one writer, as long as its producer lives.
struct Writer {
    producer: Box<dyn Producer>,
    name: String,
    next: u64,
}

pub(crate) struct Requests {
    queues: BTreeMap<Partition, Queue>,
    writer: Option<Writer>,
    asked_at: Option<Instant>,
}

impl Requests {
    pub(crate) fn new() -> Self {
        Self {
            queues: BTreeMap::new(),
            writer: None,
            asked_at: None,
        }
    }

    /// Takes a request; one that there is no room for is forgotten: the step asks again after an hour.
    pub(crate) fn take(&mut self, partition: Partition, offset: Offset, request: Request) {
        let queue = self.queues.entry(partition).or_default();
        queue.next = queue.next.max(offset + 1);
        if queue.held.len() < HELD_MAX {
            let end = None;
            queue.held.push_back(Held { offset, request, end });
        }
    }

    /// A partition is another's now.
    pub(crate) fn forget(&mut self, (topic, partition): (Topic, Partition)) {
        if topic == Topic::ReadRequests {
            self.queues.remove(&partition);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queues.values().all(|queue| queue.held.is_empty())
    }

    /// Next offset to read of each partition, as far as all before it are answered.
    pub(crate) fn positions(&self) -> BTreeMap<(Topic, Partition), Offset> {
        let next = |queue: &Queue| queue.held.front().map_or(queue.next, |held| held.offset);
        let positions = self
            .queues
            .iter()
            .map(|(partition, queue)| ((Topic::ReadRequests, *partition), next(queue)));
        positions.collect()
    }

    /// Answers what can be.
    pub(crate) fn answer(&mut self, context: &Context) -> Result<(), AnswerError> {
        self.learn_ends(context)?;
        for partition in self.queues.keys().copied().collect::<Vec<_>>() {
            self.answer_partition(context, partition)?;
        }
        let waiting: usize = self.queues.values().map(|queue| queue.held.len()).sum();
        let waiting = u32::try_from(waiting).unwrap_or(u32::MAX);
        metrics::gauge!(metric::REQUESTS, "thread" => context.thread.to_string()).set(waiting);
        Ok(())
    }

    /// Requests whose record no thread of this process has seen stored: then the group's positions tell, now and then.
    fn learn_ends(&mut self, context: &Context) -> Result<(), LogError> {
        let is_stored =
            |partition: Partition, held: &Held| context.status.has_stored(held.topic(), partition, &held.request.after);
        let is_open = |(&partition, queue): (&Partition, &Queue)| {
            queue
                .held
                .front()
                .is_some_and(|held| held.end != Some(0) && !is_stored(partition, held))
        };
        let is_time = self.asked_at.is_none_or(|at| at.elapsed() >= ASK_EVERY);
        if !is_time || !self.queues.iter().any(is_open) {
            return Ok(());
        }
        self.asked_at = Some(Instant::now());
        for topic in [Topic::Measurements, Topic::RollupsDay] {
            // In this order: what is committed is compared with an end of before.
            let ends = context.log.ends(topic)?;
            let committed = context.log.committed(Group::Persist, topic)?;
            for (partition, queue) in &mut self.queues {
                let at = usize::try_from(*partition).unwrap_or(usize::MAX);
                let (Some(end), Some(next)) = (ends.get(at), committed.get(at)) else {
                    continue;
                };
                for held in queue.held.iter_mut().filter(|held| held.topic() == topic) {
                    let end = *held.end.get_or_insert(*end);
                    if next.unwrap_or(0) >= end {
                        // All that stood there is stored.
                        held.end = Some(0);
                    }
                }
            }
        }
        Ok(())
    }

    fn answer_partition(&mut self, context: &Context, partition: Partition) -> Result<(), AnswerError> {
        loop {
            let Some(queue) = self.queues.get(&partition) else {
                return Ok(());
            };
            let is_ready = |held: &&Held| {
                held.end == Some(0) || context.status.has_stored(held.topic(), partition, &held.request.after)
            };
            let ready = queue.held.iter().take(ANSWERS_MAX).take_while(is_ready);
            let requests: Vec<Request> = ready.map(|held| held.request.clone()).collect();
            if requests.is_empty() {
                return Ok(());
            }
            let answers = context.runtime.block_on(read(&context.store, &requests))?;
            if let Err(error) = self.send(context, partition, &answers) {
                // The next one is of another writer: what came through of this one is told again.
                self.writer = None;
                return Err(error.into());
            }
            metrics::counter!(metric::ANSWERS).increment(u64::try_from(answers.len()).unwrap_or(u64::MAX));
            if let Some(queue) = self.queues.get_mut(&partition) {
                queue.held.drain(..requests.len());
            }
            if context.is_stopping() {
                return Ok(());
            }
        }
    }

    /// Sends answers in order, and waits until the last is durable.
    fn send(&mut self, context: &Context, partition: Partition, answers: &[WindowRecomputed]) -> Result<(), LogError> {
        let writer = match &mut self.writer {
            Some(writer) => writer,
            none => none.insert(Writer {
                producer: context.log.producer("persist-answers")?,
                name: format!("persist-{}-{:016x}", context.thread, rand::random::<u64>()),
                next: 0,
            }),
        };
        let codec = context.log.codec();
        let mut last = None;
        for answer in answers {
            let value = match codec.encode(&answer.clone().into()) {
                Ok(value) => value,
                Err(error) => {
                    tracing::error!(%error, "an answer cannot be encoded: a bug");
                    continue;
                }
            };
            let record = Record {
                topic: Topic::Observations,
                partition,
                key: Bytes::copy_from_slice(answer.root.as_bytes()),
                value: Some(value.into()),
                headers: Headers {
                    writer: Some(WriterId {
                        writer: writer.name.clone(),
                        sequence: writer.next,
                    }),
                    ..Headers::default()
                },
            };
            writer.next += 1;
            last = Some(writer.producer.send(record, None)?);
        }
        match last {
            Some(last) => writer.producer.wait(last, Instant::now() + ANSWER_DEADLINE),
            None => Ok(()),
        }
    }
}

/// Adds up what was asked for, several at one time; the answers stand in the requests' order.
async fn read(store: &Arc<dyn Store>, requests: &[Request]) -> Result<Vec<WindowRecomputed>, StoreError> {
    let mut answers: BTreeMap<usize, WindowRecomputed> = BTreeMap::new();
    let reads = requests.iter().cloned().enumerate().map(|(at, request)| {
        let store = Arc::clone(store);
        async move { Ok((at, answer(&*store, &request).await?)) }
    });
    all(reads, READS_MAX, |(at, answer)| drop(answers.insert(at, answer))).await?;
    Ok(answers.into_values().collect())
}

async fn answer(store: &dyn Store, request: &Request) -> Result<WindowRecomputed, StoreError> {
    let Request { entity, measure, .. } = request;
    let (parts, unit) = match request.window {
        Window::Hour | Window::Day => {
            let day = Window::Day.start(request.start);
            queries::sums_of_day(store, entity, measure, day).await?
        }
        Window::Month => queries::sums_of_month(store, entity, measure, request.start).await?,
    };
    let nothing = Summary {
        n: 0,
        ..Summary::of(request.start, 0.0)
    };
    let total = Summary::merged(parts.iter().map(|(_, sum)| *sum)).unwrap_or(nothing);
    Ok(WindowRecomputed {
        entity: entity.as_str().to_owned(),
        root: entity.root_str().to_owned(),
        measure: measure.clone(),
        unit,
        window: request.window.as_str().to_owned(),
        start: request.start,
        n: count(total.n),
        sum: total.sum,
        sum_squares: total.sum_squares,
        min: total.min,
        max: total.max,
        first: total.first,
        first_at: total.first_at,
        last: total.last,
        last_at: total.last_at,
        sample_id: request.after.as_bytes().to_vec(),
        parts: parts.iter().map(part).collect(),
    })
}

fn part((start, sum): &(Micros, Summary)) -> WindowPart {
    WindowPart {
        start: *start,
        n: count(sum.n),
        sum: sum.sum,
        sum_squares: sum.sum_squares,
        min: sum.min,
        max: sum.max,
        first: sum.first,
        first_at: sum.first_at,
        last: sum.last,
        last_at: sum.last_at,
    }
}

fn count(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
