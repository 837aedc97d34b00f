//! One call for one entity: what it was, what becomes of it, and what is told.

use std::sync::Arc;

use model::{EntityId, Micros};
use runtime::{Change, Deadline, Input, Now, Out, Reason, Verdict};
use schemas::network::{About, NetworkEvent, Observed};
use schemas::rules::{CheckedRule, Condition};

use crate::device;
use crate::index::{Index, RootView};
use crate::life::Pace;
use crate::silence::FLOOR;
use crate::slot::{Entity, RULES_MAX, RuleState, Slot, WINDOWS_MAX};
use crate::{TIMER_DELAY, TIMER_RULE};

/// One call.
pub struct Turn<'a> {
    pub index: &'a Index,
    pub id: &'a EntityId,
    pub before: Option<&'a Entity>,
    pub slot: Entity,
    pub now: &'a Now,
    pub out: &'a mut Out<NetworkEvent>,
    /// How its root is watched.
    pub root: Option<&'a RootView>,
    /// Alarms were told.
    pub told: bool,
    /// The entity is gone.
    pub is_gone: bool,
    /// Something was over a bound.
    pub refused: Option<&'static str>,
}

impl<'a> Turn<'a> {
    pub fn new(
        index: &'a Index,
        id: &'a EntityId,
        before: Option<&'a Entity>,
        now: &'a Now,
        out: &'a mut Out<NetworkEvent>,
    ) -> Self {
        Self {
            index,
            id,
            before,
            slot: Entity::default(),
            now,
            out,
            root: index.root(id.root_str()),
            told: false,
            is_gone: false,
            refused: None,
        }
    }

    /// Nothing can come of it, so nothing needs to be copied. Otherwise the entity is made ready to be changed.
    pub fn is_idle(&mut self, input: &Input<'_, NetworkEvent>) -> bool {
        let nothing_said = match input {
            Input::Event(event @ NetworkEvent::Polled(_)) => event.samples().is_none(),
            Input::Event(NetworkEvent::Polling(polling)) => {
                let was_failing = self
                    .before
                    .and_then(|before| before.watch.as_deref())
                    .is_some_and(|watch| watch.is_failing);
                !was_failing && polling.failed.is_none()
            }
            _ => false,
        };
        let is_due = |before: &Entity| before.armed.is_some_and(|at| at <= self.now.observed);
        let digest = self.index.digest(self.id.root_str());
        let nothing_due = self
            .before
            .is_none_or(|before| before.adopted == digest && !is_due(before));
        if nothing_said && nothing_due {
            return true;
        }
        if let Some(before) = self.before {
            self.slot = before.clone();
        } else {
            self.slot.adopted = digest;
        }
        false
    }

    /// Takes what an event says.
    pub fn take(&mut self, event: &NetworkEvent) -> Reason {
        match event {
            NetworkEvent::Measured(_) | NetworkEvent::Polled(_) => match event.samples() {
                Some((_, samples)) => self.samples(samples),
                None => Reason::Absorbed("known"),
            },
            NetworkEvent::Status(news) => self.status(news),
            NetworkEvent::Happened(happening) => self.happened(happening),
            NetworkEvent::Listed(listed) => self.listed(listed),
            NetworkEvent::Polling(polling) => self.polling(polling),
            NetworkEvent::Observed(observed) if matches!(**observed, Observed::Heartbeat(_)) => self.heartbeat(),
            _ => Reason::Absorbed("not_mine"),
        }
    }

    /// One of its timers fired.
    pub fn fired(&mut self, timer: u8) {
        if timer == TIMER_DELAY {
            self.slot.armed = None;
        }
    }

    /// Ends every delay that has passed.
    pub fn pass(&mut self) {
        if self.is_gone {
            return;
        }
        self.wait_for_data();
        for at in 0..self.slot.rules.len() {
            self.settle_rule(at);
        }
        for at in 0..self.slot.device.len() {
            self.settle_device(at);
        }
    }

    /// Keeps what is to be remembered, and waits for the next delay.
    pub fn end(mut self, reason: Reason) -> Verdict<Slot> {
        let reason = match (self.told, self.refused) {
            (_, Some(word)) => Reason::Filtered(word),
            (true, None) => Reason::Did("alarm"),
            (false, None) => reason,
        };
        if self.is_gone {
            let change = if self.before.is_some() {
                Change::Delete
            } else {
                Change::Keep
            };
            return Verdict { change, reason };
        }
        self.forget();
        let next = self.next_deadline();
        if let Some(at) = next
            && self.slot.armed.is_none_or(|armed| at < armed)
        {
            self.slot.armed = Some(at);
            self.out.set_timer(TIMER_DELAY, Deadline::Observed(at));
        }
        let is_empty = self.before.is_none()
            && self.slot
                == Entity {
                    adopted: self.slot.adopted,
                    ..Entity::default()
                };
        if is_empty || self.before == Some(&self.slot) {
            return Verdict::keep(reason);
        }
        Verdict::put(Slot::Entity(Box::new(self.slot)), reason)
    }

    /// Drops what can no longer matter.
    fn forget(&mut self) {
        let (index, now) = (self.index, self.now);
        self.slot.rules.retain(|state| {
            let rule = index.rule(&state.rule_id);
            state.window.is_some() || !rule.is_some_and(|rule| state.life.is_over(&pace(rule), now))
        });
        self.slot.device.retain(|alarm| !device::is_forgotten(alarm, now));
    }

    fn next_deadline(&self) -> Option<Micros> {
        let rules = self.slot.rules.iter().filter_map(|state| {
            let rule = self.index.rule(&state.rule_id)?;
            state.life.deadline(&pace(rule))
        });
        let device = self
            .slot
            .device
            .iter()
            .filter_map(|alarm| alarm.life.deadline(&device::PACE));
        let silence = self.index.of_no_data().iter().filter_map(|rule| {
            let at = self.overdue_at(rule)?.at;
            // What is held back is looked at again: the soonest that it can be overdue after it is no longer held.
            Some(if at > self.now.observed {
                at
            } else {
                self.now.observed.plus(FLOOR)
            })
        });
        rules.chain(device).chain(silence).min()
    }

    /// Whether a rule applies to the entity.
    pub fn fits(&self, rule: &CheckedRule) -> bool {
        static NOTHING: About = About {
            vendor: None,
            family: None,
            model: None,
            site: None,
            name: None,
            serial: None,
        };
        let about = self.slot.about.as_deref().unwrap_or(&NOTHING);
        rule.scope.fits(self.id, about, self.site())
    }

    /// Its site, or its root's if it has none.
    pub fn site(&self) -> Option<&str> {
        let own = self.slot.about.as_deref().and_then(|about| about.site.as_deref());
        own.or_else(|| self.root.and_then(|root| root.site.as_deref()))
    }

    /// Where what is remembered for a rule is; `None` if there is no room for it.
    pub fn state_of(&mut self, rule: &CheckedRule) -> Option<usize> {
        let at = match self.slot.rule(&rule.rule_id) {
            Ok(at) => return Some(at),
            Err(at) => at,
        };
        let has_window = rule.condition.change().is_some();
        let windows = self.slot.rules.iter().filter(|state| state.window.is_some()).count();
        if self.slot.rules.len() >= RULES_MAX || (has_window && windows >= WINDOWS_MAX) {
            self.refused = Some("too_many_rules");
            return None;
        }
        self.slot.rules.insert(at, RuleState::new(rule));
        Some(at)
    }

    /// What is known of the entity, for those who read of its alarms.
    pub fn about(&self) -> Arc<About> {
        let about = self.slot.about.clone().unwrap_or_default();
        match (about.site.is_none(), self.site()) {
            (true, Some(site)) => Arc::new(About {
                site: Some(site.to_owned()),
                ..About::clone(&about)
            }),
            _ => about,
        }
    }
}

/// Delays and policy of a rule's alarms.
pub fn pace(rule: &CheckedRule) -> Pace {
    Pace {
        raise_after: rule.raise_after,
        clear_after: rule.clear_after,
        reraise_after: rule.reraise_after,
        flap: rule.flap,
    }
}

/// Whether a condition compares values as they come, and holds what it held without new ones.
pub fn is_of_values(condition: &Condition) -> bool {
    !matches!(condition, Condition::State { .. } | Condition::NoData { .. })
}

const _: () = assert!(TIMER_DELAY != TIMER_RULE);
