//! What people are told of an alarm of a rule, and why.

use std::sync::Arc;

use model::Severity;
use schemas::AlarmReason;
use schemas::network::{AlarmChange, AlarmNews, AlarmOrigin, AlarmSlot, NetworkEvent};
use schemas::rules::{CheckedRule, Condition, Values};

use crate::hash::alarm_id;
use crate::index::stamp_of;
use crate::life::{AlarmOf, Life, Settled};
use crate::samples::limit_of;
use crate::seconds;
use crate::slot::{RuleState, TEXT_BYTES_MAX, Told, cut};
use crate::turn::{Turn, pace};

/// What an alarm's news say beside its life.
pub struct Saying {
    pub slot: AlarmSlot,
    pub origin: AlarmOrigin,
    pub severity: Severity,
    pub text: String,
    pub is_old: bool,
}

/// A reason with its word alone.
pub fn reason(word: &str) -> AlarmReason {
    AlarmReason {
        word: word.to_owned(),
        measure: None,
        value: None,
        unit: None,
        limit: None,
        observed_at: None,
        held_s: None,
        state: None,
        cause: None,
        detail: None,
    }
}

impl RuleState {
    /// Nothing is known yet.
    pub fn new(rule: &CheckedRule) -> Self {
        Self {
            rule_id: rule.rule_id.clone(),
            version: rule.version,
            stamp: stamp_of(&rule.rule_id, rule.version, &rule.writer),
            shape: crate::adopt::shape_of(&rule.condition),
            life: Life::default(),
            compared: None,
            window: None,
            told: None,
        }
    }
}

impl Turn<'_> {
    /// Ends the delays of a rule's alarm that have passed.
    pub fn settle_rule(&mut self, at: usize) {
        let Some(rule) = self.index.rule(&self.slot.rules[at].rule_id).cloned() else {
            return;
        };
        // A life says at most: raise, clear or reuse, and what follows from it.
        for _ in 0..4 {
            let settled = self.slot.rules[at].life.settle(&pace(&rule), self.now);
            let (told, why) = match settled {
                None => return,
                Some(Settled::Raise(told)) => (told, self.why_raised(at, &rule)),
                Some(Settled::Clear(told)) => (told, self.why_cleared(at, &rule)),
                Some(Settled::Reuse(told)) => (told, reason("settled")),
            };
            if matches!(settled, Some(Settled::Raise(_))) && told[0].is_some() {
                self.slot.rules[at].told = Some(Box::new(self.telling(at, &rule)));
            }
            let mut why = Some(why);
            for what in told.into_iter().flatten() {
                let why = match what {
                    AlarmChange::Suppressed => reason("flapping"),
                    _ => why.take().unwrap_or_else(|| self.why_cleared(at, &rule)),
                };
                self.tell_rule(at, what, why);
            }
        }
    }

    /// What people are told of an alarm as it now is.
    pub fn telling(&self, at: usize, rule: &CheckedRule) -> Told {
        Told {
            name: rule.name.clone(),
            severity: rule.severity,
            text: cut(&self.fill(at, rule), TEXT_BYTES_MAX).into(),
        }
    }

    fn fill(&self, at: usize, rule: &CheckedRule) -> String {
        let state = &self.slot.rules[at];
        let about = self.slot.about.as_deref();
        let compared = state.compared.map(|compared| compared.value);
        let unit = self.unit(rule);
        let known = self
            .slot
            .known
            .filter(|_| matches!(rule.condition, Condition::State { .. }));
        let since = match &rule.condition {
            Condition::NoData { .. } => self.newest(rule),
            Condition::State { .. } => known.map(|known| known.since),
            _ => None,
        };
        rule.message.fill(&Values {
            entity: self.id.as_str(),
            name: about.and_then(|about| about.name.as_deref()),
            site: self.site(),
            measure: rule.condition.measure().map(|measure| &**measure),
            value: compared,
            unit: unit.as_deref(),
            limit: compared.and_then(|value| limit_of(&rule.condition, value)),
            state: known.map(|known| known.state.as_str()),
            cause: known.and_then(|known| known.cause).map(model::Cause::as_str),
            since: Some(since.unwrap_or(state.life.began_at)),
        })
    }

    /// Unit of what is compared: a difference of two levels is a ratio, and a slope is of a day.
    fn unit(&self, rule: &CheckedRule) -> Option<String> {
        let at = self.slot.measure(rule.condition.measure()?).ok()?;
        let unit = match &*self.slot.measures[at].unit {
            "" => return None,
            "dBm" if rule.condition.change().is_some() => "dB",
            unit => unit,
        };
        Some(match rule.condition {
            Condition::Slope { .. } => format!("{unit}/d"),
            _ => unit.to_owned(),
        })
    }

    /// The newest sample of what a rule waits for.
    fn newest(&self, rule: &CheckedRule) -> Option<model::Micros> {
        let waited = crate::silence::waited_for(rule);
        let of = self.slot.measures.iter();
        of.filter(|state| waited.is_none_or(|measure| *measure == state.measure))
            .map(|state| state.newest)
            .max()
    }

    fn numbers(&self, at: usize, rule: &CheckedRule, word: &str) -> AlarmReason {
        let state = &self.slot.rules[at];
        let known = self
            .slot
            .known
            .filter(|_| matches!(rule.condition, Condition::State { .. }));
        AlarmReason {
            measure: rule.condition.measure().map(|measure| measure.to_string()),
            value: state.compared.map(|compared| compared.value),
            unit: self.unit(rule),
            observed_at: match rule.condition {
                Condition::State { .. } => known.map(|known| known.observed_at),
                Condition::NoData { .. } => self.newest(rule),
                _ => state.compared.map(|compared| compared.at),
            },
            held_s: Some(seconds(self.now.observed.since(state.life.since))),
            state: known.map(|known| known.state.as_str().to_owned()),
            cause: known
                .and_then(|known| known.cause)
                .map(|cause| cause.as_str().to_owned()),
            ..reason(word)
        }
    }

    pub fn why_raised(&self, at: usize, rule: &CheckedRule) -> AlarmReason {
        let compared = self.slot.rules[at].compared;
        AlarmReason {
            limit: compared.and_then(|compared| limit_of(&rule.condition, compared.value)),
            ..self.numbers(at, rule, rule.condition.as_str())
        }
    }

    fn why_cleared(&self, at: usize, rule: &CheckedRule) -> AlarmReason {
        let word = match rule.condition {
            Condition::State { .. } => "state_left",
            Condition::NoData { .. } => "data_back",
            _ => "within_limits",
        };
        let compared = self.slot.rules[at].compared;
        let limit = compared.and_then(|compared| limit_of(&rule.condition, compared.value));
        let is_lower = |limit: f64| match &rule.condition {
            Condition::Below { .. } => true,
            Condition::Outside { low, .. } => limit <= *low,
            condition => condition.change().is_some() && limit < 0.0,
        };
        let with_band = |limit: f64| {
            if is_lower(limit) {
                limit + rule.dead_band
            } else {
                limit - rule.dead_band
            }
        };
        AlarmReason {
            limit: limit.map(with_band),
            ..self.numbers(at, rule, word)
        }
    }

    /// Ends an alarm of a rule at once, whatever it waits for.
    pub fn end_rule(&mut self, at: usize, why: AlarmReason) {
        if let Some(what) = self.slot.rules[at].life.end(self.now) {
            self.tell_rule(at, what, why);
        }
    }

    /// Tells of an alarm of a rule that people were told of.
    pub fn tell_rule(&mut self, at: usize, what: AlarmChange, why: AlarmReason) {
        let state = &mut self.slot.rules[at];
        let told = if what == AlarmChange::Cleared {
            state.told.take()
        } else {
            state.told.clone()
        };
        let (Some(told), Some(alarm)) = (told, state.life.alarm) else {
            return;
        };
        let saying = Saying {
            slot: AlarmSlot {
                entity: self.id.clone(),
                alarm_type: state.rule_id.clone(),
                qualifier: Arc::from(""),
            },
            origin: AlarmOrigin::Rule {
                version: state.version,
                name: told.name.clone(),
            },
            severity: told.severity,
            text: told.text.into(),
            is_old: false,
        };
        self.tell(saying, alarm, what, why);
    }

    /// Hands an alarm's news on.
    pub fn tell(&mut self, saying: Saying, alarm: AlarmOf, what: AlarmChange, why: AlarmReason) {
        let Saying {
            slot,
            origin,
            severity,
            text,
            is_old,
        } = saying;
        self.told = true;
        let news = AlarmNews {
            alarm_id: alarm_id(&slot, alarm.position).into(),
            slot,
            what,
            origin,
            severity,
            text,
            raised_at: alarm.raised_at,
            observed_at: why.observed_at.unwrap_or(self.now.log_time),
            reason: why,
            raise_position: alarm.position,
            is_old,
            about: self.about(),
        };
        self.out.event(NetworkEvent::Alarm(Box::new(news)));
    }
}
