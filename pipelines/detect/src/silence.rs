//! No data: a measure that has not come for two and a half of its own intervals, at least five minutes.
//!
//! What is waited for is learned from the samples: the median of the last five intervals. A measure that came once has none, and is not
//! waited for. A rule without a measure waits for all that the entity has: it raises when every one of them is overdue.
//!
//! Nobody can measure what is out of service, nor what is behind a root that does not answer, whose connector is silent or whose
//! readings fail: then nothing is overdue, and when that ends everything gets its whole time again. It ends no alarm either.

use std::sync::Arc;

use model::{Micros, State};
use runtime::Reason;
use schemas::network::Polling;
use schemas::rules::{CheckedRule, Condition};

use crate::slot::{MeasureState, Watch};
use crate::turn::Turn;

/// Shortest time that a measure is waited for, in microseconds.
pub const FLOOR: i64 = 300 * Micros::SECOND;
/// A connector without a heartbeat for longer is silent: three are missing. In microseconds.
pub const SILENT: i64 = 30 * Micros::SECOND;
/// Readings that have to fail one after the other before nothing is waited for.
const FAILING: u32 = 2;

/// When something is overdue.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Overdue {
    /// In observed time.
    pub at: Micros,
    /// The newest sample, by its own time.
    pub newest: Micros,
    /// For how long it is waited.
    pub allowed: i64,
}

impl MeasureState {
    /// For how long the next sample is waited for; `None` as long as that is not known.
    fn allowed(&self) -> Option<i64> {
        let mut intervals = self.intervals.clone();
        intervals.sort_unstable();
        let median = intervals.get(intervals.len() / 2)?;
        Some((i64::from(*median) * Micros::SECOND * 5 / 2).max(FLOOR))
    }
}

impl Turn<'_> {
    /// When the data that a rule waits for is overdue, if nothing holds that back; `None`: it waits for nothing here, or has said so.
    pub fn overdue_at(&self, rule: &CheckedRule) -> Option<Overdue> {
        let Condition::NoData { measure } = &rule.condition else {
            return None;
        };
        let has_said = |at: usize| self.slot.rules[at].life.on;
        if self.slot.measures.is_empty() || self.slot.rule(&rule.rule_id).is_ok_and(has_said) || !self.fits(rule) {
            return None;
        }
        let back_at = self
            .slot
            .back_at
            .max(self.root.map_or(Micros(i64::MIN), |root| root.back_at));
        let waited = |state: &MeasureState| measure.as_ref().is_none_or(|measure| *measure == state.measure);
        let overdue = self
            .slot
            .measures
            .iter()
            .filter(|state| waited(state))
            .filter_map(|state| {
                let allowed = state.allowed()?;
                Some(Overdue {
                    at: state.arrived.max(back_at).plus(allowed),
                    newest: state.newest,
                    allowed,
                })
            });
        overdue.max_by_key(|overdue| overdue.at)
    }

    /// Nothing is overdue as long as nobody can measure.
    pub fn is_held(&self) -> bool {
        let is_silent = |beat: Micros| self.now.observed.since(beat) > SILENT;
        self.slot.is_out()
            || self
                .root
                .is_some_and(|root| root.is_away || root.heartbeat.is_some_and(is_silent))
    }

    /// Takes note of what is overdue.
    pub fn wait_for_data(&mut self) {
        let index = self.index;
        for rule in index.of_no_data() {
            let Some(overdue) = self.overdue_at(rule) else { continue };
            if overdue.at > self.now.observed || self.is_held() {
                continue;
            }
            if let Some(place) = self.state_of(rule) {
                let life = &mut self.slot.rules[place].life;
                life.turn(true, overdue.newest.plus(overdue.allowed), overdue.at);
            }
        }
    }

    /// A good sample of a measure came.
    pub fn data_came(&mut self, measure: &str) {
        let index = self.index;
        for rule in index.of_no_data() {
            let Condition::NoData { measure: waited } = &rule.condition else {
                continue;
            };
            if waited.as_ref().is_none_or(|waited| **waited == *measure)
                && let Ok(place) = self.slot.rule(&rule.rule_id)
            {
                self.slot.rules[place]
                    .life
                    .turn(false, self.now.log_time, self.now.observed);
            }
        }
    }

    /// A connector that measures watches this root.
    pub fn heartbeat(&mut self) -> Reason {
        let observed = self.now.observed;
        let watch = self.watch();
        if watch.heartbeat.is_some_and(|beat| observed.since(beat) > SILENT) {
            watch.back_at = observed;
        }
        watch.heartbeat = Some(observed);
        Reason::Absorbed("heartbeat")
    }

    /// How it went to read this root.
    pub fn polling(&mut self, polling: &Polling) -> Reason {
        let observed = self.now.observed;
        let fails = polling
            .failed
            .as_ref()
            .is_some_and(|failure| failure.is_unreachable || failure.in_a_row >= FAILING);
        let was_failing = self.slot.watch.as_deref().is_some_and(|watch| watch.is_failing);
        if fails && !was_failing {
            self.watch().is_failing = true;
        } else if polling.failed.is_none() && was_failing {
            let watch = self.watch();
            watch.is_failing = false;
            watch.back_at = observed;
        }
        Reason::Absorbed("polling")
    }

    pub fn watch(&mut self) -> &mut Watch {
        self.slot.watch.get_or_insert_default()
    }

    /// The entity's state is another one: out of service, or no longer.
    pub fn came_back(&mut self, was: Option<State>) {
        if was.is_some_and(State::is_out) && !self.slot.is_out() {
            self.slot.back_at = self.now.observed;
        }
    }
}

/// The measure that a rule waits for, for those who read of its alarm.
pub fn waited_for(rule: &CheckedRule) -> Option<&Arc<str>> {
    match &rule.condition {
        Condition::NoData { measure } => measure.as_ref(),
        _ => None,
    }
}
