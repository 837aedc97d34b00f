//! Generated from the schema of `OpticsRead` by `cargo run -p xtask -- gen`: not to be edited.

use model::Micros;
use serde::{Deserialize, Serialize};

use crate::records::RecordType;
use crate::wire::{self, Body, Malformed, Reader};

/// Optical levels of ONUs: of a scope, or a part of that. An ONU that is offline has no row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpticsRead {
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
    /// PON ports of this part, each in one part only.
    pub ports: Vec<OpticsPort>,
}

/// A [`OpticsRead`] whose parts are where they came from.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "fields as in the record")]
pub struct OpticsReadView<'a> {
    pub root: &'a str,
    pub read_id: &'a str,
    pub part: i32,
    pub of: i32,
    pub scope: &'a str,
    pub complete: bool,
    pub way: &'a str,
    pub started_at: Micros,
    pub received_at: Micros,
    pub ports: &'a [OpticsPort],
}

impl OpticsRead {
    /// The record without its own memory.
    pub fn view(&self) -> OpticsReadView<'_> {
        OpticsReadView {
            root: &self.root,
            read_id: &self.read_id,
            part: self.part,
            of: self.of,
            scope: &self.scope,
            complete: self.complete,
            way: &self.way,
            started_at: self.started_at,
            received_at: self.received_at,
            ports: &self.ports,
        }
    }
}

impl OpticsRead {
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
            ports: r.list(OpticsPort::decode)?,
        })
    }
}

impl Body for OpticsReadView<'_> {
    const RECORD: RecordType = RecordType::OpticsRead;

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
        wire::put_list(out, self.ports, |out, value| value.encode(out));
    }
}

impl Body for OpticsRead {
    const RECORD: RecordType = RecordType::OpticsRead;

    fn encode(&self, out: &mut Vec<u8>) {
        self.view().encode(out);
    }
}

/// The ONUs of one PON port.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpticsPort {
    /// Frame.
    pub frame: i32,
    /// Slot.
    pub slot: i32,
    /// PON port.
    pub port: i32,
    /// ONUs, each once.
    pub onus: Vec<OpticsRow>,
}

/// A [`OpticsPort`] whose parts are where they came from.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "fields as in the record")]
pub struct OpticsPortView<'a> {
    pub frame: i32,
    pub slot: i32,
    pub port: i32,
    pub onus: &'a [OpticsRow],
}

impl OpticsPort {
    /// The record without its own memory.
    pub fn view(&self) -> OpticsPortView<'_> {
        OpticsPortView {
            frame: self.frame,
            slot: self.slot,
            port: self.port,
            onus: &self.onus,
        }
    }
}

impl OpticsPort {
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            frame: r.int()?,
            slot: r.int()?,
            port: r.int()?,
            onus: r.list(OpticsRow::decode)?,
        })
    }
}

impl OpticsPortView<'_> {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        wire::put_int(out, self.frame);
        wire::put_int(out, self.slot);
        wire::put_int(out, self.port);
        wire::put_list(out, self.onus, |out, value| value.encode(out));
    }
}

impl OpticsPort {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        self.view().encode(out);
    }
}

/// Optical levels of one ONU. What the device does not say is null.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct OpticsRow {
    /// Its id on the port.
    pub onu: i32,
    /// Light that the ONU receives, in dBm.
    #[serde(default)]
    pub rx_dbm: Option<f64>,
    /// Light that the ONU sends, in dBm.
    #[serde(default)]
    pub tx_dbm: Option<f64>,
    /// Light that the OLT receives from the ONU, in dBm.
    #[serde(default)]
    pub olt_rx_dbm: Option<f64>,
    /// Temperature of the ONU's optical module, in °C.
    #[serde(default)]
    pub temperature_c: Option<f64>,
    /// Voltage of the module, in V.
    #[serde(default)]
    pub voltage_v: Option<f64>,
    /// Bias current of the module's laser, in mA.
    #[serde(default)]
    pub bias_ma: Option<f64>,
    /// Length of the fibre in metres.
    #[serde(default)]
    pub distance_m: Option<i32>,
}

impl OpticsRow {
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            onu: r.int()?,
            rx_dbm: r.optional(Reader::double)?,
            tx_dbm: r.optional(Reader::double)?,
            olt_rx_dbm: r.optional(Reader::double)?,
            temperature_c: r.optional(Reader::double)?,
            voltage_v: r.optional(Reader::double)?,
            bias_ma: r.optional(Reader::double)?,
            distance_m: r.optional(Reader::int)?,
        })
    }
}

impl OpticsRow {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        wire::put_int(out, self.onu);
        wire::put_optional(out, self.rx_dbm, wire::put_double);
        wire::put_optional(out, self.tx_dbm, wire::put_double);
        wire::put_optional(out, self.olt_rx_dbm, wire::put_double);
        wire::put_optional(out, self.temperature_c, wire::put_double);
        wire::put_optional(out, self.voltage_v, wire::put_double);
        wire::put_optional(out, self.bias_ma, wire::put_double);
        wire::put_optional(out, self.distance_m, wire::put_int);
    }
}
