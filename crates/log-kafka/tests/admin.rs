//! The topology on a real cluster, and what a log says of one that is not as it should be.

#![allow(clippy::unwrap_used, reason = "a test's verdict")]

mod common;

use std::time::{Duration, Instant};

use common::{Deployment, WAIT, client, config, prefix, wait_for};
use log::{Log, LogError, Record};
use log_kafka::{Admin, Difference, KafkaConfig, KafkaLog};
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use topology::{Group, TOPICS, Topic};

fn unusable(result: Result<std::sync::Arc<KafkaLog>, LogError>) -> String {
    match result.map(drop) {
        Err(LogError::Unusable(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn apply_makes_it_so_and_a_second_time_finds_nothing_to_do() {
    let prefix = prefix();
    let mut deployment = Deployment { prefix, partitions: 3 };
    let admin = Admin::connect(deployment.config()).unwrap();
    assert!(unusable(KafkaLog::open(deployment.config())).contains("run `atalaia topology apply`"));
    let before = admin.diff().unwrap();
    assert_eq!(before.len(), TOPICS.len() + 1);
    assert!(
        before.iter().all(|d| matches!(d, Difference::Missing { .. })),
        "{before:?}"
    );

    assert_eq!(admin.apply().unwrap(), before);
    assert_eq!(admin.diff().unwrap(), []);
    assert_eq!(admin.apply().unwrap(), []);
    let log = deployment.open();
    assert_eq!((log.generation(), log.partitions()), (1, 3));

    let other = KafkaConfig {
        partitions: 4,
        ..deployment.config()
    };
    assert!(unusable(KafkaLog::open(other.clone())).contains("has 3 partitions, 4 are configured"));
    let refused = Admin::connect(other.clone()).unwrap().apply();
    assert!(matches!(refused, Err(LogError::Unusable(_))), "{refused:?}");
    let differences = Admin::connect(other).unwrap().diff().unwrap();
    assert!(differences.iter().all(|d| !d.is_applicable()), "{differences:?}");
    assert_eq!(admin.diff().unwrap(), []);
    deployment.partitions = 3;
}

#[test]
fn a_setting_is_put_right_and_other_peoples_settings_stay() {
    let deployment = Deployment::new(1);
    let name = format!("{}{}", deployment.prefix, Topic::ChangelogNetwork.name());
    let client: AdminClient<DefaultClientContext> = client().create().unwrap();
    let change = AlterConfig::new(ResourceSpecifier::Topic(&name))
        .set("cleanup.policy", "delete")
        .set("segment.jitter.ms", "77");
    wait_for(client.alter_configs([&change], &AdminOptions::new())).unwrap();

    let admin = Admin::connect(deployment.config()).unwrap();
    let policy = |d: &Difference| {
        matches!(d, Difference::Setting { topic, name: setting, is, should }
            if *topic == name && setting == "cleanup.policy" && is == "delete" && should == "compact")
    };
    let until = Instant::now() + WAIT;
    while !admin.diff().unwrap().iter().any(policy) {
        assert!(Instant::now() < until, "the change does not show");
    }
    assert!(admin.apply().unwrap().iter().any(policy));
    while !admin.diff().unwrap().is_empty() {
        assert!(Instant::now() < until, "{:?}", admin.diff());
    }
    let kept = wait_for(client.describe_configs([&ResourceSpecifier::Topic(&name)], &AdminOptions::new())).unwrap();
    let kept = kept.into_iter().next().unwrap().unwrap();
    assert_eq!(kept.get("segment.jitter.ms").unwrap().value.as_deref(), Some("77"));
}

#[test]
fn recreating_observations_raises_the_generation() {
    let deployment = Deployment::new(1);
    assert_eq!(deployment.open().generation(), 1);
    let name = format!("{}{}", deployment.prefix, Topic::Observations.name());
    let client: AdminClient<DefaultClientContext> = client().create().unwrap();
    wait_for(client.delete_topics(&[&name], &AdminOptions::new())).unwrap();
    let admin = Admin::connect(deployment.config()).unwrap();
    let until = Instant::now() + WAIT;
    while admin.diff().unwrap() != [Difference::Missing { topic: name.clone() }] {
        assert!(Instant::now() < until, "{:?}", admin.diff());
    }
    admin.apply().unwrap();
    assert_eq!(deployment.open().generation(), 2);
    assert_eq!(admin.diff().unwrap(), []);
}

#[test]
fn lag_is_what_a_group_has_not_committed() {
    let deployment = Deployment::new(2);
    let log = deployment.open();
    let producer = log.producer("test").unwrap();
    for n in 0..5 {
        let record = Record {
            topic: Topic::DeviceEvents,
            partition: 1,
            key: "k".into(),
            value: Some(format!("{n}").into()),
            headers: log::Headers::default(),
        };
        producer.send_and_wait(record, Instant::now() + WAIT).unwrap();
    }
    let lag = Admin::connect(deployment.config())
        .unwrap()
        .lag(Group::Persist)
        .unwrap();
    assert_eq!(lag.len(), Group::Persist.spec().reads.len() * 2);
    for lag in lag {
        let expected = u64::from((lag.topic, lag.partition) == (Topic::DeviceEvents, 1)) * 5;
        assert_eq!((lag.committed, lag.records()), (None, expected), "{lag:?}");
    }
}

#[test]
fn brokers_that_are_away_are_named_in_bounded_time() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = nobody.local_addr().unwrap().to_string();
    drop(nobody);
    let config = KafkaConfig {
        answer_deadline: Duration::from_millis(500),
        ..config(&address, "away.", 1)
    };
    let began = Instant::now();
    let error = KafkaLog::open(config).map(drop).unwrap_err();
    assert!(error.to_string().contains(&address), "{error}");
    assert!(began.elapsed() < Duration::from_secs(5));
}
