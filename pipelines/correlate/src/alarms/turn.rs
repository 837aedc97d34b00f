//! One input about one entity.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{EntityId, Micros};
use runtime::{Change, Deadline, Now, Out, Reason, StateKey, Verdict};
use schemas::AlarmTransitionView;
use schemas::network::{AlarmChange, AlarmNews, IncidentNews, NetworkEvent};
use topology::Topic;
use xxhash_rust::xxh3::xxh3_128;

use super::Slot;
use super::entry::{Entry, Hush, OperatorState, TEXT_BYTES_MAX, cut};
use super::held::Held;
use super::row::Row;
use super::silence::Matcher;

/// Timer: a silence of one of its alarms is over.
pub const UNTIL: u8 = 1;
/// Timer: a cleared alarm is a year old, or an act has been remembered for long enough.
pub const YEAR: u8 = 2;
/// A cleared alarm's row is kept this long. Log time, microseconds.
pub const KEPT_MICROS: i64 = 365 * 86_400 * Micros::SECOND;
/// An act on what has no alarm is remembered this long. Log time, microseconds.
const ACT_MICROS: i64 = 3_600 * Micros::SECOND;

/// Who did something, for the transition.
#[derive(Debug, Clone, Copy, Default)]
pub struct By<'a> {
    pub actor: Option<&'a str>,
    pub act_id: Option<&'a str>,
    pub text: Option<&'a str>,
    pub refusal: Option<&'static str>,
}

/// One input.
pub struct Turn<'a> {
    pub entity: EntityId,
    before: Option<&'a Held>,
    pub held: Held,
    silences: &'a BTreeMap<StateKey, Arc<Matcher>>,
    pub now: &'a Now,
    pub out: &'a mut Out<NetworkEvent>,
}

impl<'a> Turn<'a> {
    /// Begins. `None` if the key is no entity.
    pub fn new(
        key: &str,
        before: Option<&'a Held>,
        silences: &'a BTreeMap<StateKey, Arc<Matcher>>,
        now: &'a Now,
        out: &'a mut Out<NetworkEvent>,
    ) -> Option<Self> {
        Some(Self {
            entity: EntityId::parse(key).ok()?,
            before,
            held: before.cloned().unwrap_or_default(),
            silences,
            now,
            out,
        })
    }

    /// `detect` says something of an alarm.
    pub fn alarm(&mut self, news: &AlarmNews) -> Reason {
        if *self.held.about != *news.about {
            self.held.about = news.about.clone();
        }
        let newest = self.held.alarms.iter().rposition(|a| a.is_known_as(&news.alarm_id));
        let Some(at) = newest else {
            return match news.what {
                AlarmChange::Raised | AlarmChange::Changed => self.raise(news, news.alarm_id.clone(), "raised"),
                AlarmChange::Reopened => self.raise(news, news.alarm_id.clone(), "reopened"),
                _ => Reason::Absorbed("alarm_unknown"),
            };
        };
        match news.what {
            AlarmChange::Raised | AlarmChange::Reopened => self.raise_again(at, news),
            AlarmChange::Changed => self.change(at, news),
            AlarmChange::Cleared => self.clear(at, news),
            AlarmChange::Suppressed => self.show(at, "suppressed", |entry| entry.suppressed = true),
            AlarmChange::Unsuppressed => self.show(at, "unsuppressed", |entry| entry.suppressed = false),
        }
    }

    fn raise(&mut self, news: &AlarmNews, id: Arc<str>, transition: &'static str) -> Reason {
        // One of its kind stands at a time: the end of the one before was not told.
        let kind = |a: &Entry| (&*a.alarm_type, &*a.qualifier) == (&*news.slot.alarm_type, &*news.slot.qualifier);
        if let Some(at) = self.held.alarms.iter().position(|a| a.raised && kind(a)) {
            self.end_condition(at, news.observed_at, By::default());
        }
        let Some(gone) = self.held.make_room() else {
            return Reason::Filtered("too_many_alarms");
        };
        self.delete_rows(&gone);
        let mut entry = Entry::of(news, self.now.log_time);
        entry.known_as = (id != news.alarm_id).then(|| news.alarm_id.clone());
        entry.id = id;
        entry.incident.clone_from(&self.held.incident);
        entry.matched = self.matched(&entry);
        self.held.alarms.push(entry);
        self.say(self.held.alarms.len() - 1, transition, By::default());
        Reason::Did(transition)
    }

    /// One that was cleared goes on. What an operator ended does not: it is another one.
    fn raise_again(&mut self, at: usize, news: &AlarmNews) -> Reason {
        let entry = &mut self.held.alarms[at];
        if entry.raised {
            return self.change(at, news);
        }
        if entry.operator == OperatorState::Closed {
            return self.raise_anew(news);
        }
        entry.raised = true;
        entry.cleared_at = None;
        entry.reopened = entry.reopened.saturating_add(1);
        entry.describe(news);
        entry.incident.clone_from(&self.held.incident);
        let matched = self.matched(&self.held.alarms[at]);
        self.held.alarms[at].matched = matched;
        self.say(at, "reopened", By::default());
        Reason::Did("reopened")
    }

    fn raise_anew(&mut self, news: &AlarmNews) -> Reason {
        let named = format!("{}\n{}", news.alarm_id, self.now.position);
        let news = AlarmNews {
            raised_at: news.observed_at,
            raise_position: self.now.position,
            ..news.clone()
        };
        let id = format!("a-{:032x}", xxh3_128(named.as_bytes()));
        self.raise(&news, id.into(), "raised")
    }

    fn change(&mut self, at: usize, news: &AlarmNews) -> Reason {
        let entry = &mut self.held.alarms[at];
        match (entry.raised, entry.operator) {
            // It was ended while it was less bad than it is now.
            (false, OperatorState::Closed) if news.severity < entry.severity => return self.raise_anew(news),
            (false, OperatorState::Closed) => return Reason::Absorbed("alarm_closed"),
            (false, _) => return Reason::Absorbed("alarm_cleared"),
            (true, _) => {}
        }
        let reason = entry.reason.clone();
        if !entry.describe(news) {
            entry.reason = reason;
            return Reason::Absorbed("alarm_known");
        }
        self.say(at, "changed", By::default());
        Reason::Did("changed")
    }

    fn clear(&mut self, at: usize, news: &AlarmNews) -> Reason {
        let entry = &mut self.held.alarms[at];
        if !entry.raised {
            return Reason::Absorbed("alarm_cleared");
        }
        entry.describe(news);
        self.end_condition(at, news.observed_at, By::default());
        Reason::Did("cleared")
    }

    /// It no longer stands, and nobody has to be spared of it any more.
    pub fn end_condition(&mut self, at: usize, cleared_at: Micros, by: By<'_>) {
        let entry = &mut self.held.alarms[at];
        entry.raised = false;
        entry.cleared_at = Some(cleared_at);
        entry.hushed = None;
        entry.matched = None;
        entry.suppressed = false;
        self.say(at, "cleared", by);
        let gone = self.held.forget_cleared();
        self.delete_rows(&gone);
    }

    /// `correlate` says whose symptoms its alarms are.
    pub fn incident(&mut self, news: &IncidentNews) -> Reason {
        let id = news.incident.incident_id.as_str();
        let is_this = self.held.incident.as_deref() == Some(id);
        if news.takes.contains(&self.entity) {
            if !is_this {
                self.held.incident = Some(id.into());
            }
            return self.symptoms("inhibited", &news.incident.text);
        }
        if !is_this {
            return Reason::Absorbed("other_incident");
        }
        self.held.incident = None;
        self.symptoms("uninhibited", &news.incident.text)
    }

    fn symptoms(&mut self, transition: &'static str, why: &str) -> Reason {
        let mut did = Reason::Absorbed("no_alarm");
        for at in 0..self.held.alarms.len() {
            let entry = &mut self.held.alarms[at];
            // What has cleared stays what it was.
            if entry.raised && entry.incident != self.held.incident {
                entry.incident.clone_from(&self.held.incident);
                let text = Some(cut(why, TEXT_BYTES_MAX));
                self.say(at, transition, By { text, ..By::default() });
                did = Reason::Did(transition);
            }
        }
        did
    }

    /// Silences are other ones, or over.
    pub fn silences(&mut self) -> Reason {
        let now = self.now.log_time;
        let mut did = Reason::Absorbed("silence_same");
        for at in 0..self.held.alarms.len() {
            if !self.held.alarms[at].raised {
                continue;
            }
            let matched = self.matched(&self.held.alarms[at]);
            let entry = &mut self.held.alarms[at];
            let before = entry.hush();
            entry.hushed = entry.hushed.filter(|&until| until > now);
            entry.matched = matched;
            let transition = match entry.hush() {
                after if after == before => continue,
                Some(_) => "silenced",
                None => "unsilenced",
            };
            self.say(at, transition, By::default());
            did = Reason::Did(transition);
        }
        did
    }

    /// The silence by matcher that lasts longest.
    fn matched(&self, entry: &Entry) -> Option<Hush> {
        let holds = |m: &&Arc<Matcher>| {
            m.until > self.now.log_time && m.fits(&self.entity, &self.held.about, &entry.alarm_type)
        };
        let longest = self.silences.values().filter(holds).max_by_key(|m| m.until)?;
        Some(Hush {
            until: longest.until,
            silence: Some(longest.id.clone()),
        })
    }

    /// Changes who hides an alarm, and says so if a reader can tell.
    fn show(&mut self, at: usize, transition: &'static str, change: impl FnOnce(&mut Entry)) -> Reason {
        let entry = &mut self.held.alarms[at];
        let before = entry.visibility();
        change(entry);
        if !entry.raised || entry.visibility() == before {
            return Reason::Absorbed("alarm_hidden");
        }
        self.say(at, transition, By::default());
        Reason::Did(transition)
    }

    /// What is a year old goes.
    pub fn year(&mut self) -> Reason {
        let now = self.now.log_time;
        let is_old = |a: &Entry| !a.raised && now.since(a.changed_at) >= KEPT_MICROS;
        let old = self.held.alarms.iter().filter(|a| is_old(a));
        let gone: Vec<Arc<str>> = old.map(|a| a.id.clone()).collect();
        self.held.alarms.retain(|a| !is_old(a));
        self.delete_rows(&gone);
        if self.held.alarms.is_empty() && now.since(self.held.acted_at) >= ACT_MICROS {
            self.held.acts.clear();
        }
        Reason::Did("forgotten")
    }

    /// Writes a transition and, unless it is a refusal, the row.
    pub fn say(&mut self, at: usize, transition: &'static str, by: By<'_>) {
        let is_change = by.refusal.is_none();
        if is_change {
            self.held.alarms[at].changed_at = self.now.log_time;
        }
        let entry = &self.held.alarms[at];
        let hush = entry.hush();
        let row = Row {
            entity: &self.entity,
            about: &self.held.about,
            now: self.now,
            wts: self.out.write_time(),
        };
        let row = row.of(entry, hush.as_ref());
        let said = AlarmTransitionView {
            alarm_id: &entry.id,
            root: self.entity.root_str(),
            transition,
            at: self.now.log_time,
            actor: by.actor,
            act_id: by.act_id,
            text: by.text,
            refusal: by.refusal,
            position: self.now.position.into(),
            alarm: Some(row),
        };
        self.out.record(Topic::AlarmTransitions, &*entry.id, said);
        if is_change {
            self.out.record(Topic::Alarms, &*entry.id, row);
        }
    }

    fn delete_rows(&mut self, gone: &[Arc<str>]) {
        gone.iter().for_each(|id| self.out.tombstone(Topic::Alarms, &**id));
    }

    /// Keeps what is worth keeping.
    pub fn end(self, reason: Reason) -> Verdict<Slot> {
        let Self { before, held, out, .. } = self;
        if held.is_empty() {
            let change = if before.is_some() { Change::Delete } else { Change::Keep };
            return Verdict { change, reason };
        }
        let raised = held.alarms.iter().filter(|a| a.raised);
        let untils = raised.flat_map(|a| a.hushed.into_iter().chain(a.matched.as_ref().map(|m| m.until)));
        let cleared = held.alarms.iter().filter(|a| !a.raised);
        let year = cleared.map(|a| a.changed_at.plus(KEPT_MICROS)).min();
        let act = (held.alarms.is_empty() && !held.acts.is_empty()).then(|| held.acted_at.plus(ACT_MICROS));
        for (id, at) in [(UNTIL, untils.min()), (YEAR, year.or(act))] {
            match at {
                Some(at) => out.set_timer(id, Deadline::LogTime(at)),
                None => out.cancel_timer(id),
            }
        }
        if before == Some(&held) {
            Verdict::keep(reason)
        } else {
            Verdict::put(Slot::Entity(Box::new(held)), reason)
        }
    }
}
