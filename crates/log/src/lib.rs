//! The log: one set of traits, an embedded backend, and one in memory for tests. Later Apache Kafka joins them here.
//!
//! What every backend promises, and the conformance suite (`conformance`) asserts:
//! - a partition is one order of records; offsets increase, with gaps;
//! - a producer's records are readable as a prefix of what was sent: the first failure ends the producer;
//! - acknowledged means durable; what is readable is durable and whole;
//! - a [`Commit`] is there whole or not at all, and never before the fast outputs sent ahead of it;
//! - nothing of an uncommitted or aborted commit is ever read.

mod crash;
mod error;
mod reader;
mod record;
mod traits;

pub use crash::{CRASH_AT_ENV, CrashPoint, crash_point};
pub use error::LogError;
pub use reader::IdFilter;
pub use record::{Headers, Record, Stored, TraceParent};
pub use traits::{
    Acknowledged, Commit, CommitState, Consumer, ConsumerRecords, Done, Log, Polled, Producer, Restored, Start, Tail,
    TaskLog, ThreadSlot,
};
