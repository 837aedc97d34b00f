//! The side of the simulated log that the production stream thread works with.

use std::collections::BTreeMap;
use std::time::Duration;

use log::{Commit, CommitState, LogError, Polled, Record, Restored, Stored, TaskLog};
use model::{Offset, Partition};
use topology::Topic;

use super::commit::{SimCommit, Stage, TxnState};
use super::{Cluster, CrashAt, Entry, LogFault, World};

/// One life of one member.
#[derive(Debug)]
pub struct SimTaskLog {
    cluster: Cluster,
    member: usize,
    session: u64,
}

impl SimTaskLog {
    pub(super) fn new(cluster: Cluster, member: usize, session: u64) -> Self {
        Self {
            cluster,
            member,
            session,
        }
    }

    /// Runs a call unless this life has ended, or ends here.
    fn call<R>(
        &self,
        at: Option<CrashAt>,
        f: impl FnOnce(&mut World, usize) -> Result<R, LogError>,
    ) -> Result<R, LogError> {
        let mut world = self.cluster.lock();
        let m = &world.members[self.member];
        if !m.alive || m.session != self.session {
            return Err(LogError::Closed);
        }
        if let Some(at) = at
            && world.crashes_here(self.member, at)
        {
            return Err(LogError::Closed);
        }
        let result = f(&mut world, self.member);
        // A protocol step of the call itself may have been the last.
        if world.members[self.member].alive {
            result
        } else {
            Err(LogError::Closed)
        }
    }
}

impl TaskLog for SimTaskLog {
    fn poll(&mut self, max: usize, _wait: Duration) -> Result<Polled, LogError> {
        self.call(Some(CrashAt::Poll), |world, member| world.poll(member, max))
    }

    fn emit(&mut self, record: Record) -> Result<(), LogError> {
        let is_tick = record.topic == Topic::Observations;
        let at = if is_tick { CrashAt::Tick } else { CrashAt::Emit };
        self.call(Some(at), |world, member| {
            let m = &mut world.members[member];
            if m.fast_failed {
                return Err(LogError::ProducerEnded);
            }
            let behind = is_tick && !m.caught_up.contains(&record.partition);
            let partition = record.partition;
            m.sent += 1;
            m.fast.push_back(record);
            if behind {
                world.violation(format!("a tick for partition {partition}, which is not caught up"));
            }
            Ok(())
        })
    }

    fn begin_commit(&mut self, commit: Commit) -> Result<(), LogError> {
        self.call(Some(CrashAt::Cut), |world, member| {
            let m = &mut world.members[member];
            if m.fast_failed {
                return Err(LogError::ProducerEnded);
            }
            let (fast_upto, generation) = (m.sent, m.generation);
            let stage = Stage::WaitForFast;
            let running = SimCommit {
                commit,
                stage,
                fast_upto,
                generation,
                txn: 0,
                appended: 0,
            };
            if m.commit.replace(running).is_some() {
                world.violation("a commit began while one was running".into());
            }
            Ok(())
        })
    }

    fn commit_state(&mut self, wait: Duration) -> Result<CommitState, LogError> {
        self.call(None, |world, member| {
            if !wait.is_zero() {
                world.deliver(member, usize::MAX);
                world.acknowledge(member);
                world.advance_commit(member);
            }
            let m = &mut world.members[member];
            match m.result.take() {
                Some(Err(error)) => Err(error),
                Some(Ok(())) => Ok(CommitState::Idle),
                None if m.commit.is_some() => Ok(CommitState::Running),
                None => Ok(CommitState::Idle),
            }
        })
    }

    fn restore(&mut self, partition: Partition, apply: &mut dyn FnMut(Stored)) -> Result<Restored, LogError> {
        self.call(Some(CrashAt::Restore), |world, _| world.restore(partition, apply))
    }

    fn seek(&mut self, partition: Partition, offset: Offset) -> Result<(), LogError> {
        self.call(Some(CrashAt::Seek), |world, member| {
            match world.members[member].reading.get_mut(&partition) {
                Some(position) => {
                    *position = Some(offset);
                    Ok(())
                }
                None => Err(LogError::Unusable(format!(
                    "partition {partition} is not this member's"
                ))),
            }
        })
    }

    fn recover(&mut self) -> Result<(), LogError> {
        self.call(Some(CrashAt::Recover), |world, member| {
            let some = world.rng.below(world.members[member].fast.len() + 1);
            world.deliver(member, some);
            world.abort_own(member);
            let m = &mut world.members[member];
            m.fast.clear();
            (m.sent, m.delivered, m.acked, m.fast_failed) = (0, 0, 0, false);
            m.commit = None;
            m.result = None;
            m.caught_up.clear();
            m.assigned.extend(std::mem::take(&mut m.reading).into_keys());
            Ok(())
        })
    }
}

impl World {
    fn poll(&mut self, member: usize, max: usize) -> Result<Polled, LogError> {
        if self.members[member].fast_failed {
            return Err(LogError::ProducerEnded);
        }
        let mut polled = Polled::default();
        if !self.members[member].in_group {
            // Expelled, or new: what it had is lost; it joins, and gets its share with a later poll.
            let m = &mut self.members[member];
            polled.lost = std::mem::take(&mut m.reading).into_keys().collect();
            m.assigned.clear();
            m.caught_up.clear();
            m.in_group = true;
            self.disown(member);
            self.rebalance();
            return Ok(polled);
        }
        for p in std::mem::take(&mut self.members[member].revoking) {
            let m = &mut self.members[member];
            if m.reading.remove(&p).is_some() {
                polled.revoked.push(p);
            }
            m.assigned.retain(|&q| q != p);
            m.caught_up.remove(&p);
            match self.moving.remove(&p) {
                Some(taker) => self.give(p, taker),
                None => self.owners[p as usize] = None,
            }
        }
        self.members[member].generation = self.group_generation;
        polled.assigned = std::mem::take(&mut self.members[member].assigned);
        for &p in &polled.assigned {
            self.members[member].reading.insert(p, None);
        }
        self.read_input(member, max.min(self.poll_max), &mut polled);
        if self.expelled_next == Some(member) {
            self.expelled_next = None;
            self.expel(member);
        }
        Ok(polled)
    }

    fn read_input(&mut self, member: usize, mut max: usize, polled: &mut Polled) {
        let reading: Vec<_> = self.members[member].reading.iter().map(|(&p, &at)| (p, at)).collect();
        self.members[member].caught_up.clear();
        for (p, at) in reading {
            let Some(mut at) = at else { continue };
            let input = self.entries(Topic::Observations, p);
            let from = input.partition_point(|entry| entry.offset < at);
            let some = (input.len() - from).min(max);
            let records = input[from..from + some].iter().map(Entry::stored);
            polled.records.extend(records);
            max -= some;
            if some > 0 {
                at = input[from + some - 1].offset + 1;
            }
            let is_end = from + some == input.len();
            let m = &mut self.members[member];
            m.reading.insert(p, Some(at));
            if is_end {
                m.caught_up.insert(p);
                polled.caught_up.push(p);
            }
        }
    }

    fn restore(&mut self, partition: Partition, apply: &mut dyn FnMut(Stored)) -> Result<Restored, LogError> {
        let reads_open = self.fault == LogFault::RestoreReadsOpenCommit;
        let is_open = |txn: usize| self.txns[txn].state == TxnState::Open;
        let entries = self.entries(Topic::ChangelogNetwork, partition);
        let writes_here = entries.iter().filter_map(|entry| entry.txn).any(is_open);
        let pending = self
            .txns
            .iter()
            .filter(|txn| txn.state == TxnState::Open)
            .flat_map(|txn| &txn.positions);
        let pending = pending
            .filter(|(p, _)| *p == partition)
            .map(|(_, offset)| *offset)
            .max();
        if (writes_here || pending.is_some()) && !reads_open {
            return Err(LogError::Timeout(Duration::from_secs(1)));
        }
        let visible = self.visible(Topic::ChangelogNetwork, partition, reads_open);
        if self.rng.clone().chance(50) {
            // Compacted: the last of each key, in order.
            let last: BTreeMap<&[u8], &Entry> = visible.map(|entry| (&entry.record.key[..], entry)).collect();
            let mut last: Vec<_> = last.into_values().collect();
            last.sort_by_key(|entry| entry.offset);
            last.into_iter().for_each(|entry| apply(entry.stored()));
        } else {
            visible.for_each(|entry| apply(entry.stored()));
        }
        let group_offset = self.committed[partition as usize];
        Ok(Restored {
            group_offset: pending.filter(|_| reads_open).or(group_offset),
            input_start: 0,
        })
    }
}
