//! The slots of one step: typed state in memory, by interned key, with what the next cut writes and what a refused record
//! takes back.
//!
//! Nothing here depends on when a cut is made: a deleted slot loses its write clock at once, not when it is written.

use std::hash::BuildHasher;

use bytes::Bytes;
use hashbrown::HashTable;
use model::{Micros, Offset};
use serde::Serialize;

use crate::arena::Arena;
use crate::slot::{self, SlotHead};
use crate::timers::{Due, Timers};
use crate::{Deadline, Now, StateKey};

/// Stale entries of the timer heaps tolerated beside twice the live ones.
const STALE_TIMERS_MAX: usize = 4_096;

/// One key's slot. Without a state it has no timers and no write clock.
#[derive(Debug)]
pub(crate) struct Slot<S> {
    pub key: StateKey,
    pub state: Option<S>,
    /// In order of their numbers.
    pub timers: Vec<(u8, Deadline)>,
    /// Input offset that last changed it.
    pub applied: Offset,
    /// Hybrid write clock: moves only with its row.
    pub wts: Micros,
    changed: bool,
    /// Whether the changelog (or a commit on its way there) has it.
    stored: bool,
}

/// What a slot becomes.
#[derive(Debug)]
pub(crate) struct Next<S> {
    /// `None`: the state stays as it is.
    pub state: Option<Option<S>>,
    pub timers: Vec<(u8, Deadline)>,
    pub wts: Micros,
    pub applied: Offset,
}

#[derive(Debug)]
pub(crate) struct Table<S> {
    index: HashTable<u32>,
    slots: Vec<Slot<S>>,
    free: Vec<u32>,
    hasher: foldhash::fast::RandomState,
    changed: Vec<u32>,
    undo: Vec<(u32, Next<S>)>,
    timers: Timers,
    armed: usize,
    /// Slots with a state.
    live: usize,
}

impl<S> Default for Table<S> {
    fn default() -> Self {
        Self {
            index: HashTable::new(),
            slots: Vec::new(),
            free: Vec::new(),
            hasher: foldhash::fast::RandomState::default(),
            changed: Vec::new(),
            undo: Vec::new(),
            timers: Timers::default(),
            armed: 0,
            live: 0,
        }
    }
}

impl<S: Serialize> Table<S> {
    /// The slot of a key that has a state.
    pub fn get(&self, key: &str) -> Option<&Slot<S>> {
        self.place(key).map(|place| self.at(place))
    }

    /// Where the slot of a key is that has a state; until the next [`Table::settle`].
    pub fn place(&self, key: &str) -> Option<u32> {
        self.find(key).filter(|i| self.at(*i).state.is_some())
    }

    /// The slot at a place.
    pub fn at(&self, place: u32) -> &Slot<S> {
        &self.slots[place as usize]
    }

    /// Slots that have a state.
    pub fn len(&self) -> usize {
        self.live
    }

    /// Slots changed since the last cut.
    pub fn changed(&self) -> usize {
        self.changed.len()
    }

    /// Changes a slot, and remembers what it was until [`Table::settle`]. The state before, and the one after, if it is
    /// another one.
    pub fn replace(&mut self, place: Option<u32>, key: &StateKey, next: Next<S>) -> Option<(Option<&S>, Option<&S>)> {
        let known = place.or_else(|| self.find(key));
        let index = known.unwrap_or_else(|| self.insert(key.clone()));
        let before = self.put(index, next);
        self.undo.push((index, before));
        let (_, before) = self.undo.last()?;
        let before = before.state.as_ref()?;
        Some((before.as_ref(), self.slots[index as usize].state.as_ref()))
    }

    /// The record stands: nothing is taken back any more.
    pub fn settle(&mut self) {
        self.undo.clear();
        if self.timers.len() > 2 * self.armed + STALE_TIMERS_MAX {
            self.rebuild_timers();
        }
    }

    /// Takes back every change since the last [`Table::settle`], the last one first: `each` sees the state that is taken back
    /// and the one that stands again.
    pub fn roll_back(&mut self, mut each: impl FnMut(&StateKey, Option<&S>, Option<&S>)) {
        while let Some((index, before)) = self.undo.pop() {
            let undone = self.put(index, before);
            if let Some(undone) = undone.state {
                let slot = &self.slots[index as usize];
                each(&slot.key, undone.as_ref(), slot.state.as_ref());
            }
        }
        self.rebuild_timers();
    }

    /// Every key that has a state.
    pub fn each_state(&self) -> impl Iterator<Item = (&StateKey, &S)> {
        self.slots
            .iter()
            .filter_map(|slot| Some((&slot.key, slot.state.as_ref()?)))
    }

    /// Takes up to `limit` due timers, each still set in its slot, in order; they are not set in the heaps any more.
    pub fn due(&mut self, now: &Now, limit: usize) -> Vec<Due> {
        let mut due: Vec<Due> = Vec::new();
        while due.len() < limit {
            let Some(next) = self.timers.pop_due(now) else { break };
            let is_set = self
                .get(&next.key)
                .is_some_and(|slot| slot.timers.contains(&(next.id, next.deadline)));
            if is_set && due.last() != Some(&next) {
                due.push(next);
            }
        }
        due
    }

    /// Puts a timer that is set in its slot back into the heaps.
    pub fn arm(&mut self, key: &StateKey, id: u8, deadline: Deadline) {
        self.timers.arm(key, id, deadline);
    }

    /// Takes a slot from the changelog.
    pub fn restore(&mut self, key: StateKey, head: SlotHead, state: S) {
        let index = self.find(&key).unwrap_or_else(|| self.insert(key));
        self.live += usize::from(self.slots[index as usize].state.is_none());
        let slot = &mut self.slots[index as usize];
        let SlotHead {
            applied,
            wts,
            timers,
            format: _,
        } = head;
        *slot = Slot {
            key: slot.key.clone(),
            state: Some(state),
            timers,
            applied,
            wts,
            changed: false,
            stored: true,
        };
    }

    /// Takes a tombstone from the changelog.
    pub fn forget(&mut self, key: &str) {
        if let Some(index) = self.find(key) {
            self.remove(index);
        }
    }

    /// To be called once when everything is restored.
    pub fn rebuild_timers(&mut self) {
        self.timers.clear();
        self.armed = 0;
        for slot in &self.slots {
            self.armed += slot.timers.len();
            for &(id, deadline) in &slot.timers {
                self.timers.arm(&slot.key, id, deadline);
            }
        }
    }

    /// Highest input offset any slot carries.
    pub fn applied_max(&self) -> Option<Offset> {
        self.with_state().map(|slot| slot.applied).max()
    }

    /// Every slot belongs to an earlier generation of the input: its offsets say nothing any more.
    pub fn forget_applied(&mut self) {
        for index in 0..self.slots.len() {
            if self.slots[index].state.is_some() {
                self.slots[index].applied = 0;
                self.mark(u32::try_from(index).expect("fewer than 2^32 slots"));
            }
        }
    }

    /// The changed slots as the changelog has them (`None` is a tombstone), in the order they were first changed.
    pub fn cut(&mut self, step: u8, format: u8, out: &mut dyn FnMut(Bytes, Option<Bytes>)) {
        let mut arena = Arena::default();
        let mut value = Vec::new();
        let mut changed = std::mem::take(&mut self.changed);
        for index in changed.drain(..) {
            let slot = &mut self.slots[index as usize];
            slot.changed = false;
            let number = [step];
            let key = [&number, slot.key.as_bytes()];
            if slot.state.is_some() {
                encode(format, slot, &mut value);
                out(arena.join(key), Some(arena.join([&value, &[]])));
                slot.stored = true;
            } else {
                if slot.stored {
                    out(arena.join(key), None);
                }
                self.remove(index);
            }
        }
        self.changed = changed;
    }

    /// Every slot with a state, encoded.
    pub fn each_encoded(&self, step: u8, format: u8, out: &mut dyn FnMut(Bytes, Bytes)) {
        let mut arena = Arena::default();
        let mut value = Vec::new();
        for slot in self.with_state() {
            encode(format, slot, &mut value);
            out(arena.join([&[step], slot.key.as_bytes()]), arena.join([&value, &[]]));
        }
    }

    fn with_state(&self) -> impl Iterator<Item = &Slot<S>> {
        self.slots.iter().filter(|slot| slot.state.is_some())
    }

    fn find(&self, key: &str) -> Option<u32> {
        let hash = self.hasher.hash_one(key);
        self.index.find(hash, |&i| &*self.slots[i as usize].key == key).copied()
    }

    fn insert(&mut self, key: StateKey) -> u32 {
        let hash = self.hasher.hash_one(&*key);
        let slot = Slot {
            key,
            state: None,
            timers: Vec::new(),
            applied: 0,
            wts: Micros(0),
            changed: false,
            stored: false,
        };
        let index = if let Some(index) = self.free.pop() {
            self.slots[index as usize] = slot;
            index
        } else {
            self.slots.push(slot);
            u32::try_from(self.slots.len() - 1).expect("fewer than 2^32 slots")
        };
        let (slots, hasher) = (&self.slots, &self.hasher);
        self.index
            .insert_unique(hash, index, |&i| hasher.hash_one(&*slots[i as usize].key));
        index
    }

    fn remove(&mut self, index: u32) {
        let slot = &mut self.slots[index as usize];
        self.live -= usize::from(slot.state.take().is_some());
        slot.timers = Vec::new();
        let hash = self.hasher.hash_one(&*slot.key);
        if let Ok(entry) = self.index.find_entry(hash, |&i| i == index) {
            entry.remove();
            self.free.push(index);
        }
    }

    fn put(&mut self, index: u32, next: Next<S>) -> Next<S> {
        let slot = &mut self.slots[index as usize];
        for &(id, deadline) in &next.timers {
            if !slot.timers.contains(&(id, deadline)) {
                self.timers.arm(&slot.key, id, deadline);
            }
        }
        self.armed += next.timers.len();
        self.armed -= slot.timers.len();
        let had_state = slot.state.is_some();
        let before = Next {
            state: next.state.map(|state| std::mem::replace(&mut slot.state, state)),
            timers: std::mem::replace(&mut slot.timers, next.timers),
            wts: std::mem::replace(&mut slot.wts, next.wts),
            applied: std::mem::replace(&mut slot.applied, next.applied),
        };
        self.live += usize::from(slot.state.is_some());
        self.live -= usize::from(had_state);
        self.mark(index);
        before
    }

    fn mark(&mut self, index: u32) {
        let slot = &mut self.slots[index as usize];
        if !slot.changed {
            slot.changed = true;
            self.changed.push(index);
        }
    }
}

/// A slot with a state, into a buffer that is emptied first.
fn encode<S: Serialize>(format: u8, slot: &Slot<S>, out: &mut Vec<u8>) {
    out.clear();
    let head = SlotHead {
        format,
        applied: slot.applied,
        wts: slot.wts,
        timers: slot.timers.clone(),
    };
    if let Some(state) = &slot.state {
        slot::encode(&head, state, out);
    }
}
