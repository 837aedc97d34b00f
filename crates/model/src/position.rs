//! Where a record stands in the log, and what it is called wherever it goes.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Number of a partition.
pub type Partition = u32;
/// Number of a record in its partition; increases, with gaps.
pub type Offset = u64;

/// Position of an input in `observations`. The *generation* belongs to that topic and is raised by whatever creates,
/// restores, moves or repartitions it, so that ids keep rising where offsets begin again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// Generation of the topic.
    pub generation: u32,
    /// Its partition.
    pub partition: Partition,
    /// Its offset.
    pub offset: Offset,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.generation, self.partition, self.offset)
    }
}

/// Bytes are not a record id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a record id")]
pub struct RecordIdError;

/// The deterministic id of an output: (generation, input partition, input offset, step, state key, n), encoded so that
/// comparing bytes compares the tuple. Header `record-id`.
///
/// Layout: generation u32, partition u32, offset u64, step u8 (all big-endian), the key with `00` written as `00 FF` and
/// ended by `00 00`, n u32.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordId(Box<[u8]>);

impl RecordId {
    const HEAD: usize = 17;

    /// Builds the id of the `n`th output of one (input, step, key).
    pub fn new(input: Position, step: u8, key: &[u8], n: u32) -> Self {
        let mut bytes = Vec::with_capacity(Self::HEAD + key.len() + 6);
        bytes.extend_from_slice(&input.generation.to_be_bytes());
        bytes.extend_from_slice(&input.partition.to_be_bytes());
        bytes.extend_from_slice(&input.offset.to_be_bytes());
        bytes.push(step);
        for &byte in key {
            bytes.push(byte);
            if byte == 0 {
                bytes.push(0xFF);
            }
        }
        bytes.extend_from_slice(&[0, 0]);
        bytes.extend_from_slice(&n.to_be_bytes());
        Self(bytes.into_boxed_slice())
    }

    /// Takes bytes read from a header.
    ///
    /// # Errors
    /// When they are too short to hold an id.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RecordIdError> {
        let terminated = bytes.len() >= Self::HEAD + 6 && bytes[bytes.len() - 6..bytes.len() - 4] == [0, 0];
        if terminated {
            Ok(Self(bytes.into()))
        } else {
            Err(RecordIdError)
        }
    }

    /// The encoded bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The position of the input that caused it.
    pub fn input(&self) -> Position {
        let u32_at = |i: usize| u32::from_be_bytes(self.0[i..i + 4].try_into().expect("four bytes"));
        Position {
            generation: u32_at(0),
            partition: u32_at(4),
            offset: u64::from_be_bytes(self.0[8..16].try_into().expect("eight bytes")),
        }
    }
}

impl fmt::Display for RecordId {
    /// Lower-case hexadecimal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl fmt::Debug for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecordId({self})")
    }
}

/// Who sent a record into `observations`, and its how-manieth it was: dropped by the reader when not above the highest
/// seen of that writer in the partition.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct WriterId {
    /// Instance name and a nonce drawn at each start, one per sending thread.
    pub writer: String,
    /// Starts at 0 and increases along a partition.
    pub sequence: u64,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn comparing_ids_is_comparing_tuples(
            a in (0u32..3, 0u32..3, 0u64..300, 0u8..4, proptest::collection::vec(0u8..3, 0..4), 0u32..300),
            b in (0u32..3, 0u32..3, 0u64..300, 0u8..4, proptest::collection::vec(0u8..3, 0..4), 0u32..300),
        ) {
            let id = |t: &(u32, u32, u64, u8, Vec<u8>, u32)| {
                RecordId::new(Position { generation: t.0, partition: t.1, offset: t.2 }, t.3, &t.4, t.5)
            };
            prop_assert_eq!(id(&a).cmp(&id(&b)), a.cmp(&b));
            prop_assert_eq!(RecordId::from_bytes(id(&a).as_bytes()), Ok(id(&a)));
        }
    }

    #[test]
    fn an_id_names_its_input() {
        let input = Position {
            generation: 1,
            partition: 7,
            offset: 42,
        };
        assert_eq!(RecordId::new(input, 2, b"default/olt/a", 0).input(), input);
        assert!(RecordId::from_bytes(b"short").is_err());
    }
}
