//! What exists: entities, the groups they are listed by, and where a serial number was sighted.

use std::collections::BTreeMap;

use ColumnType::{Bigint, Int, Map, Text, Timestamp};
use model::{EntityId, Micros, Position};

use super::fields::{Fields, audit, column, instant, optional_text, text};
use crate::{ColumnType, Order, Row, StoreError, TableDef, Value};

/// Inventory by entity.
pub static ENTITIES: TableDef = TableDef {
    name: "entities",
    partition_key: &[column("entity", Text)],
    clustering_key: &[],
    columns: &[
        column("kind", Text),
        column("site", Text),
        column("parent", Text),
        column("name", Text),
        column("description", Text),
        column("vendor", Text),
        column("model", Text),
        column("serial", Text),
        column("address", Text),
        column("attrs", Map),
        column("origin", Text),
        column("installed_at", Timestamp),
        column("seen_at", Timestamp),
        column("serial_since", Timestamp),
        column("src_gen", Int),
        column("src_part", Int),
        column("src_offset", Bigint),
    ],
    retention: None,
    mutable: true,
};

/// Groups by kind. Each row is written by one entity: the OLT, board or PON port it is, or for a root's share of a site that
/// root. So a site behind two roots has two rows with one name; a reader merges them.
pub static GROUPS: TableDef = TableDef {
    name: "groups",
    partition_key: &[column("kind", Text)],
    clustering_key: &[(column("read_group", Text), Order::Asc)],
    columns: &[column("name", Text), column("parent", Text), column("attrs", Map)],
    retention: None,
    mutable: true,
};

/// Sightings by serial. The entity is part of the key, so each row has one writer: after a move both places may stand here
/// until the old one is given another serial, and a reader believes the one whose status carries the serial.
pub static SERIALS: TableDef = TableDef {
    name: "serials",
    partition_key: &[column("tenant", Text), column("serial", Text)],
    clustering_key: &[(column("entity", Text), Order::Asc)],
    columns: &[column("since", Timestamp)],
    retention: None,
    mutable: true,
};

/// One row of [`ENTITIES`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "fields as in the record `InventoryEntry`, documented in its schema"
)]
pub struct EntityRow {
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
    pub address: Option<String>,
    pub attributes: BTreeMap<String, String>,
    /// Who said so: config, import, api, trap.
    pub origin: String,
    pub installed_at: Option<Micros>,
    pub seen_at: Micros,
    pub serial_since: Option<Micros>,
    /// The input that made the row.
    pub position: Position,
    /// Write time: the slot's hybrid clock.
    pub wts: Micros,
}

impl EntityRow {
    /// The row of [`ENTITIES`].
    pub fn to_row(&self) -> Row {
        let mut columns = vec![
            Some(text(&self.kind)),
            optional_text(self.site.as_ref()),
            optional_text(self.parent.as_ref()),
            optional_text(self.name.as_ref()),
            optional_text(self.description.as_ref()),
            optional_text(self.vendor.as_ref()),
            optional_text(self.model.as_ref()),
            optional_text(self.serial.as_ref()),
            optional_text(self.address.as_ref()),
            optional_map(&self.attributes),
            Some(text(&self.origin)),
            self.installed_at.map(instant),
            Some(instant(self.seen_at)),
            self.serial_since.map(instant),
        ];
        columns.extend(audit(self.position));
        Row {
            table: &ENTITIES,
            key: vec![text(self.entity.as_str())],
            columns,
            wts_us: self.wts.0,
            expires_at_ms: None,
        }
    }

    /// Reads a row of [`ENTITIES`].
    ///
    /// # Errors
    /// When it is a row of another table, or a column has another type than the table says.
    pub fn from_row(row: &Row) -> Result<Self, StoreError> {
        let fields = Fields::of(row, &[&ENTITIES])?;
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
            address: fields.optional_text("address")?,
            attributes: fields.map("attrs")?,
            origin: fields.text("origin")?,
            installed_at: fields.optional_instant("installed_at")?,
            seen_at: fields.instant("seen_at")?,
            serial_since: fields.optional_instant("serial_since")?,
            position: fields.position()?,
            wts: Micros(row.wts_us),
        })
    }
}

/// What groups are listed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GroupKind {
    /// A root's share of a site: `…/olt/rjo-01/site/RJO`.
    Site,
    /// An OLT.
    Olt,
    /// A board.
    Board,
    /// A PON port.
    Pon,
}

impl GroupKind {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Site, Self::Olt, Self::Board, Self::Pon];

    /// The word in the partition key.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Site => "site",
            Self::Olt => "olt",
            Self::Board => "board",
            Self::Pon => "pon",
        }
    }
}

/// One row of [`GROUPS`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupRow {
    /// What it is.
    pub kind: GroupKind,
    /// The entity id of the OLT, board or PON port; a root's id and `/site/NAME` for a site.
    pub read_group: String,
    /// Name given by people; a site's own.
    pub name: Option<String>,
    /// Entity it hangs on; a site's root.
    pub parent: Option<String>,
    /// Attributes of the entity.
    pub attributes: BTreeMap<String, String>,
    /// Write time of the inventory entry it comes from.
    pub wts: Micros,
}

impl GroupRow {
    /// The key of a group's row.
    pub fn key(kind: GroupKind, read_group: &str) -> Vec<Value> {
        vec![text(kind.as_str()), text(read_group)]
    }

    /// The row of [`GROUPS`].
    pub fn to_row(&self) -> Row {
        Row {
            table: &GROUPS,
            key: Self::key(self.kind, &self.read_group),
            columns: vec![
                optional_text(self.name.as_ref()),
                optional_text(self.parent.as_ref()),
                optional_map(&self.attributes),
            ],
            wts_us: self.wts.0,
            expires_at_ms: None,
        }
    }

    /// Reads a row of [`GROUPS`].
    ///
    /// # Errors
    /// When it is a row of another table, or of a kind of group that is not known.
    pub fn from_row(row: &Row) -> Result<Self, StoreError> {
        let fields = Fields::of(row, &[&GROUPS])?;
        let word = fields.text("kind")?;
        let kind = GroupKind::ALL.iter().copied().find(|k| k.as_str() == word);
        Ok(Self {
            kind: kind.ok_or_else(|| StoreError::Invalid {
                table: GROUPS.name,
                problem: format!("`{word}` is not a kind of group"),
            })?,
            read_group: fields.text("read_group")?,
            name: fields.optional_text("name")?,
            parent: fields.optional_text("parent")?,
            attributes: fields.map("attrs")?,
            wts: Micros(row.wts_us),
        })
    }
}

/// One row of [`SERIALS`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SerialRow {
    /// Tenant of the entity.
    pub tenant: String,
    /// Sixteen upper-case hexadecimal digits for a GPON serial (`model::Serial::hex`); anything else as it was given.
    pub serial: String,
    /// Where it was sighted.
    pub entity: EntityId,
    /// When it was sighted there.
    pub since: Micros,
    /// Write time of the inventory entry it comes from.
    pub wts: Micros,
}

impl SerialRow {
    /// The key of a sighting's row.
    pub fn key(tenant: &str, serial: &str, entity: &EntityId) -> Vec<Value> {
        vec![text(tenant), text(serial), text(entity.as_str())]
    }

    /// The form in which a serial is a key: hexadecimal digits if it is a GPON serial, else itself without blanks around.
    pub fn key_form(serial: &str) -> String {
        model::Serial::parse(serial).map_or_else(|_| serial.trim().to_owned(), |s| s.hex())
    }

    /// The row of [`SERIALS`].
    pub fn to_row(&self) -> Row {
        Row {
            table: &SERIALS,
            key: Self::key(&self.tenant, &self.serial, &self.entity),
            columns: vec![Some(instant(self.since))],
            wts_us: self.wts.0,
            expires_at_ms: None,
        }
    }

    /// Reads a row of [`SERIALS`].
    ///
    /// # Errors
    /// When it is a row of another table, or a column has another type than the table says.
    pub fn from_row(row: &Row) -> Result<Self, StoreError> {
        let fields = Fields::of(row, &[&SERIALS])?;
        Ok(Self {
            tenant: fields.text("tenant")?,
            serial: fields.text("serial")?,
            entity: fields.entity("entity")?,
            since: fields.instant("since")?,
            wts: Micros(row.wts_us),
        })
    }
}

/// An empty map is an absent one, as in CQL.
fn optional_map(map: &BTreeMap<String, String>) -> Option<Value> {
    (!map.is_empty()).then(|| Value::Map(map.clone()))
}
