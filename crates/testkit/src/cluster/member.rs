//! A place for a stream thread: its membership, its reads, what it has in flight. And how it dies.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use log::{LogError, Record};
use model::{Offset, Partition};

use super::commit::{SimCommit, TxnState};
use super::{Cluster, CrashAt, LogFault, SimTaskLog, Stage, World};

#[derive(Default)]
pub(super) struct Member {
    /// Counts the starts: calls of an earlier life fail.
    pub session: u64,
    pub alive: bool,
    pub in_group: bool,
    /// The group's generation as of the last poll.
    pub generation: u64,
    /// Partitions it owns as it sees it, and where it reads; `None` until sought.
    pub reading: BTreeMap<Partition, Option<Offset>>,
    pub assigned: Vec<Partition>,
    pub revoking: BTreeSet<Partition>,
    /// Partitions of which its last poll has brought the last record.
    pub caught_up: BTreeSet<Partition>,
    pub fast: VecDeque<Record>,
    pub sent: u64,
    pub delivered: u64,
    pub acked: u64,
    pub fast_failed: bool,
    pub commit: Option<SimCommit>,
    pub result: Option<Result<(), LogError>>,
}

impl Cluster {
    /// Starts a member, or starts it again after a crash.
    pub fn join(&self, member: usize) -> SimTaskLog {
        let mut world = self.lock();
        world.abort_own(member);
        let session = world.members[member].session + 1;
        world.members[member] = Member {
            session,
            alive: true,
            ..Member::default()
        };
        world.disown(member);
        world.rebalance();
        drop(world);
        SimTaskLog::new(self.clone(), member, session)
    }
}

impl World {
    pub fn is_alive(&self, member: usize) -> bool {
        self.members[member].alive
    }

    pub fn is_idle(&self, member: usize) -> bool {
        let m = &self.members[member];
        m.fast.is_empty() && m.commit.is_none() && m.acked == m.delivered && m.delivered == m.sent
    }

    /// The member dies the next time it comes to this place.
    pub fn arm(&mut self, member: usize, at: CrashAt) {
        self.armed = Some((member, at));
    }

    pub fn armed(&self) -> Option<(usize, CrashAt)> {
        self.armed
    }

    pub(super) fn is_armed(&self, member: usize, at: CrashAt) -> bool {
        self.armed == Some((member, at))
    }

    pub(super) fn crashes_here(&mut self, member: usize, at: CrashAt) -> bool {
        let dies = self.is_armed(member, at);
        if dies {
            self.armed = None;
            *self.crashes.entry(at).or_default() += 1;
            if at == CrashAt::Commit
                && let Some(commit) = &self.members[member].commit
            {
                // Its end may be on the wire already.
                let txn = commit.txn;
                self.txns[txn].deciding = self.rng.chance(50);
            }
            self.crash(member);
        }
        dies
    }

    /// `kill -9`: of what is in flight a prefix still arrives; an open transaction stays open.
    pub fn crash(&mut self, member: usize) {
        let some = self.rng.below(self.members[member].fast.len() + 1);
        self.deliver(member, some);
        let m = &mut self.members[member];
        m.alive = false;
        m.fast.clear();
        m.commit = None;
        m.result = None;
        m.reading.clear();
        if self.armed.is_some_and(|(who, _)| who == member) {
            self.armed = None;
        }
    }

    /// Up to `n` fast sends in flight reach the log, in order.
    pub fn deliver(&mut self, member: usize, n: usize) {
        for _ in 0..n {
            let Some(record) = self.members[member].fast.pop_front() else {
                return;
            };
            self.members[member].delivered += 1;
            let is_lost = self.fault == LogFault::LosesFastOutput && self.rng.chance(5);
            if !is_lost {
                self.append(record, None);
            }
        }
    }

    /// What was delivered is acknowledged.
    pub fn acknowledge(&mut self, member: usize) {
        let m = &mut self.members[member];
        m.acked = m.delivered;
    }

    /// A fast send fails: a prefix of what is in flight may have arrived, its acknowledgement has not; the rest is purged.
    pub fn fail_fast(&mut self, member: usize) {
        let some = self.rng.below(self.members[member].fast.len() + 1);
        self.deliver(member, some);
        let m = &mut self.members[member];
        m.fast.clear();
        m.fast_failed = true;
        if let Some(commit) = &m.commit
            && commit.fast_upto > m.acked
            && commit.stage == Stage::WaitForFast
        {
            self.fail_commit(member, LogError::ProducerEnded);
        }
    }

    /// As [`World::expel`], right after its next poll: what that poll brings is processed by one who is no owner any more.
    pub fn expel_after_poll(&mut self, member: usize) {
        self.expelled_next = Some(member);
    }

    /// The group takes a member for dead, though it may only be paused: its partitions move at once.
    pub fn expel(&mut self, member: usize) {
        if std::mem::take(&mut self.members[member].in_group) {
            self.rebalance();
        }
    }

    /// New producers of the same transactional id: what was open is ended, what was in flight is gone.
    pub(super) fn abort_own(&mut self, member: usize) {
        for txn in 0..self.txns.len() {
            if self.txns[txn].member == member && self.txns[txn].state == TxnState::Open {
                self.abort_or_decide(txn);
            }
        }
    }

    /// Gives the partitions out anew, at random, among those in the group. An owner that is alive lets go with its next
    /// poll; one that is gone is not asked.
    pub fn rebalance(&mut self) {
        self.group_generation += 1;
        let takers: Vec<usize> = (0..self.members.len()).filter(|&m| self.members[m].in_group).collect();
        self.moving.clear();
        for m in &mut self.members {
            m.revoking.clear();
        }
        for p in 0..self.partitions {
            let owner = self.owners[p as usize];
            let Some(&taker) = takers.get(self.rng.below(takers.len())) else {
                self.owners[p as usize] = None;
                continue;
            };
            match owner {
                Some(owner) if owner == taker => {}
                Some(owner) if self.members[owner].in_group => {
                    self.members[owner].revoking.insert(p);
                    self.moving.insert(p, taker);
                }
                _ => self.give(p, taker),
            }
        }
    }

    /// A new life of a member owns nothing of the old one.
    pub(super) fn disown(&mut self, member: usize) {
        self.owners
            .iter_mut()
            .filter(|owner| **owner == Some(member))
            .for_each(|owner| *owner = None);
        self.moving.retain(|_, taker| *taker != member);
    }

    pub(super) fn give(&mut self, partition: Partition, taker: usize) {
        self.owners[partition as usize] = Some(taker);
        self.members[taker].assigned.push(partition);
    }
}
