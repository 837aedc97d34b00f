//! How a record changes the live view.
//!
//! Rules, per key: the last exact row and at most one fast row above it. The fast row goes
//! - when the exact row has caught up with it, or an exact record of its partition has an id not lower and a second has
//!   passed (that second bridges a commit read in two halves, so that nobody sees an older state in between);
//! - 60 s after it was appended, whatever came.
//!
//! A fast row whose id is not above the highest exact id of its partition is history: it never counts. Tombstones carry a
//! record id too and raise that mark, so a late fast row cannot bring a deleted entity back.

use log::Stored;
use model::{EntityId, Micros, Partition, RecordId, RootKind};
use schemas::{AnyRecord, Codec};
use topology::Topic;

use super::node::{FastRow, Index};
use super::row::{InventoryRow, StatusRow};
use super::state::{FastMark, LiveState};

/// A fast row that no exact record has confirmed goes after this time (design: 60 s).
pub const FAST_ROW_US_MAX: i64 = 60 * Micros::SECOND;
/// How long a fast row stays when its partition has passed it but its own exact row has not been read.
const FAST_ROW_GRACE_US: i64 = Micros::SECOND;

impl LiveState {
    /// Takes in what a poll brought: fast records first, then exact ones, so that a row is not shown older in between.
    pub fn apply(&mut self, records: &[Stored], codec: &Codec, now: Micros) {
        for stored in records.iter().filter(|s| s.record.topic == Topic::DeviceEvents) {
            self.apply_event(stored, codec, now);
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
}

/// Whether a key is `TENANT/probe/…`.
fn is_probe(key: &[u8]) -> bool {
    key.split(|b| *b == b'/').nth(1) == Some(RootKind::Probe.as_str().as_bytes())
}
