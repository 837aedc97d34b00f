//! What a recovery does to partitions that come and go around it.

#![allow(clippy::unwrap_used, reason = "a test's verdict")]

mod common;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::proxy::{END_TXN, Fate, Proxy};
use common::worker::{number, record};
use common::{Deployment, WAIT, config};
use log::{Commit, Log, LogError, TaskLog, ThreadSlot};
use log_kafka::KafkaLog;
use topology::{Group, Topic};

const ALONE: ThreadSlot = ThreadSlot { index: 0, of: 1 };
const PARTITIONS: u32 = 2;
const SLICE: Duration = Duration::from_millis(20);

struct Member {
    task: Box<dyn TaskLog>,
    owned: BTreeSet<u32>,
    records: Vec<(u32, u64)>,
    revoking: bool,
}

impl Member {
    fn join(log: &KafkaLog) -> Self {
        Self {
            task: log.task_log(Group::Network, ALONE).unwrap(),
            owned: BTreeSet::new(),
            records: Vec::new(),
            revoking: false,
        }
    }

    fn poll(&mut self) -> Result<(), LogError> {
        let polled = self.task.poll(100, SLICE)?;
        for gone in polled.revoked.iter().chain(&polled.lost) {
            self.owned.remove(gone);
        }
        self.owned.extend(&polled.assigned);
        self.revoking = !polled.revoking.is_empty();
        let numbers = polled.records.iter().map(|s| (s.record.partition, number(s)));
        self.records.extend(numbers);
        Ok(())
    }

    /// Restores what it owns and reads it from its beginning.
    fn run_all(&mut self) {
        for partition in self.owned.clone() {
            until("the restore", || match self.task.restore(partition, &mut drop) {
                Err(LogError::Timeout(_)) => false,
                result => result.map(|_| true).unwrap(),
            });
            self.task.seek(partition, 0).unwrap();
        }
    }
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + WAIT;
    while !done() {
        assert!(Instant::now() < end, "not in time: {what}");
    }
}

fn send(log: &KafkaLog, number: u64) {
    let producer = log.producer("input").unwrap();
    for partition in 0..PARTITIONS {
        let sent = producer.send(record(Topic::Observations, partition, b"k", number), None);
        producer.wait(sent.unwrap(), Instant::now() + WAIT).unwrap();
    }
}

#[test]
fn a_partition_that_went_in_a_recovery_and_came_back_is_read() {
    let deployment = Deployment::new(PARTITIONS);
    let log = deployment.open();
    let mut first = Member::join(&log);
    until("all is assigned", || {
        first.poll().unwrap();
        first.owned.len() == 2
    });
    first.run_all();
    // From here until it is restored, nothing of it is delivered.
    first.task.recover().unwrap();
    let mut second = Member::join(&log);
    until("both have one", || {
        first.poll().unwrap();
        second.poll().unwrap();
        (first.owned.len(), second.owned.len()) == (1, 1)
    });
    drop(second);
    until("the first has both again", || {
        first.poll().unwrap();
        first.owned.len() == 2
    });
    first.run_all();
    send(&log, 7);
    until("both are read", || {
        first.poll().unwrap();
        first.records.contains(&(0, 7)) && first.records.contains(&(1, 7))
    });
}

#[test]
fn a_partition_given_back_without_its_commit_is_not_claimed_by_the_recovery() {
    let deployment = Deployment::new(PARTITIONS);
    let proxy = Arc::new(Proxy::start(&common::broker()));
    let slow = KafkaLog::open(log_kafka::KafkaConfig {
        transaction_timeout: Duration::from_secs(20),
        ..config(&proxy.address(), &deployment.prefix, PARTITIONS)
    })
    .unwrap();
    let mut first = Member::join(&slow);
    until("all is assigned", || {
        first.poll().unwrap();
        first.owned.len() == 2
    });
    first.run_all();
    proxy.judge(|api| if api == END_TXN { Fate::Swallow } else { Fate::Pass });
    let commit = Commit {
        changelog: (0..PARTITIONS)
            .map(|p| record(Topic::ChangelogNetwork, p, b"marker", 1))
            .collect(),
        positions: (0..PARTITIONS).map(|p| (p, 0)).collect(),
        ..Commit::default()
    };
    first.task.begin_commit(commit).unwrap();
    let log = deployment.open();
    let mut second = Member::join(&log);
    until("the first is asked for one", || {
        second.poll().unwrap();
        first.poll().unwrap();
        first.revoking
    });
    // It is given back in the end, since the group does not wait for ever.
    let error = first.poll().unwrap_err();
    assert!(matches!(error, LogError::Timeout(_)), "{error}");
    proxy.judge(|_| Fate::Pass);
    first.task.recover().unwrap();
    until("each has one", || {
        first.poll().unwrap();
        second.poll().unwrap();
        !second.owned.is_empty()
    });
    assert!(
        first.owned.is_disjoint(&second.owned),
        "two owners: {:?} and {:?}",
        first.owned,
        second.owned
    );
}
