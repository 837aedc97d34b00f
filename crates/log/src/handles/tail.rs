//! Reading without a group.

use std::sync::Arc;
use std::time::{Duration, Instant};

use model::{Micros, Offset, Partition};
use topology::Topic;

use super::Backend;
use super::cursor::{Cursors, check_offset};
use crate::{LogError, Start, Stored, Tail};

/// All partitions of some topics.
pub(crate) struct TopicTail<B> {
    backend: Arc<B>,
    cursors: Cursors,
}

impl<B: Backend> TopicTail<B> {
    pub(crate) fn new(backend: Arc<B>, topics: &[(Topic, Start)]) -> Result<Self, LogError> {
        backend.check_open()?;
        let mut cursors = Cursors::default();
        for (topic, start) in topics {
            for partition in 0..backend.partitions() {
                let next = first_offset(&*backend, *topic, partition, start)?;
                cursors.set(*topic, partition, next);
            }
        }
        Ok(Self { backend, cursors })
    }
}

impl<B: Backend> Tail for TopicTail<B> {
    fn poll(&mut self, max: usize, wait: Duration) -> Result<Vec<Stored>, LogError> {
        let deadline = Instant::now() + wait;
        let mut out = Vec::new();
        loop {
            self.backend.check_open()?;
            let seen = self.backend.changes().count();
            self.cursors.read(&*self.backend, max, &mut out)?;
            if !out.is_empty() || !self.backend.changes().wait(seen, deadline) {
                return Ok(out);
            }
        }
    }

    fn position(&self, topic: Topic, partition: Partition) -> Offset {
        self.cursors.get(topic, partition).map_or(0, |c| c.next)
    }
}

fn first_offset<B: Backend>(
    backend: &B,
    topic: Topic,
    partition: Partition,
    start: &Start,
) -> Result<Offset, LogError> {
    match start {
        Start::Beginning => Ok(backend.start(topic, partition)),
        Start::End => Ok(backend.end(topic, partition)),
        Start::At(time) => offset_at(backend, topic, partition, *time),
        Start::Offsets(offsets) => {
            let offset = offsets.get(partition as usize).copied().ok_or_else(|| {
                let (given, needed) = (offsets.len(), backend.partitions());
                LogError::Unusable(format!(
                    "{given} offsets were given for the {needed} partitions of {topic}"
                ))
            })?;
            check_offset(backend, topic, partition, offset)?;
            Ok(offset)
        }
    }
}

/// First offset appended at or after `time`, by bisection: append times never decrease along a partition.
fn offset_at<B: Backend>(backend: &B, topic: Topic, partition: Partition, time: Micros) -> Result<Offset, LogError> {
    let end = backend.end(topic, partition);
    let (mut low, mut high) = (backend.start(topic, partition), end);
    while low < high {
        let middle = low + (high - low) / 2;
        let mut found = None;
        backend.scan(topic, partition, middle, end, &mut |stored| {
            found = Some((stored.offset, stored.appended_at));
            false
        })?;
        match found {
            Some((offset, at)) if at < time => low = offset + 1,
            // Nothing from the middle on, or all of it late enough.
            _ => high = middle,
        }
    }
    Ok(low)
}
