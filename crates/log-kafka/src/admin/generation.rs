//! The generation of `observations`: one record in a small compacted topic, raised before the topic is made.

use std::time::{Duration, Instant};

use log::LogError;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::Consumer;
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use serde::{Deserialize, Serialize};

use super::ClusterTopics;
use super::settings::{Setting, compacted, of_every_topic};
use crate::config::{Isolation, KafkaConfig};
use crate::error::is_passing;
use crate::shared::{ASK_AGAIN, reader};

const KEY: &str = "observations";

/// What the record says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Generation {
    /// Raised by whatever creates, restores, moves or repartitions `observations`.
    pub(crate) generation: u32,
    /// Partitions of every topic when it was raised.
    pub(crate) partitions: u32,
}

/// Name of the topic it stands in.
pub(crate) fn control_topic(prefix: &str) -> String {
    format!("{prefix}topology")
}

pub(super) fn settings(replication: usize) -> Vec<Setting> {
    [of_every_topic(replication), compacted()].concat()
}

/// The last one written, if any.
pub(crate) fn read(config: &KafkaConfig, cluster: &ClusterTopics) -> Result<Option<Generation>, LogError> {
    let topic = control_topic(&config.prefix);
    if !cluster.has(&topic) {
        return Ok(None);
    }
    let reading = |error| LogError::backend(format!("reading {topic}"), error);
    let client = reader(config, Isolation::Committed)?;
    let deadline = Instant::now() + config.answer_deadline;
    let (low, high) = loop {
        match client.fetch_watermarks(&topic, 0, config.answer_deadline) {
            Ok(found) => break found,
            // Its leader need not know yet that it is: the topic may have been made just now.
            Err(error) if is_passing(&error) && Instant::now() < deadline => std::thread::sleep(ASK_AGAIN),
            Err(error) => return Err(reading(error)),
        }
    };
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(&topic, 0, Offset::Offset(low))
        .map_err(reading)?;
    client.assign(&list).map_err(reading)?;
    let mut next = low;
    let mut found = None;
    while next < high {
        match client.poll(Duration::from_millis(20)) {
            Some(Ok(message)) => {
                next = message.offset() + 1;
                if message.key() == Some(KEY.as_bytes()) {
                    found = message.payload().map(<[u8]>::to_vec);
                }
            }
            Some(Err(rdkafka::error::KafkaError::PartitionEOF(_))) => break,
            Some(Err(error)) => tracing::debug!(%error, "reading the generation"),
            None if Instant::now() > deadline => return Err(LogError::Timeout(config.answer_deadline)),
            None => {}
        }
    }
    let Some(bytes) = found else { return Ok(None) };
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|error| LogError::backend(format!("{topic} holds an unreadable generation"), error))
}

/// Writes the next one, and waits until it is durable.
pub(super) fn raise(config: &KafkaConfig, cluster: &ClusterTopics) -> Result<Generation, LogError> {
    let topic = control_topic(&config.prefix);
    let before = read(config, cluster)?.map_or(0, |g| g.generation);
    let next = Generation {
        generation: before + 1,
        partitions: config.partitions,
    };
    let writing = |error| LogError::backend(format!("writing {topic}"), error);
    let value = serde_json::to_vec(&next).map_err(|error| LogError::backend("encoding the generation", error))?;
    let producer: BaseProducer<DefaultProducerContext> =
        BaseProducer::from_config_and_context(&config.producer(Duration::ZERO), DefaultProducerContext)
            .map_err(writing)?;
    let record = BaseRecord::to(&topic).partition(0).key(KEY.as_bytes()).payload(&value);
    producer.send(record).map_err(|(error, _)| writing(error))?;
    producer.flush(config.answer_deadline).map_err(writing)?;
    tracing::info!(
        generation = next.generation,
        "the generation of `observations` was raised"
    );
    Ok(next)
}
