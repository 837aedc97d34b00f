//! Records as bytes.
//!
//! Layout 1: `01`, checksum u32 (xxh3 of partition, offset and everything behind the checksum), appended at i64, flags u8,
//! key length u16, key, then what the flags say in this order: record id (u16 length, bytes), trace parent (55 bytes),
//! writer (u8 length, text, sequence u64), and the value up to the end. Numbers are little-endian. Partition and offset
//! stand in the key of the store, 12 bytes big-endian.

use bytes::Bytes;
use model::{Micros, Offset, Partition, RecordId, WriterId};
use topology::Topic;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::{Headers, LogError, Record, Stored, TraceParent};

const FORMAT: u8 = 1;
const HEAD: usize = 1 + 4 + 8 + 1 + 2;
const HAS_VALUE: u8 = 1;
const HAS_ID: u8 = 2;
const HAS_TRACE: u8 = 4;
const HAS_WRITER: u8 = 8;
const TRACE_BYTES: usize = 55;

/// Why bytes are not a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Damage {
    #[error("format {0} is not known to this build")]
    Format(u8),
    #[error("the checksum does not match")]
    Checksum,
    #[error("it is cut short")]
    Short,
    #[error("a header is not valid")]
    Header,
    #[error("it is missing")]
    Missing,
}

impl Damage {
    pub(super) fn at(self, topic: Topic, partition: Partition, offset: Offset) -> LogError {
        LogError::Damaged {
            topic,
            partition,
            offset,
            source: self.into(),
        }
    }
}

pub(super) fn key_of(partition: Partition, offset: Offset) -> [u8; 12] {
    let mut key = [0; 12];
    key[..4].copy_from_slice(&partition.to_be_bytes());
    key[4..].copy_from_slice(&offset.to_be_bytes());
    key
}

pub(super) fn place_of(key: &[u8]) -> Option<(Partition, Offset)> {
    let (partition, offset) = key.split_at_checked(4)?;
    Some((
        u32::from_be_bytes(partition.try_into().ok()?),
        u64::from_be_bytes(offset.try_into().ok()?),
    ))
}

/// Encodes into `out`, which is emptied first. The limits were checked when the record was sent.
pub(super) fn encode(record: &Record, offset: Offset, appended_at: Micros, out: &mut Vec<u8>) {
    let Headers {
        record_id,
        traceparent,
        writer,
    } = &record.headers;
    let flag = |bit: u8, on: bool| if on { bit } else { 0 };
    out.clear();
    out.push(FORMAT);
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&appended_at.0.to_le_bytes());
    out.push(
        flag(HAS_VALUE, record.value.is_some())
            | flag(HAS_ID, record_id.is_some())
            | flag(HAS_TRACE, traceparent.is_some())
            | flag(HAS_WRITER, writer.is_some()),
    );
    push_short(out, &record.key);
    if let Some(id) = record_id {
        push_short(out, id.as_bytes());
    }
    if let Some(trace) = traceparent {
        out.extend_from_slice(trace.as_str().as_bytes());
    }
    if let Some(WriterId { writer, sequence }) = writer {
        out.push(u8::try_from(writer.len()).expect("checked when sent"));
        out.extend_from_slice(writer.as_bytes());
        out.extend_from_slice(&sequence.to_le_bytes());
    }
    if let Some(value) = &record.value {
        out.extend_from_slice(value);
    }
    let sum = checksum(record.partition, offset, &out[5..]);
    out[1..5].copy_from_slice(&sum.to_le_bytes());
}

fn push_short(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&u16::try_from(bytes.len()).expect("checked when sent").to_le_bytes());
    out.extend_from_slice(bytes);
}

fn checksum(partition: Partition, offset: Offset, body: &[u8]) -> u32 {
    let seed = offset.rotate_left(24) ^ u64::from(partition);
    let sum = xxh3_64_with_seed(body, seed);
    u32::try_from(sum & 0xffff_ffff).expect("32 bits")
}

/// What compaction needs of a record.
pub(super) struct Head<'a> {
    pub(super) key: &'a [u8],
    pub(super) appended_at: Micros,
    pub(super) is_tombstone: bool,
}

/// Checks a record and reads its head.
pub(super) fn decode_head(partition: Partition, offset: Offset, bytes: &[u8]) -> Result<Head<'_>, Damage> {
    if bytes.len() < HEAD {
        return Err(Damage::Short);
    }
    if bytes[0] != FORMAT {
        return Err(Damage::Format(bytes[0]));
    }
    let sum = u32::from_le_bytes(bytes[1..5].try_into().expect("four bytes"));
    if sum != checksum(partition, offset, &bytes[5..]) {
        return Err(Damage::Checksum);
    }
    let key_length = usize::from(u16::from_le_bytes([bytes[14], bytes[15]]));
    Ok(Head {
        key: bytes.get(HEAD..HEAD + key_length).ok_or(Damage::Short)?,
        appended_at: Micros(i64::from_le_bytes(bytes[5..13].try_into().expect("eight bytes"))),
        is_tombstone: bytes[13] & HAS_VALUE == 0,
    })
}

/// Checks and reads a record. Key and value share `bytes`.
pub(super) fn decode(topic: Topic, partition: Partition, offset: Offset, bytes: &Bytes) -> Result<Stored, Damage> {
    let head = decode_head(partition, offset, bytes)?;
    let (flags, appended_at) = (bytes[13], head.appended_at);
    let mut rest = Rest { bytes, at: HEAD };
    let key = rest.take(head.key.len())?;
    let mut headers = Headers::default();
    if flags & HAS_ID != 0 {
        let length = rest.short()?;
        headers.record_id = Some(RecordId::from_bytes(rest.slice(length)?).map_err(|_| Damage::Header)?);
    }
    if flags & HAS_TRACE != 0 {
        headers.traceparent = Some(TraceParent::parse(rest.slice(TRACE_BYTES)?).ok_or(Damage::Header)?);
    }
    if flags & HAS_WRITER != 0 {
        let length = usize::from(rest.slice(1)?[0]);
        let writer = std::str::from_utf8(rest.slice(length)?)
            .map_err(|_| Damage::Header)?
            .to_owned();
        let sequence = u64::from_le_bytes(rest.slice(8)?.try_into().map_err(|_| Damage::Short)?);
        headers.writer = Some(WriterId { writer, sequence });
    }
    let value = (flags & HAS_VALUE != 0).then(|| bytes.slice(rest.at..));
    Ok(Stored {
        record: Record {
            topic,
            partition,
            key,
            value,
            headers,
        },
        offset,
        appended_at,
    })
}

struct Rest<'a> {
    bytes: &'a Bytes,
    at: usize,
}

impl Rest<'_> {
    fn slice(&mut self, length: usize) -> Result<&[u8], Damage> {
        let from = self.at;
        let slice = self.bytes.get(from..from + length).ok_or(Damage::Short)?;
        self.at += length;
        Ok(slice)
    }

    fn take(&mut self, length: usize) -> Result<Bytes, Damage> {
        let from = self.at;
        self.slice(length)?;
        Ok(self.bytes.slice(from..from + length))
    }

    fn short(&mut self) -> Result<usize, Damage> {
        let bytes = self.slice(2)?;
        Ok(usize::from(u16::from_le_bytes([bytes[0], bytes[1]])))
    }
}

#[cfg(test)]
mod tests {
    use model::Position;
    use proptest::prelude::*;

    use super::*;

    const TOPIC: Topic = Topic::DeviceEvents;

    fn any_record() -> impl Strategy<Value = Record> {
        let bytes = || proptest::collection::vec(any::<u8>(), 0..40);
        let writer = proptest::option::of(("[a-z-]{0,20}", any::<u64>()));
        (
            bytes(),
            proptest::option::of(bytes()),
            proptest::option::of(bytes()),
            any::<bool>(),
            writer,
        )
            .prop_map(|(key, value, id, traced, writer)| Record {
                topic: TOPIC,
                partition: 3,
                key: key.into(),
                value: value.map(Bytes::from),
                headers: Headers {
                    record_id: id.map(|key| {
                        RecordId::new(
                            Position {
                                generation: 1,
                                partition: 3,
                                offset: 9,
                            },
                            2,
                            &key,
                            0,
                        )
                    }),
                    traceparent: traced.then(|| TraceParent::new(7, 8, true)),
                    writer: writer.map(|(writer, sequence)| WriterId { writer, sequence }),
                },
            })
    }

    proptest! {
        #[test]
        fn a_record_reads_back_and_any_damage_is_found(record in any_record(), bit in any::<prop::sample::Index>()) {
            let mut bytes = Vec::new();
            encode(&record, 42, Micros(-5), &mut bytes);
            let expected = Stored { record, offset: 42, appended_at: Micros(-5) };
            prop_assert_eq!(decode(TOPIC, 3, 42, &bytes.clone().into()), Ok(expected));
            prop_assert_eq!(decode(TOPIC, 3, 43, &bytes.clone().into()), Err(Damage::Checksum));
            let bit = bit.index(bytes.len() * 8);
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(decode(TOPIC, 3, 42, &flipped.into()).is_err());
            bytes.pop();
            prop_assert!(decode(TOPIC, 3, 42, &bytes.into()).is_err());
        }

        #[test]
        fn hostile_bytes_never_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            if bytes.len() >= HEAD {
                bytes[0] = FORMAT;
                let sum = checksum(0, 0, &bytes[5..]);
                bytes[1..5].copy_from_slice(&sum.to_le_bytes());
            }
            drop(decode(TOPIC, 0, 0, &bytes.into()));
        }
    }

    #[test]
    fn keys_sort_by_partition_and_offset() {
        assert!(key_of(1, u64::MAX) < key_of(2, 0));
        assert!(key_of(1, 255) < key_of(1, 256));
        assert_eq!(place_of(&key_of(7, 9)), Some((7, 9)));
        assert_eq!(place_of(b"short"), None);
    }
}
