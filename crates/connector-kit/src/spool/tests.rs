//! The spool alone: order, limits, restarts, torn ends, damage, a disk that refuses.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use log::Headers;
use model::WriterId;
use topology::Topic;

use std::path::Path;

use super::*;

fn config(folder: &Path) -> SpoolConfig {
    SpoolConfig {
        segment_bytes: 2_000,
        ..SpoolConfig::new(folder, 1 << 20)
    }
}

fn open(folder: &Path, writer: &str) -> (Spool, Recovered) {
    Spool::open(config(folder), "test", writer).unwrap()
}

fn record(writer: &str, sequence: u64) -> Record {
    Record {
        topic: Topic::Observations,
        partition: u32::try_from(sequence % 4).unwrap(),
        key: Bytes::from(format!("default/olt/a-{}", sequence % 4)),
        value: Some(Bytes::from(vec![7; 20 + usize::try_from(sequence % 50).unwrap()])),
        headers: Headers {
            writer: Some(WriterId {
                writer: writer.to_owned(),
                sequence,
            }),
            ..Headers::default()
        },
    }
}

fn fill(spool: &mut Spool, writer: &str, sequences: std::ops::Range<u64>) {
    for sequence in sequences {
        assert!(spool.append(&record(writer, sequence), sequence * 10, None).is_ok());
        if sequence % 3 == 0 {
            spool.write_out(Instant::now());
        }
    }
    spool.write_out(Instant::now());
}

/// Takes so many out and drains them; answers their sequences.
fn drain(spool: &mut Spool, count: usize) -> Vec<u64> {
    let mut sequences = Vec::new();
    while sequences.len() < count {
        match spool.next() {
            Some(Next::Record {
                record, place, bytes, ..
            }) => {
                spool.drained(place, bytes);
                let id = record.headers.writer.clone().unwrap();
                assert_eq!(record, self::record(&id.writer, id.sequence), "comes out as it went in");
                sequences.push(id.sequence);
            }
            Some(Next::Lost(lost)) => panic!("lost {lost:?}"),
            None => break,
        }
    }
    sequences
}

fn files(folder: &Path) -> usize {
    Segment::list(folder).unwrap().len()
}

#[test]
fn what_goes_in_comes_out_in_order_and_the_disk_is_given_back() {
    let folder = tempfile::tempdir().unwrap();
    let (mut spool, recovered) = open(folder.path(), "w-1");
    assert_eq!(recovered, Recovered::default());
    let mut expected = 0;
    for round in 0..5 {
        fill(&mut spool, "w-1", expected..expected + 200);
        assert!(files(folder.path()) > 3, "several files");
        assert_eq!(drain(&mut spool, 120), (expected..expected + 120).collect::<Vec<_>>());
        // More behind, while some is left.
        fill(&mut spool, "w-1", expected + 200..expected + 250);
        assert_eq!(
            drain(&mut spool, usize::MAX),
            (expected + 120..expected + 250).collect::<Vec<_>>(),
            "round {round}"
        );
        spool.tend(Instant::now());
        assert_eq!((spool.state(), files(folder.path())), (SpoolState::default(), 0));
        expected += 250;
    }
}

#[test]
fn what_is_not_written_yet_is_read_from_memory() {
    let folder = tempfile::tempdir().unwrap();
    let (mut spool, _) = open(folder.path(), "w-1");
    for sequence in 0..5 {
        assert!(spool.append(&record("w-1", sequence), 0, None).is_ok());
    }
    assert_eq!(drain(&mut spool, 3), [0, 1, 2]);
    spool.write_out(Instant::now());
    assert_eq!(drain(&mut spool, 9), [3, 4]);
}

#[test]
fn a_restart_finds_what_was_written_under_the_old_writer_ids_before_anything_new() {
    let folder = tempfile::tempdir().unwrap();
    let (mut spool, _) = open(folder.path(), "w-1");
    fill(&mut spool, "w-1", 0..300);
    assert_eq!(drain(&mut spool, 100).len(), 100);
    spool.write_cursor(Instant::now());
    // As after `kill -9`: nothing is flushed in order, the lock goes with the process.
    drop(spool);
    let (mut spool, recovered) = open(folder.path(), "w-2");
    assert_eq!(recovered.records, 200);
    fill(&mut spool, "w-2", 0..50);
    let mut writers = Vec::new();
    let mut sequences = Vec::new();
    while let Some(Next::Record {
        record,
        tag,
        place,
        bytes,
    }) = spool.next()
    {
        let id = record.headers.writer.unwrap();
        assert_eq!(
            tag,
            (id.writer == "w-2").then_some(id.sequence * 10),
            "old tags mean nothing now"
        );
        spool.drained(place, bytes);
        writers.push(id.writer);
        sequences.push(id.sequence);
    }
    assert_eq!(writers.iter().filter(|w| *w == "w-1").count(), 200);
    assert!(writers.is_sorted(), "the earlier run's first");
    assert_eq!(sequences, (100..300).chain(0..50).collect::<Vec<_>>());
}

#[test]
fn without_its_cursor_more_comes_out_and_nothing_less() {
    let folder = tempfile::tempdir().unwrap();
    let (mut spool, _) = open(folder.path(), "w-1");
    fill(&mut spool, "w-1", 0..300);
    drain(&mut spool, 150);
    drop(spool);
    let (mut spool, recovered) = open(folder.path(), "w-2");
    assert!((150..=300).contains(&recovered.records), "{recovered:?}");
    let sequences = drain(&mut spool, usize::MAX);
    assert_eq!(sequences.last(), Some(&299));
    assert!(sequences.windows(2).all(|w| w[1] == w[0] + 1));
}

#[test]
fn a_torn_end_is_cut_off_at_every_byte() {
    let folder = tempfile::tempdir().unwrap();
    let (mut spool, _) = open(folder.path(), "w-1");
    fill(&mut spool, "w-1", 0..10);
    drop(spool);
    let (_, path) = Segment::list(folder.path()).unwrap().remove(0);
    let whole = fs::read(&path).unwrap();
    let mut boundaries = Vec::new();
    for length in (0..whole.len()).rev() {
        fs::write(&path, &whole[..length]).unwrap();
        let (mut spool, recovered) = open(folder.path(), "w-2");
        let sequences = drain(&mut spool, usize::MAX);
        assert_eq!(sequences, (0..recovered.records).collect::<Vec<_>>(), "cut at {length}");
        if recovered.torn_bytes == 0 && length > 0 {
            boundaries.push(length);
        }
        drop(spool);
        for (_, path) in Segment::list(folder.path()).unwrap() {
            fs::remove_file(path).unwrap();
        }
        fs::remove_file(folder.path().join("drained")).unwrap();
    }
    assert_eq!(boundaries.len(), 10, "whole only where a record ends: {boundaries:?}");
}

#[test]
fn it_never_grows_beyond_its_limit() {
    let folder = tempfile::tempdir().unwrap();
    let limits = SpoolConfig {
        bytes_max: 10_000,
        ..config(folder.path())
    };
    let (mut spool, _) = Spool::open(limits, "test", "w-1").unwrap();
    let mut taken = 0;
    while spool.append(&record("w-1", taken), 0, None).is_ok() {
        taken += 1;
    }
    spool.write_out(Instant::now());
    let on_disk: u64 = Segment::list(folder.path())
        .unwrap()
        .iter()
        .map(|(_, path)| path.metadata().unwrap().len())
        .sum();
    assert!((9_000..=10_000).contains(&on_disk), "{on_disk} bytes");
    assert_eq!(spool.append(&record("w-1", taken), 0, None), Err(Refused::Full));
    // Room again once whole files are drained, and what was refused left no trace.
    drain(&mut spool, 60);
    assert!(spool.append(&record("w-1", taken), 0, None).is_ok());
    let rest = drain(&mut spool, usize::MAX);
    assert_eq!(rest, (60..=taken).collect::<Vec<_>>());
}

#[test]
fn a_damaged_file_costs_what_was_in_it_counted_by_tag_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let (mut spool, _) = open(folder.path(), "w-1");
    for sequence in 0..200 {
        assert!(spool.append(&record("w-1", sequence), sequence % 2, None).is_ok());
        spool.write_out(Instant::now());
    }
    let (_, second) = Segment::list(folder.path()).unwrap().remove(1);
    let file = OpenOptions::new().write(true).open(second).unwrap();
    file.write_all_at(&[0xFF; 4], 400).unwrap();

    let mut read: BTreeMap<u64, u64> = BTreeMap::new();
    let mut lost: BTreeMap<u64, u64> = BTreeMap::new();
    while let Some(next) = spool.next() {
        match next {
            Next::Record { tag, place, bytes, .. } => {
                *read.entry(tag.unwrap()).or_default() += 1;
                spool.drained(place, bytes);
            }
            Next::Lost(some) => some
                .iter()
                .for_each(|(tag, n)| *lost.entry(tag.unwrap()).or_default() += n),
        }
    }
    assert!(lost.values().sum::<u64>() > 0);
    for tag in [0, 1] {
        assert_eq!(read[&tag] + lost[&tag], 100, "tag {tag}: {read:?} and {lost:?}");
    }
    assert_eq!(spool.state().records, 0);
}

#[test]
fn one_owner_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let (spool, _) = open(folder.path(), "w-1");
    let second = Spool::open(config(folder.path()), "test", "w-2");
    assert!(matches!(second, Err(SpoolError::InUse(_))));
    drop(spool);
    open(folder.path(), "w-3");
}

#[derive(Default)]
struct Told(AtomicUsize);

impl OnDurable for Told {
    fn durable(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn who_waits_is_told_after_the_sync() {
    let folder = tempfile::tempdir().unwrap();
    let (mut spool, _) = open(folder.path(), "w-1");
    let told = Arc::new(Told::default());
    let waiting: Arc<dyn OnDurable> = told.clone();
    for sequence in 0..3 {
        assert!(spool.append(&record("w-1", sequence), 0, Some(&waiting)).is_ok());
    }
    assert_eq!(told.0.load(Ordering::Relaxed), 0, "not written, so not durable");
    spool.finish(Deadline::after(Duration::from_secs(10)));
    assert_eq!(told.0.load(Ordering::Relaxed), 3);
}

/// `/dev/full` refuses every write, as a full disk does.
#[test]
fn a_full_disk_is_said_survived_and_written_to_again() {
    let folder = tempfile::tempdir().unwrap();
    let limits = SpoolConfig {
        buffer_bytes_max: 3_000,
        segment_bytes: 1 << 20,
        ..config(folder.path())
    };
    let (mut spool, _) = Spool::open(limits, "test", "w-1").unwrap();
    fill(&mut spool, "w-1", 0..5);
    let good = spool.segments[0].file.clone();
    spool.segments[0].file = Arc::new(OpenOptions::new().read(true).write(true).open("/dev/full").unwrap());

    let mut taken = 5;
    loop {
        let result = spool.append(&record("w-1", taken), 0, None);
        spool.write_out(Instant::now());
        match result {
            Ok(()) => taken += 1,
            Err(refused) => {
                assert_eq!(refused, Refused::Disk);
                break;
            }
        }
        assert!(taken < 1_000, "memory must not grow without end");
    }
    assert!(spool.state().trouble.is_some());
    assert!(taken > 20, "some wait in memory: {taken}");

    spool.segments[0].file = good;
    spool.finish(Deadline::after(Duration::from_secs(10)));
    assert_eq!(spool.state().trouble, None);
    assert!(spool.append(&record("w-1", taken), 0, None).is_ok());
    spool.write_out(Instant::now());
    drop(spool);
    let (mut spool, recovered) = open(folder.path(), "w-2");
    assert_eq!(recovered.records, taken + 1);
    assert_eq!(
        drain(&mut spool, usize::MAX),
        (0..=taken).collect::<Vec<_>>(),
        "no gap, no repeat"
    );
}
