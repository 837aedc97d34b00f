//! Generated from the schema of `Measurement` by `cargo run -p xtask -- gen`: not to be edited.

use model::Micros;
use serde::{Deserialize, Serialize};

use crate::InputPosition;
use crate::records::RecordType;
use crate::wire::{self, Body, Malformed, Reader, View};

/// One reading of one measure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// What was measured.
    pub entity: String,
    /// Its root.
    pub root: String,
    /// onu_rx_power, onu_tx_power, olt_rx_power, onu_temperature, onu_voltage, onu_bias_current, onu_distance; of a card our word of its mapping.
    pub measure: String,
    /// The value, a finite number.
    pub value: f64,
    /// Unit, as UCUM writes it where it has one: dBm, Cel, V, mA, m.
    pub unit: String,
    /// good, bad where the value lies outside of what the measure can be, stale where its system says that it is old, frozen where it has not moved for too long.
    pub quality: String,
    /// When it was asked for.
    pub observed_at: Micros,
    /// When we received it.
    pub received_at: Micros,
    /// The input that made this row.
    pub position: InputPosition,
    /// power, optical, temperature, electrical, other; null for what an ONU measures.
    #[serde(default)]
    pub group: Option<String>,
    /// Write time of the newest value's row, its slot's hybrid clock; null if a newer sample of the measure is known.
    #[serde(default)]
    pub wts: Option<Micros>,
}

/// A [`Measurement`] whose parts are where they came from.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "fields as in the record")]
pub struct MeasurementView<'a> {
    pub entity: &'a str,
    pub root: &'a str,
    pub measure: &'a str,
    pub value: f64,
    pub unit: &'a str,
    pub quality: &'a str,
    pub observed_at: Micros,
    pub received_at: Micros,
    pub position: InputPosition,
    pub group: Option<&'a str>,
    pub wts: Option<Micros>,
}

impl Measurement {
    /// The record without its own memory.
    pub fn view(&self) -> MeasurementView<'_> {
        MeasurementView {
            entity: &self.entity,
            root: &self.root,
            measure: &self.measure,
            value: self.value,
            unit: &self.unit,
            quality: &self.quality,
            observed_at: self.observed_at,
            received_at: self.received_at,
            position: self.position,
            group: self.group.as_deref(),
            wts: self.wts,
        }
    }
}

impl Measurement {
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            entity: r.string()?,
            root: r.string()?,
            measure: r.string()?,
            value: r.double()?,
            unit: r.string()?,
            quality: r.string()?,
            observed_at: r.micros()?,
            received_at: r.micros()?,
            position: InputPosition::decode(r)?,
            group: r.optional(Reader::string)?,
            wts: r.optional(Reader::micros)?,
        })
    }
}

impl<'a> View<'a> for MeasurementView<'a> {
    fn decode(r: &mut Reader<'a>) -> Result<Self, Malformed> {
        Ok(Self {
            entity: r.text()?,
            root: r.text()?,
            measure: r.text()?,
            value: r.double()?,
            unit: r.text()?,
            quality: r.text()?,
            observed_at: r.micros()?,
            received_at: r.micros()?,
            position: InputPosition::decode(r)?,
            group: r.optional(Reader::text)?,
            wts: r.optional(Reader::micros)?,
        })
    }
}

impl Body for MeasurementView<'_> {
    const RECORD: RecordType = RecordType::Measurement;

    fn encode(&self, out: &mut Vec<u8>) {
        wire::put_text(out, self.entity);
        wire::put_text(out, self.root);
        wire::put_text(out, self.measure);
        wire::put_double(out, self.value);
        wire::put_text(out, self.unit);
        wire::put_text(out, self.quality);
        wire::put_micros(out, self.observed_at);
        wire::put_micros(out, self.received_at);
        self.position.encode(out);
        wire::put_optional(out, self.group, wire::put_text);
        wire::put_optional(out, self.wts, wire::put_micros);
    }
}

impl Body for Measurement {
    const RECORD: RecordType = RecordType::Measurement;

    fn encode(&self, out: &mut Vec<u8>) {
        self.view().encode(out);
    }
}
