//! The live view's state: the compacted topics in memory, moved ahead by the fast one.
//!
//! Rules, per key: the last exact row and at most one fast row above it. The fast row goes
//! - when the exact row has caught up with it, or an exact record of its partition has an id not lower and a second has
//!   passed (that second bridges a commit read in two halves, so that nobody sees an older state in between);
//! - 60 s after it was appended, whatever came.
//!
//! A fast row whose id is not above the highest exact id of its partition is history: it never counts. Tombstones carry a
//! record id too and raise that mark, so a late fast row cannot bring a deleted entity back.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use hashbrown::HashMap;
use log::{IdFilter, Stored};
use model::{EntityId, Kind, Micros, Partition, RecordId, Serial};
use schemas::{AnyRecord, Codec, DeviceEvent};
use topology::Topic;

use super::change::{Change, What};
use super::counts::{Share, Totals};
use super::node::{FastRow, Index, Node, sort_key};
use super::row::{Interner, InventoryRow, StatusRow, Sym};

/// A fast row that no exact record has confirmed goes after this time (design: 60 s).
pub const FAST_ROW_US_MAX: i64 = 60 * Micros::SECOND;
/// How long a fast row stays when its partition has passed it but its own exact row has not been read.
const FAST_ROW_GRACE_US: i64 = Micros::SECOND;
/// Events kept for the snapshot of an `events` or `entity` subscription.
pub const RECENT_EVENTS_MAX: usize = 5_000;

type FastHash = foldhash::fast::RandomState;

struct FastMark {
    id: RecordId,
    appended_at: Micros,
    node: Index,
}

/// Everything the live view knows.
#[derive(Default)]
pub struct LiveState {
    pub(super) interner: Interner,
    pub(super) nodes: Vec<Node>,
    pub(super) sorted: BTreeMap<Box<[u8]>, Index>,
    by_id: HashMap<Arc<str>, Index, FastHash>,
    pub(super) by_serial: HashMap<Box<str>, Vec<Index>, FastHash>,
    pub(super) by_name: HashMap<Box<str>, Vec<Index>, FastHash>,
    pub(super) totals: HashMap<(Sym, Option<Sym>), Totals, FastHash>,
    /// Highest id of the exact status topic, by partition.
    exact_marks: HashMap<Partition, RecordId, FastHash>,
    fast_rows: HashMap<Partition, VecDeque<FastMark>, FastHash>,
    doubtful: Vec<(Micros, Index, RecordId)>,
    filter: IdFilter,
    load: u32,
    dirty: Vec<Index>,
    dirty_totals: Vec<(Sym, Option<Sym>)>,
    pending_events: Vec<Change>,
    pub(super) recent_events: VecDeque<Change>,
    /// Records that could not be read or held a word this build does not know.
    pub bad_records: u64,
}

impl LiveState {
    /// The exact topics are about to be read from their beginning (again).
    pub fn begin_load(&mut self) {
        self.load += 1;
    }

    /// They have been read: what was not among them is gone.
    pub fn end_load(&mut self) {
        for index in 0..self.nodes.len() {
            let node = &mut self.nodes[index];
            let stale_status = node.exact.is_some() && node.status_load != self.load;
            let stale_inventory = node.inventory.is_some() && node.inventory_load != self.load;
            if stale_status {
                node.exact = None;
            }
            if stale_inventory {
                node.inventory = None;
            }
            if stale_status || stale_inventory {
                self.refresh(as_index(index));
            }
        }
    }

    /// Takes in what a poll brought: fast records first, then exact ones, so that a row is not shown older in between.
    pub fn apply(&mut self, records: &[Stored], codec: &Codec, now: Micros) {
        for stored in records.iter().filter(|s| s.record.topic == Topic::DeviceEvents) {
            self.apply_event(stored, codec, now);
        }
        let mut marks: Vec<(Partition, RecordId)> = Vec::new();
        for stored in records {
            match stored.record.topic {
                Topic::DeviceStatus => {
                    self.apply_status(stored, codec);
                    if let Some(id) = &stored.record.headers.record_id {
                        marks.retain(|(p, _)| *p != stored.record.partition);
                        marks.push((stored.record.partition, id.clone()));
                    }
                }
                Topic::Inventory => self.apply_inventory(stored, codec),
                _ => {}
            }
        }
        for (partition, id) in marks {
            self.raise_mark(partition, id, now);
        }
        self.expire(now);
    }

    /// Drops fast rows whose time is over. `now` is the machine's clock, of which the log stamps its records.
    pub fn expire(&mut self, now: Micros) {
        let mut over = Vec::new();
        for queue in self.fast_rows.values_mut() {
            while queue
                .front()
                .is_some_and(|f| now.since(f.appended_at) >= FAST_ROW_US_MAX)
            {
                over.extend(queue.pop_front().map(|f| (f.node, f.id)));
            }
        }
        self.doubtful.retain(|(until, node, id)| {
            let ends = now >= *until;
            if ends {
                over.push((*node, id.clone()));
            }
            !ends
        });
        for (node, id) in over {
            self.drop_fast(node, &id);
        }
    }

    fn apply_event(&mut self, stored: &Stored, codec: &Codec, now: Micros) {
        let (Some(id), Some(value)) = (&stored.record.headers.record_id, &stored.record.value) else {
            return self.bad(stored, "a record without an id or a value");
        };
        if !self.filter.admits(stored) {
            return;
        }
        let event = match codec.decode(value) {
            Ok(AnyRecord::DeviceEvent(event)) => event,
            Ok(other) => return self.bad(stored, other.record_type().name()),
            Err(error) => return self.bad(stored, &error.to_string()),
        };
        let Ok(entity) = EntityId::parse(&event.entity) else {
            return self.bad(stored, "not an entity");
        };
        let node = self.node(&entity);
        if let Some(status) = &event.status {
            match StatusRow::of(status, &mut self.interner) {
                Some(row) => self.put_fast(stored, node, id, row, now),
                None => self.bad(stored, "a word of a newer build"),
            }
        }
        let change = self.event_change(node, &event, id);
        self.pending_events.push(change);
    }

    fn put_fast(&mut self, stored: &Stored, index: Index, id: &RecordId, row: StatusRow, now: Micros) {
        let passed = self
            .exact_marks
            .get(&stored.record.partition)
            .is_some_and(|mark| id <= mark);
        let node = &mut self.nodes[index as usize];
        let older = node.exact_position().is_some_and(|exact| exact > row.position);
        let over = now.since(stored.appended_at) >= FAST_ROW_US_MAX;
        if passed || older || over {
            return;
        }
        node.fast = Some(Box::new(FastRow { id: id.clone(), row }));
        let mark = FastMark {
            id: id.clone(),
            appended_at: stored.appended_at,
            node: index,
        };
        self.fast_rows
            .entry(stored.record.partition)
            .or_default()
            .push_back(mark);
        self.refresh(index);
    }

    fn apply_status(&mut self, stored: &Stored, codec: &Codec) {
        let Some(node) = self.node_of_key(stored) else {
            return self.bad(stored, "not an entity");
        };
        let row = match stored.record.value.as_deref().map(|v| codec.decode(v)) {
            None => None,
            Some(Ok(AnyRecord::DeviceStatus(status))) => match StatusRow::of(&status, &mut self.interner) {
                Some(row) => Some(Box::new(row)),
                None => return self.bad(stored, "a word of a newer build"),
            },
            Some(Ok(other)) => return self.bad(stored, other.record_type().name()),
            Some(Err(error)) => return self.bad(stored, &error.to_string()),
        };
        let load = self.load;
        let n = &mut self.nodes[node as usize];
        n.status_load = load;
        let caught_up = match (&n.fast, &row) {
            (Some(fast), Some(row)) => row.position >= fast.row.position,
            (Some(fast), None) => stored
                .record
                .headers
                .record_id
                .as_ref()
                .is_some_and(|id| *id >= fast.id),
            (None, _) => false,
        };
        if caught_up {
            n.fast = None;
        }
        n.exact = row;
        self.refresh(node);
    }

    fn apply_inventory(&mut self, stored: &Stored, codec: &Codec) {
        let Some(node) = self.node_of_key(stored) else {
            return self.bad(stored, "not an entity");
        };
        let row = match stored.record.value.as_deref().map(|v| codec.decode(v)) {
            None => None,
            Some(Ok(AnyRecord::InventoryEntry(entry))) => Some(Box::new(InventoryRow::of(entry, &mut self.interner))),
            Some(Ok(other)) => return self.bad(stored, other.record_type().name()),
            Some(Err(error)) => return self.bad(stored, &error.to_string()),
        };
        let load = self.load;
        let n = &mut self.nodes[node as usize];
        n.inventory_load = load;
        n.inventory = row;
        self.refresh(node);
    }

    /// The exact topic of a partition has come to `id`: fast rows not above it have had their exact row, or will not get
    /// one.
    fn raise_mark(&mut self, partition: Partition, id: RecordId, now: Micros) {
        let mark = self.exact_marks.entry(partition).or_insert_with(|| id.clone());
        if *mark < id {
            *mark = id;
        }
        let Some(queue) = self.fast_rows.get_mut(&partition) else {
            return;
        };
        while queue.front().is_some_and(|f| f.id <= *mark) {
            let Some(front) = queue.pop_front() else { break };
            let held = self.nodes[front.node as usize]
                .fast
                .as_ref()
                .is_some_and(|f| f.id == front.id);
            if held {
                self.doubtful.push((now.plus(FAST_ROW_GRACE_US), front.node, front.id));
            }
        }
    }

    fn drop_fast(&mut self, index: Index, id: &RecordId) {
        let node = &mut self.nodes[index as usize];
        if node.fast.as_ref().is_some_and(|f| f.id == *id) {
            node.fast = None;
            self.refresh(index);
        }
    }

    fn bad(&mut self, stored: &Stored, problem: &str) {
        self.bad_records += 1;
        metrics::counter!(crate::metrics_names::LIVE_BAD_RECORDS).increment(1);
        let (topic, partition, offset) = (stored.record.topic, stored.record.partition, stored.offset);
        if self.bad_records.is_power_of_two() {
            let count = self.bad_records;
            tracing::warn!(%topic, partition, offset, problem, count, "the live view skips a record it cannot read");
        }
    }

    fn node_of_key(&mut self, stored: &Stored) -> Option<Index> {
        let key = std::str::from_utf8(&stored.record.key).ok()?;
        if let Some(&known) = self.by_id.get(key) {
            return Some(known);
        }
        EntityId::parse(key).ok().map(|id| self.node(&id))
    }

    /// The number of an entity that is already known.
    pub fn find(&self, entity: &str) -> Option<Index> {
        self.by_id.get(entity).copied()
    }

    /// The number of an entity, new with everything above it, or known.
    fn node(&mut self, id: &EntityId) -> Index {
        if let Some(&known) = self.by_id.get(id.as_str()) {
            return known;
        }
        let root_text = id.root_str();
        let root = (root_text != id.as_str()).then(|| self.node(&id.root().entity()));
        let parent = id.parent().map(|p| self.node(&p));
        let tenant = self.interner.intern(root_text.split('/').next().unwrap_or_default());
        let index = as_index(self.nodes.len());
        let text: Arc<str> = id.as_str().into();
        self.by_id.insert(text.clone(), index);
        self.sorted.insert(sort_key(id).into(), index);
        self.nodes
            .push(Node::new(text, id.kind(), tenant, root.unwrap_or(index), parent));
        if let Some(parent) = parent {
            self.nodes[parent as usize].children.push(index);
        }
        index
    }

    /// The site of an entity: its own, or its root's.
    pub(super) fn site_of(&self, node: &Node) -> Option<Sym> {
        node.own_site().or_else(|| self.nodes[node.root as usize].own_site())
    }

    /// Brings counters, indexes and the list of changed items up to an entity whose rows have changed.
    fn refresh(&mut self, index: Index) {
        self.index_texts(index);
        let node = &self.nodes[index as usize];
        let before = node.counted;
        let after = node.share().map(|share| (share, self.site_of(node)));
        let (tenant, parent, is_root) = (node.tenant, node.parent, node.root == index);
        self.mark_dirty(index);
        if before == after {
            return;
        }
        self.nodes[index as usize].counted = after;
        for (change, sign) in [(before, -1), (after, 1)] {
            if let Some((share, site)) = change {
                self.count(tenant, parent, share, site, sign);
            }
        }
        self.tell_parent(parent, i32::from(after.is_some()) - i32::from(before.is_some()));
        let moved = before.map(|b| b.1) != after.map(|a| a.1);
        if is_root && moved {
            self.refresh_below(index);
        }
    }

    fn count(&mut self, tenant: Sym, parent: Option<Index>, share: Share, site: Option<Sym>, sign: i32) {
        for scope in [Some((tenant, None)), site.map(|s| (tenant, Some(s)))]
            .into_iter()
            .flatten()
        {
            self.totals.entry(scope).or_default().apply(share, sign);
            if !self.dirty_totals.contains(&scope) {
                self.dirty_totals.push(scope);
            }
        }
        if share.kind != Kind::Onu {
            return;
        }
        let mut above = parent;
        while let Some(index) = above {
            let node = &mut self.nodes[index as usize];
            if let Some(counts) = &mut node.counts {
                counts.apply(share, sign);
            }
            above = node.parent;
            self.mark_dirty(index);
        }
    }

    /// A child has come into being, or gone: what is above it may have, too.
    fn tell_parent(&mut self, parent: Option<Index>, difference: i32) {
        let (Some(index), true) = (parent, difference != 0) else {
            return;
        };
        let node = &mut self.nodes[index as usize];
        let shown = node.shown_children.checked_add_signed(difference);
        node.shown_children = shown.expect("a child goes only if it has come");
        self.refresh(index);
    }

    /// The root's site has changed: what has no site of its own moves with it.
    fn refresh_below(&mut self, index: Index) {
        for child in self.nodes[index as usize].children.clone() {
            self.refresh(child);
            self.refresh_below(child);
        }
    }

    fn mark_dirty(&mut self, index: Index) {
        let node = &mut self.nodes[index as usize];
        if !node.dirty {
            node.dirty = true;
            self.dirty.push(index);
        }
    }

    /// Keeps the ways to find an entity (serial, name, words) with its rows.
    fn index_texts(&mut self, index: Index) {
        let node = &self.nodes[index as usize];
        let tenant = self.interner.text(node.tenant).clone();
        let serial = node.serial().map(|s| scoped(&tenant, &serial_key(s)));
        let name = node.name().map(|n| scoped(&tenant, &n.to_lowercase()));
        let words = [node.name(), node.serial(), node.description(), Some(&*node.id)];
        let search = words
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join("\n")
            .to_lowercase();
        let node = &mut self.nodes[index as usize];
        if *node.search != *search {
            node.search = search.into();
        }
        if node.serial_key != serial {
            let old = std::mem::replace(&mut node.serial_key, serial.clone());
            move_key(&mut self.by_serial, old, serial, index);
        }
        let node = &mut self.nodes[index as usize];
        if node.name_key != name {
            let old = std::mem::replace(&mut node.name_key, name.clone());
            move_key(&mut self.by_name, old, name, index);
        }
    }

    fn event_change(&self, index: Index, event: &DeviceEvent, id: &RecordId) -> Change {
        let node = &self.nodes[index as usize];
        let site = self.site_of(node).map(|s| self.interner.text(s).clone());
        let json = self.event_json(node, site.as_deref(), event, id);
        Change {
            seq: 0,
            what: What::Event,
            tenant: node.tenant,
            node: index,
            root: node.root,
            parent: node.parent,
            site,
            kind: node.kind,
            state: event.state.as_deref().and_then(|s| s.parse().ok()),
            id: Some(id.clone()),
            entity: node.id.clone(),
            json: json.into(),
        }
    }

    /// What has changed since the last call, in the order in which it is to be published: states, then events.
    pub fn drain(&mut self) -> Vec<Change> {
        let dirty = std::mem::take(&mut self.dirty);
        let mut changes = Vec::with_capacity(dirty.len() + self.dirty_totals.len() + self.pending_events.len());
        for index in dirty {
            self.nodes[index as usize].dirty = false;
            changes.push(self.entity_change(index));
        }
        for (tenant, site) in std::mem::take(&mut self.dirty_totals) {
            changes.push(self.summary_change(tenant, site));
        }
        changes.append(&mut self.pending_events);
        changes
    }

    /// Whether there is something to publish.
    pub fn has_changes(&self) -> bool {
        !self.dirty.is_empty() || !self.pending_events.is_empty() || !self.dirty_totals.is_empty()
    }

    /// Keeps a published event for later snapshots.
    pub fn remember(&mut self, event: &Change) {
        if self.recent_events.len() == RECENT_EVENTS_MAX {
            self.recent_events.pop_front();
        }
        self.recent_events.push_back(event.clone());
    }
}

/// The key under which a serial is found: any written form of a GPON serial is one; other serials as they are.
pub(super) fn serial_key(serial: &str) -> String {
    Serial::parse(serial).map_or_else(|_| serial.trim().to_uppercase(), |s| s.hex())
}

/// A key within a tenant.
pub(super) fn scoped(tenant: &str, key: &str) -> Box<str> {
    format!("{tenant}/{key}").into()
}

fn move_key(
    map: &mut HashMap<Box<str>, Vec<Index>, FastHash>,
    old: Option<Box<str>>,
    new: Option<Box<str>>,
    index: Index,
) {
    if let Some(old) = old
        && let Some(list) = map.get_mut(&old)
    {
        list.retain(|&i| i != index);
        if list.is_empty() {
            map.remove(&old);
        }
    }
    if let Some(new) = new {
        map.entry(new).or_default().push(index);
    }
}

fn as_index(number: usize) -> Index {
    Index::try_from(number).expect("fewer than 2^32 entities")
}
