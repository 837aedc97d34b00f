//! `TrapReceived` written by hand: the one record of the hot path, of which a storm brings hundreds of thousands a second. The same
//! bytes as [`Codec::encode`] makes, which tests hold against each other.

use model::Micros;

use crate::codec::Codec;
use crate::records::{RecordType, SnmpVersion};

/// A [`crate::TrapReceived`] whose parts are where they came from.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs, reason = "fields as in the record, documented in its schema")]
pub struct TrapView<'a> {
    pub root: &'a str,
    pub sender: &'a str,
    pub sender_port: u16,
    pub listener: &'a str,
    pub version: SnmpVersion,
    pub credential: &'a str,
    pub inform: bool,
    pub relay: Option<&'a str>,
    pub inner_address: Option<&'a str>,
    pub received_at: Micros,
    pub pdu: &'a [u8],
}

impl Codec {
    /// Encodes with its wire header, into a buffer that is emptied first. Allocates only where the buffer is too small.
    pub fn encode_trap(&self, trap: &TrapView<'_>, out: &mut Vec<u8>) {
        out.clear();
        out.push(0);
        out.extend_from_slice(&self.id_of(RecordType::TrapReceived).to_be_bytes());
        put_bytes(out, trap.root.as_bytes());
        put_bytes(out, trap.sender.as_bytes());
        put_long(out, i64::from(trap.sender_port));
        put_bytes(out, trap.listener.as_bytes());
        put_long(out, trap.version as i64);
        put_bytes(out, trap.credential.as_bytes());
        out.push(u8::from(trap.inform));
        put_optional(out, trap.relay);
        put_optional(out, trap.inner_address);
        put_long(out, trap.received_at.0);
        put_bytes(out, trap.pdu);
    }
}

/// A union of null and string.
fn put_optional(out: &mut Vec<u8>, text: Option<&str>) {
    put_long(out, i64::from(text.is_some()));
    if let Some(text) = text {
        put_bytes(out, text.as_bytes());
    }
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_long(out, i64::try_from(bytes.len()).unwrap_or(i64::MAX));
    out.extend_from_slice(bytes);
}

/// Zigzag, seven bits at a time, the lowest first.
fn put_long(out: &mut Vec<u8>, n: i64) {
    let mut rest = ((n << 1) ^ (n >> 63)).cast_unsigned();
    while rest >= 0x80 {
        out.push((rest & 0x7F) as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AnyRecord, TrapReceived};

    fn check(trap: &TrapView<'_>) {
        let codec = Codec::standalone();
        let record = TrapReceived {
            root: trap.root.to_owned(),
            sender: trap.sender.to_owned(),
            sender_port: i32::from(trap.sender_port),
            listener: trap.listener.to_owned(),
            version: trap.version,
            credential: trap.credential.to_owned(),
            inform: trap.inform,
            relay: trap.relay.map(str::to_owned),
            inner_address: trap.inner_address.map(str::to_owned),
            received_at: trap.received_at,
            pdu: trap.pdu.to_vec(),
        };
        let mut out = b"left over".to_vec();
        codec.encode_trap(trap, &mut out);
        assert_eq!(out, codec.encode(&AnyRecord::from(record)).unwrap(), "{trap:?}");
    }

    #[test]
    fn the_bytes_are_those_of_the_codec() {
        let long = "x".repeat(300);
        let pdu = vec![0xA7; 70_000];
        for version in [SnmpVersion::V1, SnmpVersion::V2c, SnmpVersion::V3] {
            for (text, port, at) in [
                ("", 0, 0),
                ("default/olt/ação", 162, -1),
                (long.as_str(), 65_535, i64::MAX),
                ("a", 63, i64::MIN),
            ] {
                for optional in [None, Some(""), Some("192.0.2.1"), Some(long.as_str())] {
                    for length in [0, 1, 63, 64, 127, 128, 8_191, 8_192, 70_000] {
                        check(&TrapView {
                            root: text,
                            sender: "2001:db8::1",
                            sender_port: port,
                            listener: text,
                            version,
                            credential: "noc",
                            inform: length % 2 == 0,
                            relay: optional,
                            inner_address: optional.filter(|o| !o.is_empty()),
                            received_at: Micros(at),
                            pdu: &pdu[..length],
                        });
                    }
                }
            }
        }
    }
}
