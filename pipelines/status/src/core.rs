//! The decisions, one function for each kind of input.

use std::collections::BTreeMap;

use bytes::Bytes;
use model::{EntityId, Severity, State};
use runtime::{Change, Now, Out, Reason, Verdict};
use schemas::network::{Effect, Happening, NetworkEvent, Registration, Seen, Sighting};
use schemas::{DeviceEvent, DeviceEventType, DeviceStatus, Phase};
use topology::Topic;

use crate::signs::{Noted, Taken, raw_word};
use crate::slot::Slot;

/// Our name of a root's first word after silence.
const REACHABLE: &str = "reachable";
/// Our name of a registration.
const REGISTERED: &str = "registered";
/// Our name of a registration that says something else than the one before.
const REGISTRATION_CHANGED: &str = "registration_changed";
/// Our name of a removal.
const REMOVED: &str = "removed";

/// A root spoke.
pub fn heard(before: Option<&Slot>, sighting: &Sighting, now: &Now, out: &mut Out<NetworkEvent>) -> Verdict<Slot> {
    let settled = |slot: &Slot| slot.told.state == State::Reachable && slot.first_trap_at.is_some();
    if before.is_some_and(settled) {
        return Verdict::keep(Reason::Absorbed("known"));
    }
    let mut turn = Turn::new(before, &sighting.entity, &sighting.seen, now, out);
    turn.slot.first_trap_at = turn.slot.first_trap_at.or(Some(sighting.seen.received_at));
    turn.note(Effect::State(State::Reachable), Phase::Event, &sighting.seen);
    let reached = turn.slot.told.state != before.map_or(State::Unknown, |slot| slot.told.state);
    turn.end(reached.then(|| Said::of(REACHABLE, &sighting.seen)), REACHABLE)
}

/// Something below it was seen.
pub fn exists(before: Option<&Slot>, sighting: &Sighting, now: &Now, out: &mut Out<NetworkEvent>) -> Verdict<Slot> {
    if before.is_some() {
        return Verdict::keep(Reason::Absorbed("known"));
    }
    Turn::new(before, &sighting.entity, &sighting.seen, now, out).end(None, "sighted")
}

/// Something happened to it.
pub fn happened(before: Option<&Slot>, happening: &Happening, now: &Now, out: &mut Out<NetworkEvent>) -> Verdict<Slot> {
    let seen = &happening.seen;
    let again = |fingerprint| before.is_some_and(|slot| slot.has_taken(fingerprint, seen.received_at));
    if happening.fingerprint.is_some_and(again) {
        return Verdict::keep(Reason::Filtered("resent"));
    }
    let mut turn = Turn::new(before, &happening.entity, seen, now, out);
    if let Some(fingerprint) = happening.fingerprint {
        turn.slot.take(fingerprint, seen.received_at, &happening.entity);
    }
    turn.slot
        .facts
        .sighted(happening.serial, happening.model.as_deref(), seen);
    let taken = turn.note(happening.effect, happening.phase, seen);
    let late = matches!(taken, Taken::Late | Taken::TooLate);
    let said = Said {
        event: &happening.event,
        phase: happening.phase,
        severity: happening.severity,
        trap_oid: happening.trap_oid.as_deref(),
        detail: Some(&happening.detail),
        late,
        seen,
    };
    turn.end(Some(said), if late { "happened_late" } else { "happened" })
}

/// A freshness probe came through: told by the exact way, which waits for the fast one, and not remembered. Nobody orders its rows by write
/// time, so it needs no slot to keep one.
pub fn probed(probe: &Happening, now: &Now, out: &mut Out<NetworkEvent>) -> Verdict<Slot> {
    let seen = &probe.seen;
    let row = Slot::new(seen).status(&probe.entity, now, seen.received_at);
    let name = probe.detail.get(schemas::probe::LISTENER).cloned();
    let key = Bytes::copy_from_slice(probe.entity.as_str().as_bytes());
    out.record(Topic::DeviceStatus, key, DeviceStatus { name, ..row });
    Verdict::keep(Reason::Did("probed"))
}

/// Somebody says that it exists, or no longer does.
pub fn registered(before: Option<&Slot>, said: &Registration, now: &Now, out: &mut Out<NetworkEvent>) -> Verdict<Slot> {
    if said.removed {
        return removed(before, said, now, out);
    }
    let mut turn = Turn::new(before, &said.entity, &said.seen, now, out);
    turn.slot.facts.register(said);
    let event = match before {
        Some(slot) if slot.facts.installed_at.is_some() => REGISTRATION_CHANGED,
        _ => REGISTERED,
    };
    if before.is_some_and(|slot| slot.facts.reads_like(&turn.slot.facts)) {
        return turn.end(None, "sighted");
    }
    turn.end(Some(Said::of(event, &said.seen)), event)
}

fn removed(before: Option<&Slot>, said: &Registration, now: &Now, out: &mut Out<NetworkEvent>) -> Verdict<Slot> {
    let Some(slot) = before else {
        return Verdict::keep(Reason::Absorbed("not_there"));
    };
    if slot.facts.registered_at.is_some_and(|at| said.seen.observed_at < at) {
        return Verdict::keep(Reason::Absorbed("registered_since"));
    }
    let turn = Turn::new(before, &said.entity, &said.seen, now, out);
    let event = turn.event(&Said::of(REMOVED, &said.seen));
    let key = turn.key();
    turn.out.record(Topic::DeviceEvents, key.clone(), event);
    turn.out.tombstone(Topic::DeviceStatus, key.clone());
    turn.out.tombstone(Topic::Inventory, key);
    Verdict {
        change: Change::Delete,
        reason: Reason::Did(REMOVED),
    }
}

/// What an event says beside the status.
struct Said<'a> {
    event: &'a str,
    phase: Phase,
    severity: Option<Severity>,
    trap_oid: Option<&'a str>,
    detail: Option<&'a BTreeMap<String, String>>,
    /// Something newer of its kind was known already.
    late: bool,
    seen: &'a Seen,
}

impl<'a> Said<'a> {
    fn of(event: &'a str, seen: &'a Seen) -> Self {
        Self {
            event,
            phase: Phase::Event,
            severity: None,
            trap_oid: None,
            detail: None,
            late: false,
            seen,
        }
    }
}

/// One call: the slot before, the slot being changed, and where outputs go.
struct Turn<'a> {
    before: Option<&'a Slot>,
    slot: Slot,
    entity: &'a EntityId,
    now: &'a Now,
    out: &'a mut Out<NetworkEvent>,
}

impl<'a> Turn<'a> {
    fn new(
        before: Option<&'a Slot>,
        entity: &'a EntityId,
        seen: &Seen,
        now: &'a Now,
        out: &'a mut Out<NetworkEvent>,
    ) -> Self {
        Self {
            before,
            slot: before.cloned().unwrap_or_else(|| Slot::new(seen)),
            entity,
            now,
            out,
        }
    }

    /// Takes note of a sign and concludes.
    fn note(&mut self, effect: Effect, phase: Phase, seen: &Seen) -> Taken {
        let noted = Noted {
            seen: *seen,
            offset: self.now.position.offset,
        };
        let taken = self.slot.signs.note(effect, phase, noted);
        if matches!(taken, Taken::Newest | Taken::Late) {
            self.slot.conclude(self.entity, &noted);
        }
        taken
    }

    /// Writes what changed, with the event first if there is one: one edge is one event and one status.
    fn end(self, said: Option<Said<'_>>, word: &'static str) -> Verdict<Slot> {
        let status_changed = self.before.is_none_or(|before| !before.status_reads_like(&self.slot));
        let facts_changed = self
            .before
            .is_none_or(|before| !before.facts.same_entry(&self.slot.facts));
        let key = self.key();
        let event = said.map(|said| self.event(&said));
        let nothing_said = event.is_none() && !status_changed && !facts_changed;
        let status = status_changed.then(|| self.slot.status(self.entity, self.now, self.out.write_time()));
        if let Some(mut event) = event {
            event.status.clone_from(&status);
            self.out.record(Topic::DeviceEvents, key.clone(), event);
        }
        if let Some(status) = status {
            self.out.record(Topic::DeviceStatus, key.clone(), status);
        }
        if facts_changed {
            let entry = self.slot.inventory(self.entity, self.now, self.out.write_time());
            self.out.record(Topic::Inventory, key, entry);
        }
        let reason = if nothing_said {
            Reason::Absorbed("known")
        } else {
            Reason::Did(word)
        };
        if self.before == Some(&self.slot) {
            Verdict::keep(reason)
        } else {
            Verdict::put(self.slot, reason)
        }
    }

    fn event(&self, said: &Said<'_>) -> DeviceEvent {
        let told = &self.slot.told;
        let previous = self.before.map_or(State::Unknown, |slot| slot.told.state);
        let state_changed = told.state != previous;
        let cause_changed = self
            .before
            .is_some_and(|slot| (slot.told.cause, slot.told.by) != (told.cause, told.by));
        let cause_told = state_changed || cause_changed;
        let mut detail = said.detail.cloned().unwrap_or_default();
        if said.late {
            detail.insert("late".to_owned(), "true".to_owned());
        }
        DeviceEvent {
            entity: self.entity.to_string(),
            root: self.entity.root_str().to_owned(),
            kind: self.entity.kind().as_str().to_owned(),
            event_type: match told.state {
                state if !state_changed || state == State::Unknown => DeviceEventType::DeviceAlarm,
                state if state.is_out() => DeviceEventType::DeviceDisconnected,
                _ => DeviceEventType::DeviceConnected,
            },
            event: said.event.to_owned(),
            phase: said.phase,
            severity: said.severity.map(|s| s.as_str().to_owned()),
            trap_oid: said.trap_oid.map(str::to_owned),
            source: Some(said.seen.source.as_str().to_owned()),
            at: said.seen.observed_at,
            received_at: said.seen.received_at,
            state: state_changed.then(|| told.state.as_str().to_owned()),
            previous: state_changed.then(|| previous.as_str().to_owned()),
            cause: told.cause.filter(|_| cause_told).map(|c| c.as_str().to_owned()),
            cause_raw: told.by.filter(|_| cause_told).map(|f| raw_word(f).to_owned()),
            serial: self
                .slot
                .facts
                .serial
                .as_ref()
                .map(|s| s.text.clone())
                .filter(|s| !s.is_empty()),
            detail,
            position: self.now.position.into(),
            status: None,
        }
    }

    fn key(&self) -> Bytes {
        Bytes::copy_from_slice(self.entity.as_str().as_bytes())
    }
}
