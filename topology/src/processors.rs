//! Consumer groups and the steps of task `network`: what each reads and writes.

use crate::Topic;

/// A consumer group: a set of processes that share the partitions of its topics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Group {
    /// The chain of steps, one task per partition of `observations`.
    Network,
    /// Log to store.
    Persist,
}

/// One group.
#[derive(Debug, Clone, Copy)]
pub struct GroupSpec {
    /// Which.
    pub group: Group,
    /// Its name, without prefix.
    pub name: &'static str,
    /// Topics it consumes.
    pub reads: &'static [Topic],
    /// Topics it writes.
    pub writes: &'static [Topic],
    /// The steps it runs over one partition, in order.
    pub steps: &'static [StepSpec],
}

/// One step of a fused chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepSpec {
    /// Its number: part of record ids and of changelog keys, so it never changes.
    pub number: u8,
    /// Its name.
    pub name: &'static str,
    /// What its state is keyed by.
    pub key: &'static str,
    /// Topics it writes.
    pub writes: &'static [Topic],
}

/// Every group.
pub const GROUPS: &[GroupSpec] = &[
    GroupSpec {
        group: Group::Network,
        name: "network",
        reads: &[Topic::Observations],
        writes: &[
            Topic::DeviceEvents,
            Topic::DeviceStatus,
            Topic::Inventory,
            Topic::Measurements,
            Topic::Incidents,
            Topic::AlarmTransitions,
            Topic::Alarms,
            Topic::RollupsHour,
            Topic::RollupsDay,
            Topic::ReadRequests,
            Topic::DeadLetters,
            Topic::ChangelogNetwork,
            Topic::Observations,
        ],
        steps: &[
            StepSpec {
                number: 1,
                name: "normalize",
                key: "root",
                writes: &[],
            },
            StepSpec {
                number: 2,
                name: "status",
                key: "entity",
                writes: &[
                    Topic::DeviceEvents,
                    Topic::DeviceStatus,
                    Topic::Inventory,
                    Topic::Measurements,
                ],
            },
            StepSpec {
                number: 3,
                name: "detect",
                key: "entity",
                writes: &[],
            },
            StepSpec {
                number: 4,
                name: "rollup",
                key: "entity",
                writes: &[Topic::RollupsHour, Topic::RollupsDay, Topic::ReadRequests],
            },
            StepSpec {
                number: 5,
                name: "gather",
                key: "pon",
                writes: &[],
            },
            StepSpec {
                number: 6,
                name: "correlate",
                key: "root",
                writes: &[Topic::Incidents],
            },
            StepSpec {
                number: 7,
                name: "alarms",
                key: "entity",
                writes: &[Topic::AlarmTransitions, Topic::Alarms],
            },
        ],
    },
    GroupSpec {
        group: Group::Persist,
        name: "persist",
        reads: &[
            Topic::DeviceEvents,
            Topic::DeviceStatus,
            Topic::Inventory,
            Topic::Ledger,
            Topic::Measurements,
            Topic::RollupsHour,
            Topic::RollupsDay,
            Topic::ReadRequests,
            Topic::Alarms,
            Topic::AlarmTransitions,
            Topic::Incidents,
            Topic::Rules,
        ],
        writes: &[Topic::DeadLetters, Topic::Observations],
        steps: &[],
    },
];

impl Group {
    /// Its row of the table.
    pub fn spec(self) -> &'static GroupSpec {
        &GROUPS[self as usize]
    }

    /// Its name, without prefix.
    pub fn name(self) -> &'static str {
        self.spec().name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_write_only_what_their_group_writes_and_numbers_rise() {
        for group in GROUPS {
            assert_eq!(group.group.name(), group.name);
            assert!(group.steps.is_sorted_by_key(|s| s.number));
            for step in group.steps {
                assert!(step.writes.iter().all(|t| group.writes.contains(t)), "{}", step.name);
            }
        }
    }
}
