//! A deployment of its own for each test, on the broker that `KAFKA` names.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test binary uses a part; a panic is a test's verdict"
)]

pub mod proxy;
pub mod worker;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use log::Log;
use log_kafka::{Admin, KafkaConfig, KafkaLog};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use schemas::Codec;
use topology::{Delivery, Group, TOPICS};

/// How long anything may take.
pub const WAIT: Duration = Duration::from_secs(30);

pub fn broker() -> String {
    std::env::var("KAFKA").expect("KAFKA is not set: run eval \"$(infra/dev/servers up)\"")
}

/// A prefix nobody else has.
pub fn prefix() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    format!(
        "t{:x}-{:x}-{}.",
        since.as_millis(),
        std::process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    )
}

/// Quick to notice what is wrong, since a test waits for it.
pub fn config(brokers: &str, prefix: &str, partitions: u32) -> KafkaConfig {
    KafkaConfig {
        prefix: prefix.to_owned(),
        partitions,
        session_timeout: Duration::from_millis(6_000),
        transaction_timeout: Duration::from_millis(5_000),
        send_deadline: Duration::from_millis(2_500),
        ..KafkaConfig::new(brokers, Arc::new(Codec::standalone()))
    }
}

/// Topics of a test; they go with it.
pub struct Deployment {
    pub prefix: String,
    pub partitions: u32,
}

impl Deployment {
    pub fn new(partitions: u32) -> Self {
        let deployment = Self {
            prefix: prefix(),
            partitions,
        };
        Admin::connect(deployment.config()).unwrap().apply().unwrap();
        deployment
    }

    pub fn config(&self) -> KafkaConfig {
        config(&broker(), &self.prefix, self.partitions)
    }

    pub fn open(&self) -> Arc<KafkaLog> {
        KafkaLog::open(self.config()).unwrap()
    }
}

impl Drop for Deployment {
    fn drop(&mut self) {
        let mut names: Vec<_> = TOPICS.iter().map(|t| format!("{}{}", self.prefix, t.name)).collect();
        names.push(format!("{}topology", self.prefix));
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let admin: AdminClient<DefaultClientContext> = client().create().unwrap();
        // Whether it works concerns nobody.
        drop(wait_for(admin.delete_topics(&names, &AdminOptions::new())));
    }
}

/// An administrative answer.
pub fn wait_for<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let until = Instant::now() + WAIT;
    loop {
        if let std::task::Poll::Ready(answer) = future.as_mut().poll(&mut context) {
            return answer;
        }
        assert!(Instant::now() < until, "the broker does not answer");
        std::thread::sleep(Duration::from_millis(2));
    }
}

pub fn client() -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", broker());
    config
}

/// Removes every member of a group, as after a silence longer than its session: another client leaves in its name.
pub fn expel(prefix: &str, group: Group) {
    let group_id = format!("{prefix}{}", group.name());
    let consumer: BaseConsumer = client().create().unwrap();
    let until = Instant::now() + WAIT;
    loop {
        let list = consumer.fetch_group_list(Some(&group_id), WAIT).unwrap();
        let members: Vec<String> = list
            .groups()
            .iter()
            .flat_map(|g| g.members())
            .map(|m| m.id().to_owned())
            .collect();
        if members.is_empty() {
            return;
        }
        assert!(Instant::now() < until, "members do not go: {members:?}");
        for member in members {
            leave_group(&group_id, &member);
        }
    }
}

/// LeaveGroup, version 2.
fn leave_group(group_id: &str, member_id: &str) {
    let text = |s: &str| [&u16::try_from(s.len()).unwrap().to_be_bytes(), s.as_bytes()].concat();
    let mut request = Vec::new();
    request.extend(13_i16.to_be_bytes());
    request.extend(2_i16.to_be_bytes());
    request.extend(7_i32.to_be_bytes());
    request.extend(text("expel"));
    request.extend(text(group_id));
    request.extend(text(member_id));
    let mut stream = TcpStream::connect(broker()).unwrap();
    stream.set_read_timeout(Some(WAIT)).unwrap();
    stream
        .write_all(&u32::try_from(request.len()).unwrap().to_be_bytes())
        .unwrap();
    stream.write_all(&request).unwrap();
    let mut answer = [0; 14];
    stream.read_exact(&mut answer).unwrap();
}

/// Waits until no transaction is open in any topic: what was committed can be read, what was aborted never will be.
pub fn settle(config: &KafkaConfig, log: &KafkaLog) {
    static EVERYTHING: OnceLock<BaseConsumer> = OnceLock::new();
    let everything = EVERYTHING.get_or_init(|| {
        client()
            .set("group.id", "settle")
            .set("isolation.level", "read_uncommitted")
            .create()
            .unwrap()
    });
    let until = Instant::now() + WAIT;
    for spec in TOPICS.iter().filter(|spec| spec.delivery == Delivery::Exact) {
        let name = format!("{}{}", config.prefix, spec.name);
        let mut asked = TopicPartitionList::new();
        for partition in 0..config.partitions {
            let partition = i32::try_from(partition).unwrap();
            asked.add_partition_offset(&name, partition, Offset::End).unwrap();
        }
        let found = everything.offsets_for_times(asked, WAIT).unwrap();
        let high: Vec<_> = found.elements().iter().map(|e| e.offset().to_raw().unwrap()).collect();
        let is_open = |(end, high): (u64, &i64)| end < u64::try_from(*high).unwrap();
        while log.ends(spec.topic).unwrap().into_iter().zip(&high).any(is_open) {
            assert!(Instant::now() < until, "a transaction stays open in {name}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}
