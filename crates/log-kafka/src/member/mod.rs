//! A member of a consumer group: who owns what, and records from where they were sought.
//!
//! An assignment is acknowledged without reading anything: a partition is fetched from its first seek on, from exactly that
//! offset. (Assigned at a logical offset and sought later, a late answer to the question for that offset can undo the seek:
//! seen while leaders were moving.) librdkafka's rebalance callbacks only note what happened; [`Member::pull`], on the thread
//! that polls, acts on the notes.
//!
//! ```text
//!            assigned          seek               revoking          release
//! (not ours) ───────▶ idle ───────────▶ flowing ───────────▶ held ──────────▶ (not ours)
//!                       ▲   pause_all      │                 lost: at once ──▶ (not ours)
//!                       └──────────────────┘
//! ```

mod context;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::{Duration, Instant};

use log::{LogError, Stored};
use model::{Offset, Partition};
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::topic_partition_list::{Offset as Place, TopicPartitionList};
use topology::{Group, Topic};

use crate::metrics::GroupMetrics;
use crate::shared::{Shared, group_id};
use crate::wire;
pub(crate) use context::MemberContext;
use context::Note;

/// How long leaving the group may hold up whoever drops a member; then it goes on in the background.
const LEAVE_WAIT: Duration = Duration::from_secs(5);
/// Between two attempts to seek a partition that librdkafka has not begun to fetch yet.
const SEEK_AGAIN: Duration = Duration::from_millis(2);

/// A partition of one of the group's topics.
pub(crate) type Owned = (Topic, Partition);

/// What a pull brings beside records.
#[derive(Debug, Default)]
pub(crate) struct News {
    pub(crate) assigned: Vec<Owned>,
    /// Still held: [`Member::release`] gives them back.
    pub(crate) revoking: Vec<Owned>,
    pub(crate) lost: Vec<Owned>,
    /// Partitions whose end was reached anew.
    pub(crate) ends: bool,
}

impl News {
    pub(crate) fn is_empty(&self) -> bool {
        self.assigned.is_empty() && self.revoking.is_empty() && self.lost.is_empty()
    }
}

/// One member; all calls come from the thread that polls.
pub(crate) struct Member {
    shared: Arc<Shared>,
    group: Group,
    thread: u32,
    consumer: Option<Arc<BaseConsumer<MemberContext>>>,
    /// Per (topic of the group, partition): the next offset, if its records are to be delivered.
    flowing: Vec<Option<Offset>>,
    /// Reached their end since the last record.
    at_end: BTreeSet<Owned>,
    held: Vec<Owned>,
    metrics: GroupMetrics,
    fatal: bool,
}

impl Member {
    pub(crate) fn join(shared: Arc<Shared>, group: Group, thread: u32) -> Result<Self, LogError> {
        let topics = group.spec().reads.len();
        let partitions = shared.config.partitions as usize;
        let mut member = Self {
            metrics: GroupMetrics::new(group.name(), thread),
            shared,
            group,
            thread,
            consumer: None,
            flowing: vec![None; topics * partitions],
            at_end: BTreeSet::new(),
            held: Vec::new(),
            fatal: false,
        };
        member.connect()?;
        Ok(member)
    }

    /// Joins as a new member; whoever it was before leaves.
    pub(crate) fn connect(&mut self) -> Result<(), LogError> {
        self.leave();
        self.flowing.fill(None);
        self.at_end.clear();
        self.held.clear();
        let config = self
            .shared
            .config
            .member(&group_id(&self.shared.config.prefix, self.group), self.thread);
        let context = MemberContext::new(self.metrics.clone());
        let joining = |error| LogError::backend(format!("joining group {}", self.group.name()), error);
        let consumer = BaseConsumer::from_config_and_context(&config, context).map_err(joining)?;
        let topics: Vec<_> = self.group.spec().reads.iter().map(|t| self.shared.name(*t)).collect();
        consumer.subscribe(&topics).map_err(joining)?;
        self.consumer = Some(Arc::new(consumer));
        self.fatal = false;
        Ok(())
    }

    /// Whether only a new member can go on.
    pub(crate) fn is_fatal(&self) -> bool {
        self.fatal
    }

    pub(crate) fn consumer(&self) -> &Arc<BaseConsumer<MemberContext>> {
        self.consumer.as_ref().expect("gone only while a new one is made")
    }

    pub(crate) fn metrics(&self) -> &GroupMetrics {
        &self.metrics
    }

    /// Partitions read to their end.
    pub(crate) fn at_end(&self) -> impl Iterator<Item = Owned> {
        self.at_end.iter().copied()
    }

    /// Partitions to be given back by [`Member::release`].
    pub(crate) fn held(&self) -> &[Owned] {
        &self.held
    }

    /// Waits up to `wait` for something; brings at most `max` records.
    pub(crate) fn pull(&mut self, max: usize, wait: Duration, out: &mut Vec<Stored>) -> Result<News, LogError> {
        let deadline = Instant::now() + wait;
        let mut news = News::default();
        let consumer = self.consumer().clone();
        loop {
            let something = !out.is_empty() || !news.is_empty() || news.ends;
            let left = match something {
                true => Duration::ZERO,
                false => deadline.saturating_duration_since(Instant::now()),
            };
            let mut idle = false;
            match consumer.poll(left) {
                Some(Ok(message)) => self.take(&message, out),
                Some(Err(error)) => self.told(error, &mut news)?,
                // Nothing, or a callback has run.
                None => {
                    idle = true;
                    self.act_on_notes(&mut news)?;
                }
            }
            if out.len() >= max || (idle && left.is_zero()) {
                return Ok(news);
            }
        }
    }

    fn take(&mut self, message: &BorrowedMessage<'_>, out: &mut Vec<Stored>) {
        let Some(topic) = self.topic_of(message) else {
            return;
        };
        let Ok(partition) = Partition::try_from(message.partition()) else {
            return;
        };
        let Some(slot) = self.slot(topic, partition) else {
            return;
        };
        let stored = match &mut self.flowing[slot] {
            // What was on its way from before a seek is not asked for.
            Some(next) if Offset::try_from(message.offset()).is_ok_and(|at| at >= *next) => {
                let stored = wire::stored(topic, message);
                *next = stored.offset + 1;
                stored
            }
            _ => return,
        };
        if !self.at_end.is_empty() {
            self.at_end.remove(&(topic, partition));
        }
        out.push(stored);
    }

    /// Names are compared only where there are several.
    fn topic_of(&self, message: &BorrowedMessage<'_>) -> Option<Topic> {
        match self.group.spec().reads {
            [only] => Some(*only),
            _ => self.shared.topic(message.topic()),
        }
    }

    fn told(&mut self, error: KafkaError, news: &mut News) -> Result<(), LogError> {
        match error {
            KafkaError::PartitionEOF(partition) => {
                // The event does not say of which topic: with several, nobody asks.
                if let ([topic], Ok(partition)) = (self.group.spec().reads, Partition::try_from(partition))
                    && self
                        .slot(*topic, partition)
                        .is_some_and(|slot| self.flowing[slot].is_some())
                    && self.at_end.insert((*topic, partition))
                {
                    news.ends = true;
                }
                Ok(())
            }
            KafkaError::MessageConsumption(RDKafkaErrorCode::AutoOffsetReset) => self.out_of_range(),
            KafkaError::MessageConsumptionFatal(_) => {
                self.fatal = true;
                self.consumer().context().break_work();
                Err(LogError::Fenced(format!(
                    "this member of group {} was refused: {error}",
                    self.group.name()
                )))
            }
            // Brokers that are away come back: librdkafka goes on trying, and has said so in the log.
            error => {
                tracing::debug!(%error, group = self.group.name(), "reading from Kafka");
                Ok(())
            }
        }
    }

    /// Some partition's next offset is not there: says which.
    fn out_of_range(&mut self) -> Result<(), LogError> {
        let reads = self.group.spec().reads;
        for topic in reads {
            let starts = self.shared.starts(*topic)?;
            for (partition, oldest) in (0..).zip(starts) {
                let Some(slot) = self.slot(*topic, partition) else {
                    continue;
                };
                if let Some(asked) = self.flowing[slot].filter(|next| *next < oldest) {
                    self.flowing[slot] = None;
                    // librdkafka does not fetch it any more, and cannot be told to: only a new member can.
                    self.fatal = true;
                    return Err(LogError::OffsetTooOld {
                        topic: *topic,
                        partition,
                        asked,
                        oldest,
                    });
                }
            }
        }
        // A paused partition's start, or an offset that came to be within range meanwhile.
        Ok(())
    }

    fn act_on_notes(&mut self, news: &mut News) -> Result<(), LogError> {
        let notes = self.consumer().context().take_notes();
        for note in notes {
            match note {
                Note::Assigned(named) => {
                    self.metrics.assigned.increment(1);
                    let places = self.places(&named);
                    self.stop(&places);
                    news.assigned.extend(places);
                }
                Note::Revoking(named) => {
                    self.metrics.revoked.increment(1);
                    let places = self.places(&named);
                    news.revoking.extend(&places);
                    self.held.extend(places);
                    if self.held.is_empty() {
                        self.release()?;
                    }
                }
                Note::Lost(named) => {
                    self.metrics.lost.increment(1);
                    let places = self.places(&named);
                    tracing::warn!(
                        group = self.group.name(),
                        partitions = places.len(),
                        "this member was silent for too long: its partitions have gone to others"
                    );
                    self.stop(&places);
                    self.held.clear();
                    news.revoking.clear();
                    news.assigned.retain(|p| !places.contains(p));
                    news.lost.extend(places);
                }
                Note::Failed(error) => {
                    return Err(LogError::backend(
                        format!("a rebalance of group {}", self.group.name()),
                        error,
                    ));
                }
            }
        }
        Ok(())
    }

    /// Gives back what was to be revoked. Nothing is delivered of it from then on.
    pub(crate) fn release(&mut self) -> Result<Vec<Owned>, LogError> {
        let held = std::mem::take(&mut self.held);
        self.stop(&held);
        let consumer = self.consumer();
        let given = consumer.context().unfetch(consumer, &self.named(&held)?);
        given.map_err(|error| {
            let group = self.group.name();
            LogError::backend(format!("giving partitions of group {group} back"), error)
        })?;
        Ok(held)
    }

    /// How often partitions have gone without a commit; see [`MemberContext`].
    pub(crate) fn breaks(&self) -> u64 {
        self.consumer().context().breaks()
    }

    /// Work that has begun may not be committed any more, whatever becomes of the membership.
    pub(crate) fn break_work(&self) {
        self.consumer().context().break_work();
    }

    /// Begins to deliver from `offset` on.
    pub(crate) fn seek(&mut self, topic: Topic, partition: Partition, offset: Offset) -> Result<(), LogError> {
        let Some(slot) = self.slot(topic, partition) else {
            return Err(LogError::Unusable(format!(
                "group {} does not read {topic}",
                self.group.name()
            )));
        };
        let seeking = |error| LogError::backend(format!("seeking {topic}/{partition}"), error);
        let name = self.shared.name(topic);
        let id = wire::partition_id(partition)?;
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(name, id, Place::Offset(wire::offset_id(offset)?))
            .map_err(seeking)?;
        let consumer = self.consumer();
        if consumer.context().is_fetched(name, id) {
            self.seek_fetched(&list).map_err(seeking)?;
            self.consumer().resume(&list).map_err(seeking)?;
        } else {
            consumer.context().fetch(consumer, &list).map_err(seeking)?;
        }
        self.at_end.remove(&(topic, partition));
        self.flowing[slot] = Some(offset);
        Ok(())
    }

    fn seek_fetched(&self, list: &TopicPartitionList) -> KafkaResult<()> {
        let limit = self.shared.config.answer_deadline;
        let until = Instant::now() + limit;
        loop {
            let answered = self.consumer().seek_partitions(list.clone(), limit)?;
            match answered.elements().iter().try_for_each(|element| element.error()) {
                // librdkafka's own thread has not begun with it yet.
                Err(error) if is_too_early(&error) && Instant::now() < until => thread::sleep(SEEK_AGAIN),
                result => return result,
            }
        }
    }

    /// Delivers nothing until the next seeks.
    pub(crate) fn pause_all(&mut self, places: &[Owned]) -> Result<(), LogError> {
        self.stop(places);
        let mut list = TopicPartitionList::new();
        for (name, id) in self.named(places)? {
            if self.consumer().context().is_fetched(&name, id) {
                list.add_partition(&name, id);
            }
        }
        self.consumer()
            .pause(&list)
            .map_err(|error| LogError::backend("pausing", error))
    }

    fn stop(&mut self, places: &[Owned]) {
        for &(topic, partition) in places {
            if let Some(slot) = self.slot(topic, partition) {
                self.flowing[slot] = None;
            }
            self.at_end.remove(&(topic, partition));
        }
    }

    fn slot(&self, topic: Topic, partition: Partition) -> Option<usize> {
        let place = self.group.spec().reads.iter().position(|t| *t == topic)?;
        let partitions = self.shared.config.partitions;
        (partition < partitions).then(|| place * partitions as usize + partition as usize)
    }

    fn places(&self, named: &[(String, i32)]) -> Vec<Owned> {
        let mut places: Vec<_> = named
            .iter()
            .filter_map(|(name, partition)| Some((self.shared.topic(name)?, Partition::try_from(*partition).ok()?)))
            .collect();
        places.sort_unstable();
        places
    }

    fn named(&self, places: &[Owned]) -> Result<Vec<(String, i32)>, LogError> {
        let name = |place: &Owned| Ok((self.shared.name(place.0).to_owned(), wire::partition_id(place.1)?));
        places.iter().map(name).collect()
    }

    /// Closes the consumer beside this thread, since librdkafka may wait for brokers that are away.
    fn leave(&mut self) {
        let Some(consumer) = self.consumer.take() else { return };
        consumer.context().leave();
        let held = std::mem::take(&mut self.held);
        if !held.is_empty()
            && let Ok(named) = self.named(&held)
            && let Err(error) = consumer.context().unfetch(&consumer, &named)
        {
            tracing::debug!(%error, "giving partitions back while leaving");
        }
        let (left, gone) = sync_channel::<()>(1);
        let leaving = thread::Builder::new().name("log-leave".to_owned()).spawn(move || {
            drop(consumer);
            drop(left);
        });
        match leaving {
            // Either answer means that there is nothing more to wait for.
            Ok(_) => drop(gone.recv_timeout(LEAVE_WAIT)),
            Err(error) => tracing::warn!(%error, "no thread to leave the group on: left on this one"),
        }
    }
}

fn is_too_early(error: &KafkaError) -> bool {
    error.rdkafka_error_code() == Some(RDKafkaErrorCode::State)
        || error.rdkafka_error_code() == Some(RDKafkaErrorCode::PreviousInProgress)
}

impl Drop for Member {
    fn drop(&mut self) {
        self.leave();
    }
}
