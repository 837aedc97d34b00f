//! Generated from the schema of `SystemRead` by `cargo run -p xtask -- gen`: not to be edited.

use model::Micros;
use serde::{Deserialize, Serialize};

use crate::records::RecordType;
use crate::wire::{self, Body, Malformed, Reader, View};

/// What an OLT says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemRead {
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
    /// Product.
    #[serde(default)]
    pub product: Option<String>,
    /// Firmware.
    #[serde(default)]
    pub version: Option<String>,
    /// Patch of the firmware.
    #[serde(default)]
    pub patch: Option<String>,
    /// The name that its prompt shows.
    #[serde(default)]
    pub host: Option<String>,
    /// Seconds since it started.
    #[serde(default)]
    pub uptime_s: Option<i64>,
    /// Algorithms agreed on with it, in words; null where there are none (telnet).
    #[serde(default)]
    pub security: Option<String>,
    /// It was spoken to with algorithms, or a transport, that are no longer held to be safe.
    pub legacy: bool,
}

/// A [`SystemRead`] whose parts are where they came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields as in the record")]
pub struct SystemReadView<'a> {
    pub root: &'a str,
    pub read_id: &'a str,
    pub part: i32,
    pub of: i32,
    pub scope: &'a str,
    pub complete: bool,
    pub way: &'a str,
    pub started_at: Micros,
    pub received_at: Micros,
    pub product: Option<&'a str>,
    pub version: Option<&'a str>,
    pub patch: Option<&'a str>,
    pub host: Option<&'a str>,
    pub uptime_s: Option<i64>,
    pub security: Option<&'a str>,
    pub legacy: bool,
}

impl SystemRead {
    /// The record without its own memory.
    pub fn view(&self) -> SystemReadView<'_> {
        SystemReadView {
            root: &self.root,
            read_id: &self.read_id,
            part: self.part,
            of: self.of,
            scope: &self.scope,
            complete: self.complete,
            way: &self.way,
            started_at: self.started_at,
            received_at: self.received_at,
            product: self.product.as_deref(),
            version: self.version.as_deref(),
            patch: self.patch.as_deref(),
            host: self.host.as_deref(),
            uptime_s: self.uptime_s,
            security: self.security.as_deref(),
            legacy: self.legacy,
        }
    }
}

impl SystemRead {
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
            product: r.optional(Reader::string)?,
            version: r.optional(Reader::string)?,
            patch: r.optional(Reader::string)?,
            host: r.optional(Reader::string)?,
            uptime_s: r.optional(Reader::long)?,
            security: r.optional(Reader::string)?,
            legacy: r.boolean()?,
        })
    }
}

impl<'a> View<'a> for SystemReadView<'a> {
    fn decode(r: &mut Reader<'a>) -> Result<Self, Malformed> {
        Ok(Self {
            root: r.text()?,
            read_id: r.text()?,
            part: r.int()?,
            of: r.int()?,
            scope: r.text()?,
            complete: r.boolean()?,
            way: r.text()?,
            started_at: r.micros()?,
            received_at: r.micros()?,
            product: r.optional(Reader::text)?,
            version: r.optional(Reader::text)?,
            patch: r.optional(Reader::text)?,
            host: r.optional(Reader::text)?,
            uptime_s: r.optional(Reader::long)?,
            security: r.optional(Reader::text)?,
            legacy: r.boolean()?,
        })
    }
}

impl Body for SystemReadView<'_> {
    const RECORD: RecordType = RecordType::SystemRead;

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
        wire::put_optional(out, self.product, wire::put_text);
        wire::put_optional(out, self.version, wire::put_text);
        wire::put_optional(out, self.patch, wire::put_text);
        wire::put_optional(out, self.host, wire::put_text);
        wire::put_optional(out, self.uptime_s, wire::put_long);
        wire::put_optional(out, self.security, wire::put_text);
        wire::put_boolean(out, self.legacy);
    }
}

impl Body for SystemRead {
    const RECORD: RecordType = RecordType::SystemRead;

    fn encode(&self, out: &mut Vec<u8>) {
        self.view().encode(out);
    }
}
