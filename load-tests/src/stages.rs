//! Stages measured inside this process: the log; and what the other stages are measured with.

use std::time::{Duration, Instant};

use anyhow::Result;
use log::{Commit, EmbeddedConfig, EmbeddedLog, Headers, Log, Record, ThreadSlot};
use model::{Micros, WriterId};
use schemas::{AnyRecord, Codec, SnmpVersion, TrapReceived};
use topology::{Group, Topic, partition_of};

use crate::print_figure;

/// CPU time of this process so far.
pub fn cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or(0),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}

/// Work items per CPU-second and per second of `work`.
pub fn rates(items: usize, work: impl FnOnce() -> Result<()>) -> Result<(f64, f64)> {
    let (cpu_before, began) = (cpu(), Instant::now());
    work()?;
    let wall = began.elapsed().as_secs_f64();
    let cpu = (cpu() - cpu_before).as_secs_f64().max(0.01);
    Ok((items as f64 / cpu, items as f64 / wall))
}

/// The `n`th trap as the connector publishes it.
pub fn trap(n: u32, olts: u8) -> TrapReceived {
    let note = load_tests::device::Note::nth(n, olts);
    let datagram = note.datagram(false, n);
    let pdu = match snmp_pdu::Message::parse(&datagram) {
        Ok(snmp_pdu::Message::Community { pdu, .. }) => pdu.to_vec(),
        _ => unreachable!("our own datagram"),
    };
    received(format!("default/olt/olt-{}", note.olt), n, pdu)
}

pub fn input(n: u32, olts: u8, codec: &Codec, partitions: u32) -> Result<Record> {
    published(trap(n, olts), n, codec, partitions)
}

/// The `n`th trap's record: a thousand a second, of this root.
pub fn received(root: String, n: u32, pdu: Vec<u8>) -> TrapReceived {
    TrapReceived {
        root,
        sender: "127.20.0.1".into(),
        sender_port: 161,
        listener: "bench".into(),
        version: SnmpVersion::V2c,
        credential: "bench".into(),
        inform: false,
        relay: None,
        inner_address: None,
        received_at: Micros(1_700_000_000_000_000 + i64::from(n) * 1_000),
        pdu,
    }
}

/// A trap as the connector's `n`th record.
pub fn published(trap: TrapReceived, n: u32, codec: &Codec, partitions: u32) -> Result<Record> {
    Ok(Record {
        topic: Topic::Observations,
        partition: partition_of(&trap.root, partitions),
        key: trap.root.clone().into(),
        value: Some(codec.encode(&AnyRecord::from(trap))?.into()),
        headers: Headers {
            writer: Some(WriterId {
                writer: "bench".into(),
                sequence: u64::from(n),
            }),
            ..Headers::default()
        },
    })
}

pub fn open(folder: &tempfile::TempDir) -> Result<std::sync::Arc<EmbeddedLog>> {
    Ok(EmbeddedLog::open(EmbeddedConfig::new(folder.path()))?)
}

/// Appends with fsync: one at a time, and as many as the queue takes.
pub fn append(pairs: usize) -> Result<()> {
    const STREAM: u32 = 200_000;
    const SINGLE: u32 = 500;
    let (mut single, mut wall, mut per_cpu) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..pairs {
        let folder = tempfile::tempdir()?;
        let log = open(&folder)?;
        let producer = log.producer("bench")?;
        let far = Instant::now() + Duration::from_secs(120);
        let began = Instant::now();
        for n in 0..SINGLE {
            producer.send_and_wait(input(n, 4, log.codec(), log.partitions())?, far)?;
        }
        single.push(began.elapsed().as_secs_f64() * 1e6 / f64::from(SINGLE));
        let records: Vec<_> = (0..STREAM)
            .map(|n| input(n, 4, log.codec(), log.partitions()))
            .collect::<Result<_>>()?;
        let (cpu, second) = rates(records.len(), || {
            let mut last = 0;
            for record in records {
                last = producer.send(record, None)?;
            }
            Ok(producer.wait(last, far)?)
        })?;
        wall.push(second);
        per_cpu.push(cpu);
        log.close()?;
    }
    print_figure("append, one at a time, durable", "µs", single);
    print_figure("append, streaming, durable", "records/s", wall);
    print_figure("append, streaming, durable", "records/CPU-s", per_cpu);
    Ok(())
}

/// Commits of 100 slots, one exact output each, and a position.
pub fn commit(pairs: usize) -> Result<()> {
    const COMMITS: usize = 1_000;
    const SLOTS: usize = 100;
    let (mut latency, mut slots) = (Vec::new(), Vec::new());
    for _ in 0..pairs {
        let folder = tempfile::tempdir()?;
        let log = open(&folder)?;
        let mut task_log = log.task_log(Group::Network, ThreadSlot { index: 0, of: 1 })?;
        for partition in task_log.poll(1, Duration::ZERO)?.assigned {
            task_log.restore(partition, &mut |_| {})?;
            task_log.seek(partition, 0)?;
        }
        let record = |topic, n: usize| Record {
            topic,
            partition: 0,
            key: format!("default/olt/a/onu/0/1/1/{}", n % 1_000).into(),
            value: Some(vec![7; 200].into()),
            headers: Headers::default(),
        };
        let began = Instant::now();
        for n in 0..COMMITS {
            let at = |topic| (0..SLOTS).map(|i| record(topic, n * SLOTS + i)).collect();
            let commit = Commit {
                exact: at(Topic::DeviceStatus),
                changelog: at(Topic::ChangelogNetwork),
                positions: vec![(0, n as u64 + 1)],
            };
            task_log.begin_commit(commit)?;
            while task_log.commit_state(Duration::from_secs(10))? == log::CommitState::Running {}
        }
        let seconds = began.elapsed().as_secs_f64();
        latency.push(seconds * 1e6 / COMMITS as f64);
        slots.push((COMMITS * SLOTS) as f64 / seconds);
        drop(task_log);
        log.close()?;
    }
    print_figure("commit of 100 slots and 100 rows, durable", "µs", latency);
    print_figure("commit, slots with their rows", "slots/s", slots);
    Ok(())
}
