//! What an embedded log is opened with.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use topology::{Cleanup, PARTITIONS_EMBEDDED, Topic};

use crate::Clock;

/// What a time-retained topic keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// At least this long, unless the size comes first.
    pub time: Duration,
    /// At most these encoded bytes over all partitions, and the segment being written.
    pub bytes: u64,
}

/// How to open a log; [`EmbeddedConfig::new`] gives what production uses.
#[derive(Debug, Clone)]
pub struct EmbeddedConfig {
    /// Where it is: created if missing.
    pub folder: PathBuf,
    /// Partitions of every topic; fixed when the folder is created.
    pub partitions: u32,
    /// Clock of the append times.
    pub clock: Clock,
    /// Bytes that may wait for the writer; beyond, senders wait.
    pub queue_bytes_max: usize,
    /// Bytes that must stay free on the disk: with less, appends are refused and the log stays readable.
    pub disk_reserve_bytes: u64,
    /// Encoded bytes after which a segment of a time-retained topic is closed: retention drops whole segments.
    pub segment_bytes: u64,
    /// Instead of what `topology` says.
    pub retention: HashMap<Topic, Retention>,
    /// How long a tombstone stays in a compacted topic, so that readers who were away learn of it; longer while a group that
    /// reads the topic has not come to it.
    pub tombstones_kept: Duration,
    /// How often retention is looked at.
    pub maintain_every: Duration,
}

impl EmbeddedConfig {
    /// Production's values for a folder.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            partitions: PARTITIONS_EMBEDDED,
            clock: Clock::system(),
            queue_bytes_max: 32 * 1024 * 1024,
            disk_reserve_bytes: 256 * 1024 * 1024,
            segment_bytes: 128 * 1024 * 1024,
            retention: HashMap::new(),
            tombstones_kept: Duration::from_secs(24 * 3600),
            maintain_every: Duration::from_secs(10),
        }
    }

    /// What a topic keeps; `None` of a compacted one.
    pub(super) fn retention_of(&self, topic: Topic) -> Option<Retention> {
        match topic.spec().cleanup {
            Cleanup::Compact => None,
            Cleanup::Delete { time, bytes } => {
                Some(self.retention.get(&topic).copied().unwrap_or(Retention { time, bytes }))
            }
        }
    }

    /// Size and age at which a segment of a topic is closed: a sixteenth of what the topic keeps at most, in bytes, and a
    /// thirtieth in time, so that retention is that exact.
    pub(super) fn segment_limits(&self, topic: Topic) -> (u64, Duration) {
        self.retention_of(topic).map_or((u64::MAX, Duration::MAX), |kept| {
            let time = (kept.time / 30).max(Duration::from_secs(60));
            (self.segment_bytes.min(kept.bytes / 16).max(1), time)
        })
    }
}
