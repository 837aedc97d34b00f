//! The highest sequence of each writer: what a connector sends twice is dropped (design §8).

use std::cmp::Ordering;

use hashbrown::HashMap;
use model::{Offset, WriterId};
use serde::{Deserialize, Serialize};

/// Writers a partition remembers; the longest unseen is forgotten first.
pub const WRITERS_MAX: usize = 4_096;
/// Bytes of names remembered, so that a marker stays well below the limit of a record.
const NAMES_BYTES_MAX: usize = 128 * 1024;
/// Longest name that is remembered; a record of a writer with a longer one is never taken for a duplicate.
const NAME_BYTES_MAX: usize = 1_024;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    sequence: u64,
    /// Offset of the last record, of a duplicate too.
    offset: Offset,
}

/// The writers of one partition; part of the marker.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Writers {
    seen: HashMap<String, Seen, foldhash::fast::RandomState>,
    name_bytes: usize,
    forgotten: u64,
}

/// As it stands in the marker: in order of names, so equal writers are equal bytes.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct WritersKept {
    writers: Vec<(String, Seen)>,
    forgotten: u64,
}

impl Writers {
    /// Whether the record is a repeat; if not, it is the writer's highest from now on.
    pub fn is_duplicate(&mut self, id: &WriterId, offset: Offset) -> bool {
        if let Some(seen) = self.seen.get_mut(&id.writer) {
            seen.offset = offset;
            return match id.sequence.cmp(&seen.sequence) {
                Ordering::Greater => {
                    seen.sequence = id.sequence;
                    false
                }
                Ordering::Less | Ordering::Equal => true,
            };
        }
        if id.writer.len() <= NAME_BYTES_MAX {
            self.name_bytes += id.writer.len();
            self.seen.insert(
                id.writer.clone(),
                Seen {
                    sequence: id.sequence,
                    offset,
                },
            );
            while self.seen.len() > WRITERS_MAX || self.name_bytes > NAMES_BYTES_MAX {
                self.forget_longest_unseen();
            }
        }
        false
    }

    /// How many were forgotten for want of room.
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    fn forget_longest_unseen(&mut self) {
        // Offsets are unique: one record has one writer. A scan, because new writers come with a restart, not a record.
        let oldest = self
            .seen
            .iter()
            .min_by_key(|(_, seen)| seen.offset)
            .map(|(name, _)| name.clone());
        if let Some(name) = oldest {
            self.seen.remove(&name);
            self.name_bytes -= name.len();
            self.forgotten += 1;
        }
    }

    pub fn to_kept(&self) -> WritersKept {
        let mut writers: Vec<_> = self.seen.iter().map(|(name, seen)| (name.clone(), *seen)).collect();
        writers.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        WritersKept {
            writers,
            forgotten: self.forgotten,
        }
    }

    pub fn from_kept(kept: WritersKept) -> Self {
        let name_bytes = kept.writers.iter().map(|(name, _)| name.len()).sum();
        Self {
            seen: kept.writers.into_iter().collect(),
            name_bytes,
            forgotten: kept.forgotten,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sends: &[(&str, u64)], duplicates: &[usize]) {
        let mut writers = Writers::default();
        let dropped: Vec<_> = (0..)
            .zip(sends)
            .filter(|&(offset, &(writer, sequence))| {
                writers.is_duplicate(
                    &WriterId {
                        writer: writer.to_owned(),
                        sequence,
                    },
                    offset,
                )
            })
            .map(|(offset, _)| usize::try_from(offset).unwrap())
            .collect();
        assert_eq!(dropped, duplicates, "{sends:?}");
        assert_eq!(Writers::from_kept(writers.to_kept()), writers);
    }

    #[test]
    fn what_is_not_higher_is_a_duplicate() {
        check(&[("a", 0), ("a", 1), ("a", 1), ("b", 1), ("a", 0), ("a", 2)], &[2, 4]);
        // A new nonce is a new writer, whatever its numbers.
        check(&[("a-1", 7), ("a-2", 0), ("a-2", 0)], &[2]);
    }

    #[test]
    fn the_longest_unseen_is_forgotten_first() {
        let mut writers = Writers::default();
        let id = |n: usize, sequence| WriterId {
            writer: format!("w{n}"),
            sequence,
        };
        let mut offset = 0;
        let mut see = |writers: &mut Writers, n, sequence| {
            offset += 1;
            writers.is_duplicate(&id(n, sequence), offset)
        };
        for n in 0..WRITERS_MAX {
            assert!(!see(&mut writers, n, 5));
        }
        assert!(see(&mut writers, 0, 5), "still known, and now the latest seen");
        assert!(!see(&mut writers, WRITERS_MAX, 0));
        assert_eq!((writers.seen.len(), writers.forgotten()), (WRITERS_MAX, 1));
        assert!(see(&mut writers, 0, 5), "kept");
        assert!(!see(&mut writers, 1, 5), "forgotten: the longest unseen");
    }

    #[test]
    fn long_names_cannot_grow_the_marker() {
        let mut writers = Writers::default();
        for n in 0..2_000 {
            let writer = format!("{n:0>1000}");
            assert!(!writers.is_duplicate(&WriterId { writer, sequence: 0 }, n));
        }
        assert!(writers.name_bytes <= NAMES_BYTES_MAX);
        let endless = WriterId {
            writer: "x".repeat(2_000),
            sequence: 0,
        };
        assert!(!writers.is_duplicate(&endless, 3_000) && !writers.is_duplicate(&endless, 3_001));
    }
}
