//! The decisions about readings. Most readings say what the one before said: those are measured, and nothing else is written.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use model::{Measure, Severity, State};
use runtime::{Now, Out, Reason, Verdict};
use schemas::network::{Effect, Failure, NetworkEvent, Polled, PolledState, Polling, Seen};
use schemas::{DeviceEventView, MeasurementView, Phase};
use topology::Topic;

use crate::core::{REACHABLE, Said, Turn, event};
use crate::health::Telling;
use crate::levels::{LastRead, Shown};
use crate::signs::{ReadState, Taken};
use crate::slot::Slot;

/// Our name of a state that a reading shows and nobody told.
const STATE_READ: &str = "state_read";
/// Our name of what a whole reading does not have any more.
const ABSENT: &str = "absent";
/// Our name of a root's silence.
const UNREACHABLE: &str = "unreachable";
/// Our name of readings that fail.
const POLL_FAILING: &str = "poll_failing";

/// One row of a reading.
pub fn polled(before: Option<&Slot>, polled: &Polled, now: &Now, out: &mut Out<NetworkEvent>) -> Verdict<Slot> {
    let known = before.and_then(|slot| slot.last_read.as_deref());
    let last_read = polled
        .levels
        .as_deref()
        .and_then(|levels| LastRead::after(known, levels, &polled.seen));
    let is_measured = measure(known, polled, now, out);
    let read = read_state(&polled.state);
    let is_absent = polled.state == PolledState::State(State::Absent);
    match before {
        None if is_absent => return Verdict::keep(Reason::Absorbed("not_there")),
        Some(slot) if says_nothing_new(slot, polled, read.as_ref()) => {
            let reason = if is_measured {
                Reason::Did("measured")
            } else {
                Reason::Absorbed("known")
            };
            let Some(last_read) = last_read else {
                return Verdict::keep(reason);
            };
            let slot = Slot {
                last_read: Some(Arc::new(last_read)),
                ..slot.clone()
            };
            return Verdict::put(slot, reason);
        }
        _ => {}
    }
    let seen = &polled.seen;
    let mut turn = Turn::new(before, &polled.entity, seen, now, out);
    if let Some(last_read) = last_read {
        turn.slot.last_read = Some(Arc::new(last_read));
    }
    if let Some(at) = polled.read_at {
        turn.slot.signs.repeated(at);
    }
    let was_online = turn.slot.known().state == State::Online;
    let is_up = read == Some(ReadState::Up);
    let taken = match (read, &polled.state) {
        (Some(read), _) => turn.take_note(seen, |signs, noted| signs.note_read(read, noted)),
        (None, PolledState::State(state)) => turn.note(Effect::State(*state), Phase::Event, seen),
        (None, _) => turn.note(Effect::Nothing, Phase::Event, seen),
    };
    take_facts(&mut turn.slot, polled, is_up && !was_online && taken == Taken::Newest);
    // What was not known before did not happen now.
    let was = before.map(Slot::known).filter(|was| was.state != State::Unknown);
    let is_edge = was.is_some_and(|was| !was.reads_like(turn.slot.known()));
    let word = if turn.slot.known().state == State::Absent {
        ABSENT
    } else {
        STATE_READ
    };
    turn.end(is_edge.then(|| Said::of(word, seen)), "read")
}

/// How it went to read a root.
pub fn polling(before: Option<&Slot>, polling: &Polling, now: &Now, out: &mut Out<NetworkEvent>) -> Verdict<Slot> {
    let seen = &polling.seen;
    let mut turn = Turn::new(before, &polling.entity, seen, now, out);
    let was = turn.slot.told.state;
    match &polling.failed {
        None if was != State::Reachable => {
            turn.note(Effect::State(State::Reachable), Phase::Event, seen);
        }
        Some(failure) if failure.is_unreachable && was != State::Unreachable => {
            let silent = Seen {
                observed_at: failure.since,
                ..*seen
            };
            turn.note(Effect::State(State::Unreachable), Phase::Event, &silent);
        }
        _ => {}
    }
    let mut health = turn.slot.health.as_deref().cloned().unwrap_or_default();
    let telling = health.take(polling);
    if turn.slot.health.as_deref() != Some(&health) {
        turn.slot.health = Some(Arc::new(health));
    }
    if let Some(product) = polling.system.as_ref().and_then(|system| system.product.as_deref())
        && let Some(news) = turn.slot.facts.product_news(product, seen)
    {
        Arc::make_mut(&mut turn.slot.facts).take_news(news, seen);
    }
    let detail = polling.failed.as_ref().map(detail_of).unwrap_or_default();
    let phase = match telling {
        Telling::Nothing => None,
        Telling::Begins => Some(Phase::Raise),
        Telling::Ends => Some(Phase::Clear),
    };
    if let Some(phase) = phase {
        let said = Said {
            phase,
            severity: (phase == Phase::Raise).then_some(Severity::Minor),
            detail: Cow::Borrowed(&detail),
            ..Said::of(POLL_FAILING, seen)
        };
        turn.also(&said);
    }
    let said = match turn.slot.told.state {
        State::Reachable if was != State::Reachable => Some(Said::of(REACHABLE, seen)),
        State::Unreachable if was != State::Unreachable => Some(Said {
            severity: Some(Severity::Major),
            detail: Cow::Borrowed(&detail),
            ..Said::of(UNREACHABLE, seen)
        }),
        _ => None,
    };
    turn.end(said, "polled")
}

fn detail_of(failure: &Failure) -> BTreeMap<String, String> {
    [
        ("class", failure.class.to_string()),
        ("detail", failure.detail.clone()),
        ("in_a_row", failure.in_a_row.to_string()),
    ]
    .into_iter()
    .filter(|(_, text)| !text.is_empty())
    .map(|(name, text)| (name.to_owned(), text))
    .collect()
}

fn read_state(state: &PolledState) -> Option<ReadState> {
    match state {
        PolledState::Up => Some(ReadState::Up),
        PolledState::Down(why) => Some(ReadState::Down {
            cause: why.cause,
            words: why.words.clone(),
        }),
        PolledState::Unclear => Some(ReadState::Unclear),
        PolledState::There | PolledState::State(_) => None,
    }
}

/// Whether all of it is known and shown: nothing is copied to find that out.
fn says_nothing_new(slot: &Slot, polled: &Polled, read: Option<&ReadState>) -> bool {
    let is_same_state = match (read, &polled.state) {
        (Some(read), _) => slot.hidden.is_none() && slot.signs.is_repeated_by(read, &polled.seen),
        (None, PolledState::State(State::Absent)) => slot.told.state == State::Absent,
        // A board is read once an hour.
        (None, PolledState::State(_)) => false,
        (None, _) => slot.hidden.is_none() && slot.told.state != State::Absent,
    };
    is_same_state && slot.facts.news(polled, false).is_none() && levels_after(slot, polled).is_none()
}

fn levels_after(slot: &Slot, polled: &Polled) -> Option<Shown> {
    Shown::after(slot.levels.as_deref(), polled.levels.as_deref()?, &polled.seen)
}

fn take_facts(slot: &mut Slot, polled: &Polled, came_up: bool) {
    if let Some(news) = slot.facts.news(polled, came_up) {
        if slot.facts.is_another(&news) {
            // Its levels were those of the device before.
            slot.levels = None;
        }
        Arc::make_mut(&mut slot.facts).take_news(news, &polled.seen);
    }
    if let Some(shown) = levels_after(slot, polled) {
        slot.levels = Some(Arc::new(shown));
    }
}

/// Writes what was measured; whether there was anything. What is newest of its measure carries a write time.
fn measure(known: Option<&LastRead>, polled: &Polled, now: &Now, out: &mut Out<NetworkEvent>) -> bool {
    let Some(levels) = &polled.levels else { return false };
    let entity = &polled.entity;
    for (measure, value) in levels.each() {
        let is_newest = known.is_none_or(|known| known.is_newest(measure, &polled.seen));
        let row = MeasurementView {
            group: Some(group(measure)),
            wts: is_newest.then(|| out.write_time()),
            entity: entity.as_str(),
            root: entity.root_str(),
            measure: measure.as_str(),
            value,
            unit: measure.unit(),
            quality: if measure.can_be(value) { "good" } else { "bad" },
            observed_at: polled.seen.observed_at,
            received_at: polled.seen.received_at,
            position: now.position.into(),
        };
        out.record(Topic::Measurements, entity.as_str(), row);
    }
    levels.each().next().is_some()
}

/// What a measure is of, in the words that cards' measures have.
const fn group(measure: Measure) -> &'static str {
    match measure {
        Measure::OnuRxPower | Measure::OnuTxPower | Measure::OltRxPower => "optical",
        Measure::OnuTemperature => "temperature",
        Measure::OnuVoltage | Measure::OnuBiasCurrent => "electrical",
        Measure::OnuDistance => "other",
    }
}

impl Turn<'_> {
    /// Tells something beside what [`Turn::end`] tells: no change of state.
    fn also(&mut self, said: &Said<'_>) {
        let row: DeviceEventView<'_> = event(Some(&self.slot), &self.slot, self.entity, said, self.now);
        self.out.record(Topic::DeviceEvents, self.entity.as_str(), row);
    }
}
