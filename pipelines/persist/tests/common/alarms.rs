//! Records of alarms and what is around them.

use model::Micros;
use schemas::{Alarm, AlarmComment, AlarmReason, AlarmTransition, FlapPolicy, Incident, Rule, Scope, Silence};
use topology::Topic;

use super::{Feed, ROOT, base, onu, position};

fn at(offset: u64) -> Micros {
    base().plus(i64::try_from(offset).unwrap() * 1_000)
}

pub fn alarm(id: &str, entity: &str, condition: &str, offset: u64) -> Alarm {
    let cleared = condition == "cleared";
    Alarm {
        alarm_id: id.into(),
        entity: entity.into(),
        root: ROOT.into(),
        kind: "onu".into(),
        site: Some("RJO".into()),
        name: None,
        serial: None,
        alarm_type: "onu-rx-low".into(),
        qualifier: String::new(),
        origin: "rule".into(),
        rule_id: Some("onu-rx-low".into()),
        rule_version: Some(2),
        rule_name: Some("Weak light".into()),
        severity: "minor".into(),
        condition: condition.into(),
        operator_state: "acknowledged".into(),
        visibility: "shown".into(),
        text: "weak light, <b>\"look\"</b>\nat it".into(),
        reason: AlarmReason {
            word: if cleared { "within_limits" } else { "below" }.into(),
            measure: Some("onu_rx_power".into()),
            value: Some(-28.1),
            unit: Some("dBm".into()),
            limit: Some(-27.0),
            observed_at: Some(Micros(at(offset).0 + 17)),
            held_s: Some(61),
            state: None,
            cause: None,
            detail: None,
        },
        raised_at: at(1),
        cleared_at: cleared.then(|| at(offset)),
        changed_at: at(offset),
        acknowledged_at: Some(at(offset)),
        acknowledged_by: Some("ana".into()),
        silenced_until: None,
        silence_id: None,
        comments: vec![AlarmComment {
            at: Micros(at(offset).0 + 1),
            actor: "ana".into(),
            text: "two\nlines".into(),
        }],
        incident_id: Some("i-1".into()),
        reopened: 1,
        is_old: false,
        raise_position: position(1).into(),
        position: position(offset).into(),
        wts: at(offset).plus(7),
    }
}

pub fn transition(alarm: Alarm, transition: &str) -> AlarmTransition {
    AlarmTransition {
        alarm_id: alarm.alarm_id.clone(),
        root: alarm.root.clone(),
        transition: transition.into(),
        at: alarm.changed_at,
        actor: None,
        act_id: None,
        text: None,
        refusal: None,
        position: alarm.position,
        alarm: Some(alarm),
    }
}

/// What `alarms` writes about one input.
pub fn say(feed: &Feed, alarm: Alarm, word: &str) {
    let (id, offset) = (alarm.alarm_id.clone(), alarm.position.position().offset);
    feed.put(Topic::AlarmTransitions, &id, offset, transition(alarm.clone(), word));
    feed.put(Topic::Alarms, &id, offset, alarm);
}

pub fn incident(id: &str, state: &str, offset: u64) -> Incident {
    Incident {
        incident_id: id.into(),
        root: ROOT.into(),
        entity: format!("{ROOT}/pon/0/1/0"),
        site: Some("RJO".into()),
        state: state.into(),
        verdict: "feeder".into(),
        confidence: 0.93,
        severity: "critical".into(),
        text: "feeder cut".into(),
        lost: 2,
        still_lost: 1,
        total: 64,
        gasps: 0,
        dark: 2,
        began_at: at(1),
        ended_at: (state == "closed").then(|| at(offset)),
        changed_at: at(offset),
        affected: vec![format!("{ROOT}/onu/0/1/0/1"), format!("{ROOT}/onu/0/1/0/2")],
        affected_more: 0,
        pons: vec![],
        position: position(offset).into(),
        wts: at(offset).plus(7),
    }
}

fn scope() -> Scope {
    Scope {
        tenant: None,
        kind: Some("onu".into()),
        vendor: None,
        family: None,
        model: None,
        site: None,
        entity: Some("default/olt/*".into()),
    }
}

pub fn rule(id: &str, version: i64) -> Rule {
    Rule {
        rule_id: id.into(),
        version,
        writer: "api-1".into(),
        at: at(3),
        author: "ana".into(),
        removed: false,
        enabled: true,
        name: "Weak light".into(),
        description: None,
        severity: "minor".into(),
        condition: "below".into(),
        measure: Some("onu_rx_power".into()),
        low: Some(-27.0),
        high: None,
        window_s: None,
        states: vec!["offline".into(), "absent".into()],
        causes: vec![],
        dead_band: 0.5,
        raise_after_s: 60,
        clear_after_s: 120,
        reraise_after_s: 600,
        message: "{name} receives {value} {unit}".into(),
        scope: scope(),
        flap: Some(FlapPolicy {
            penalty: 1_000.0,
            half_life_s: 900,
            suppress: 3_000.0,
            reuse: 1_000.0,
            ceiling: 12_000.0,
        }),
    }
}

pub fn silence(id: &str) -> Silence {
    Silence {
        silence_id: id.into(),
        version: 1,
        writer: "api-1".into(),
        at: at(3),
        author: "ana".into(),
        removed: false,
        scope: scope(),
        alarm_type: None,
        until: at(1_000),
        reason: "works on the pole".into(),
    }
}

/// An alarm's life: raised, acknowledged, cleared; and what is around it.
pub fn alarm_life(feed: &Feed) {
    for (offset, condition, word) in [
        (1, "raised", "raised"),
        (2, "raised", "acknowledged"),
        (3, "cleared", "cleared"),
    ] {
        say(feed, alarm("a-1", &onu(5), condition, offset), word);
    }
    say(feed, alarm("a-2", &onu(6), "raised", 4), "raised");
    feed.put(Topic::Incidents, "i-1", 1, incident("i-1", "open", 1));
    feed.put(Topic::Incidents, "i-1", 6, incident("i-1", "closed", 6));
    feed.put(Topic::Rules, "onu-rx-low#1#api-1", 8, rule("onu-rx-low", 1));
    feed.put(Topic::Rules, "onu-rx-low#2#api-1", 9, rule("onu-rx-low", 2));
    feed.put(Topic::Rules, "s-1#1#api-1", 10, silence("s-1"));
}
