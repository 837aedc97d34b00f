//! The three steps in the production engine, behind a step that plays `status` and `detect`: it says what a script says.
//!
//! A line of a script is `PLACE STATE [CAUSE]` (a status, and with it the alarm `onu_offline`, `pon_down`, `board_failed` or
//! `olt_unreachable`), or `PLACE raise|clear|change|suppress|unsuppress TYPE [SEVERITY]` (an alarm alone).
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{EntityId, Micros, Position, Severity, State};
use pipeline_correlate::{Alarms, Correlate, Gather};
use runtime::{Chain, DeadReason, Input, Now, Out, Reason, StateKey, Step, StepDescription, Verdict};
use schemas::network::{
    self, About, AlarmChange, AlarmNews, AlarmOrigin, AlarmSlot, NetworkEvent, Observed, StatusNews,
};
use schemas::{Alarm, AlarmReason, AlarmTransition, AnyRecord, Incident, OperatorActed, SourceHeartbeat};
use serde::{Deserialize, Serialize};
use testkit::Driver;
use topology::Topic;

pub const ROOT: &str = "default/olt/rjo-01";

/// The chain under test.
pub fn chain() -> Chain<NetworkEvent> {
    Chain::outside_topology(|record, key| {
        network::decode(record, key).map_err(|reason| DeadReason::text(reason, "not a record of observations"))
    })
    .step(Script)
    .step(Gather::default())
    .step(Correlate)
    .step(Alarms::default())
}

/// A record that makes the script say this.
pub fn said(root: &str, lines: &str) -> AnyRecord {
    SourceHeartbeat {
        root: root.to_owned(),
        connector: lines.to_owned(),
        sent_at: Micros(0),
    }
    .into()
}

/// What the script remembers of an entity.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Played {
    state: Option<State>,
    since: Micros,
    /// Alarm type to (id, position of the raise, whether it stands).
    alarms: BTreeMap<String, (String, Position, bool)>,
}

/// Plays `status` and `detect`.
#[derive(Debug, Clone, Copy)]
pub struct Script;

fn lines_of<'a>(event: &'a NetworkEvent, root: &mut String) -> Option<&'a str> {
    let NetworkEvent::Observed(observed) = event else {
        return None;
    };
    let Observed::Heartbeat(heartbeat) = &**observed else {
        return None;
    };
    root.clone_from(&heartbeat.root);
    Some(&heartbeat.connector)
}

fn entity(root: &str, place: &str) -> String {
    if place == "olt" {
        root.to_owned()
    } else {
        format!("{root}/{place}")
    }
}

impl Step for Script {
    type Event = NetworkEvent;
    type State = Played;

    fn describe(&self) -> StepDescription {
        StepDescription {
            number: 1,
            name: "script",
            reads: "lines",
            writes: &[],
            key: "entity",
            state: "what was said last",
            time: "none",
            guarantee: "none",
            format: 1,
        }
    }

    fn keys(&self, event: &NetworkEvent, keys: &mut Vec<StateKey>) {
        let mut root = String::new();
        let Some(lines) = lines_of(event, &mut root) else {
            return;
        };
        for line in lines.lines() {
            let place = line.split_whitespace().next().expect("a place");
            keys.push(entity(&root, place).into());
        }
    }

    fn apply(
        &self,
        key: &StateKey,
        state: Option<&Played>,
        input: Input<'_, NetworkEvent>,
        now: &Now,
        out: &mut Out<NetworkEvent>,
    ) -> Verdict<Played> {
        let Input::Event(event) = input else {
            unreachable!("no timers")
        };
        let (mut root, mut played) = (String::new(), state.cloned().unwrap_or_default());
        for line in lines_of(event, &mut root).unwrap().lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            if entity(&root, words[0]) == **key {
                played.say(&EntityId::parse(key).unwrap(), &words[1..], now, out);
            }
        }
        Verdict::put(played, Reason::Did("said"))
    }
}

impl Played {
    fn say(&mut self, entity: &EntityId, words: &[&str], now: &Now, out: &mut Out<NetworkEvent>) {
        let change = match words[0] {
            "raise" => AlarmChange::Raised,
            "clear" => AlarmChange::Cleared,
            "change" => AlarmChange::Changed,
            "suppress" => AlarmChange::Suppressed,
            "unsuppress" => AlarmChange::Unsuppressed,
            _ => return self.status(entity, words, now, out),
        };
        let severity = words.get(2).map_or(Severity::Minor, |s| s.parse().unwrap());
        self.alarm(entity, change, words[1], severity, now, out);
    }

    fn status(&mut self, entity: &EntityId, words: &[&str], now: &Now, out: &mut Out<NetworkEvent>) {
        let state: State = words[0].parse().unwrap();
        if self.state == Some(state) && words.get(1).is_none() {
            return;
        }
        if self.state != Some(state) {
            self.since = now.log_time;
        }
        out.event(NetworkEvent::Status(Box::new(StatusNews {
            entity: entity.clone(),
            was: self.state,
            state: Some(state),
            cause: words.get(1).map(|cause| cause.parse().unwrap()),
            since: self.since,
            observed_at: now.log_time,
            received_at: now.log_time,
            about: None,
        })));
        self.state = Some(state);
        let alarm_type = match entity.kind() {
            model::Kind::Onu => "onu_offline",
            model::Kind::Pon => "pon_down",
            model::Kind::Board => "board_failed",
            _ => "olt_unreachable",
        };
        match state {
            State::Unknown => {}
            _ if state.is_out() => self.alarm(entity, AlarmChange::Raised, alarm_type, Severity::Minor, now, out),
            _ => self.alarm(entity, AlarmChange::Cleared, alarm_type, Severity::Minor, now, out),
        }
    }

    fn alarm(
        &mut self,
        entity: &EntityId,
        what: AlarmChange,
        alarm_type: &str,
        severity: Severity,
        now: &Now,
        out: &mut Out<NetworkEvent>,
    ) {
        let slot = AlarmSlot {
            entity: entity.clone(),
            alarm_type: alarm_type.into(),
            qualifier: "".into(),
        };
        let known = self.alarms.get(alarm_type).cloned();
        let (id, raised_at) = match (what, known) {
            (AlarmChange::Raised, Some((_, _, true))) => return,
            (AlarmChange::Raised, _) => (
                format!("a-{entity}-{alarm_type:.20}-{}", now.position.offset),
                now.position,
            ),
            (AlarmChange::Cleared, Some((id, at, true))) => (id, at),
            (AlarmChange::Cleared, _) => return,
            (_, Some((id, at, _))) => (id, at),
            _ => return,
        };
        let stands = what != AlarmChange::Cleared;
        self.alarms
            .insert(alarm_type.to_owned(), (id.clone(), raised_at, stands));
        out.event(NetworkEvent::Alarm(Box::new(AlarmNews {
            slot,
            alarm_id: id.into(),
            what,
            origin: AlarmOrigin::Device,
            severity,
            text: format!("{alarm_type} of {entity}"),
            reason: reason(if stands { "trap" } else { "state_left" }),
            raised_at: now.log_time,
            observed_at: now.log_time,
            raise_position: raised_at,
            is_old: false,
            about: Arc::new(About {
                site: Some("RJO".into()),
                ..About::default()
            }),
        })));
    }
}

pub fn reason(word: &str) -> AlarmReason {
    AlarmReason {
        word: word.into(),
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

/// The engine with the chain, and what it has written.
pub struct World {
    pub driver: Driver<NetworkEvent>,
    pub root: String,
    acts: u32,
}

impl Default for World {
    fn default() -> Self {
        let mut driver = Driver::with(1, 1, chain);
        driver.tick(1_000);
        Self {
            driver,
            root: ROOT.to_owned(),
            acts: 0,
        }
    }
}

impl World {
    /// Lines of a script in one record.
    pub fn say(&mut self, lines: &str) {
        let record = said(&self.root, lines);
        self.driver.pipe(&self.root.clone(), record);
    }

    /// Each ONU of a port with its own record, as traps come.
    pub fn traps(&mut self, pon: &str, ids: impl IntoIterator<Item = u16>, words: &str) {
        for id in ids {
            self.say(&format!("onu/{pon}/{id} {words}"));
        }
    }

    /// All ONUs of a port in one record, as a reading comes.
    pub fn reading(&mut self, pon: &str, ids: impl IntoIterator<Item = u16>, words: &str) {
        let lines: Vec<String> = ids.into_iter().map(|id| format!("onu/{pon}/{id} {words}")).collect();
        self.say(&lines.join("\n"));
    }

    /// Ticks of a second.
    pub fn seconds(&mut self, n: u32) {
        for _ in 0..n {
            self.driver.tick(1_000);
        }
    }

    /// A person acts on the alarm; its id.
    pub fn act(&mut self, alarm: &Alarm, act: &str, actor: &str) -> String {
        self.acts += 1;
        let act_id = format!("act-{}", self.acts);
        self.act_as(&alarm.entity.clone(), &alarm.alarm_id.clone(), &act_id, act, actor);
        act_id
    }

    /// A person acts.
    pub fn act_as(&mut self, entity: &str, alarm_id: &str, act_id: &str, act: &str, actor: &str) {
        let until = (act == "silence").then(|| self.driver.now().plus(600 * Micros::SECOND));
        let record = OperatorActed {
            root: self.root.clone(),
            entity: entity.to_owned(),
            alarm_id: alarm_id.to_owned(),
            act_id: act_id.to_owned(),
            act: act.to_owned(),
            actor: actor.to_owned(),
            at: self.driver.now(),
            text: Some(format!("{actor} says so")),
            until,
        };
        self.driver.pipe(&self.root.clone(), record);
    }

    /// Transitions so far.
    pub fn transitions(&self) -> Vec<AlarmTransition> {
        let seen = self.driver.outputs(Topic::AlarmTransitions).into_iter();
        seen.filter_map(|seen| match seen.record {
            Some(AnyRecord::AlarmTransition(t)) => Some(t),
            _ => None,
        })
        .collect()
    }

    /// The transitions of an entity, in words.
    pub fn story(&self, place: &str) -> String {
        let entity = entity(&self.root, place);
        let told = self.transitions().into_iter();
        let told = told.filter(|t| t.alarm.as_ref().is_none_or(|alarm| alarm.entity == entity));
        let words: Vec<String> = told
            .map(|t| match t.refusal {
                Some(refusal) => format!("refused({refusal})"),
                None => t.transition,
            })
            .collect();
        words.join(" ")
    }

    /// The newest row of each alarm, by its transitions (fast: no commit is waited for).
    pub fn alarms(&self) -> BTreeMap<String, Alarm> {
        let told = self.transitions().into_iter().filter_map(|t| t.alarm);
        told.map(|alarm| (alarm.alarm_id.clone(), alarm)).collect()
    }

    /// The newest alarm of an entity.
    pub fn alarm(&self, place: &str) -> Alarm {
        let entity = entity(&self.root, place);
        let told = self.transitions().into_iter().filter_map(|t| t.alarm);
        told.rev()
            .find(|alarm| alarm.entity == entity)
            .expect("it has an alarm")
    }

    /// Alarms that stand and are shown, by entity.
    pub fn shown(&self) -> BTreeSet<String> {
        let alarms = self.alarms().into_values();
        let shown = alarms.filter(|a| a.condition == "raised" && a.visibility == "shown");
        shown.map(|a| a.entity).collect()
    }

    /// The newest row of each incident, oldest first.
    pub fn incidents(&mut self) -> Vec<Incident> {
        assert!(self.driver.commit());
        let table = self.driver.table(Topic::Incidents);
        let mut rows: Vec<Incident> = table
            .into_values()
            .map(|record| match record {
                AnyRecord::Incident(row) => row,
                other => panic!("not an incident: {other:?}"),
            })
            .collect();
        rows.sort_by_key(|row| (row.began_at, row.incident_id.clone()));
        rows
    }

    /// Verdict, state, place, lost and still lost of each incident.
    pub fn verdicts(&mut self) -> Vec<String> {
        let rows = self.incidents();
        let below = |row: &Incident| {
            row.entity
                .strip_prefix(&*row.root)
                .unwrap()
                .trim_start_matches('/')
                .to_owned()
        };
        rows.iter()
            .map(|row| {
                let place = below(row);
                let place = if place.is_empty() { "olt" } else { &*place };
                format!("{} {} {place} {}/{}", row.state, row.verdict, row.still_lost, row.lost)
            })
            .collect()
    }

    /// Nothing was refused on the way.
    pub fn assert_no_dead_letters(&self) {
        let outcomes = self.driver.outcomes();
        assert!(outcomes.dead_lettered.is_empty(), "{outcomes:?}");
    }
}
