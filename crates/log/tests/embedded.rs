//! What is particular to the embedded log: its folder, damage, retention, limits.

#![allow(clippy::unwrap_used, reason = "a test's verdict")]

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use atalaia_log::{
    Clock, Commit, Done, EmbeddedConfig, EmbeddedLog, Headers, Log, LogError, Record, Retention, Start, Stored,
    ThreadSlot,
};
use bytes::Bytes;
use model::Micros;
use schemas::{AnyRecord, Tick};
use tempfile::TempDir;
use topology::{Group, Topic};

const WAIT: Duration = Duration::from_secs(20);
const DAY: i64 = 86_400_000_000;

fn config(folder: &Path) -> EmbeddedConfig {
    let quiet = Duration::from_secs(3600);
    EmbeddedConfig {
        partitions: 1,
        disk_reserve_bytes: 0,
        maintain_every: quiet,
        ..EmbeddedConfig::new(folder)
    }
}

fn open(folder: &TempDir) -> Arc<EmbeddedLog> {
    EmbeddedLog::open(config(folder.path())).unwrap()
}

fn record(topic: Topic, key: &str, value: &[u8]) -> Record {
    let key = Bytes::copy_from_slice(key.as_bytes());
    Record {
        topic,
        partition: 0,
        key,
        value: Some(Bytes::copy_from_slice(value)),
        headers: Headers::default(),
    }
}

fn send(log: &EmbeddedLog, record: Record) -> Result<u64, LogError> {
    Ok(log
        .producer("test")?
        .send_and_wait(record, Instant::now() + WAIT)?
        .offset)
}

fn read_from(log: &EmbeddedLog, topic: Topic, from: u64) -> Result<Vec<Stored>, LogError> {
    let mut tail = log.tail(&[(topic, Start::Offsets(vec![from]))])?;
    let mut all = Vec::new();
    loop {
        let got = tail.poll(1_000, Duration::ZERO)?;
        if got.is_empty() {
            return Ok(all);
        }
        all.extend(got);
    }
}

fn offsets(log: &EmbeddedLog, topic: Topic) -> Vec<u64> {
    let from = log.starts(topic).unwrap()[0];
    read_from(log, topic, from).unwrap().iter().map(|s| s.offset).collect()
}

/// The whole chain of causes.
fn chain(error: &dyn std::error::Error) -> String {
    let inner = error
        .source()
        .map_or(String::new(), |source| format!(": {}", chain(source)));
    format!("{error}{inner}")
}

#[test]
fn a_folder_in_use_or_of_another_shape_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(&folder);
    let check = |config: EmbeddedConfig, expected: &str| match EmbeddedLog::open(config) {
        Err(LogError::Unusable(text)) => assert!(text.contains(expected), "`{text}` says nothing of `{expected}`"),
        other => panic!("{:?}", other.map(|_| "opened")),
    };
    let pid = format!(
        "in use by process {}: send commands to the running `atalaia up`",
        std::process::id()
    );
    check(config(folder.path()), &pid);
    log.close().unwrap();
    check(
        EmbeddedConfig {
            partitions: 3,
            ..config(folder.path())
        },
        "set `[log] partitions = 1`",
    );
    check(
        EmbeddedConfig {
            partitions: 0,
            ..config(folder.path())
        },
        "at least one partition",
    );
    open(&folder).close().unwrap();
}

#[test]
fn schema_ids_and_generation_stay() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(&folder);
    let tick: AnyRecord = Tick { sent_at: Micros(7) }.into();
    let bytes = log.codec().encode(&tick).unwrap();
    assert_eq!(log.generation(), 1);
    log.close().unwrap();
    let log = open(&folder);
    assert_eq!(log.codec().encode(&tick).unwrap(), bytes);
    assert_eq!(log.codec().decode(&bytes).unwrap(), tick);
    assert_eq!(log.generation(), 1);
}

#[test]
fn records_beyond_those_in_memory_come_from_disk() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(&folder);
    let producer = log.producer("test").unwrap();
    let mut last = 0;
    for n in 0..2_000_u32 {
        let value = [&n.to_be_bytes()[..], &[b'x'; 1_000]].concat();
        last = producer.send(record(Topic::Observations, "k", &value), None).unwrap();
    }
    producer.wait(last, Instant::now() + WAIT).unwrap();
    let check = |log: &EmbeddedLog| {
        let all = read_from(log, Topic::Observations, 0).unwrap();
        let numbers = all
            .iter()
            .map(|s| u32::from_be_bytes(s.record.value.as_ref().unwrap()[..4].try_into().unwrap()));
        assert!(numbers.eq(0..2_000));
    };
    check(&log);
    log.close().unwrap();
    check(&open(&folder));
}

#[test]
fn a_damaged_record_is_named_and_can_be_passed() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(&folder);
    for n in 0..5 {
        send(&log, record(Topic::Observations, "k", &[n])).unwrap();
        send(&log, record(Topic::DeviceStatus, &n.to_string(), &[n])).unwrap();
    }
    log.close().unwrap();
    for name in ["seg-observations-0", "seg-device-status-0"] {
        let db = fjall::Database::builder(folder.path().join("fjall")).open().unwrap();
        let keyspace = db.keyspace(name, fjall::KeyspaceCreateOptions::default).unwrap();
        let key = [&[0; 4][..], &2_u64.to_be_bytes()].concat();
        let mut value = keyspace.get(&key).unwrap().unwrap().to_vec();
        *value.last_mut().unwrap() ^= 1;
        keyspace.insert(key, value).unwrap();
    }
    let log = open(&folder);
    for topic in [Topic::Observations, Topic::DeviceStatus] {
        let error = read_from(&log, topic, 0).unwrap_err();
        assert!(
            chain(&error).contains(&format!("{topic}/0: the record at offset 2 is damaged")),
            "{}",
            chain(&error)
        );
        assert!(chain(&error).contains("checksum"), "{}", chain(&error));
        assert_eq!(read_from(&log, topic, 3).unwrap().len(), 2);
    }
    let mut task = log.task_log(Group::Network, ThreadSlot { index: 0, of: 1 }).unwrap();
    assert_eq!(task.poll(100, WAIT).unwrap().assigned, [0]);
    task.seek(0, 0).unwrap();
    let polled = task.poll(100, WAIT).unwrap();
    assert_eq!(polled.records.len(), 2, "what stands before it is read");
    assert!(matches!(polled.damaged[..], [(0, LogError::Damaged { offset: 2, .. })]));
    assert!(task.poll(100, Duration::ZERO).unwrap().damaged.is_empty(), "said once");
    drop(task);
    assert_eq!(send(&log, record(Topic::Observations, "k", b"after")).unwrap(), 5);
}

/// A batch that was being written when the machine stopped: what was acknowledged is there, the rest is cut off.
#[test]
fn a_torn_tail_is_cut_off() {
    let check = |torn: &dyn Fn(&[u8]) -> Vec<u8>| {
        let folder = tempfile::tempdir().unwrap();
        let log = open(&folder);
        for n in 0..20 {
            send(&log, record(Topic::Observations, "k", &[n; 50])).unwrap();
        }
        log.close().unwrap();
        append_to_journal(folder.path(), torn);
        let log = open(&folder);
        assert_eq!(offsets(&log, Topic::Observations), (0..20).collect::<Vec<_>>());
        assert_eq!(send(&log, record(Topic::Observations, "k", b"after")).unwrap(), 20);
        log.close().unwrap();
        assert_eq!(offsets(&open(&folder), Topic::Observations).len(), 21);
    };
    check(&|_| vec![0xA5; 300]);
    check(&|_| vec![1]);
    // The beginning of a batch like the ones before it.
    check(&|whole| whole[..40].to_vec());
    check(&|whole| whole[..200].to_vec());
}

/// The database drops everything behind the first thing it cannot read: the log notices that it is shorter than it was.
#[test]
fn a_journal_damaged_in_the_middle_is_not_taken_for_a_torn_tail() {
    let check = |place: usize| {
        let folder = tempfile::tempdir().unwrap();
        let log = open(&folder);
        for n in 0..20 {
            send(&log, record(Topic::Observations, "k", &[n; 50])).unwrap();
        }
        log.close().unwrap();
        let (mut file, content) = newest_journal(folder.path());
        let end = content.iter().rposition(|b| *b != 0).unwrap() + 1;
        file.seek(SeekFrom::Start((end * place / 10) as u64)).unwrap();
        file.write_all(&[0xFF; 40]).unwrap();
        let opened = EmbeddedLog::open(config(folder.path()));
        let again = EmbeddedLog::open(config(folder.path()));
        assert!(opened.is_err() && again.is_err(), "damaged at {place}/10");
    };
    (1..9).for_each(check);
}

/// Writes behind the last batch of the newest journal, which is filled up with zeros.
fn append_to_journal(folder: &Path, torn: &dyn Fn(&[u8]) -> Vec<u8>) {
    let (mut file, content) = newest_journal(folder);
    let end = content.iter().rposition(|b| *b != 0).unwrap() + 1;
    file.seek(SeekFrom::Start(end as u64)).unwrap();
    file.write_all(&torn(&content[..end])).unwrap();
}

fn newest_journal(folder: &Path) -> (File, Vec<u8>) {
    let journals = std::fs::read_dir(folder.join("fjall"))
        .unwrap()
        .map(|e| e.unwrap().path());
    let newest: PathBuf = journals
        .filter(|p| p.extension().is_some_and(|e| e == "jnl"))
        .max()
        .unwrap();
    let mut file = OpenOptions::new().read(true).write(true).open(newest).unwrap();
    let mut content = Vec::new();
    file.read_to_end(&mut content).unwrap();
    (file, content)
}

#[test]
fn append_times_go_on_after_a_restart_with_an_earlier_clock() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::manual(Micros(1_000));
    let opened = || {
        EmbeddedLog::open(EmbeddedConfig {
            clock: clock.clone(),
            ..config(folder.path())
        })
        .unwrap()
    };
    let times = |log: &EmbeddedLog| -> Vec<i64> {
        read_from(log, Topic::Observations, 0)
            .unwrap()
            .iter()
            .map(|s| s.appended_at.0)
            .collect()
    };
    let log = opened();
    send(&log, record(Topic::Observations, "k", b"1")).unwrap();
    clock.set(Micros(10));
    send(&log, record(Topic::Observations, "k", b"2")).unwrap();
    log.close().unwrap();
    let log = opened();
    send(&log, record(Topic::Observations, "k", b"3")).unwrap();
    clock.set(Micros(2_000));
    send(&log, record(Topic::Observations, "k", b"4")).unwrap();
    assert_eq!(times(&log), [1_000, 1_000, 1_000, 2_000]);
}

#[test]
fn retention_drops_whole_segments_by_time_and_by_size() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::manual(Micros(0));
    let kept = Retention {
        time: Duration::from_secs(10 * 86_400),
        bytes: 20_000,
    };
    let config = EmbeddedConfig {
        clock: clock.clone(),
        retention: HashMap::from([(Topic::Observations, kept)]),
        segment_bytes: 1_000,
        ..config(folder.path())
    };
    let log = EmbeddedLog::open(config.clone()).unwrap();
    for _ in 0..100 {
        send(&log, record(Topic::Observations, "k", &[b'x'; 480])).unwrap();
    }
    log.maintain().unwrap();
    let usage = log.disk_usage().unwrap().topics[0].clone();
    assert!((15_000..=20_000).contains(&usage.bytes), "{usage:?}");
    assert_eq!(offsets(&log, Topic::Observations).len() as u64, usage.records);
    assert!(usage.segments > 5, "{usage:?}");
    assert_eq!(usage.oldest_at, Some(Micros(0)));

    clock.set(Micros(9 * DAY));
    send(&log, record(Topic::Observations, "k", b"later")).unwrap();
    clock.set(Micros(11 * DAY));
    log.maintain().unwrap();
    assert_eq!(offsets(&log, Topic::Observations), [100]);
    assert_eq!(log.disk_usage().unwrap().topics[0].oldest_at, Some(Micros(9 * DAY)));
    clock.set(Micros(20 * DAY));
    log.maintain().unwrap();
    assert!(offsets(&log, Topic::Observations).is_empty());
    assert_eq!(
        (
            log.starts(Topic::Observations).unwrap(),
            log.ends(Topic::Observations).unwrap()
        ),
        (vec![101], vec![101])
    );
    log.close().unwrap();
    let log = EmbeddedLog::open(config).unwrap();
    assert_eq!(send(&log, record(Topic::Observations, "k", b"again")).unwrap(), 101);
}

#[test]
fn a_tombstone_stays_a_day_and_its_offset_is_not_used_again() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::manual(Micros(0));
    let opened = || {
        EmbeddedLog::open(EmbeddedConfig {
            clock: clock.clone(),
            ..config(folder.path())
        })
        .unwrap()
    };
    let log = opened();
    send(&log, record(Topic::Inventory, "a", b"1")).unwrap();
    send(&log, record(Topic::Inventory, "b", b"2")).unwrap();
    send(
        &log,
        Record {
            value: None,
            ..record(Topic::Inventory, "a", b"")
        },
    )
    .unwrap();
    log.close().unwrap();
    // What is on disk: the latest records are also in memory, superseded or not.
    let on_disk = || {
        let log = opened();
        // The second time removes what the first has found superseded.
        log.maintain().unwrap();
        log.maintain().unwrap();
        log.close().unwrap();
        offsets(&opened(), Topic::Inventory)
    };
    assert_eq!(on_disk(), [1, 2]);
    clock.set(Micros(DAY));
    assert_eq!(on_disk(), [1, 2]);
    clock.set(Micros(DAY + 1));
    assert_eq!(on_disk(), [1]);
    assert_eq!(send(&opened(), record(Topic::Inventory, "a", b"3")).unwrap(), 3);
}

/// Whoever keeps what a tombstone removes would keep it for good.
#[test]
fn a_tombstone_stays_until_every_group_that_reads_its_topic_has_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::manual(Micros(0));
    let config = EmbeddedConfig {
        clock: clock.clone(),
        ..config(folder.path())
    };
    let log = EmbeddedLog::open(config.clone()).unwrap();
    send(&log, record(Topic::Inventory, "a", b"1")).unwrap();
    let slot = ThreadSlot { index: 0, of: 1 };
    let mut persist = log.consumer(Group::Persist, slot).unwrap();
    assert_eq!(persist.poll(10, WAIT).unwrap().records.len(), 1);
    persist.commit(&[(Topic::Inventory, 0, 1)]).unwrap();
    let tombstone = Record {
        value: None,
        ..record(Topic::Inventory, "a", b"")
    };
    send(&log, tombstone).unwrap();
    // The store is away for a week.
    clock.set(Micros(7 * DAY));
    log.maintain().unwrap();
    log.maintain().unwrap();
    // What is on disk: the latest records are also in memory, superseded or not.
    drop(persist);
    log.close().unwrap();
    let log = EmbeddedLog::open(config.clone()).unwrap();
    let mut persist = log.consumer(Group::Persist, slot).unwrap();
    let read = persist.poll(10, WAIT).unwrap().records;
    assert_eq!(read.iter().map(|s| s.offset).collect::<Vec<_>>(), [1]);
    persist.commit(&[(Topic::Inventory, 0, 2)]).unwrap();
    log.maintain().unwrap();
    log.maintain().unwrap();
    drop(persist);
    log.close().unwrap();
    let log = EmbeddedLog::open(config).unwrap();
    assert!(offsets(&log, Topic::Inventory).is_empty());
}

#[test]
fn a_full_disk_refuses_appends_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(&folder);
    send(&log, record(Topic::Observations, "k", b"1")).unwrap();
    log.set_disk_reserve(u64::MAX);
    let error = send(&log, record(Topic::Observations, "k", b"2")).unwrap_err();
    assert!(chain(&error).contains("free some space"), "{}", chain(&error));
    assert!(error.is_transient());
    assert_eq!(offsets(&log, Topic::Observations), [0]);
    log.maintain().unwrap();
    log.set_disk_reserve(0);
    assert_eq!(send(&log, record(Topic::Observations, "k", b"2")).unwrap(), 1);
}

#[test]
fn a_callback_that_panics_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(&folder);
    let producer = log.producer("test").unwrap();
    let sequence = producer
        .send(
            record(Topic::Observations, "k", b"1"),
            Some(Box::new(|_| panic!("on purpose"))),
        )
        .unwrap();
    producer.wait(sequence, Instant::now() + WAIT).unwrap();
    assert_eq!(send(&log, record(Topic::Observations, "k", b"2")).unwrap(), 1);
}

/// A callback that holds the log's writer: says when it is held, and lets it go.
fn standstill() -> (Done, Receiver<()>, Sender<()>) {
    let (stopped, is_stopped) = channel();
    let (go_on, stop) = channel();
    let hold = Box::new(move |_| {
        stopped.send(()).unwrap();
        stop.recv().unwrap();
    });
    (hold, is_stopped, go_on)
}

/// While the writer stands still, senders wait instead of filling the memory; then all goes on.
#[test]
fn senders_wait_while_the_queue_is_full() {
    let folder = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(EmbeddedConfig {
        queue_bytes_max: 10_000,
        ..config(folder.path())
    })
    .unwrap();
    let producer = log.producer("test").unwrap();
    let (standstill, is_stopped, go_on) = standstill();
    producer
        .send(record(Topic::Observations, "k", b"first"), Some(standstill))
        .unwrap();
    is_stopped.recv_timeout(WAIT).unwrap();
    let sent = AtomicU64::new(0);
    let (through, is_through) = channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..100 {
                producer
                    .send(record(Topic::Observations, "k", &[b'x'; 900]), None)
                    .unwrap();
                sent.fetch_add(1, Ordering::SeqCst);
            }
            through.send(()).unwrap();
        });
        // A sender that does not wait would be through long before.
        assert!(is_through.recv_timeout(Duration::from_millis(300)).is_err());
        assert!(sent.load(Ordering::SeqCst) <= 10);
        go_on.send(()).unwrap();
    });
    producer.wait(101, Instant::now() + WAIT).unwrap();
}

/// A commit that was queued when its owner lost the partition: the writer looks again.
#[test]
fn a_queued_commit_of_a_lost_owner_does_not_stand() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(&folder);
    let alone = ThreadSlot { index: 0, of: 1 };
    let mut task = log.task_log(Group::Network, alone).unwrap();
    assert_eq!(task.poll(1, WAIT).unwrap().assigned, [0]);
    let producer = log.producer("test").unwrap();
    let (standstill, is_stopped, go_on) = standstill();
    producer
        .send(record(Topic::Observations, "k", b"1"), Some(standstill))
        .unwrap();
    is_stopped.recv_timeout(WAIT).unwrap();
    let commit = Commit {
        exact: vec![record(Topic::DeviceStatus, "a", b"late")],
        positions: vec![(0, 1)],
        ..Commit::default()
    };
    task.begin_commit(commit).unwrap();
    assert!(log.declare_lost(Group::Network, alone));
    go_on.send(()).unwrap();
    assert!(matches!(task.commit_state(WAIT), Err(LogError::Fenced(_))));
    assert!(offsets(&log, Topic::DeviceStatus).is_empty());
    assert_eq!(log.committed(Group::Network, Topic::Observations).unwrap(), [None]);
}

/// Sent before the producer learned of the failure, taken by the writer after it: still behind a gap, so not written.
#[test]
fn what_is_queued_behind_a_failed_send_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(&folder);
    let (first, second) = (
        log.producer("first").unwrap(),
        Arc::new(log.producer("second").unwrap()),
    );
    let (standstill, is_stopped, go_on) = standstill();
    first.send(record(Topic::Ledger, "k", b"x"), Some(standstill)).unwrap();
    is_stopped.recv_timeout(WAIT).unwrap();
    log.set_disk_reserve(u64::MAX);
    // Told of its failure before `second` is, and so in between.
    let (told, heard) = channel();
    let (late, weak) = (second.clone(), Arc::downgrade(&log));
    let in_between = Box::new(move |_| {
        weak.upgrade().unwrap().set_disk_reserve(0);
        let done = Box::new(move |result: Result<_, LogError>| told.send(result.is_ok()).unwrap());
        late.send(record(Topic::Observations, "k", b"2"), Some(done)).unwrap();
    });
    first.send(record(Topic::Ledger, "k", b"y"), Some(in_between)).unwrap();
    second.send(record(Topic::Observations, "k", b"1"), None).unwrap();
    go_on.send(()).unwrap();
    assert!(!heard.recv_timeout(WAIT).unwrap());
    assert!(offsets(&log, Topic::Observations).is_empty());
}
