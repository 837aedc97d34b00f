//! A task from its changelog, and the checks that stand in place of a fence (design §5).

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use log::{LogError, Restored, Stored};
use model::Offset;
use thiserror::Error;

use crate::chain::Chain;
use crate::marker::{Marker, MarkerError};
use crate::slot::{MARKER_KEY, SlotError};
use crate::task::{Task, TaskPlace};
use crate::writers::Writers;

/// What to do with a partition whose restore does not add up: the operator's choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnTorn {
    /// Report it and wait.
    #[default]
    Wait,
    /// Take the changelog as it is and go on from the marker.
    GoOn,
    /// Delete the changelog's state and compute it again from the oldest input kept.
    Rebuild,
}

/// Why a partition waits for somebody.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WaitReason {
    /// State that its own commit does not cover.
    #[error("commit_torn: a slot was changed by offset {applied}, the marker's next offset is {next_offset}")]
    SlotBeyondMarker {
        /// Highest offset a slot carries.
        applied: Offset,
        /// The marker's.
        next_offset: Offset,
    },
    /// State and position do not belong to one commit.
    #[error("commit_torn: the marker's next offset is {next_offset}, the group's {group_offset}")]
    MarkerAndGroupDiffer {
        /// The marker's.
        next_offset: Offset,
        /// The group's.
        group_offset: Offset,
    },
    /// Slots, and nothing that says up to where.
    #[error("commit_torn: the changelog has {slots} slots and no marker")]
    MarkerMissing {
        /// Slots found.
        slots: usize,
    },
    /// The group has read, but its state is gone.
    #[error("the changelog is empty, but the group has committed offset {group_offset}")]
    ChangelogLost {
        /// The group's.
        group_offset: Offset,
    },
    /// The number of partitions was changed: every root may have moved.
    #[error("the state was made with {marker} partitions, the log has {log}: drain and rebuild")]
    PartitionCount {
        /// The marker's.
        marker: u32,
        /// The log's.
        log: u32,
    },
    /// The input was made anew, restored or moved since.
    #[error("the state belongs to generation {marker} of the input, which is now {log}")]
    Generation {
        /// The marker's.
        marker: u32,
        /// The log's.
        log: u32,
    },
    /// Retention has passed the group's position.
    #[error("input from {next_offset} to {oldest} is no longer kept")]
    InputLost {
        /// The marker's.
        next_offset: Offset,
        /// Oldest that can be read.
        oldest: Offset,
    },
    /// Written by another build.
    #[error("unreadable marker: {0}")]
    Marker(MarkerError),
    /// Written by another build, or damaged.
    #[error("{count} unreadable slots, the first: {error}")]
    Slots {
        /// How many.
        count: usize,
        /// The first one's error.
        error: SlotError,
    },
    /// A record of the input or of the changelog cannot be read: the log's error.
    #[error("{0}")]
    Damaged(String),
    /// The codec does not know a schema id yet: it goes on by itself once somebody has taught it.
    #[error("schema id {0} is not known yet: waiting for the schema registry, or for an upgrade of this part")]
    UnknownSchema(u32),
}

impl WaitReason {
    pub(crate) fn damaged(error: &LogError) -> Self {
        let cause = std::error::Error::source(error).map_or_else(String::new, |cause| format!(": {cause}"));
        Self::Damaged(format!("{error}{cause}"))
    }

    /// Whether state and position turned out not to belong together.
    pub fn is_torn(&self) -> bool {
        matches!(
            self,
            Self::SlotBeyondMarker { .. } | Self::MarkerAndGroupDiffer { .. } | Self::MarkerMissing { .. }
        )
    }

    fn can_go_on(&self) -> bool {
        matches!(
            self,
            Self::SlotBeyondMarker { .. }
                | Self::MarkerAndGroupDiffer { .. }
                | Self::Generation { .. }
                | Self::InputLost { .. }
        )
    }

    fn can_rebuild(&self) -> bool {
        !matches!(
            self,
            Self::PartitionCount { .. } | Self::UnknownSchema(_) | Self::Damaged(_)
        )
    }
}

/// A task being put together.
pub struct Restoring<E> {
    place: TaskPlace,
    chain: Chain<E>,
    on_torn: OnTorn,
    marker: Option<Result<Marker, MarkerError>>,
    unreadable: BTreeMap<Bytes, SlotError>,
    keys: BTreeSet<Bytes>,
}

impl<E: Send + 'static> Restoring<E> {
    /// Begins with an empty chain.
    pub fn new(place: TaskPlace, chain: Chain<E>, on_torn: OnTorn) -> Self {
        Self {
            place,
            chain,
            on_torn,
            marker: None,
            unreadable: BTreeMap::new(),
            keys: BTreeSet::new(),
        }
    }

    /// Takes the next record of the changelog; the last of a key counts.
    pub fn apply(&mut self, stored: &Stored) {
        let (key, value) = (&stored.record.key, stored.record.value.as_deref());
        if &**key == MARKER_KEY {
            self.marker = value.map(Marker::decode);
            return;
        }
        if self.on_torn == OnTorn::Rebuild {
            self.keys.insert(key.clone());
        }
        match self.chain.restore(key, value) {
            Ok(()) => drop(self.unreadable.remove(key)),
            // A tombstone of a step that is gone.
            Err(_) if value.is_none() => drop(self.unreadable.remove(key)),
            Err(error) => drop(self.unreadable.insert(key.clone(), error)),
        }
    }

    /// Checks what was found, and gives the task: it reads on from its `next_offset`.
    ///
    /// # Errors
    /// When it does not add up and the operator's choice does not cover it.
    pub fn finish(mut self, found: Restored, fresh: impl FnOnce() -> Chain<E>) -> Result<Task<E>, WaitReason> {
        self.chain.restored();
        let problem = self.problem(found);
        let Some(problem) = problem else {
            return Ok(self.into_task(found));
        };
        match self.on_torn {
            OnTorn::GoOn if problem.can_go_on() => {
                tracing::warn!(partition = self.place.partition, %problem, "going on with the state as it is, as configured");
                Ok(self.into_task(found))
            }
            OnTorn::Rebuild if problem.can_rebuild() => {
                tracing::warn!(
                    partition = self.place.partition, %problem, from = found.input_start,
                    "computing the state again from the oldest input, as configured"
                );
                let mut task = Task::new(self.place, fresh(), found.input_start);
                task.tombstones = self.keys.into_iter().collect();
                Ok(task)
            }
            OnTorn::Wait | OnTorn::GoOn | OnTorn::Rebuild => Err(problem),
        }
    }

    fn problem(&self, found: Restored) -> Option<WaitReason> {
        let slots = self.chain.slots() + self.unreadable.len();
        let marker = match &self.marker {
            Some(Ok(marker)) => marker,
            Some(Err(error)) => return Some(WaitReason::Marker(error.clone())),
            None if slots > 0 => return Some(WaitReason::MarkerMissing { slots }),
            None => {
                return found
                    .group_offset
                    .map(|group_offset| WaitReason::ChangelogLost { group_offset });
            }
        };
        let next_offset = marker.next_offset;
        if marker.partitions != self.place.partitions {
            return Some(WaitReason::PartitionCount {
                marker: marker.partitions,
                log: self.place.partitions,
            });
        }
        if let Some(error) = self.unreadable.values().next() {
            return Some(WaitReason::Slots {
                count: self.unreadable.len(),
                error: error.clone(),
            });
        }
        if marker.generation != self.place.generation {
            return Some(WaitReason::Generation {
                marker: marker.generation,
                log: self.place.generation,
            });
        }
        if let Some(applied) = self.chain.applied_max().filter(|&applied| applied >= next_offset) {
            return Some(WaitReason::SlotBeyondMarker { applied, next_offset });
        }
        if let Some(group_offset) = found.group_offset.filter(|&offset| offset != next_offset) {
            return Some(WaitReason::MarkerAndGroupDiffer {
                next_offset,
                group_offset,
            });
        }
        (found.input_start > next_offset).then_some(WaitReason::InputLost {
            next_offset,
            oldest: found.input_start,
        })
    }

    fn into_task(self, found: Restored) -> Task<E> {
        let mut task = Task::new(self.place, self.chain, found.input_start);
        let Some(Ok(marker)) = self.marker else { return task };
        if marker.generation == self.place.generation {
            if found.group_offset.is_none() {
                tracing::info!(
                    partition = self.place.partition,
                    next_offset = marker.next_offset,
                    "the group has no offset (never committed, or expired): the marker's counts"
                );
            }
            task.begin_at(marker.next_offset.max(found.input_start));
            task.skipped = marker.skipped.into_iter().map(|s| (s.offset, s.timer)).collect();
        } else {
            // Offsets begin again: those of the slots and of the skipped inputs say nothing any more.
            task.begin_at(found.group_offset.unwrap_or(found.input_start));
            task.chain.forget_applied();
        }
        task.clock = marker.clock;
        task.deleted = marker.deleted;
        task.writers = Writers::from_kept(marker.writers);
        task.outcomes = marker.outcomes;
        task
    }
}
