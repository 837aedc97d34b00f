//! The life of every alarm: condition, operator state and visibility, three things that do not know of each other.
//!
//! - reads: `Alarm` of detect, `Incident` of correlate, `Acted`, `Silence`
//! - writes: `alarm-transitions` (fast) and `alarms` (exact); nobody else does
//! - key: entity; a silence has a slot of its own
//! - state: the alarms of the entity that stand and the last that cleared, acts taken, the incident it is a symptom of
//! - time: log time: `until` of a silence, the year a cleared alarm's row is kept
//! - guarantee: a row is written when a reader could tell the difference; an act ends in exactly one transition

mod act;
mod entry;
mod held;
mod row;
mod silence;
mod turn;

use std::collections::BTreeMap;
use std::sync::Arc;

use model::EntityId;
use runtime::{Input, Now, Out, Reason, StateKey, Step, StepDescription, Verdict};
use schemas::network::{About, NetworkEvent};
use serde::{Deserialize, Serialize};
use topology::Topic;

pub use self::held::{ALARMS_MAX, CLEARED_MAX, COMMENTS_MAX, Held};
pub use self::silence::{SILENCES_MAX, Silenced};
use self::turn::Turn;

/// In front of the key of a silence's slot: no entity's id begins so.
const SILENCE_KEY: &str = "!silence/";

/// Its place in the chain, as in `topology`.
pub const DESCRIPTION: StepDescription = StepDescription {
    number: 7,
    name: "alarms",
    reads: "alarms of detect, incidents of correlate, acts of operators, silences",
    writes: &[Topic::AlarmTransitions, Topic::Alarms],
    key: "entity",
    state: "alarms that stand and the last that cleared, acts taken, the incident it is a symptom of; silences",
    time: "log time: until of a silence, the year a cleared alarm is kept",
    guarantee: "a row when a reader could tell the difference; an act ends in exactly one transition",
    format: 1,
};

/// What is kept under one key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Slot {
    /// Of an entity.
    Entity(Box<Held>),
    /// Of a silence.
    Silence(Box<Silenced>),
}

/// The step, with an index: silences, and on which entities an alarm stands.
#[derive(Debug, Clone, Default)]
pub struct Alarms {
    silences: BTreeMap<StateKey, Arc<silence::Matcher>>,
    raised: BTreeMap<StateKey, Arc<About>>,
}

impl Alarms {
    /// Entities with an alarm that stands and that this version of a silence, or the one before it, is about.
    fn silenced_keys(&self, silence: &schemas::Silence, keys: &mut Vec<StateKey>) {
        let Some(key) = silence_key(&silence.silence_id) else {
            return;
        };
        let new = silence::Matcher::of(&Silenced::of(silence));
        let old = self.silences.get(&key);
        let fits = |matcher: &silence::Matcher, entity: &EntityId, about: &About| matcher.fits_entity(entity, about);
        for (key, about) in &self.raised {
            let Ok(entity) = EntityId::parse(key) else { continue };
            let is_meant = new.as_ref().is_some_and(|m| fits(m, &entity, about));
            if is_meant || old.is_some_and(|m| fits(m, &entity, about)) {
                keys.push(key.clone());
            }
        }
        keys.push(key);
    }
}

/// The key of a silence's slot; `None` if nobody would give it such an id.
fn silence_key(id: &str) -> Option<StateKey> {
    let is_id = !id.is_empty() && id.len() <= silence::ID_BYTES_MAX;
    is_id.then(|| format!("{SILENCE_KEY}{id}").into())
}

impl Step for Alarms {
    type Event = NetworkEvent;
    type State = Slot;
    const REMEMBERS: bool = true;

    fn describe(&self) -> StepDescription {
        DESCRIPTION
    }

    fn keys(&self, event: &NetworkEvent, keys: &mut Vec<StateKey>) {
        match event {
            NetworkEvent::Alarm(news) => keys.push(news.slot.entity.shared().clone()),
            NetworkEvent::Incident(news) => {
                keys.extend(news.takes.iter().chain(&news.releases).map(|e| e.shared().clone()));
            }
            // An act on what is no entity is refused under its root.
            NetworkEvent::Acted(act) => match EntityId::parse(&act.entity) {
                Ok(entity) => keys.push(entity.shared().clone()),
                Err(_) => keys.push(act.root.as_str().into()),
            },
            NetworkEvent::Silence(silence) => self.silenced_keys(silence, keys),
            _ => {}
        }
    }

    fn remember(&mut self, key: &StateKey, _before: Option<&Slot>, after: Option<&Slot>) {
        if key.starts_with(SILENCE_KEY) {
            match after {
                Some(Slot::Silence(silenced)) => match silence::Matcher::of(silenced) {
                    Some(matcher) => drop(self.silences.insert(key.clone(), Arc::new(matcher))),
                    None => drop(self.silences.remove(key)),
                },
                _ => drop(self.silences.remove(key)),
            }
            return;
        }
        match after {
            Some(Slot::Entity(held)) if held.alarms.iter().any(|a| a.raised) => {
                self.raised.insert(key.clone(), held.about.clone());
            }
            _ => drop(self.raised.remove(key)),
        }
    }

    fn apply(
        &self,
        key: &StateKey,
        state: Option<&Slot>,
        input: Input<'_, NetworkEvent>,
        now: &Now,
        out: &mut Out<NetworkEvent>,
    ) -> Verdict<Slot> {
        if key.starts_with(SILENCE_KEY) {
            return match input {
                Input::Event(NetworkEvent::Silence(version)) => {
                    silence::take(state, version, self.silences.len(), now, out)
                }
                Input::Timer { .. } => silence::forget(),
                Input::Event(_) => Verdict::keep(Reason::Absorbed("not_mine")),
            };
        }
        let held = match state {
            Some(Slot::Entity(held)) => Some(&**held),
            _ => None,
        };
        let Some(mut turn) = Turn::new(key, held, &self.silences, now, out) else {
            return Verdict::keep(Reason::Filtered("no_entity"));
        };
        let reason = match input {
            Input::Event(NetworkEvent::Alarm(news)) => turn.alarm(news),
            Input::Event(NetworkEvent::Incident(news)) => turn.incident(news),
            Input::Event(NetworkEvent::Acted(act)) => turn.acted(act),
            Input::Event(NetworkEvent::Silence(_)) | Input::Timer { id: turn::UNTIL, .. } => turn.silences(),
            Input::Timer { .. } => turn.year(),
            Input::Event(_) => Reason::Absorbed("not_mine"),
        };
        turn.end(reason)
    }
}
