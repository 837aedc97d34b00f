//! Generated from the schema of `InventoryEntry` by `cargo run -p xtask -- gen`: not to be edited.

use std::collections::BTreeMap;

use model::Micros;
use serde::{Deserialize, Serialize};

use crate::InputPosition;
use crate::records::RecordType;
use crate::wire::{self, Body, Malformed, Reader};

/// What exists, with its attributes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InventoryEntry {
    /// Entity id.
    pub entity: String,
    /// Its root.
    pub root: String,
    /// What it is.
    pub kind: String,
    /// Site.
    #[serde(default)]
    pub site: Option<String>,
    /// Entity it hangs on.
    #[serde(default)]
    pub parent: Option<String>,
    /// Name.
    #[serde(default)]
    pub name: Option<String>,
    /// Description.
    #[serde(default)]
    pub description: Option<String>,
    /// Vendor.
    #[serde(default)]
    pub vendor: Option<String>,
    /// Model.
    #[serde(default)]
    pub model: Option<String>,
    /// Serial number.
    #[serde(default)]
    pub serial: Option<String>,
    /// Management address (roots).
    #[serde(default)]
    pub address: Option<String>,
    /// Anything else.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
    /// Who said so: config, import, api, trap.
    pub origin: String,
    /// When it was registered first.
    #[serde(default)]
    pub installed_at: Option<Micros>,
    /// When it was last seen or registered.
    pub seen_at: Micros,
    /// When this serial was sighted at this place.
    #[serde(default)]
    pub serial_since: Option<Micros>,
    /// The input that made this row.
    pub position: InputPosition,
    /// Write time of the row.
    pub wts: Micros,
}

/// A [`InventoryEntry`] whose parts are where they came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields as in the record")]
pub struct InventoryEntryView<'a> {
    pub entity: &'a str,
    pub root: &'a str,
    pub kind: &'a str,
    pub site: Option<&'a str>,
    pub parent: Option<&'a str>,
    pub name: Option<&'a str>,
    pub description: Option<&'a str>,
    pub vendor: Option<&'a str>,
    pub model: Option<&'a str>,
    pub serial: Option<&'a str>,
    pub address: Option<&'a str>,
    pub attributes: &'a BTreeMap<String, String>,
    pub origin: &'a str,
    pub installed_at: Option<Micros>,
    pub seen_at: Micros,
    pub serial_since: Option<Micros>,
    pub position: InputPosition,
    pub wts: Micros,
}

impl InventoryEntry {
    /// The record without its own memory.
    pub fn view(&self) -> InventoryEntryView<'_> {
        InventoryEntryView {
            entity: &self.entity,
            root: &self.root,
            kind: &self.kind,
            site: self.site.as_deref(),
            parent: self.parent.as_deref(),
            name: self.name.as_deref(),
            description: self.description.as_deref(),
            vendor: self.vendor.as_deref(),
            model: self.model.as_deref(),
            serial: self.serial.as_deref(),
            address: self.address.as_deref(),
            attributes: &self.attributes,
            origin: &self.origin,
            installed_at: self.installed_at,
            seen_at: self.seen_at,
            serial_since: self.serial_since,
            position: self.position,
            wts: self.wts,
        }
    }
}

impl InventoryEntry {
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            entity: r.string()?,
            root: r.string()?,
            kind: r.string()?,
            site: r.optional(Reader::string)?,
            parent: r.optional(Reader::string)?,
            name: r.optional(Reader::string)?,
            description: r.optional(Reader::string)?,
            vendor: r.optional(Reader::string)?,
            model: r.optional(Reader::string)?,
            serial: r.optional(Reader::string)?,
            address: r.optional(Reader::string)?,
            attributes: r.map(Reader::string)?,
            origin: r.string()?,
            installed_at: r.optional(Reader::micros)?,
            seen_at: r.micros()?,
            serial_since: r.optional(Reader::micros)?,
            position: InputPosition::decode(r)?,
            wts: r.micros()?,
        })
    }
}

impl Body for InventoryEntryView<'_> {
    const RECORD: RecordType = RecordType::InventoryEntry;

    fn encode(&self, out: &mut Vec<u8>) {
        wire::put_text(out, self.entity);
        wire::put_text(out, self.root);
        wire::put_text(out, self.kind);
        wire::put_optional(out, self.site, wire::put_text);
        wire::put_optional(out, self.parent, wire::put_text);
        wire::put_optional(out, self.name, wire::put_text);
        wire::put_optional(out, self.description, wire::put_text);
        wire::put_optional(out, self.vendor, wire::put_text);
        wire::put_optional(out, self.model, wire::put_text);
        wire::put_optional(out, self.serial, wire::put_text);
        wire::put_optional(out, self.address, wire::put_text);
        wire::put_map(out, self.attributes, |out, value| wire::put_text(out, value));
        wire::put_text(out, self.origin);
        wire::put_optional(out, self.installed_at, wire::put_micros);
        wire::put_micros(out, self.seen_at);
        wire::put_optional(out, self.serial_since, wire::put_micros);
        self.position.encode(out);
        wire::put_micros(out, self.wts);
    }
}

impl Body for InventoryEntry {
    const RECORD: RecordType = RecordType::InventoryEntry;

    fn encode(&self, out: &mut Vec<u8>) {
        self.view().encode(out);
    }
}
