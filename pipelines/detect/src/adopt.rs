//! Another set of rules: what becomes of what was decided with the one before.
//!
//! An alarm of a rule that is gone, switched off, or does not apply here any more ends, and says why. One whose rule has a new version is
//! looked at with that: it stays, changed, unless what is known says that it is over. Nothing ends in silence.

use std::sync::Arc;

use schemas::AlarmReason;
use schemas::network::AlarmChange;
use schemas::rules::{CheckedRule, Condition};

use crate::index::stamp_of;
use crate::slot::{Compared, Told};
use crate::tell::reason;
use crate::turn::{Turn, is_of_values};

impl Turn<'_> {
    /// Takes up the present rules, if they are others than those it was looked at with.
    pub fn adopt(&mut self) {
        let digest = self.index.digest(self.id.root_str());
        if self.slot.adopted == digest {
            return;
        }
        self.slot.adopted = digest;
        self.adopt_anew();
    }

    /// Looks at every rule again: the rules are others, or what is known of the entity is.
    pub fn adopt_anew(&mut self) {
        let mut at = 0;
        while at < self.slot.rules.len() {
            if self.adopt_rule(at) {
                at += 1;
            } else {
                self.slot.rules.remove(at);
            }
        }
        self.judge_states();
    }

    /// False if nothing of the rule is to be remembered here any more.
    fn adopt_rule(&mut self, at: usize) -> bool {
        let rule = self.index.rule(&self.slot.rules[at].rule_id).cloned();
        let gone = match &rule {
            None => Some(reason("rule_removed")),
            Some(rule) if !rule.is_applied() => Some(with_detail("rule_changed", "switched off")),
            Some(rule) if !self.fits(rule) => Some(reason("out_of_scope")),
            Some(_) => None,
        };
        if let Some(rule) = &rule {
            self.slot.rules[at].version = rule.version;
        }
        if let Some(why) = gone {
            self.end_rule(at, why);
            return false;
        }
        if let Some(rule) = rule {
            self.take_version(at, &rule);
        }
        true
    }

    fn take_version(&mut self, at: usize, rule: &Arc<CheckedRule>) {
        let state = &mut self.slot.rules[at];
        let stamp = stamp_of(&rule.rule_id, rule.version, &rule.writer);
        if state.stamp == stamp {
            return;
        }
        state.stamp = stamp;
        let shape = shape_of(&rule.condition);
        let is_same = state.shape == shape;
        state.shape = shape;
        let width = rule.condition.change().map(|change| change.window);
        if !is_same
            || !state
                .window
                .as_ref()
                .zip(width)
                .is_some_and(|(window, width)| window.is_of(width))
        {
            state.window = None;
        }
        let (holds, compared) = self.judge_version(at, rule, is_same);
        let state = &mut self.slot.rules[at];
        if compared.is_some() || !is_same {
            state.compared = compared;
        }
        match holds {
            Some(false) => {
                state.life.turn(false, self.now.log_time, self.now.observed);
                let why = self.changed(at, rule);
                self.end_rule(at, why);
            }
            Some(true) => {
                let at_time = compared.map_or(self.now.log_time, |compared| compared.at);
                state.life.turn(true, at_time, self.now.observed);
                self.tell_changed(at, rule);
            }
            None => self.tell_changed(at, rule),
        }
    }

    fn judge_version(&self, at: usize, rule: &CheckedRule, is_same: bool) -> (Option<bool>, Option<Compared>) {
        match &rule.condition {
            condition if is_of_values(condition) => self.judge_again(rule, at),
            Condition::State { states, causes } => (self.is_in(states, causes), None),
            // What is waited for is waited for as before; anything else is found overdue in its time.
            _ if is_same => (None, None),
            _ => (Some(false), None),
        }
    }

    fn changed(&self, at: usize, rule: &CheckedRule) -> AlarmReason {
        let compared = self.slot.rules[at].compared;
        AlarmReason {
            measure: rule.condition.measure().map(|measure| measure.to_string()),
            value: compared.map(|compared| compared.value),
            limit: compared.and_then(|compared| crate::samples::limit_of(&rule.condition, compared.value)),
            ..reason("rule_changed")
        }
    }

    fn tell_changed(&mut self, at: usize, rule: &CheckedRule) {
        if !self.slot.rules[at].life.is_open() {
            return;
        }
        let telling = self.telling(at, rule);
        self.slot.rules[at].told = Some(Box::new(telling));
        let why = self.changed(at, rule);
        self.tell_rule(at, AlarmChange::Changed, why);
    }

    /// An open alarm whose text or severity is another one than people were told.
    pub fn tell_if_other(&mut self, at: usize, rule: &CheckedRule) {
        let Some(told) = &self.slot.rules[at].told else { return };
        let telling: Told = self.telling(at, rule);
        if **told != telling {
            self.slot.rules[at].told = Some(Box::new(telling));
            let why = self.why_raised(at, rule);
            self.tell_rule(at, AlarmChange::Changed, why);
        }
    }
}

/// What a rule looks at: two versions with another one have nothing to compare.
pub fn shape_of(condition: &Condition) -> u64 {
    let measure = condition.measure().map_or("", |measure| measure);
    crate::hash::hash_64(&[condition.as_str().as_bytes(), measure.as_bytes()])
}

pub fn with_detail(word: &str, detail: &str) -> AlarmReason {
    AlarmReason {
        detail: Some(detail.to_owned()),
        ..reason(word)
    }
}
