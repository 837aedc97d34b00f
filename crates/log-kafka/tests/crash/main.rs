//! Child processes are killed, or paused beyond their session, at every named point of the protocol; another takes over. What
//! is on the exact topics afterwards is there once, in order, and belongs to the state; what is on the fast topics is so for a
//! reader with the id rule.

#![allow(clippy::unwrap_used, reason = "a test's verdict")]

#[path = "../common/mod.rs"]
mod common;

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::worker::{State, Worker, number, record};
use common::{Deployment, WAIT, broker, config};
use log::{CRASH_AT_ENV, CrashPoint, IdFilter, Log, Start, Stored};
use log_kafka::{KafkaConfig, KafkaLog};
use topology::{Group, Topic};

const PARTITIONS: u32 = 2;
/// Input of each partition.
const NUMBERS: u64 = 120;
const PREFIX_ENV: &str = "ATALAIA_TEST_PREFIX";
const SESSION: Duration = Duration::from_millis(1_000);
const TRANSACTION: Duration = Duration::from_millis(2_000);

fn child_config(prefix: &str) -> KafkaConfig {
    KafkaConfig {
        session_timeout: SESSION,
        transaction_timeout: TRANSACTION,
        ..config(&broker(), prefix, PARTITIONS)
    }
}

/// Not a test by itself: what the children do, until every partition has been read to its last number.
#[test]
#[ignore = "the child process of the other tests"]
fn child() {
    let log = KafkaLog::open(child_config(&std::env::var(PREFIX_ENV).unwrap())).unwrap();
    let mut worker = Worker::new(&*log);
    let deadline = Instant::now() + 3 * WAIT;
    let done = |states: BTreeMap<u32, State>| {
        states.len() == PARTITIONS as usize && states.values().all(|s| s.next == NUMBERS)
    };
    while !worker.committed().is_some_and(done) {
        assert!(Instant::now() < deadline, "not done in time");
        worker.turn();
    }
}

struct Running(Child);

impl Running {
    fn start(prefix: &str, armed: Option<&str>) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--ignored", "--exact", "child", "--nocapture"])
            .env(PREFIX_ENV, prefix)
            .env_remove(CRASH_AT_ENV)
            .stdout(Stdio::null());
        if let Some(armed) = armed {
            command.env(CRASH_AT_ENV, armed);
        }
        Self(command.spawn().unwrap())
    }

    /// Whether it ended well; `false` if it was killed.
    fn wait(&mut self) -> bool {
        let until = Instant::now() + 3 * WAIT;
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status.success();
            }
            assert!(Instant::now() < until, "a child does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn wait_until_paused(&self) {
        let until = Instant::now() + WAIT;
        let stat = format!("/proc/{}/stat", self.0.id());
        let is_paused = || {
            let text = std::fs::read_to_string(&stat).unwrap();
            text.rsplit(')')
                .next()
                .is_some_and(|rest| rest.trim_start().starts_with('T'))
        };
        while !is_paused() {
            assert!(Instant::now() < until, "the child does not get to its point");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn go_on(&self) {
        let pid = self.0.id().to_string();
        assert!(Command::new("kill").args(["-CONT", &pid]).status().unwrap().success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn send(log: &KafkaLog, numbers: std::ops::Range<u64>) {
    let producer = log.producer("input").unwrap();
    let mut last = 0;
    for n in numbers {
        for partition in 0..PARTITIONS {
            last = producer
                .send(record(Topic::Observations, partition, b"k", n), None)
                .unwrap();
        }
    }
    producer.wait(last, Instant::now() + WAIT).unwrap();
}

fn content(log: &KafkaLog, topic: Topic) -> Vec<Stored> {
    let ends = log.ends(topic).unwrap();
    let mut tail = log.tail(&[(topic, Start::Beginning)]).unwrap();
    let mut all = Vec::new();
    while (0..).zip(&ends).any(|(p, end)| tail.position(topic, p) < *end) {
        all.extend(tail.poll(1_000, WAIT).unwrap());
    }
    all
}

fn of_partition(stored: &[Stored], partition: u32) -> Vec<u64> {
    let mine = stored.iter().filter(|s| s.record.partition == partition);
    mine.map(number).collect()
}

/// Everything once and in order, state and outputs of one mind.
fn check(log: &KafkaLog) {
    common::settle(log.config(), log);
    let exact = content(log, Topic::DeadLetters);
    let changelog = content(log, Topic::ChangelogNetwork);
    let status = content(log, Topic::DeviceStatus);
    let mut filter = IdFilter::default();
    let fast: Vec<_> = content(log, Topic::DeviceEvents)
        .into_iter()
        .filter(|stored| filter.admits(stored))
        .collect();
    let expected: Vec<_> = (0..NUMBERS).collect();
    let sum: u64 = expected.iter().sum();
    for partition in 0..PARTITIONS {
        assert_eq!(
            of_partition(&exact, partition),
            expected,
            "exact, partition {partition}"
        );
        assert_eq!(of_partition(&fast, partition), expected, "fast, partition {partition}");
        let last = |stored: &[Stored], key: &[u8]| {
            let mine = |s: &&Stored| s.record.partition == partition && s.record.key == key;
            stored.iter().rfind(mine).map(number)
        };
        assert_eq!(last(&changelog, b"marker"), Some(NUMBERS));
        assert_eq!(last(&changelog, b"sum"), Some(sum));
        assert_eq!(last(&status, b"sum"), Some(sum));
    }
    let committed = log.committed(Group::Network, Topic::Observations).unwrap();
    assert_eq!(committed, vec![Some(NUMBERS); PARTITIONS as usize]);
}

fn killed_at(point: CrashPoint, nth: u32) {
    let deployment = Deployment::new(PARTITIONS);
    let log = KafkaLog::open(child_config(&deployment.prefix)).unwrap();
    let prefix = &deployment.prefix;
    send(&log, 0..NUMBERS / 2);
    if point == CrashPoint::DuringRestore {
        // Something must be there to be restored.
        let mut before = Running::start(prefix, Some("after-commit:2"));
        assert!(!before.wait());
    }
    let mut first = Running::start(prefix, Some(&format!("{}:{nth}", point.name())));
    let mut second = (point == CrashPoint::InsideRevoke).then(|| {
        let until = Instant::now() + WAIT;
        while log
            .committed(Group::Network, Topic::Observations)
            .unwrap()
            .contains(&None)
        {
            assert!(Instant::now() < until, "the first child commits nothing");
        }
        Running::start(prefix, None)
    });
    assert!(!first.wait(), "the first child was not killed at {point:?}");
    let second = second.get_or_insert_with(|| Running::start(prefix, None));
    send(&log, NUMBERS / 2..NUMBERS);
    assert!(second.wait(), "the second child failed");
    check(&log);
}

macro_rules! killed {
    ($($name:ident: $point:ident, $nth:expr;)+) => {$(
        #[test]
        fn $name() {
            killed_at(CrashPoint::$point, $nth);
        }
    )+};
}

killed! {
    killed_after_a_fast_send_before_its_acknowledgement: AfterFastSend, 7;
    killed_after_all_acknowledgements_before_begin: AfterAcknowledgements, 2;
    killed_after_exact_sends: AfterExactSends, 2;
    killed_after_send_offsets: AfterSendOffsets, 2;
    killed_inside_commit: InsideCommit, 2;
    killed_after_commit: AfterCommit, 2;
    killed_during_restore: DuringRestore, 1;
    killed_inside_a_revoke: InsideRevoke, 1;
}

/// The owner stands still beyond its session and its transaction's time-out; the heir finishes; then the owner wakes and goes on
/// where it was.
fn paused_at(point: CrashPoint) {
    let deployment = Deployment::new(PARTITIONS);
    let log = KafkaLog::open(child_config(&deployment.prefix)).unwrap();
    let prefix = &deployment.prefix;
    send(&log, 0..NUMBERS / 2);
    let zombie = Running::start(prefix, Some(&format!("stop:{}:2", point.name())));
    zombie.wait_until_paused();
    let mut heir = Running::start(prefix, None);
    send(&log, NUMBERS / 2..NUMBERS);
    assert!(heir.wait(), "the heir failed");
    check(&log);
    let mut zombie = zombie;
    zombie.go_on();
    // It finds itself lost, joins again, restores what the heir has left, and has nothing more to do.
    assert!(zombie.wait(), "the zombie did not come back");
    check(&log);
}

#[test]
fn paused_before_its_offsets_a_zombie_commits_nothing() {
    paused_at(CrashPoint::AfterExactSends);
}

#[test]
fn paused_after_its_offsets_a_zombie_commits_nothing() {
    paused_at(CrashPoint::AfterSendOffsets);
}
