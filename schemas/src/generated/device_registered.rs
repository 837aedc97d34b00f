//! Generated from the schema of `DeviceRegistered` by `cargo run -p xtask -- gen`: not to be edited.

use std::collections::BTreeMap;

use model::Micros;
use serde::{Deserialize, Serialize};

use crate::records::RecordType;
use crate::wire::{self, Body, Malformed, Reader};

/// A person, a file or an inventory system says that this entity exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceRegistered {
    /// Entity id.
    pub entity: String,
    /// What it is.
    pub kind: String,
    /// Serial number.
    #[serde(default)]
    pub serial: Option<String>,
    /// Name.
    #[serde(default)]
    pub name: Option<String>,
    /// Site.
    #[serde(default)]
    pub site: Option<String>,
    /// Description.
    #[serde(default)]
    pub description: Option<String>,
    /// Vendor.
    #[serde(default)]
    pub vendor: Option<String>,
    /// Model.
    #[serde(default)]
    pub model: Option<String>,
    /// Management address (roots).
    #[serde(default)]
    pub address: Option<String>,
    /// Anything else.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
    /// Who says so: config, import, api, netbox.
    pub origin: String,
    /// It no longer exists.
    #[serde(default)]
    pub removed: bool,
    /// When it was said.
    pub observed_at: Micros,
    /// When we received it.
    pub received_at: Micros,
}

/// A [`DeviceRegistered`] whose parts are where they came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields as in the record")]
pub struct DeviceRegisteredView<'a> {
    pub entity: &'a str,
    pub kind: &'a str,
    pub serial: Option<&'a str>,
    pub name: Option<&'a str>,
    pub site: Option<&'a str>,
    pub description: Option<&'a str>,
    pub vendor: Option<&'a str>,
    pub model: Option<&'a str>,
    pub address: Option<&'a str>,
    pub attributes: &'a BTreeMap<String, String>,
    pub origin: &'a str,
    pub removed: bool,
    pub observed_at: Micros,
    pub received_at: Micros,
}

impl DeviceRegistered {
    /// The record without its own memory.
    pub fn view(&self) -> DeviceRegisteredView<'_> {
        DeviceRegisteredView {
            entity: &self.entity,
            kind: &self.kind,
            serial: self.serial.as_deref(),
            name: self.name.as_deref(),
            site: self.site.as_deref(),
            description: self.description.as_deref(),
            vendor: self.vendor.as_deref(),
            model: self.model.as_deref(),
            address: self.address.as_deref(),
            attributes: &self.attributes,
            origin: &self.origin,
            removed: self.removed,
            observed_at: self.observed_at,
            received_at: self.received_at,
        }
    }
}

impl DeviceRegistered {
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            entity: r.string()?,
            kind: r.string()?,
            serial: r.optional(Reader::string)?,
            name: r.optional(Reader::string)?,
            site: r.optional(Reader::string)?,
            description: r.optional(Reader::string)?,
            vendor: r.optional(Reader::string)?,
            model: r.optional(Reader::string)?,
            address: r.optional(Reader::string)?,
            attributes: r.map(Reader::string)?,
            origin: r.string()?,
            removed: r.boolean()?,
            observed_at: r.micros()?,
            received_at: r.micros()?,
        })
    }
}

impl Body for DeviceRegisteredView<'_> {
    const RECORD: RecordType = RecordType::DeviceRegistered;

    fn encode(&self, out: &mut Vec<u8>) {
        wire::put_text(out, self.entity);
        wire::put_text(out, self.kind);
        wire::put_optional(out, self.serial, wire::put_text);
        wire::put_optional(out, self.name, wire::put_text);
        wire::put_optional(out, self.site, wire::put_text);
        wire::put_optional(out, self.description, wire::put_text);
        wire::put_optional(out, self.vendor, wire::put_text);
        wire::put_optional(out, self.model, wire::put_text);
        wire::put_optional(out, self.address, wire::put_text);
        wire::put_map(out, self.attributes, |out, value| wire::put_text(out, value));
        wire::put_text(out, self.origin);
        wire::put_boolean(out, self.removed);
        wire::put_micros(out, self.observed_at);
        wire::put_micros(out, self.received_at);
    }
}

impl Body for DeviceRegistered {
    const RECORD: RecordType = RecordType::DeviceRegistered;

    fn encode(&self, out: &mut Vec<u8>) {
        self.view().encode(out);
    }
}
