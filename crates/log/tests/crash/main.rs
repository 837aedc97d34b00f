//! A child process writes, is killed at random moments and at the named points, and everything it was told is durable must
//! be there: once, in order, with no commit torn.

#![allow(clippy::unwrap_used, reason = "a test's verdict")]

mod child;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use atalaia_log::{CRASH_AT_ENV, CrashPoint, EmbeddedConfig, EmbeddedLog, Log, Start, Stored};
use topology::{Group, Topic};

/// What the children were told so far.
#[derive(Debug, Default)]
struct Told {
    /// Highest number in `observations` that was acknowledged, or seen by a reader.
    appended: Option<u64>,
    /// Highest marker committed.
    committed: Option<u64>,
}

/// What a reopened log holds; compared with what is found after the next kill.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    observations: Vec<(u64, u64)>,
    events: Vec<(u64, u64)>,
}

#[test]
fn nothing_acknowledged_is_lost_whenever_the_process_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let (mut told, mut before) = (Told::default(), Found::default());
    let mut random = 0x9e37_79b9_u64;
    let mut points = [
        CrashPoint::BeforeCommit,
        CrashPoint::InsideCommit,
        CrashPoint::AfterCommit,
    ]
    .into_iter()
    .cycle();
    for kill in 0..24_u32 {
        let next = told.committed.map_or(0, |n| n + 1).max(next_number(&before));
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let drawn = random >> 40;
        match kill % 4 {
            0 | 1 => killed_after_lines(folder.path(), next, drawn % 150, &mut told),
            2 => killed_at(folder.path(), next, points.next().unwrap(), 1 + drawn % 9, &mut told),
            // Only a log that was written to is restored: the third round of four is never the first.
            _ => killed_at(folder.path(), next, CrashPoint::DuringRestore, 1, &mut told),
        }
        let found = check(folder.path(), &told, &before);
        before = found;
    }
    assert!(told.committed > Some(20), "the children did something: {told:?}");
}

/// Folder and first number: makes this binary the child.
const CHILD_ENV: &str = "ATALAIA_TEST_CRASH_CHILD";

/// Not a test of its own: what the child process runs.
#[test]
fn child() {
    if let Ok(arguments) = std::env::var(CHILD_ENV) {
        let (first, folder) = arguments.split_once(' ').unwrap();
        child::run(folder, first.parse().unwrap());
    }
}

fn spawn(folder: &Path, first: u64, crash_at: Option<String>) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child", "--nocapture"]).stdout(Stdio::piped());
    command.env(CHILD_ENV, format!("{first} {}", folder.display()));
    if let Some(point) = crash_at {
        command.env(CRASH_AT_ENV, point);
    }
    command.spawn().unwrap()
}

fn killed_after_lines(folder: &Path, first: u64, lines: u64, told: &mut Told) {
    let mut child = spawn(folder, first, None);
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    for _ in 0..=lines {
        line.clear();
        assert!(out.read_line(&mut line).unwrap() > 0, "the child ended by itself");
        take_line(&line, told);
    }
    child.kill().unwrap();
    read_rest(out, told);
    child.wait().unwrap();
}

fn killed_at(folder: &Path, first: u64, point: CrashPoint, nth: u64, told: &mut Told) {
    let mut child = spawn(folder, first, Some(format!("{}:{nth}", point.name())));
    read_rest(BufReader::new(child.stdout.take().unwrap()), told);
    let status = child.wait().unwrap();
    assert!(status.code().is_none(), "killed, not ended by itself: {status}");
}

fn read_rest(mut out: BufReader<impl Read>, told: &mut Told) {
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    rest.lines().for_each(|line| take_line(line, told));
}

fn take_line(line: &str, told: &mut Told) {
    match line.trim().split_once(' ') {
        Some(("a" | "r", n)) => told.appended = told.appended.max(Some(n.parse().unwrap())),
        Some(("c", n)) => told.committed = told.committed.max(Some(n.parse().unwrap())),
        _ => {}
    }
}

fn open(folder: &Path) -> Arc<EmbeddedLog> {
    let config = EmbeddedConfig {
        partitions: 2,
        disk_reserve_bytes: 0,
        ..EmbeddedConfig::new(folder)
    };
    EmbeddedLog::open(EmbeddedConfig {
        segment_bytes: 20_000,
        ..config
    })
    .unwrap()
}

fn all(log: &EmbeddedLog, topic: Topic) -> Vec<Stored> {
    let mut tail = log.tail(&[(topic, Start::Beginning)]).unwrap();
    let mut all = Vec::new();
    loop {
        let got = tail.poll(10_000, Duration::ZERO).unwrap();
        if got.is_empty() {
            return all;
        }
        all.extend(got);
    }
}

fn number(stored: &Stored) -> u64 {
    let value = stored.record.value.as_ref().unwrap();
    std::str::from_utf8(value)
        .unwrap()
        .split(' ')
        .next()
        .unwrap()
        .parse()
        .unwrap()
}

fn check(folder: &Path, told: &Told, before: &Found) -> Found {
    let log = open(folder);
    let numbered = |topic| {
        all(&log, topic)
            .iter()
            .map(|s| (s.offset, number(s)))
            .collect::<Vec<_>>()
    };
    let found = Found {
        observations: numbered(Topic::Observations),
        events: numbered(Topic::DeviceEvents),
    };

    // What was found once is found again at the same offset: none is used for another record.
    assert_eq!(found.observations[..before.observations.len()], before.observations);
    assert_eq!(found.events[..before.events.len()], before.events);
    for records in [&found.observations, &found.events] {
        assert!(
            records
                .iter()
                .zip(0..)
                .all(|((offset, _), expected)| *offset == expected),
            "offsets without gaps"
        );
        assert!(records.is_sorted_by(|a, b| a.1 < b.1), "in order, and once");
    }
    // The child numbers what it sends from one start without gaps: what is there of a start is a prefix of it.
    assert!(
        found.observations.iter().map(|(_, n)| *n).max() >= told.appended,
        "{told:?}"
    );

    let last = |topic, key: &str| -> BTreeMap<u32, u64> {
        let of_key = |s: &&Stored| s.record.key == key;
        all(&log, topic)
            .iter()
            .filter(of_key)
            .map(|s| (s.record.partition, number(s)))
            .collect()
    };
    let positions = log.committed(Group::Network, Topic::Observations).unwrap();
    let marker = positions[0];
    assert_eq!(positions, [marker, marker], "one commit covers both partitions");
    assert!(
        marker >= told.committed,
        "a commit that was answered stands: {marker:?}, {told:?}"
    );
    let everywhere: BTreeMap<u32, u64> = marker.into_iter().flat_map(|n| [(0, n), (1, n)]).collect();
    assert_eq!(last(Topic::DeviceStatus, "entity"), everywhere);
    for key in ["slot", "marker"] {
        assert_eq!(last(Topic::ChangelogNetwork, key), everywhere);
    }
    // Every fast output of a commit that stands is there.
    assert!(found.events.iter().map(|(_, n)| *n).max() >= marker.map(|n| n * 5 + 4));
    log.close().unwrap();
    found
}

/// Above everything that is in the log: a start never repeats a number.
fn next_number(found: &Found) -> u64 {
    let observations = found.observations.last().map_or(0, |(_, n)| n / 10 + 1);
    observations.max(found.events.last().map_or(0, |(_, n)| n / 5 + 1))
}
