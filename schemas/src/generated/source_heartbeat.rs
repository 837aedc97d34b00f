//! Generated from the schema of `SourceHeartbeat` by `cargo run -p xtask -- gen`: not to be edited.

use model::Micros;
use serde::{Deserialize, Serialize};

use crate::records::RecordType;
use crate::wire::{self, Body, Malformed, Reader, View};

/// A connector is alive and watches this root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceHeartbeat {
    /// The root watched.
    pub root: String,
    /// Which connector, with its instance.
    pub connector: String,
    /// When it was sent.
    pub sent_at: Micros,
}

/// A [`SourceHeartbeat`] whose parts are where they came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields as in the record")]
pub struct SourceHeartbeatView<'a> {
    pub root: &'a str,
    pub connector: &'a str,
    pub sent_at: Micros,
}

impl SourceHeartbeat {
    /// The record without its own memory.
    pub fn view(&self) -> SourceHeartbeatView<'_> {
        SourceHeartbeatView {
            root: &self.root,
            connector: &self.connector,
            sent_at: self.sent_at,
        }
    }
}

impl SourceHeartbeat {
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            root: r.string()?,
            connector: r.string()?,
            sent_at: r.micros()?,
        })
    }
}

impl<'a> View<'a> for SourceHeartbeatView<'a> {
    fn decode(r: &mut Reader<'a>) -> Result<Self, Malformed> {
        Ok(Self {
            root: r.text()?,
            connector: r.text()?,
            sent_at: r.micros()?,
        })
    }
}

impl Body for SourceHeartbeatView<'_> {
    const RECORD: RecordType = RecordType::SourceHeartbeat;

    fn encode(&self, out: &mut Vec<u8>) {
        wire::put_text(out, self.root);
        wire::put_text(out, self.connector);
        wire::put_micros(out, self.sent_at);
    }
}

impl Body for SourceHeartbeat {
    const RECORD: RecordType = RecordType::SourceHeartbeat;

    fn encode(&self, out: &mut Vec<u8>) {
        self.view().encode(out);
    }
}
