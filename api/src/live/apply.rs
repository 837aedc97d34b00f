//! How a record changes the live view.
//!
//! Rules, per key: the last exact row and at most one fast row above it, which goes when the exact row has caught up with it, or when
//! `fast.rs` says so. Tombstones carry a record id too and raise the mark of their partition, so a late fast row cannot bring a deleted
//! entity back.

use log::Stored;
use model::{EntityId, Micros, Partition, RecordId, RootKind};
use schemas::{AnyRecord, Codec};
use topology::Topic;

use super::node::{FastRow, Index};
use super::row::{InventoryRow, StatusRow};
use super::state::LiveState;

impl LiveState {
    /// Takes in what a poll brought: fast records first, then exact ones, so that a row is not shown older in between.
    pub fn apply(&mut self, records: &[Stored], codec: &Codec, now: Micros) {
        for stored in records {
            match stored.record.topic {
                Topic::DeviceEvents => self.apply_event(stored, codec, now),
                Topic::AlarmTransitions => self.apply_transition(stored, codec, now),
                _ => {}
            }
        }
        let mut marks: Vec<(Partition, RecordId)> = Vec::new();
        for stored in records {
            match stored.record.topic {
                Topic::DeviceStatus => {
                    self.apply_status(stored, codec, now);
                    if let Some(id) = &stored.record.headers.record_id {
                        marks.retain(|(p, _)| *p != stored.record.partition);
                        marks.push((stored.record.partition, id.clone()));
                    }
                }
                Topic::Inventory => self.apply_inventory(stored, codec),
                Topic::Alarms => self.apply_alarm(stored, codec, now),
                Topic::Incidents => self.apply_incident(stored, codec, now),
                Topic::Ledger if !self.system.counted(stored, codec) => self.bad(stored, "not a row of the ledger"),
                _ => {}
            }
        }
        for (partition, id) in marks {
            self.raise_mark(partition, id, now);
        }
        self.expire(now);
        self.system.tick(now);
    }

    /// Drops fast rows whose time is over, and forgets what ended a while ago.
    pub fn expire(&mut self, now: Micros) {
        for (node, id) in self.fast.over(now) {
            self.drop_fast(node, &id);
        }
        self.expire_alarms(now);
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
        let partition = stored.record.partition;
        let history = self.fast.is_history(partition, id, stored.appended_at, now);
        let node = &mut self.nodes[index as usize];
        let older = node.exact_position().is_some_and(|exact| exact > row.position);
        if history || older {
            return;
        }
        node.fast = Some(Box::new(FastRow { id: id.clone(), row }));
        self.fast.hold(partition, id, stored.appended_at, index);
        self.refresh(index);
    }

    fn apply_status(&mut self, stored: &Stored, codec: &Codec, now: Micros) {
        if is_probe(&stored.record.key) {
            return self.apply_probe(stored, codec, now);
        }
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

    /// A probe is no entity: only that it came is of use.
    fn apply_probe(&mut self, stored: &Stored, codec: &Codec, now: Micros) {
        match stored.record.value.as_deref().map(|v| codec.decode(v)) {
            None => {}
            Some(Ok(AnyRecord::DeviceStatus(row))) => self.system.probed(&row, now),
            Some(_) => self.bad(stored, "not the row of a probe"),
        }
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

    fn raise_mark(&mut self, partition: Partition, id: RecordId, now: Micros) {
        let nodes = &self.nodes;
        let is_held = |node: u32, id: &RecordId| nodes[node as usize].fast.as_ref().is_some_and(|f| f.id == *id);
        self.fast.passed(partition, id, now, is_held);
    }

    fn drop_fast(&mut self, index: Index, id: &RecordId) {
        let node = &mut self.nodes[index as usize];
        if node.fast.as_ref().is_some_and(|f| f.id == *id) {
            node.fast = None;
            self.refresh(index);
        }
    }

    pub(super) fn bad(&mut self, stored: &Stored, problem: &str) {
        self.bad_records += 1;
        metrics::counter!(crate::metrics_names::LIVE_BAD_RECORDS).increment(1);
        let (topic, partition, offset) = (stored.record.topic, stored.record.partition, stored.offset);
        if self.bad_records.is_power_of_two() {
            let count = self.bad_records;
            tracing::warn!(%topic, partition, offset, problem, count, "the live view skips a record it cannot read");
        }
    }
}

/// Whether a key is `TENANT/probe/…`.
fn is_probe(key: &[u8]) -> bool {
    key.split(|b| *b == b'/').nth(1) == Some(RootKind::Probe.as_str().as_bytes())
}
