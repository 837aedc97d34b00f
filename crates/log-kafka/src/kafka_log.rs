//! The log on Kafka as a whole.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use log::{Consumer, Log, LogError, Producer, Start, Tail, TaskLog, ThreadSlot};
use model::Offset;
use schemas::Codec;
use topology::{Group, TOPICS, Topic};

use crate::admin::{self, ClusterTopics};
use crate::config::{Isolation, KafkaConfig};
use crate::consumer::KafkaConsumer;
use crate::lane::{Lane, LaneKind, PlainProducer};
use crate::shared::Shared;
use crate::tail::KafkaTail;
use crate::task::KafkaTaskLog;

/// How often the clients for questions are looked after.
const SERVE: Duration = Duration::from_secs(1);

/// A log whose truth is on Kafka. See the crate's documentation for what it promises.
pub struct KafkaLog {
    shared: Arc<Shared>,
    /// Kept apart from `shared`: a thread that looks after the clients holds only a weak reference to it.
    _keeper: Arc<()>,
}

impl KafkaLog {
    /// Connects, and checks that every topic is as `topology` says.
    ///
    /// # Errors
    /// When no broker answers within [`KafkaConfig::answer_deadline`], a topic is missing or has another number of
    /// partitions, or nobody has ever applied the topology here.
    pub fn open(config: KafkaConfig) -> Result<Arc<Self>, LogError> {
        let topics = ClusterTopics::ask(&config)?;
        for spec in TOPICS {
            topics.check(&config, spec.topic)?;
        }
        let generation = admin::read_generation(&config, &topics)?.ok_or_else(|| {
            LogError::Unusable(format!(
                "topic {} holds no generation of `observations`: run `atalaia topology apply`",
                admin::control_topic(&config.prefix)
            ))
        })?;
        if generation.partitions != config.partitions {
            return Err(LogError::Unusable(format!(
                "the topology was applied with {} partitions, {} are configured: set log.partitions to {}",
                generation.partitions, config.partitions, generation.partitions
            )));
        }
        let shared = Arc::new(Shared::new(config, generation.generation)?);
        let keeper = Arc::new(());
        let alive = Arc::downgrade(&keeper);
        let served = Arc::downgrade(&shared);
        thread::Builder::new()
            .name("log-keeper".to_owned())
            .spawn(move || {
                while alive.strong_count() > 0 {
                    let Some(shared) = served.upgrade() else { return };
                    shared.serve();
                    drop(shared);
                    thread::sleep(SERVE);
                }
            })
            .map_err(|error| LogError::backend("starting the log's own thread", error))?;
        Ok(Arc::new(Self {
            shared,
            _keeper: keeper,
        }))
    }

    /// The configuration it was opened with.
    pub fn config(&self) -> &KafkaConfig {
        &self.shared.config
    }
}

impl Log for KafkaLog {
    fn partitions(&self) -> u32 {
        self.shared.config.partitions
    }

    fn generation(&self) -> u32 {
        self.shared.generation
    }

    fn codec(&self) -> &Arc<Codec> {
        &self.shared.config.codec
    }

    fn producer(&self, name: &str) -> Result<Box<dyn Producer>, LogError> {
        self.shared.check_open()?;
        let lane = Lane::open(&self.shared, name, LaneKind::Plain)?;
        let shared = self.shared.clone();
        Ok(Box::new(PlainProducer { shared, lane }))
    }

    fn task_log(&self, group: Group, thread: ThreadSlot) -> Result<Box<dyn TaskLog>, LogError> {
        self.shared.check_open()?;
        Ok(Box::new(KafkaTaskLog::join(self.shared.clone(), group, thread)?))
    }

    fn consumer(&self, group: Group, thread: ThreadSlot) -> Result<Box<dyn Consumer>, LogError> {
        self.shared.check_open()?;
        Ok(Box::new(KafkaConsumer::join(self.shared.clone(), group, thread)?))
    }

    fn tail(&self, topics: &[(Topic, Start)]) -> Result<Box<dyn Tail>, LogError> {
        Ok(Box::new(KafkaTail::open(self.shared.clone(), topics)?))
    }

    fn ends(&self, topic: Topic) -> Result<Vec<Offset>, LogError> {
        self.shared.ends(topic)
    }

    fn starts(&self, topic: Topic) -> Result<Vec<Offset>, LogError> {
        self.shared.starts(topic)
    }

    fn committed(&self, group: Group, topic: Topic) -> Result<Vec<Option<Offset>>, LogError> {
        self.shared.committed(group, topic, Isolation::Committed)
    }

    fn close(&self) -> Result<(), LogError> {
        if !self.shared.close() {
            return Ok(());
        }
        self.shared
            .lanes
            .close(Instant::now() + self.shared.config.send_deadline)
    }
}

impl Drop for KafkaLog {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::warn!(error = &error as &dyn std::error::Error, "closing the log on Kafka");
        }
    }
}
