//! Rows of the store as the records they were made of: one way from there to an item.

use schemas::{Alarm, AlarmComment, AlarmReason, Incident};
use store::rows::{AlarmRow, IncidentRow, ReasonRow};

pub fn alarm_of(row: AlarmRow) -> Alarm {
    Alarm {
        alarm_id: row.alarm_id,
        root: row.entity.root_str().to_owned(),
        entity: row.entity.to_string(),
        kind: row.kind,
        site: row.site,
        name: row.name,
        serial: row.serial,
        alarm_type: row.alarm_type,
        qualifier: row.qualifier,
        origin: row.origin,
        rule_id: row.rule_id,
        rule_version: row.rule_version,
        rule_name: row.rule_name,
        severity: row.severity,
        condition: row.condition,
        operator_state: row.operator_state,
        visibility: row.visibility,
        text: row.text,
        reason: reason_of(row.reason),
        raised_at: row.raised_at,
        cleared_at: row.cleared_at,
        changed_at: row.changed_at,
        acknowledged_at: row.acknowledged_at,
        acknowledged_by: row.acknowledged_by,
        silenced_until: row.silenced_until,
        silence_id: row.silence_id,
        comments: row
            .comments
            .into_iter()
            .map(|c| AlarmComment {
                at: c.at,
                actor: c.actor,
                text: c.text,
            })
            .collect(),
        incident_id: row.incident_id,
        reopened: row.reopened,
        is_old: row.is_old,
        raise_position: row.raise_position.into(),
        position: row.position.into(),
        wts: row.wts,
    }
}

pub fn reason_of(row: ReasonRow) -> AlarmReason {
    AlarmReason {
        word: row.word,
        measure: row.measure,
        value: row.value,
        unit: row.unit,
        limit: row.limit,
        observed_at: row.observed_at,
        held_s: row.held_s,
        state: row.state,
        cause: row.cause,
        detail: row.detail,
    }
}

pub fn incident_of(row: IncidentRow) -> Incident {
    Incident {
        incident_id: row.incident_id,
        root: row.root.to_string(),
        entity: row.entity.to_string(),
        site: row.site,
        state: row.state,
        verdict: row.verdict,
        confidence: row.confidence,
        severity: row.severity,
        text: row.text,
        lost: row.lost,
        still_lost: row.still_lost,
        total: row.total,
        gasps: row.gasps,
        dark: row.dark,
        began_at: row.began_at,
        ended_at: row.ended_at,
        changed_at: row.changed_at,
        affected: row.affected,
        affected_more: row.affected_more,
        pons: row.pons,
        position: row.position.into(),
        wts: row.wts,
    }
}
