//! The log on Kafka keeps what every backend promises.

#![allow(clippy::unwrap_used, reason = "a test's verdict")]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::proxy::{Fate, PRODUCE, Proxy};
use common::{Deployment, broker, client, expel, settle};
use log::conformance::{Factory, PARTITIONS, WAIT};
use log::{Log, ThreadSlot};
use log_kafka::{KafkaConfig, KafkaLog};
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use topology::{Group, Topic};

/// Behind a proxy, so that sends can be lost on the way.
struct OnKafka {
    deployment: Deployment,
    proxy: Proxy,
}

fn on_kafka() -> OnKafka {
    OnKafka {
        deployment: Deployment::new(PARTITIONS),
        proxy: Proxy::start(&broker()),
    }
}

impl OnKafka {
    fn config(&self) -> KafkaConfig {
        KafkaConfig {
            brokers: self.proxy.address(),
            ..self.deployment.config()
        }
    }
}

impl Factory for OnKafka {
    type Log = KafkaLog;

    fn open(&self) -> Arc<KafkaLog> {
        KafkaLog::open(self.config()).unwrap()
    }

    fn reopen(&self, log: Arc<KafkaLog>) -> Arc<KafkaLog> {
        log.close().unwrap();
        drop(log);
        self.open()
    }

    fn declare_lost(&self, _log: &KafkaLog, group: Group, _slot: ThreadSlot) {
        expel(&self.deployment.prefix, group);
    }

    fn fail_sends(&self, _log: &KafkaLog, fail: bool) {
        self.proxy.judge(move |request| match request {
            PRODUCE if fail => Fate::Swallow,
            _ => Fate::Pass,
        });
    }

    fn outlive_retention(&self, log: &KafkaLog) {
        let end = log.ends(Topic::Observations).unwrap()[0];
        let mut list = TopicPartitionList::new();
        let name = format!("{}{}", self.deployment.prefix, Topic::Observations.name());
        list.add_partition_offset(&name, 0, Offset::Offset(i64::try_from(end).unwrap()))
            .unwrap();
        let admin: AdminClient<DefaultClientContext> = client().create().unwrap();
        let deleting = admin.delete_records(&list, &AdminOptions::new());
        common::wait_for(deleting).unwrap();
    }

    fn read_wait(&self) -> Duration {
        WAIT
    }

    fn settle(&self, log: &KafkaLog) {
        settle(log.config(), log);
    }

    fn assigns_by_slot(&self) -> bool {
        false
    }
}

log::conformance_suite!(on_kafka());
