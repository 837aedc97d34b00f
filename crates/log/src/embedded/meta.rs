//! What the log knows of itself: rows of keyspace `meta`, each behind a checksum.
//!
//! `log` · `schema/ID` · `group/GROUP/TOPIC/PARTITION` · `segment/TOPIC/NUMBER` (a compacted topic has one, number 0); numbers
//! are big-endian.

use model::{Micros, Offset, Partition};
use topology::{Group, Topic};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Format of the folder this build reads and writes.
pub(super) const FORMAT: u32 = 1;

pub(super) const LOG_KEY: &[u8] = b"log";
pub(super) const SCHEMA_PREFIX: &str = "schema/";
pub(super) const GROUP_PREFIX: &str = "group/";
pub(super) const SEGMENT_PREFIX: &str = "segment/";

/// The row `log`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LogRow {
    pub(super) format: u32,
    pub(super) partitions: u32,
    pub(super) generation: u32,
    pub(super) created_at: Micros,
}

impl LogRow {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_u64(&mut out, u64::from(self.format));
        put_u64(&mut out, u64::from(self.partitions));
        put_u64(&mut out, u64::from(self.generation));
        put_i64(&mut out, self.created_at.0);
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        Some(Self {
            format: u32::try_from(u64_of(&mut rest)?).ok()?,
            partitions: u32::try_from(u64_of(&mut rest)?).ok()?,
            generation: u32::try_from(u64_of(&mut rest)?).ok()?,
            created_at: Micros(i64_of(&mut rest)?),
        })
    }
}

/// A segment of a time-retained topic, or all of a compacted one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SegmentRow {
    /// First offset of each partition.
    pub(super) base: Vec<Offset>,
    /// Offset after the last record of each partition.
    pub(super) ends: Vec<Offset>,
    pub(super) records: u64,
    pub(super) bytes: u64,
    pub(super) created_at: Micros,
    pub(super) first_at: Micros,
    pub(super) last_at: Micros,
}

impl SegmentRow {
    pub(super) fn new(base: Vec<Offset>, now: Micros) -> Self {
        Self {
            ends: base.clone(),
            base,
            records: 0,
            bytes: 0,
            created_at: now,
            first_at: now,
            last_at: now,
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(48 + 16 * self.base.len());
        put_u64(&mut out, self.base.len() as u64);
        self.base
            .iter()
            .chain(&self.ends)
            .for_each(|offset| put_u64(&mut out, *offset));
        put_u64(&mut out, self.records);
        put_u64(&mut out, self.bytes);
        put_i64(&mut out, self.created_at.0);
        put_i64(&mut out, self.first_at.0);
        put_i64(&mut out, self.last_at.0);
        out
    }

    pub(super) fn decode(bytes: &[u8], partitions: u32) -> Option<Self> {
        let mut rest = bytes;
        if u64_of(&mut rest)? != u64::from(partitions) {
            return None;
        }
        let mut offsets = || (0..partitions).map(|_| u64_of(&mut rest)).collect::<Option<Vec<_>>>();
        let (base, ends) = (offsets()?, offsets()?);
        Some(Self {
            base,
            ends,
            records: u64_of(&mut rest)?,
            bytes: u64_of(&mut rest)?,
            created_at: Micros(i64_of(&mut rest)?),
            first_at: Micros(i64_of(&mut rest)?),
            last_at: Micros(i64_of(&mut rest)?),
        })
    }
}

pub(super) fn schema_key(id: u32) -> Vec<u8> {
    [SCHEMA_PREFIX.as_bytes(), &id.to_be_bytes()].concat()
}

/// Name of the record type, a zero, the schema's text.
pub(super) fn encode_schema(record: &str, json: &str) -> Vec<u8> {
    [record.as_bytes(), &[0], json.as_bytes()].concat()
}

pub(super) fn decode_schema(key: &[u8], value: &[u8]) -> Option<(u32, String, String)> {
    let id = u32::from_be_bytes(key.strip_prefix(SCHEMA_PREFIX.as_bytes())?.try_into().ok()?);
    let (record, json) = std::str::from_utf8(value).ok()?.split_once('\0')?;
    Some((id, record.to_owned(), json.to_owned()))
}

pub(super) fn position_key(group: Group, topic: Topic, partition: Partition) -> Vec<u8> {
    let mut key = format!("{GROUP_PREFIX}{}/{}/", group.name(), topic.name()).into_bytes();
    key.extend_from_slice(&partition.to_be_bytes());
    key
}

/// Group and topic by name: those of a later build are not known here.
pub(super) fn decode_position_key(key: &[u8]) -> Option<(Group, Topic, Partition)> {
    let rest = key.strip_prefix(GROUP_PREFIX.as_bytes())?;
    let (names, partition) = rest.split_at_checked(rest.len().checked_sub(4)?)?;
    let (group, topic) = std::str::from_utf8(names).ok()?.strip_suffix('/')?.split_once('/')?;
    let group = topology::GROUPS.iter().find(|g| g.name == group)?.group;
    Some((
        group,
        Topic::by_name(topic)?,
        u32::from_be_bytes(partition.try_into().ok()?),
    ))
}

pub(super) fn segment_key(topic: Topic, number: u64) -> Vec<u8> {
    let mut key = format!("{SEGMENT_PREFIX}{}/", topic.name()).into_bytes();
    key.extend_from_slice(&number.to_be_bytes());
    key
}

pub(super) fn decode_segment_key(key: &[u8]) -> Option<(Topic, u64)> {
    let rest = key.strip_prefix(SEGMENT_PREFIX.as_bytes())?;
    let (topic, number) = rest.split_at_checked(rest.len().checked_sub(8)?)?;
    let topic = Topic::by_name(std::str::from_utf8(topic).ok()?.strip_suffix('/')?)?;
    Some((topic, u64::from_be_bytes(number.try_into().ok()?)))
}

/// Puts the checksum in front; it covers the key too.
pub(super) fn seal(key: &[u8], value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(8 + value.len());
    put_u64(&mut out, xxh3_64_with_seed(value, xxh3_64_with_seed(key, 0)));
    out.extend_from_slice(value);
    out
}

/// The value behind its checksum; `None` if that does not match.
pub(super) fn unseal<'a>(key: &[u8], sealed: &'a [u8]) -> Option<&'a [u8]> {
    let mut rest = sealed;
    let sum = u64_of(&mut rest)?;
    (sum == xxh3_64_with_seed(rest, xxh3_64_with_seed(key, 0))).then_some(rest)
}

fn put_u64(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(&value.to_be_bytes());
}

fn put_i64(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(&value.to_be_bytes());
}

fn u64_of(rest: &mut &[u8]) -> Option<u64> {
    let (head, tail) = rest.split_at_checked(8)?;
    *rest = tail;
    Some(u64::from_be_bytes(head.try_into().ok()?))
}

fn i64_of(rest: &mut &[u8]) -> Option<i64> {
    u64_of(rest).map(u64::cast_signed)
}

pub(super) fn encode_offset(offset: Offset) -> [u8; 8] {
    offset.to_be_bytes()
}

pub(super) fn decode_offset(bytes: &[u8]) -> Option<Offset> {
    Some(u64::from_be_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_read_back() {
        let log = LogRow {
            format: 1,
            partitions: 8,
            generation: 1,
            created_at: Micros(-7),
        };
        assert_eq!(LogRow::decode(&log.encode()), Some(log));
        let segment = SegmentRow {
            records: 5,
            bytes: 6,
            ..SegmentRow::new(vec![1, 2], Micros(9))
        };
        assert_eq!(SegmentRow::decode(&segment.encode(), 2), Some(segment.clone()));
        assert_eq!(SegmentRow::decode(&segment.encode(), 3), None);
        assert_eq!(SegmentRow::decode(&segment.encode()[..40], 2), None);
    }

    #[test]
    fn keys_read_back() {
        for group in topology::GROUPS {
            let key = position_key(group.group, group.reads[0], 7);
            assert_eq!(decode_position_key(&key), Some((group.group, group.reads[0], 7)));
        }
        for topic in topology::TOPICS {
            assert_eq!(
                decode_segment_key(&segment_key(topic.topic, 300)),
                Some((topic.topic, 300))
            );
        }
        let schema = decode_schema(&schema_key(4), &encode_schema("Tick", "{}"));
        assert_eq!(schema, Some((4, "Tick".to_owned(), "{}".to_owned())));
    }

    #[test]
    fn a_damaged_row_is_found() {
        let sealed = seal(b"k", b"value");
        assert_eq!(unseal(b"k", &sealed), Some(&b"value"[..]));
        assert_eq!(unseal(b"l", &sealed), None);
        for bit in 0..sealed.len() * 8 {
            let mut flipped = sealed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(unseal(b"k", &flipped), None, "bit {bit}");
        }
    }
}
