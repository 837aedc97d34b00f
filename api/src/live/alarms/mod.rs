//! Alarms and incidents in the live view: those that stand, and for a while those that have ended.
//!
//! Alarms follow the rules of `apply.rs` (exact `alarms`, moved ahead by fast `alarm-transitions`); incidents have an exact topic
//! alone.

mod board;
mod counts;
pub mod items;
mod query;
#[cfg(test)]
mod tests;

use log::Stored;
use model::{EntityId, Micros, Partition, Position, RecordId};
use schemas::{Alarm, AnyRecord, Codec, Incident};

pub use counts::{AlarmCounts, CountsItem};
pub use query::{AlarmNarrow, IncidentNarrow};

use self::board::{Board, ENDED_KEPT_US, Entry, Gone, Place, Slot};
use self::counts::Counters;
use self::items::{AlarmItem, GoneItem, IncidentItem};
use super::change::{AlarmFacts, Change, Visibility, What};
use super::fast::FastRows;
use super::items::json;
use super::state::LiveState;
use crate::time::now;

/// Every alarm that stands.
#[derive(Default)]
pub struct Alarms {
    board: Board<Alarm>,
    fast: FastRows,
    counters: Counters,
}

/// Every incident that is not closed.
#[derive(Default)]
pub struct Incidents {
    board: Board<Incident>,
}

impl Entry for Alarm {
    fn id(&self) -> &str {
        &self.alarm_id
    }

    fn entity(&self) -> &str {
        &self.entity
    }

    fn began_at(&self) -> Micros {
        self.raised_at
    }

    fn is_over(&self) -> bool {
        self.condition == "cleared"
    }

    fn changed_at(&self) -> Micros {
        self.changed_at
    }

    fn position(&self) -> Position {
        self.position.position()
    }
}

impl Entry for Incident {
    fn id(&self) -> &str {
        &self.incident_id
    }

    fn entity(&self) -> &str {
        &self.entity
    }

    fn began_at(&self) -> Micros {
        self.began_at
    }

    fn is_over(&self) -> bool {
        self.state == "closed"
    }

    fn changed_at(&self) -> Micros {
        self.changed_at
    }

    fn position(&self) -> Position {
        self.position.position()
    }
}

impl Alarms {
    /// Whether there is something to publish.
    pub fn has_changes(&self) -> bool {
        self.board.has_changes()
    }

    /// Brings lists and counters up to an alarm whose rows have changed.
    fn refresh(&mut self, number: u32, now: Micros) {
        self.board.refresh(number, now);
        let slot = self.board.get(number);
        let row = slot.and_then(|slot| Some((slot.place, slot.row()?)));
        self.counters.count(number, row.map(|(place, row)| (place, &**row)));
    }
}

impl Incidents {
    /// Whether there is something to publish.
    pub fn has_changes(&self) -> bool {
        self.board.has_changes()
    }
}

impl LiveState {
    pub(super) fn apply_transition(&mut self, stored: &Stored, codec: &Codec, now: Micros) {
        let (Some(id), Some(value)) = (&stored.record.headers.record_id, &stored.record.value) else {
            return self.bad(stored, "a record without an id or a value");
        };
        if !self.filter.admits(stored) {
            return;
        }
        let transition = match codec.decode(value) {
            Ok(AnyRecord::AlarmTransition(transition)) => transition,
            Ok(other) => return self.bad(stored, other.record_type().name()),
            Err(error) => return self.bad(stored, &error.to_string()),
        };
        // An act that was refused, of an alarm that nobody knows.
        let Some(alarm) = transition.alarm else { return };
        let partition = stored.record.partition;
        if self.alarms.fast.is_history(partition, id, stored.appended_at, now) {
            return;
        }
        let Some(place) = self.place(&alarm.entity) else {
            return self.bad(stored, "not an entity");
        };
        let known = self.alarms.board.find(&alarm.alarm_id);
        let exact = known.and_then(|n| self.alarms.board.get(n)?.exact.as_ref());
        if exact.is_some_and(|exact| exact.position.position() > alarm.position.position()) {
            return;
        }
        let number = self.alarms.board.number(&alarm.alarm_id, place);
        if let Some(slot) = self.alarms.board.get_mut(number) {
            slot.fast = Some((id.clone(), alarm.into()));
        }
        self.alarms.fast.hold(partition, id, stored.appended_at, number);
        self.alarms.refresh(number, now);
    }

    pub(super) fn apply_alarm(&mut self, stored: &Stored, codec: &Codec, now: Micros) {
        let row = match stored.record.value.as_deref().map(|v| codec.decode(v)) {
            None => None,
            Some(Ok(AnyRecord::Alarm(alarm))) => Some(alarm),
            Some(Ok(other)) => return self.bad(stored, other.record_type().name()),
            Some(Err(error)) => return self.bad(stored, &error.to_string()),
        };
        let id = stored.record.headers.record_id.as_ref();
        if let Some(number) = self.exact_number(stored, row.as_ref(), |state| &mut state.alarms.board, now) {
            let load = self.load;
            let slot = self.alarms.board.get_mut(number);
            if slot.is_some_and(|slot| put_exact(slot, row, id, load)) {
                self.alarms.refresh(number, now);
            }
        }
        if let Some(id) = id {
            self.raise_alarm_mark(stored.record.partition, id.clone(), now);
        }
    }

    pub(super) fn apply_incident(&mut self, stored: &Stored, codec: &Codec, now: Micros) {
        let row = match stored.record.value.as_deref().map(|v| codec.decode(v)) {
            None => None,
            Some(Ok(AnyRecord::Incident(incident))) => Some(incident),
            Some(Ok(other)) => return self.bad(stored, other.record_type().name()),
            Some(Err(error)) => return self.bad(stored, &error.to_string()),
        };
        let Some(number) = self.exact_number(stored, row.as_ref(), |state| &mut state.incidents.board, now) else {
            return;
        };
        let load = self.load;
        let slot = self.incidents.board.get_mut(number);
        if slot.is_some_and(|slot| put_exact(slot, row, None, load)) {
            self.incidents.board.refresh(number, now);
        }
    }

    /// The number of what an exact record is about; `None` where there is nothing to keep: a tombstone of what is not here, or one that
    /// ended long ago.
    fn exact_number<R: Entry>(
        &mut self,
        stored: &Stored,
        row: Option<&R>,
        board: impl Fn(&mut Self) -> &mut Board<R>,
        now: Micros,
    ) -> Option<u32> {
        let Some(row) = row else {
            return board(self).find(std::str::from_utf8(&stored.record.key).ok()?);
        };
        if let Some(known) = board(self).find(row.id()) {
            return Some(known);
        }
        if row.is_over() && now.since(row.changed_at()) >= ENDED_KEPT_US {
            return None;
        }
        let Some(place) = self.place(row.entity()) else {
            self.bad(stored, "not an entity");
            return None;
        };
        Some(board(self).number(row.id(), place))
    }

    fn raise_alarm_mark(&mut self, partition: Partition, id: RecordId, now: Micros) {
        let Alarms { board, fast, .. } = &mut self.alarms;
        let is_held = |number: u32, id: &RecordId| {
            let held = board.get(number).and_then(|slot| slot.fast.as_ref());
            held.is_some_and(|(held, _)| held == id)
        };
        fast.passed(partition, id, now, is_held);
    }

    fn place(&mut self, entity: &str) -> Option<Place> {
        let id = EntityId::parse(entity).ok()?;
        let node = self.node(&id);
        let known = &self.nodes[node as usize];
        Some(Place {
            tenant: known.tenant,
            node,
            root: known.root,
            kind: known.kind,
        })
    }

    pub(super) fn expire_alarms(&mut self, now: Micros) {
        for (number, id) in self.alarms.fast.over(now) {
            let slot = self.alarms.board.get_mut(number);
            let Some(slot) = slot.filter(|s| s.fast.as_ref().is_some_and(|(held, _)| *held == id)) else {
                continue;
            };
            slot.fast = None;
            self.alarms.refresh(number, now);
        }
        self.alarms.board.expire(now);
        self.incidents.board.expire(now);
    }

    pub(super) fn end_alarm_load(&mut self) {
        let (load, now) = (self.load, now());
        self.alarms.board.end_load(load, now);
        self.incidents.board.end_load(load, now);
        let Alarms { board, counters, .. } = &mut self.alarms;
        counters.retain(|number| board.get(number).is_some());
        for (_, number, slot) in board.list(None) {
            counters.count(number, slot.row().map(|row| (slot.place, &**row)));
        }
    }

    pub(super) fn drain_alarms(&mut self, changes: &mut Vec<Change>) {
        let (gone, dirty) = self.incidents.board.take_changes();
        changes.extend(gone.into_iter().map(|gone| {
            let json = json(&GoneItem::incident(&gone.id));
            self.gone_change(gone, What::IncidentGone, json)
        }));
        changes.extend(dirty.into_iter().filter_map(|number| self.incident_change(number)));
        let (gone, dirty) = self.alarms.board.take_changes();
        changes.extend(gone.into_iter().map(|gone| {
            let json = json(&GoneItem::alarm(&gone.id));
            self.gone_change(gone, What::AlarmGone, json)
        }));
        changes.extend(dirty.into_iter().filter_map(|number| self.alarm_change(number)));
        self.alarms.counters.tell();
    }

    fn alarm_change(&self, number: u32) -> Option<Change> {
        let slot = self.alarms.board.get(number)?;
        let row = slot.row()?;
        let facts = AlarmFacts {
            severity: row.severity.parse().ok(),
            visibility: Visibility::by_word(&row.visibility),
        };
        let mut change = self.slot_change(slot, number, What::Alarm, json(&AlarmItem::from(&**row)));
        (change.alarm, change.site) = (Some(facts), row.site.as_deref().map(Into::into));
        Some(change)
    }

    fn incident_change(&self, number: u32) -> Option<Change> {
        let slot = self.incidents.board.get(number)?;
        let row = slot.row()?;
        let mut change = self.slot_change(slot, number, What::Incident, json(&IncidentItem::from(&**row)));
        change.site = row.site.as_deref().map(Into::into);
        Some(change)
    }

    fn slot_change<R>(&self, slot: &Slot<R>, number: u32, what: What, json: String) -> Change {
        let gone = Gone {
            number,
            id: slot.id.clone(),
            place: slot.place,
        };
        self.gone_change(gone, what, json)
    }

    fn gone_change(&self, of: Gone, what: What, json: String) -> Change {
        Change {
            seq: 0,
            what,
            tenant: of.place.tenant,
            node: of.place.node,
            root: of.place.root,
            parent: None,
            site: None,
            kind: of.place.kind,
            state: None,
            number: of.number,
            alarm: None,
            subject: Some(of.id),
            id: None,
            entity: self.nodes[of.place.node as usize].id.clone(),
            json: json.into(),
        }
    }
}

/// Puts an exact row, or a tombstone, below or instead of the fast one. Answers whether another row is shown now: mostly the fast one
/// has said it already, and nobody is told twice.
fn put_exact<R: Entry + PartialEq>(slot: &mut Slot<R>, row: Option<R>, id: Option<&RecordId>, load: u32) -> bool {
    let before = slot.row().cloned();
    let caught_up = match (&slot.fast, &row) {
        (Some((_, fast)), Some(row)) => row.position() >= fast.position(),
        (Some((held, _)), None) => id.is_some_and(|id| id >= held),
        (None, _) => false,
    };
    if caught_up {
        slot.fast = None;
    }
    slot.exact = row.map(Into::into);
    slot.load = load;
    before.is_none() || before.as_deref() != slot.row().map(|row| &**row)
}
