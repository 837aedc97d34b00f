//! Alarms, one row each.

use std::collections::BTreeMap;
use std::time::Duration;

use ColumnType::{Bigint, Boolean, Int, Map, Text, Timestamp};
use model::{EntityId, Micros, Position};

use super::fields::{Fields, Out, audit, column, get, instant, optional_text, text};
use crate::{ColumnType, Row, StoreError, TableDef, Value};

/// A cleared alarm is kept so long after its last change, and what happened to any alarm so long: a year.
pub(super) const KEPT: Duration = Duration::from_secs(365 * 86_400);

/// Alarms by id. A raised one has no end; a cleared one ends a year after its last change.
pub static ALARMS: TableDef = TableDef {
    name: "alarms",
    partition_key: &[column("alarm_id", Text)],
    clustering_key: &[],
    columns: &[
        column("entity", Text),
        column("kind", Text),
        column("site", Text),
        column("name", Text),
        column("serial", Text),
        column("alarm_type", Text),
        column("qualifier", Text),
        column("origin", Text),
        column("rule_id", Text),
        column("rule_version", Bigint),
        column("rule_name", Text),
        column("severity", Text),
        column("condition", Text),
        column("operator_state", Text),
        column("visibility", Text),
        column("message", Text),
        column("reason", Map),
        column("raised_at", Timestamp),
        column("cleared_at", Timestamp),
        column("changed_at", Timestamp),
        column("acked_at", Timestamp),
        column("acked_by", Text),
        column("silenced_until", Timestamp),
        column("silence_id", Text),
        column("comments", Map),
        column("incident_id", Text),
        column("reopened", Int),
        column("is_old", Boolean),
        column("raise_gen", Int),
        column("raise_part", Int),
        column("raise_offset", Bigint),
        column("src_gen", Int),
        column("src_part", Int),
        column("src_offset", Bigint),
    ],
    retention: None,
    mutable: true,
};

const RAISE: [&str; 3] = ["raise_gen", "raise_part", "raise_offset"];

/// Why an alarm is as it is.
#[derive(Debug, Clone, PartialEq)]
#[allow(
    missing_docs,
    reason = "fields as in the record `AlarmReason`, documented in the schema of `Alarm`"
)]
pub struct ReasonRow {
    pub word: String,
    pub measure: Option<String>,
    pub value: Option<f64>,
    pub unit: Option<String>,
    pub limit: Option<f64>,
    pub observed_at: Option<Micros>,
    pub held_s: Option<i64>,
    pub state: Option<String>,
    pub cause: Option<String>,
    pub detail: Option<String>,
}

/// What a person wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "fields as in the record `AlarmComment`, documented in the schema of `Alarm`"
)]
pub struct CommentRow {
    pub at: Micros,
    pub actor: String,
    pub text: String,
}

/// One row of [`ALARMS`]. Words are kept as text, so that a word of a newer build is shown instead of refused.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "fields as in the record `Alarm`, documented in its schema")]
pub struct AlarmRow {
    pub alarm_id: String,
    pub entity: EntityId,
    pub kind: String,
    pub site: Option<String>,
    pub name: Option<String>,
    pub serial: Option<String>,
    pub alarm_type: String,
    pub qualifier: String,
    pub origin: String,
    pub rule_id: Option<String>,
    pub rule_version: Option<i64>,
    pub rule_name: Option<String>,
    pub severity: String,
    pub condition: String,
    pub operator_state: String,
    pub visibility: String,
    pub text: String,
    pub reason: ReasonRow,
    pub raised_at: Micros,
    pub cleared_at: Option<Micros>,
    pub changed_at: Micros,
    pub acknowledged_at: Option<Micros>,
    pub acknowledged_by: Option<String>,
    pub silenced_until: Option<Micros>,
    pub silence_id: Option<String>,
    pub comments: Vec<CommentRow>,
    pub incident_id: Option<String>,
    pub reopened: i32,
    pub is_old: bool,
    /// The input that raised it.
    pub raise_position: Position,
    /// The input that made the row.
    pub position: Position,
    /// Write time: the slot's hybrid clock.
    pub wts: Micros,
}

impl AlarmRow {
    /// The row of [`ALARMS`].
    pub fn to_row(&self) -> Row {
        let mut columns = vec![
            Some(text(self.entity.as_str())),
            Some(text(&self.kind)),
            optional_text(self.site.as_ref()),
            optional_text(self.name.as_ref()),
            optional_text(self.serial.as_ref()),
            Some(text(&self.alarm_type)),
            Some(text(&self.qualifier)),
            Some(text(&self.origin)),
            optional_text(self.rule_id.as_ref()),
            self.rule_version.map(Value::Bigint),
            optional_text(self.rule_name.as_ref()),
            Some(text(&self.severity)),
            Some(text(&self.condition)),
            Some(text(&self.operator_state)),
            Some(text(&self.visibility)),
            Some(text(&self.text)),
            Some(self.reason.to_value()),
            Some(instant(self.raised_at)),
            self.cleared_at.map(instant),
            Some(instant(self.changed_at)),
            self.acknowledged_at.map(instant),
            optional_text(self.acknowledged_by.as_ref()),
            self.silenced_until.map(instant),
            optional_text(self.silence_id.as_ref()),
            comments(&self.comments),
            optional_text(self.incident_id.as_ref()),
            Some(Value::Int(self.reopened)),
            Some(Value::Boolean(self.is_old)),
        ];
        columns.extend(audit(self.raise_position));
        columns.extend(audit(self.position));
        Row {
            table: &ALARMS,
            key: vec![text(&self.alarm_id)],
            columns,
            wts_us: self.wts.0,
            expires_at_ms: (self.condition == "cleared").then(|| kept_until(self.changed_at)),
        }
    }

    /// Reads a row of [`ALARMS`].
    ///
    /// # Errors
    /// When it is a row of another table, or a column has another type than the table says.
    pub fn from_row(row: &Row) -> Result<Self, StoreError> {
        let fields = Fields::of(row, &[&ALARMS])?;
        Ok(Self {
            alarm_id: fields.text("alarm_id")?,
            entity: fields.entity("entity")?,
            kind: fields.text("kind")?,
            site: fields.optional_text("site")?,
            name: fields.optional_text("name")?,
            serial: fields.optional_text("serial")?,
            alarm_type: fields.text("alarm_type")?,
            qualifier: fields.text("qualifier")?,
            origin: fields.text("origin")?,
            rule_id: fields.optional_text("rule_id")?,
            rule_version: fields.optional_bigint("rule_version")?,
            rule_name: fields.optional_text("rule_name")?,
            severity: fields.text("severity")?,
            condition: fields.text("condition")?,
            operator_state: fields.text("operator_state")?,
            visibility: fields.text("visibility")?,
            text: fields.text("message")?,
            reason: ReasonRow::from_fields(&fields)?,
            raised_at: fields.instant("raised_at")?,
            cleared_at: fields.optional_instant("cleared_at")?,
            changed_at: fields.instant("changed_at")?,
            acknowledged_at: fields.optional_instant("acked_at")?,
            acknowledged_by: fields.optional_text("acked_by")?,
            silenced_until: fields.optional_instant("silenced_until")?,
            silence_id: fields.optional_text("silence_id")?,
            comments: fields.part("comments", comments_of)?.unwrap_or_default(),
            incident_id: fields.optional_text("incident_id")?,
            reopened: fields.int("reopened")?,
            is_old: fields.boolean("is_old")?,
            raise_position: fields.position_in(RAISE)?,
            position: fields.position()?,
            wts: Micros(row.wts_us),
        })
    }
}

impl ReasonRow {
    pub(super) fn to_value(&self) -> Value {
        let mut out = Out::default();
        out.put("word", Some(&self.word));
        out.put("measure", self.measure.as_ref());
        out.put("value", self.value);
        out.put("unit", self.unit.as_ref());
        out.put("limit", self.limit);
        out.put("observed_at", self.observed_at.map(|at| at.0));
        out.put("held_s", self.held_s);
        out.put("state", self.state.as_ref());
        out.put("cause", self.cause.as_ref());
        out.put("detail", self.detail.as_ref());
        Value::Map(out.0)
    }

    fn from_map(map: &BTreeMap<String, String>) -> Option<Self> {
        Some(Self {
            word: get(map, "word")??,
            measure: get(map, "measure")?,
            value: get(map, "value")?,
            unit: get(map, "unit")?,
            limit: get(map, "limit")?,
            observed_at: get(map, "observed_at")?.map(Micros),
            held_s: get(map, "held_s")?,
            state: get(map, "state")?,
            cause: get(map, "cause")?,
            detail: get(map, "detail")?,
        })
    }

    pub(super) fn from_fields(fields: &Fields<'_>) -> Result<Self, StoreError> {
        fields
            .part("reason", Self::from_map)?
            .ok_or_else(|| fields.wrong("reason"))
    }
}

/// Comments by their number, each as `at actor` and what follows the line's end.
fn comments(comments: &[CommentRow]) -> Option<Value> {
    let lines = comments.iter().enumerate().map(|(i, comment)| {
        let text = format!("{} {}\n{}", comment.at.0, comment.actor, comment.text);
        (format!("{i:03}"), text)
    });
    (!comments.is_empty()).then(|| Value::Map(lines.collect()))
}

fn comments_of(map: &BTreeMap<String, String>) -> Option<Vec<CommentRow>> {
    let comment = |line: &String| {
        let (head, text) = line.split_once('\n')?;
        let (at, actor) = head.split_once(' ')?;
        Some(CommentRow {
            at: Micros(at.parse().ok()?),
            actor: actor.to_owned(),
            text: text.to_owned(),
        })
    };
    map.values().map(comment).collect()
}

/// Milliseconds since 1970 at which what ended then is forgotten.
pub(super) fn kept_until(ended_at: Micros) -> i64 {
    let kept_ms = i64::try_from(KEPT.as_millis()).expect("a year");
    ended_at.millis().saturating_add(kept_ms)
}
