//! A group's reader that keeps its own effects elsewhere.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::{Offset, Partition};
use topology::{Group, Topic};

use super::cursor::{Cursors, check_offset};
use super::{Backend, MemberId, Message, Owner, Ticket};
use crate::{Consumer, ConsumerRecords, LogError, ThreadSlot};

/// How long a commit of positions may take.
const COMMIT_WAIT: Duration = Duration::from_secs(30);

/// The [`Consumer`] of both backends of this process.
pub(crate) struct GroupConsumer<B: Backend> {
    backend: Arc<B>,
    group: Group,
    slot: ThreadSlot,
    member: MemberId,
    /// The state of the group this member has acted on.
    seen: u64,
    owned: BTreeSet<Partition>,
    /// Owned, and not yet read: their first position is still to be found.
    to_begin: BTreeSet<Partition>,
    cursors: Cursors,
}

impl<B: Backend> GroupConsumer<B> {
    pub(crate) fn new(backend: Arc<B>, group: Group, slot: ThreadSlot) -> Result<Self, LogError> {
        backend.check_open()?;
        let member = backend.membership().join(group, slot);
        backend.changes().tell();
        Ok(Self {
            backend,
            group,
            slot,
            member,
            seen: 0,
            owned: BTreeSet::new(),
            to_begin: BTreeSet::new(),
            cursors: Cursors::default(),
        })
    }

    fn sync_membership(&mut self, got: &mut ConsumerRecords) -> Result<(), LogError> {
        let backend = self.backend.clone();
        let membership = backend.membership();
        let version = membership.version();
        if version == self.seen {
            return self.begin(got);
        }
        if membership.take_lost(self.group, self.member).is_some() {
            let lost: Vec<_> = std::mem::take(&mut self.owned).into_iter().collect();
            self.cursors.clear();
            self.to_begin.clear();
            self.member = membership.join(self.group, self.slot);
            got.revoked = self.of_topics(&lost);
            return Ok(());
        }
        let change = membership.sync(self.group, self.member);
        if !change.to_release.is_empty() {
            for partition in &change.to_release {
                self.owned.remove(partition);
                self.to_begin.remove(partition);
                self.cursors.remove(*partition);
            }
            membership.release(self.group, self.member, &change.to_release);
            backend.changes().tell();
            got.revoked = self.of_topics(&change.to_release);
        }
        self.owned.extend(&change.assigned);
        self.to_begin.extend(&change.assigned);
        self.seen = version;
        self.begin(got)
    }

    /// Finds where to read newly owned partitions from.
    fn begin(&mut self, got: &mut ConsumerRecords) -> Result<(), LogError> {
        if self.to_begin.is_empty() {
            return Ok(());
        }
        // Positions that an earlier owner had queued are decided before we look.
        submit_and_wait(&*self.backend, Message::Barrier)?;
        let partitions: Vec<_> = std::mem::take(&mut self.to_begin).into_iter().collect();
        got.assigned = self.of_topics(&partitions);
        for &(topic, partition) in &got.assigned {
            let oldest = self.backend.start(topic, partition);
            let next = self.backend.committed(self.group, topic, partition).unwrap_or(oldest);
            if next < oldest {
                tracing::error!(
                    group = self.group.name(), %topic, partition, next, oldest,
                    "retention has overtaken this group: records between these offsets were never read by it"
                );
            }
            self.cursors.set(topic, partition, next.max(oldest));
        }
        Ok(())
    }

    fn of_topics(&self, partitions: &[Partition]) -> Vec<(Topic, Partition)> {
        self.group
            .spec()
            .reads
            .iter()
            .flat_map(|t| partitions.iter().map(|p| (*t, *p)))
            .collect()
    }

    fn check_owned(&self, topic: Topic, partition: Partition) -> Result<(), LogError> {
        let owned = self.group.spec().reads.contains(&topic)
            && self.backend.membership().owns(self.group, self.member, partition);
        if owned {
            return Ok(());
        }
        Err(LogError::Fenced(format!(
            "{topic}/{partition} does not belong to thread {} of {} of group {}",
            self.slot.index,
            self.slot.of,
            self.group.name()
        )))
    }
}

impl<B: Backend> Consumer for GroupConsumer<B> {
    fn poll(&mut self, max: usize, wait: Duration) -> Result<ConsumerRecords, LogError> {
        let deadline = Instant::now() + wait;
        let mut got = ConsumerRecords::default();
        loop {
            self.backend.check_open()?;
            let seen = self.backend.changes().count();
            self.sync_membership(&mut got)?;
            self.cursors.read(&*self.backend, max, &mut got.records)?;
            let news = !(got.assigned.is_empty() && got.revoked.is_empty() && got.records.is_empty());
            if news || !self.backend.changes().wait(seen, deadline) {
                return Ok(got);
            }
        }
    }

    fn commit(&mut self, positions: &[(Topic, Partition, Offset)]) -> Result<(), LogError> {
        if positions.is_empty() {
            return Ok(());
        }
        for (topic, partition, _) in positions {
            self.check_owned(*topic, *partition)?;
        }
        let owner = Owner {
            group: self.group,
            member: self.member,
        };
        let positions = positions.to_vec();
        submit_and_wait(&*self.backend, |ticket| Message::Positions {
            owner,
            positions,
            ticket,
        })
    }

    fn seek(&mut self, topic: Topic, partition: Partition, offset: Offset) -> Result<(), LogError> {
        self.check_owned(topic, partition)?;
        check_offset(&*self.backend, topic, partition, offset)?;
        self.cursors.set(topic, partition, offset);
        Ok(())
    }
}

impl<B: Backend> Drop for GroupConsumer<B> {
    fn drop(&mut self) {
        self.backend.membership().leave(self.group, self.member);
        self.backend.changes().tell();
    }
}

fn submit_and_wait<B: Backend>(backend: &B, message: impl FnOnce(Arc<Ticket>) -> Message) -> Result<(), LogError> {
    let ticket = Ticket::new();
    backend.submit(message(ticket.clone()))?;
    ticket
        .wait(Instant::now() + COMMIT_WAIT)
        .unwrap_or(Err(LogError::Timeout(COMMIT_WAIT)))
}
