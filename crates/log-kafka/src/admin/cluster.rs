//! The topics that a cluster has.

use std::collections::BTreeMap;

use log::LogError;
use rdkafka::client::Client;
use rdkafka::consumer::Consumer;
use topology::Topic;

use super::Difference;
use crate::config::{Isolation, KafkaConfig};
use crate::context::Quiet;
use crate::shared::{reader, topic_name};

/// A topic on the cluster.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    pub(super) partitions: u32,
    pub(super) replication: usize,
    /// Every partition has a leader.
    pub(super) led: bool,
}

/// All topics of a cluster, by name.
pub(crate) struct ClusterTopics {
    pub(super) partitions: BTreeMap<String, Found>,
    pub(super) brokers: usize,
}

impl ClusterTopics {
    pub(crate) fn ask(config: &KafkaConfig) -> Result<Self, LogError> {
        let client = reader(config, Isolation::Committed)?;
        Self::of(client.client(), config)
    }

    pub(super) fn of(client: &Client<Quiet>, config: &KafkaConfig) -> Result<Self, LogError> {
        let what = || format!("the brokers {} do not answer", config.brokers);
        let metadata = client
            .fetch_metadata(None, config.answer_deadline)
            .map_err(|error| LogError::backend(what(), error))?;
        let mut partitions = BTreeMap::new();
        for topic in metadata.topics() {
            let count = u32::try_from(topic.partitions().len()).unwrap_or(u32::MAX);
            let found = Found {
                partitions: count,
                replication: topic.partitions().iter().map(|p| p.replicas().len()).min().unwrap_or(0),
                led: topic.partitions().iter().all(|p| p.leader() >= 0),
            };
            if count > 0 && topic.error().is_none() {
                partitions.insert(topic.name().to_owned(), found);
            }
        }
        Ok(Self {
            partitions,
            brokers: metadata.brokers().len(),
        })
    }

    /// Whether a topic is there with as many partitions as configured.
    pub(crate) fn check(&self, config: &KafkaConfig, topic: Topic) -> Result<(), LogError> {
        let name = topic_name(&config.prefix, topic);
        match self.partitions.get(&name) {
            None => Err(LogError::Unusable(format!(
                "topic {name} is missing: run `atalaia topology apply`"
            ))),
            Some(found) if found.partitions != config.partitions => Err(LogError::Unusable(
                Difference::Partitions {
                    topic: name,
                    is: found.partitions,
                    should: config.partitions,
                }
                .to_string(),
            )),
            Some(_) => Ok(()),
        }
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.partitions.contains_key(name)
    }
}
