//! Generated from the schema of `OnuTableRead` by `cargo run -p xtask -- gen`: not to be edited.

use model::Micros;
use serde::{Deserialize, Serialize};

use crate::records::RecordType;
use crate::wire::{self, Body, Malformed, Reader};

/// ONUs of an OLT with their state and what the device says of each: all of a scope, or a part of that. A read that found nothing is one part without ports.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OnuTableRead {
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
    pub ports: Vec<OnuTablePort>,
}

/// A [`OnuTableRead`] whose parts are where they came from.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "fields as in the record")]
pub struct OnuTableReadView<'a> {
    pub root: &'a str,
    pub read_id: &'a str,
    pub part: i32,
    pub of: i32,
    pub scope: &'a str,
    pub complete: bool,
    pub way: &'a str,
    pub started_at: Micros,
    pub received_at: Micros,
    pub ports: &'a [OnuTablePort],
}

impl OnuTableRead {
    /// The record without its own memory.
    pub fn view(&self) -> OnuTableReadView<'_> {
        OnuTableReadView {
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

impl OnuTableRead {
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
            ports: r.list(OnuTablePort::decode)?,
        })
    }
}

impl Body for OnuTableReadView<'_> {
    const RECORD: RecordType = RecordType::OnuTableRead;

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

impl Body for OnuTableRead {
    const RECORD: RecordType = RecordType::OnuTableRead;

    fn encode(&self, out: &mut Vec<u8>) {
        self.view().encode(out);
    }
}

/// One ONU as a table has it. What the table does not have, or has as `-`, is null.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OnuRow {
    /// Its id on the port.
    pub onu: i32,
    /// The vendor's word: online, offline.
    #[serde(default)]
    pub run_state: Option<String>,
    /// The vendor's word: active, deactivated, configuring.
    #[serde(default)]
    pub control_flag: Option<String>,
    /// The vendor's word: normal, initial, failed, config.
    #[serde(default)]
    pub config_state: Option<String>,
    /// The vendor's word: match, mismatch, initial.
    #[serde(default)]
    pub match_state: Option<String>,
    /// Serial number in its readable form.
    #[serde(default)]
    pub serial: Option<String>,
    /// Description, as the device has it.
    #[serde(default)]
    pub description: Option<String>,
    /// The device cuts descriptions in this table: a longer one may begin like it.
    pub description_cut: bool,
    /// Equipment type.
    #[serde(default)]
    pub equipment: Option<String>,
    /// Length of the fibre in metres.
    #[serde(default)]
    pub distance_m: Option<i32>,
    /// When it last came up, by the device's clock and in its words.
    #[serde(default)]
    pub last_up_time: Option<String>,
    /// When it last went down, by the device's clock and in its words.
    #[serde(default)]
    pub last_down_time: Option<String>,
    /// Why it last went down, in the vendor's words.
    #[serde(default)]
    pub last_down_cause: Option<String>,
    /// Light that the ONU receives, in dBm.
    #[serde(default)]
    pub rx_dbm: Option<f64>,
    /// Light that the ONU sends, in dBm.
    #[serde(default)]
    pub tx_dbm: Option<f64>,
}

/// A [`OnuRow`] whose parts are where they came from.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "fields as in the record")]
pub struct OnuRowView<'a> {
    pub onu: i32,
    pub run_state: Option<&'a str>,
    pub control_flag: Option<&'a str>,
    pub config_state: Option<&'a str>,
    pub match_state: Option<&'a str>,
    pub serial: Option<&'a str>,
    pub description: Option<&'a str>,
    pub description_cut: bool,
    pub equipment: Option<&'a str>,
    pub distance_m: Option<i32>,
    pub last_up_time: Option<&'a str>,
    pub last_down_time: Option<&'a str>,
    pub last_down_cause: Option<&'a str>,
    pub rx_dbm: Option<f64>,
    pub tx_dbm: Option<f64>,
}

impl OnuRow {
    /// The record without its own memory.
    pub fn view(&self) -> OnuRowView<'_> {
        OnuRowView {
            onu: self.onu,
            run_state: self.run_state.as_deref(),
            control_flag: self.control_flag.as_deref(),
            config_state: self.config_state.as_deref(),
            match_state: self.match_state.as_deref(),
            serial: self.serial.as_deref(),
            description: self.description.as_deref(),
            description_cut: self.description_cut,
            equipment: self.equipment.as_deref(),
            distance_m: self.distance_m,
            last_up_time: self.last_up_time.as_deref(),
            last_down_time: self.last_down_time.as_deref(),
            last_down_cause: self.last_down_cause.as_deref(),
            rx_dbm: self.rx_dbm,
            tx_dbm: self.tx_dbm,
        }
    }
}

impl OnuRow {
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            onu: r.int()?,
            run_state: r.optional(Reader::string)?,
            control_flag: r.optional(Reader::string)?,
            config_state: r.optional(Reader::string)?,
            match_state: r.optional(Reader::string)?,
            serial: r.optional(Reader::string)?,
            description: r.optional(Reader::string)?,
            description_cut: r.boolean()?,
            equipment: r.optional(Reader::string)?,
            distance_m: r.optional(Reader::int)?,
            last_up_time: r.optional(Reader::string)?,
            last_down_time: r.optional(Reader::string)?,
            last_down_cause: r.optional(Reader::string)?,
            rx_dbm: r.optional(Reader::double)?,
            tx_dbm: r.optional(Reader::double)?,
        })
    }
}

impl OnuRowView<'_> {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        wire::put_int(out, self.onu);
        wire::put_optional(out, self.run_state, wire::put_text);
        wire::put_optional(out, self.control_flag, wire::put_text);
        wire::put_optional(out, self.config_state, wire::put_text);
        wire::put_optional(out, self.match_state, wire::put_text);
        wire::put_optional(out, self.serial, wire::put_text);
        wire::put_optional(out, self.description, wire::put_text);
        wire::put_boolean(out, self.description_cut);
        wire::put_optional(out, self.equipment, wire::put_text);
        wire::put_optional(out, self.distance_m, wire::put_int);
        wire::put_optional(out, self.last_up_time, wire::put_text);
        wire::put_optional(out, self.last_down_time, wire::put_text);
        wire::put_optional(out, self.last_down_cause, wire::put_text);
        wire::put_optional(out, self.rx_dbm, wire::put_double);
        wire::put_optional(out, self.tx_dbm, wire::put_double);
    }
}

impl OnuRow {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        self.view().encode(out);
    }
}

/// The ONUs of one PON port.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OnuTablePort {
    /// Frame.
    pub frame: i32,
    /// Slot.
    pub slot: i32,
    /// PON port.
    pub port: i32,
    /// ONUs, each once.
    pub onus: Vec<OnuRow>,
}

/// A [`OnuTablePort`] whose parts are where they came from.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "fields as in the record")]
pub struct OnuTablePortView<'a> {
    pub frame: i32,
    pub slot: i32,
    pub port: i32,
    pub onus: &'a [OnuRow],
}

impl OnuTablePort {
    /// The record without its own memory.
    pub fn view(&self) -> OnuTablePortView<'_> {
        OnuTablePortView {
            frame: self.frame,
            slot: self.slot,
            port: self.port,
            onus: &self.onus,
        }
    }
}

impl OnuTablePort {
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            frame: r.int()?,
            slot: r.int()?,
            port: r.int()?,
            onus: r.list(OnuRow::decode)?,
        })
    }
}

impl OnuTablePortView<'_> {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        wire::put_int(out, self.frame);
        wire::put_int(out, self.slot);
        wire::put_int(out, self.port);
        wire::put_list(out, self.onus, |out, value| value.encode(out));
    }
}

impl OnuTablePort {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        self.view().encode(out);
    }
}
