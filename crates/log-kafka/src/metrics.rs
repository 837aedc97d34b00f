//! What the log on Kafka counts.

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

/// Commits that stand, by group.
pub const COMMITS: &str = "atalaia_log_kafka_commits_total";
/// Transactions given up, by group.
pub const ABORTS: &str = "atalaia_log_kafka_aborts_total";
/// Commits refused because another member or producer has taken over, by group.
pub const FENCED: &str = "atalaia_log_kafka_fenced_total";
/// Commits whose offsets were sent again because a rebalance came in between, by group.
pub const RETRIES: &str = "atalaia_log_kafka_commit_retries_total";
/// Producers that ended with a failure and were, or have to be, made anew; by name.
pub const PRODUCER_ENDS: &str = "atalaia_log_kafka_producer_ends_total";
/// Rebalances, by group and kind (`assigned`, `revoked`, `lost`).
pub const REBALANCES: &str = "atalaia_log_kafka_rebalances_total";
/// Seconds of a commit, from the cut to its standing, by group.
pub const COMMIT_SECONDS: &str = "atalaia_log_kafka_commit_seconds";
/// Bytes sent and not yet acknowledged, by producer.
pub const PRODUCER_QUEUE_BYTES: &str = "atalaia_log_kafka_producer_queue_bytes";
/// Bytes fetched and not yet polled, by group and thread.
pub const CONSUMER_QUEUE_BYTES: &str = "atalaia_log_kafka_consumer_queue_bytes";
/// Records between a group's committed offsets and the end of its topics, over the partitions owned here; by group and thread.
pub const LAG: &str = "atalaia_log_kafka_lag_records";

/// Handles of one group, looked up once.
#[derive(Clone)]
pub(crate) struct GroupMetrics {
    pub(crate) commits: Counter,
    pub(crate) aborts: Counter,
    pub(crate) fenced: Counter,
    pub(crate) retries: Counter,
    pub(crate) assigned: Counter,
    pub(crate) revoked: Counter,
    pub(crate) lost: Counter,
    pub(crate) commit_seconds: Histogram,
    pub(crate) queue_bytes: Gauge,
    pub(crate) lag: Gauge,
}

impl GroupMetrics {
    pub(crate) fn new(group: &'static str, thread: u32) -> Self {
        let thread = thread.to_string();
        Self {
            commits: counter!(COMMITS, "group" => group),
            aborts: counter!(ABORTS, "group" => group),
            fenced: counter!(FENCED, "group" => group),
            retries: counter!(RETRIES, "group" => group),
            assigned: counter!(REBALANCES, "group" => group, "kind" => "assigned"),
            revoked: counter!(REBALANCES, "group" => group, "kind" => "revoked"),
            lost: counter!(REBALANCES, "group" => group, "kind" => "lost"),
            commit_seconds: histogram!(COMMIT_SECONDS, "group" => group),
            queue_bytes: gauge!(CONSUMER_QUEUE_BYTES, "group" => group, "thread" => thread.clone()),
            lag: gauge!(LAG, "group" => group, "thread" => thread),
        }
    }
}

/// Handles of one producer.
pub(crate) struct ProducerMetrics {
    pub(crate) ends: Counter,
    pub(crate) queue_bytes: Gauge,
}

impl ProducerMetrics {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            ends: counter!(PRODUCER_ENDS, "producer" => name.to_owned()),
            queue_bytes: gauge!(PRODUCER_QUEUE_BYTES, "producer" => name.to_owned()),
        }
    }
}
