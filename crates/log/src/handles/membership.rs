//! Who of a group owns which partition.
//!
//! Partition p belongs to the members whose slot is p modulo `of`; where several have that slot, they share. A partition
//! goes to its new owner only after the old one has given it back in a poll, or was declared lost.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use model::Partition;
use topology::Group;

use super::guard;
use crate::ThreadSlot;

/// One life of one member: a lost member that comes back has another.
pub(crate) type MemberId = u64;

/// All groups.
#[derive(Debug)]
pub(crate) struct Membership {
    partitions: u32,
    /// Raised with every change, so that a poll need not look for one.
    version: AtomicU64,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    next_id: MemberId,
    groups: HashMap<Group, GroupState>,
}

#[derive(Debug, Default)]
struct GroupState {
    members: Vec<Member>,
    /// Who holds each partition, also while giving it back.
    owners: HashMap<Partition, MemberId>,
    /// What members that were declared lost still have to be told.
    lost: HashMap<MemberId, Vec<Partition>>,
}

#[derive(Debug)]
struct Member {
    id: MemberId,
    slot: ThreadSlot,
}

/// What changed for a member.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) assigned: Vec<Partition>,
    /// Still held until [`Membership::release`].
    pub(crate) to_release: Vec<Partition>,
}

impl Membership {
    pub(crate) fn new(partitions: u32) -> Self {
        Self {
            partitions,
            version: AtomicU64::new(1),
            inner: Mutex::default(),
        }
    }

    /// Never 0.
    pub(crate) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    fn changed(&self) {
        self.version.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn join(&self, group: Group, slot: ThreadSlot) -> MemberId {
        let mut inner = guard(&self.inner);
        inner.next_id += 1;
        let id = inner.next_id;
        inner.groups.entry(group).or_default().members.push(Member { id, slot });
        self.changed();
        id
    }

    /// Gives everything back.
    pub(crate) fn leave(&self, group: Group, id: MemberId) {
        if let Some(state) = guard(&self.inner).groups.get_mut(&group) {
            state.members.retain(|m| m.id != id);
            state.owners.retain(|_, owner| *owner != id);
            state.lost.remove(&id);
        }
        self.changed();
    }

    /// Takes everything away from the members of a slot, without asking them. Answers whether there were any.
    pub(crate) fn declare_lost(&self, group: Group, slot: ThreadSlot) -> bool {
        let mut inner = guard(&self.inner);
        let Some(state) = inner.groups.get_mut(&group) else {
            return false;
        };
        let ids: Vec<_> = state.members.iter().filter(|m| m.slot == slot).map(|m| m.id).collect();
        for id in &ids {
            let held = held_by(state, *id);
            state.members.retain(|m| m.id != *id);
            state.owners.retain(|_, owner| owner != id);
            state.lost.insert(*id, held);
        }
        self.changed();
        !ids.is_empty()
    }

    /// What the member was declared to have lost: it is none any more and has to join again.
    pub(crate) fn take_lost(&self, group: Group, id: MemberId) -> Option<Vec<Partition>> {
        guard(&self.inner).groups.get_mut(&group)?.lost.remove(&id)
    }

    /// Takes what is due and free; names what has to be given back.
    pub(crate) fn sync(&self, group: Group, id: MemberId) -> Change {
        let mut inner = guard(&self.inner);
        let mut change = Change::default();
        let Some(state) = inner.groups.get_mut(&group) else {
            return change;
        };
        for partition in 0..self.partitions {
            let due = due_owner(&state.members, partition) == Some(id);
            match state.owners.get(&partition) {
                Some(owner) if *owner == id && !due => change.to_release.push(partition),
                None if due => {
                    state.owners.insert(partition, id);
                    change.assigned.push(partition);
                }
                _ => {}
            }
        }
        change
    }

    pub(crate) fn release(&self, group: Group, id: MemberId, partitions: &[Partition]) {
        if let Some(state) = guard(&self.inner).groups.get_mut(&group) {
            state
                .owners
                .retain(|partition, owner| *owner != id || !partitions.contains(partition));
        }
        self.changed();
    }

    pub(crate) fn owns(&self, group: Group, id: MemberId, partition: Partition) -> bool {
        guard(&self.inner)
            .groups
            .get(&group)
            .is_some_and(|s| s.owners.get(&partition) == Some(&id))
    }
}

fn held_by(state: &GroupState, id: MemberId) -> Vec<Partition> {
    let mut held: Vec<_> = state
        .owners
        .iter()
        .filter(|(_, owner)| **owner == id)
        .map(|(p, _)| *p)
        .collect();
    held.sort_unstable();
    held
}

fn due_owner(members: &[Member], partition: Partition) -> Option<MemberId> {
    let candidates: Vec<_> = members
        .iter()
        .filter(|m| partition % m.slot.of.max(1) == m.slot.index)
        .map(|m| (m.id, m.slot.of.max(1)))
        .collect();
    let (_, of) = candidates.first()?;
    Some(candidates[(partition / of) as usize % candidates.len()].0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUP: Group = Group::Network;

    #[test]
    fn threads_of_one_process_have_fixed_partitions() {
        let membership = Membership::new(5);
        let a = membership.join(GROUP, ThreadSlot { index: 0, of: 2 });
        assert_eq!(membership.sync(GROUP, a).assigned, [0, 2, 4]);
        let b = membership.join(GROUP, ThreadSlot { index: 1, of: 2 });
        assert_eq!(membership.sync(GROUP, a), Change::default());
        assert_eq!(membership.sync(GROUP, b).assigned, [1, 3]);
    }

    #[test]
    fn a_second_member_of_a_slot_waits_until_partitions_are_given_back() {
        let slot = ThreadSlot { index: 0, of: 1 };
        let membership = Membership::new(4);
        let a = membership.join(GROUP, slot);
        assert_eq!(membership.sync(GROUP, a).assigned, [0, 1, 2, 3]);
        let b = membership.join(GROUP, slot);
        assert_eq!(membership.sync(GROUP, b), Change::default());
        assert_eq!(membership.sync(GROUP, a).to_release, [1, 3]);
        assert!(membership.owns(GROUP, a, 1));
        membership.release(GROUP, a, &[1, 3]);
        assert!(!membership.owns(GROUP, a, 1));
        assert_eq!(membership.sync(GROUP, b).assigned, [1, 3]);
        membership.leave(GROUP, b);
        assert_eq!(membership.sync(GROUP, a).assigned, [1, 3]);
    }

    #[test]
    fn a_lost_member_owns_nothing_and_is_told() {
        let slot = ThreadSlot { index: 0, of: 1 };
        let membership = Membership::new(2);
        let a = membership.join(GROUP, slot);
        membership.sync(GROUP, a);
        assert!(membership.declare_lost(GROUP, slot));
        assert!(!membership.owns(GROUP, a, 0));
        assert_eq!(membership.take_lost(GROUP, a), Some(vec![0, 1]));
        let again = membership.join(GROUP, slot);
        assert_ne!(a, again);
        assert_eq!(membership.sync(GROUP, again).assigned, [0, 1]);
    }
}
