//! Generated from the schema of `Rollup` by `cargo run -p xtask -- gen`: not to be edited.

use model::Micros;
use serde::{Deserialize, Serialize};

use crate::InputPosition;
use crate::records::RecordType;
use crate::wire::{self, Body, Malformed, Reader, View};

/// One closed window of one measure, or what corrects it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rollup {
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
    /// It replaces a row that was told before.
    pub is_corrected: bool,
    /// The input that made this row.
    pub position: InputPosition,
    /// Write time of the row, its slot's hybrid clock.
    pub wts: Micros,
}

/// A [`Rollup`] whose parts are where they came from.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "fields as in the record")]
pub struct RollupView<'a> {
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
    pub is_corrected: bool,
    pub position: InputPosition,
    pub wts: Micros,
}

impl Rollup {
    /// The record without its own memory.
    pub fn view(&self) -> RollupView<'_> {
        RollupView {
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
            is_corrected: self.is_corrected,
            position: self.position,
            wts: self.wts,
        }
    }
}

impl Rollup {
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
            is_corrected: r.boolean()?,
            position: InputPosition::decode(r)?,
            wts: r.micros()?,
        })
    }
}

impl<'a> View<'a> for RollupView<'a> {
    fn decode(r: &mut Reader<'a>) -> Result<Self, Malformed> {
        Ok(Self {
            entity: r.text()?,
            root: r.text()?,
            measure: r.text()?,
            unit: r.text()?,
            window: r.text()?,
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
            is_corrected: r.boolean()?,
            position: InputPosition::decode(r)?,
            wts: r.micros()?,
        })
    }
}

impl Body for RollupView<'_> {
    const RECORD: RecordType = RecordType::Rollup;

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
        wire::put_boolean(out, self.is_corrected);
        self.position.encode(out);
        wire::put_micros(out, self.wts);
    }
}

impl Body for Rollup {
    const RECORD: RecordType = RecordType::Rollup;

    fn encode(&self, out: &mut Vec<u8>) {
        self.view().encode(out);
    }
}
