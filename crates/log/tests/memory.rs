//! What only the log in memory can do: faults on request, members declared lost.

#![allow(clippy::unwrap_used, reason = "a test's verdict")]

use std::time::{Duration, Instant};

use atalaia_log::{Commit, CommitState, Fault, Headers, Log, LogError, MemoryLog, Record, Start, ThreadSlot};
use bytes::Bytes;
use topology::{Group, Topic};

const WAIT: Duration = Duration::from_secs(5);
const SLOT: ThreadSlot = ThreadSlot { index: 0, of: 1 };

fn record(topic: Topic, key: &str, value: &str) -> Record {
    let value = Some(Bytes::copy_from_slice(value.as_bytes()));
    Record {
        topic,
        partition: 0,
        key: Bytes::copy_from_slice(key.as_bytes()),
        value,
        headers: Headers::default(),
    }
}

fn values(log: &MemoryLog, topic: Topic) -> Vec<String> {
    let stored = log
        .tail(&[(topic, Start::Beginning)])
        .unwrap()
        .poll(1_000, Duration::ZERO)
        .unwrap();
    stored
        .iter()
        .map(|s| String::from_utf8(s.record.value.clone().unwrap().to_vec()).unwrap())
        .collect()
}

#[test]
fn a_failed_send_ends_the_producer_and_leaves_no_gap() {
    let log = MemoryLog::new(1);
    let producer = log.producer("test").unwrap();
    let deadline = Instant::now() + WAIT;
    let sent = |text| producer.send_and_wait(record(Topic::Observations, "a", text), deadline);
    sent("1").unwrap();
    log.inject(Fault::FailSend, 1);
    assert!(matches!(sent("2"), Err(LogError::Backend { .. })));
    assert!(matches!(sent("3"), Err(LogError::ProducerEnded)));
    assert_eq!(producer.acknowledged(), 1);
    assert_eq!(values(&log, Topic::Observations), ["1"]);
}

#[test]
fn a_lost_acknowledgement_leaves_the_record() {
    let log = MemoryLog::new(1);
    let producer = log.producer("test").unwrap();
    log.inject(Fault::LoseAck, 1);
    let sent = producer.send_and_wait(record(Topic::Observations, "a", "1"), Instant::now() + WAIT);
    assert!(matches!(sent, Err(LogError::Timeout(_))));
    assert_eq!(values(&log, Topic::Observations), ["1"]);
    assert!(matches!(
        producer.wait(1, Instant::now() + WAIT),
        Err(LogError::ProducerEnded)
    ));
}

#[test]
fn a_held_commit_runs_until_it_is_released() {
    let log = MemoryLog::new(1);
    let mut task = log.task_log(Group::Network, SLOT).unwrap();
    assert_eq!(task.poll(1, Duration::ZERO).unwrap().assigned, [0]);
    log.hold_commits();
    let commit = Commit {
        exact: vec![record(Topic::DeviceStatus, "a", "up")],
        ..Commit::default()
    };
    task.begin_commit(commit).unwrap();
    assert_eq!(task.commit_state(Duration::ZERO).unwrap(), CommitState::Running);
    assert!(values(&log, Topic::DeviceStatus).is_empty());
    log.release_commits();
    assert_eq!(task.commit_state(WAIT).unwrap(), CommitState::Idle);
    assert_eq!(values(&log, Topic::DeviceStatus), ["up"]);
}

#[test]
fn a_lost_member_is_told_and_its_commit_refused() {
    let log = MemoryLog::new(1);
    let mut task = log.task_log(Group::Network, SLOT).unwrap();
    assert_eq!(task.poll(1, Duration::ZERO).unwrap().assigned, [0]);
    log.hold_commits();
    task.begin_commit(Commit {
        positions: vec![(0, 0)],
        ..Commit::default()
    })
    .unwrap();
    assert!(log.declare_lost(Group::Network, SLOT));
    log.release_commits();
    assert!(matches!(task.commit_state(WAIT), Err(LogError::Fenced(_))));
    assert_eq!(task.poll(1, Duration::ZERO).unwrap().lost, [0]);
    assert_eq!(task.poll(1, Duration::ZERO).unwrap().assigned, [0]);
    assert_eq!(log.committed(Group::Network, Topic::Observations).unwrap(), [None]);
}
