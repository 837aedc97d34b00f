//! Tails, consumers, compaction and retention.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use model::Micros;
use topology::{Group, Topic};

use super::{ALONE, Factory, PARTITIONS, WAIT, content, deadline, numbers, record, send_numbers, text, texts};
use crate::{Consumer, ConsumerRecords, Log, LogError, Record, Start, Tail};

fn read(tail: &mut dyn Tail, count: usize) -> Vec<String> {
    let until = deadline();
    let mut all = Vec::new();
    while all.len() < count && Instant::now() < until {
        all.extend(texts(&tail.poll(7, Duration::from_millis(50)).unwrap()));
    }
    all
}

/// Beginning, end, a time, offsets; several topics at once.
pub fn a_tail_starts_where_it_is_told<F: Factory>(factory: &F) {
    let log = factory.open();
    send_numbers(&*log, Topic::Observations, 0, 0..5);
    let middle = content(&*log, Topic::Observations, 0)[4].appended_at.plus(1);
    // Append times are as fine as the clock: wait until it has moved on.
    let until = deadline();
    let now = || {
        log.producer("clock")
            .unwrap()
            .send_and_wait(record(Topic::Audit, 0, "k", "x"), deadline())
            .unwrap()
    };
    while now().appended_at < middle {
        assert!(Instant::now() < until, "the clock of the log stands still");
    }
    send_numbers(&*log, Topic::Observations, 0, 5..9);
    let check = |start: Start, expected: Vec<String>| {
        let mut tail = log.tail(&[(Topic::Observations, start.clone())]).unwrap();
        assert_eq!(read(&mut *tail, expected.len()), expected, "{start:?}");
        assert_eq!(
            tail.position(Topic::Observations, 0),
            log.ends(Topic::Observations).unwrap()[0]
        );
    };
    check(Start::Beginning, numbers(0..9));
    check(Start::End, vec![]);
    check(Start::At(Micros(i64::MIN)), numbers(0..9));
    check(Start::At(middle), numbers(5..9));
    check(Start::At(Micros(i64::MAX)), vec![]);
    let third = content(&*log, Topic::Observations, 0)[3].offset;
    let mut offsets = log.starts(Topic::Observations).unwrap();
    offsets[0] = third;
    check(Start::Offsets(offsets.clone()), numbers(3..9));
    offsets[0] = log.ends(Topic::Observations).unwrap()[0] + 1;
    assert!(log.tail(&[(Topic::Observations, Start::Offsets(offsets))]).is_err());

    let both = [
        (Topic::Observations, Start::Beginning),
        (Topic::DeviceEvents, Start::Beginning),
    ];
    let mut tail = log.tail(&both).unwrap();
    send_numbers(&*log, Topic::DeviceEvents, 3, 100..102);
    let mut all = read(&mut *tail, 11);
    all.sort_by_key(|n| n.parse::<u32>().unwrap());
    assert_eq!(all, [numbers(0..9), numbers(100..102)].concat());
}

/// A poll that waits ends when a record comes, not when its time is over.
pub fn a_waiting_reader_is_woken<F: Factory>(factory: &F) {
    let log = factory.open();
    let mut tail = log.tail(&[(Topic::Observations, Start::End)]).unwrap();
    thread::scope(|scope| {
        let reader = scope.spawn(move || {
            let began = Instant::now();
            let got = tail.poll(10, WAIT * 3).unwrap();
            (texts(&got), began.elapsed())
        });
        send_numbers(&*log, Topic::Observations, 2, 7..8);
        let (got, waited) = reader.join().unwrap();
        assert_eq!(got, ["7"]);
        assert!(waited < WAIT, "{waited:?}");
    });
}

/// What retention has dropped is an error that names the oldest offset; what came later is there.
pub fn an_offset_no_longer_kept_is_an_error<F: Factory>(factory: &F) {
    let log = factory.open_brief();
    send_numbers(&*log, Topic::Observations, 0, 0..100);
    let mut late = log.tail(&[(Topic::Observations, Start::Beginning)]).unwrap();
    factory.outlive_retention(&log);
    let oldest = log.starts(Topic::Observations).unwrap()[0];
    assert!(oldest > 0);
    let too_old = |result: Result<(), LogError>| match result {
        Err(LogError::OffsetTooOld {
            topic: Topic::Observations,
            partition: 0,
            oldest: told,
            ..
        }) => {
            assert_eq!(told, oldest);
        }
        other => panic!("{other:?}"),
    };
    too_old(late.poll(10, WAIT).map(drop));
    too_old(
        log.tail(&[(Topic::Observations, Start::Offsets(vec![0; PARTITIONS as usize]))])
            .map(drop),
    );
    let mut task = log.task_log(Group::Network, ALONE).unwrap();
    task.poll(1, WAIT).unwrap();
    assert_eq!(task.restore(0, &mut |_| {}).unwrap().input_start, oldest);
    too_old(task.seek(0, 0));
    drop(task);
    send_numbers(&*log, Topic::Observations, 0, 200..203);
    let kept = texts(&content(&*log, Topic::Observations, 0));
    assert_eq!(kept[kept.len() - 3..], numbers(200..203));
}

/// A reader from the beginning gets the last value of each key, in offset order; a tombstone is one too.
pub fn compaction_keeps_the_last_value_of_each_key<F: Factory>(factory: &F) {
    let log = factory.open();
    let producer = log.producer("test").unwrap();
    let mut last = 0;
    for round in 0..20 {
        for key in 0..10 {
            let record = record(Topic::Inventory, 1, &format!("k{key}"), &format!("{key}:{round}"));
            last = producer.send(record, None).unwrap();
        }
    }
    producer.wait(last, deadline()).unwrap();
    let gone = Record {
        value: None,
        ..record(Topic::Inventory, 1, "k4", "")
    };
    producer.send_and_wait(gone, deadline()).unwrap();
    let check = |log: &F::Log| {
        let stored = content(log, Topic::Inventory, 1);
        assert!(stored.is_sorted_by(|a, b| a.offset < b.offset));
        let by_key: BTreeMap<_, _> = stored.iter().map(|s| (s.record.key.clone(), text(s))).collect();
        let expected: Vec<_> = (0..10)
            .map(|k| if k == 4 { "-".to_owned() } else { format!("{k}:19") })
            .collect();
        assert_eq!(by_key.into_values().collect::<Vec<_>>(), expected);
    };
    check(&log);
    drop(producer);
    check(&factory.reopen(log));
}

fn consume_until(consumer: &mut dyn Consumer, done: impl FnMut(&ConsumerRecords) -> bool) -> ConsumerRecords {
    consume_beside(consumer, None, done)
}

/// The same while another member of the group goes on polling: a rebalance needs all of them.
fn consume_beside(
    consumer: &mut dyn Consumer,
    mut other: Option<&mut dyn Consumer>,
    mut done: impl FnMut(&ConsumerRecords) -> bool,
) -> ConsumerRecords {
    let until = deadline();
    let mut all = ConsumerRecords::default();
    while !done(&all) {
        if let Some(other) = &mut other {
            other.poll(0, Duration::ZERO).unwrap();
        }
        assert!(Instant::now() < until, "waited too long: {all:?}");
        let got = consumer.poll(10, Duration::from_millis(20)).unwrap();
        all.assigned.extend(got.assigned);
        all.revoked.extend(got.revoked);
        all.records.extend(got.records);
    }
    all
}

/// From the beginning the first time; then from what was committed; or from where it seeks.
pub fn a_consumer_resumes_where_it_committed<F: Factory>(factory: &F) {
    let log = factory.open();
    send_numbers(&*log, Topic::DeviceEvents, 1, 0..5);
    let mut consumer = log.consumer(Group::Persist, ALONE).unwrap();
    let got = consume_until(&mut *consumer, |all| all.records.len() >= 5);
    let topics = Group::Persist.spec().reads.len();
    assert_eq!(got.assigned.len(), topics * PARTITIONS as usize);
    assert_eq!(texts(&got.records), numbers(0..5));
    let next = got.records[2].offset + 1;
    consumer.commit(&[(Topic::DeviceEvents, 1, next)]).unwrap();
    assert_eq!(
        log.committed(Group::Persist, Topic::DeviceEvents).unwrap()[1],
        Some(next)
    );
    consumer.seek(Topic::DeviceEvents, 1, got.records[4].offset).unwrap();
    let again = consume_until(&mut *consumer, |all| !all.records.is_empty());
    assert_eq!(texts(&again.records), numbers(4..5));
    drop(consumer);

    let log = factory.reopen(log);
    assert_eq!(
        log.committed(Group::Persist, Topic::DeviceEvents).unwrap()[1],
        Some(next)
    );
    let mut consumer = log.consumer(Group::Persist, ALONE).unwrap();
    let rest = consume_until(&mut *consumer, |all| all.records.len() >= 2);
    assert_eq!(texts(&rest.records), numbers(3..5));
}

/// Each partition has one owner; what is not owned cannot be committed.
pub fn two_consumers_share_partitions<F: Factory>(factory: &F) {
    let log = factory.open();
    let topics = Group::Persist.spec().reads.len();
    let all = topics * PARTITIONS as usize;
    let mut first = log.consumer(Group::Persist, ALONE).unwrap();
    consume_until(&mut *first, |got| got.assigned.len() == all);
    let mut second = log.consumer(Group::Persist, ALONE).unwrap();
    let revoked = consume_until(&mut *first, |got| got.revoked.len() == all / 2).revoked;
    let done = |got: &ConsumerRecords| got.assigned.len() == all / 2;
    let mut assigned = consume_beside(&mut *second, Some(&mut *first), done).assigned;
    assigned.sort_unstable();
    let mut expected = revoked.clone();
    expected.sort_unstable();
    assert_eq!(assigned, expected);
    let (topic, partition) = revoked[0];
    assert!(matches!(
        first.commit(&[(topic, partition, 0)]),
        Err(LogError::Fenced(_))
    ));
    second.commit(&[(topic, partition, 0)]).unwrap();
}
