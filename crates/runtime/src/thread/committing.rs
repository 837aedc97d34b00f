//! The thread's commit: one for all its tasks, running beside the processing; the next cut waits for it.

use std::time::{Duration, Instant};

use log::{Commit, CommitState, LogError};

use super::{COMMIT_WAIT, Owned, Running, StreamThread};
use crate::metrics as names;
use crate::policy::WATCHDOG;
use crate::task::Task;

impl<E: Send + 'static> StreamThread<E> {
    /// Commits what was processed and ends: an orderly stop repeats nothing.
    ///
    /// # Errors
    /// When the last commit did not come to stand within `limit`; then its records are processed again after the start.
    pub fn drain(&mut self, limit: Duration) -> Result<(), LogError> {
        if self.recover_at.is_some() {
            return Ok(());
        }
        self.commit_and_wait(limit)
    }

    pub(super) fn is_due(&self) -> bool {
        let policy = &self.config.commit;
        self.running.is_none()
            && self.tasks().any(Task::is_changed)
            && (self.clock.now().saturating_sub(self.last_cut) >= policy.interval || self.waiting_cuts() >= 1)
    }

    /// Cuts' worth of what waits for a cut, by number or by bytes.
    pub(super) fn waiting_cuts(&self) -> usize {
        let slots: usize = self.tasks().map(Task::changed_slots).sum();
        let bytes: usize = self.tasks().map(Task::waiting_bytes).sum();
        let policy = &self.config.commit;
        (slots / policy.slots_max.max(1)).max(bytes / policy.bytes_max.max(1))
    }

    pub(super) fn tasks(&self) -> impl Iterator<Item = &Task<E>> {
        self.owned.values().filter_map(|owned| match owned {
            Owned::Running(running) => Some(&running.task),
            Owned::Restoring { .. } | Owned::Waiting => None,
        })
    }

    pub(super) fn cut(&mut self) -> Result<(), LogError> {
        let mut commit = Commit::default();
        let mut cuts = Vec::new();
        for (&partition, owned) in &mut self.owned {
            let Owned::Running(running) = owned else { continue };
            if let Some(cut) = running.task.cut(&mut commit) {
                cuts.push((partition, cut, running.task.slots()));
            }
        }
        self.last_cut = self.clock.now();
        if cuts.is_empty() {
            return Ok(());
        }
        #[allow(clippy::cast_precision_loss, reason = "a histogram takes doubles")]
        self.metrics.commit_slots.record(commit.changelog.len() as f64);
        self.log.begin_commit(commit)?;
        self.running = Some(Running {
            since: self.last_cut,
            begun: Instant::now(),
            cuts,
        });
        Ok(())
    }

    pub(super) fn watch_commit(&mut self, wait: Duration) -> Result<(), LogError> {
        let Some(running) = &self.running else { return Ok(()) };
        match self.log.commit_state(wait)? {
            CommitState::Idle => self.committed(),
            CommitState::Running if self.clock.now().saturating_sub(running.since) > WATCHDOG => {
                return Err(LogError::Timeout(WATCHDOG));
            }
            CommitState::Running => {}
        }
        Ok(())
    }

    fn committed(&mut self) {
        let Some(running) = self.running.take() else { return };
        self.failures = 0;
        self.metrics.committed.increment(1);
        self.metrics.commit_seconds.record(running.begun.elapsed());
        for (partition, cut, slots) in running.cuts {
            self.metrics.count(&cut.outcomes);
            self.metrics.set(names::COMMITTED_OFFSET, partition, cut.next_offset);
            self.metrics.set(names::SLOTS, partition, slots as u64);
            if let Some(Owned::Running(running)) = self.owned.get(&partition) {
                self.metrics
                    .set(names::WRITERS_FORGOTTEN, partition, running.task.writers.forgotten());
            }
            self.panics
                .retain(|&(p, offset), _| p != partition || offset >= cut.next_offset);
            if self.owned.contains_key(&partition) {
                self.status.update(partition, |row| {
                    row.next_offset = cut.next_offset;
                    row.committed_at = Some(Instant::now());
                    row.outcomes.add(&cut.outcomes);
                    row.slots = slots;
                });
            }
        }
    }

    /// Ends the running commit, cuts, and waits until that stands.
    pub(super) fn commit_and_wait(&mut self, limit: Duration) -> Result<(), LogError> {
        let deadline = self.clock.now() + limit;
        for last in [false, true] {
            while self.running.is_some() {
                if self.clock.now() > deadline {
                    return Err(LogError::Timeout(limit));
                }
                self.watch_commit(COMMIT_WAIT)?;
            }
            if !last {
                self.cut()?;
            }
        }
        Ok(())
    }
}
