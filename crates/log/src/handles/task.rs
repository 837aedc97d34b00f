//! One stream thread: input, fast outputs, commits, restores.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::{Offset, Partition};
use topology::{Group, KeyKind, Topic};

use super::cursor::{Cursors, check_offset};
use super::{Append, Backend, Lane, MemberId, Message, Owner, Ticket, check_record};
use crate::{
    Commit, CommitState, CrashPoint, LogError, Polled, Record, Restored, Stored, TaskLog, ThreadSlot, crash_point,
};

/// How long a commit may still take when a partition is to be given back (design: within 5 s, or its effects are dropped).
const REVOKE_WAIT: Duration = Duration::from_secs(5);
/// How long everything queued before may take until a restore begins.
const BARRIER_WAIT: Duration = Duration::from_secs(30);

/// The [`TaskLog`] of both backends of this process.
pub(crate) struct ThreadTaskLog<B: Backend> {
    backend: Arc<B>,
    group: Group,
    slot: ThreadSlot,
    input: Topic,
    changelog: Option<Topic>,
    member: MemberId,
    /// The state of the group this member has acted on.
    seen: u64,
    lane: Arc<Lane>,
    sent: u64,
    running: Option<Arc<Ticket>>,
    owned: BTreeSet<Partition>,
    /// Owned, and to be reported as assigned by the next poll.
    to_report: BTreeSet<Partition>,
    cursors: Cursors,
    caught_up: Vec<Partition>,
}

impl<B: Backend> ThreadTaskLog<B> {
    pub(crate) fn new(backend: Arc<B>, group: Group, slot: ThreadSlot) -> Result<Self, LogError> {
        backend.check_open()?;
        let spec = group.spec();
        let member = backend.membership().join(group, slot);
        backend.changes().tell();
        Ok(Self {
            lane: new_lane(group, slot),
            backend,
            group,
            slot,
            input: spec.reads[0],
            changelog: spec.writes.iter().copied().find(|t| t.spec().key == KeyKind::StateKey),
            member,
            seen: 0,
            sent: 0,
            running: None,
            owned: BTreeSet::new(),
            to_report: BTreeSet::new(),
            cursors: Cursors::default(),
            caught_up: Vec::new(),
        })
    }

    fn sync_membership(&mut self, polled: &mut Polled) -> Result<(), LogError> {
        let backend = self.backend.clone();
        let membership = backend.membership();
        let version = membership.version();
        if version == self.seen && self.to_report.is_empty() {
            return Ok(());
        }
        if membership.take_lost(self.group, self.member).is_some() {
            polled.lost = std::mem::take(&mut self.owned).into_iter().collect();
            self.drop_work();
            self.member = membership.join(self.group, self.slot);
            return Ok(());
        }
        let change = membership.sync(self.group, self.member);
        self.owned.extend(&change.assigned);
        self.to_report.extend(&change.assigned);
        if !change.to_release.is_empty() {
            self.finish_commit(REVOKE_WAIT)?;
            for partition in &change.to_release {
                self.owned.remove(partition);
                self.to_report.remove(partition);
                self.cursors.remove(*partition);
            }
            membership.release(self.group, self.member, &change.to_release);
            backend.changes().tell();
            polled.revoked = change.to_release;
        }
        polled.assigned = std::mem::take(&mut self.to_report).into_iter().collect();
        self.seen = version;
        Ok(())
    }

    fn finish_commit(&mut self, wait: Duration) -> Result<(), LogError> {
        match self.commit_state(wait)? {
            CommitState::Idle => Ok(()),
            CommitState::Running => Err(LogError::Timeout(wait)),
        }
    }

    fn drop_work(&mut self) {
        self.lane.end();
        self.lane = new_lane(self.group, self.slot);
        self.sent = 0;
        self.running = None;
        self.cursors.clear();
        self.caught_up.clear();
        self.to_report.clear();
    }

    /// Partitions read to their end. Ones not yet sought are not.
    fn at_end(&self) -> Vec<Partition> {
        let at_end = |c: &&super::cursor::Cursor| c.next >= self.backend.end(c.topic, c.partition);
        self.cursors.iter().filter(at_end).map(|c| c.partition).collect()
    }

    fn barrier(&self) -> Result<(), LogError> {
        let ticket = Ticket::new();
        self.backend.submit(Message::Barrier(ticket.clone()))?;
        ticket
            .wait(Instant::now() + BARRIER_WAIT)
            .unwrap_or(Err(LogError::Timeout(BARRIER_WAIT)))
    }

    fn check_owned(&self, partition: Partition) -> Result<(), LogError> {
        if self.backend.membership().owns(self.group, self.member, partition) {
            return Ok(());
        }
        Err(LogError::Fenced(format!(
            "partition {partition} of {} does not belong to thread {} of {}",
            self.input, self.slot.index, self.slot.of
        )))
    }
}

impl<B: Backend> TaskLog for ThreadTaskLog<B> {
    fn poll(&mut self, max: usize, wait: Duration) -> Result<Polled, LogError> {
        let deadline = Instant::now() + wait;
        let mut polled = Polled::default();
        loop {
            self.backend.check_open()?;
            let seen = self.backend.changes().count();
            self.sync_membership(&mut polled)?;
            self.cursors
                .read_apart(&*self.backend, max, &mut polled.records, &mut polled.damaged)?;
            polled.caught_up = self.at_end();
            let news = !(polled.assigned.is_empty()
                && polled.revoked.is_empty()
                && polled.lost.is_empty()
                && polled.records.is_empty()
                && polled.damaged.is_empty())
                || polled.caught_up != self.caught_up;
            if news || !self.backend.changes().wait(seen, deadline) {
                self.caught_up.clone_from(&polled.caught_up);
                return Ok(polled);
            }
        }
    }

    fn emit(&mut self, record: Record) -> Result<(), LogError> {
        check_record(&record, self.backend.partitions())?;
        if self.lane.is_ended() {
            return Err(LogError::ProducerEnded);
        }
        let append = Append {
            record,
            lane: self.lane.clone(),
            sequence: self.sent + 1,
            done: None,
        };
        self.backend
            .submit(Message::Append(append))
            .inspect_err(|error| self.lane.end_failed(error))?;
        self.sent += 1;
        Ok(())
    }

    fn begin_commit(&mut self, commit: Commit) -> Result<(), LogError> {
        if self.running.is_some() {
            return Err(LogError::Unusable(
                "a commit is running: wait until commit_state answers idle before the next".to_owned(),
            ));
        }
        if self.lane.is_ended() {
            return Err(LogError::ProducerEnded);
        }
        for record in commit.exact.iter().chain(&commit.changelog) {
            check_record(record, self.backend.partitions())?;
        }
        for (partition, _) in &commit.positions {
            self.check_owned(*partition)?;
        }
        let ticket = Ticket::new();
        let owner = Owner {
            group: self.group,
            member: self.member,
        };
        let (lane, input) = (self.lane.clone(), self.input);
        self.backend
            .submit(Message::Commit {
                lane,
                owner,
                input,
                commit,
                ticket: ticket.clone(),
            })
            .inspect_err(|error| self.lane.end_failed(error))?;
        self.running = Some(ticket);
        Ok(())
    }

    fn commit_state(&mut self, wait: Duration) -> Result<CommitState, LogError> {
        let Some(ticket) = &self.running else {
            return Ok(CommitState::Idle);
        };
        match ticket.wait(Instant::now() + wait) {
            None => Ok(CommitState::Running),
            Some(result) => {
                self.running = None;
                result.map(|()| CommitState::Idle).inspect_err(|_| self.lane.end())
            }
        }
    }

    fn restore(&mut self, partition: Partition, apply: &mut dyn FnMut(Stored)) -> Result<Restored, LogError> {
        self.check_owned(partition)?;
        // What an earlier owner had queued is decided before we look.
        self.barrier()?;
        if let Some(changelog) = self.changelog {
            let from = self.backend.start(changelog, partition);
            let to = self.backend.end(changelog, partition);
            let middle = from + (to - from) / 2;
            let mut each = |stored| {
                apply(stored);
                true
            };
            self.backend.scan(changelog, partition, from, middle, &mut each)?;
            crash_point(CrashPoint::DuringRestore);
            self.backend.scan(changelog, partition, middle, to, &mut each)?;
        }
        Ok(Restored {
            group_offset: self.backend.committed(self.group, self.input, partition),
            input_start: self.backend.start(self.input, partition),
        })
    }

    fn seek(&mut self, partition: Partition, offset: Offset) -> Result<(), LogError> {
        self.check_owned(partition)?;
        check_offset(&*self.backend, self.input, partition, offset)?;
        self.cursors.set(self.input, partition, offset);
        Ok(())
    }

    fn recover(&mut self) -> Result<(), LogError> {
        self.backend.check_open()?;
        self.drop_work();
        self.to_report.clone_from(&self.owned);
        self.barrier()
    }
}

impl<B: Backend> Drop for ThreadTaskLog<B> {
    fn drop(&mut self) {
        self.backend.membership().leave(self.group, self.member);
        self.backend.changes().tell();
    }
}

fn new_lane(group: Group, slot: ThreadSlot) -> Arc<Lane> {
    Arc::new(Lane::new(&format!("{}-{}", group.name(), slot.index)))
}
