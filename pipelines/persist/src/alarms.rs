//! Alarms, incidents, rules and silences as rows.

use log::Stored;
use schemas::{Alarm, AlarmReason, AlarmTransition, Incident, Rule, Scope, Silence};
use store::rows::{
    AlarmEventRow, AlarmRow, AlarmThen, CommentRow, FlapRow, IncidentRow, ReasonRow, RuleRow, ScopeRow, SilenceRow,
};

use crate::core::{Refusal, entity_id, record_id};

pub(crate) fn alarm_row(alarm: Alarm) -> Result<AlarmRow, Refusal> {
    Ok(AlarmRow {
        alarm_id: alarm.alarm_id,
        entity: entity_id(&alarm.entity)?,
        kind: alarm.kind,
        site: alarm.site,
        name: alarm.name,
        serial: alarm.serial,
        alarm_type: alarm.alarm_type,
        qualifier: alarm.qualifier,
        origin: alarm.origin,
        rule_id: alarm.rule_id,
        rule_version: alarm.rule_version,
        rule_name: alarm.rule_name,
        severity: alarm.severity,
        condition: alarm.condition,
        operator_state: alarm.operator_state,
        visibility: alarm.visibility,
        text: alarm.text,
        reason: reason(alarm.reason),
        raised_at: alarm.raised_at,
        cleared_at: alarm.cleared_at,
        changed_at: alarm.changed_at,
        acknowledged_at: alarm.acknowledged_at,
        acknowledged_by: alarm.acknowledged_by,
        silenced_until: alarm.silenced_until,
        silence_id: alarm.silence_id,
        comments: alarm
            .comments
            .into_iter()
            .map(|c| CommentRow {
                at: c.at,
                actor: c.actor,
                text: c.text,
            })
            .collect(),
        incident_id: alarm.incident_id,
        reopened: alarm.reopened,
        is_old: alarm.is_old,
        raise_position: alarm.raise_position.position(),
        position: alarm.position.position(),
        wts: alarm.wts,
    })
}

pub(crate) fn alarm_event_row(transition: AlarmTransition, stored: &Stored) -> Result<AlarmEventRow, Refusal> {
    let alarm = transition.alarm.map(alarm_row).transpose()?;
    Ok(AlarmEventRow {
        at: transition.at,
        id: record_id(stored)?,
        alarm_id: transition.alarm_id,
        root: entity_id(&transition.root)?,
        transition: transition.transition,
        actor: transition.actor,
        act_id: transition.act_id,
        text: transition.text,
        refusal: transition.refusal,
        alarm: alarm.map(then),
        position: transition.position.position(),
    })
}

fn then(alarm: AlarmRow) -> AlarmThen {
    AlarmThen {
        entity: alarm.entity,
        site: alarm.site,
        alarm_type: alarm.alarm_type,
        rule_id: alarm.rule_id,
        rule_version: alarm.rule_version,
        severity: alarm.severity,
        condition: alarm.condition,
        operator_state: alarm.operator_state,
        visibility: alarm.visibility,
        text: alarm.text,
        reason: alarm.reason,
        raised_at: alarm.raised_at,
        cleared_at: alarm.cleared_at,
    }
}

fn reason(reason: AlarmReason) -> ReasonRow {
    ReasonRow {
        word: reason.word,
        measure: reason.measure,
        value: reason.value,
        unit: reason.unit,
        limit: reason.limit,
        observed_at: reason.observed_at,
        held_s: reason.held_s,
        state: reason.state,
        cause: reason.cause,
        detail: reason.detail,
    }
}

pub(crate) fn incident_row(incident: Incident) -> Result<IncidentRow, Refusal> {
    Ok(IncidentRow {
        incident_id: incident.incident_id,
        root: entity_id(&incident.root)?,
        entity: entity_id(&incident.entity)?,
        site: incident.site,
        state: incident.state,
        verdict: incident.verdict,
        confidence: incident.confidence,
        severity: incident.severity,
        text: incident.text,
        lost: incident.lost,
        still_lost: incident.still_lost,
        total: incident.total,
        gasps: incident.gasps,
        dark: incident.dark,
        began_at: incident.began_at,
        ended_at: incident.ended_at,
        changed_at: incident.changed_at,
        affected: incident.affected,
        affected_more: incident.affected_more,
        pons: incident.pons,
        position: incident.position.position(),
        wts: incident.wts,
    })
}

pub(crate) fn rule_row(rule: Rule) -> RuleRow {
    RuleRow {
        rule_id: rule.rule_id,
        version: rule.version,
        writer: rule.writer,
        at: rule.at,
        author: rule.author,
        removed: rule.removed,
        enabled: rule.enabled,
        name: rule.name,
        description: rule.description,
        severity: rule.severity,
        condition: rule.condition,
        measure: rule.measure,
        low: rule.low,
        high: rule.high,
        window_s: rule.window_s,
        states: rule.states,
        causes: rule.causes,
        dead_band: rule.dead_band,
        raise_after_s: rule.raise_after_s,
        clear_after_s: rule.clear_after_s,
        reraise_after_s: rule.reraise_after_s,
        message: rule.message,
        scope: scope(rule.scope),
        flap: rule.flap.map(|flap| FlapRow {
            penalty: flap.penalty,
            half_life_s: flap.half_life_s,
            suppress: flap.suppress,
            reuse: flap.reuse,
            ceiling: flap.ceiling,
        }),
    }
}

pub(crate) fn silence_row(silence: Silence) -> SilenceRow {
    SilenceRow {
        silence_id: silence.silence_id,
        version: silence.version,
        writer: silence.writer,
        at: silence.at,
        author: silence.author,
        removed: silence.removed,
        scope: scope(silence.scope),
        alarm_type: silence.alarm_type,
        until: silence.until,
        reason: silence.reason,
    }
}

fn scope(scope: Scope) -> ScopeRow {
    ScopeRow {
        tenant: scope.tenant,
        kind: scope.kind,
        vendor: scope.vendor,
        family: scope.family,
        model: scope.model,
        site: scope.site,
        entity: scope.entity,
    }
}
