//! Producers.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Instant;

use model::{Position, RecordId, WriterId};
use topology::{Group, RECORD_BYTES_MAX, Topic};

use super::{ALONE, Factory, PARTITIONS, WAIT, content, deadline, numbers, record, send_numbers, texts};
use crate::{Headers, Log, LogError, Record, Start, TraceParent};

/// Offsets increase and append times never decrease along a partition; partitions do not mix.
pub fn a_partition_is_one_order<F: Factory>(factory: &F) {
    let log = factory.open();
    for partition in 0..PARTITIONS {
        send_numbers(&*log, Topic::Observations, partition, 0..50);
    }
    for partition in 0..PARTITIONS {
        let stored = content(&*log, Topic::Observations, partition);
        assert_eq!(texts(&stored), numbers(0..50));
        assert!(stored.is_sorted_by(|a, b| a.offset < b.offset && a.appended_at <= b.appended_at));
        assert!(stored.iter().all(|s| s.record.partition == partition));
    }
}

/// Key, value, tombstone and headers, byte for byte; also after a restart.
pub fn everything_of_a_record_comes_back<F: Factory>(factory: &F) {
    let log = factory.open();
    let input = Position {
        generation: 1,
        partition: 2,
        offset: 3,
    };
    let full = Record {
        headers: Headers {
            record_id: Some(RecordId::new(input, 2, b"a\0b", 7)),
            traceparent: Some(TraceParent::new(5, 6, true)),
            writer: Some(WriterId {
                writer: "edge-1#9f".into(),
                sequence: u64::MAX,
            }),
        },
        ..record(Topic::DeviceStatus, 1, "a", "\u{1F4A1} value")
    };
    let tombstone = Record {
        value: None,
        ..record(Topic::DeviceStatus, 1, "b", "")
    };
    let empty = record(Topic::DeviceStatus, 1, "", "");
    let producer = log.producer("test").unwrap();
    for record in [&full, &tombstone, &empty] {
        producer.send_and_wait(record.clone(), deadline()).unwrap();
    }
    drop(producer);
    let check = |log: &F::Log| {
        let stored = content(log, Topic::DeviceStatus, 1);
        let records: Vec<_> = stored.into_iter().map(|s| s.record).collect();
        assert_eq!(records, [full.clone(), tombstone.clone(), empty.clone()]);
    };
    check(&log);
    check(&factory.reopen(log));
}

/// The callback names the place, and at that moment the record is there for everyone.
pub fn acknowledged_is_readable<F: Factory>(factory: &F) {
    let log = factory.open();
    let producer = log.producer("test").unwrap();
    for number in 0..20_u32 {
        let sent = record(Topic::Ledger, number % PARTITIONS, "k", &number.to_string());
        let (told, heard) = channel();
        let sequence = producer
            .send(sent.clone(), Some(Box::new(move |r| told.send(r).unwrap())))
            .unwrap();
        assert_eq!(sequence, u64::from(number) + 1);
        let at = heard.recv_timeout(WAIT).unwrap().unwrap();
        assert!(producer.acknowledged() >= sequence);
        let mut offsets = log.starts(Topic::Ledger).unwrap();
        offsets[at.partition as usize] = at.offset;
        let mut tail = log.tail(&[(Topic::Ledger, Start::Offsets(offsets))]).unwrap();
        let until = Instant::now() + factory.read_wait();
        let found = loop {
            let read = tail.poll(100, factory.read_wait()).unwrap();
            if let Some(found) = read.into_iter().find(|s| s.record.partition == at.partition) {
                break found;
            }
            assert!(Instant::now() < until, "{at:?} is not there");
        };
        assert_eq!(
            (&found.record, found.offset, found.appended_at),
            (&sent, at.offset, at.appended_at)
        );
    }
}

/// The first failure ends the producer; what is readable is what was sent before it. A new producer goes on.
pub fn a_failed_send_leaves_no_gap<F: Factory>(factory: &F) {
    let log = factory.open();
    let producer = log.producer("test").unwrap();
    let send = |n: u32| producer.send_and_wait(record(Topic::Observations, 0, "k", &n.to_string()), deadline());
    send(0).unwrap();
    factory.fail_sends(&log, true);
    assert!(send(1).is_err());
    factory.fail_sends(&log, false);
    assert!(matches!(send(2), Err(LogError::ProducerEnded)));
    assert_eq!(producer.acknowledged(), 1);
    assert_eq!(texts(&content(&*log, Topic::Observations, 0)), numbers(0..1));
    send_numbers(&*log, Topic::Observations, 0, 1..4);
    assert_eq!(texts(&content(&*log, Topic::Observations, 0)), numbers(0..4));
}

/// It is refused, and the producer lives.
pub fn a_record_too_large_is_not_sent<F: Factory>(factory: &F) {
    let log = factory.open();
    let producer = log.producer("test").unwrap();
    let large = |bytes: usize| record(Topic::Observations, 0, "k", &"x".repeat(bytes));
    let refused = producer.send(large(RECORD_BYTES_MAX + 1), None);
    assert!(matches!(
        refused,
        Err(LogError::TooLarge {
            topic: Topic::Observations,
            ..
        })
    ));
    let key = record(Topic::Observations, 0, &"k".repeat(100_000), "");
    assert!(matches!(producer.send(key, None), Err(LogError::TooLarge { .. })));
    assert!(
        producer
            .send(record(Topic::Observations, PARTITIONS, "k", ""), None)
            .is_err()
    );
    producer.send_and_wait(large(RECORD_BYTES_MAX), deadline()).unwrap();
    assert_eq!(content(&*log, Topic::Observations, 0).len(), 1);
}

/// Each producer's records are in the order it sent them, none is missing and none is there twice.
pub fn many_producers_keep_each_order<F: Factory>(factory: &F)
where
    F::Log: Log,
{
    let log = factory.open();
    thread::scope(|scope| {
        for writer in 0..4 {
            let log = Arc::clone(&log);
            scope.spawn(move || {
                let producer = log.producer("test").unwrap();
                let mut last = 0;
                for number in 0..300_u32 {
                    let value = format!("{writer}:{number}");
                    last = producer
                        .send(record(Topic::Observations, 1, "k", &value), None)
                        .unwrap();
                }
                producer.wait(last, deadline()).unwrap();
            });
        }
    });
    let all = texts(&content(&*log, Topic::Observations, 1));
    for writer in 0..4 {
        let of_writer: Vec<_> = all
            .iter()
            .filter_map(|v| v.strip_prefix(&format!("{writer}:")))
            .collect();
        assert_eq!(of_writer, numbers(0..300));
    }
    assert_eq!(all.len(), 1200);
}

/// Every call and every handle answers `Closed`, and closing twice is no error.
pub fn a_closed_log_says_so<F: Factory>(factory: &F) {
    let log = factory.open();
    send_numbers(&*log, Topic::Observations, 0, 0..3);
    let producer = log.producer("test").unwrap();
    let mut tail = log.tail(&[(Topic::Observations, Start::Beginning)]).unwrap();
    let mut task = log.task_log(Group::Network, ALONE).unwrap();
    log.close().unwrap();
    log.close().unwrap();
    let closed = |result: Result<(), LogError>| assert!(matches!(result, Err(LogError::Closed)), "{result:?}");
    closed(log.producer("test").map(drop));
    closed(log.tail(&[]).map(drop));
    closed(log.ends(Topic::Observations).map(drop));
    closed(log.task_log(Group::Network, ALONE).map(drop));
    closed(log.consumer(Group::Persist, ALONE).map(drop));
    closed(tail.poll(1, WAIT).map(drop));
    closed(task.poll(1, WAIT).map(drop));
    closed(task.recover());
    closed(producer.send(record(Topic::Observations, 0, "k", "v"), None).map(drop));
}
