//! What a processor says of itself, for `/ready` and people.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use model::{Offset, Partition};

use crate::metrics::PartitionGauges;
use crate::outcome::Outcomes;
use crate::restore::WaitReason;

/// What a partition's task is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartitionState {
    /// Reading its changelog.
    Restoring,
    /// Processing.
    Running,
    /// Waiting for somebody: the reason says for whom.
    Waiting(WaitReason),
}

impl fmt::Display for PartitionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Restoring => f.write_str("reading its state from the changelog"),
            Self::Running => f.write_str("processing"),
            Self::Waiting(reason) => reason.fmt(f),
        }
    }
}

/// One owned partition.
#[derive(Debug, Clone)]
pub struct PartitionStatus {
    /// What it is doing.
    pub state: PartitionState,
    /// Next offset it will process.
    pub next_offset: Offset,
    /// Records of its input not processed yet; `None` when the log does not say. Filled by the handle.
    pub lag: Option<u64>,
    /// Since its last commit stood; `None` before the first of this process.
    pub commit_age: Option<Duration>,
    /// How its records ended, over all lives of the task, as of the last good commit.
    pub outcomes: Outcomes,
    /// Live slots.
    pub slots: usize,
}

#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub state: PartitionState,
    pub next_offset: Offset,
    pub committed_at: Option<Instant>,
    pub outcomes: Outcomes,
    pub slots: usize,
}

impl Row {
    pub fn restoring() -> Self {
        Self {
            state: PartitionState::Restoring,
            next_offset: 0,
            committed_at: None,
            outcomes: Outcomes::default(),
            slots: 0,
        }
    }
}

#[derive(Default)]
struct Shared {
    rows: BTreeMap<Partition, Row>,
    last_turn: Option<Instant>,
    failure: Option<String>,
    gauges: Option<PartitionGauges>,
}

impl Shared {
    fn count_partitions(&self) {
        if let Some(gauges) = &self.gauges {
            gauges.set(self.rows.values().map(|row| &row.state));
        }
    }
}

/// What a stream thread writes and anybody reads.
#[derive(Clone, Default)]
pub(crate) struct ThreadStatus(Arc<Mutex<Shared>>);

impl std::fmt::Debug for ThreadStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ThreadStatus")
    }
}

impl ThreadStatus {
    fn with<R>(&self, f: impl FnOnce(&mut Shared) -> R) -> R {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Shows the number of partitions in these from now on.
    pub fn show(&self, gauges: PartitionGauges) {
        self.with(|s| s.gauges = Some(gauges));
    }

    pub fn update(&self, partition: Partition, f: impl FnOnce(&mut Row)) {
        self.with(|s| {
            f(s.rows.entry(partition).or_insert_with(Row::restoring));
            s.count_partitions();
        });
    }

    pub fn forget(&self, partition: Partition) {
        self.with(|s| {
            s.rows.remove(&partition);
            s.count_partitions();
        });
    }

    /// Nothing is owned any more, or not known to be.
    pub fn forget_all(&self) {
        self.with(|s| {
            s.rows.clear();
            s.count_partitions();
        });
    }

    /// The loop is alive.
    pub fn turned(&self) {
        self.with(|s| s.last_turn = Some(Instant::now()));
    }

    /// The thread is gone, or cannot reach the log.
    pub fn failed(&self, failure: Option<String>) {
        self.with(|s| s.failure = failure);
    }

    pub fn read(&self) -> (BTreeMap<Partition, PartitionStatus>, Option<Instant>, Option<String>) {
        self.with(|s| {
            let rows = s.rows.iter().map(|(&partition, row)| {
                let status = PartitionStatus {
                    state: row.state.clone(),
                    next_offset: row.next_offset,
                    lag: None,
                    commit_age: row.committed_at.map(|at| at.elapsed()),
                    outcomes: row.outcomes.clone(),
                    slots: row.slots,
                };
                (partition, status)
            });
            (rows.collect(), s.last_turn, s.failure.clone())
        })
    }
}
