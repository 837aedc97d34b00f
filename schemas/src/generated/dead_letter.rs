//! Generated from the schema of `DeadLetter` by `cargo run -p xtask -- gen`: not to be edited.

use std::collections::BTreeMap;

use model::Micros;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::records::RecordType;
use crate::wire::{self, Body, Malformed, Reader};

/// A record that could not be processed, as it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// Topic it came from.
    pub topic: String,
    /// Partition.
    pub partition: i32,
    /// Offset.
    pub offset: i64,
    /// Its key.
    #[serde(with = "serde_bytes")]
    pub key: Vec<u8>,
    /// Its value.
    #[serde(default, with = "serde_bytes")]
    pub value: Option<Vec<u8>>,
    /// Its headers.
    pub headers: BTreeMap<String, ByteBuf>,
    /// A word of a closed set: undecodable, unknown_type, too_large, panic …
    pub reason: String,
    /// The error and its causes, outermost first.
    pub errors: Vec<String>,
    /// When the record was appended to its topic.
    pub appended_at: Micros,
}

/// A [`DeadLetter`] whose parts are where they came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields as in the record")]
pub struct DeadLetterView<'a> {
    pub topic: &'a str,
    pub partition: i32,
    pub offset: i64,
    pub key: &'a [u8],
    pub value: Option<&'a [u8]>,
    pub headers: &'a BTreeMap<String, ByteBuf>,
    pub reason: &'a str,
    pub errors: &'a [String],
    pub appended_at: Micros,
}

impl DeadLetter {
    /// The record without its own memory.
    pub fn view(&self) -> DeadLetterView<'_> {
        DeadLetterView {
            topic: &self.topic,
            partition: self.partition,
            offset: self.offset,
            key: &self.key,
            value: self.value.as_deref(),
            headers: &self.headers,
            reason: &self.reason,
            errors: &self.errors,
            appended_at: self.appended_at,
        }
    }
}

impl DeadLetter {
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            topic: r.string()?,
            partition: r.int()?,
            offset: r.long()?,
            key: r.byte_vec()?,
            value: r.optional(Reader::byte_vec)?,
            headers: r.map(Reader::byte_buf)?,
            reason: r.string()?,
            errors: r.list(Reader::string)?,
            appended_at: r.micros()?,
        })
    }
}

impl Body for DeadLetterView<'_> {
    const RECORD: RecordType = RecordType::DeadLetter;

    fn encode(&self, out: &mut Vec<u8>) {
        wire::put_text(out, self.topic);
        wire::put_int(out, self.partition);
        wire::put_long(out, self.offset);
        wire::put_bytes(out, self.key);
        wire::put_optional(out, self.value, wire::put_bytes);
        wire::put_map(out, self.headers, |out, value| wire::put_bytes(out, value));
        wire::put_text(out, self.reason);
        wire::put_list(out, self.errors, |out, value| wire::put_text(out, value));
        wire::put_micros(out, self.appended_at);
    }
}

impl Body for DeadLetter {
    const RECORD: RecordType = RecordType::DeadLetter;

    fn encode(&self, out: &mut Vec<u8>) {
        self.view().encode(out);
    }
}
