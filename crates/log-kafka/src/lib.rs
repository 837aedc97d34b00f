//! The log on Apache Kafka: the same traits as the embedded backend, over librdkafka. The only crate that names it.
//!
//! What it adds to the promises of [`log`]:
//! - fast outputs and plain records go through idempotent producers that leave no gaps: the first failed or overdue record
//!   ends its producer;
//! - a commit is one transaction of one stream thread, in the order of design §5, and the group's generation is its fence;
//! - a restore reads nothing that is in doubt: it waits until the transactions of earlier owners have ended;
//! - every wait has an end, and memory a bound ([`KafkaConfig`] names them).

mod admin;
mod committer;
mod config;
mod consumer;
mod context;
mod error;
mod kafka_log;
mod lane;
mod member;
pub mod metrics;
mod restorer;
mod shared;
mod tail;
mod task;
mod wire;

pub use admin::{Admin, Difference, Lag};
pub use config::KafkaConfig;
pub use kafka_log::KafkaLog;
pub use wire::{RECORD_ID, TRACEPARENT, WRITER};
