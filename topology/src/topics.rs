//! The topics, as a table.

use std::fmt;
use std::time::Duration;

use schemas::RecordType;

const DAY: Duration = Duration::from_secs(86_400);
const GIB: u64 = 1 << 30;

/// A topic. Its name on a cluster is the deployment's prefix and [`Topic::name`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Topic {
    /// All that was seen, said or decided about one root device, in order.
    Observations,
    /// Normalised happenings.
    DeviceEvents,
    /// Current status of every entity.
    DeviceStatus,
    /// What exists.
    Inventory,
    /// Readings of measures.
    Measurements,
    /// State of the steps of `network`.
    ChangelogNetwork,
    /// Records that could not be processed.
    DeadLetters,
    /// Loss accounting.
    Ledger,
    /// Who did or tried what.
    Audit,
    /// Every version of every rule and of every silence.
    Rules,
    /// Current alarms.
    Alarms,
    /// What happened to alarms.
    AlarmTransitions,
    /// Current incidents.
    Incidents,
    /// Closed hours of measures.
    RollupsHour,
    /// Closed days and months of measures.
    RollupsDay,
    /// What a step cannot read itself.
    ReadRequests,
}

/// What a topic keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cleanup {
    /// Everything, for a time and up to a size on one machine.
    Delete {
        /// Kept at least this long, unless the size comes first.
        time: Duration,
        /// Bytes kept by the embedded log, over all partitions.
        bytes: u64,
    },
    /// The last record of each key.
    Compact,
}

/// How a record gets into a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Visible at once; may repeat after a crash with the same id and bytes: readers keep the highest id per partition.
    Fast,
    /// Inside the commit.
    Exact,
    /// An ordinary acknowledged write, idempotent by key or id.
    Plain,
}

/// What the record key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// The root.
    Root,
    /// The entity.
    Entity,
    /// Step number and state key.
    StateKey,
    /// Name of the topic a record came from.
    SourceTopic,
    /// A listener or a sender.
    ListenerOrSender,
    /// User or process.
    Actor,
    /// Rule or silence, `#`, the number of its version, `#`, who wrote it.
    RuleVersion,
    /// An alarm's or an incident's id.
    AlarmId,
}

/// Who writes into a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writer {
    /// Any connector.
    Connectors,
    /// The HTTP API.
    Api,
    /// Task `network`: partition p of the topic is written from input partition p alone.
    Network,
    /// `persist`.
    Persist,
    /// The command line's registrations and the process's own configuration.
    Operator,
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct TopicSpec {
    /// Which topic.
    pub topic: Topic,
    /// Name without prefix.
    pub name: &'static str,
    /// What the record key is.
    pub key: KeyKind,
    /// What it keeps.
    pub cleanup: Cleanup,
    /// How records get in.
    pub delivery: Delivery,
    /// What is in it; more than one where their order matters (record-name subjects then). Empty: engine's own bytes.
    pub records: &'static [RecordType],
    /// Who writes it.
    pub writers: &'static [Writer],
    /// What it is for.
    pub about: &'static str,
}

/// Every topic.
pub const TOPICS: &[TopicSpec] = &[
    TopicSpec {
        topic: Topic::Observations,
        name: "observations",
        key: KeyKind::Root,
        cleanup: Cleanup::Delete {
            time: Duration::from_secs(30 * DAY.as_secs()),
            bytes: 10 * GIB,
        },
        delivery: Delivery::Plain,
        records: &[
            RecordType::TrapReceived,
            RecordType::SourceHeartbeat,
            RecordType::DeviceRegistered,
            RecordType::Tick,
            RecordType::OnuTableRead,
            RecordType::OpticsRead,
            RecordType::BoardsRead,
            RecordType::SystemRead,
            RecordType::AutofindRead,
            RecordType::AlarmTableRead,
            RecordType::PollFailed,
            RecordType::RulesChanged,
            RecordType::SilencesChanged,
            RecordType::OperatorActed,
            RecordType::CardsRead,
            RecordType::MeasuresRead,
            RecordType::ForeignAlarmsRead,
            RecordType::WindowRecomputed,
        ],
        writers: &[
            Writer::Connectors,
            Writer::Api,
            Writer::Operator,
            Writer::Network,
            Writer::Persist,
        ],
        about: "all that was seen, said or decided about one root device, in order",
    },
    TopicSpec {
        topic: Topic::DeviceEvents,
        name: "device-events",
        key: KeyKind::Entity,
        cleanup: Cleanup::Delete {
            time: Duration::from_secs(365 * DAY.as_secs()),
            bytes: 10 * GIB,
        },
        delivery: Delivery::Fast,
        records: &[RecordType::DeviceEvent],
        writers: &[Writer::Network],
        about: "one normalised happening; if it changes status, the whole new status row",
    },
    TopicSpec {
        topic: Topic::DeviceStatus,
        name: "device-status",
        key: KeyKind::Entity,
        cleanup: Cleanup::Compact,
        delivery: Delivery::Exact,
        records: &[RecordType::DeviceStatus],
        writers: &[Writer::Network],
        about: "current status of every entity, and what lists need",
    },
    TopicSpec {
        topic: Topic::Inventory,
        name: "inventory",
        key: KeyKind::Entity,
        cleanup: Cleanup::Compact,
        delivery: Delivery::Exact,
        records: &[RecordType::InventoryEntry],
        writers: &[Writer::Network],
        about: "what exists: OLTs, boards, ports, ONUs, with attributes",
    },
    TopicSpec {
        topic: Topic::Measurements,
        name: "measurements",
        key: KeyKind::Entity,
        cleanup: Cleanup::Delete {
            time: Duration::from_secs(30 * DAY.as_secs()),
            bytes: 10 * GIB,
        },
        delivery: Delivery::Exact,
        records: &[RecordType::Measurement],
        writers: &[Writer::Network],
        about: "one reading of one measure: optical levels, temperature, voltage, current, distance",
    },
    TopicSpec {
        topic: Topic::ChangelogNetwork,
        name: "changelog-network",
        key: KeyKind::StateKey,
        cleanup: Cleanup::Compact,
        delivery: Delivery::Exact,
        records: &[],
        writers: &[Writer::Network],
        about: "the state of the steps, one marker per partition",
    },
    TopicSpec {
        topic: Topic::DeadLetters,
        name: "dead-letters",
        key: KeyKind::SourceTopic,
        cleanup: Cleanup::Delete {
            time: Duration::from_secs(90 * DAY.as_secs()),
            bytes: GIB,
        },
        delivery: Delivery::Exact,
        records: &[RecordType::DeadLetter],
        writers: &[Writer::Network, Writer::Persist],
        about: "original bytes and headers, topic, partition, offset, error chain",
    },
    TopicSpec {
        topic: Topic::Ledger,
        name: "ledger",
        key: KeyKind::ListenerOrSender,
        cleanup: Cleanup::Delete {
            time: Duration::from_secs(90 * DAY.as_secs()),
            bytes: GIB,
        },
        delivery: Delivery::Plain,
        records: &[RecordType::LedgerRow],
        writers: &[Writer::Connectors],
        about: "loss accounting, rows every 10 s",
    },
    TopicSpec {
        topic: Topic::Audit,
        name: "audit",
        key: KeyKind::Actor,
        cleanup: Cleanup::Delete {
            time: Duration::from_secs(3 * 365 * DAY.as_secs()),
            bytes: GIB,
        },
        delivery: Delivery::Plain,
        records: &[RecordType::AuditEntry],
        writers: &[Writer::Api, Writer::Operator],
        about: "who did or tried what",
    },
    TopicSpec {
        topic: Topic::Rules,
        name: "rules",
        key: KeyKind::RuleVersion,
        cleanup: Cleanup::Compact,
        delivery: Delivery::Plain,
        records: &[RecordType::Rule, RecordType::Silence],
        writers: &[Writer::Api],
        about: "every version of every alarm rule and of every silence, never changed; the highest is the current one",
    },
    TopicSpec {
        topic: Topic::Alarms,
        name: "alarms",
        key: KeyKind::AlarmId,
        cleanup: Cleanup::Compact,
        delivery: Delivery::Exact,
        records: &[RecordType::Alarm],
        writers: &[Writer::Network],
        about: "every alarm as it is now: condition, operator state, visibility",
    },
    TopicSpec {
        topic: Topic::AlarmTransitions,
        name: "alarm-transitions",
        key: KeyKind::AlarmId,
        cleanup: Cleanup::Delete {
            time: Duration::from_secs(365 * DAY.as_secs()),
            bytes: 10 * GIB,
        },
        delivery: Delivery::Fast,
        records: &[RecordType::AlarmTransition],
        writers: &[Writer::Network],
        about: "what happened to an alarm: the whole alarm after it, with reason and input position",
    },
    TopicSpec {
        topic: Topic::Incidents,
        name: "incidents",
        key: KeyKind::AlarmId,
        cleanup: Cleanup::Compact,
        delivery: Delivery::Exact,
        records: &[RecordType::Incident],
        writers: &[Writer::Network],
        about: "losses with one cause: verdict, confidence, what is affected",
    },
    TopicSpec {
        topic: Topic::RollupsHour,
        name: "rollups-hour",
        key: KeyKind::Entity,
        cleanup: Cleanup::Delete {
            time: Duration::from_secs(30 * DAY.as_secs()),
            bytes: 10 * GIB,
        },
        delivery: Delivery::Exact,
        records: &[RecordType::Rollup],
        writers: &[Writer::Network],
        about: "a closed or corrected hour of one measure",
    },
    TopicSpec {
        topic: Topic::RollupsDay,
        name: "rollups-day",
        key: KeyKind::Entity,
        cleanup: Cleanup::Delete {
            time: Duration::from_secs(3 * 365 * DAY.as_secs()),
            bytes: 10 * GIB,
        },
        delivery: Delivery::Exact,
        records: &[RecordType::Rollup],
        writers: &[Writer::Network],
        about: "a closed or corrected day or month of one measure",
    },
    TopicSpec {
        topic: Topic::ReadRequests,
        name: "read-requests",
        key: KeyKind::Root,
        cleanup: Cleanup::Delete {
            time: Duration::from_secs(7 * DAY.as_secs()),
            bytes: GIB,
        },
        delivery: Delivery::Exact,
        records: &[RecordType::WindowWanted],
        writers: &[Writer::Network],
        about: "a window has to be added up again from the raw samples",
    },
];

impl Topic {
    /// Its row of the table.
    pub fn spec(self) -> &'static TopicSpec {
        let spec = &TOPICS[self as usize];
        debug_assert_eq!(spec.topic, self);
        spec
    }

    /// Name without prefix.
    pub fn name(self) -> &'static str {
        self.spec().name
    }

    /// The topic with this name, with or without a prefix ending in a dot.
    pub fn by_name(name: &str) -> Option<Self> {
        let bare = name.rsplit('.').next().unwrap_or(name);
        TOPICS.iter().find(|t| t.name == bare).map(|t| t.topic)
    }

    /// Whether only the last record of each key is kept.
    pub fn is_compacted(self) -> bool {
        self.spec().cleanup == Cleanup::Compact
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_enum() {
        for spec in TOPICS {
            assert_eq!(spec.topic.spec().name, spec.name);
            assert_eq!(Topic::by_name(&format!("atalaia.{}", spec.name)), Some(spec.topic));
        }
    }

    /// The id rule is exact only with one writer a partition and no compaction in between.
    #[test]
    fn fast_topics_have_one_writer_and_are_not_compacted() {
        for spec in TOPICS.iter().filter(|s| s.delivery == Delivery::Fast) {
            assert_eq!(spec.writers, [Writer::Network], "{}", spec.name);
            assert!(!spec.topic.is_compacted(), "{}", spec.name);
        }
    }

    /// Nobody opens a transaction in the input topic: an open one would hide everything behind it.
    #[test]
    fn the_input_topic_is_plain() {
        assert_eq!(Topic::Observations.spec().delivery, Delivery::Plain);
    }
}
