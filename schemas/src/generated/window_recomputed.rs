//! Generated from the schema of `WindowRecomputed` by `cargo run -p xtask -- gen`: not to be edited.

use model::Micros;
use serde::{Deserialize, Serialize};

use crate::records::RecordType;
use crate::wire::{self, Body, Malformed, Reader};

/// A window added up from the raw samples of the store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WindowRecomputed {
    /// What was measured, or a PON port, board, OLT or site for what is added up.
    pub entity: String,
    /// Its root.
    pub root: String,
    /// What is measured.
    pub measure: String,
    /// Unit.
    pub unit: String,
    /// hour, day, month: calendar windows in UTC.
    pub window: String,
    /// When the window begins.
    pub start: Micros,
    /// Samples in it; each (observed time) once.
    pub n: i64,
    /// Sum of the values.
    pub sum: f64,
    /// Sum of their squares.
    pub sum_squares: f64,
    /// Lowest.
    pub min: f64,
    /// Highest.
    pub max: f64,
    /// Value of the first.
    pub first: f64,
    /// When that was observed.
    pub first_at: Micros,
    /// Value of the last.
    pub last: f64,
    /// When that was observed.
    pub last_at: Micros,
    /// As it was asked for.
    #[serde(with = "serde_bytes")]
    pub sample_id: Vec<u8>,
    /// What the window is the sum of, in order: hours of a day, days of a month.
    #[serde(default)]
    pub parts: Vec<WindowPart>,
}

/// A [`WindowRecomputed`] whose parts are where they came from.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "fields as in the record")]
pub struct WindowRecomputedView<'a> {
    pub entity: &'a str,
    pub root: &'a str,
    pub measure: &'a str,
    pub unit: &'a str,
    pub window: &'a str,
    pub start: Micros,
    pub n: i64,
    pub sum: f64,
    pub sum_squares: f64,
    pub min: f64,
    pub max: f64,
    pub first: f64,
    pub first_at: Micros,
    pub last: f64,
    pub last_at: Micros,
    pub sample_id: &'a [u8],
    pub parts: &'a [WindowPart],
}

impl WindowRecomputed {
    /// The record without its own memory.
    pub fn view(&self) -> WindowRecomputedView<'_> {
        WindowRecomputedView {
            entity: &self.entity,
            root: &self.root,
            measure: &self.measure,
            unit: &self.unit,
            window: &self.window,
            start: self.start,
            n: self.n,
            sum: self.sum,
            sum_squares: self.sum_squares,
            min: self.min,
            max: self.max,
            first: self.first,
            first_at: self.first_at,
            last: self.last,
            last_at: self.last_at,
            sample_id: &self.sample_id,
            parts: &self.parts,
        }
    }
}

impl WindowRecomputed {
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            entity: r.string()?,
            root: r.string()?,
            measure: r.string()?,
            unit: r.string()?,
            window: r.string()?,
            start: r.micros()?,
            n: r.long()?,
            sum: r.double()?,
            sum_squares: r.double()?,
            min: r.double()?,
            max: r.double()?,
            first: r.double()?,
            first_at: r.micros()?,
            last: r.double()?,
            last_at: r.micros()?,
            sample_id: r.byte_vec()?,
            parts: r.list(WindowPart::decode)?,
        })
    }
}

impl Body for WindowRecomputedView<'_> {
    const RECORD: RecordType = RecordType::WindowRecomputed;

    fn encode(&self, out: &mut Vec<u8>) {
        wire::put_text(out, self.entity);
        wire::put_text(out, self.root);
        wire::put_text(out, self.measure);
        wire::put_text(out, self.unit);
        wire::put_text(out, self.window);
        wire::put_micros(out, self.start);
        wire::put_long(out, self.n);
        wire::put_double(out, self.sum);
        wire::put_double(out, self.sum_squares);
        wire::put_double(out, self.min);
        wire::put_double(out, self.max);
        wire::put_double(out, self.first);
        wire::put_micros(out, self.first_at);
        wire::put_double(out, self.last);
        wire::put_micros(out, self.last_at);
        wire::put_bytes(out, self.sample_id);
        wire::put_list(out, self.parts, |out, value| value.encode(out));
    }
}

impl Body for WindowRecomputed {
    const RECORD: RecordType = RecordType::WindowRecomputed;

    fn encode(&self, out: &mut Vec<u8>) {
        self.view().encode(out);
    }
}

/// An hour of a day, or a day of a month, that has samples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct WindowPart {
    /// When it begins.
    pub start: Micros,
    /// Samples in it; each (observed time) once.
    pub n: i64,
    /// Sum of the values.
    pub sum: f64,
    /// Sum of their squares.
    pub sum_squares: f64,
    /// Lowest.
    pub min: f64,
    /// Highest.
    pub max: f64,
    /// Value of the first.
    pub first: f64,
    /// When that was observed.
    pub first_at: Micros,
    /// Value of the last.
    pub last: f64,
    /// When that was observed.
    pub last_at: Micros,
}

impl WindowPart {
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            start: r.micros()?,
            n: r.long()?,
            sum: r.double()?,
            sum_squares: r.double()?,
            min: r.double()?,
            max: r.double()?,
            first: r.double()?,
            first_at: r.micros()?,
            last: r.double()?,
            last_at: r.micros()?,
        })
    }
}

impl WindowPart {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        wire::put_micros(out, self.start);
        wire::put_long(out, self.n);
        wire::put_double(out, self.sum);
        wire::put_double(out, self.sum_squares);
        wire::put_double(out, self.min);
        wire::put_double(out, self.max);
        wire::put_double(out, self.first);
        wire::put_micros(out, self.first_at);
        wire::put_double(out, self.last);
        wire::put_micros(out, self.last_at);
    }
}
