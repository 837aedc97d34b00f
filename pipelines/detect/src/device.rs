//! Alarms that a device says itself, by traps: a raise and a clear of one type, in the order in which they happened.
//!
//! An older sign never undoes a newer one. A clear without a raise opens nothing, but is remembered for a while: the raise that it
//! overtook is over before it comes. What takes an entity out of service ends when its status says that it works again, though the clear
//! be lost.

use std::sync::Arc;

use model::{Kind, Micros, Severity, State};
use runtime::{Now, Reason};
use schemas::network::{AlarmChange, AlarmOrigin, AlarmSlot, Effect, Happening, Seen, Source};
use schemas::rules::Flap;
use schemas::{AlarmReason, Phase};

use crate::life::{Life, Pace, Settled};
use crate::seconds;
use crate::slot::{DEVICE_ALARMS_MAX, DeviceAlarm, TEXT_BYTES_MAX, TYPE_BYTES_MAX, cut};
use crate::tell::{Saying, reason};
use crate::turn::Turn;

/// The flap policy of alarms that no rule of ours makes.
pub const DEVICE_FLAP: Flap = Flap {
    penalty: 1_000.0,
    half_life: 600 * Micros::SECOND,
    suppress: 4_500.0,
    reuse: 1_000.0,
    ceiling: 8_000.0,
};
/// A raise within this time of a clear is the same alarm (microseconds).
pub const DEVICE_RERAISE: i64 = 900 * Micros::SECOND;
/// What is over is remembered for so long (microseconds): an inform is sent again for ten minutes.
pub const REMEMBERED: i64 = 600 * Micros::SECOND;

/// A device has waited itself.
pub const PACE: Pace = Pace {
    raise_after: 0,
    clear_after: 0,
    reraise_after: DEVICE_RERAISE,
    flap: Some(DEVICE_FLAP),
};

/// What tells apart two alarms of one type on one entity, where the entity does not name it: our names of details, in this order.
const QUALIFIERS: [&str; 16] = [
    "frame",
    "slot",
    "port",
    "ont_id",
    "if_index",
    "ont_ethernet_port_id",
    "ontif_ethernet_port",
    "ont_eth_port_id",
    "ont_catv_port_id",
    "ont_tdm_port_id",
    "optics_kind",
    "olt_chipset_id",
    "subboard_id",
    "trap_power_port_index",
    "pg_group_id",
    "vcc_group_id",
];

/// A sign of an alarm, however it came.
pub struct Sign<'a> {
    pub alarm_type: &'a str,
    pub qualifier: &'a str,
    pub seen: Seen,
    pub severity: Severity,
    pub text: &'a str,
    /// When it began, if that is known better.
    pub since: Option<Micros>,
}

impl Turn<'_> {
    pub fn happened(&mut self, happening: &Happening) -> Reason {
        let on = match happening.phase {
            Phase::Raise => true,
            Phase::Clear => false,
            Phase::Event => return Reason::Absorbed("no_alarm"),
        };
        let qualifier = qualifier_of(happening);
        let (alarm_type, qualifier) = (cut(&happening.event, TYPE_BYTES_MAX), cut(&qualifier, TYPE_BYTES_MAX));
        let text = text_of(happening);
        let sign = Sign {
            alarm_type,
            qualifier,
            seen: happening.seen,
            severity: happening.severity.unwrap_or(Severity::Indeterminate),
            text: &text,
            since: None,
        };
        let place = match self.slot.device(alarm_type, qualifier) {
            Ok(place) => place,
            Err(_) => match self.device_alarm(&sign) {
                Some(place) => place,
                None => return Reason::Filtered("too_many_alarms"),
            },
        };
        let alarm = &mut self.slot.device[place];
        if let Some(fingerprint) = happening.fingerprint {
            let print = &mut alarm.prints[usize::from(!on)];
            let received = happening.seen.received_at;
            let is_again = |(hash, at): (u64, Micros)| {
                hash == fingerprint.hash && received.since(at).saturating_abs() <= fingerprint.within
            };
            if print.is_some_and(is_again) {
                return Reason::Absorbed("resent");
            }
            *print = Some((fingerprint.hash, received));
        }
        if happening.seen.is_older_than(&alarm.seen) {
            return Reason::Absorbed("late");
        }
        alarm.is_fault = matches!(happening.effect, Effect::Fault(_))
            && matches!(self.id.kind(), Kind::Onu | Kind::Pon | Kind::Board);
        if on {
            self.raise_device(place, &sign, None, false);
            let is_out = self.slot.is_out();
            let alarm = &mut self.slot.device[place];
            alarm.explains |= alarm.is_fault && is_out;
        } else {
            self.end_sign(place, &happening.seen, "trap");
        }
        Reason::Absorbed("alarm_known")
    }

    /// Takes a sign that an alarm stands; it is not older than what is known.
    pub fn raise_device(&mut self, place: usize, sign: &Sign<'_>, list: Option<&str>, is_old: bool) {
        let observed = self.now.observed;
        let alarm = &mut self.slot.device[place];
        alarm.seen = sign.seen;
        if let Some(list) = list {
            alarm.list = Some(list.into());
        }
        if alarm.life.on {
            let is_its_own = list.is_none() || alarm.is_listed_first;
            if is_its_own && alarm.severity != sign.severity {
                alarm.severity = sign.severity;
                if alarm.life.is_open() {
                    let word = word_of(&sign.seen);
                    self.tell_device(place, AlarmChange::Changed, self.sign_reason(word, &sign.seen));
                }
            }
            return;
        }
        alarm.severity = sign.severity;
        alarm.text = cut(sign.text, TEXT_BYTES_MAX).into();
        alarm.is_listed_first = list.is_some();
        alarm.is_old = is_old;
        let at = sign
            .since
            .map_or(sign.seen.observed_at, |since| since.min(sign.seen.observed_at));
        alarm.life.turn(true, at, observed);
        self.settle_with(place, word_of(&sign.seen), &sign.seen);
    }

    /// Takes a sign that an alarm has ended.
    pub fn end_sign(&mut self, place: usize, seen: &Seen, word: &'static str) {
        let observed = self.now.observed;
        let alarm = &mut self.slot.device[place];
        alarm.seen = *seen;
        alarm.explains = false;
        if alarm.life.turn(false, seen.observed_at, observed) {
            self.settle_with(place, word, seen);
        }
    }

    /// Ends the delays of a device's alarm that have passed.
    pub fn settle_device(&mut self, place: usize) {
        let seen = self.slot.device[place].seen;
        self.settle_with(place, word_of(&seen), &seen);
    }

    fn settle_with(&mut self, place: usize, word: &'static str, seen: &Seen) {
        for _ in 0..4 {
            let Some(settled) = self.slot.device[place].life.settle(&PACE, self.now) else {
                return;
            };
            let (Settled::Raise(told) | Settled::Clear(told) | Settled::Reuse(told)) = settled;
            for what in told.into_iter().flatten() {
                let why = match what {
                    AlarmChange::Suppressed => reason("flapping"),
                    AlarmChange::Unsuppressed => reason("settled"),
                    _ => self.sign_reason(word, seen),
                };
                self.tell_device(place, what, why);
            }
        }
    }

    /// Ends an alarm at once, whatever it waits for.
    pub fn end_device(&mut self, place: usize, why: AlarmReason, seen: Option<Seen>) {
        let alarm = &mut self.slot.device[place];
        alarm.explains = false;
        if let Some(seen) = seen {
            alarm.seen = seen;
        }
        if let Some(what) = alarm.life.end(self.now) {
            self.tell_device(place, what, why);
        }
    }

    /// The entity's state says which faults are still there.
    pub fn explained(&mut self, state: State) {
        for place in 0..self.slot.device.len() {
            let alarm = &mut self.slot.device[place];
            if !alarm.is_fault || !alarm.life.on {
                continue;
            }
            if state.is_out() {
                alarm.explains = true;
            } else if state != State::Unknown && alarm.explains {
                let observed_at = self.slot.known.map_or(self.now.log_time, |known| known.observed_at);
                let why = AlarmReason {
                    state: Some(state.as_str().to_owned()),
                    observed_at: Some(observed_at),
                    ..reason("state_left")
                };
                let observed = self.now.observed;
                alarm.explains = false;
                alarm.life.turn(false, observed_at, observed);
                self.settle_because(place, why);
            }
        }
    }

    fn settle_because(&mut self, place: usize, why: AlarmReason) {
        while let Some(settled) = self.slot.device[place].life.settle(&PACE, self.now) {
            let (Settled::Raise(told) | Settled::Clear(told) | Settled::Reuse(told)) = settled;
            for what in told.into_iter().flatten() {
                self.tell_device(place, what, why.clone());
            }
        }
    }

    /// Makes room for an alarm; `None` if every one that is remembered stands.
    pub fn device_alarm(&mut self, sign: &Sign<'_>) -> Option<usize> {
        if self.slot.device.len() >= DEVICE_ALARMS_MAX {
            let over = |alarm: &DeviceAlarm| !alarm.life.on && !alarm.life.is_open();
            let oldest = (0..self.slot.device.len())
                .filter(|&at| over(&self.slot.device[at]))
                .min_by_key(|&at| self.slot.device[at].life.since)?;
            self.slot.device.remove(oldest);
        }
        let at = self
            .slot
            .device(sign.alarm_type, sign.qualifier)
            .unwrap_or_else(|at| at);
        // Older than anything: whatever comes is taken.
        let never = Seen {
            observed_at: Micros(i64::MIN),
            received_at: Micros(i64::MIN),
            uptime: None,
            source: Source::Poll,
        };
        let alarm = DeviceAlarm {
            alarm_type: sign.alarm_type.into(),
            qualifier: sign.qualifier.into(),
            life: Life {
                since: self.now.observed,
                ..Life::default()
            },
            seen: never,
            severity: sign.severity,
            text: cut(sign.text, TEXT_BYTES_MAX).into(),
            list: None,
            is_listed_first: false,
            is_old: false,
            explains: false,
            is_fault: false,
            prints: [None; 2],
        };
        self.slot.device.insert(at, alarm);
        Some(at)
    }

    pub fn sign_reason(&self, word: &str, seen: &Seen) -> AlarmReason {
        AlarmReason {
            observed_at: Some(seen.observed_at),
            held_s: Some(0),
            ..reason(word)
        }
    }

    fn tell_device(&mut self, place: usize, what: AlarmChange, why: AlarmReason) {
        let alarm = &self.slot.device[place];
        let Some(of) = alarm.life.alarm else { return };
        let held_s = Some(seconds(self.now.observed.since(alarm.life.since)));
        let saying = Saying {
            slot: AlarmSlot {
                entity: self.id.clone(),
                alarm_type: alarm.alarm_type.clone(),
                qualifier: alarm.qualifier.clone(),
            },
            origin: AlarmOrigin::Device,
            severity: alarm.severity,
            text: alarm.text.to_string(),
            is_old: alarm.is_old,
        };
        let why = AlarmReason {
            held_s: why.held_s.and(held_s),
            ..why
        };
        self.tell(saying, of, what, why);
    }
}

/// Whether what is over need not be remembered.
pub fn is_forgotten(alarm: &DeviceAlarm, now: &Now) -> bool {
    alarm.life.is_over(&PACE, now) && now.observed.since(alarm.life.since) > REMEMBERED
}

fn word_of(seen: &Seen) -> &'static str {
    match seen.source {
        Source::Poll => "table",
        _ => "trap",
    }
}

fn qualifier_of(happening: &Happening) -> Arc<str> {
    let mut qualifier = String::new();
    for name in QUALIFIERS {
        if let Some(value) = happening.detail.get(name) {
            if !qualifier.is_empty() {
                qualifier.push(',');
            }
            qualifier.push_str(name);
            qualifier.push('=');
            qualifier.push_str(value);
        }
    }
    qualifier.into()
}

/// Our word, as people read it.
fn text_of(happening: &Happening) -> String {
    let words = happening.event.replace('_', " ");
    let mut letters = words.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => words,
    }
}
