//! What all handles of one log share: names, clients for questions, and whether it is still open.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use log::LogError;
use model::{Offset, Partition};
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaResult;
use rdkafka::topic_partition_list::{Offset as Place, TopicPartitionList};
use topology::{Group, TOPICS, Topic};

use crate::config::{Isolation, KafkaConfig};
use crate::context::Quiet;
use crate::error::{asking, is_passing, is_timeout};
use crate::lane::Lanes;
use crate::wire::partition_id;

/// One attempt at a question; whoever has not answered it by then may be dead, and no leader any more.
const ATTEMPT: Duration = Duration::from_secs(1);
/// Between two attempts at a question while the cluster is moving its answer.
pub(crate) const ASK_AGAIN: Duration = Duration::from_millis(20);
/// Log lines of a client taken off its queue at one go.
const EVENTS_MAX: usize = 64;

type Observers = HashMap<(Group, Isolation), Arc<BaseConsumer<Quiet>>>;

pub(crate) struct Shared {
    pub(crate) config: KafkaConfig,
    pub(crate) generation: u32,
    pub(crate) lanes: Lanes,
    names: Vec<String>,
    topics: HashMap<String, Topic>,
    closed: AtomicBool,
    /// Sees the end as readers do.
    committed_reader: BaseConsumer<Quiet>,
    /// Sees records of open transactions too.
    uncommitted_reader: BaseConsumer<Quiet>,
    /// One client a group that somebody has asked for.
    observers: Mutex<Observers>,
}

impl Shared {
    pub(crate) fn new(config: KafkaConfig, generation: u32) -> Result<Self, LogError> {
        let names: Vec<_> = TOPICS.iter().map(|t| topic_name(&config.prefix, t.topic)).collect();
        Ok(Self {
            committed_reader: reader(&config, Isolation::Committed)?,
            uncommitted_reader: reader(&config, Isolation::Uncommitted)?,
            topics: names.iter().cloned().zip(TOPICS.iter().map(|t| t.topic)).collect(),
            names,
            generation,
            lanes: Lanes::default(),
            closed: AtomicBool::new(false),
            observers: Mutex::default(),
            config,
        })
    }

    pub(crate) fn check_open(&self) -> Result<(), LogError> {
        if self.closed.load(Ordering::Acquire) {
            return Err(LogError::Closed);
        }
        Ok(())
    }

    /// Answers whether it was open.
    pub(crate) fn close(&self) -> bool {
        !self.closed.swap(true, Ordering::AcqRel)
    }

    pub(crate) fn name(&self, topic: Topic) -> &str {
        &self.names[topic as usize]
    }

    pub(crate) fn topic(&self, name: &str) -> Option<Topic> {
        self.topics.get(name).copied()
    }

    pub(crate) fn check_partition(&self, topic: Topic, partition: Partition) -> Result<(), LogError> {
        log::check_partition(topic, partition, self.config.partitions)
    }

    /// The offset after the last record that a read_committed reader gets.
    pub(crate) fn end(&self, topic: Topic, partition: Partition) -> Result<Offset, LogError> {
        self.offset_of(&self.committed_reader, topic, partition, Place::End)
    }

    /// The offset after the last record, of open transactions too.
    pub(crate) fn high_watermark(&self, topic: Topic, partition: Partition) -> Result<Offset, LogError> {
        self.offset_of(&self.uncommitted_reader, topic, partition, Place::End)
    }

    pub(crate) fn start(&self, topic: Topic, partition: Partition) -> Result<Offset, LogError> {
        self.offset_of(&self.committed_reader, topic, partition, Place::Beginning)
    }

    pub(crate) fn ends(&self, topic: Topic) -> Result<Vec<Offset>, LogError> {
        self.offsets(&self.committed_reader, topic, 0..self.config.partitions, Place::End)
    }

    pub(crate) fn starts(&self, topic: Topic) -> Result<Vec<Offset>, LogError> {
        self.offsets(
            &self.committed_reader,
            topic,
            0..self.config.partitions,
            Place::Beginning,
        )
    }

    /// Per partition, the first offset appended at or after this many milliseconds of 1970; `None` where there is none.
    pub(crate) fn offsets_at(&self, topic: Topic, millis: i64) -> Result<Vec<Option<Offset>>, LogError> {
        let place = Place::Offset(millis.max(0));
        let found = self.ask_offsets(&self.committed_reader, topic, 0..self.config.partitions, place)?;
        Ok(found.into_iter().map(|raw| Offset::try_from(raw).ok()).collect())
    }

    fn offset_of(
        &self,
        client: &BaseConsumer<Quiet>,
        topic: Topic,
        partition: Partition,
        place: Place,
    ) -> Result<Offset, LogError> {
        self.check_partition(topic, partition)?;
        Ok(self.offsets(client, topic, partition..partition + 1, place)?[0])
    }

    fn offsets(
        &self,
        client: &BaseConsumer<Quiet>,
        topic: Topic,
        partitions: std::ops::Range<Partition>,
        place: Place,
    ) -> Result<Vec<Offset>, LogError> {
        let found = self.ask_offsets(client, topic, partitions, place)?;
        found
            .into_iter()
            .map(|raw| {
                Offset::try_from(raw)
                    .map_err(|_| LogError::Unusable(format!("the brokers answered no {place:?} of {topic}: {raw}")))
            })
            .collect()
    }

    /// One request to each leader, whatever the number of partitions; again while leaders are moving. librdkafka asks whom it
    /// has known as leader before, dead or not, until it is told to look again.
    fn ask_offsets(
        &self,
        client: &BaseConsumer<Quiet>,
        topic: Topic,
        partitions: std::ops::Range<Partition>,
        place: Place,
    ) -> Result<Vec<i64>, LogError> {
        let limit = self.config.answer_deadline;
        let deadline = Instant::now() + limit;
        let mut asked = TopicPartitionList::new();
        for partition in partitions.clone() {
            asked
                .add_partition_offset(self.name(topic), partition_id(partition)?, place)
                .map_err(|error| LogError::backend("writing down partitions", error))?;
        }
        loop {
            self.check_open()?;
            let left = deadline.saturating_duration_since(Instant::now());
            let answered = client.offsets_for_times(asked.clone(), left.min(ATTEMPT));
            serve_events(client);
            match answered.and_then(|list| raw_offsets(&list)) {
                Ok(found) if found.len() == asked.count() => return Ok(found),
                Ok(found) => {
                    let (got, count) = (found.len(), asked.count());
                    return Err(LogError::Unusable(format!(
                        "{got} answers for {count} partitions of {topic}"
                    )));
                }
                Err(error) if (is_passing(&error) || is_timeout(&error)) && Instant::now() < deadline => {
                    self.look_for_leaders(client, topic);
                    thread::sleep(ASK_AGAIN);
                }
                Err(error) => return Err(asking(format!("asking for offsets of {topic}"), limit, error)),
            }
        }
    }

    fn look_for_leaders(&self, client: &BaseConsumer<Quiet>, topic: Topic) {
        if let Err(error) = client.fetch_metadata(Some(self.name(topic)), ATTEMPT) {
            tracing::debug!(%error, %topic, "no broker says who leads");
        }
    }

    /// The offsets of a group. With [`Isolation::Committed`] those of an open transaction are waited for; otherwise they are
    /// what its last commit has left.
    pub(crate) fn committed(
        &self,
        group: Group,
        topic: Topic,
        isolation: Isolation,
    ) -> Result<Vec<Option<Offset>>, LogError> {
        self.check_open()?;
        let client = self.observer(group, isolation)?;
        let partitions = 0..self.config.partitions;
        let answer = committed_offsets(&*client, self.name(topic), partitions, self.config.answer_deadline);
        serve_events(&client);
        answer
    }

    fn observer(&self, group: Group, isolation: Isolation) -> Result<Arc<BaseConsumer<Quiet>>, LogError> {
        let mut observers = self.observers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = observers.get(&(group, isolation)) {
            return Ok(client.clone());
        }
        let config = self
            .config
            .observer_of(&group_id(&self.config.prefix, group), isolation);
        let client = BaseConsumer::from_config_and_context(&config, Quiet)
            .map_err(|error| LogError::backend("making a client for the group's positions", error))?;
        let client = Arc::new(client);
        observers.insert((group, isolation), client.clone());
        Ok(client)
    }

    /// Takes log lines off the queues of the clients for questions; to be called now and then.
    pub(crate) fn serve(&self) {
        serve_events(&self.committed_reader);
        serve_events(&self.uncommitted_reader);
        for client in self.observers.lock().unwrap_or_else(PoisonError::into_inner).values() {
            serve_events(client);
        }
    }
}

fn raw_offsets(list: &TopicPartitionList) -> KafkaResult<Vec<i64>> {
    let mut elements = list.elements();
    elements.sort_by_key(|element| element.partition());
    elements
        .iter()
        .map(|element| element.error().map(|()| element.offset().to_raw().unwrap_or(-1)))
        .collect()
}

/// A topic's name on the cluster.
pub(crate) fn topic_name(prefix: &str, topic: Topic) -> String {
    format!("{prefix}{}", topic.name())
}

/// A group's name on the cluster.
pub(crate) fn group_id(prefix: &str, group: Group) -> String {
    format!("{prefix}{}", group.name())
}

pub(crate) fn reader(config: &KafkaConfig, isolation: Isolation) -> Result<BaseConsumer<Quiet>, LogError> {
    BaseConsumer::from_config_and_context(&config.reader(isolation), Quiet)
        .map_err(|error| LogError::backend("making a client to read with", error))
}

/// Asks for a group's offsets. A read_committed client waits while a transaction holds offsets of these partitions, and a
/// wait beyond `limit` is a [`LogError::Timeout`].
pub(crate) fn committed_offsets<C: rdkafka::consumer::ConsumerContext>(
    client: &BaseConsumer<C>,
    topic_name: &str,
    partitions: std::ops::Range<Partition>,
    limit: Duration,
) -> Result<Vec<Option<Offset>>, LogError> {
    let what = || format!("asking for the group's position in {topic_name}");
    let mut asked = TopicPartitionList::new();
    for partition in partitions.clone() {
        asked.add_partition(topic_name, partition_id(partition)?);
    }
    let failed = |error| match is_passing(&error) {
        true => LogError::Timeout(limit),
        false => asking(what(), limit, error),
    };
    let answered = client.committed_offsets(asked, limit).map_err(failed)?;
    partitions
        .map(|partition| {
            let found = answered
                .find_partition(topic_name, partition_id(partition)?)
                .ok_or_else(|| LogError::Unusable(format!("no answer for partition {partition} of {topic_name}")))?;
            found.error().map_err(failed)?;
            Ok(match found.offset() {
                Place::Offset(offset) => Offset::try_from(offset).ok(),
                _ => None,
            })
        })
        .collect()
}

/// Clients that nobody polls for records still queue their log lines.
pub(crate) fn serve_events(client: &BaseConsumer<Quiet>) {
    for _ in 0..EVENTS_MAX {
        if client.poll(Duration::ZERO).is_none() {
            return;
        }
    }
}
