//! Generated from the schema of `MeasuresRead` by `cargo run -p xtask -- gen`: not to be edited.

use model::Micros;
use serde::{Deserialize, Serialize};

use crate::records::RecordType;
use crate::wire::{self, Body, Malformed, Reader};

/// Readings of cards.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MeasuresRead {
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
    /// Readings, in the system's order.
    pub measures: Vec<MeasureRow>,
}

/// A [`MeasuresRead`] whose parts are where they came from.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "fields as in the record")]
pub struct MeasuresReadView<'a> {
    pub root: &'a str,
    pub read_id: &'a str,
    pub part: i32,
    pub of: i32,
    pub scope: &'a str,
    pub complete: bool,
    pub way: &'a str,
    pub started_at: Micros,
    pub received_at: Micros,
    pub measures: &'a [MeasureRow],
}

impl MeasuresRead {
    /// The record without its own memory.
    pub fn view(&self) -> MeasuresReadView<'_> {
        MeasuresReadView {
            root: &self.root,
            read_id: &self.read_id,
            part: self.part,
            of: self.of,
            scope: &self.scope,
            complete: self.complete,
            way: &self.way,
            started_at: self.started_at,
            received_at: self.received_at,
            measures: &self.measures,
        }
    }
}

impl MeasuresRead {
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
            measures: r.list(MeasureRow::decode)?,
        })
    }
}

impl Body for MeasuresReadView<'_> {
    const RECORD: RecordType = RecordType::MeasuresRead;

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
        wire::put_list(out, self.measures, |out, value| value.encode(out));
    }
}

impl Body for MeasuresRead {
    const RECORD: RecordType = RecordType::MeasuresRead;

    fn encode(&self, out: &mut Vec<u8>) {
        self.view().encode(out);
    }
}

/// One reading of a card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MeasureRow {
    /// Serial number of the card.
    pub serial: String,
    /// Our word for what is measured: lower case with underscores.
    pub measure: String,
    /// The system's name of it.
    #[serde(default)]
    pub name: Option<String>,
    /// The value, a finite number.
    pub value: f64,
    /// Unit, as UCUM writes it where it has one; empty where nobody knows.
    pub unit: String,
    /// power, optical, temperature, electrical, other.
    pub group: String,
    /// good, bad (outside of what the measure can be), stale (the system says it is old).
    pub quality: String,
    /// When the system updated it.
    pub observed_at: Micros,
}

/// A [`MeasureRow`] whose parts are where they came from.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "fields as in the record")]
pub struct MeasureRowView<'a> {
    pub serial: &'a str,
    pub measure: &'a str,
    pub name: Option<&'a str>,
    pub value: f64,
    pub unit: &'a str,
    pub group: &'a str,
    pub quality: &'a str,
    pub observed_at: Micros,
}

impl MeasureRow {
    /// The record without its own memory.
    pub fn view(&self) -> MeasureRowView<'_> {
        MeasureRowView {
            serial: &self.serial,
            measure: &self.measure,
            name: self.name.as_deref(),
            value: self.value,
            unit: &self.unit,
            group: &self.group,
            quality: &self.quality,
            observed_at: self.observed_at,
        }
    }
}

impl MeasureRow {
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            serial: r.string()?,
            measure: r.string()?,
            name: r.optional(Reader::string)?,
            value: r.double()?,
            unit: r.string()?,
            group: r.string()?,
            quality: r.string()?,
            observed_at: r.micros()?,
        })
    }
}

impl MeasureRowView<'_> {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        wire::put_text(out, self.serial);
        wire::put_text(out, self.measure);
        wire::put_optional(out, self.name, wire::put_text);
        wire::put_double(out, self.value);
        wire::put_text(out, self.unit);
        wire::put_text(out, self.group);
        wire::put_text(out, self.quality);
        wire::put_micros(out, self.observed_at);
    }
}

impl MeasureRow {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        self.view().encode(out);
    }
}
