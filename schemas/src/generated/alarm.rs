//! Generated from the schema of `Alarm` by `cargo run -p xtask -- gen`: not to be edited.

use model::Micros;
use serde::{Deserialize, Serialize};

use crate::records::RecordType;
use crate::wire::{self, Body, Malformed, Reader};
use crate::{AlarmComment, AlarmReason, AlarmReasonView, InputPosition};

/// An alarm as it is now: condition, operator state and visibility are three things.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// The alarm: hash of its slot (entity, type, qualifier) and the position of its raise.
    pub alarm_id: String,
    /// What it is about.
    pub entity: String,
    /// Its root.
    pub root: String,
    /// Kind of the entity.
    pub kind: String,
    /// Site.
    #[serde(default)]
    pub site: Option<String>,
    /// Name of the entity, given by people.
    #[serde(default)]
    pub name: Option<String>,
    /// Serial number of the entity.
    #[serde(default)]
    pub serial: Option<String>,
    /// Id of the rule, or what the device calls it in our words.
    pub alarm_type: String,
    /// Tells apart alarms of one type on one entity; mostly empty.
    pub qualifier: String,
    /// rule, or device: who says that there is one.
    pub origin: String,
    /// Rule.
    #[serde(default)]
    pub rule_id: Option<String>,
    /// Version of the rule that last decided.
    #[serde(default)]
    pub rule_version: Option<i64>,
    /// Name of the rule.
    #[serde(default)]
    pub rule_name: Option<String>,
    /// critical, major, minor, warning, indeterminate.
    pub severity: String,
    /// raised, cleared.
    pub condition: String,
    /// none, acknowledged, closed.
    pub operator_state: String,
    /// shown, silenced, inhibited, suppressed.
    pub visibility: String,
    /// What people read.
    pub text: String,
    /// Why it is raised; of a cleared one why it cleared.
    pub reason: AlarmReason,
    /// When what raised it was observed.
    pub raised_at: Micros,
    /// When what cleared it was observed.
    #[serde(default)]
    pub cleared_at: Option<Micros>,
    /// Log time of its last change.
    pub changed_at: Micros,
    /// When it was acknowledged.
    #[serde(default)]
    pub acknowledged_at: Option<Micros>,
    /// Who did.
    #[serde(default)]
    pub acknowledged_by: Option<String>,
    /// Silenced until then.
    #[serde(default)]
    pub silenced_until: Option<Micros>,
    /// By this silence; null: by an act on this alarm alone.
    #[serde(default)]
    pub silence_id: Option<String>,
    /// The last 20, oldest first.
    pub comments: Vec<AlarmComment>,
    /// The incident whose symptom it is.
    #[serde(default)]
    pub incident_id: Option<String>,
    /// How often it was raised again within the time that counts as the same.
    pub reopened: i32,
    /// It stood on the device before we first asked: nobody is paged for it.
    pub is_old: bool,
    /// The input that raised it.
    pub raise_position: InputPosition,
    /// The input that made this row.
    pub position: InputPosition,
    /// Write time of the row, its slot's hybrid clock.
    pub wts: Micros,
}

/// A [`Alarm`] whose parts are where they came from.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "fields as in the record")]
pub struct AlarmView<'a> {
    pub alarm_id: &'a str,
    pub entity: &'a str,
    pub root: &'a str,
    pub kind: &'a str,
    pub site: Option<&'a str>,
    pub name: Option<&'a str>,
    pub serial: Option<&'a str>,
    pub alarm_type: &'a str,
    pub qualifier: &'a str,
    pub origin: &'a str,
    pub rule_id: Option<&'a str>,
    pub rule_version: Option<i64>,
    pub rule_name: Option<&'a str>,
    pub severity: &'a str,
    pub condition: &'a str,
    pub operator_state: &'a str,
    pub visibility: &'a str,
    pub text: &'a str,
    pub reason: AlarmReasonView<'a>,
    pub raised_at: Micros,
    pub cleared_at: Option<Micros>,
    pub changed_at: Micros,
    pub acknowledged_at: Option<Micros>,
    pub acknowledged_by: Option<&'a str>,
    pub silenced_until: Option<Micros>,
    pub silence_id: Option<&'a str>,
    pub comments: &'a [AlarmComment],
    pub incident_id: Option<&'a str>,
    pub reopened: i32,
    pub is_old: bool,
    pub raise_position: InputPosition,
    pub position: InputPosition,
    pub wts: Micros,
}

impl Alarm {
    /// The record without its own memory.
    pub fn view(&self) -> AlarmView<'_> {
        AlarmView {
            alarm_id: &self.alarm_id,
            entity: &self.entity,
            root: &self.root,
            kind: &self.kind,
            site: self.site.as_deref(),
            name: self.name.as_deref(),
            serial: self.serial.as_deref(),
            alarm_type: &self.alarm_type,
            qualifier: &self.qualifier,
            origin: &self.origin,
            rule_id: self.rule_id.as_deref(),
            rule_version: self.rule_version,
            rule_name: self.rule_name.as_deref(),
            severity: &self.severity,
            condition: &self.condition,
            operator_state: &self.operator_state,
            visibility: &self.visibility,
            text: &self.text,
            reason: self.reason.view(),
            raised_at: self.raised_at,
            cleared_at: self.cleared_at,
            changed_at: self.changed_at,
            acknowledged_at: self.acknowledged_at,
            acknowledged_by: self.acknowledged_by.as_deref(),
            silenced_until: self.silenced_until,
            silence_id: self.silence_id.as_deref(),
            comments: &self.comments,
            incident_id: self.incident_id.as_deref(),
            reopened: self.reopened,
            is_old: self.is_old,
            raise_position: self.raise_position,
            position: self.position,
            wts: self.wts,
        }
    }
}

impl Alarm {
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            alarm_id: r.string()?,
            entity: r.string()?,
            root: r.string()?,
            kind: r.string()?,
            site: r.optional(Reader::string)?,
            name: r.optional(Reader::string)?,
            serial: r.optional(Reader::string)?,
            alarm_type: r.string()?,
            qualifier: r.string()?,
            origin: r.string()?,
            rule_id: r.optional(Reader::string)?,
            rule_version: r.optional(Reader::long)?,
            rule_name: r.optional(Reader::string)?,
            severity: r.string()?,
            condition: r.string()?,
            operator_state: r.string()?,
            visibility: r.string()?,
            text: r.string()?,
            reason: AlarmReason::decode(r)?,
            raised_at: r.micros()?,
            cleared_at: r.optional(Reader::micros)?,
            changed_at: r.micros()?,
            acknowledged_at: r.optional(Reader::micros)?,
            acknowledged_by: r.optional(Reader::string)?,
            silenced_until: r.optional(Reader::micros)?,
            silence_id: r.optional(Reader::string)?,
            comments: r.list(AlarmComment::decode)?,
            incident_id: r.optional(Reader::string)?,
            reopened: r.int()?,
            is_old: r.boolean()?,
            raise_position: InputPosition::decode(r)?,
            position: InputPosition::decode(r)?,
            wts: r.micros()?,
        })
    }
}

impl Body for AlarmView<'_> {
    const RECORD: RecordType = RecordType::Alarm;

    fn encode(&self, out: &mut Vec<u8>) {
        wire::put_text(out, self.alarm_id);
        wire::put_text(out, self.entity);
        wire::put_text(out, self.root);
        wire::put_text(out, self.kind);
        wire::put_optional(out, self.site, wire::put_text);
        wire::put_optional(out, self.name, wire::put_text);
        wire::put_optional(out, self.serial, wire::put_text);
        wire::put_text(out, self.alarm_type);
        wire::put_text(out, self.qualifier);
        wire::put_text(out, self.origin);
        wire::put_optional(out, self.rule_id, wire::put_text);
        wire::put_optional(out, self.rule_version, wire::put_long);
        wire::put_optional(out, self.rule_name, wire::put_text);
        wire::put_text(out, self.severity);
        wire::put_text(out, self.condition);
        wire::put_text(out, self.operator_state);
        wire::put_text(out, self.visibility);
        wire::put_text(out, self.text);
        self.reason.encode(out);
        wire::put_micros(out, self.raised_at);
        wire::put_optional(out, self.cleared_at, wire::put_micros);
        wire::put_micros(out, self.changed_at);
        wire::put_optional(out, self.acknowledged_at, wire::put_micros);
        wire::put_optional(out, self.acknowledged_by, wire::put_text);
        wire::put_optional(out, self.silenced_until, wire::put_micros);
        wire::put_optional(out, self.silence_id, wire::put_text);
        wire::put_list(out, self.comments, |out, value| value.encode(out));
        wire::put_optional(out, self.incident_id, wire::put_text);
        wire::put_int(out, self.reopened);
        wire::put_boolean(out, self.is_old);
        self.raise_position.encode(out);
        self.position.encode(out);
        wire::put_micros(out, self.wts);
    }
}

impl Body for Alarm {
    const RECORD: RecordType = RecordType::Alarm;

    fn encode(&self, out: &mut Vec<u8>) {
        self.view().encode(out);
    }
}
