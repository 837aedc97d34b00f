//! Continuous compaction: where each key of a compacted partition was last written.
//!
//! A superseded record is removed in a later batch than the one that superseded it: until then readers, who look only as
//! far as the last batch, still find the key's older value.

use std::collections::VecDeque;

use hashbrown::HashMap;
use model::{Micros, Offset, Partition};
use topology::Topic;
use xxhash_rust::xxh3::xxh3_128;

/// Keys are remembered by 128 bits of xxh3: at ten million keys two agree with a probability below 1e-24.
type Fingerprint = u128;
type LastOffsets = HashMap<Fingerprint, Offset, foldhash::fast::RandomState>;

/// All partitions of all compacted topics.
#[derive(Default)]
pub(super) struct LastValues {
    maps: HashMap<(Topic, Partition), LastOffsets, foldhash::fast::RandomState>,
    superseded: Vec<(Topic, Partition, Offset)>,
    tombstones: VecDeque<Tombstone>,
}

struct Tombstone {
    topic: Topic,
    partition: Partition,
    offset: Offset,
    key: Fingerprint,
    appended_at: Micros,
}

impl LastValues {
    /// Takes note of a record, in offset order within a partition.
    pub(super) fn note(
        &mut self,
        (topic, partition, offset): (Topic, Partition, Offset),
        key: &[u8],
        is_tombstone: bool,
        appended_at: Micros,
    ) {
        let key = xxh3_128(key);
        let previous = self.maps.entry((topic, partition)).or_default().insert(key, offset);
        if let Some(previous) = previous {
            self.superseded.push((topic, partition, previous));
        }
        if is_tombstone {
            self.tombstones.push_back(Tombstone {
                topic,
                partition,
                offset,
                key,
                appended_at,
            });
        }
    }

    /// To be called when all that was on disk is noted: partitions were read one after the other.
    pub(super) fn sort_tombstones(&mut self) {
        self.tombstones.make_contiguous().sort_by_key(|t| t.appended_at);
    }

    /// Tombstones appended before `before` are superseded by nothing, once all who have to know of them have read them.
    pub(super) fn expire_tombstones(&mut self, before: Micros, is_read: impl Fn(Topic, Partition, Offset) -> bool) {
        let mut unread = VecDeque::new();
        while let Some(oldest) = self.tombstones.pop_front_if(|t| t.appended_at < before) {
            let Tombstone {
                topic,
                partition,
                offset,
                key,
                ..
            } = oldest;
            let Some(map) = self.maps.get_mut(&(topic, partition)) else {
                continue;
            };
            if map.get(&key) != Some(&offset) {
                continue;
            }
            if is_read(topic, partition, offset) {
                map.remove(&key);
                self.superseded.push((topic, partition, offset));
            } else {
                unread.push_back(oldest);
            }
        }
        unread.append(&mut self.tombstones);
        self.tombstones = unread;
    }

    /// What can be removed once everything noted so far is readable.
    pub(super) fn take_superseded(&mut self) -> Vec<(Topic, Partition, Offset)> {
        std::mem::take(&mut self.superseded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOPIC: Topic = Topic::DeviceStatus;

    #[test]
    fn only_the_last_record_of_a_key_stays() {
        let mut last = LastValues::default();
        let mut note = |offset, key: &[u8], is_tombstone| {
            last.note((TOPIC, 0, offset), key, is_tombstone, Micros(offset.cast_signed()));
        };
        note(0, b"a", false);
        note(1, b"b", false);
        note(2, b"a", false);
        note(3, b"b", true);
        assert_eq!(last.take_superseded(), [(TOPIC, 0, 0), (TOPIC, 0, 1)]);
        last.expire_tombstones(Micros(3), |_, _, _| true);
        assert_eq!(last.take_superseded(), []);
        last.expire_tombstones(Micros(4), |_, _, offset| offset != 3);
        assert_eq!(last.take_superseded(), []);
        last.expire_tombstones(Micros(4), |_, _, _| true);
        assert_eq!(last.take_superseded(), [(TOPIC, 0, 3)]);
        assert_eq!(last.maps[&(TOPIC, 0)].len(), 1);
    }

    #[test]
    fn a_key_written_again_outlives_its_tombstone() {
        let mut last = LastValues::default();
        last.note((TOPIC, 0, 0), b"a", true, Micros(0));
        last.note((TOPIC, 0, 1), b"a", false, Micros(1));
        last.expire_tombstones(Micros(10), |_, _, _| true);
        assert_eq!(last.take_superseded(), [(TOPIC, 0, 0)]);
        assert_eq!(last.maps[&(TOPIC, 0)].len(), 1);
    }
}
