//! Generated from the schema of `TrapReceived` by `cargo run -p xtask -- gen`: not to be edited.

use model::Micros;
use serde::{Deserialize, Serialize};

use crate::records::RecordType;
use crate::wire::{self, Body, Malformed, Reader, View};

/// One SNMP trap or inform, as it came. The message header, and with it the community, is not in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrapReceived {
    /// The sender's root.
    pub root: String,
    /// UDP source address.
    pub sender: String,
    /// UDP source port.
    pub sender_port: i32,
    /// Name of the listener that received it.
    pub listener: String,
    /// SNMP version of the message.
    pub version: SnmpVersion,
    /// Name of the credential that matched.
    pub credential: String,
    /// Whether the sender asked for an answer.
    pub inform: bool,
    /// Address of the relay that forwarded it, when the sender was read from inside.
    #[serde(default)]
    pub relay: Option<String>,
    /// v1 agent-addr or snmpTrapAddress.0: an attribute, believed from a relay only.
    #[serde(default)]
    pub inner_address: Option<String>,
    /// When the datagram was read.
    pub received_at: Micros,
    /// The PDU, from its tag to its end.
    #[serde(with = "serde_bytes")]
    pub pdu: Vec<u8>,
}

/// A [`TrapReceived`] whose parts are where they came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields as in the record")]
pub struct TrapReceivedView<'a> {
    pub root: &'a str,
    pub sender: &'a str,
    pub sender_port: i32,
    pub listener: &'a str,
    pub version: SnmpVersion,
    pub credential: &'a str,
    pub inform: bool,
    pub relay: Option<&'a str>,
    pub inner_address: Option<&'a str>,
    pub received_at: Micros,
    pub pdu: &'a [u8],
}

impl TrapReceived {
    /// The record without its own memory.
    pub fn view(&self) -> TrapReceivedView<'_> {
        TrapReceivedView {
            root: &self.root,
            sender: &self.sender,
            sender_port: self.sender_port,
            listener: &self.listener,
            version: self.version,
            credential: &self.credential,
            inform: self.inform,
            relay: self.relay.as_deref(),
            inner_address: self.inner_address.as_deref(),
            received_at: self.received_at,
            pdu: &self.pdu,
        }
    }
}

impl TrapReceived {
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            root: r.string()?,
            sender: r.string()?,
            sender_port: r.int()?,
            listener: r.string()?,
            version: SnmpVersion::decode(r)?,
            credential: r.string()?,
            inform: r.boolean()?,
            relay: r.optional(Reader::string)?,
            inner_address: r.optional(Reader::string)?,
            received_at: r.micros()?,
            pdu: r.byte_vec()?,
        })
    }
}

impl<'a> View<'a> for TrapReceivedView<'a> {
    fn decode(r: &mut Reader<'a>) -> Result<Self, Malformed> {
        Ok(Self {
            root: r.text()?,
            sender: r.text()?,
            sender_port: r.int()?,
            listener: r.text()?,
            version: SnmpVersion::decode(r)?,
            credential: r.text()?,
            inform: r.boolean()?,
            relay: r.optional(Reader::text)?,
            inner_address: r.optional(Reader::text)?,
            received_at: r.micros()?,
            pdu: r.bytes()?,
        })
    }
}

impl Body for TrapReceivedView<'_> {
    const RECORD: RecordType = RecordType::TrapReceived;

    fn encode(&self, out: &mut Vec<u8>) {
        wire::put_text(out, self.root);
        wire::put_text(out, self.sender);
        wire::put_int(out, self.sender_port);
        wire::put_text(out, self.listener);
        self.version.encode(out);
        wire::put_text(out, self.credential);
        wire::put_boolean(out, self.inform);
        wire::put_optional(out, self.relay, wire::put_text);
        wire::put_optional(out, self.inner_address, wire::put_text);
        wire::put_micros(out, self.received_at);
        wire::put_bytes(out, self.pdu);
    }
}

impl Body for TrapReceived {
    const RECORD: RecordType = RecordType::TrapReceived;

    fn encode(&self, out: &mut Vec<u8>) {
        self.view().encode(out);
    }
}

/// Message version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the symbols are all there is")]
pub enum SnmpVersion {
    V1,
    #[serde(rename = "V2C")]
    V2c,
    V3,
}

impl SnmpVersion {
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        match r.long()? {
            0 => Ok(Self::V1),
            1 => Ok(Self::V2c),
            2 => Ok(Self::V3),
            _ => Err(Malformed::Choice),
        }
    }

    pub(crate) fn encode(self, out: &mut Vec<u8>) {
        wire::put_int(out, self as i32);
    }
}
