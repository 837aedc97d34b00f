//! The log: one set of traits, an embedded backend, and one in memory for tests. Later Apache Kafka joins them here.
//!
//! What every backend promises, and the conformance suite (`conformance`) asserts:
//! - a partition is one order of records; offsets increase, with gaps;
//! - a producer's records are readable as a prefix of what was sent: the first failure ends the producer;
//! - acknowledged means durable; what is readable is durable and whole;
//! - a [`Commit`] is there whole or not at all, and never before the fast outputs sent ahead of it;
//! - nothing of an uncommitted or aborted commit is ever read.

mod clock;
#[cfg(feature = "conformance")]
pub mod conformance;
mod crash;
mod embedded;
mod error;
mod handles;
mod memory;
pub mod metrics;
mod reader;
mod record;
mod traits;

pub use clock::Clock;
pub use crash::{CRASH_AT_ENV, CrashPoint, crash_armed, crash_point};
pub use embedded::{DiskUsage, EmbeddedConfig, EmbeddedLog, Retention, TopicUsage};
pub use error::LogError;
pub use handles::{check_partition, check_record};
pub use memory::{Fault, MemoryLog};
pub use reader::IdFilter;
pub use record::{Headers, Record, Stored, TraceParent};
pub use traits::{
    Acknowledged, Commit, CommitState, Consumer, ConsumerRecords, Done, Log, Polled, Producer, Restored, Start, Tail,
    TaskLog, ThreadSlot,
};
