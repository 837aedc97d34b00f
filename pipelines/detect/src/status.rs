//! The status of the entity: what rules over states say of it, and what else it ends.

use std::sync::Arc;

use model::{Cause, State};
use runtime::Reason;
use schemas::network::{About, StatusNews};
use schemas::rules::Condition;

use crate::adopt::with_detail;
use crate::slot::{ABOUT_BYTES_MAX, Known, cut};
use crate::turn::Turn;

impl Turn<'_> {
    pub fn status(&mut self, news: &StatusNews) -> Reason {
        let Some(state) = news.state else {
            self.end_all("removed", |_| true);
            self.is_gone = true;
            return Reason::Did("removed");
        };
        let was = self.slot.known.map(|known| known.state);
        self.slot.known = Some(Known {
            state,
            cause: news.cause,
            since: news.since,
            observed_at: news.observed_at,
        });
        self.came_back(was);
        if let Some(about) = &news.about {
            self.slot.about = Some(bounded(about));
        }
        if state == State::Absent {
            // What is gone has no values, and a device says nothing of it any more.
            self.end_all("absent", |condition| !matches!(condition, Condition::State { .. }));
        }
        self.explained(state);
        if news.about.is_some() {
            // Rules that apply by what is known of it may no longer, or from now on.
            self.adopt_anew();
        } else {
            self.judge_states();
        }
        Reason::Absorbed("status")
    }

    /// Ends what devices say, and the alarms of rules with such conditions.
    fn end_all(&mut self, detail: &str, of: impl Fn(&Condition) -> bool) {
        let index = self.index;
        for at in 0..self.slot.rules.len() {
            let rule = index.rule(&self.slot.rules[at].rule_id);
            if rule.is_none_or(|rule| of(&rule.condition)) {
                self.end_rule(at, with_detail("out_of_scope", detail));
            }
        }
        for at in 0..self.slot.device.len() {
            self.end_device(at, with_detail("out_of_scope", detail), None);
        }
    }

    /// What rules over states say of the present one.
    pub fn judge_states(&mut self) {
        let Some(known) = self.slot.known else { return };
        let index = self.index;
        for rule in index.of_state() {
            let Condition::State { states, causes } = &rule.condition else {
                continue;
            };
            let place = self.slot.rule(&rule.rule_id).ok();
            let holds = self.is_in(states, causes);
            if (place.is_none() && holds != Some(true)) || !self.fits(rule) {
                continue;
            }
            let Some(place) = place.or_else(|| self.state_of(rule)) else {
                continue;
            };
            if let Some(on) = holds {
                self.slot.rules[place].life.turn(on, known.since, self.now.observed);
            }
            if holds == Some(true) {
                self.tell_if_other(place, rule);
            }
        }
    }

    /// Whether it is in one of these states; `None` if that cannot be seen: what was true of it stays so.
    pub fn is_in(&self, states: &[State], causes: &[Cause]) -> Option<bool> {
        let known = self.slot.known?;
        let is_cause = causes.is_empty() || causes.contains(&known.cause.unwrap_or(Cause::Unknown));
        match states.contains(&known.state) {
            false if known.state == State::Unknown => None,
            is_state => Some(is_state && is_cause),
        }
    }
}

/// With texts of bearable length.
fn bounded(about: &Arc<About>) -> Arc<About> {
    let is_long = |text: &Option<String>| text.as_ref().is_some_and(|text| text.len() > ABOUT_BYTES_MAX);
    let About {
        vendor,
        family,
        model,
        site,
        name,
        serial,
    } = &**about;
    if ![vendor, family, model, site, name, serial].into_iter().any(is_long) {
        return about.clone();
    }
    let short = |text: &Option<String>| text.as_deref().map(|text| cut(text, ABOUT_BYTES_MAX).to_owned());
    Arc::new(About {
        vendor: short(vendor),
        family: short(family),
        model: short(model),
        site: short(site),
        name: short(name),
        serial: short(serial),
    })
}
