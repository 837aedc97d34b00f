//! Generated from the schema of `DeviceStatus` by `cargo run -p xtask -- gen`: not to be edited.

use model::Micros;
use serde::{Deserialize, Serialize};

use crate::records::RecordType;
use crate::wire::{self, Body, Malformed, Reader};
use crate::{InputPosition, OnuOptics, PollHealth, PollHealthView};

/// Current status of an entity, and what lists need.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeviceStatus {
    /// Entity id: tenant, root and place.
    pub entity: String,
    /// The element through which it is seen, and the partition key.
    pub root: String,
    /// olt, board, pon, onu, padtec, site, card, cpe, unknown.
    pub kind: String,
    /// Site it belongs to.
    #[serde(default)]
    pub site: Option<String>,
    /// Entity it hangs on.
    #[serde(default)]
    pub parent: Option<String>,
    /// Name given by people.
    #[serde(default)]
    pub name: Option<String>,
    /// Description, as the device or a person wrote it.
    #[serde(default)]
    pub description: Option<String>,
    /// Vendor.
    #[serde(default)]
    pub vendor: Option<String>,
    /// Model.
    #[serde(default)]
    pub model: Option<String>,
    /// Serial number; an ONU's in its readable form.
    #[serde(default)]
    pub serial: Option<String>,
    /// Present state: a word of its kind.
    pub state: String,
    /// Why, when it is out of service.
    #[serde(default)]
    pub cause: Option<String>,
    /// The vendor's words for the cause.
    #[serde(default)]
    pub cause_raw: Option<String>,
    /// Since when it is in this state, by observation time.
    pub since: Micros,
    /// When the newest observation of the state was made.
    pub observed_at: Micros,
    /// When we received that observation.
    pub received_at: Micros,
    /// When its first trap came (roots only).
    #[serde(default)]
    pub first_trap_at: Option<Micros>,
    /// Optical levels (ONUs only).
    #[serde(default)]
    pub optics: Option<OnuOptics>,
    /// How reading it goes (OLTs only).
    #[serde(default)]
    pub poll: Option<PollHealth>,
    /// The input that made this row.
    pub position: InputPosition,
    /// Write time of the row, its slot's hybrid clock.
    pub wts: Micros,
}

/// A [`DeviceStatus`] whose parts are where they came from.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "fields as in the record")]
pub struct DeviceStatusView<'a> {
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
    pub state: &'a str,
    pub cause: Option<&'a str>,
    pub cause_raw: Option<&'a str>,
    pub since: Micros,
    pub observed_at: Micros,
    pub received_at: Micros,
    pub first_trap_at: Option<Micros>,
    pub optics: Option<OnuOptics>,
    pub poll: Option<PollHealthView<'a>>,
    pub position: InputPosition,
    pub wts: Micros,
}

impl DeviceStatus {
    /// The record without its own memory.
    pub fn view(&self) -> DeviceStatusView<'_> {
        DeviceStatusView {
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
            state: &self.state,
            cause: self.cause.as_deref(),
            cause_raw: self.cause_raw.as_deref(),
            since: self.since,
            observed_at: self.observed_at,
            received_at: self.received_at,
            first_trap_at: self.first_trap_at,
            optics: self.optics,
            poll: self.poll.as_ref().map(PollHealth::view),
            position: self.position,
            wts: self.wts,
        }
    }
}

impl DeviceStatus {
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
            state: r.string()?,
            cause: r.optional(Reader::string)?,
            cause_raw: r.optional(Reader::string)?,
            since: r.micros()?,
            observed_at: r.micros()?,
            received_at: r.micros()?,
            first_trap_at: r.optional(Reader::micros)?,
            optics: r.optional(OnuOptics::decode)?,
            poll: r.optional(PollHealth::decode)?,
            position: InputPosition::decode(r)?,
            wts: r.micros()?,
        })
    }
}

impl Body for DeviceStatusView<'_> {
    const RECORD: RecordType = RecordType::DeviceStatus;

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
        wire::put_text(out, self.state);
        wire::put_optional(out, self.cause, wire::put_text);
        wire::put_optional(out, self.cause_raw, wire::put_text);
        wire::put_micros(out, self.since);
        wire::put_micros(out, self.observed_at);
        wire::put_micros(out, self.received_at);
        wire::put_optional(out, self.first_trap_at, wire::put_micros);
        wire::put_optional(out, self.optics, |out, value| value.encode(out));
        wire::put_optional(out, self.poll, |out, value| value.encode(out));
        self.position.encode(out);
        wire::put_micros(out, self.wts);
    }
}

impl Body for DeviceStatus {
    const RECORD: RecordType = RecordType::DeviceStatus;

    fn encode(&self, out: &mut Vec<u8>) {
        self.view().encode(out);
    }
}
