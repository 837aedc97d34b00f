//! The decisions, one function for each kind of input.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use model::{Cause, EntityId, Severity, State};
use runtime::{Change, Now, Out, Reason, Verdict};
use schemas::network::{Effect, Happening, NetworkEvent, Registration, Seen, Sighting, StatusNews};
use schemas::{DeviceEventType, DeviceEventView, DeviceStatusView, Phase};
use topology::Topic;

use crate::facts::text;
use crate::signs::{Noted, Signs, Taken};
use crate::slot::Slot;

/// What an event tells beside the status where nobody said more.
static NO_DETAIL: BTreeMap<String, String> = BTreeMap::new();

/// Our name of a root's first word after silence.
pub const REACHABLE: &str = "reachable";
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

/// Something below it was seen, or itself.
pub fn exists(before: Option<&Slot>, sighting: &Sighting, now: &Now, out: &mut Out<NetworkEvent>) -> Verdict<Slot> {
    if before.is_some_and(|slot| slot.hidden.is_none()) {
        return Verdict::keep(Reason::Absorbed("known"));
    }
    let mut turn = Turn::new(before, &sighting.entity, &sighting.seen, now, out);
    if before.is_some() {
        turn.note(Effect::Nothing, Phase::Event, &sighting.seen);
    }
    turn.end(None, "sighted")
}

/// What it is seen through does not answer.
pub fn unseen(before: Option<&Slot>, sighting: &Sighting, now: &Now, out: &mut Out<NetworkEvent>) -> Verdict<Slot> {
    let Some(slot) = before else {
        return Verdict::keep(Reason::Absorbed("not_there"));
    };
    if slot.hidden.is_some() {
        return Verdict::keep(Reason::Absorbed("known"));
    }
    let mut turn = Turn::new(before, &sighting.entity, &sighting.seen, now, out);
    turn.take_note(&sighting.seen, |signs, noted| {
        signs.note_unseen(noted);
        Taken::Newest
    });
    if turn.slot.hidden.is_none() {
        return Verdict::keep(Reason::Absorbed("seen_since"));
    }
    turn.end(None, "unseen")
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
    if happening.serial.is_some() || happening.model.is_some() {
        Arc::make_mut(&mut turn.slot.facts).sighted(happening.serial, happening.model.as_deref(), seen);
    }
    if let Some(at) = happening.read_at {
        turn.slot.signs.repeated(at);
    }
    let taken = turn.note(happening.effect, happening.phase, seen);
    let late = matches!(taken, Taken::Late | Taken::TooLate);
    let mut detail = Cow::Borrowed(&happening.detail);
    if late {
        detail.to_mut().insert("late".to_owned(), "true".to_owned());
    }
    let said = Said {
        event: &happening.event,
        phase: happening.phase,
        severity: happening.severity,
        trap_oid: happening.trap_oid.as_deref(),
        detail,
        seen,
    };
    turn.end(Some(said), if late { "happened_late" } else { "happened" })
}

/// A freshness probe came through: told by the exact way, which waits for the fast one, and not remembered. Nobody orders its rows by write
/// time, so it needs no slot to keep one.
pub fn probed(probe: &Happening, now: &Now, out: &mut Out<NetworkEvent>) -> Verdict<Slot> {
    let (slot, seen) = (Slot::new(&probe.seen), &probe.seen);
    let row = DeviceStatusView {
        name: probe.detail.get(schemas::probe::LISTENER).map(String::as_str),
        ..slot.status(&probe.entity, None, now, seen.received_at)
    };
    out.record(Topic::DeviceStatus, probe.entity.as_str(), row);
    Verdict::keep(Reason::Did("probed"))
}

/// Somebody says that it exists, or no longer does.
pub fn registered(before: Option<&Slot>, said: &Registration, now: &Now, out: &mut Out<NetworkEvent>) -> Verdict<Slot> {
    if said.removed {
        return removed(before, said, now, out);
    }
    let mut turn = Turn::new(before, &said.entity, &said.seen, now, out);
    Arc::make_mut(&mut turn.slot.facts).register(said);
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
    let Turn { slot, .. } = Turn::new(before, &said.entity, &said.seen, now, out);
    let told = Said::of(REMOVED, &said.seen);
    let key = said.entity.as_str();
    out.record(Topic::DeviceEvents, key, event(before, &slot, &said.entity, &told, now));
    out.tombstone(Topic::DeviceStatus, key);
    out.tombstone(Topic::Inventory, key);
    out.event(NetworkEvent::Status(Box::new(StatusNews {
        entity: said.entity.clone(),
        was: Some(slot.told.state),
        state: None,
        cause: None,
        since: said.seen.observed_at,
        observed_at: said.seen.observed_at,
        received_at: said.seen.received_at,
        about: None,
    })));
    Verdict {
        change: Change::Delete,
        reason: Reason::Did(REMOVED),
    }
}

/// What an event says beside the status.
pub struct Said<'a> {
    pub event: &'a str,
    pub phase: Phase,
    pub severity: Option<Severity>,
    pub trap_oid: Option<&'a str>,
    /// With `late`, if something newer of its kind was known already.
    pub detail: Cow<'a, BTreeMap<String, String>>,
    pub seen: &'a Seen,
}

impl<'a> Said<'a> {
    /// That it happened, and no more.
    pub fn of(event: &'a str, seen: &'a Seen) -> Self {
        Self {
            event,
            phase: Phase::Event,
            severity: None,
            trap_oid: None,
            detail: Cow::Borrowed(&NO_DETAIL),
            seen,
        }
    }
}

/// One call: the slot before, the slot being changed, and where outputs go.
pub struct Turn<'a> {
    before: Option<&'a Slot>,
    pub slot: Slot,
    pub entity: &'a EntityId,
    pub now: &'a Now,
    pub out: &'a mut Out<NetworkEvent>,
}

impl<'a> Turn<'a> {
    /// Begins with the slot as it was, or a new one.
    pub fn new(
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
    pub fn note(&mut self, effect: Effect, phase: Phase, seen: &Seen) -> Taken {
        self.take_note(seen, |signs, noted| signs.note(effect, phase, noted))
    }

    /// Takes note of something and concludes.
    pub fn take_note(&mut self, seen: &Seen, note: impl FnOnce(&mut Signs, Noted) -> Taken) -> Taken {
        let noted = Noted {
            seen: *seen,
            offset: self.now.position.offset,
        };
        let taken = note(&mut self.slot.signs, noted);
        // A word that says nothing about a state says that it is there.
        let is_lost = self.slot.hidden.is_some() || self.slot.told.state == State::Absent;
        if matches!(taken, Taken::Newest | Taken::Late) || (taken == Taken::Unheeded && is_lost) {
            self.slot.conclude(self.entity, &noted);
        }
        taken
    }

    /// Writes what changed, with the event first if there is one: one edge is one event and one status.
    pub fn end(self, said: Option<Said<'_>>, word: &'static str) -> Verdict<Slot> {
        let Self {
            before,
            slot,
            entity,
            now,
            out,
        } = self;
        let status_changed = before.is_none_or(|before| !before.status_reads_like(&slot));
        let facts_changed = before.is_none_or(|before| !before.facts.same_entry(&slot.facts));
        let nothing_said = said.is_none() && !status_changed && !facts_changed;
        let above = if status_changed || facts_changed {
            entity.parent()
        } else {
            None
        };
        let key = entity.as_str();
        let status = status_changed.then(|| slot.status(entity, above.as_ref(), now, out.write_time()));
        if let Some(said) = said {
            let event = DeviceEventView {
                status,
                ..event(before, &slot, entity, &said, now)
            };
            out.record(Topic::DeviceEvents, key, event);
        }
        if let Some(status) = status {
            out.record(Topic::DeviceStatus, key, status);
        }
        if facts_changed {
            let wts = out.write_time();
            out.record(Topic::Inventory, key, slot.inventory(entity, above.as_ref(), now, wts));
        }
        if let Some(news) = news(before, &slot, entity) {
            out.event(NetworkEvent::Status(Box::new(news)));
        }
        let reason = if nothing_said {
            Reason::Absorbed("known")
        } else {
            Reason::Did(word)
        };
        if before == Some(&slot) {
            Verdict::keep(reason)
        } else {
            Verdict::put(slot, reason)
        }
    }
}

/// What later steps decide by, if it is another state, another cause, or something else that is known of the entity.
fn news(before: Option<&Slot>, slot: &Slot, entity: &EntityId) -> Option<StatusNews> {
    let told = &slot.told;
    let is_told = |before: &Slot| {
        let was = &before.told;
        (was.state, was.cause, was.since) == (told.state, told.cause, told.since)
    };
    let is_known = before.is_some_and(|before| before.facts.reads_like(&slot.facts));
    if is_known && before.is_some_and(is_told) {
        return None;
    }
    Some(StatusNews {
        entity: entity.clone(),
        was: before.map(|before| before.told.state),
        state: Some(told.state),
        cause: told.cause,
        since: told.since,
        observed_at: slot.observed_at,
        received_at: slot.received_at,
        about: (!is_known).then(|| Arc::new(slot.facts.about())),
    })
}

/// What is told of it; without the status, which only some events carry.
pub fn event<'a>(
    before: Option<&Slot>,
    slot: &'a Slot,
    entity: &'a EntityId,
    said: &'a Said<'_>,
    now: &Now,
) -> DeviceEventView<'a> {
    let told = &slot.told;
    let previous = before.map_or(State::Unknown, |slot| slot.told.state);
    let state_changed = told.state != previous;
    let cause_changed =
        before.is_some_and(|before| (before.told.cause, before.told.cause_raw()) != (told.cause, told.cause_raw()));
    let cause_told = state_changed || cause_changed;
    DeviceEventView {
        entity: entity.as_str(),
        root: entity.root_str(),
        kind: entity.kind().as_str(),
        event_type: match told.state {
            state if !state_changed || state == State::Unknown => DeviceEventType::DeviceAlarm,
            state if state.is_out() => DeviceEventType::DeviceDisconnected,
            _ => DeviceEventType::DeviceConnected,
        },
        event: said.event,
        phase: said.phase,
        severity: said.severity.map(Severity::as_str),
        trap_oid: said.trap_oid,
        source: Some(said.seen.source.as_str()),
        at: said.seen.observed_at,
        received_at: said.seen.received_at,
        state: state_changed.then(|| told.state.as_str()),
        previous: state_changed.then(|| previous.as_str()),
        cause: told.cause.filter(|_| cause_told).map(Cause::as_str),
        cause_raw: told.cause_raw().filter(|_| cause_told),
        serial: text(&slot.facts.serial),
        detail: &said.detail,
        position: now.position.into(),
        status: None,
    }
}
