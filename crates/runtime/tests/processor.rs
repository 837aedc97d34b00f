//! The whole processor, with its threads and the system's clock, over the logs that exist.
#![allow(clippy::unwrap_used, reason = "a test: a failure is its result")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use log::{EmbeddedConfig, EmbeddedLog, Fault, Headers, IdFilter, Log, MemoryLog, Record, Start, ThreadSlot};
use model::{Micros, WriterId};
use runtime::{
    Chain, CommitPolicy, DeadReason, Input, Now, OnTorn, Out, Outcomes, PartitionState, ProcessorConfig,
    ProcessorHandle, Reason, StateKey, Step, StepDescription, Verdict, WaitReason, changelog_hashes, compare, replay,
    spawn,
};
use schemas::{AnyRecord, SourceHeartbeat};
use topology::{Group, Topic, partition_of};

const ROOTS: usize = 7;

/// Counts the records of each root, and says each count, fast and exact.
struct Count;

fn decode(record: AnyRecord, _root: &str) -> Result<SourceHeartbeat, DeadReason> {
    match record {
        AnyRecord::SourceHeartbeat(heartbeat) => Ok(heartbeat),
        _ => Err("unexpected_record".into()),
    }
}

fn chain() -> Chain<SourceHeartbeat> {
    Chain::outside_topology(decode).step(Count)
}

impl Step for Count {
    type Event = SourceHeartbeat;
    type State = u64;

    fn describe(&self) -> StepDescription {
        StepDescription {
            number: 1,
            name: "count",
            reads: "heartbeats",
            writes: &[Topic::DeviceEvents, Topic::DeviceStatus],
            key: "root",
            state: "how many",
            time: "none",
            guarantee: "total",
            format: 1,
        }
    }

    fn keys(&self, event: &SourceHeartbeat, keys: &mut Vec<StateKey>) {
        keys.push(event.root.as_str().into());
    }

    fn apply(
        &self,
        key: &StateKey,
        state: Option<&u64>,
        _input: Input<'_, SourceHeartbeat>,
        _now: &Now,
        out: &mut Out<SourceHeartbeat>,
    ) -> Verdict<u64> {
        let count = state.copied().unwrap_or(0) + 1;
        let said = SourceHeartbeat {
            root: key.to_string(),
            connector: count.to_string(),
            sent_at: Micros(0),
        };
        out.record(Topic::DeviceEvents, key.as_bytes(), said.clone());
        out.record(Topic::DeviceStatus, key.as_bytes(), said);
        Verdict::put(count, Reason::Did("counted"))
    }
}

fn start(log: &Arc<dyn Log>) -> ProcessorHandle {
    start_committing(log, CommitPolicy::embedded())
}

fn start_committing(log: &Arc<dyn Log>, commit: CommitPolicy) -> ProcessorHandle {
    let config = ProcessorConfig {
        log: log.clone(),
        group: Group::Network,
        threads: 2,
        commit,
        on_torn: OnTorn::Wait,
    };
    spawn(config, chain).expect("a log that was just opened")
}

/// Sends `n` numbered records over all roots and waits until they are in the log.
fn send(log: &Arc<dyn Log>, writer: &str, n: usize) {
    let producer = log.producer(writer).unwrap();
    let mut last = 0;
    for i in 0..n {
        let root = format!("default/olt/r{}", i % ROOTS);
        let heartbeat = SourceHeartbeat {
            root: root.clone(),
            connector: "test".into(),
            sent_at: Micros(0),
        };
        let record = Record {
            topic: Topic::Observations,
            partition: partition_of(&root, log.partitions()),
            key: Bytes::from(root),
            value: Some(log.codec().encode(&heartbeat.into()).unwrap().into()),
            headers: Headers {
                writer: Some(WriterId {
                    writer: writer.into(),
                    sequence: i as u64,
                }),
                ..Headers::default()
            },
        };
        last = producer.send(record, None).unwrap();
    }
    producer.wait(last, Instant::now() + Duration::from_secs(10)).unwrap();
}

fn wait_until(what: &str, mut reached: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !reached() {
        assert!(Instant::now() < deadline, "not reached within 30 s: {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

fn total(handle: &ProcessorHandle) -> Outcomes {
    let mut all = Outcomes::default();
    handle.status().partitions.values().for_each(|p| all.add(&p.outcomes));
    all
}

/// What readers see: of each root, the counts said, by the id rule on the fast topic, and the last one on the exact one.
fn check_said(log: &Arc<dyn Log>, n: usize) {
    let read = |topic: Topic, each: &mut dyn FnMut(log::Stored)| {
        let ends = log.ends(topic).unwrap();
        let mut tail = log.tail(&[(topic, Start::Beginning)]).unwrap();
        wait_until("reading to the end", || {
            tail.poll(1_000, Duration::from_millis(10))
                .unwrap()
                .into_iter()
                .for_each(&mut *each);
            (0..).zip(&ends).all(|(p, end)| tail.position(topic, p) >= *end)
        });
    };
    let count = |stored: &log::Stored| match log.codec().decode(stored.record.value.as_deref().unwrap()).unwrap() {
        AnyRecord::SourceHeartbeat(said) => (said.root, said.connector.parse::<usize>().unwrap()),
        other => panic!("{other:?}"),
    };
    let mut expected: BTreeMap<String, usize> = BTreeMap::new();
    (0..n).for_each(|i| *expected.entry(format!("default/olt/r{}", i % ROOTS)).or_default() += 1);
    let (mut filter, mut fast) = (IdFilter::default(), BTreeMap::new());
    read(Topic::DeviceEvents, &mut |stored| {
        if filter.admits(&stored) {
            let (root, count) = count(&stored);
            let before = fast.insert(root.clone(), count).unwrap_or(0);
            assert_eq!(count, before + 1, "{root}: nothing lost, nothing doubled, in order");
        }
    });
    assert_eq!(fast, expected);
    let mut exact = BTreeMap::new();
    read(Topic::DeviceStatus, &mut |stored| {
        let (root, count) = count(&stored);
        exact.insert(root, count);
    });
    assert_eq!(exact, expected);
}

fn check_rebuild(log: &dyn Log, slots: u64) {
    let stored = changelog_hashes(log).unwrap();
    let computed = replay(log, chain).unwrap();
    assert_eq!(computed, stored);
    assert!(stored.values().all(|hash| hash.complete));
    assert_eq!(stored.values().map(|hash| hash.slots).sum::<u64>(), slots);
}

/// Runs, stops, opens again, and runs on.
fn check_life(open: &dyn Fn() -> Arc<dyn Log>) {
    let log = open();
    let handle = start(&log);
    send(&log, "w-0", 700);
    wait_until("all processed", || total(&handle).emitted == 700);
    wait_until("ready, without lag", || {
        let status = handle.status();
        status.is_ready() && status.partitions.len() == 4 && status.partitions.values().all(|p| p.lag == Some(0))
    });
    send(&log, "w-1", 300);
    handle.join().expect("a drain in time");
    log.close().unwrap();
    drop(log);

    let log = open();
    let handle = start(&log);
    wait_until("the rest processed", || total(&handle).emitted == 1_000);
    assert!(total(&handle).add_up());
    handle.join().expect("a drain in time");
    // 700 is a multiple of 7: the second writer's records go on round the roots.
    check_said(&log, 1_000);
    check_rebuild(&*log, ROOTS as u64);
}

#[test]
fn a_life_in_memory() {
    let log = MemoryLog::new(4);
    let current = std::sync::Mutex::new(log);
    check_life(&|| {
        let mut log = current.lock().unwrap();
        *log = log.reopen();
        log.clone()
    });
}

#[test]
fn a_life_in_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    check_life(&|| {
        let mut config = EmbeddedConfig::new(folder.path());
        config.partitions = 4;
        EmbeddedLog::open(config).unwrap()
    });
}

#[test]
fn faults_of_the_log_lose_and_double_nothing() {
    let memory = MemoryLog::new(4);
    let log: Arc<dyn Log> = memory.clone();
    let handle = start(&log);
    let mut sent = 0;
    for (round, fault) in [Fault::FailCommit, Fault::LoseCommitAnswer]
        .into_iter()
        .cycle()
        .take(6)
        .enumerate()
    {
        send(&log, &format!("w-{round}"), 70);
        sent += 70;
        memory.inject(fault, 1);
        memory.declare_lost(
            Group::Network,
            ThreadSlot {
                index: u32::try_from(round % 2).unwrap(),
                of: 2,
            },
        );
        wait_until("processed in spite of it", || total(&handle).emitted == sent);
    }
    handle.join().expect("a drain in time");
    check_said(&log, usize::try_from(sent).unwrap());
    check_rebuild(&*log, ROOTS as u64);
}

#[test]
fn a_last_commit_that_fails_ends_in_order_and_is_processed_again() {
    let memory = MemoryLog::new(4);
    let log: Arc<dyn Log> = memory.clone();
    let handle = start_committing(&log, CommitPolicy::every(Duration::from_secs(3_600)));
    send(&log, "w", 70);
    let said = |log: &Arc<dyn Log>| log.ends(Topic::DeviceEvents).unwrap().iter().sum::<u64>();
    wait_until("said, and not committed", || said(&log) == 70);
    memory.inject(Fault::FailCommit, 4);
    handle.join().expect("nothing is lost by it");
    assert_eq!(log.ends(Topic::DeviceStatus).unwrap().iter().sum::<u64>(), 0);

    let log: Arc<dyn Log> = memory.reopen();
    let handle = start(&log);
    wait_until("processed again", || total(&handle).emitted == 70);
    handle.join().expect("a drain in time");
    assert_eq!(said(&log), 140, "the repeats have the ids of the first");
    check_said(&log, 70);
}

/// Compacted topics of a folder forget what a commit replaces while another reads them.
#[test]
fn state_is_compared_while_it_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = EmbeddedConfig::new(folder.path());
    config.partitions = 4;
    let log: Arc<dyn Log> = EmbeddedLog::open(config).unwrap();
    let handle = start(&log);
    send(&log, "first", 7);
    wait_until("all partitions begun", || total(&handle).emitted == 7);
    let (sender, over) = (log.clone(), Arc::new(AtomicBool::new(false)));
    let goes_on = over.clone();
    let load = std::thread::spawn(move || {
        let mut sent = 7;
        while !goes_on.load(Ordering::Relaxed) {
            send(&sender, &format!("w-{sent}"), 70);
            sent += 70;
        }
        sent
    });
    for _ in 0..40 {
        for (partition, stored, computed) in compare(&*log, chain).unwrap() {
            assert_eq!(stored, computed, "partition {partition}");
        }
    }
    over.store(true, Ordering::Relaxed);
    let sent = load.join().unwrap();
    wait_until("all processed", || total(&handle).emitted == sent as u64);
    handle.join().expect("a drain in time");
}

#[test]
fn a_caught_up_partition_is_ticked() {
    let log: Arc<dyn Log> = MemoryLog::new(2);
    let handle = start(&log);
    wait_until("a tick in each partition", || {
        log.ends(Topic::Observations).unwrap().iter().all(|&end| end > 0)
    });
    wait_until("absorbed", || total(&handle).absorbed >= 2);
    handle.join().expect("a drain in time");
}

/// One damaged record stands in the way of its own partition: the others go on, what was before it is committed, and the
/// reason names the place.
#[test]
fn a_damaged_record_stops_its_partition_alone() {
    let memory = MemoryLog::new(4);
    let log: Arc<dyn Log> = memory.clone();
    send(&log, "w-0", 700);
    let place = |root: usize| partition_of(&format!("default/olt/r{root}"), 4);
    let hurt = place(0);
    let offset = 10;
    memory.damage(Topic::Observations, hurt, offset);
    let handle = start(&log);
    let per_root = 700 / ROOTS as u64;
    let healthy = (0..ROOTS).filter(|&r| place(r) != hurt).count() as u64 * per_root;
    assert!(healthy > 0, "the roots lie in more than one partition");
    wait_until("the rest processed", || total(&handle).emitted == healthy + offset);
    let status = handle.status();
    match &status.partitions[&hurt].state {
        PartitionState::Waiting(reason @ WaitReason::Damaged(_)) => assert_eq!(
            reason.to_string(),
            format!(
                "observations/{hurt}: the record at offset {offset} is damaged: restore the log from a backup, or read on \
                 behind it: by a test"
            )
        ),
        other => panic!("{other:?}"),
    }
    assert!(!status.is_ready());
    let committed = log.committed(Group::Network, Topic::Observations).unwrap();
    assert_eq!(committed[hurt as usize], Some(offset));
    send(&log, "w-1", 70);
    wait_until("the others go on", || {
        let more = healthy / per_root * 10;
        total(&handle).emitted == healthy + more + offset
    });
    handle.join().expect("a drain in time");
}

#[test]
fn a_damaged_changelog_stops_its_partition_alone() {
    let memory = MemoryLog::new(4);
    let log: Arc<dyn Log> = memory.clone();
    let handle = start(&log);
    send(&log, "w-0", 70);
    wait_until("all processed", || total(&handle).emitted == 70);
    handle.join().expect("a drain in time");
    log.close().unwrap();
    let memory = memory.reopen();
    let log: Arc<dyn Log> = memory.clone();
    let hurt = partition_of("default/olt/r0", 4);
    let end = log.ends(Topic::ChangelogNetwork).unwrap()[hurt as usize];
    memory.damage(Topic::ChangelogNetwork, hurt, end - 1);
    let handle = start(&log);
    wait_until("the others run", || {
        let states = handle.status().partitions;
        let runs = |p: &u32| states.get(p).is_some_and(|s| s.state == PartitionState::Running);
        let waits = states
            .get(&hurt)
            .is_some_and(|s| matches!(s.state, PartitionState::Waiting(WaitReason::Damaged(_))));
        waits && (0..4).filter(|p| *p != hurt).all(|p| runs(&p))
    });
    handle.join().expect("a drain in time");
}

#[test]
fn a_log_that_closes_ends_the_processor() {
    let log: Arc<dyn Log> = MemoryLog::new(2);
    let handle = start(&log);
    log.close().unwrap();
    wait_until("ended", || handle.has_ended());
    assert!(!handle.status().is_ready());
    assert!(handle.join().is_err());
}
