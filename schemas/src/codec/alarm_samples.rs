//! Records of alarms, incidents, rollups and optical networks, for the tests beside this.

use std::collections::BTreeMap;

use model::{Micros, Position};

use crate::*;

const ROOT: &str = "default/olt/a";
const ONU: &str = "default/olt/a/onu/0/3/5/17";
const NMS: &str = "default/padtec/nms-1";

fn position() -> InputPosition {
    Position {
        generation: 1,
        partition: 2,
        offset: 3,
    }
    .into()
}

fn scope() -> Scope {
    Scope {
        tenant: None,
        kind: Some("onu".into()),
        vendor: Some("huawei".into()),
        family: None,
        model: None,
        site: Some("RJO".into()),
        entity: Some("default/olt/rjo-*".into()),
    }
}

fn rule() -> Rule {
    Rule {
        rule_id: "onu-rx-low".into(),
        version: 3,
        writer: "api-1".into(),
        at: Micros(1),
        author: "ana".into(),
        removed: false,
        enabled: true,
        name: "Light too weak".into(),
        description: None,
        severity: "minor".into(),
        condition: "below".into(),
        measure: Some("onu_rx_power".into()),
        low: Some(-27.0),
        high: None,
        window_s: None,
        states: vec!["offline".into()],
        causes: vec![],
        dead_band: 0.5,
        raise_after_s: 60,
        clear_after_s: 120,
        reraise_after_s: 600,
        message: "{name} receives {value} {unit}".into(),
        scope: scope(),
        flap: Some(FlapPolicy {
            penalty: 1000.0,
            half_life_s: 900,
            suppress: 3000.0,
            reuse: 1000.0,
            ceiling: 12_000.0,
        }),
    }
}

fn silence() -> Silence {
    Silence {
        silence_id: "s-1".into(),
        version: 1,
        writer: "api-1".into(),
        at: Micros(1),
        author: "ana".into(),
        removed: false,
        scope: scope(),
        alarm_type: None,
        until: Micros(9),
        reason: "works on the pole".into(),
    }
}

fn reason() -> AlarmReason {
    AlarmReason {
        word: "below".into(),
        measure: Some("onu_rx_power".into()),
        value: Some(-28.1),
        unit: Some("dBm".into()),
        limit: Some(-27.0),
        observed_at: Some(Micros(4)),
        held_s: Some(61),
        state: None,
        cause: None,
        detail: None,
    }
}

fn alarm() -> Alarm {
    Alarm {
        alarm_id: "a-0123456789abcdef".into(),
        entity: ONU.into(),
        root: ROOT.into(),
        kind: "onu".into(),
        site: Some("RJO".into()),
        name: None,
        serial: Some("HWTC1234ABCD".into()),
        alarm_type: "onu-rx-low".into(),
        qualifier: String::new(),
        origin: "rule".into(),
        rule_id: Some("onu-rx-low".into()),
        rule_version: Some(3),
        rule_name: Some("Light too weak".into()),
        severity: "minor".into(),
        condition: "raised".into(),
        operator_state: "acknowledged".into(),
        visibility: "shown".into(),
        text: "Ação necessária".into(),
        reason: reason(),
        raised_at: Micros(4),
        cleared_at: None,
        changed_at: Micros(5),
        acknowledged_at: Some(Micros(6)),
        acknowledged_by: Some("ana".into()),
        silenced_until: None,
        silence_id: None,
        comments: vec![AlarmComment {
            at: Micros(7),
            actor: "ana".into(),
            text: "on the way".into(),
        }],
        incident_id: None,
        reopened: 1,
        is_old: false,
        raise_position: position(),
        position: position(),
        wts: Micros(8),
    }
}

fn incident() -> Incident {
    Incident {
        incident_id: "i-0123456789abcdef".into(),
        root: ROOT.into(),
        entity: "default/olt/a/pon/0/3/5".into(),
        site: None,
        state: "open".into(),
        verdict: "feeder".into(),
        confidence: 0.95,
        severity: "critical".into(),
        text: "64 ONUs dark".into(),
        lost: 64,
        still_lost: 60,
        total: 64,
        gasps: 0,
        dark: 64,
        began_at: Micros(1),
        ended_at: None,
        changed_at: Micros(2),
        affected: vec![ONU.into()],
        affected_more: 63,
        pons: vec!["default/olt/a/pon/0/3/5".into()],
        position: position(),
        wts: Micros(3),
    }
}

fn rollup() -> Rollup {
    Rollup {
        entity: ONU.into(),
        root: ROOT.into(),
        measure: "onu_rx_power".into(),
        unit: "dBm".into(),
        window: "hour".into(),
        start: Micros(0),
        n: 12,
        sum: -288.0,
        sum_squares: 6912.5,
        min: -24.7,
        max: -23.9,
        first: -24.0,
        first_at: Micros(1),
        last: -24.1,
        last_at: Micros(2),
        is_corrected: false,
        position: position(),
        wts: Micros(3),
    }
}

fn recomputed() -> WindowRecomputed {
    let Rollup {
        entity,
        root,
        measure,
        unit,
        window,
        start,
        n,
        sum,
        sum_squares,
        min,
        max,
        first,
        first_at,
        last,
        last_at,
        ..
    } = rollup();
    WindowRecomputed {
        entity,
        root,
        measure,
        unit,
        window,
        start,
        n,
        sum,
        sum_squares,
        min,
        max,
        first,
        first_at,
        last,
        last_at,
        sample_id: vec![0, 1, 2, 255],
        parts: vec![WindowPart {
            start: Micros(0),
            n: 1,
            sum: -24.0,
            sum_squares: 576.0,
            min: -24.0,
            max: -24.0,
            first: -24.0,
            first_at: Micros(1),
            last: -24.0,
            last_at: Micros(1),
        }],
    }
}

fn cards() -> CardsRead {
    CardsRead {
        root: NMS.into(),
        read_id: "r-1".into(),
        part: 0,
        of: 1,
        scope: "all".into(),
        complete: true,
        way: "smart-api".into(),
        started_at: Micros(1),
        received_at: Micros(2),
        cards: vec![CardRow {
            serial: "ROA1-HA#374".into(),
            part: Some("ROA1-HA".into()),
            family: Some("Raman".into()),
            model: None,
            name: None,
            site: Some("POP-A".into()),
            slot: Some("3".into()),
            is_up: Some(true),
            status: None,
            installed_at: None,
            attributes: BTreeMap::from([("channel".into(), "21".into())]),
        }],
    }
}

fn measures() -> MeasuresRead {
    MeasuresRead {
        root: NMS.into(),
        read_id: "r-2".into(),
        part: 0,
        of: 1,
        scope: "critical".into(),
        complete: false,
        way: "smart-api".into(),
        started_at: Micros(1),
        received_at: Micros(2),
        measures: vec![MeasureRow {
            serial: "ROA1-HA#374".into(),
            measure: "pump_power".into(),
            name: Some("Pump Power".into()),
            value: 26.5,
            unit: "dBm".into(),
            group: "power".into(),
            quality: "good".into(),
            observed_at: Micros(1),
        }],
    }
}

fn foreign_alarms() -> ForeignAlarmsRead {
    ForeignAlarmsRead {
        root: NMS.into(),
        read_id: "r-3".into(),
        part: 0,
        of: 1,
        scope: "all".into(),
        complete: true,
        way: "smart-api".into(),
        started_at: Micros(1),
        received_at: Micros(2),
        alarms: vec![ForeignAlarmRow {
            id: "17".into(),
            serial: Some("ROA1-HA#374".into()),
            site: None,
            alarm_type: "Loss of signal".into(),
            severity: "critical".into(),
            text: "LOS".into(),
            raised_at: Some(Micros(1)),
            active: true,
        }],
    }
}

/// One of each, in the order of [`RecordType::ALL`].
pub fn samples() -> Vec<AnyRecord> {
    vec![
        rule().into(),
        RulesChanged { rule: rule() }.into(),
        silence().into(),
        SilencesChanged { silence: silence() }.into(),
        OperatorActed {
            root: ROOT.into(),
            entity: ONU.into(),
            alarm_id: "a-0123456789abcdef".into(),
            act_id: "9f".into(),
            act: "acknowledge".into(),
            actor: "ana".into(),
            at: Micros(1),
            text: Some("on the way".into()),
            until: None,
        }
        .into(),
        alarm().into(),
        AlarmTransition {
            alarm_id: "a-0123456789abcdef".into(),
            root: ROOT.into(),
            transition: "raised".into(),
            at: Micros(5),
            actor: None,
            act_id: None,
            text: None,
            refusal: None,
            alarm: Some(alarm()),
            position: position(),
        }
        .into(),
        incident().into(),
        rollup().into(),
        WindowWanted {
            root: ROOT.into(),
            entity: ONU.into(),
            measure: "onu_rx_power".into(),
            window: "hour".into(),
            start: Micros(0),
            sample_id: vec![0, 1, 2, 255],
            position: position(),
        }
        .into(),
        recomputed().into(),
        cards().into(),
        measures().into(),
        foreign_alarms().into(),
    ]
}
