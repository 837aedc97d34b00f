//! Topics, keys, partitions, retention, delivery and groups: as data, in one place.
//!
//! Names of topics are never literals elsewhere: code says [`Topic::Observations`]; a deployment's prefix is put in front
//! by the log.

mod partition;
mod processors;
mod topics;

pub use partition::{murmur2, partition_of};
pub use processors::{GROUPS, Group, GroupSpec, StepSpec};
pub use topics::{Cleanup, Delivery, KeyKind, TOPICS, Topic, TopicSpec, Writer};

/// Partitions of every topic on one machine, where nothing else is configured.
pub const PARTITIONS_EMBEDDED: u32 = 8;
/// Partitions of every topic on Apache Kafka, where nothing else is configured.
pub const PARTITIONS_KAFKA: u32 = 24;
/// Largest record, in bytes of its value: checked where it is made; a larger one is a dead letter, never a send.
pub const RECORD_BYTES_MAX: usize = 256 * 1024;
/// Largest slot of state, in bytes.
pub const SLOT_BYTES_MAX: usize = 64 * 1024;
