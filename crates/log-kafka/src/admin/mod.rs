//! What the cluster should look like, what it looks like, and how the one becomes the other.

mod block_on;
mod cluster;
mod difference;
mod generation;
mod settings;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use log::LogError;
use model::Offset;
use rdkafka::admin::{
    AdminClient, AdminOptions, AlterConfig, ConfigResource, ConfigSource, NewTopic, OwnedResourceSpecifier,
    ResourceSpecifier, TopicReplication,
};
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::error::RDKafkaErrorCode;
use topology::{Group, TOPICS, Topic};

use crate::config::{Isolation, KafkaConfig};
use crate::context::Quiet;
use crate::shared::{Shared, topic_name};
use block_on::block_on;
pub(crate) use cluster::ClusterTopics;
pub use difference::Difference;
use difference::differences_of;
pub(crate) use generation::{control_topic, read as read_generation};
use settings::{Setting, settings_of};

/// Copies of each record, where there are as many brokers.
const REPLICATION_MAX: usize = 3;
/// Between two looks at whether a new topic is there.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Looks at and changes a deployment's topics.
pub struct Admin {
    config: KafkaConfig,
    client: AdminClient<Quiet>,
}

/// How far a group is behind in one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lag {
    /// Topic it reads.
    pub topic: Topic,
    /// Its partition.
    pub partition: model::Partition,
    /// Next offset it will read; `None` if it never committed one.
    pub committed: Option<Offset>,
    /// Offset after the last readable record.
    pub end: Offset,
}

impl Lag {
    /// Records (and gaps between offsets) still to be read.
    pub fn records(&self) -> u64 {
        self.end.saturating_sub(self.committed.unwrap_or(0))
    }
}

impl Admin {
    /// Connects.
    ///
    /// # Errors
    /// When no broker answers within [`KafkaConfig::answer_deadline`].
    pub fn connect(config: KafkaConfig) -> Result<Self, LogError> {
        let client = AdminClient::from_config_and_context(&config.admin(), Quiet)
            .map_err(|error| LogError::backend("making a client to administer with", error))?;
        let admin = Self { config, client };
        admin.cluster()?;
        Ok(admin)
    }

    /// What is not as `topology` says, in its order. Topics that are none of ours are left alone.
    ///
    /// # Errors
    /// When the brokers do not answer.
    pub fn diff(&self) -> Result<Vec<Difference>, LogError> {
        let cluster = self.cluster()?;
        let wanted = self.wanted(&cluster);
        let there: Vec<_> = wanted
            .iter()
            .map(|w| &*w.name)
            .filter(|name| cluster.has(name))
            .collect();
        let described = self.describe(&there)?;
        let mut out = Vec::new();
        for wanted in &wanted {
            match (cluster.partitions.get(&wanted.name), described.get(&wanted.name)) {
                (Some(found), Some(settings)) => differences_of(wanted, *found, settings, &mut out),
                _ => out.push(Difference::Missing {
                    topic: wanted.name.clone(),
                }),
            }
        }
        let control = control_topic(&self.config.prefix);
        if cluster.partitions.contains_key(&control) && read_generation(&self.config, &cluster)?.is_none() {
            out.push(Difference::Generation { topic: control });
        }
        Ok(out)
    }

    /// Makes it so, and answers what was different before. What cannot be applied ([`Difference::is_applicable`]) is left as
    /// it is. Creating `observations` raises its generation, before the topic is there: no crash leaves a new topic under an
    /// old generation.
    ///
    /// # Errors
    /// When a number of partitions differs (then nothing was changed), or the brokers refuse or do not answer.
    pub fn apply(&self) -> Result<Vec<Difference>, LogError> {
        let before = self.diff()?;
        if let Some(refused) = before.iter().find(|d| matches!(d, Difference::Partitions { .. })) {
            return Err(LogError::Unusable(refused.to_string()));
        }
        let cluster = self.cluster()?;
        let wanted = self.wanted(&cluster);
        let is_missing = |name: &str| before.contains(&Difference::Missing { topic: name.to_owned() });
        // The control topic comes first in the list, since the generation is written before `observations` is made.
        let (control, ours) = wanted.split_at(1);
        let missing =
            |topics: &[Wanted]| -> Vec<Wanted> { topics.iter().filter(|t| is_missing(&t.name)).cloned().collect() };
        self.create(&missing(control))?;
        if is_missing(&topic_name(&self.config.prefix, Topic::Observations)) {
            generation::raise(&self.config, &self.cluster()?)?;
        }
        self.create(&missing(ours))?;
        if before.iter().any(|d| matches!(d, Difference::Generation { .. }))
            && read_generation(&self.config, &self.cluster()?)?.is_none()
        {
            generation::raise(&self.config, &self.cluster()?)?;
        }
        for topic in &wanted {
            let wrong = |d: &Difference| matches!(d, Difference::Setting { topic: t, .. } if *t == topic.name);
            if before.iter().any(wrong) {
                self.configure(topic)?;
            }
        }
        Ok(before)
    }

    /// How far a group is behind, over all partitions of the topics it reads.
    ///
    /// # Errors
    /// When the brokers do not answer.
    pub fn lag(&self, group: Group) -> Result<Vec<Lag>, LogError> {
        let shared = Shared::new(self.config.clone(), 0)?;
        let mut out = Vec::new();
        for &topic in group.spec().reads {
            let committed = shared.committed(group, topic, Isolation::Uncommitted)?;
            for ((partition, end), committed) in (0..).zip(shared.ends(topic)?).zip(committed) {
                out.push(Lag {
                    topic,
                    partition,
                    committed,
                    end,
                });
            }
        }
        Ok(out)
    }

    fn wanted(&self, cluster: &ClusterTopics) -> Vec<Wanted> {
        let replication = cluster.brokers.clamp(1, REPLICATION_MAX);
        let control = Wanted {
            name: control_topic(&self.config.prefix),
            partitions: 1,
            replication,
            settings: generation::settings(replication),
        };
        let ours = TOPICS.iter().map(|spec| Wanted {
            name: topic_name(&self.config.prefix, spec.topic),
            partitions: self.config.partitions,
            replication,
            settings: settings_of(spec, replication),
        });
        std::iter::once(control).chain(ours).collect()
    }

    fn cluster(&self) -> Result<ClusterTopics, LogError> {
        ClusterTopics::of(self.client.inner(), &self.config)
    }

    /// Settings of topics, by the topic's name.
    fn describe(&self, topics: &[&str]) -> Result<BTreeMap<String, ConfigResource>, LogError> {
        if topics.is_empty() {
            return Ok(BTreeMap::new());
        }
        let failed = || "asking for the settings of topics";
        let resources: Vec<_> = topics.iter().map(|t| ResourceSpecifier::Topic(t)).collect();
        let answer = block_on(
            self.client.describe_configs(&resources, &self.options()),
            self.config.answer_deadline,
        )?;
        let mut out = BTreeMap::new();
        for answer in answer.map_err(|error| LogError::backend(failed(), error))? {
            let answer = answer.map_err(|code| LogError::backend(failed(), code))?;
            if let OwnedResourceSpecifier::Topic(name) = &answer.specifier {
                out.insert(name.clone(), answer);
            }
        }
        Ok(out)
    }

    fn create(&self, topics: &[Wanted]) -> Result<(), LogError> {
        if topics.is_empty() {
            return Ok(());
        }
        let failed = || "creating topics";
        let count = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
        let mut new = Vec::new();
        for topic in topics {
            let replication = TopicReplication::Fixed(count(topic.replication));
            let mut one = NewTopic::new(&topic.name, count(topic.partitions as usize), replication);
            for (name, value) in &topic.settings {
                one = one.set(name, value);
            }
            new.push(one);
        }
        let answer = block_on(
            self.client.create_topics(&new, &self.options()),
            self.config.answer_deadline,
        )?;
        for answer in answer.map_err(|error| LogError::backend(failed(), error))? {
            match answer {
                // Or somebody else applies at the same moment.
                Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((topic, code)) => return Err(LogError::backend(format!("creating {topic}"), code)),
            }
        }
        self.wait_for(topics)
    }

    /// Until every partition has a leader.
    fn wait_for(&self, topics: &[Wanted]) -> Result<(), LogError> {
        let until = Instant::now() + self.config.answer_deadline;
        loop {
            let cluster = self.cluster()?;
            let is_there = |t: &Wanted| {
                let found = cluster.partitions.get(&t.name);
                found.is_some_and(|f| f.led && f.partitions == t.partitions)
            };
            if topics.iter().all(is_there) {
                return Ok(());
            }
            if Instant::now() > until {
                return Err(LogError::Timeout(self.config.answer_deadline));
            }
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    /// Kafka's request replaces all settings of a topic: those that somebody else made are sent again.
    fn configure(&self, topic: &Wanted) -> Result<(), LogError> {
        let what = || format!("setting up {}", topic.name);
        let described = self.describe(&[&topic.name])?;
        let mut values = BTreeMap::new();
        for entry in described.values().flat_map(|d| &d.entries) {
            if entry.source == ConfigSource::DynamicTopic
                && let Some(value) = &entry.value
            {
                values.insert(entry.name.as_str(), value.as_str());
            }
        }
        for (name, value) in &topic.settings {
            values.insert(name, value);
        }
        let mut change = AlterConfig::new(ResourceSpecifier::Topic(&topic.name));
        for (name, value) in values {
            change = change.set(name, value);
        }
        let answer = block_on(
            self.client.alter_configs([&change], &self.options()),
            self.config.answer_deadline,
        )?;
        for answer in answer.map_err(|error| LogError::backend(what(), error))? {
            answer.map_err(|(_, code)| LogError::backend(what(), code))?;
        }
        Ok(())
    }

    fn options(&self) -> AdminOptions {
        AdminOptions::new()
            .request_timeout(Some(self.config.answer_deadline))
            .operation_timeout(Some(self.config.answer_deadline))
    }
}

#[derive(Clone)]
struct Wanted {
    name: String,
    partitions: u32,
    replication: usize,
    settings: Vec<Setting>,
}
