//! Things that begin and end, each with a number of its own: alarms, incidents. What has ended stays for a while, then the store
//! alone knows it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use hashbrown::HashMap;
use model::{Kind, Micros, Position, RecordId};

use crate::live::node::Index;
use crate::live::row::Sym;

/// What ended stays this long, so that whoever looks at it need not ask a store that may be behind.
pub const ENDED_KEPT_US: i64 = 900 * Micros::SECOND;
/// At most so many that ended stay.
pub const ENDED_MAX: usize = 10_000;

type FastHash = foldhash::fast::RandomState;

/// A record that says how such a thing is now.
pub trait Entry {
    /// Its id.
    fn id(&self) -> &str;
    /// What it is about.
    fn entity(&self) -> &str;
    /// By what it is listed, newest first.
    fn began_at(&self) -> Micros;
    /// It has ended.
    fn is_over(&self) -> bool;
    /// When it changed last.
    fn changed_at(&self) -> Micros;
    /// The input that made it so.
    fn position(&self) -> Position;
}

/// Where in the network a thing is.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    pub tenant: Sym,
    pub node: Index,
    pub root: Index,
    pub kind: Kind,
}

/// Newest first, then by id.
pub type ListKey = (Reverse<Micros>, Arc<str>);

/// One of them: the last exact row and at most one fast row above it.
pub struct Slot<R> {
    pub id: Arc<str>,
    pub place: Place,
    pub exact: Option<Arc<R>>,
    pub fast: Option<(RecordId, Arc<R>)>,
    /// Load in which its exact row was last seen.
    pub load: u32,
    key: Option<ListKey>,
    is_dirty: bool,
    /// When it was last seen to have ended.
    ended_at: Option<Micros>,
}

impl<R> Slot<R> {
    /// The row that counts.
    pub fn row(&self) -> Option<&Arc<R>> {
        self.fast.as_ref().map(|(_, row)| row).or(self.exact.as_ref())
    }
}

/// Something that is no longer here.
pub struct Gone {
    pub number: u32,
    pub id: Arc<str>,
    pub place: Place,
}

/// All of one kind.
pub struct Board<R> {
    slots: HashMap<u32, Slot<R>, FastHash>,
    by_id: HashMap<Arc<str>, u32, FastHash>,
    sorted: BTreeMap<ListKey, u32>,
    /// Numbers rise and are never given again.
    next: u32,
    dirty: Vec<u32>,
    gone: Vec<Gone>,
    ended: VecDeque<(Micros, u32)>,
}

impl<R> Default for Board<R> {
    fn default() -> Self {
        Self {
            slots: HashMap::default(),
            by_id: HashMap::default(),
            sorted: BTreeMap::new(),
            next: 0,
            dirty: Vec::new(),
            gone: Vec::new(),
            ended: VecDeque::new(),
        }
    }
}

impl<R: Entry> Board<R> {
    /// The number of one that is known.
    pub fn find(&self, id: &str) -> Option<u32> {
        self.by_id.get(id).copied()
    }

    /// One of them.
    pub fn get(&self, number: u32) -> Option<&Slot<R>> {
        self.slots.get(&number)
    }

    /// One of them, to be changed; [`Board::refresh`] afterwards.
    pub fn get_mut(&mut self, number: u32) -> Option<&mut Slot<R>> {
        self.slots.get_mut(&number)
    }

    /// The number of one, new or known.
    pub fn number(&mut self, id: &str, place: Place) -> u32 {
        if let Some(known) = self.find(id) {
            return known;
        }
        let number = self.next;
        self.next = self.next.wrapping_add(1);
        let id: Arc<str> = id.into();
        self.by_id.insert(id.clone(), number);
        let slot = Slot {
            id,
            place,
            exact: None,
            fast: None,
            load: 0,
            key: None,
            is_dirty: false,
            ended_at: None,
        };
        self.slots.insert(number, slot);
        number
    }

    /// Brings lists up to one whose rows have changed; without any row it is gone.
    pub fn refresh(&mut self, number: u32, now: Micros) {
        let Some(slot) = self.slots.get_mut(&number) else {
            return;
        };
        let Some(row) = slot.row().cloned() else {
            return self.remove(number, true);
        };
        let key = (Reverse(row.began_at()), slot.id.clone());
        if slot.key.as_ref() != Some(&key) {
            if let Some(old) = slot.key.replace(key.clone()) {
                self.sorted.remove(&old);
            }
            self.sorted.insert(key, number);
        }
        if !std::mem::replace(&mut slot.is_dirty, true) {
            self.dirty.push(number);
        }
        slot.ended_at = row.is_over().then_some(now);
        if row.is_over() {
            self.ended.push_back((now, number));
        }
    }

    /// Forgets what ended a while ago: it has been told of, and the store has it.
    pub fn expire(&mut self, now: Micros) {
        while let Some(&(at, number)) = self.ended.front() {
            if now.since(at) < ENDED_KEPT_US && self.ended.len() <= ENDED_MAX {
                break;
            }
            self.ended.pop_front();
            // It may have begun again since, or changed again, which stands further behind.
            if self.slots.get(&number).is_some_and(|slot| slot.ended_at == Some(at)) {
                self.remove(number, false);
            }
        }
    }

    fn remove(&mut self, number: u32, told: bool) {
        let Some(slot) = self.slots.remove(&number) else {
            return;
        };
        self.by_id.remove(&slot.id);
        if let Some(key) = &slot.key {
            self.sorted.remove(key);
        }
        if told {
            self.gone.push(Gone {
                number,
                id: slot.id,
                place: slot.place,
            });
        }
    }

    /// The exact topic has been read from its beginning: rows that were not among it are gone.
    pub fn end_load(&mut self, load: u32, now: Micros) {
        let stale = |slot: &Slot<R>| slot.exact.is_some() && slot.load != load;
        let mut numbers: Vec<u32> = self.slots.iter().filter(|(_, s)| stale(s)).map(|(n, _)| *n).collect();
        numbers.sort_unstable();
        for number in numbers {
            if let Some(slot) = self.slots.get_mut(&number) {
                slot.exact = None;
            }
            self.refresh(number, now);
        }
    }

    /// Whether there is something to publish.
    pub fn has_changes(&self) -> bool {
        !self.dirty.is_empty() || !self.gone.is_empty()
    }

    /// What is gone, and the numbers of what has changed since the last call.
    pub fn take_changes(&mut self) -> (Vec<Gone>, Vec<u32>) {
        let dirty = std::mem::take(&mut self.dirty);
        let still = |number: &u32| match self.slots.get_mut(number) {
            Some(slot) => {
                slot.is_dirty = false;
                true
            }
            None => false,
        };
        let dirty = dirty.into_iter().filter(still).collect();
        (std::mem::take(&mut self.gone), dirty)
    }

    /// Those behind `after`, newest first.
    pub fn list(&self, after: Option<&ListKey>) -> impl Iterator<Item = (&ListKey, u32, &Slot<R>)> {
        use std::ops::Bound::{Excluded, Unbounded};
        let from = after.map_or(Unbounded, Excluded);
        let behind = self.sorted.range::<ListKey, _>((from, Unbounded));
        behind.filter_map(|(key, number)| Some((key, *number, self.slots.get(number)?)))
    }
}
