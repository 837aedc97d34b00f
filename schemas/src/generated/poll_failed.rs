//! Generated from the schema of `PollFailed` by `cargo run -p xtask -- gen`: not to be edited.

use model::Micros;
use serde::{Deserialize, Serialize};

use crate::records::RecordType;
use crate::wire::{self, Body, Malformed, Reader, View};

/// A reading that we asked for did not come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollFailed {
    /// The OLT that was asked.
    pub root: String,
    /// How: ssh, telnet, snmp.
    pub way: String,
    /// What was asked: onu_table, optics, boards, system, autofind, alarms, login.
    pub read: String,
    /// Why, a word of a closed set: unreachable, algorithms, host_key_changed, refused, too_many_sessions, first_login, timeout, closed, too_much, busy, unsupported, incomplete, locked, methods, pins, protocol, other.
    pub class: String,
    /// More for people, free of secrets.
    pub detail: String,
    /// How many readings of the root have failed without a good one between, with this one.
    pub in_a_row: i32,
    /// When the first of these failed.
    pub since: Micros,
    /// When it was asked.
    pub started_at: Micros,
    /// When it had failed.
    pub received_at: Micros,
}

/// A [`PollFailed`] whose parts are where they came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields as in the record")]
pub struct PollFailedView<'a> {
    pub root: &'a str,
    pub way: &'a str,
    pub read: &'a str,
    pub class: &'a str,
    pub detail: &'a str,
    pub in_a_row: i32,
    pub since: Micros,
    pub started_at: Micros,
    pub received_at: Micros,
}

impl PollFailed {
    /// The record without its own memory.
    pub fn view(&self) -> PollFailedView<'_> {
        PollFailedView {
            root: &self.root,
            way: &self.way,
            read: &self.read,
            class: &self.class,
            detail: &self.detail,
            in_a_row: self.in_a_row,
            since: self.since,
            started_at: self.started_at,
            received_at: self.received_at,
        }
    }
}

impl PollFailed {
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            root: r.string()?,
            way: r.string()?,
            read: r.string()?,
            class: r.string()?,
            detail: r.string()?,
            in_a_row: r.int()?,
            since: r.micros()?,
            started_at: r.micros()?,
            received_at: r.micros()?,
        })
    }
}

impl<'a> View<'a> for PollFailedView<'a> {
    fn decode(r: &mut Reader<'a>) -> Result<Self, Malformed> {
        Ok(Self {
            root: r.text()?,
            way: r.text()?,
            read: r.text()?,
            class: r.text()?,
            detail: r.text()?,
            in_a_row: r.int()?,
            since: r.micros()?,
            started_at: r.micros()?,
            received_at: r.micros()?,
        })
    }
}

impl Body for PollFailedView<'_> {
    const RECORD: RecordType = RecordType::PollFailed;

    fn encode(&self, out: &mut Vec<u8>) {
        wire::put_text(out, self.root);
        wire::put_text(out, self.way);
        wire::put_text(out, self.read);
        wire::put_text(out, self.class);
        wire::put_text(out, self.detail);
        wire::put_int(out, self.in_a_row);
        wire::put_micros(out, self.since);
        wire::put_micros(out, self.started_at);
        wire::put_micros(out, self.received_at);
    }
}

impl Body for PollFailed {
    const RECORD: RecordType = RecordType::PollFailed;

    fn encode(&self, out: &mut Vec<u8>) {
        self.view().encode(out);
    }
}
