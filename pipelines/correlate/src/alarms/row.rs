//! An alarm as its row.

use model::{EntityId, Micros};
use runtime::Now;
use schemas::AlarmView;
use schemas::network::About;

use super::entry::{Entry, Hush, OperatorState, Visibility};

/// What a row needs beside the alarm.
pub struct Row<'a> {
    pub entity: &'a EntityId,
    pub about: &'a About,
    pub now: &'a Now,
    pub wts: Micros,
}

impl<'a> Row<'a> {
    /// The whole row, with the silence that is told.
    pub fn of(&self, entry: &'a Entry, hush: Option<&'a Hush>) -> AlarmView<'a> {
        AlarmView {
            alarm_id: &entry.id,
            entity: self.entity.as_str(),
            root: self.entity.root_str(),
            kind: self.entity.kind().as_str(),
            site: self.about.site.as_deref(),
            name: self.about.name.as_deref(),
            serial: self.about.serial.as_deref(),
            alarm_type: &entry.alarm_type,
            qualifier: &entry.qualifier,
            origin: if entry.rule.is_some() { "rule" } else { "device" },
            rule_id: entry.rule.as_ref().map(|_| &*entry.alarm_type),
            rule_version: entry.rule.as_ref().map(|rule| rule.0),
            rule_name: entry.rule.as_ref().map(|rule| &*rule.1),
            severity: entry.severity.as_str(),
            condition: if entry.raised { "raised" } else { "cleared" },
            operator_state: match entry.operator {
                OperatorState::None => "none",
                OperatorState::Acknowledged => "acknowledged",
                OperatorState::Closed => "closed",
            },
            visibility: match entry.visibility() {
                Visibility::Shown => "shown",
                Visibility::Silenced => "silenced",
                Visibility::Inhibited => "inhibited",
                Visibility::Suppressed => "suppressed",
            },
            text: &entry.text,
            reason: entry.reason.view(),
            raised_at: entry.raised_at,
            cleared_at: entry.cleared_at,
            changed_at: entry.changed_at,
            acknowledged_at: entry.acknowledged.as_ref().map(|a| a.0),
            acknowledged_by: entry.acknowledged.as_ref().map(|a| a.1.as_str()),
            silenced_until: hush.map(|h| h.until),
            silence_id: hush.and_then(|h| h.silence.as_deref()),
            comments: &entry.comments,
            incident_id: entry.incident.as_deref(),
            reopened: i32::try_from(entry.reopened).unwrap_or(i32::MAX),
            is_old: entry.is_old,
            raise_position: entry.raise_position.into(),
            position: self.now.position.into(),
            wts: self.wts,
        }
    }
}
