//! Reading a partition's changelog to the end that counts (design §5).

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use log::{CrashPoint, LogError, Stored, crash_point};
use model::{Offset, Partition};
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset as Place, TopicPartitionList};
use topology::Topic;

use crate::context::Quiet;
use crate::member::MemberContext;
use crate::shared::{Shared, committed_offsets};
use crate::wire;

/// Records between two looks at the group.
const CHUNK: usize = 2_000;
/// One wait for records, or for somebody's transaction; the group is looked at in between.
const SLICE: Duration = Duration::from_millis(10);
/// Without a record for this long, an attempt is over.
const STALL: Duration = Duration::from_secs(10);

/// Without a record for this long after the end was told, there is none.
const REST: Duration = Duration::from_secs(1);

/// A reader without a group, kept from restore to restore.
pub(crate) struct Restorer {
    shared: Arc<Shared>,
    client: BaseConsumer<Quiet>,
}

impl Restorer {
    pub(crate) fn new(shared: Arc<Shared>) -> Result<Self, LogError> {
        let client = BaseConsumer::from_config_and_context(&shared.config.restorer(), Quiet)
            .map_err(|error| LogError::backend("making a client to restore with", error))?;
        Ok(Self { shared, client })
    }

    /// Everything of a changelog's partition that was there, or in doubt, when this was called. `meanwhile` is called every
    /// few milliseconds: it keeps the membership, and its error ends the restore.
    pub(crate) fn read(
        &mut self,
        changelog: Topic,
        partition: Partition,
        apply: &mut dyn FnMut(Stored),
        meanwhile: &mut dyn FnMut() -> Result<(), LogError>,
    ) -> Result<(), LogError> {
        let high = self.shared.high_watermark(changelog, partition)?;
        let low = self.shared.start(changelog, partition)?;
        self.wait_until_stable(changelog, partition, high, meanwhile)?;
        if low >= high {
            return Ok(());
        }
        self.assign(changelog, partition, Some(low))?;
        let result = self.read_to(changelog, partition, low, high, apply, meanwhile);
        self.assign(changelog, partition, None)?;
        result
    }

    /// Up to `high` nothing is in doubt any more: transactions that were open have ended, by themselves or by their time-out.
    fn wait_until_stable(
        &self,
        changelog: Topic,
        partition: Partition,
        high: Offset,
        meanwhile: &mut dyn FnMut() -> Result<(), LogError>,
    ) -> Result<(), LogError> {
        let began = Instant::now();
        while self.shared.end(changelog, partition)? < high {
            meanwhile()?;
            if began.elapsed() > self.shared.config.answer_deadline {
                return Err(LogError::Timeout(began.elapsed()));
            }
            thread::sleep(SLICE);
        }
        Ok(())
    }

    fn read_to(
        &self,
        changelog: Topic,
        partition: Partition,
        low: Offset,
        high: Offset,
        apply: &mut dyn FnMut(Stored),
        meanwhile: &mut dyn FnMut() -> Result<(), LogError>,
    ) -> Result<(), LogError> {
        let middle = low + (high - low) / 2;
        let mut passed_middle = false;
        let mut last = Instant::now();
        let mut ended = None;
        loop {
            for _ in 0..CHUNK {
                match self.client.poll(SLICE) {
                    Some(Ok(message)) => {
                        last = Instant::now();
                        ended = None;
                        let stored = wire::stored(changelog, &message);
                        let next = stored.offset + 1;
                        apply(stored);
                        if !passed_middle && next > middle {
                            passed_middle = true;
                            crash_point(CrashPoint::DuringRestore);
                        }
                        if next >= high {
                            return Ok(());
                        }
                    }
                    Some(Err(KafkaError::PartitionEOF(_))) => {
                        ended.get_or_insert_with(Instant::now);
                        break;
                    }
                    Some(Err(error)) => self.told(changelog, partition, &error)?,
                    None => break,
                }
            }
            // Control records are passed without a word: the position tells.
            if self.position(changelog, partition)? >= Some(high) {
                return Ok(());
            }
            // An end-of-partition event proves nothing by itself (a new leader may lag behind for a moment), but compaction may
            // have removed the last records before `high`, and then no position ever gets there.
            if ended.is_some_and(|at| at.elapsed() > REST) {
                tracing::debug!(%changelog, partition, high, "the changelog ends before its high watermark");
                return Ok(());
            }
            meanwhile()?;
            if last.elapsed() > STALL {
                return Err(LogError::Timeout(STALL));
            }
        }
    }

    fn told(&self, changelog: Topic, partition: Partition, error: &KafkaError) -> Result<(), LogError> {
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::AutoOffsetReset) {
            // Compaction has moved the start since we asked: begin anew.
            let name = self.shared.name(changelog);
            tracing::debug!(topic = name, partition, "the changelog's start has moved");
            return Err(LogError::Timeout(Duration::ZERO));
        }
        tracing::debug!(%error, "reading the changelog");
        Ok(())
    }

    fn position(&self, changelog: Topic, partition: Partition) -> Result<Option<Offset>, LogError> {
        let positions = self
            .client
            .position()
            .map_err(|error| LogError::backend("asking for the reader's position", error))?;
        let found = positions.find_partition(self.shared.name(changelog), wire::partition_id(partition)?);
        Ok(found
            .and_then(|f| f.offset().to_raw())
            .and_then(|raw| Offset::try_from(raw).ok()))
    }

    fn assign(&self, changelog: Topic, partition: Partition, from: Option<Offset>) -> Result<(), LogError> {
        let failed = |error| LogError::backend("assigning the changelog to its reader", error);
        let mut list = TopicPartitionList::new();
        if let Some(from) = from {
            let place = Place::Offset(wire::offset_id(from)?);
            list.add_partition_offset(self.shared.name(changelog), wire::partition_id(partition)?, place)
                .map_err(failed)?;
        }
        self.client.assign(&list).map_err(failed)
    }
}

/// A question that may block, asked on a thread of its own.
pub(crate) struct Asked<T>(Receiver<Result<T, LogError>>);

impl<T: Send + 'static> Asked<T> {
    pub(crate) fn new(ask: impl FnOnce() -> Result<T, LogError> + Send + 'static) -> Result<Self, LogError> {
        let (answer, answered) = sync_channel(1);
        thread::Builder::new()
            .name("log-ask".to_owned())
            .spawn(move || {
                // Nobody waits any more: the deadline has passed.
                drop(answer.send(ask()));
            })
            .map_err(|error| LogError::backend("starting a thread to ask on", error))?;
        Ok(Self(answered))
    }

    /// Waits until `limit`, and looks after `meanwhile`.
    pub(crate) fn wait(
        self,
        limit: Duration,
        meanwhile: &mut dyn FnMut() -> Result<(), LogError>,
    ) -> Result<T, LogError> {
        let deadline = Instant::now() + limit;
        loop {
            match self.0.recv_timeout(SLICE) {
                Ok(answer) => return answer,
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(LogError::Unusable("a question's thread panicked".to_owned()));
                }
                Err(RecvTimeoutError::Timeout) if Instant::now() > deadline => return Err(LogError::Timeout(limit)),
                Err(RecvTimeoutError::Timeout) => meanwhile()?,
            }
        }
    }
}

/// The group's next offset of one partition. Answers when no transaction holds offsets of it.
pub(crate) fn stable_position(
    consumer: Arc<BaseConsumer<MemberContext>>,
    topic_name: String,
    partition: Partition,
    limit: Duration,
) -> Result<Asked<Option<Offset>>, LogError> {
    Asked::new(move || {
        let found = committed_offsets(&*consumer, &topic_name, partition..partition + 1, limit)?;
        Ok(found.first().copied().flatten())
    })
}
