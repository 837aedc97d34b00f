//! Generated from the schema of `WindowWanted` by `cargo run -p xtask -- gen`: not to be edited.

use model::Micros;
use serde::{Deserialize, Serialize};

use crate::InputPosition;
use crate::records::RecordType;
use crate::wire::{self, Body, Malformed, Reader, View};

/// A window has to be added up again from the raw samples: what a step cannot read itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowWanted {
    /// Root.
    pub root: String,
    /// Entity.
    pub entity: String,
    /// Measure.
    pub measure: String,
    /// day (answered hour by hour), month (answered day by day).
    pub window: String,
    /// When the window begins.
    pub start: Micros,
    /// Record id that the answer has to contain: of the entity's newest `measurements` record for a day, of its newest day's row in `rollups-day` for a month.
    #[serde(with = "serde_bytes")]
    pub sample_id: Vec<u8>,
    /// The input that asks.
    pub position: InputPosition,
}

/// A [`WindowWanted`] whose parts are where they came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields as in the record")]
pub struct WindowWantedView<'a> {
    pub root: &'a str,
    pub entity: &'a str,
    pub measure: &'a str,
    pub window: &'a str,
    pub start: Micros,
    pub sample_id: &'a [u8],
    pub position: InputPosition,
}

impl WindowWanted {
    /// The record without its own memory.
    pub fn view(&self) -> WindowWantedView<'_> {
        WindowWantedView {
            root: &self.root,
            entity: &self.entity,
            measure: &self.measure,
            window: &self.window,
            start: self.start,
            sample_id: &self.sample_id,
            position: self.position,
        }
    }
}

impl WindowWanted {
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            root: r.string()?,
            entity: r.string()?,
            measure: r.string()?,
            window: r.string()?,
            start: r.micros()?,
            sample_id: r.byte_vec()?,
            position: InputPosition::decode(r)?,
        })
    }
}

impl<'a> View<'a> for WindowWantedView<'a> {
    fn decode(r: &mut Reader<'a>) -> Result<Self, Malformed> {
        Ok(Self {
            root: r.text()?,
            entity: r.text()?,
            measure: r.text()?,
            window: r.text()?,
            start: r.micros()?,
            sample_id: r.bytes()?,
            position: InputPosition::decode(r)?,
        })
    }
}

impl Body for WindowWantedView<'_> {
    const RECORD: RecordType = RecordType::WindowWanted;

    fn encode(&self, out: &mut Vec<u8>) {
        wire::put_text(out, self.root);
        wire::put_text(out, self.entity);
        wire::put_text(out, self.measure);
        wire::put_text(out, self.window);
        wire::put_micros(out, self.start);
        wire::put_bytes(out, self.sample_id);
        self.position.encode(out);
    }
}

impl Body for WindowWanted {
    const RECORD: RecordType = RecordType::WindowWanted;

    fn encode(&self, out: &mut Vec<u8>) {
        self.view().encode(out);
    }
}
