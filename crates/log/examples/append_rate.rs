//! Rates of the embedded log on this machine, with fsync: `cargo run --release -p atalaia-log --example append_rate [FOLDER]`.
//!
//! Append: four producers, 300-byte values, waiting only at the end. Commit: one thread, 200 fast outputs, 100 exact outputs
//! and 100 slots a commit, each waited for. Latency: one record at a time. Restore: a million slots of 150 bytes.

#![allow(clippy::print_stdout, reason = "a measuring tool: the figures are its output")]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use atalaia_log::{
    Commit, CommitState, EmbeddedConfig, EmbeddedLog, Headers, Log, LogError, Record, Start, TaskLog, ThreadSlot,
};
use bytes::Bytes;
use topology::{Group, Topic};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const WAIT: Duration = Duration::from_secs(120);
const ALONE: ThreadSlot = ThreadSlot { index: 0, of: 1 };
const PARTITIONS: u32 = 8;

fn main() -> Result<()> {
    let folder = match std::env::args_os().nth(1) {
        Some(folder) => PathBuf::from(folder),
        None => std::env::temp_dir().join(format!("append-rate-{}", std::process::id())),
    };
    let log = EmbeddedLog::open(EmbeddedConfig::new(&folder))?;
    latency(&log)?;
    append(&log)?;
    read(&log)?;
    commits(&log)?;
    fill_changelog(&log)?;
    let began = Instant::now();
    log.close()?;
    drop(log);
    println!("close     {:>9.3} s", began.elapsed().as_secs_f64());
    let began = Instant::now();
    let log = EmbeddedLog::open(EmbeddedConfig::new(&folder))?;
    println!(
        "open      {:>9.3} s with 1,000,000 slots",
        began.elapsed().as_secs_f64()
    );
    restore(&log)?;
    log.close()?;
    remove(&folder)
}

fn record(topic: Topic, partition: u32, key: &str, bytes: usize) -> Record {
    let (key, value) = (
        Bytes::copy_from_slice(key.as_bytes()),
        Some(Bytes::from(vec![b'x'; bytes])),
    );
    Record {
        topic,
        partition,
        key,
        value,
        headers: Headers::default(),
    }
}

fn latency(log: &Arc<EmbeddedLog>) -> Result<()> {
    let producer = log.producer("latency")?;
    let mut times = Vec::new();
    for _ in 0..500 {
        let began = Instant::now();
        producer.send_and_wait(record(Topic::Ledger, 0, "k", 300), began + WAIT)?;
        times.push(began.elapsed());
    }
    times.sort_unstable();
    println!("one at a time: p50 {:?}, p99 {:?}", times[250], times[495]);
    Ok(())
}

fn append(log: &Arc<EmbeddedLog>) -> Result<()> {
    const EACH: u32 = 250_000;
    let meter = Meter::start();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|t| {
                scope.spawn(move || -> std::result::Result<(), LogError> {
                    let producer = log.producer("append")?;
                    let template = record(Topic::Observations, 0, "default/olt/rjo-01", 300);
                    let mut last = 0;
                    for n in 0..EACH {
                        let partition = (t * 2 + n % 2) % PARTITIONS;
                        last = producer.send(
                            Record {
                                partition,
                                ..template.clone()
                            },
                            None,
                        )?;
                    }
                    producer.wait(last, Instant::now() + WAIT)
                })
            })
            .collect();
        threads
            .into_iter()
            .try_for_each(|t| t.join().expect("the thread does not panic"))
    })?;
    meter.print("append", 4 * EACH);
    Ok(())
}

fn read(log: &Arc<EmbeddedLog>) -> Result<()> {
    let meter = Meter::start();
    let mut tail = log.tail(&[(Topic::Observations, Start::Beginning)])?;
    let mut count = 0;
    loop {
        let got = tail.poll(1_000, Duration::ZERO)?.len();
        if got == 0 {
            break;
        }
        count += u32::try_from(got)?;
    }
    meter.print("read", count);
    Ok(())
}

fn started(log: &Arc<EmbeddedLog>) -> Result<Box<dyn TaskLog>> {
    let mut task = log.task_log(Group::Network, ALONE)?;
    while task.poll(1, WAIT)?.assigned.is_empty() {}
    Ok(task)
}

fn finish(task: &mut dyn TaskLog) -> Result<()> {
    while task.commit_state(WAIT)? == CommitState::Running {}
    Ok(())
}

fn commits(log: &Arc<EmbeddedLog>) -> Result<()> {
    const ROUNDS: u32 = 500;
    let mut task = started(log)?;
    let mut times = Vec::new();
    let meter = Meter::start();
    for round in 0..ROUNDS {
        for _ in 0..200 {
            task.emit(record(
                Topic::DeviceEvents,
                round % PARTITIONS,
                "default/olt/rjo-01/onu/0/1/2/3",
                300,
            ))?;
        }
        let mut commit = Commit {
            positions: vec![(round % PARTITIONS, 0)],
            ..Commit::default()
        };
        for n in 0..100 {
            let key = format!("default/olt/rjo-01/onu/0/1/2/{}", (round * 7 + n) % 5_000);
            commit
                .exact
                .push(record(Topic::DeviceStatus, round % PARTITIONS, &key, 300));
            commit
                .changelog
                .push(record(Topic::ChangelogNetwork, round % PARTITIONS, &key, 150));
        }
        let began = Instant::now();
        task.begin_commit(commit)?;
        finish(&mut *task)?;
        times.push(began.elapsed());
    }
    meter.print("commit", ROUNDS);
    meter.print("  records", ROUNDS * 400);
    times.sort_unstable();
    println!(
        "  a commit: p50 {:?}, p99 {:?}",
        times[times.len() / 2],
        times[times.len() * 99 / 100]
    );
    Ok(())
}

fn fill_changelog(log: &Arc<EmbeddedLog>) -> Result<()> {
    let mut task = started(log)?;
    let meter = Meter::start();
    for round in 0..200_u32 {
        let slots = (0..5_000).map(|n| {
            let key = format!("2/default/olt/rjo-01/onu/0/1/{}/{n}", round % 50);
            record(Topic::ChangelogNetwork, round / 50, &key, 150)
        });
        task.begin_commit(Commit {
            changelog: slots.collect(),
            ..Commit::default()
        })?;
        finish(&mut *task)?;
    }
    meter.print("slots", 1_000_000);
    Ok(())
}

fn restore(log: &Arc<EmbeddedLog>) -> Result<()> {
    let mut task = started(log)?;
    let meter = Meter::start();
    let mut count = 0;
    for partition in 0..PARTITIONS {
        task.restore(partition, &mut |_| count += 1)?;
    }
    meter.print("restore", count);
    Ok(())
}

fn remove(folder: &Path) -> Result<()> {
    Ok(std::fs::remove_dir_all(folder)?)
}

/// Wall and processor time of this process.
struct Meter {
    wall: Instant,
    cpu: Duration,
}

impl Meter {
    fn start() -> Self {
        Self {
            wall: Instant::now(),
            cpu: cpu_time(),
        }
    }

    fn print(&self, what: &str, count: u32) {
        let (wall, cpu) = (self.wall.elapsed().as_secs_f64(), (cpu_time() - self.cpu).as_secs_f64());
        let count = f64::from(count);
        println!("{what:<9} {:>9.0}/s  {:>9.0} per CPU-second", count / wall, count / cpu);
    }
}

fn cpu_time() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(
        u64::try_from(now.tv_sec).unwrap_or(0),
        u32::try_from(now.tv_nsec).unwrap_or(0),
    )
}
