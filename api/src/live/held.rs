//! Records that wait for a schema id, and what stands behind them in their partition: shown in order once it is learned.

use std::collections::BTreeMap;

use log::{LogError, Stored};
use model::Partition;
use schemas::{Codec, DecodeError};
use topology::Topic;

use crate::metrics_names as names;

/// Records held at most. More are not kept: the view is read again from the log once the schema is known.
const HELD_MAX: usize = 20_000;

struct Waiting {
    id: u32,
    records: Vec<Stored>,
    /// Whether some were not kept.
    overflowed: bool,
}

/// What is held of each partition.
#[derive(Default)]
pub(super) struct Held {
    waiting: BTreeMap<(Topic, Partition), Waiting>,
    held: usize,
}

impl Held {
    /// Gives back what can be shown now: what was learned since, and of `records` what need not wait; in order within a
    /// partition.
    ///
    /// # Errors
    /// When a partition may go on of which not everything could be held: the view has to be read again.
    pub fn pass(&mut self, records: Vec<Stored>, codec: &Codec) -> Result<Vec<Stored>, LogError> {
        if self.waiting.is_empty() && records.iter().all(|r| unknown(r, codec).is_none()) {
            return Ok(records);
        }
        let mut passed = Vec::new();
        for before in self.learned(codec)?.into_iter().chain(records) {
            self.sort(before, codec, &mut passed);
        }
        metrics::gauge!(names::LIVE_PARTITIONS_WAITING).set(u32::try_from(self.waiting.len()).unwrap_or(u32::MAX));
        Ok(passed)
    }

    /// What keeps partitions waiting, in words; `None` if nothing does.
    pub fn reason(&self) -> Option<String> {
        let ((topic, partition), first) = self.waiting.iter().next()?;
        let (partitions, id) = (self.waiting.len(), first.id);
        Some(format!(
            "{partitions} partitions wait for a schema, first {topic}/{partition} for id {id}: is the schema registry away, or does \
             a newer build write?"
        ))
    }

    fn learned(&mut self, codec: &Codec) -> Result<Vec<Stored>, LogError> {
        let mut records = Vec::new();
        for (_, waiting) in self.waiting.extract_if(.., |_, waiting| codec.knows(waiting.id)) {
            if waiting.overflowed {
                return Err(LogError::Unusable(format!(
                    "more records waited for schema id {} than are held",
                    waiting.id
                )));
            }
            self.held -= waiting.records.len();
            records.extend(waiting.records);
        }
        Ok(records)
    }

    fn sort(&mut self, stored: Stored, codec: &Codec, passed: &mut Vec<Stored>) {
        let key = (stored.record.topic, stored.record.partition);
        let waiting = match (self.waiting.get_mut(&key), unknown(&stored, codec)) {
            (Some(waiting), _) => waiting,
            (None, None) => return passed.push(stored),
            (None, Some(id)) => {
                let offset = stored.offset;
                tracing::error!(
                    topic = %key.0, partition = key.1, offset, id,
                    "unknown schema id: the live view waits for the registry or a newer build"
                );
                self.waiting.entry(key).or_insert(Waiting {
                    id,
                    records: Vec::new(),
                    overflowed: false,
                })
            }
        };
        if self.held < HELD_MAX {
            self.held += 1;
            waiting.records.push(stored);
        } else {
            waiting.overflowed = true;
        }
    }
}

fn unknown(stored: &Stored, codec: &Codec) -> Option<u32> {
    match codec.record_type(stored.record.value.as_deref()?) {
        Err(DecodeError::UnknownSchema(id)) => Some(id),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use log::{Headers, Record};
    use model::Micros;

    use super::*;

    fn stored(partition: Partition, offset: u64, value: &[u8]) -> Stored {
        Stored {
            record: Record {
                topic: Topic::DeviceStatus,
                partition,
                key: Bytes::new(),
                value: Some(Bytes::copy_from_slice(value)),
                headers: Headers::default(),
            },
            offset,
            appended_at: Micros(0),
        }
    }

    const KNOWN: &[u8] = &[0, 0, 0, 0, 1, 0];
    const UNKNOWN: &[u8] = &[0, 0, 0, 1, 0, 0];

    fn places(records: &[Stored]) -> Vec<(Partition, u64)> {
        records.iter().map(|r| (r.record.partition, r.offset)).collect()
    }

    #[test]
    fn a_partition_waits_whole_and_the_others_go_on() {
        let (mut held, codec) = (Held::default(), Codec::standalone());
        let mut pass = |records: Vec<Stored>| places(&held.pass(records, &codec).unwrap());
        let first = vec![
            stored(0, 1, KNOWN),
            stored(0, 2, UNKNOWN),
            stored(0, 3, KNOWN),
            stored(1, 1, KNOWN),
        ];
        assert_eq!(pass(first), [(0, 1), (1, 1)]);
        assert_eq!(pass(vec![stored(0, 4, KNOWN), stored(1, 2, KNOWN)]), [(1, 2)]);
        assert_eq!(pass(vec![]), []);
        codec.learn_foreign(256, "com.example.Order").unwrap();
        assert_eq!(pass(vec![stored(0, 5, KNOWN)]), [(0, 2), (0, 3), (0, 4), (0, 5)]);
        assert_eq!(held.reason(), None);
    }

    #[test]
    fn what_waits_is_bounded_and_then_read_again() {
        let (mut held, codec) = (Held::default(), Codec::standalone());
        assert!(held.pass(vec![stored(0, 0, UNKNOWN)], &codec).unwrap().is_empty());
        assert!(held.reason().unwrap().contains("device-status/0 for id 256"));
        for offset in 1..=u64::try_from(HELD_MAX).unwrap() {
            assert!(held.pass(vec![stored(0, offset, KNOWN)], &codec).unwrap().is_empty());
        }
        assert_eq!(held.held, HELD_MAX);
        codec.learn_foreign(256, "com.example.Order").unwrap();
        assert!(held.pass(vec![], &codec).is_err());
    }
}
