//! Generated from the schema of `CardsRead` by `cargo run -p xtask -- gen`: not to be edited.

use std::collections::BTreeMap;

use model::Micros;
use serde::{Deserialize, Serialize};

use crate::records::RecordType;
use crate::wire::{self, Body, Malformed, Reader};

/// Cards of an optical network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardsRead {
    /// The system that was asked.
    pub root: String,
    /// One for all parts of one read, and for no other read of the root.
    pub read_id: String,
    /// Which part this is, from 0.
    pub part: i32,
    /// How many parts the read has, at least 1.
    pub of: i32,
    /// What the whole read covers: `all`, or a tier of measures: `critical`, `normal`.
    pub scope: String,
    /// The whole read, all its parts, holds everything that is inside the scope: counted before and after.
    pub complete: bool,
    /// How it was read: the name of the mapping.
    pub way: String,
    /// When the first request was sent: no row is older than what was seen since.
    pub started_at: Micros,
    /// When the answer was there.
    pub received_at: Micros,
    /// Cards, in the system's order.
    pub cards: Vec<CardRow>,
}

/// A [`CardsRead`] whose parts are where they came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields as in the record")]
pub struct CardsReadView<'a> {
    pub root: &'a str,
    pub read_id: &'a str,
    pub part: i32,
    pub of: i32,
    pub scope: &'a str,
    pub complete: bool,
    pub way: &'a str,
    pub started_at: Micros,
    pub received_at: Micros,
    pub cards: &'a [CardRow],
}

impl CardsRead {
    /// The record without its own memory.
    pub fn view(&self) -> CardsReadView<'_> {
        CardsReadView {
            root: &self.root,
            read_id: &self.read_id,
            part: self.part,
            of: self.of,
            scope: &self.scope,
            complete: self.complete,
            way: &self.way,
            started_at: self.started_at,
            received_at: self.received_at,
            cards: &self.cards,
        }
    }
}

impl CardsRead {
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            root: r.string()?,
            read_id: r.string()?,
            part: r.int()?,
            of: r.int()?,
            scope: r.string()?,
            complete: r.boolean()?,
            way: r.string()?,
            started_at: r.micros()?,
            received_at: r.micros()?,
            cards: r.list(CardRow::decode)?,
        })
    }
}

impl Body for CardsReadView<'_> {
    const RECORD: RecordType = RecordType::CardsRead;

    fn encode(&self, out: &mut Vec<u8>) {
        wire::put_text(out, self.root);
        wire::put_text(out, self.read_id);
        wire::put_int(out, self.part);
        wire::put_int(out, self.of);
        wire::put_text(out, self.scope);
        wire::put_boolean(out, self.complete);
        wire::put_text(out, self.way);
        wire::put_micros(out, self.started_at);
        wire::put_micros(out, self.received_at);
        wire::put_list(out, self.cards, |out, value| value.encode(out));
    }
}

impl Body for CardsRead {
    const RECORD: RecordType = RecordType::CardsRead;

    fn encode(&self, out: &mut Vec<u8>) {
        self.view().encode(out);
    }
}

/// One card. What the system does not say is null.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardRow {
    /// Serial number: with the root, its identity.
    pub serial: String,
    /// Part number.
    #[serde(default)]
    pub part: Option<String>,
    /// Family: EDFA, Raman, transponder, mux …
    #[serde(default)]
    pub family: Option<String>,
    /// Model.
    #[serde(default)]
    pub model: Option<String>,
    /// Name.
    #[serde(default)]
    pub name: Option<String>,
    /// Site.
    #[serde(default)]
    pub site: Option<String>,
    /// Slot, in the system's words.
    #[serde(default)]
    pub slot: Option<String>,
    /// Whether it works, if the system says.
    #[serde(default)]
    pub is_up: Option<bool>,
    /// The system's word.
    #[serde(default)]
    pub status: Option<String>,
    /// When it was installed.
    #[serde(default)]
    pub installed_at: Option<Micros>,
    /// What else it says, by our names.
    pub attributes: BTreeMap<String, String>,
}

/// A [`CardRow`] whose parts are where they came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields as in the record")]
pub struct CardRowView<'a> {
    pub serial: &'a str,
    pub part: Option<&'a str>,
    pub family: Option<&'a str>,
    pub model: Option<&'a str>,
    pub name: Option<&'a str>,
    pub site: Option<&'a str>,
    pub slot: Option<&'a str>,
    pub is_up: Option<bool>,
    pub status: Option<&'a str>,
    pub installed_at: Option<Micros>,
    pub attributes: &'a BTreeMap<String, String>,
}

impl CardRow {
    /// The record without its own memory.
    pub fn view(&self) -> CardRowView<'_> {
        CardRowView {
            serial: &self.serial,
            part: self.part.as_deref(),
            family: self.family.as_deref(),
            model: self.model.as_deref(),
            name: self.name.as_deref(),
            site: self.site.as_deref(),
            slot: self.slot.as_deref(),
            is_up: self.is_up,
            status: self.status.as_deref(),
            installed_at: self.installed_at,
            attributes: &self.attributes,
        }
    }
}

impl CardRow {
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            serial: r.string()?,
            part: r.optional(Reader::string)?,
            family: r.optional(Reader::string)?,
            model: r.optional(Reader::string)?,
            name: r.optional(Reader::string)?,
            site: r.optional(Reader::string)?,
            slot: r.optional(Reader::string)?,
            is_up: r.optional(Reader::boolean)?,
            status: r.optional(Reader::string)?,
            installed_at: r.optional(Reader::micros)?,
            attributes: r.map(Reader::string)?,
        })
    }
}

impl CardRowView<'_> {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        wire::put_text(out, self.serial);
        wire::put_optional(out, self.part, wire::put_text);
        wire::put_optional(out, self.family, wire::put_text);
        wire::put_optional(out, self.model, wire::put_text);
        wire::put_optional(out, self.name, wire::put_text);
        wire::put_optional(out, self.site, wire::put_text);
        wire::put_optional(out, self.slot, wire::put_text);
        wire::put_optional(out, self.is_up, wire::put_boolean);
        wire::put_optional(out, self.status, wire::put_text);
        wire::put_optional(out, self.installed_at, wire::put_micros);
        wire::put_map(out, self.attributes, |out, value| wire::put_text(out, value));
    }
}

impl CardRow {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        self.view().encode(out);
    }
}
