//! Generated from the schema of `LedgerRow` by `cargo run -p xtask -- gen`: not to be edited.

use std::collections::BTreeMap;

use model::Micros;
use serde::{Deserialize, Serialize};

use crate::records::RecordType;
use crate::wire::{self, Body, Malformed, Reader};

/// Loss accounting of one listener or one sender over an interval. The counts are since the writer's start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerRow {
    /// Of what the row is.
    pub scope: LedgerScope,
    /// Listener's name.
    pub listener: String,
    /// Sender's address, for a sender's row.
    #[serde(default)]
    pub sender: Option<String>,
    /// Sender's root.
    #[serde(default)]
    pub root: Option<String>,
    /// Instance and nonce; counts start at 0 with a new one.
    pub writer: String,
    /// When the row was written.
    pub at: Micros,
    /// Datagrams read.
    pub received: i64,
    /// Datagrams that became records.
    pub accepted: i64,
    /// Records of an earlier run found in the spool: with those accepted here, what is acknowledged, waits or is dropped here.
    #[serde(default)]
    pub recovered: i64,
    /// Records that are durable in the log.
    pub acknowledged: i64,
    /// Records that wait on disk.
    pub in_spool: i64,
    /// Accepted records given up, by reason.
    pub dropped: BTreeMap<String, i64>,
    /// Datagrams refused, by reason.
    pub refused: BTreeMap<String, i64>,
    /// Datagrams that are not SNMP, by reason (listener only).
    pub undecodable: BTreeMap<String, i64>,
    /// Datagrams over the limit of unknown senders (listener only).
    pub over_limit: i64,
    /// Datagrams that the kernel dropped for want of buffer (listener only).
    pub kernel_drops: i64,
    /// When its first datagram came.
    #[serde(default)]
    pub first_at: Option<Micros>,
    /// When its last datagram came.
    #[serde(default)]
    pub last_at: Option<Micros>,
    /// When it first lost something: the kernel's drops as soon as they were known, records when they were given up.
    #[serde(default)]
    pub lost_first_at: Option<Micros>,
    /// When it last did.
    #[serde(default)]
    pub lost_last_at: Option<Micros>,
}

/// A [`LedgerRow`] whose parts are where they came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields as in the record")]
pub struct LedgerRowView<'a> {
    pub scope: LedgerScope,
    pub listener: &'a str,
    pub sender: Option<&'a str>,
    pub root: Option<&'a str>,
    pub writer: &'a str,
    pub at: Micros,
    pub received: i64,
    pub accepted: i64,
    pub recovered: i64,
    pub acknowledged: i64,
    pub in_spool: i64,
    pub dropped: &'a BTreeMap<String, i64>,
    pub refused: &'a BTreeMap<String, i64>,
    pub undecodable: &'a BTreeMap<String, i64>,
    pub over_limit: i64,
    pub kernel_drops: i64,
    pub first_at: Option<Micros>,
    pub last_at: Option<Micros>,
    pub lost_first_at: Option<Micros>,
    pub lost_last_at: Option<Micros>,
}

impl LedgerRow {
    /// The record without its own memory.
    pub fn view(&self) -> LedgerRowView<'_> {
        LedgerRowView {
            scope: self.scope,
            listener: &self.listener,
            sender: self.sender.as_deref(),
            root: self.root.as_deref(),
            writer: &self.writer,
            at: self.at,
            received: self.received,
            accepted: self.accepted,
            recovered: self.recovered,
            acknowledged: self.acknowledged,
            in_spool: self.in_spool,
            dropped: &self.dropped,
            refused: &self.refused,
            undecodable: &self.undecodable,
            over_limit: self.over_limit,
            kernel_drops: self.kernel_drops,
            first_at: self.first_at,
            last_at: self.last_at,
            lost_first_at: self.lost_first_at,
            lost_last_at: self.lost_last_at,
        }
    }
}

impl LedgerRow {
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            scope: LedgerScope::decode(r)?,
            listener: r.string()?,
            sender: r.optional(Reader::string)?,
            root: r.optional(Reader::string)?,
            writer: r.string()?,
            at: r.micros()?,
            received: r.long()?,
            accepted: r.long()?,
            recovered: r.long()?,
            acknowledged: r.long()?,
            in_spool: r.long()?,
            dropped: r.map(Reader::long)?,
            refused: r.map(Reader::long)?,
            undecodable: r.map(Reader::long)?,
            over_limit: r.long()?,
            kernel_drops: r.long()?,
            first_at: r.optional(Reader::micros)?,
            last_at: r.optional(Reader::micros)?,
            lost_first_at: r.optional(Reader::micros)?,
            lost_last_at: r.optional(Reader::micros)?,
        })
    }
}

impl Body for LedgerRowView<'_> {
    const RECORD: RecordType = RecordType::LedgerRow;

    fn encode(&self, out: &mut Vec<u8>) {
        self.scope.encode(out);
        wire::put_text(out, self.listener);
        wire::put_optional(out, self.sender, wire::put_text);
        wire::put_optional(out, self.root, wire::put_text);
        wire::put_text(out, self.writer);
        wire::put_micros(out, self.at);
        wire::put_long(out, self.received);
        wire::put_long(out, self.accepted);
        wire::put_long(out, self.recovered);
        wire::put_long(out, self.acknowledged);
        wire::put_long(out, self.in_spool);
        wire::put_map(out, self.dropped, |out, value| wire::put_long(out, *value));
        wire::put_map(out, self.refused, |out, value| wire::put_long(out, *value));
        wire::put_map(out, self.undecodable, |out, value| wire::put_long(out, *value));
        wire::put_long(out, self.over_limit);
        wire::put_long(out, self.kernel_drops);
        wire::put_optional(out, self.first_at, wire::put_micros);
        wire::put_optional(out, self.last_at, wire::put_micros);
        wire::put_optional(out, self.lost_first_at, wire::put_micros);
        wire::put_optional(out, self.lost_last_at, wire::put_micros);
    }
}

impl Body for LedgerRow {
    const RECORD: RecordType = RecordType::LedgerRow;

    fn encode(&self, out: &mut Vec<u8>) {
        self.view().encode(out);
    }
}

/// Of what the row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the symbols are all there is")]
pub enum LedgerScope {
    #[serde(rename = "LISTENER")]
    Listener,
    #[serde(rename = "SENDER")]
    Sender,
}

impl LedgerScope {
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        match r.long()? {
            0 => Ok(Self::Listener),
            1 => Ok(Self::Sender),
            _ => Err(Malformed::Choice),
        }
    }

    pub(crate) fn encode(self, out: &mut Vec<u8>) {
        wire::put_int(out, self as i32);
    }
}
