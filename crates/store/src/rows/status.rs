//! The current status of an entity: by itself, and with what it is read together with.

use ColumnType::{Bigint, Int, Map, Text, Timestamp};
use model::{EntityId, Micros, Position};

use super::fields::{Fields, audit, column, instant, optional_text, text};
use super::read_group;
use super::readings::{StatusOptics, StatusPoll};
use crate::{Column, ColumnType, Order, Row, StoreError, TableDef};

const COLUMNS: &[Column] = &[
    column("kind", Text),
    column("site", Text),
    column("parent", Text),
    column("name", Text),
    column("description", Text),
    column("vendor", Text),
    column("model", Text),
    column("serial", Text),
    column("state", Text),
    column("cause", Text),
    column("cause_raw", Text),
    column("since", Timestamp),
    column("observed_at", Timestamp),
    column("received_at", Timestamp),
    column("first_trap_at", Timestamp),
    column("src_gen", Int),
    column("src_part", Int),
    column("src_offset", Bigint),
    // Behind the others, because rows of earlier builds end before them.
    column("optics", Map),
    column("poll", Map),
];

/// Status by entity. Its read group follows from the entity, so it is no column.
pub static STATUS: TableDef = TableDef {
    name: "status",
    partition_key: &[column("entity", Text)],
    clustering_key: &[],
    columns: COLUMNS,
    retention: None,
    mutable: true,
};

/// Status of all entities of a read group (see [`read_group`]).
pub static STATUS_BY_GROUP: TableDef = TableDef {
    name: "status_by_group",
    partition_key: &[column("read_group", Text)],
    clustering_key: &[(column("entity", Text), Order::Asc)],
    columns: COLUMNS,
    retention: None,
    mutable: true,
};

/// One row of [`STATUS`] and of [`STATUS_BY_GROUP`]. `kind`, `state` and `cause` are words of `model`, kept as text so that a
/// word of a newer build is shown instead of refused.
#[derive(Debug, Clone, PartialEq)]
#[allow(
    missing_docs,
    reason = "fields as in the record `DeviceStatus`, documented in its schema"
)]
pub struct StatusRow {
    pub entity: EntityId,
    pub kind: String,
    pub site: Option<String>,
    pub parent: Option<String>,
    pub name: Option<String>,
    pub description: Option<String>,
    pub vendor: Option<String>,
    pub model: Option<String>,
    /// In its readable form.
    pub serial: Option<String>,
    pub state: String,
    pub cause: Option<String>,
    pub cause_raw: Option<String>,
    pub since: Micros,
    pub observed_at: Micros,
    pub received_at: Micros,
    pub first_trap_at: Option<Micros>,
    /// ONUs only.
    pub optics: Option<StatusOptics>,
    /// OLTs only.
    pub poll: Option<StatusPoll>,
    /// The input that made the row.
    pub position: Position,
    /// Write time: the slot's hybrid clock.
    pub wts: Micros,
}

impl StatusRow {
    /// The row of [`STATUS`].
    pub fn to_row(&self) -> Row {
        self.row(&STATUS, vec![text(self.entity.as_str())])
    }

    /// The row of [`STATUS_BY_GROUP`].
    pub fn to_group_row(&self) -> Row {
        let key = vec![text(&read_group(&self.entity)), text(self.entity.as_str())];
        self.row(&STATUS_BY_GROUP, key)
    }

    fn row(&self, table: &'static TableDef, key: Vec<crate::Value>) -> Row {
        let mut columns = vec![
            Some(text(&self.kind)),
            optional_text(self.site.as_ref()),
            optional_text(self.parent.as_ref()),
            optional_text(self.name.as_ref()),
            optional_text(self.description.as_ref()),
            optional_text(self.vendor.as_ref()),
            optional_text(self.model.as_ref()),
            optional_text(self.serial.as_ref()),
            Some(text(&self.state)),
            optional_text(self.cause.as_ref()),
            optional_text(self.cause_raw.as_ref()),
            Some(instant(self.since)),
            Some(instant(self.observed_at)),
            Some(instant(self.received_at)),
            self.first_trap_at.map(instant),
        ];
        columns.extend(audit(self.position));
        columns.push(self.optics.map(StatusOptics::to_value));
        columns.push(self.poll.as_ref().map(StatusPoll::to_value));
        Row {
            table,
            key,
            columns,
            wts_us: self.wts.0,
            expires_at_ms: None,
        }
    }

    /// Reads a row of either table.
    ///
    /// # Errors
    /// When it is a row of another table, or a column has another type than the table says.
    pub fn from_row(row: &Row) -> Result<Self, StoreError> {
        let fields = Fields::of(row, &[&STATUS, &STATUS_BY_GROUP])?;
        Ok(Self {
            entity: fields.entity("entity")?,
            kind: fields.text("kind")?,
            site: fields.optional_text("site")?,
            parent: fields.optional_text("parent")?,
            name: fields.optional_text("name")?,
            description: fields.optional_text("description")?,
            vendor: fields.optional_text("vendor")?,
            model: fields.optional_text("model")?,
            serial: fields.optional_text("serial")?,
            state: fields.text("state")?,
            cause: fields.optional_text("cause")?,
            cause_raw: fields.optional_text("cause_raw")?,
            since: fields.instant("since")?,
            observed_at: fields.instant("observed_at")?,
            received_at: fields.instant("received_at")?,
            first_trap_at: fields.optional_instant("first_trap_at")?,
            optics: fields.part("optics", StatusOptics::from_map)?,
            poll: fields.part("poll", StatusPoll::from_map)?,
            position: fields.position()?,
            wts: Micros(row.wts_us),
        })
    }
}
