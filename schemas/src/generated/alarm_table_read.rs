//! Generated from the schema of `AlarmTableRead` by `cargo run -p xtask -- gen`: not to be edited.

use model::Micros;
use serde::{Deserialize, Serialize};

use crate::records::RecordType;
use crate::wire::{self, Body, Malformed, Reader};

/// Alarms that an OLT shows as standing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmTableRead {
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
    /// Alarms, in the device's order.
    pub alarms: Vec<AlarmRow>,
}

/// A [`AlarmTableRead`] whose parts are where they came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields as in the record")]
pub struct AlarmTableReadView<'a> {
    pub root: &'a str,
    pub read_id: &'a str,
    pub part: i32,
    pub of: i32,
    pub scope: &'a str,
    pub complete: bool,
    pub way: &'a str,
    pub started_at: Micros,
    pub received_at: Micros,
    pub alarms: &'a [AlarmRow],
}

impl AlarmTableRead {
    /// The record without its own memory.
    pub fn view(&self) -> AlarmTableReadView<'_> {
        AlarmTableReadView {
            root: &self.root,
            read_id: &self.read_id,
            part: self.part,
            of: self.of,
            scope: &self.scope,
            complete: self.complete,
            way: &self.way,
            started_at: self.started_at,
            received_at: self.received_at,
            alarms: &self.alarms,
        }
    }
}

impl AlarmTableRead {
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
            alarms: r.list(AlarmRow::decode)?,
        })
    }
}

impl Body for AlarmTableReadView<'_> {
    const RECORD: RecordType = RecordType::AlarmTableRead;

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
        wire::put_list(out, self.alarms, |out, value| value.encode(out));
    }
}

impl Body for AlarmTableRead {
    const RECORD: RecordType = RecordType::AlarmTableRead;

    fn encode(&self, out: &mut Vec<u8>) {
        self.view().encode(out);
    }
}

/// One alarm. What the device does not say is null.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmRow {
    /// Its number in the device's list.
    #[serde(default)]
    pub sequence: Option<i64>,
    /// The vendor's word: FAULT, RECOVERY, EVENT.
    #[serde(default)]
    pub kind: Option<String>,
    /// The vendor's word: CRITICAL, MAJOR, MINOR, WARNING.
    #[serde(default)]
    pub severity: Option<String>,
    /// The vendor's id, hexadecimal with 0x.
    #[serde(default)]
    pub alarm_id: Option<String>,
    /// The vendor's text.
    #[serde(default)]
    pub name: Option<String>,
    /// When it began, by the device's clock and in its words.
    #[serde(default)]
    pub device_time: Option<String>,
    /// Frame.
    #[serde(default)]
    pub frame: Option<i32>,
    /// Slot.
    #[serde(default)]
    pub slot: Option<i32>,
    /// PON port.
    #[serde(default)]
    pub port: Option<i32>,
    /// ONU's id on the port.
    #[serde(default)]
    pub onu: Option<i32>,
    /// Parameters, in the device's words.
    #[serde(default)]
    pub parameters: Option<String>,
}

/// A [`AlarmRow`] whose parts are where they came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields as in the record")]
pub struct AlarmRowView<'a> {
    pub sequence: Option<i64>,
    pub kind: Option<&'a str>,
    pub severity: Option<&'a str>,
    pub alarm_id: Option<&'a str>,
    pub name: Option<&'a str>,
    pub device_time: Option<&'a str>,
    pub frame: Option<i32>,
    pub slot: Option<i32>,
    pub port: Option<i32>,
    pub onu: Option<i32>,
    pub parameters: Option<&'a str>,
}

impl AlarmRow {
    /// The record without its own memory.
    pub fn view(&self) -> AlarmRowView<'_> {
        AlarmRowView {
            sequence: self.sequence,
            kind: self.kind.as_deref(),
            severity: self.severity.as_deref(),
            alarm_id: self.alarm_id.as_deref(),
            name: self.name.as_deref(),
            device_time: self.device_time.as_deref(),
            frame: self.frame,
            slot: self.slot,
            port: self.port,
            onu: self.onu,
            parameters: self.parameters.as_deref(),
        }
    }
}

impl AlarmRow {
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            sequence: r.optional(Reader::long)?,
            kind: r.optional(Reader::string)?,
            severity: r.optional(Reader::string)?,
            alarm_id: r.optional(Reader::string)?,
            name: r.optional(Reader::string)?,
            device_time: r.optional(Reader::string)?,
            frame: r.optional(Reader::int)?,
            slot: r.optional(Reader::int)?,
            port: r.optional(Reader::int)?,
            onu: r.optional(Reader::int)?,
            parameters: r.optional(Reader::string)?,
        })
    }
}

impl AlarmRowView<'_> {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        wire::put_optional(out, self.sequence, wire::put_long);
        wire::put_optional(out, self.kind, wire::put_text);
        wire::put_optional(out, self.severity, wire::put_text);
        wire::put_optional(out, self.alarm_id, wire::put_text);
        wire::put_optional(out, self.name, wire::put_text);
        wire::put_optional(out, self.device_time, wire::put_text);
        wire::put_optional(out, self.frame, wire::put_int);
        wire::put_optional(out, self.slot, wire::put_int);
        wire::put_optional(out, self.port, wire::put_int);
        wire::put_optional(out, self.onu, wire::put_int);
        wire::put_optional(out, self.parameters, wire::put_text);
    }
}

impl AlarmRow {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        self.view().encode(out);
    }
}
