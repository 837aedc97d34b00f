//! Records of alarms, as the steps write them.

use log::{Headers, Log, Record};
use model::{EntityId, Micros, Position, RecordId};
use schemas::{Alarm, AlarmReason, AlarmTransition, Incident};
use topology::{Topic, partition_of};

use super::{PARTITIONS, World, now};

pub const ONU: &str = "default/olt/a/onu/0/1/2/3";
pub const ROOT: &str = "default/olt/a";

pub fn position(root: &str, offset: u64) -> Position {
    Position {
        generation: 1,
        partition: partition_of(root, PARTITIONS),
        offset,
    }
}

/// A raised alarm, made by the input at `offset`; the later the offset, the later the raise.
pub fn alarm(id: &str, entity: &str, offset: u64) -> Alarm {
    let entity = EntityId::parse(entity).unwrap();
    let root = entity.root();
    let at = Micros(now().0 / 1_000 * 1_000 - 3_600 * Micros::SECOND + i64::try_from(offset).unwrap() * Micros::SECOND);
    let position = position(root.as_str(), offset);
    Alarm {
        alarm_id: id.into(),
        entity: entity.to_string(),
        root: root.as_str().into(),
        kind: entity.kind().as_str().into(),
        site: Some("RJO".into()),
        name: None,
        serial: None,
        alarm_type: "atalaia-onu-rx".into(),
        qualifier: String::new(),
        origin: "rule".into(),
        rule_id: Some("atalaia-onu-rx".into()),
        rule_version: Some(1),
        rule_name: Some("Weak light".into()),
        severity: "minor".into(),
        condition: "raised".into(),
        operator_state: "none".into(),
        visibility: "shown".into(),
        text: "weak light".into(),
        reason: AlarmReason {
            word: "below".into(),
            measure: Some("onu_rx_power".into()),
            value: Some(-28.25),
            unit: Some("dBm".into()),
            limit: Some(-27.0),
            observed_at: Some(at),
            held_s: Some(61),
            state: None,
            cause: None,
            detail: None,
        },
        raised_at: at,
        cleared_at: None,
        changed_at: at,
        acknowledged_at: None,
        acknowledged_by: None,
        silenced_until: None,
        silence_id: None,
        comments: vec![],
        incident_id: None,
        reopened: 0,
        is_old: false,
        raise_position: position.into(),
        position: position.into(),
        wts: at,
    }
}

/// The same alarm, cleared by the input at `offset`.
pub fn cleared(alarm: &Alarm, offset: u64) -> Alarm {
    let at = alarm.raised_at.plus(i64::try_from(offset).unwrap() * 1_000);
    Alarm {
        condition: "cleared".into(),
        cleared_at: Some(at),
        changed_at: at,
        position: position(&alarm.root, offset).into(),
        wts: at,
        ..alarm.clone()
    }
}

pub fn transition(alarm: Alarm, word: &str) -> AlarmTransition {
    AlarmTransition {
        alarm_id: alarm.alarm_id.clone(),
        root: alarm.root.clone(),
        transition: word.into(),
        at: alarm.changed_at,
        actor: None,
        act_id: None,
        text: None,
        refusal: None,
        position: alarm.position,
        alarm: Some(alarm),
    }
}

pub fn incident(id: &str, entity: &str, state: &str, offset: u64) -> Incident {
    let entity = EntityId::parse(entity).unwrap();
    let root = entity.root();
    let at = Micros(now().0 / 1_000 * 1_000);
    Incident {
        incident_id: id.into(),
        root: root.as_str().into(),
        entity: entity.to_string(),
        site: Some("RJO".into()),
        state: state.into(),
        verdict: "feeder".into(),
        confidence: 0.93,
        severity: "critical".into(),
        text: "128 ONUs lost their light".into(),
        lost: 128,
        still_lost: 128,
        total: 128,
        gasps: 0,
        dark: 128,
        began_at: at.plus(-60 * Micros::SECOND),
        ended_at: (state == "closed").then_some(at),
        changed_at: at,
        affected: vec![ONU.into()],
        affected_more: 0,
        pons: vec![],
        position: position(root.as_str(), offset).into(),
        wts: at,
    }
}

impl World {
    /// Writes what step `alarms` writes about one input: the transition at once, the alarm with the commit.
    pub fn alarm(&self, alarm: Alarm, word: &str) {
        self.transition(alarm.clone(), word);
        self.exact_alarm(alarm);
    }

    pub fn transition(&self, alarm: Alarm, word: &str) {
        let (id, root) = (alarm.alarm_id.clone(), alarm.root.clone());
        let record = RecordId::new(alarm.position.position(), 7, alarm.entity.as_bytes(), 0);
        self.append_keyed(
            Topic::AlarmTransitions,
            &id,
            &root,
            Some(transition(alarm, word).into()),
            Some(record),
        );
    }

    /// A transition, without waiting for it.
    pub fn transition_soon(&self, alarm: Alarm) {
        let id = RecordId::new(alarm.position.position(), 7, alarm.entity.as_bytes(), 0);
        let (key, partition) = (alarm.alarm_id.clone(), partition_of(&alarm.root, PARTITIONS));
        let value = self.log.codec().encode(&transition(alarm, "raised").into()).unwrap();
        let record = Record {
            topic: Topic::AlarmTransitions,
            partition,
            key: key.into(),
            value: Some(value.into()),
            headers: Headers {
                record_id: Some(id),
                ..Headers::default()
            },
        };
        self.producer.send(record, None).unwrap();
    }

    /// Whether the API has read the rules.
    pub fn api_is_ready(&self) -> bool {
        self.api.knows_rules()
    }

    pub fn exact_alarm(&self, alarm: Alarm) {
        let (id, root) = (alarm.alarm_id.clone(), alarm.root.clone());
        let record = RecordId::new(alarm.position.position(), 7, alarm.entity.as_bytes(), 1);
        self.append_keyed(Topic::Alarms, &id, &root, Some(alarm.into()), Some(record));
    }

    pub fn incident(&self, incident: Incident) {
        let (id, root) = (incident.incident_id.clone(), incident.root.clone());
        let record = RecordId::new(incident.position.position(), 6, root.as_bytes(), 0);
        self.append_keyed(Topic::Incidents, &id, &root, Some(incident.into()), Some(record));
    }
}
