//! What the embedded log counts.

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use topology::{TOPICS, Topic};

/// Records appended, by topic.
pub const APPENDED_RECORDS: &str = "atalaia_log_appended_records_total";
/// Encoded bytes appended, by topic.
pub const APPENDED_BYTES: &str = "atalaia_log_appended_bytes_total";
/// Records of one batch.
pub const BATCH_RECORDS: &str = "atalaia_log_batch_records";
/// Seconds from taking a batch to its being durable.
pub const COMMIT_SECONDS: &str = "atalaia_log_commit_seconds";
/// Batches synced to disk.
pub const FSYNCS: &str = "atalaia_log_fsyncs_total";
/// Batches that could not be written.
pub const WRITE_FAILURES: &str = "atalaia_log_write_failures_total";
/// Encoded bytes kept, by topic, before compression.
pub const RETAINED_BYTES: &str = "atalaia_log_retained_bytes";
/// How far back a time-retained topic reaches, in seconds, by topic.
pub const REACH_SECONDS: &str = "atalaia_log_reach_seconds";
/// Bytes waiting for the writer.
pub const QUEUE_BYTES: &str = "atalaia_log_queue_bytes";

/// Handles, looked up once.
pub(crate) struct LogMetrics {
    topics: Vec<TopicMetrics>,
    pub(crate) batch_records: Histogram,
    pub(crate) commit_seconds: Histogram,
    pub(crate) fsyncs: Counter,
    pub(crate) write_failures: Counter,
    pub(crate) queue_bytes: Gauge,
}

/// Handles of one topic.
pub(crate) struct TopicMetrics {
    pub(crate) records: Counter,
    pub(crate) bytes: Counter,
    pub(crate) retained_bytes: Gauge,
    pub(crate) reach_seconds: Gauge,
}

impl LogMetrics {
    pub(crate) fn new() -> Self {
        let of_topic = |name: &'static str| TopicMetrics {
            records: counter!(APPENDED_RECORDS, "topic" => name),
            bytes: counter!(APPENDED_BYTES, "topic" => name),
            retained_bytes: gauge!(RETAINED_BYTES, "topic" => name),
            reach_seconds: gauge!(REACH_SECONDS, "topic" => name),
        };
        Self {
            topics: TOPICS.iter().map(|t| of_topic(t.name)).collect(),
            batch_records: histogram!(BATCH_RECORDS),
            commit_seconds: histogram!(COMMIT_SECONDS),
            fsyncs: counter!(FSYNCS),
            write_failures: counter!(WRITE_FAILURES),
            queue_bytes: gauge!(QUEUE_BYTES),
        }
    }

    pub(crate) fn topic(&self, topic: Topic) -> &TopicMetrics {
        &self.topics[topic as usize]
    }
}
