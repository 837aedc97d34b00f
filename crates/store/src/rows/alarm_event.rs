//! What happened to alarms, in time.

use ColumnType::{Bigint, Blob, Int, Map, Text, Timestamp};
use model::{EntityId, Micros, Position};

use super::alarm::{KEPT, ReasonRow, kept_until};
use super::fields::{Fields, audit, column, instant, optional_text, text};
use crate::{Column, ColumnType, Order, Row, StoreError, TableDef, Value};

/// What happened to alarms, newest first, once for each scope (see [`AlarmScope`]). Rows never change.
pub static ALARM_EVENTS: TableDef = TableDef {
    name: "alarm_events",
    partition_key: &[column("scope", Text), column("bucket", Int)],
    clustering_key: &[
        (column("at", Timestamp), Order::Desc),
        (column("id", Blob), Order::Desc),
    ],
    columns: EVENT_COLUMNS,
    retention: Some(KEPT),
    mutable: false,
};

const EVENT_COLUMNS: &[Column] = &[
    column("alarm_id", Text),
    column("root", Text),
    column("entity", Text),
    column("site", Text),
    column("alarm_type", Text),
    column("rule_id", Text),
    column("rule_version", Bigint),
    column("transition", Text),
    column("severity", Text),
    column("condition", Text),
    column("operator_state", Text),
    column("visibility", Text),
    column("message", Text),
    column("reason", Map),
    column("actor", Text),
    column("act_id", Text),
    column("note", Text),
    column("refusal", Text),
    column("raised_at", Timestamp),
    column("cleared_at", Timestamp),
    column("src_gen", Int),
    column("src_part", Int),
    column("src_offset", Bigint),
];

/// Among what a happening is found: each is a partition of its own for a span of time, so that a page is one or a few reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlarmScope {
    /// All of a tenant; a partition a UTC day.
    Tenant(String),
    /// Those of a site of a tenant; a partition a month.
    Site(String, String),
    /// Those of an entity; a partition a year.
    Entity(EntityId),
    /// Those of one alarm; one partition.
    Alarm(String),
}

impl AlarmScope {
    /// The scope's name: first half of the partition key.
    pub fn name(&self) -> String {
        match self {
            Self::Tenant(tenant) => format!("all/{tenant}"),
            Self::Site(tenant, site) => format!("site/{tenant}/{site}"),
            Self::Entity(entity) => format!("entity/{entity}"),
            Self::Alarm(id) => format!("alarm/{id}"),
        }
    }

    /// The span of time in which an instant lies: second half of the partition key. A later span has a higher number.
    pub fn bucket(&self, at_ms: i64) -> i32 {
        const DAY_MS: i64 = 86_400_000;
        let at_ms = at_ms.max(0);
        let (year, month) = super::year_month(at_ms);
        let number = match self {
            Self::Tenant(_) => at_ms / DAY_MS,
            Self::Site(..) => year * 12 + i64::from(month) - 1,
            Self::Entity(_) => year,
            Self::Alarm(_) => 0,
        };
        i32::try_from(number).unwrap_or(i32::MAX)
    }
}

/// One happening, a row of [`ALARM_EVENTS`] in each of its scopes.
#[derive(Debug, Clone, PartialEq)]
#[allow(
    missing_docs,
    reason = "fields as in the record `AlarmTransition` and the alarm in it, documented in its schema"
)]
pub struct AlarmEventRow {
    pub at: Micros,
    /// The record id, whose bytes sort like it.
    pub id: Vec<u8>,
    pub alarm_id: String,
    pub root: EntityId,
    pub transition: String,
    pub actor: Option<String>,
    pub act_id: Option<String>,
    pub text: Option<String>,
    pub refusal: Option<String>,
    /// The alarm after it; `None` where a refused act named none that is known.
    pub alarm: Option<AlarmThen>,
    /// The input that made it.
    pub position: Position,
}

/// An alarm as it was after a happening.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "fields as in the record `Alarm`, documented in its schema")]
pub struct AlarmThen {
    pub entity: EntityId,
    pub site: Option<String>,
    pub alarm_type: String,
    pub rule_id: Option<String>,
    pub rule_version: Option<i64>,
    pub severity: String,
    pub condition: String,
    pub operator_state: String,
    pub visibility: String,
    pub text: String,
    pub reason: ReasonRow,
    pub raised_at: Micros,
    pub cleared_at: Option<Micros>,
}

impl AlarmEventRow {
    /// Where it is found.
    pub fn scopes(&self) -> Vec<AlarmScope> {
        let tenant = self.root.root().tenant().to_owned();
        let mut scopes = vec![
            AlarmScope::Tenant(tenant.clone()),
            AlarmScope::Alarm(self.alarm_id.clone()),
        ];
        if let Some(alarm) = &self.alarm {
            scopes.push(AlarmScope::Entity(alarm.entity.clone()));
            scopes.extend(alarm.site.clone().map(|site| AlarmScope::Site(tenant, site)));
        }
        scopes
    }

    /// Its rows of [`ALARM_EVENTS`].
    pub fn to_rows(&self) -> Vec<Row> {
        let columns = self.columns();
        let at_ms = self.at.millis();
        let row = |scope: AlarmScope| Row {
            table: &ALARM_EVENTS,
            key: vec![
                Value::Text(scope.name()),
                Value::Int(scope.bucket(at_ms)),
                Value::Timestamp(at_ms),
                Value::Blob(self.id.clone()),
            ],
            columns: columns.clone(),
            wts_us: at_ms.saturating_mul(1_000),
            expires_at_ms: Some(kept_until(self.at)),
        };
        self.scopes().into_iter().map(row).collect()
    }

    fn columns(&self) -> Vec<Option<Value>> {
        let alarm = self.alarm.as_ref();
        let mut columns = vec![
            Some(text(&self.alarm_id)),
            Some(text(self.root.as_str())),
            alarm.map(|a| text(a.entity.as_str())),
            alarm.and_then(|a| optional_text(a.site.as_ref())),
            alarm.map(|a| text(&a.alarm_type)),
            alarm.and_then(|a| optional_text(a.rule_id.as_ref())),
            alarm.and_then(|a| a.rule_version).map(Value::Bigint),
            Some(text(&self.transition)),
            alarm.map(|a| text(&a.severity)),
            alarm.map(|a| text(&a.condition)),
            alarm.map(|a| text(&a.operator_state)),
            alarm.map(|a| text(&a.visibility)),
            alarm.map(|a| text(&a.text)),
            alarm.map(|a| a.reason.to_value()),
            optional_text(self.actor.as_ref()),
            optional_text(self.act_id.as_ref()),
            optional_text(self.text.as_ref()),
            optional_text(self.refusal.as_ref()),
            alarm.map(|a| instant(a.raised_at)),
            alarm.and_then(|a| a.cleared_at).map(instant),
        ];
        columns.extend(audit(self.position));
        columns
    }

    /// Reads a row of [`ALARM_EVENTS`], of whatever scope.
    ///
    /// # Errors
    /// When it is a row of another table, or a column has another type than the table says.
    pub fn from_row(row: &Row) -> Result<Self, StoreError> {
        let fields = Fields::of(row, &[&ALARM_EVENTS])?;
        let known = fields.optional_text("entity")?.is_some();
        Ok(Self {
            at: fields.instant("at")?,
            id: fields.blob("id")?,
            alarm_id: fields.text("alarm_id")?,
            root: fields.entity("root")?,
            transition: fields.text("transition")?,
            actor: fields.optional_text("actor")?,
            act_id: fields.optional_text("act_id")?,
            text: fields.optional_text("note")?,
            refusal: fields.optional_text("refusal")?,
            alarm: known.then(|| AlarmThen::from_fields(&fields)).transpose()?,
            position: fields.position()?,
        })
    }
}

impl AlarmThen {
    fn from_fields(fields: &Fields<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            entity: fields.entity("entity")?,
            site: fields.optional_text("site")?,
            alarm_type: fields.text("alarm_type")?,
            rule_id: fields.optional_text("rule_id")?,
            rule_version: fields.optional_bigint("rule_version")?,
            severity: fields.text("severity")?,
            condition: fields.text("condition")?,
            operator_state: fields.text("operator_state")?,
            visibility: fields.text("visibility")?,
            text: fields.text("message")?,
            reason: ReasonRow::from_fields(fields)?,
            raised_at: fields.instant("raised_at")?,
            cleared_at: fields.optional_instant("cleared_at")?,
        })
    }
}
