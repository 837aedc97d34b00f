//! Bytes of a spool's segment.
//!
//! ```text
//! segment  = magic (8) · writer length (2) · writer · checksum (8) · record*
//! record   = body length (4) · tag (8) · sequence (8) · checksum (8) · body
//! body     = topic length (1) · topic · partition (4) · flags (1) · key length (4) · key · [traceparent (55)] · value
//! ```
//!
//! Little-endian. A checksum (XXH3, 64 bits) covers everything of its header before it, and the body. The writer's name stands
//! once a segment, for a segment has one run's records only.

use bytes::Bytes;
use log::{Headers, Record, TraceParent};
use model::WriterId;
use topology::{RECORD_BYTES_MAX, Topic};
use xxhash_rust::xxh3::Xxh3;

const MAGIC: &[u8; 8] = b"ATSPOOL1";
const CHECKSUM_BYTES: usize = 8;
/// Body length, tag, sequence: what the checksum covers beside the body.
const COVERED_BYTES: usize = 20;
/// In front of a body.
pub(super) const HEADER_BYTES: usize = COVERED_BYTES + CHECKSUM_BYTES;
/// Longest body: a record, and room for its key and headers.
const BODY_BYTES_MAX: usize = 2 * RECORD_BYTES_MAX;
const HAS_TRACEPARENT: u8 = 1;
const HAS_VALUE: u8 = 2;
const TRACEPARENT_BYTES: usize = 55;

/// The bytes a segment of this writer begins with.
pub(super) fn segment_header(writer: &str) -> Vec<u8> {
    let length = u16::try_from(writer.len()).expect("a writer's name is an instance, a thread and a nonce");
    let mut out = MAGIC.to_vec();
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(writer.as_bytes());
    let checksum = checksum(&[&out]);
    out.extend_from_slice(&checksum.to_le_bytes());
    out
}

/// The writer a segment is of, and the length of its header; `None` if it is no segment.
pub(super) fn read_segment_header(bytes: &[u8]) -> Option<(&str, usize)> {
    let length = usize::from(u16::from_le_bytes(array(bytes.get(8..10)?)));
    let end = 10 + length;
    let stored = u64::from_le_bytes(array(bytes.get(end..end + CHECKSUM_BYTES)?));
    let whole = bytes.starts_with(MAGIC) && stored == checksum(&[&bytes[..end]]);
    let writer = std::str::from_utf8(&bytes[10..end]).ok()?;
    whole.then_some((writer, end + CHECKSUM_BYTES))
}

/// Appends a record, and answers its size.
pub(super) fn write_record(out: &mut Vec<u8>, record: &Record, tag: u64) -> usize {
    let start = out.len();
    out.resize(start + HEADER_BYTES, 0);
    write_body(out, record);
    let body = u32::try_from(out.len() - start - HEADER_BYTES).expect("a record is far smaller");
    let sequence = record.headers.writer.as_ref().map_or(0, |w| w.sequence);
    let header = &mut out[start..];
    header[..4].copy_from_slice(&body.to_le_bytes());
    header[4..12].copy_from_slice(&tag.to_le_bytes());
    header[12..COVERED_BYTES].copy_from_slice(&sequence.to_le_bytes());
    let checksum = checksum(&[&header[..COVERED_BYTES], &header[HEADER_BYTES..]]);
    header[COVERED_BYTES..HEADER_BYTES].copy_from_slice(&checksum.to_le_bytes());
    out.len() - start
}

fn write_body(out: &mut Vec<u8>, record: &Record) {
    let topic = record.topic.name().as_bytes();
    out.push(u8::try_from(topic.len()).expect("a topic's name is short"));
    out.extend_from_slice(topic);
    out.extend_from_slice(&record.partition.to_le_bytes());
    let traceparent = record.headers.traceparent.as_ref();
    let flags = if traceparent.is_some() { HAS_TRACEPARENT } else { 0 };
    out.push(if record.value.is_some() {
        flags | HAS_VALUE
    } else {
        flags
    });
    let key = u32::try_from(record.key.len()).expect("a key is far smaller");
    out.extend_from_slice(&key.to_le_bytes());
    out.extend_from_slice(&record.key);
    if let Some(traceparent) = traceparent {
        out.extend_from_slice(traceparent.as_str().as_bytes());
    }
    if let Some(value) = &record.value {
        out.extend_from_slice(value);
    }
}

/// How long the record is whose header these bytes are; `None` if no record is that long.
pub(super) fn record_size(header: &[u8]) -> Option<usize> {
    let body = u32::from_le_bytes(array(header.get(..4)?)) as usize;
    (body <= BODY_BYTES_MAX).then_some(HEADER_BYTES + body)
}

/// Reads exactly one record with its tag; `None` if it is damaged.
pub(super) fn read_record(bytes: &[u8], writer: &str) -> Option<(Record, u64)> {
    if record_size(bytes)? != bytes.len() || !is_whole(bytes) {
        return None;
    }
    let tag = u64::from_le_bytes(array(&bytes[4..12]));
    let sequence = u64::from_le_bytes(array(&bytes[12..COVERED_BYTES]));
    let mut record = read_body(&bytes[HEADER_BYTES..])?;
    record.headers.writer = Some(WriterId {
        writer: writer.to_owned(),
        sequence,
    });
    Some((record, tag))
}

/// Whether these bytes are a record with the right checksum.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    bytes.len() >= HEADER_BYTES
        && u64::from_le_bytes(array(&bytes[COVERED_BYTES..HEADER_BYTES]))
            == checksum(&[&bytes[..COVERED_BYTES], &bytes[HEADER_BYTES..]])
}

fn read_body(mut rest: &[u8]) -> Option<Record> {
    let length = usize::from(take(&mut rest, 1)?[0]);
    let topic = Topic::by_name(std::str::from_utf8(take(&mut rest, length)?).ok()?)?;
    let partition = u32::from_le_bytes(array(take(&mut rest, 4)?));
    let flags = take(&mut rest, 1)?[0];
    let length = u32::from_le_bytes(array(take(&mut rest, 4)?)) as usize;
    let key = Bytes::copy_from_slice(take(&mut rest, length)?);
    let traceparent = match flags & HAS_TRACEPARENT {
        0 => None,
        _ => Some(TraceParent::parse(take(&mut rest, TRACEPARENT_BYTES)?)?),
    };
    Some(Record {
        topic,
        partition,
        key,
        value: (flags & HAS_VALUE != 0).then(|| Bytes::copy_from_slice(rest)),
        headers: Headers {
            traceparent,
            ..Headers::default()
        },
    })
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(length)?;
    *rest = left;
    Some(taken)
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().expect("the caller cut it to length")
}

pub(super) fn checksum(parts: &[&[u8]]) -> u64 {
    let mut hash = Xxh3::new();
    for part in parts {
        hash.update(part);
    }
    hash.digest()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(value: Option<&'static [u8]>, traced: bool) -> Record {
        Record {
            topic: Topic::Observations,
            partition: 3,
            key: Bytes::from_static(b"default/olt/a"),
            value: value.map(Bytes::from_static),
            headers: Headers {
                record_id: None,
                traceparent: traced.then(|| TraceParent::new(7, 9, true)),
                writer: Some(WriterId {
                    writer: "w-1".to_owned(),
                    sequence: 42,
                }),
            },
        }
    }

    #[test]
    fn a_record_comes_back_as_it_was() {
        for record in [
            record(Some(b"value"), true),
            record(Some(b""), false),
            record(None, true),
        ] {
            let mut bytes = b"before".to_vec();
            let size = write_record(&mut bytes, &record, 77);
            assert_eq!(record_size(&bytes[6..]), Some(size));
            assert_eq!(read_record(&bytes[6..], "w-1"), Some((record, 77)));
        }
    }

    #[test]
    fn every_truncation_and_every_bit_flip_is_seen() {
        let mut bytes = Vec::new();
        write_record(&mut bytes, &record(Some(b"value"), true), 77);
        for length in 0..bytes.len() {
            assert_eq!(read_record(&bytes[..length], "w-1"), None, "cut at {length}");
        }
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(read_record(&flipped, "w-1"), None, "bit {bit}");
        }
        let header = segment_header("w-1");
        assert_eq!(read_segment_header(&header), Some(("w-1", header.len())));
        for bit in 0..header.len() * 8 {
            let mut flipped = header.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(read_segment_header(&flipped), None, "bit {bit}");
        }
    }
}
