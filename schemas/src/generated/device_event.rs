//! Generated from the schema of `DeviceEvent` by `cargo run -p xtask -- gen`: not to be edited.

use std::collections::BTreeMap;

use model::Micros;
use serde::{Deserialize, Serialize};

use crate::records::RecordType;
use crate::wire::{self, Body, Malformed, Reader};
use crate::{DeviceStatus, DeviceStatusView, InputPosition};

/// One normalised happening.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeviceEvent {
    /// What it happened to.
    pub entity: String,
    /// Its root.
    pub root: String,
    /// What it is.
    pub kind: String,
    /// Coarse type.
    #[serde(rename = "type")]
    pub event_type: DeviceEventType,
    /// Our name of what happened: dying_gasp, los, run_state, board_fault, registered, unknown_trap …
    pub event: String,
    /// Begins, ends, or just happens.
    pub phase: Phase,
    /// X.733 severity of what begins.
    #[serde(default)]
    pub severity: Option<String>,
    /// snmpTrapOID, dotted, when a trap said it.
    #[serde(default)]
    pub trap_oid: Option<String>,
    /// trap, poll, config, import, api.
    #[serde(default)]
    pub source: Option<String>,
    /// When it happened, as observed.
    pub at: Micros,
    /// When we received it.
    pub received_at: Micros,
    /// State after it, when it changed.
    #[serde(default)]
    pub state: Option<String>,
    /// State before it, when it changed.
    #[serde(default)]
    pub previous: Option<String>,
    /// Cause.
    #[serde(default)]
    pub cause: Option<String>,
    /// The vendor's words.
    #[serde(default)]
    pub cause_raw: Option<String>,
    /// Serial number of the entity at that time.
    #[serde(default)]
    pub serial: Option<String>,
    /// What else the source said, by our names.
    #[serde(default)]
    pub detail: BTreeMap<String, String>,
    /// The input that made it.
    pub position: InputPosition,
    /// The whole new status row, if this changed it.
    #[serde(default)]
    pub status: Option<DeviceStatus>,
}

/// A [`DeviceEvent`] whose parts are where they came from.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "fields as in the record")]
pub struct DeviceEventView<'a> {
    pub entity: &'a str,
    pub root: &'a str,
    pub kind: &'a str,
    pub event_type: DeviceEventType,
    pub event: &'a str,
    pub phase: Phase,
    pub severity: Option<&'a str>,
    pub trap_oid: Option<&'a str>,
    pub source: Option<&'a str>,
    pub at: Micros,
    pub received_at: Micros,
    pub state: Option<&'a str>,
    pub previous: Option<&'a str>,
    pub cause: Option<&'a str>,
    pub cause_raw: Option<&'a str>,
    pub serial: Option<&'a str>,
    pub detail: &'a BTreeMap<String, String>,
    pub position: InputPosition,
    pub status: Option<DeviceStatusView<'a>>,
}

impl DeviceEvent {
    /// The record without its own memory.
    pub fn view(&self) -> DeviceEventView<'_> {
        DeviceEventView {
            entity: &self.entity,
            root: &self.root,
            kind: &self.kind,
            event_type: self.event_type,
            event: &self.event,
            phase: self.phase,
            severity: self.severity.as_deref(),
            trap_oid: self.trap_oid.as_deref(),
            source: self.source.as_deref(),
            at: self.at,
            received_at: self.received_at,
            state: self.state.as_deref(),
            previous: self.previous.as_deref(),
            cause: self.cause.as_deref(),
            cause_raw: self.cause_raw.as_deref(),
            serial: self.serial.as_deref(),
            detail: &self.detail,
            position: self.position,
            status: self.status.as_ref().map(DeviceStatus::view),
        }
    }
}

impl DeviceEvent {
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            entity: r.string()?,
            root: r.string()?,
            kind: r.string()?,
            event_type: DeviceEventType::decode(r)?,
            event: r.string()?,
            phase: Phase::decode(r)?,
            severity: r.optional(Reader::string)?,
            trap_oid: r.optional(Reader::string)?,
            source: r.optional(Reader::string)?,
            at: r.micros()?,
            received_at: r.micros()?,
            state: r.optional(Reader::string)?,
            previous: r.optional(Reader::string)?,
            cause: r.optional(Reader::string)?,
            cause_raw: r.optional(Reader::string)?,
            serial: r.optional(Reader::string)?,
            detail: r.map(Reader::string)?,
            position: InputPosition::decode(r)?,
            status: r.optional(DeviceStatus::decode)?,
        })
    }
}

impl Body for DeviceEventView<'_> {
    const RECORD: RecordType = RecordType::DeviceEvent;

    fn encode(&self, out: &mut Vec<u8>) {
        wire::put_text(out, self.entity);
        wire::put_text(out, self.root);
        wire::put_text(out, self.kind);
        self.event_type.encode(out);
        wire::put_text(out, self.event);
        self.phase.encode(out);
        wire::put_optional(out, self.severity, wire::put_text);
        wire::put_optional(out, self.trap_oid, wire::put_text);
        wire::put_optional(out, self.source, wire::put_text);
        wire::put_micros(out, self.at);
        wire::put_micros(out, self.received_at);
        wire::put_optional(out, self.state, wire::put_text);
        wire::put_optional(out, self.previous, wire::put_text);
        wire::put_optional(out, self.cause, wire::put_text);
        wire::put_optional(out, self.cause_raw, wire::put_text);
        wire::put_optional(out, self.serial, wire::put_text);
        wire::put_map(out, self.detail, |out, value| wire::put_text(out, value));
        self.position.encode(out);
        wire::put_optional(out, self.status, |out, value| value.encode(out));
    }
}

impl Body for DeviceEvent {
    const RECORD: RecordType = RecordType::DeviceEvent;

    fn encode(&self, out: &mut Vec<u8>) {
        self.view().encode(out);
    }
}

/// The three kinds of message that were asked for: device.connected, device.disconnected, device.alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the symbols are all there is")]
pub enum DeviceEventType {
    #[serde(rename = "DEVICE_CONNECTED")]
    DeviceConnected,
    #[serde(rename = "DEVICE_DISCONNECTED")]
    DeviceDisconnected,
    #[serde(rename = "DEVICE_ALARM")]
    DeviceAlarm,
}

impl DeviceEventType {
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        match r.long()? {
            0 => Ok(Self::DeviceConnected),
            1 => Ok(Self::DeviceDisconnected),
            2 => Ok(Self::DeviceAlarm),
            _ => Err(Malformed::Choice),
        }
    }

    pub(crate) fn encode(self, out: &mut Vec<u8>) {
        wire::put_int(out, self as i32);
    }
}

/// Whether it begins, ends, or just happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the symbols are all there is")]
pub enum Phase {
    #[serde(rename = "RAISE")]
    Raise,
    #[serde(rename = "CLEAR")]
    Clear,
    #[serde(rename = "EVENT")]
    Event,
}

impl Phase {
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        match r.long()? {
            0 => Ok(Self::Raise),
            1 => Ok(Self::Clear),
            2 => Ok(Self::Event),
            _ => Err(Malformed::Choice),
        }
    }

    pub(crate) fn encode(self, out: &mut Vec<u8>) {
        wire::put_int(out, self as i32);
    }
}
