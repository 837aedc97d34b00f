//! Names of the engine's metrics, and handles for the hot ones.

use hashbrown::HashMap;
use metrics::{Counter, Gauge, Histogram};
use model::Partition;

use crate::outcome::Outcomes;
use crate::status::PartitionState;

/// Records whose commit stands, by `outcome` and `reason`.
pub const RECORDS_TOTAL: &str = "atalaia_records_total";
/// Fast outputs sent; repeats after a crash count again.
pub const FAST_OUTPUTS_TOTAL: &str = "atalaia_fast_outputs_total";
/// Commits, by `result` (`committed`, `failed`).
pub const COMMITS_TOTAL: &str = "atalaia_commits_total";
/// From a cut to its commit standing.
pub const COMMIT_SECONDS: &str = "atalaia_commit_seconds";
/// Changed slots in a cut.
pub const COMMIT_SLOTS: &str = "atalaia_commit_slots";
/// Ticks written.
pub const TICKS_TOTAL: &str = "atalaia_ticks_total";
/// Restores of a partition, by `result` (`restored`, `waiting`, `again`).
pub const RESTORES_TOTAL: &str = "atalaia_restores_total";
/// From the first attempt to a task that runs.
pub const RESTORE_SECONDS: &str = "atalaia_restore_seconds";
/// Failures after which everything since the last commit was dropped.
pub const RECOVERIES_TOTAL: &str = "atalaia_recoveries_total";
/// Panics of steps.
pub const STEP_PANICS_TOTAL: &str = "atalaia_step_panics_total";
/// Restores whose state and position did not belong together.
pub const COMMIT_TORN_TOTAL: &str = "atalaia_commit_torn_total";
/// 1 while a partition is in a time in which nothing was observed.
pub const OBSERVER_GAP: &str = "atalaia_observer_gap";
/// Gaps that began.
pub const OBSERVER_GAPS_TOTAL: &str = "atalaia_observer_gaps_total";
/// 1 while a partition waits for a schema id that the codec does not know.
pub const SCHEMA_WAITS: &str = "atalaia_partition_waits_for_schema";
/// Writers a partition has forgotten for want of room.
pub const WRITERS_FORGOTTEN: &str = "atalaia_writers_forgotten";
/// Next input offset of a partition's last good commit.
pub const COMMITTED_OFFSET: &str = "atalaia_committed_offset";
/// Live slots of a partition.
pub const SLOTS: &str = "atalaia_state_slots";
/// Partitions that a stream thread owns, by `task`, `thread` and `state` (`running`, `restoring`, `waiting`).
pub const TASK_PARTITIONS: &str = "atalaia_task_partitions";

/// Handles of one stream thread.
pub(crate) struct ThreadMetrics {
    pub fast_outputs: Counter,
    pub committed: Counter,
    pub failed: Counter,
    pub commit_seconds: Histogram,
    pub commit_slots: Histogram,
    pub ticks: Counter,
    pub recoveries: Counter,
    pub panics: Counter,
    pub torn: Counter,
    pub gaps: Counter,
    pub restore_seconds: Histogram,
    pub restored: Counter,
    pub waiting: Counter,
    pub again: Counter,
    records: HashMap<(&'static str, String), Counter>,
    partitions: HashMap<(&'static str, Partition), Gauge>,
}

impl ThreadMetrics {
    pub fn new() -> Self {
        let restores = |result: &'static str| metrics::counter!(RESTORES_TOTAL, "result" => result);
        Self {
            fast_outputs: metrics::counter!(FAST_OUTPUTS_TOTAL),
            committed: metrics::counter!(COMMITS_TOTAL, "result" => "committed"),
            failed: metrics::counter!(COMMITS_TOTAL, "result" => "failed"),
            commit_seconds: metrics::histogram!(COMMIT_SECONDS),
            commit_slots: metrics::histogram!(COMMIT_SLOTS),
            ticks: metrics::counter!(TICKS_TOTAL),
            recoveries: metrics::counter!(RECOVERIES_TOTAL),
            panics: metrics::counter!(STEP_PANICS_TOTAL),
            torn: metrics::counter!(COMMIT_TORN_TOTAL),
            gaps: metrics::counter!(OBSERVER_GAPS_TOTAL),
            restore_seconds: metrics::histogram!(RESTORE_SECONDS),
            restored: restores("restored"),
            waiting: restores("waiting"),
            again: restores("again"),
            records: HashMap::new(),
            partitions: HashMap::new(),
        }
    }

    /// Counts the records of a commit that stands.
    pub fn count(&mut self, outcomes: &Outcomes) {
        self.records("emitted", "").increment(outcomes.emitted);
        self.records("absorbed", "").increment(outcomes.absorbed);
        for (reason, &n) in &outcomes.filtered {
            self.records("filtered", reason).increment(n);
        }
        for (reason, &n) in &outcomes.dead_lettered {
            self.records("dead_lettered", reason).increment(n);
        }
    }

    /// Sets a gauge of one partition.
    #[allow(clippy::cast_precision_loss, reason = "a gauge is a double")]
    pub fn set(&mut self, name: &'static str, partition: Partition, value: u64) {
        self.partitions
            .entry((name, partition))
            .or_insert_with(|| metrics::gauge!(name, "partition" => partition.to_string()))
            .set(value as f64);
    }

    fn records(&mut self, outcome: &'static str, reason: &str) -> &Counter {
        self.records
            .entry((outcome, reason.to_owned()))
            .or_insert_with(|| metrics::counter!(RECORDS_TOTAL, "outcome" => outcome, "reason" => reason.to_owned()))
    }
}

/// How many partitions a thread owns, by what they are doing.
#[derive(Clone)]
pub(crate) struct PartitionGauges {
    running: Gauge,
    restoring: Gauge,
    waiting: Gauge,
}

impl PartitionGauges {
    /// Those of thread `thread` of `task`; they begin at zero, so that a thread which owns nothing shows.
    pub fn new(task: &'static str, thread: u32) -> Self {
        let thread = thread.to_string();
        let of = |state: &'static str| {
            let gauge = metrics::gauge!(TASK_PARTITIONS, "task" => task, "thread" => thread.clone(), "state" => state);
            gauge.set(0.0);
            gauge
        };
        Self {
            running: of("running"),
            restoring: of("restoring"),
            waiting: of("waiting"),
        }
    }

    pub fn set<'a>(&self, states: impl Iterator<Item = &'a PartitionState>) {
        let (mut running, mut restoring, mut waiting) = (0u32, 0u32, 0u32);
        for state in states {
            match state {
                PartitionState::Running => running += 1,
                PartitionState::Restoring => restoring += 1,
                PartitionState::Waiting(_) => waiting += 1,
            }
        }
        self.running.set(running);
        self.restoring.set(restoring);
        self.waiting.set(waiting);
    }
}
