//! What happened to an entity. Rows never change: an event is what it was.

use std::collections::BTreeMap;
use std::time::Duration;

use ColumnType::{Bigint, Blob, Int, Map, Text, Timestamp};
use model::{EntityId, Micros, Position};

use super::fields::{Fields, audit, column, instant, optional_text, text};
use super::year_of;
use crate::{ColumnType, Order, Row, StoreError, TableDef, Value};

/// Kept as long as the topic it comes from.
const RETENTION: Duration = Duration::from_secs(365 * 86_400);

/// Events of one entity and year, newest first; the id keeps two events of one millisecond apart.
pub static DEVICE_EVENTS: TableDef = TableDef {
    name: "device_events",
    partition_key: &[column("entity", Text), column("year", Int)],
    clustering_key: &[
        (column("at", Timestamp), Order::Desc),
        (column("id", Blob), Order::Desc),
    ],
    columns: &[
        column("kind", Text),
        column("type", Text),
        column("event", Text),
        column("phase", Text),
        column("severity", Text),
        column("trap_oid", Text),
        column("source", Text),
        column("state", Text),
        column("prev", Text),
        column("cause", Text),
        column("cause_raw", Text),
        column("serial", Text),
        column("detail", Map),
        column("received_at", Timestamp),
        column("src_gen", Int),
        column("src_part", Int),
        column("src_offset", Bigint),
    ],
    retention: Some(RETENTION),
    mutable: false,
};

/// One row of [`DEVICE_EVENTS`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "fields as in the record `DeviceEvent`, documented in its schema"
)]
pub struct DeviceEventRow {
    pub entity: EntityId,
    pub at: Micros,
    /// The record id, whose bytes sort like it.
    pub id: Vec<u8>,
    pub kind: String,
    /// `DEVICE_CONNECTED`, `DEVICE_DISCONNECTED` or `DEVICE_ALARM`.
    pub event_type: String,
    pub event: String,
    /// `RAISE`, `CLEAR` or `EVENT`.
    pub phase: String,
    pub severity: Option<String>,
    pub trap_oid: Option<String>,
    pub source: Option<String>,
    pub state: Option<String>,
    pub previous: Option<String>,
    pub cause: Option<String>,
    pub cause_raw: Option<String>,
    pub serial: Option<String>,
    pub detail: BTreeMap<String, String>,
    pub received_at: Micros,
    /// The input that made it.
    pub position: Position,
}

impl DeviceEventRow {
    /// The row of [`DEVICE_EVENTS`]: written at its event time, gone a retention later, whenever it is written.
    pub fn to_row(&self) -> Row {
        let at_ms = self.at.millis();
        let mut columns = vec![
            Some(text(&self.kind)),
            Some(text(&self.event_type)),
            Some(text(&self.event)),
            Some(text(&self.phase)),
            optional_text(self.severity.as_ref()),
            optional_text(self.trap_oid.as_ref()),
            optional_text(self.source.as_ref()),
            optional_text(self.state.as_ref()),
            optional_text(self.previous.as_ref()),
            optional_text(self.cause.as_ref()),
            optional_text(self.cause_raw.as_ref()),
            optional_text(self.serial.as_ref()),
            (!self.detail.is_empty()).then(|| Value::Map(self.detail.clone())),
            Some(instant(self.received_at)),
        ];
        columns.extend(audit(self.position));
        let retention_ms = i64::try_from(RETENTION.as_millis()).expect("a year");
        Row {
            table: &DEVICE_EVENTS,
            key: vec![
                text(self.entity.as_str()),
                Value::Int(year_of(at_ms)),
                Value::Timestamp(at_ms),
                Value::Blob(self.id.clone()),
            ],
            columns,
            wts_us: at_ms.saturating_mul(1_000),
            expires_at_ms: Some(at_ms.saturating_add(retention_ms)),
        }
    }

    /// Reads a row of [`DEVICE_EVENTS`].
    ///
    /// # Errors
    /// When it is a row of another table, or a column has another type than the table says.
    pub fn from_row(row: &Row) -> Result<Self, StoreError> {
        let fields = Fields::of(row, &[&DEVICE_EVENTS])?;
        Ok(Self {
            entity: fields.entity("entity")?,
            at: fields.instant("at")?,
            id: fields.blob("id")?,
            kind: fields.text("kind")?,
            event_type: fields.text("type")?,
            event: fields.text("event")?,
            phase: fields.text("phase")?,
            severity: fields.optional_text("severity")?,
            trap_oid: fields.optional_text("trap_oid")?,
            source: fields.optional_text("source")?,
            state: fields.optional_text("state")?,
            previous: fields.optional_text("prev")?,
            cause: fields.optional_text("cause")?,
            cause_raw: fields.optional_text("cause_raw")?,
            serial: fields.optional_text("serial")?,
            detail: fields.map("detail")?,
            received_at: fields.instant("received_at")?,
            position: fields.position()?,
        })
    }
}
