//! What may be other than `topology` says.

use std::fmt;

use rdkafka::admin::ConfigResource;

use super::Wanted;
use super::cluster::Found;

/// One thing that is not as `topology` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// A topic is not there.
    Missing {
        /// Its name on the cluster.
        topic: String,
    },
    /// A setting of a topic has another value.
    Setting {
        /// The topic's name on the cluster.
        topic: String,
        /// Kafka's name of the setting.
        name: String,
        /// Its value.
        is: String,
        /// What it should be.
        should: String,
    },
    /// A topic has another number of partitions: every root would move to another one, so nothing here changes that.
    Partitions {
        /// The topic's name on the cluster.
        topic: String,
        /// How many it has.
        is: u32,
        /// How many are configured.
        should: u32,
    },
    /// A topic has fewer copies than brokers could hold; moving replicas is the cluster operator's work.
    Replication {
        /// The topic's name on the cluster.
        topic: String,
        /// Copies it has.
        is: usize,
        /// Copies it should have.
        should: usize,
    },
    /// The generation of `observations` is not written down.
    Generation {
        /// Name of the topic it should stand in.
        topic: String,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { topic } => write!(f, "{topic}: missing"),
            Self::Setting {
                topic,
                name,
                is,
                should,
            } => write!(f, "{topic}: {name} is {is}, should be {should}"),
            Self::Partitions { topic, is, should } => write!(
                f,
                "{topic}: has {is} partitions, {should} are configured: apply does not change that, since every root would move: \
                 set log.partitions to {is}, or drain and rebuild under another prefix"
            ),
            Self::Replication { topic, is, should } => write!(
                f,
                "{topic}: has {is} replicas, should have {should}: apply does not move replicas, use \
                 kafka-reassign-partitions.sh"
            ),
            Self::Generation { topic } => write!(f, "{topic}: the generation of `observations` is not written down"),
        }
    }
}

impl Difference {
    /// Whether [`crate::Admin::apply`] can make it right.
    pub fn is_applicable(&self) -> bool {
        !matches!(self, Self::Partitions { .. } | Self::Replication { .. })
    }
}

/// Whatever of a topic that is there is not as it should be.
pub(super) fn differences_of(wanted: &Wanted, found: Found, described: &ConfigResource, out: &mut Vec<Difference>) {
    let topic = || wanted.name.clone();
    if found.partitions != wanted.partitions {
        out.push(Difference::Partitions {
            topic: topic(),
            is: found.partitions,
            should: wanted.partitions,
        });
        return;
    }
    if found.replication < wanted.replication {
        out.push(Difference::Replication {
            topic: topic(),
            is: found.replication,
            should: wanted.replication,
        });
    }
    for (name, should) in &wanted.settings {
        let is = described
            .get(name)
            .and_then(|entry| entry.value.clone())
            .unwrap_or_default();
        if is != *should {
            out.push(Difference::Setting {
                topic: topic(),
                name: (*name).to_owned(),
                is,
                should: should.clone(),
            });
        }
    }
}
