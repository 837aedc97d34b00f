//! Records per CPU-second of [`TaskLog::poll`] against a bare rdkafka consume loop, on the broker that `KAFKA` names.
//!
//! ```text
//! KAFKA=127.0.0.1:29092 cargo run --release -p log-kafka --example consume_rate -- [RECORDS]
//! ```
//!
//! CPU is the whole process's, librdkafka's threads included. The two take turns, five times each; the medians are compared.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a bench says what it found, and stops where it cannot go on"
)]

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use log::{Headers, Log, Record, ThreadSlot};
use log_kafka::{Admin, KafkaConfig, KafkaLog};
use model::WriterId;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use schemas::Codec;
use topology::{Group, Topic};

const PARTITIONS: u32 = 4;
const ROUNDS: usize = 5;
/// As large as a trap's record.
const VALUE_BYTES: usize = 200;

fn main() -> Result<(), Box<dyn Error>> {
    let records: u64 = std::env::args().nth(1).map_or(Ok(1_000_000), |n| n.parse())?;
    let brokers = std::env::var("KAFKA").map_err(|_| "KAFKA is not set: run eval \"$(infra/dev/servers up)\"")?;
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    let config = KafkaConfig {
        prefix: format!("bench{}.", since.as_millis()),
        partitions: PARTITIONS,
        ..KafkaConfig::new(&brokers, Arc::new(Codec::standalone()))
    };
    Admin::connect(config.clone())?.apply()?;
    let log = KafkaLog::open(config.clone())?;
    fill(&log, records)?;
    let (mut bare, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        bare.push(rate(records, || consume_bare(&config, records))?);
        ours.push(rate(records, || consume_ours(&log, records))?);
    }
    let (bare, ours) = (median(bare), median(ours));
    println!(
        "records per CPU-second: bare rdkafka {bare:.0}, TaskLog::poll {ours:.0}, {:.0} %",
        100.0 * ours / bare
    );
    Ok(())
}

fn fill(log: &KafkaLog, records: u64) -> Result<(), Box<dyn Error>> {
    let producer = log.producer("bench")?;
    let mut last = 0;
    for n in 0..records {
        let headers = Headers {
            writer: Some(WriterId {
                writer: "bench#1".to_owned(),
                sequence: n,
            }),
            ..Headers::default()
        };
        last = producer.send(
            Record {
                topic: Topic::Observations,
                partition: u32::try_from(n % u64::from(PARTITIONS))?,
                key: "default/olt/rjo-01".into(),
                value: Some(vec![7; VALUE_BYTES].into()),
                headers,
            },
            None,
        )?;
    }
    producer.wait(last, Instant::now() + Duration::from_secs(120))?;
    Ok(())
}

fn consume_bare(config: &KafkaConfig, records: u64) -> Result<(), Box<dyn Error>> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &config.brokers)
        .set("group.id", "bench")
        .set("isolation.level", "read_committed")
        .set("queued.min.messages", "50000")
        .set("queued.max.messages.kbytes", "32768")
        .create()?;
    let mut list = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        let name = format!("{}{}", config.prefix, Topic::Observations.name());
        list.add_partition_offset(&name, i32::try_from(partition)?, Offset::Beginning)?;
    }
    consumer.assign(&list)?;
    let mut bytes = 0;
    let mut seen = 0;
    while seen < records {
        if let Some(message) = consumer.poll(Duration::from_millis(100)) {
            bytes += message?.payload().map_or(0, <[u8]>::len);
            seen += 1;
        }
    }
    assert!(bytes > 0);
    Ok(())
}

fn consume_ours(log: &KafkaLog, records: u64) -> Result<(), Box<dyn Error>> {
    let mut task = log.task_log(Group::Network, ThreadSlot { index: 0, of: 1 })?;
    let mut seen = 0;
    while seen < records {
        let polled = task.poll(1_000, Duration::from_millis(100))?;
        for partition in polled.assigned {
            task.seek(partition, 0)?;
        }
        seen += polled.records.len() as u64;
    }
    Ok(())
}

#[allow(clippy::cast_precision_loss, reason = "a rate")]
fn rate(records: u64, consume: impl FnOnce() -> Result<(), Box<dyn Error>>) -> Result<f64, Box<dyn Error>> {
    let before = cpu_ticks()?;
    consume()?;
    // Ticks of a hundredth of a second.
    let seconds = (cpu_ticks()? - before) as f64 / 100.0;
    Ok(records as f64 / seconds)
}

/// User and system time of this process.
fn cpu_ticks() -> Result<u64, Box<dyn Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let rest = stat.rsplit(')').next().ok_or("no process name in /proc/self/stat")?;
    let field = |n: usize| rest.split_whitespace().nth(n).ok_or("a short /proc/self/stat");
    Ok(field(11)?.parse::<u64>()? + field(12)?.parse::<u64>()?)
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}
