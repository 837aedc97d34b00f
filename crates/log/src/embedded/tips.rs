//! Where each partition ends for readers, and its latest records.
//!
//! The end moves only after the batch is durable, and readers never look beyond it: visible = durable = whole.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use model::{Offset, Partition};
use topology::{KeyKind, TOPICS, Topic};

use crate::Stored;
use crate::handles::guard;

/// Bytes of latest records kept in memory per partition: readers that keep up never touch the disk.
const RECENT_BYTES: usize = 512 * 1024;

pub(super) struct Tips {
    partitions: u32,
    tips: Vec<Tip>,
}

#[derive(Default)]
struct Tip {
    end: AtomicU64,
    recent: Mutex<Recent>,
}

#[derive(Default)]
struct Recent {
    records: VecDeque<Stored>,
    bytes: usize,
}

impl Tips {
    pub(super) fn new(partitions: u32) -> Self {
        let count = TOPICS.len() * partitions as usize;
        Self {
            partitions,
            tips: (0..count).map(|_| Tip::default()).collect(),
        }
    }

    fn tip(&self, topic: Topic, partition: Partition) -> &Tip {
        &self.tips[topic as usize * self.partitions as usize + partition as usize]
    }

    pub(super) fn end(&self, topic: Topic, partition: Partition) -> Offset {
        self.tip(topic, partition).end.load(Ordering::Acquire)
    }

    pub(super) fn set_end(&self, topic: Topic, partition: Partition, end: Offset) {
        self.tip(topic, partition).end.store(end, Ordering::Release);
    }

    /// Makes a durable record readable. In offset order within a partition.
    pub(super) fn publish(&self, stored: Stored) {
        let topic = stored.record.topic;
        let tip = self.tip(topic, stored.record.partition);
        let end = stored.offset + 1;
        // Nobody follows a changelog: it is read at a restore, as a whole.
        if topic.spec().key != KeyKind::StateKey {
            guard(&tip.recent).push(stored);
        }
        tip.end.store(end, Ordering::Release);
    }

    /// Up to `max` records of `from..to`, if the latest ones reach back to `from`.
    pub(super) fn recent(
        &self,
        topic: Topic,
        partition: Partition,
        from: Offset,
        to: Offset,
        max: usize,
    ) -> Option<Vec<Stored>> {
        let recent = guard(&self.tip(topic, partition).recent);
        if recent.records.front()?.offset > from {
            return None;
        }
        let first = recent.records.partition_point(|s| s.offset < from);
        Some(
            recent
                .records
                .range(first..)
                .take_while(|s| s.offset < to)
                .take(max)
                .cloned()
                .collect(),
        )
    }
}

impl Recent {
    fn push(&mut self, stored: Stored) {
        self.bytes += size_of(&stored);
        self.records.push_back(stored);
        while self.bytes > RECENT_BYTES
            && let Some(oldest) = self.records.pop_front()
        {
            self.bytes -= size_of(&oldest);
        }
    }
}

fn size_of(stored: &Stored) -> usize {
    let record = &stored.record;
    192 + record.key.len() + record.value.as_ref().map_or(0, bytes::Bytes::len)
}
