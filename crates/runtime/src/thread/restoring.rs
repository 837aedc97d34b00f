//! Tasks that do not run: being restored, waiting for a schema or for somebody's choice, stopped by a panic.

use std::time::{Duration, Instant};

use log::LogError;
use model::Partition;

use super::{Owned, Running, RunningTask, StreamThread};
use crate::metrics as names;
use crate::policy::{PANICS_MAX, WATCHDOG, backoff};
use crate::restore::{Restoring, WaitReason};
use crate::status::PartitionState;
use crate::task::{Panicked, Task, TaskPlace};

const RESTORE_FIRST: Duration = Duration::from_millis(10);
const RESTORE_LAST: Duration = Duration::from_secs(1);

impl<E: Send + 'static> StreamThread<E> {
    pub(super) fn restore_due(&mut self, now: Duration) -> Result<(), LogError> {
        let in_commit = |running: &Option<Running>, p| running.iter().flat_map(|r| &r.cuts).any(|(q, ..)| *q == p);
        let due: Vec<_> = self
            .owned
            .iter()
            .filter_map(|(&p, owned)| match owned {
                Owned::Restoring { not_before, .. } if now >= *not_before => Some(p),
                _ => None,
            })
            // Its own commit may still come to stand: the restore must read it then.
            .filter(|&p| !in_commit(&self.running, p))
            .collect();
        due.into_iter().try_for_each(|partition| self.restore(partition, now))
    }

    fn restore(&mut self, partition: Partition, now: Duration) -> Result<(), LogError> {
        let Some(Owned::Restoring { attempt, since, .. }) = self.owned.get(&partition) else {
            return Ok(());
        };
        let (attempt, since) = (*attempt, *since);
        let (generation, partitions) = (self.config.generation, self.config.partitions);
        let place = TaskPlace {
            generation,
            partition,
            partitions,
        };
        let mut restoring = Restoring::new(place, (self.chain)(), self.config.on_torn);
        let found = match self.log.restore(partition, &mut |stored| restoring.apply(&stored)) {
            Ok(found) => found,
            Err(error @ LogError::Damaged { .. }) => {
                self.wait_for_operator(partition, WaitReason::damaged(&error));
                return Ok(());
            }
            Err(LogError::Timeout(_)) => {
                self.metrics.again.increment(1);
                let not_before = now + backoff(attempt, RESTORE_FIRST, RESTORE_LAST);
                self.owned.insert(
                    partition,
                    Owned::Restoring {
                        attempt: attempt + 1,
                        not_before,
                        since,
                    },
                );
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let task = restoring.finish(found, || (self.chain)());
        let sought = match &task {
            Ok(task) => self.log.seek(partition, task.next_offset()),
            Err(_) => Ok(()),
        };
        let task = match (task, sought) {
            (Ok(task), Ok(())) => task,
            (Err(reason), _) => {
                self.wait_for_operator(partition, reason);
                return Ok(());
            }
            (Ok(task), Err(LogError::OffsetTooOld { oldest, .. })) => {
                let next_offset = task.next_offset();
                self.wait_for_operator(partition, WaitReason::InputLost { next_offset, oldest });
                return Ok(());
            }
            (Ok(_), Err(error)) => return Err(error),
        };
        self.run_task(partition, task, now, since);
        Ok(())
    }

    fn run_task(&mut self, partition: Partition, mut task: Task<E>, now: Duration, since: Instant) {
        for ((p, _), (times, panicked)) in &self.panics {
            if *p == partition && *times >= PANICS_MAX {
                task.condemn_at(panicked.clone());
            }
        }
        self.metrics.restored.increment(1);
        self.metrics.set(names::SCHEMA_WAITS, partition, 0);
        self.metrics.restore_seconds.record(since.elapsed());
        tracing::info!(
            partition,
            next_offset = task.next_offset(),
            slots = task.slots(),
            "partition restored"
        );
        self.status.update(partition, |row| {
            row.state = PartitionState::Running;
            row.next_offset = task.next_offset();
            row.outcomes = task.outcomes().clone();
            row.slots = task.slots();
        });
        self.owned.insert(
            partition,
            Owned::Running(Box::new(RunningTask {
                task,
                next_tick: now,
                blocked: None,
            })),
        );
    }

    fn wait_for_operator(&mut self, partition: Partition, reason: WaitReason) {
        self.metrics.waiting.increment(1);
        if reason.is_torn() {
            self.metrics.torn.increment(1);
        }
        tracing::error!(partition, %reason, "the partition waits for the operator's choice: go on, or rebuild");
        self.owned.insert(partition, Owned::Waiting);
        self.status
            .update(partition, |row| row.state = PartitionState::Waiting(reason));
    }

    /// The next record of these partitions cannot be read: what was processed before it is committed, and they wait. The
    /// others go on.
    pub(super) fn stand_still(&mut self, damaged: &[(Partition, LogError)]) -> Result<(), LogError> {
        if damaged.is_empty() {
            return Ok(());
        }
        self.commit_and_wait(WATCHDOG)?;
        for (partition, error) in damaged {
            self.wait_for_operator(*partition, WaitReason::damaged(error));
        }
        Ok(())
    }

    /// The schema is not known yet: the partition waits, since order is all. What is read of it meanwhile is dropped, and
    /// read again.
    pub(super) fn block(&mut self, partition: Partition, id: u32) {
        let Some(Owned::Running(running)) = self.owned.get_mut(&partition) else {
            return;
        };
        tracing::error!(
            partition,
            id,
            "unknown schema id: the partition waits for the registry or a newer build"
        );
        running.blocked = Some(id);
        let reason = WaitReason::UnknownSchema(id);
        self.status
            .update(partition, |row| row.state = PartitionState::Waiting(reason));
        self.metrics.set(names::SCHEMA_WAITS, partition, 1);
    }

    /// Goes on where a schema has been learned since; asked every turn, for it costs a look into a table.
    pub(super) fn unblock_learned(&mut self) -> Result<(), LogError> {
        for (&partition, owned) in &mut self.owned {
            let Owned::Running(running) = owned else { continue };
            let Some(id) = running.blocked else { continue };
            let codec = (self.codec_source)();
            if !codec.knows(id) {
                continue;
            }
            tracing::info!(partition, id, "schema id learned: the partition goes on");
            self.codec = codec;
            running.blocked = None;
            self.log.seek(partition, running.task.next_offset())?;
            self.status.update(partition, |row| row.state = PartitionState::Running);
            self.metrics.set(names::SCHEMA_WAITS, partition, 0);
        }
        Ok(())
    }

    /// A step panicked: the task is dropped and restored; the third time at one offset, that record is given up.
    pub(super) fn panicked(&mut self, partition: Partition, panicked: Panicked) {
        self.metrics.panics.increment(1);
        let (times, last) = self
            .panics
            .entry((partition, panicked.offset))
            .or_insert((0, panicked.clone()));
        *times += 1;
        *last = panicked;
        tracing::error!(
            partition, offset = last.offset, times = *times, text = %last.text,
            "a step panicked: restoring the task{}",
            if *times >= PANICS_MAX { "; the record goes to dead-letters" } else { "" }
        );
        let not_before = self.clock.now() + backoff(*times, RESTORE_FIRST, RESTORE_LAST);
        self.owned.insert(
            partition,
            Owned::Restoring {
                attempt: 0,
                not_before,
                since: Instant::now(),
            },
        );
        self.status
            .update(partition, |row| row.state = PartitionState::Restoring);
    }
}
