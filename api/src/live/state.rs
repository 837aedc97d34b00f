//! The live view's state: the compacted topics in memory, moved ahead by the fast one (the rules of that: `apply.rs`).

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use hashbrown::HashMap;
use log::{IdFilter, Stored};
use model::{EntityId, Kind, RecordId, Serial};
use schemas::DeviceEvent;

use super::alarms::{Alarms, Incidents};
use super::change::{Change, What};
use super::counts::{Share, Totals};
use super::fast::FastRows;
use super::node::{Index, Node, sort_key};
use super::row::{Interner, Sym};
use super::system::System;
use super::text::fold;

/// Events kept for the snapshot of an `events` or `entity` subscription.
pub const RECENT_EVENTS_MAX: usize = 5_000;

type FastHash = foldhash::fast::RandomState;

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
    /// Rows of `device-events` above those of `device-status`.
    pub(super) fast: FastRows,
    pub(super) alarms: Alarms,
    pub(super) incidents: Incidents,
    pub(super) filter: IdFilter,
    pub(super) load: u32,
    dirty: Vec<Index>,
    dirty_totals: Vec<(Sym, Option<Sym>)>,
    pub(super) pending_events: Vec<Change>,
    pub(super) recent_events: VecDeque<Change>,
    /// The pipeline itself.
    pub system: System,
    /// Records that could not be read or held a word this build does not know.
    pub bad_records: u64,
}

impl LiveState {
    /// The exact topics are about to be read from their beginning (again).
    pub fn begin_load(&mut self) {
        self.load += 1;
        self.system.replaying(true);
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
        self.end_alarm_load();
    }

    pub(super) fn node_of_key(&mut self, stored: &Stored) -> Option<Index> {
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
    pub(super) fn node(&mut self, id: &EntityId) -> Index {
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
    pub(super) fn refresh(&mut self, index: Index) {
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
        let search = fold(&words.into_iter().flatten().collect::<Vec<_>>().join("\n"));
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

    pub(super) fn event_change(&self, index: Index, event: &DeviceEvent, id: &RecordId) -> Change {
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
            number: index,
            alarm: None,
            subject: None,
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
        if self.system.take_changed() {
            changes.extend(self.system_change());
        }
        self.drain_alarms(&mut changes);
        changes.append(&mut self.pending_events);
        changes
    }

    /// Whether there is something to publish.
    pub fn has_changes(&self) -> bool {
        !self.dirty.is_empty()
            || !self.pending_events.is_empty()
            || !self.dirty_totals.is_empty()
            || self.system.has_changed()
            || self.alarms.has_changes()
            || self.incidents.has_changes()
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
