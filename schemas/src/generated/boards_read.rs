//! Generated from the schema of `BoardsRead` by `cargo run -p xtask -- gen`: not to be edited.

use model::Micros;
use serde::{Deserialize, Serialize};

use crate::records::RecordType;
use crate::wire::{self, Body, Malformed, Reader};

/// Boards of a frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoardsRead {
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
    /// Slots, each once.
    pub boards: Vec<BoardRow>,
}

/// A [`BoardsRead`] whose parts are where they came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields as in the record")]
pub struct BoardsReadView<'a> {
    pub root: &'a str,
    pub read_id: &'a str,
    pub part: i32,
    pub of: i32,
    pub scope: &'a str,
    pub complete: bool,
    pub way: &'a str,
    pub started_at: Micros,
    pub received_at: Micros,
    pub boards: &'a [BoardRow],
}

impl BoardsRead {
    /// The record without its own memory.
    pub fn view(&self) -> BoardsReadView<'_> {
        BoardsReadView {
            root: &self.root,
            read_id: &self.read_id,
            part: self.part,
            of: self.of,
            scope: &self.scope,
            complete: self.complete,
            way: &self.way,
            started_at: self.started_at,
            received_at: self.received_at,
            boards: &self.boards,
        }
    }
}

impl BoardsRead {
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
            boards: r.list(BoardRow::decode)?,
        })
    }
}

impl Body for BoardsReadView<'_> {
    const RECORD: RecordType = RecordType::BoardsRead;

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
        wire::put_list(out, self.boards, |out, value| value.encode(out));
    }
}

impl Body for BoardsRead {
    const RECORD: RecordType = RecordType::BoardsRead;

    fn encode(&self, out: &mut Vec<u8>) {
        self.view().encode(out);
    }
}

/// One slot; an empty one has no name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoardRow {
    /// Frame.
    pub frame: i32,
    /// Slot.
    pub slot: i32,
    /// The board's type.
    #[serde(default)]
    pub name: Option<String>,
    /// The vendor's word: Normal, Active_normal, Standby_normal, Failed, Auto_find …
    #[serde(default)]
    pub status: Option<String>,
    /// Whether the device says it is online; null if it says nothing.
    #[serde(default)]
    pub online: Option<bool>,
}

/// A [`BoardRow`] whose parts are where they came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields as in the record")]
pub struct BoardRowView<'a> {
    pub frame: i32,
    pub slot: i32,
    pub name: Option<&'a str>,
    pub status: Option<&'a str>,
    pub online: Option<bool>,
}

impl BoardRow {
    /// The record without its own memory.
    pub fn view(&self) -> BoardRowView<'_> {
        BoardRowView {
            frame: self.frame,
            slot: self.slot,
            name: self.name.as_deref(),
            status: self.status.as_deref(),
            online: self.online,
        }
    }
}

impl BoardRow {
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            frame: r.int()?,
            slot: r.int()?,
            name: r.optional(Reader::string)?,
            status: r.optional(Reader::string)?,
            online: r.optional(Reader::boolean)?,
        })
    }
}

impl BoardRowView<'_> {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        wire::put_int(out, self.frame);
        wire::put_int(out, self.slot);
        wire::put_optional(out, self.name, wire::put_text);
        wire::put_optional(out, self.status, wire::put_text);
        wire::put_optional(out, self.online, wire::put_boolean);
    }
}

impl BoardRow {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        self.view().encode(out);
    }
}
