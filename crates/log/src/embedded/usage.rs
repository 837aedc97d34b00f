//! What the log takes up, and how far back it reaches.

use model::Micros;
use topology::{TOPICS, Topic};

use super::config::EmbeddedConfig;
use super::store::Store;
use crate::LogError;

/// What a log takes up on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskUsage {
    /// Bytes of all files, journals included.
    pub total_bytes: u64,
    /// Bytes free on that disk for this process.
    pub free_bytes: u64,
    /// Each topic, in the order of `topology`.
    pub topics: Vec<TopicUsage>,
}

/// What a topic keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicUsage {
    /// Which.
    pub topic: Topic,
    /// Records of a time-retained topic; of a compacted one those appended since its creation.
    pub records: u64,
    /// Encoded bytes of a time-retained topic, before compression; of a compacted one the bytes of its tables.
    pub bytes: u64,
    /// When the oldest record that is kept was appended; `None` of an empty or a compacted topic.
    pub oldest_at: Option<Micros>,
    /// Into how many segments it is divided.
    pub segments: usize,
}

pub(super) fn disk_usage(store: &Store, config: &EmbeddedConfig) -> Result<DiskUsage, LogError> {
    let total_bytes = store
        .db
        .disk_space()
        .map_err(|e| LogError::backend("asking for the size of the log", e))?;
    let topics = TOPICS.iter().map(|t| topic_usage(store, t.topic)).collect();
    Ok(DiskUsage {
        total_bytes,
        free_bytes: free_bytes(config)?,
        topics,
    })
}

pub(super) fn topic_usage(store: &Store, topic: Topic) -> TopicUsage {
    let segments = store.shelf(topic).segments();
    let rows = || segments.iter().map(|s| s.row().clone());
    let oldest = rows().find(|row| row.records > 0).map(|row| row.first_at);
    TopicUsage {
        topic,
        records: rows().map(|r| r.records).sum(),
        bytes: if topic.is_compacted() {
            segments.iter().map(|s| s.keyspace.disk_space()).sum()
        } else {
            rows().map(|r| r.bytes).sum()
        },
        oldest_at: oldest.filter(|_| !topic.is_compacted()),
        segments: segments.len(),
    }
}

/// Bytes that this process may still write to the disk of the log.
pub(super) fn free_bytes(config: &EmbeddedConfig) -> Result<u64, LogError> {
    let disk = rustix::fs::statvfs(&config.folder)
        .map_err(|e| LogError::backend(format!("asking for the free space at {}", config.folder.display()), e))?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}
