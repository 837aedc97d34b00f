//! Generated from the schema of `AutofindRead` by `cargo run -p xtask -- gen`: not to be edited.

use model::Micros;
use serde::{Deserialize, Serialize};

use crate::AutofindRow;
use crate::records::RecordType;
use crate::wire::{self, Body, Malformed, Reader};

/// ONUs that an OLT found and that nobody has added yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AutofindRead {
    /// The OLT that was read.
    pub root: String,
    /// One for all parts of one read, and for no other read of the root.
    pub read_id: String,
    /// Which part this is, from 0.
    pub part: i32,
    /// How many parts the read has, at least 1.
    pub of: i32,
    /// What the whole read covers: a frame `0`, a slot `0/3` or a PON port `0/3/5`.
    pub scope: String,
    /// The whole read, all its parts, holds everything that is inside the scope.
    pub complete: bool,
    /// How it was read: ssh, telnet, snmp.
    pub way: String,
    /// When the command was sent: no row is older than what was seen since.
    pub started_at: Micros,
    /// When the answer was there.
    pub received_at: Micros,
    /// ONUs found.
    pub found: Vec<AutofindRow>,
}

/// A [`AutofindRead`] whose parts are where they came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields as in the record")]
pub struct AutofindReadView<'a> {
    pub root: &'a str,
    pub read_id: &'a str,
    pub part: i32,
    pub of: i32,
    pub scope: &'a str,
    pub complete: bool,
    pub way: &'a str,
    pub started_at: Micros,
    pub received_at: Micros,
    pub found: &'a [AutofindRow],
}

impl AutofindRead {
    /// The record without its own memory.
    pub fn view(&self) -> AutofindReadView<'_> {
        AutofindReadView {
            root: &self.root,
            read_id: &self.read_id,
            part: self.part,
            of: self.of,
            scope: &self.scope,
            complete: self.complete,
            way: &self.way,
            started_at: self.started_at,
            received_at: self.received_at,
            found: &self.found,
        }
    }
}

impl AutofindRead {
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
            found: r.list(AutofindRow::decode)?,
        })
    }
}

impl Body for AutofindReadView<'_> {
    const RECORD: RecordType = RecordType::AutofindRead;

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
        wire::put_list(out, self.found, |out, value| value.encode(out));
    }
}

impl Body for AutofindRead {
    const RECORD: RecordType = RecordType::AutofindRead;

    fn encode(&self, out: &mut Vec<u8>) {
        self.view().encode(out);
    }
}
