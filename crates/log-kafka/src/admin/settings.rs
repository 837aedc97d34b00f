//! What `topology` says of a topic, in Kafka's words.

use topology::{Cleanup, KeyKind, TopicSpec};

/// Kafka's name and value.
pub(super) type Setting = (&'static str, String);

/// Every setting that matters, also where it is Kafka's default: somebody may have changed that on the brokers.
pub(super) fn settings_of(spec: &TopicSpec, replication: usize) -> Vec<Setting> {
    let mut settings = of_every_topic(replication);
    match spec.cleanup {
        Cleanup::Delete { time, .. } => settings.extend([
            ("cleanup.policy", "delete".to_owned()),
            ("retention.ms", time.as_millis().to_string()),
            // The bytes in `topology` are the embedded log's: a cluster's disks are their operator's.
            ("retention.bytes", "-1".to_owned()),
        ]),
        Cleanup::Compact => {
            settings.extend(compacted());
            if spec.key == KeyKind::StateKey {
                settings.extend(changelog());
            }
        }
    }
    settings
}

/// Compacted, with tombstones kept for a day: a reader that begins anew takes less.
pub(super) fn compacted() -> Vec<Setting> {
    vec![
        ("cleanup.policy", "compact".to_owned()),
        ("delete.retention.ms", "86400000".to_owned()),
    ]
}

pub(super) fn of_every_topic(replication: usize) -> Vec<Setting> {
    vec![
        // Processors have no clock: a record's time is when the log appended it.
        ("message.timestamp.type", "LogAppendTime".to_owned()),
        ("compression.type", "producer".to_owned()),
        ("unclean.leader.election.enable", "false".to_owned()),
        // With three copies one broker may be away; with fewer, none may be asked for.
        (
            "min.insync.replicas",
            if replication >= 3 { "2" } else { "1" }.to_owned(),
        ),
    ]
}

/// A restore reads little more than the live state: the active segment is never compacted, and Kafka's defaults (1 GiB, 7
/// days, half dirty) would leave minutes of history behind it. 5 min are far beyond every time-out.
fn changelog() -> Vec<Setting> {
    vec![
        ("min.compaction.lag.ms", "300000".to_owned()),
        ("segment.bytes", (64 << 20).to_string()),
        ("segment.ms", "600000".to_owned()),
        ("min.cleanable.dirty.ratio", "0.1".to_owned()),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use topology::{TOPICS, Topic};

    use super::*;

    #[test]
    fn topics_are_kept_as_topology_says() {
        for spec in TOPICS {
            let settings: BTreeMap<_, _> = settings_of(spec, 3).into_iter().collect();
            let policy = if spec.topic.is_compacted() { "compact" } else { "delete" };
            assert_eq!(settings["cleanup.policy"], policy, "{}", spec.name);
            assert_eq!(settings["message.timestamp.type"], "LogAppendTime");
            assert_eq!(settings["min.insync.replicas"], "2");
        }
        let observations: BTreeMap<_, _> = settings_of(Topic::Observations.spec(), 1).into_iter().collect();
        assert_eq!(observations["retention.ms"], (30_u64 * 86_400_000).to_string());
        assert_eq!(observations["min.insync.replicas"], "1");
    }
}
