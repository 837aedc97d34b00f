//! The child process: writes numbered records and commits until it is killed, and prints what was acknowledged.
//!
//! Lines: `a N` number N in `observations` is durable; `r N` a reader has seen it; `c N` the commit with marker N stands.

use std::io::Write;
use std::time::Duration;

use atalaia_log::{
    Commit, CommitState, EmbeddedConfig, EmbeddedLog, Headers, Log, LogError, Producer, Record, Start, TaskLog,
    ThreadSlot,
};
use bytes::Bytes;
use topology::{Group, Topic};

const WAIT: Duration = Duration::from_secs(30);

/// Runs until it is killed.
pub fn run(folder: &str, first: u64) {
    let config = EmbeddedConfig {
        partitions: 2,
        disk_reserve_bytes: 0,
        ..EmbeddedConfig::new(folder)
    };
    // Small segments, so that some kills fall on the change from one to the next.
    let log = EmbeddedLog::open(EmbeddedConfig {
        segment_bytes: 20_000,
        ..config
    })
    .unwrap();
    let reader = log.clone();
    std::thread::spawn(move || read_along(&reader));
    let producer = log.producer("crash").unwrap();
    let mut task = log.task_log(Group::Network, ThreadSlot { index: 0, of: 1 }).unwrap();
    task.poll(1, WAIT).unwrap();
    for partition in 0..2 {
        task.restore(partition, &mut |_| {}).unwrap();
    }
    say("ready");
    for number in first.. {
        round(&*producer, &mut *task, number).unwrap();
    }
}

/// What one reader has seen must be there for all that come later.
fn read_along(log: &EmbeddedLog) {
    let mut tail = log.tail(&[(Topic::Observations, Start::End)]).unwrap();
    loop {
        for stored in tail.poll(100, WAIT).unwrap() {
            let value = stored.record.value.unwrap();
            let number = value.split(|b| *b == b' ').next().unwrap();
            say(&format!("r {}", std::str::from_utf8(number).unwrap()));
        }
    }
}

/// Ten records, five fast outputs, and one commit over both partitions.
fn round(producer: &dyn Producer, task: &mut dyn TaskLog, number: u64) -> Result<(), LogError> {
    for n in number * 10..number * 10 + 10 {
        let done = Box::new(move |result: Result<_, LogError>| {
            if result.is_ok() {
                say(&format!("a {n}"));
            }
        });
        producer.send(record(Topic::Observations, 0, "k", n), Some(done))?;
    }
    for n in number * 5..number * 5 + 5 {
        task.emit(record(Topic::DeviceEvents, 0, "k", n))?;
    }
    let mut commit = Commit::default();
    for partition in 0..2 {
        commit
            .exact
            .push(record(Topic::DeviceStatus, partition, "entity", number));
        commit
            .changelog
            .push(record(Topic::ChangelogNetwork, partition, "slot", number));
        commit.changelog.push(record(
            Topic::ChangelogNetwork,
            partition,
            &format!("key {}", number % 7),
            number,
        ));
        commit
            .changelog
            .push(record(Topic::ChangelogNetwork, partition, "marker", number));
        commit.positions.push((partition, number));
    }
    task.begin_commit(commit)?;
    while task.commit_state(WAIT)? == CommitState::Running {}
    say(&format!("c {number}"));
    Ok(())
}

fn record(topic: Topic, partition: u32, key: &str, number: u64) -> Record {
    let value = Some(Bytes::from(format!("{number} {}", "x".repeat(100))));
    Record {
        topic,
        partition,
        key: Bytes::copy_from_slice(key.as_bytes()),
        value,
        headers: Headers::default(),
    }
}

/// In one write, so that a kill leaves whole lines.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // The parent is gone: so is whoever would read on.
    if out
        .write_all(format!("{line}\n").as_bytes())
        .and_then(|()| out.flush())
        .is_err()
    {
        std::process::exit(1);
    }
}
