//! Alarms: what rules say of values, states and silence, and what devices say themselves.
//!
//! - reads: readings, happenings and lists of `normalize`, the status of `status`, versions of rules, heartbeats
//! - writes: nothing; `Alarm` events, which `alarms` makes rows of
//! - key: entity; versions of rules have keys of their own
//! - state: what is known of the entity, its newest samples, and for each rule and each device's alarm its life
//! - time: every delay in observed time, by one timer a key; observation times order samples and fill windows
//! - guarantee: what is told of an alarm balances, one open alarm a slot; nothing of it depends on cuts, restarts or repeats

mod adopt;
mod device;
mod hash;
mod index;
mod life;
mod lists;
mod samples;
mod silence;
mod slot;
mod status;
mod tell;
mod turn;
mod window;

pub use device::{DEVICE_FLAP, DEVICE_RERAISE, REMEMBERED};
pub use index::{Index, RULES_MAX as RULES_KNOWN_MAX, rule_key};
pub use life::{AlarmOf, Life, Pace};
pub use samples::FUTURE_MAX;
pub use silence::{FLOOR, SILENT};
pub use slot::{
    DEVICE_ALARMS_MAX, DeviceAlarm, Entity, MEASURES_MAX, MeasureState, RULES_MAX, RuleState, Slot, Told, WINDOWS_MAX,
};
pub use window::Window;

use std::sync::Arc;

use model::{EntityId, Kind, Micros};
use runtime::{Deadline, Input, Now, Out, Reason, StateKey, Step, StepDescription, Verdict};
use schemas::network::{NetworkEvent, Observed};
use schemas::rules::CheckedRule;
use schemas::{Phase, Rule};

use crate::turn::Turn;

/// Its place in the chain, as in `topology`.
pub const DESCRIPTION: StepDescription = StepDescription {
    number: 3,
    name: "detect",
    reads: "readings, happenings and lists of normalize, the status of status, rules, heartbeats",
    writes: &[],
    key: "entity",
    state: "what is known of the entity, its newest samples, for each rule and each device's alarm its life; versions of rules",
    time: "delays in observed time, by one timer a key; observation times order samples and fill windows",
    guarantee: "raises and clears balance; one open alarm a slot; a rule's change reaches every open alarm of it",
    format: 1,
};

/// Of an entity: the next of its delays has passed.
pub const TIMER_DELAY: u8 = 0;
/// Of an entity with an alarm of a rule: the rule is another one.
pub const TIMER_RULE: u8 = 1;

/// Connectors that measure nothing: their heartbeats do not say that values can be waited for.
const NO_SOURCE: &str = "snmp-traps";

/// The step.
#[derive(Debug, Default)]
pub struct Detect {
    index: Index,
}

impl Detect {
    /// What it knows beyond the key it decides about.
    pub fn index(&self) -> &Index {
        &self.index
    }

    fn rule(&self, state: Option<&Slot>, rule: &Arc<Rule>) -> Verdict<Slot> {
        let is_known = state.is_some();
        if !self.index.is_newer(rule) {
            return Verdict::keep(Reason::Absorbed("rule_known"));
        }
        if !rule.removed && CheckedRule::new(rule).is_err() {
            return Verdict::keep(Reason::Filtered("bad_rule"));
        }
        if !self.index.has_room_for(rule) {
            return Verdict::keep(Reason::Filtered("too_many_rules"));
        }
        let word = match (rule.removed, is_known) {
            (true, _) => "rule_removed",
            (false, true) => "rule_changed",
            (false, false) => "rule_taken",
        };
        Verdict::put(Slot::Rule(Box::new(Rule::clone(rule))), Reason::Did(word))
    }

    fn entity(
        &self,
        key: &StateKey,
        state: Option<&Slot>,
        input: Input<'_, NetworkEvent>,
        now: &Now,
        out: &mut Out<NetworkEvent>,
    ) -> Verdict<Slot> {
        let before = state.and_then(Slot::entity);
        if let Input::Event(NetworkEvent::Rule(_)) = input {
            // Its alarms are looked at with the next record, so many a record as the engine fires timers.
            out.set_timer(TIMER_RULE, Deadline::Observed(now.observed));
            return Verdict::keep(Reason::Absorbed("rule_noted"));
        }
        let parsed;
        let id = match named(&input) {
            Some(id) if id.as_str() == &**key => id,
            _ => match EntityId::parse(key) {
                Ok(id) => {
                    parsed = id;
                    &parsed
                }
                Err(_) => return Verdict::keep(Reason::Absorbed("not_mine")),
            },
        };
        let mut turn = Turn::new(&self.index, id, before, now, out);
        if turn.is_idle(&input) {
            return Verdict::keep(Reason::Absorbed("known"));
        }
        turn.adopt();
        turn.pass();
        let reason = match input {
            Input::Timer { id, .. } => {
                turn.fired(id);
                Reason::Absorbed("delay")
            }
            Input::Event(event) => turn.take(event),
        };
        turn.pass();
        turn.end(reason)
    }
}

/// The entity that an event is about, where that is at hand.
fn named<'a>(input: &Input<'a, NetworkEvent>) -> Option<&'a EntityId> {
    let Input::Event(event) = input else { return None };
    match event {
        NetworkEvent::Measured(measured) => Some(&measured.entity),
        NetworkEvent::Polled(polled) => Some(&polled.entity),
        NetworkEvent::Status(news) => Some(&news.entity),
        NetworkEvent::Happened(happening) => Some(&happening.entity),
        NetworkEvent::Polling(polling) => Some(&polling.entity),
        _ => None,
    }
}

impl Step for Detect {
    type Event = NetworkEvent;
    type State = Slot;

    const REMEMBERS: bool = true;

    fn describe(&self) -> StepDescription {
        DESCRIPTION
    }

    fn keys(&self, event: &NetworkEvent, keys: &mut Vec<StateKey>) {
        match event {
            NetworkEvent::Measured(measured) => keys.push(measured.entity.shared().clone()),
            NetworkEvent::Polled(polled) => keys.push(polled.entity.shared().clone()),
            NetworkEvent::Status(news) => keys.push(news.entity.shared().clone()),
            NetworkEvent::Polling(polling) => keys.push(polling.entity.shared().clone()),
            NetworkEvent::Happened(happening) => {
                if happening.entity.kind() != Kind::Probe && happening.phase != Phase::Event {
                    keys.push(happening.entity.shared().clone());
                }
            }
            NetworkEvent::Listed(listed) => {
                keys.push(listed.root.shared());
                keys.extend(listed.alarms.iter().map(|alarm| alarm.slot.entity.shared().clone()));
                if listed.is_whole {
                    keys.extend(self.index.with_device_alarms(listed.root.as_str()).cloned());
                }
            }
            NetworkEvent::Observed(observed) => {
                if let Observed::Heartbeat(beat) = &**observed
                    && !beat.connector.starts_with(NO_SOURCE)
                {
                    keys.push(beat.root.as_str().into());
                }
            }
            NetworkEvent::Rule(rule) => {
                keys.push(rule_key(&rule.rule_id));
                if self.index.is_newer(rule) {
                    keys.extend(self.index.with_rule(&rule.rule_id).cloned());
                }
            }
            NetworkEvent::Heard(_)
            | NetworkEvent::Exists(_)
            | NetworkEvent::Registered(_)
            | NetworkEvent::Unseen(_)
            | NetworkEvent::Alarm(_)
            | NetworkEvent::Losses(_)
            | NetworkEvent::Incident(_)
            | NetworkEvent::Silence(_)
            | NetworkEvent::Acted(_)
            | NetworkEvent::Recomputed(_) => {}
        }
    }

    fn remember(&mut self, key: &StateKey, before: Option<&Slot>, after: Option<&Slot>) {
        self.index.remember(key, before, after);
    }

    fn bytes_max(&self, state: &Slot) -> Option<usize> {
        state.entity().map(|entity| entity.bytes_max() + 2)
    }

    fn apply(
        &self,
        key: &StateKey,
        state: Option<&Slot>,
        input: Input<'_, NetworkEvent>,
        now: &Now,
        out: &mut Out<NetworkEvent>,
    ) -> Verdict<Slot> {
        match (index::rule_of(key), &input) {
            (Some(_), Input::Event(NetworkEvent::Rule(rule))) => self.rule(state, rule),
            (Some(_), _) => Verdict::keep(Reason::Absorbed("not_mine")),
            (None, _) => self.entity(key, state, input, now, out),
        }
    }
}

/// Seconds of a number of microseconds.
fn seconds(micros: i64) -> i64 {
    micros.div_euclid(Micros::SECOND)
}
