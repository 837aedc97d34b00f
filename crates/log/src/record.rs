//! A record, before and after it is in the log.

use std::fmt;

use bytes::Bytes;
use model::{Micros, Offset, Partition, RecordId, WriterId};
use topology::Topic;

/// W3C trace context, version 00: `00-<32 hex>-<16 hex>-<2 hex>`. Outside any comparison of records.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TraceParent([u8; 55]);

impl TraceParent {
    /// Builds one from its parts; `sampled` sets the flag of that name.
    pub fn new(trace_id: u128, span_id: u64, sampled: bool) -> Self {
        let mut text = *b"00-00000000000000000000000000000000-0000000000000000-00";
        put_hex(&mut text[3..35], &trace_id.to_be_bytes());
        put_hex(&mut text[36..52], &span_id.to_be_bytes());
        put_hex(&mut text[53..], &[u8::from(sampled)]);
        Self(text)
    }

    /// Reads the text form; `None` if it is not one.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let bytes: [u8; 55] = text.try_into().ok()?;
        let shape = bytes.iter().enumerate().all(|(i, b)| match i {
            0 | 1 => *b == b'0',
            2 | 35 | 52 => *b == b'-',
            _ => matches!(b, b'0'..=b'9' | b'a'..=b'f'),
        });
        shape.then_some(Self(bytes))
    }

    /// The text form.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("hexadecimal digits and dashes")
    }
}

/// Two lower-case digits a byte: one is made for every record, so without formatting.
fn put_hex(out: &mut [u8], bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (pair, byte) in out.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
}

impl fmt::Debug for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What stands beside key and value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers {
    /// Header `record-id`: deterministic id of an output.
    pub record_id: Option<RecordId>,
    /// Header `traceparent`.
    pub traceparent: Option<TraceParent>,
    /// Header `writer`: who sent an input, and its how-manieth it was.
    pub writer: Option<WriterId>,
}

/// A record to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Where to.
    pub topic: Topic,
    /// Which partition, always explicit.
    pub partition: Partition,
    /// Its key; empty for control records.
    pub key: Bytes,
    /// Its value in wire format; `None` is a tombstone of a compacted topic.
    pub value: Option<Bytes>,
    /// What stands beside.
    pub headers: Headers,
}

/// A record as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The record.
    pub record: Record,
    /// Its offset in (topic, partition).
    pub offset: Offset,
    /// When the log appended it; never decreasing in a partition of the embedded log.
    pub appended_at: Micros,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_parent_is_its_parts_in_hexadecimal() {
        for (trace, span, sampled) in [
            (0, 0, false),
            (u128::MAX, u64::MAX, true),
            (0x0123_4567_89ab_cdef, 0xf0, true),
        ] {
            let made = TraceParent::new(trace, span, sampled);
            let expected = format!("00-{trace:032x}-{span:016x}-{:02x}", u8::from(sampled));
            assert_eq!(made.as_str(), expected);
            assert_eq!(TraceParent::parse(expected.as_bytes()), Some(made));
        }
    }
}
