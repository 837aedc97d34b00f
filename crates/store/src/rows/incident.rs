//! Incidents: one row each, and by the month in which they began.

use ColumnType::{Bigint, Double, Int, Text, Timestamp};
use model::{EntityId, Micros, Position};

use super::alarm::kept_until;
use super::fields::{Fields, audit, column, instant, lines, optional_text, text};
use crate::{ColumnType, Order, Row, StoreError, TableDef, Value};

/// Incidents by id. An open one has no end; a closed one ends a year after its last change.
pub static INCIDENTS: TableDef = TableDef {
    name: "incidents",
    partition_key: &[column("incident_id", Text)],
    clustering_key: &[],
    columns: &[
        column("root", Text),
        column("entity", Text),
        column("site", Text),
        column("state", Text),
        column("verdict", Text),
        column("confidence", Double),
        column("severity", Text),
        column("message", Text),
        column("lost", Int),
        column("still_lost", Int),
        column("total", Int),
        column("gasps", Int),
        column("dark", Int),
        column("began_at", Timestamp),
        column("ended_at", Timestamp),
        column("changed_at", Timestamp),
        column("affected", Text),
        column("affected_more", Int),
        column("pons", Text),
        column("src_gen", Int),
        column("src_part", Int),
        column("src_offset", Bigint),
    ],
    retention: None,
    mutable: true,
};

/// Which incidents began in a month of a tenant, newest first. Where an earlier loss came to be known later, an incident stands
/// in two places: the one counts that its own row says.
pub static INCIDENTS_BY_MONTH: TableDef = TableDef {
    name: "incidents_by_month",
    partition_key: &[column("tenant", Text), column("month", Int)],
    clustering_key: &[
        (column("began_at", Timestamp), Order::Desc),
        (column("incident_id", Text), Order::Desc),
    ],
    columns: &[column("root", Text), column("site", Text), column("state", Text)],
    retention: None,
    mutable: true,
};

/// One row of [`INCIDENTS`]. Words are kept as text, so that a word of a newer build is shown instead of refused.
#[derive(Debug, Clone, PartialEq)]
#[allow(
    missing_docs,
    reason = "fields as in the record `Incident`, documented in its schema"
)]
pub struct IncidentRow {
    pub incident_id: String,
    pub root: EntityId,
    pub entity: EntityId,
    pub site: Option<String>,
    pub state: String,
    pub verdict: String,
    pub confidence: f64,
    pub severity: String,
    pub text: String,
    pub lost: i32,
    pub still_lost: i32,
    pub total: i32,
    pub gasps: i32,
    pub dark: i32,
    pub began_at: Micros,
    pub ended_at: Option<Micros>,
    pub changed_at: Micros,
    pub affected: Vec<String>,
    pub affected_more: i32,
    pub pons: Vec<String>,
    /// The input that made the row.
    pub position: Position,
    /// Write time: the slot's hybrid clock.
    pub wts: Micros,
}

/// One row of [`INCIDENTS_BY_MONTH`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "fields as in the record `Incident`, documented in its schema"
)]
pub struct IncidentMark {
    pub began_at: Micros,
    pub incident_id: String,
    pub root: String,
    pub site: Option<String>,
    pub state: String,
}

impl IncidentRow {
    /// The row of [`INCIDENTS`].
    pub fn to_row(&self) -> Row {
        let mut columns = vec![
            Some(text(self.root.as_str())),
            Some(text(self.entity.as_str())),
            optional_text(self.site.as_ref()),
            Some(text(&self.state)),
            Some(text(&self.verdict)),
            Some(Value::Double(self.confidence)),
            Some(text(&self.severity)),
            Some(text(&self.text)),
            Some(Value::Int(self.lost)),
            Some(Value::Int(self.still_lost)),
            Some(Value::Int(self.total)),
            Some(Value::Int(self.gasps)),
            Some(Value::Int(self.dark)),
            Some(instant(self.began_at)),
            self.ended_at.map(instant),
            Some(instant(self.changed_at)),
            lines(&self.affected),
            Some(Value::Int(self.affected_more)),
            lines(&self.pons),
        ];
        columns.extend(audit(self.position));
        Row {
            table: &INCIDENTS,
            key: vec![text(&self.incident_id)],
            columns,
            wts_us: self.wts.0,
            expires_at_ms: self.ends(),
        }
    }

    /// The row of [`INCIDENTS_BY_MONTH`].
    pub fn to_month_row(&self) -> Row {
        let root = self.root.root();
        let began_ms = self.began_at.millis();
        Row {
            table: &INCIDENTS_BY_MONTH,
            key: vec![
                text(root.tenant()),
                Value::Int(Self::month(began_ms)),
                Value::Timestamp(began_ms),
                text(&self.incident_id),
            ],
            columns: vec![
                Some(text(self.root.as_str())),
                optional_text(self.site.as_ref()),
                Some(text(&self.state)),
            ],
            wts_us: self.wts.0,
            expires_at_ms: self.ends(),
        }
    }

    /// The month in which an instant lies, counted from year 0.
    pub fn month(at_ms: i64) -> i32 {
        let (year, month) = super::year_month(at_ms.max(0));
        i32::try_from(year * 12 + i64::from(month) - 1).unwrap_or(i32::MAX)
    }

    fn ends(&self) -> Option<i64> {
        (self.state == "closed").then(|| kept_until(self.changed_at))
    }

    /// Reads a row of [`INCIDENTS`].
    ///
    /// # Errors
    /// When it is a row of another table, or a column has another type than the table says.
    pub fn from_row(row: &Row) -> Result<Self, StoreError> {
        let fields = Fields::of(row, &[&INCIDENTS])?;
        Ok(Self {
            incident_id: fields.text("incident_id")?,
            root: fields.entity("root")?,
            entity: fields.entity("entity")?,
            site: fields.optional_text("site")?,
            state: fields.text("state")?,
            verdict: fields.text("verdict")?,
            confidence: fields.double("confidence")?,
            severity: fields.text("severity")?,
            text: fields.text("message")?,
            lost: fields.int("lost")?,
            still_lost: fields.int("still_lost")?,
            total: fields.int("total")?,
            gasps: fields.int("gasps")?,
            dark: fields.int("dark")?,
            began_at: fields.instant("began_at")?,
            ended_at: fields.optional_instant("ended_at")?,
            changed_at: fields.instant("changed_at")?,
            affected: fields.lines("affected")?,
            affected_more: fields.int("affected_more")?,
            pons: fields.lines("pons")?,
            position: fields.position()?,
            wts: Micros(row.wts_us),
        })
    }
}

impl IncidentMark {
    /// Reads a row of [`INCIDENTS_BY_MONTH`].
    ///
    /// # Errors
    /// When it is a row of another table, or a column has another type than the table says.
    pub fn from_row(row: &Row) -> Result<Self, StoreError> {
        let fields = Fields::of(row, &[&INCIDENTS_BY_MONTH])?;
        Ok(Self {
            began_at: fields.instant("began_at")?,
            incident_id: fields.text("incident_id")?,
            root: fields.text("root")?,
            site: fields.optional_text("site")?,
            state: fields.text("state")?,
        })
    }
}
