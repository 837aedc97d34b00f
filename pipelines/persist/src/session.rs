//! One consumer's life: batches from the log into the store, each position after its rows.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use log::{Consumer, CrashPoint, IdFilter, Log, LogError, Producer, Record, Stored, crash_point};
use model::rollup::SampleRefusal;
use model::{Offset, Partition, RecordId};
use store::{Store, StoreError};
use tokio::runtime::Handle;
use tokio::sync::watch;
use topology::{Delivery, Group, Topic};

use crate::core::{Change, Refusal, change_of, error_chain};
use crate::dead_letter::dead_letter;
use crate::metric;
use crate::plan::plan;
use crate::requests::{AnswerError, Requests};
use crate::status::PersistStatus;

/// A batch below this is followed by a rest: the next one is larger, for the same two fsyncs.
const SMALL_BATCH_RECORDS: u64 = 200;
/// How long that rest is: history may trail the board by it.
const PACE: Duration = Duration::from_millis(10);
/// Records of one batch.
pub(crate) const BATCH_RECORDS: usize = 2_000;
/// First and longest wait between attempts.
const RETRY_FIRST: Duration = Duration::from_millis(20);
const RETRY_MAX: Duration = Duration::from_secs(5);
/// How often a member shows itself while the store is slow.
const POLL_EVERY: Duration = Duration::from_secs(1);
/// How long a write that is on its way when a stop is asked for may still take.
const STOP_GRACE: Duration = Duration::from_secs(3);
/// How long a dead letter may take to be durable.
const LETTER_DEADLINE: Duration = Duration::from_secs(10);

/// What a thread works with.
pub(crate) struct Context {
    pub(crate) log: Arc<dyn Log>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) runtime: Handle,
    pub(crate) thread: u32,
    pub(crate) status: Arc<PersistStatus>,
    pub(crate) stopping: watch::Receiver<bool>,
    /// Not in a rebuild: the letters are there already.
    pub(crate) sends_letters: bool,
}

impl Context {
    /// A stop was asked for, or nobody is left who could ask.
    pub(crate) fn is_stopping(&self) -> bool {
        *self.stopping.borrow() || self.stopping.has_changed().is_err()
    }

    /// Waits, or less if a stop is asked for.
    pub(crate) fn rest(&self, wait: Duration) {
        let mut stopping = self.stopping.clone();
        self.runtime.block_on(async move {
            // Elapsed is the usual outcome; a sender that is gone is a stop too.
            drop(tokio::time::timeout(wait, stopping.wait_for(|stop| *stop)).await);
        });
    }

    /// Says what keeps this thread, in the log and in the status.
    pub(crate) fn failed(&self, of: &'static str, error: &(dyn std::error::Error + 'static)) {
        metrics::counter!(metric::ERRORS, "of" => of).increment(1);
        let error = error_chain(error).join(": ");
        tracing::warn!(%error, thread = self.thread, "persist waits for the {of} and tries again");
        self.status.set_error(self.thread, Some(format!("{of}: {error}")));
    }
}

/// Doubling waits.
pub(crate) struct Retry(Duration);

impl Retry {
    pub(crate) fn new() -> Self {
        Self(RETRY_FIRST)
    }

    pub(crate) fn next(&mut self) -> Duration {
        let wait = self.0;
        self.0 = (wait * 2).min(RETRY_MAX);
        wait
    }
}

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stepped {
    /// Nothing stood in the topics.
    Idle,
    /// So many records were taken, into so many rows.
    Did { records: u64, rows: u64 },
    /// A stop came before the store took the batch: its position stays.
    Stopped,
}

pub(crate) struct Session<'a> {
    context: &'a Context,
    consumer: Box<dyn Consumer>,
    letters: Option<Box<dyn Producer>>,
    ids: IdFilter,
    /// Next offset of each owned partition, as committed.
    positions: BTreeMap<(Topic, Partition), Offset>,
    /// Came while the store was away, with what kept the membership alive.
    pending: Vec<Stored>,
    /// Partitions that wait for a schema id, and where. What is read of them meanwhile is dropped, and read again.
    waiting: BTreeMap<(Topic, Partition), (Offset, u32)>,
    requests: Requests,
}

/// A batch, sorted out.
#[derive(Default)]
struct Batch {
    changes: Vec<Change>,
    letters: Vec<Record>,
    repeated: u64,
    positions: BTreeMap<(Topic, Partition), Offset>,
    /// The last record of each partition that carries an id.
    ids: BTreeMap<(Topic, Partition), RecordId>,
    refused: Vec<SampleRefusal>,
}

impl<'a> Session<'a> {
    pub(crate) fn new(context: &'a Context, of: u32) -> Result<Self, LogError> {
        let slot = log::ThreadSlot {
            index: context.thread,
            of,
        };
        Ok(Self {
            consumer: context.log.consumer(Group::Persist, slot)?,
            context,
            letters: None,
            ids: IdFilter::default(),
            positions: BTreeMap::new(),
            pending: Vec::new(),
            waiting: BTreeMap::new(),
            requests: Requests::new(),
        })
    }

    /// Next offset of each owned partition, as committed.
    pub(crate) fn positions(&self) -> &BTreeMap<(Topic, Partition), Offset> {
        &self.positions
    }

    /// Reads everything again from where it is kept, and forgets the position durably.
    pub(crate) fn rewind(&mut self) -> Result<(), LogError> {
        let mut starts = BTreeMap::new();
        for topic in Group::Persist.spec().reads {
            starts.insert(*topic, self.context.log.starts(*topic)?);
        }
        for ((topic, partition), next) in &mut self.positions {
            *next = starts[topic]
                .get(usize::try_from(*partition).unwrap_or(usize::MAX))
                .copied()
                .unwrap_or(0);
            self.consumer.seek(*topic, *partition, *next)?;
        }
        self.pending.clear();
        self.waiting.clear();
        self.requests = Requests::new();
        self.ids = IdFilter::default();
        self.commit_positions(self.positions.clone())
    }

    /// Only learns what is owned; records that come with it wait.
    pub(crate) fn join(&mut self, wait: Duration) -> Result<(), LogError> {
        self.poll(0, wait)
    }

    /// Whether a partition waits for a schema.
    pub(crate) fn waits(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Takes one batch all the way, or finds that there is none.
    pub(crate) fn step(&mut self, wait: Duration) -> Result<Stepped, LogError> {
        self.go_on_where_learned()?;
        if self.pending.is_empty() {
            self.poll(BATCH_RECORDS, wait)?;
        }
        let records = std::mem::take(&mut self.pending);
        if records.is_empty() {
            self.answer()?;
            if self.waits() || !self.requests.is_empty() {
                self.measure_lag()?;
            } else {
                self.context.status.set_lag(self.context.thread, 0);
            }
            self.say_what_waits();
            return Ok(Stepped::Idle);
        }
        let started = Instant::now();
        let taken = u64::try_from(records.len()).unwrap_or(u64::MAX);
        let batch = self.sort_out(records);
        if !self.send_letters(&batch.letters) {
            return Ok(Stepped::Stopped);
        }
        let Some(rows) = self.write(&batch.changes)? else {
            return Ok(Stepped::Stopped);
        };
        crash_point(CrashPoint::PersistBetweenRowsAndPosition);
        self.count(&batch);
        self.commit_positions(batch.positions)?;
        self.context.status.note_stored(batch.ids);
        self.answer()?;
        self.say_what_waits();
        metrics::counter!(metric::BATCHES).increment(1);
        metrics::histogram!(metric::BATCH_SECONDS).record(started.elapsed());
        self.measure_lag()?;
        if taken < SMALL_BATCH_RECORDS {
            self.context.rest(PACE);
        }
        Ok(Stepped::Did { records: taken, rows })
    }

    fn poll(&mut self, max: usize, wait: Duration) -> Result<(), LogError> {
        let polled = self.consumer.poll(max, wait)?;
        for key in &polled.revoked {
            self.positions.remove(key);
            self.waiting.remove(key);
            self.requests.forget(*key);
        }
        for (topic, partition) in polled.assigned {
            let at = usize::try_from(partition).unwrap_or(usize::MAX);
            let oldest = self.context.log.starts(topic)?.get(at).copied().unwrap_or(0);
            let committed = self
                .context
                .log
                .committed(Group::Persist, topic)?
                .get(at)
                .copied()
                .flatten();
            self.positions
                .insert((topic, partition), committed.unwrap_or(oldest).max(oldest));
        }
        self.pending.extend(polled.records);
        Ok(())
    }

    fn sort_out(&mut self, records: Vec<Stored>) -> Batch {
        let mut batch = Batch::default();
        let codec = Arc::clone(self.context.log.codec());
        for stored in records {
            let key = (stored.record.topic, stored.record.partition);
            if self.waiting.contains_key(&key) {
                continue;
            }
            if let Some(id) = &stored.record.headers.record_id {
                batch.ids.insert(key, id.clone());
            }
            match change_of(&codec, &stored) {
                Err(Refusal::UnknownSchema(id)) => {
                    self.wait_for_schema(key, stored.offset, id);
                    continue;
                }
                Err(Refusal::Poison { reason, errors }) => {
                    tracing::warn!(
                        topic = %key.0, partition = key.1, offset = stored.offset, reason, error = errors.join(": "),
                        "a record cannot be stored: it goes to the dead letters"
                    );
                    match dead_letter(&codec, &stored, reason, &errors) {
                        Ok(letter) => batch.letters.push(letter),
                        Err(error) => tracing::error!(%error, "a dead letter cannot be written: a bug"),
                    }
                }
                Ok(_) if key.0.spec().delivery == Delivery::Fast && !self.ids.admits(&stored) => batch.repeated += 1,
                Ok(Change::Refused(refusal)) => batch.refused.push(refusal),
                // In a rebuild they were answered before.
                Ok(Change::Wanted(_)) if !self.context.sends_letters => {}
                Ok(Change::Wanted(request)) => {
                    // Its position follows once it is answered.
                    self.requests.take(key.1, stored.offset, request);
                    continue;
                }
                Ok(change) => batch.changes.push(change),
            }
            batch.positions.insert(key, stored.offset + 1);
        }
        batch
    }

    /// Durable before the position. `false` if a stop came first.
    fn send_letters(&mut self, letters: &[Record]) -> bool {
        let mut retry = Retry::new();
        let letters = if self.context.sends_letters { letters } else { &[] };
        for letter in letters {
            while let Err(error) = self.send_letter(letter) {
                self.letters = None;
                if matches!(error, LogError::TooLarge { .. }) {
                    tracing::error!(%error, "a dead letter is too large for the log: a bug");
                    break;
                }
                self.context.failed("log", &error);
                if self.context.is_stopping() || matches!(error, LogError::Closed) {
                    return false;
                }
                self.context.rest(retry.next());
            }
            self.context.status.add_dead_letter();
        }
        true
    }

    fn send_letter(&mut self, letter: &Record) -> Result<(), LogError> {
        let producer = match &mut self.letters {
            Some(producer) => producer,
            none => none.insert(self.context.log.producer("persist")?),
        };
        producer
            .send_and_wait(letter.clone(), Instant::now() + LETTER_DEADLINE)
            .map(drop)
    }

    /// Answers the number of rows once the store has acknowledged all, however long that takes; `None` if a stop came first.
    fn write(&mut self, changes: &[Change]) -> Result<Option<u64>, LogError> {
        let mut retry = Retry::new();
        loop {
            match self.attempt(changes)? {
                Some(Ok(rows)) => return Ok(Some(rows)),
                Some(Err(error)) => self.context.failed("store", &error),
                None => return Ok(None),
            }
            if self.context.is_stopping() {
                return Ok(None);
            }
            self.context.rest(retry.next());
            // Who does not poll is not a member for long.
            self.poll(0, Duration::ZERO)?;
        }
    }

    /// One attempt, however slow the store is: who does not poll meanwhile is not a member for long. `None` if it was given up
    /// for a stop.
    fn attempt(&mut self, changes: &[Change]) -> Result<Option<Result<u64, StoreError>>, LogError> {
        let context = self.context;
        let mut attempt = pin!(attempt(context, changes));
        loop {
            let turn = async { tokio::time::timeout(POLL_EVERY, &mut attempt).await };
            match context.runtime.block_on(turn) {
                Ok(outcome) => return Ok(outcome),
                Err(_) => self.poll(0, Duration::ZERO)?,
            }
        }
    }

    /// Answers requests whose samples are stored, and moves their position.
    fn answer(&mut self) -> Result<(), LogError> {
        if self.requests.is_empty() {
            return Ok(());
        }
        if let Err(error) = self.requests.answer(self.context) {
            match error {
                AnswerError::Store(error) => self.context.failed("store", &error),
                AnswerError::Log(error) => return Err(error),
            }
        }
        let positions = self.requests.positions();
        let moved = positions
            .into_iter()
            .filter(|(key, next)| self.positions.get(key).is_some_and(|known| known < next));
        self.commit_positions(moved.collect())
    }

    fn count(&self, batch: &Batch) {
        let count = |outcome: &'static str, n: usize| {
            metrics::counter!(metric::RECORDS, "outcome" => outcome).increment(u64::try_from(n).unwrap_or(u64::MAX));
        };
        count("written", batch.changes.len());
        count("dead_lettered", batch.letters.len());
        metrics::counter!(metric::RECORDS, "outcome" => "repeated").increment(batch.repeated);
        count("refused", batch.refused.len());
        for refusal in &batch.refused {
            metrics::counter!(metric::REFUSED, "reason" => refusal.as_str()).increment(1);
        }
    }

    fn commit_positions(&mut self, positions: BTreeMap<(Topic, Partition), Offset>) -> Result<(), LogError> {
        // A partition that went while the store was away is another's now: it reads these records again.
        let owned: BTreeMap<_, _> = positions
            .into_iter()
            .filter(|(key, _)| self.positions.contains_key(key))
            .collect();
        let list: Vec<_> = owned
            .iter()
            .map(|((topic, partition), next)| (*topic, *partition, *next))
            .collect();
        if !list.is_empty() {
            self.consumer.commit(&list)?;
        }
        self.positions.extend(owned);
        Ok(())
    }

    fn measure_lag(&self) -> Result<(), LogError> {
        let mut lag = 0u64;
        for topic in Group::Persist.spec().reads {
            for (partition, end) in (0..).zip(self.context.log.ends(*topic)?) {
                let next = self.positions.get(&(*topic, partition));
                lag = lag.saturating_add(next.map_or(0, |next| end.saturating_sub(*next)));
            }
        }
        self.context.status.set_lag(self.context.thread, lag);
        Ok(())
    }

    /// The partition rests at this record, and all of it behind; the others go on.
    fn wait_for_schema(&mut self, key: (Topic, Partition), offset: Offset, id: u32) {
        metrics::counter!(metric::ERRORS, "of" => "schema").increment(1);
        tracing::error!(
            topic = %key.0, partition = key.1, offset, id,
            "unknown schema id: the partition waits for the registry or a newer build"
        );
        self.waiting.insert(key, (offset, id));
    }

    /// Goes back to where a record waited whose schema has been learned since.
    fn go_on_where_learned(&mut self) -> Result<(), LogError> {
        let codec = self.context.log.codec();
        let learned: Vec<_> = self
            .waiting
            .iter()
            .filter(|(_, (_, id))| codec.knows(*id))
            .map(|(&key, &(offset, id))| (key, offset, id))
            .collect();
        for ((topic, partition), offset, id) in learned {
            tracing::info!(%topic, partition, offset, id, "schema id learned: the partition goes on");
            self.consumer.seek(topic, partition, offset)?;
            self.pending
                .retain(|s| (s.record.topic, s.record.partition) != (topic, partition));
            self.waiting.remove(&(topic, partition));
        }
        Ok(())
    }

    fn say_what_waits(&self) {
        let waits = self.waiting.iter().next().map(|((topic, partition), (offset, id))| {
            format!(
                "schema id {id} of {topic}/{partition} offset {offset} is not known: waiting for the schema registry, or for \
                 an upgrade of this part"
            )
        });
        self.context.status.set_error(self.context.thread, waits);
        let partitions = u32::try_from(self.waiting.len()).unwrap_or(u32::MAX);
        metrics::gauge!(metric::SCHEMA_WAITS, "thread" => self.context.thread.to_string()).set(partitions);
    }
}

/// `None` if it was given up for a stop.
async fn attempt(context: &Context, changes: &[Change]) -> Option<Result<u64, StoreError>> {
    let store = &context.store;
    let work = async {
        let plan = plan(store, changes).await?;
        plan.apply(store).await?;
        let rows = u64::try_from(plan.rows.len()).unwrap_or(u64::MAX);
        metrics::counter!(metric::ROWS).increment(rows);
        metrics::counter!(metric::DELETIONS).increment(u64::try_from(plan.deletions.len()).unwrap_or(u64::MAX));
        Ok(rows)
    };
    let mut stopping = context.stopping.clone();
    let grace = async move {
        drop(stopping.wait_for(|stop| *stop).await);
        tokio::time::sleep(STOP_GRACE).await;
    };
    tokio::select! {
        result = work => Some(result),
        () = grace => None,
    }
}
