//! Reading several partitions in turn.

use model::{Offset, Partition};
use topology::Topic;

use super::Backend;
use crate::{LogError, Stored};

/// One place in one partition.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cursor {
    pub(crate) topic: Topic,
    pub(crate) partition: Partition,
    pub(crate) next: Offset,
}

/// Places in several partitions; each read begins with another one, so that a busy partition cannot starve the rest.
#[derive(Debug, Default)]
pub(crate) struct Cursors {
    all: Vec<Cursor>,
    turn: usize,
}

impl Cursors {
    pub(crate) fn get(&self, topic: Topic, partition: Partition) -> Option<&Cursor> {
        self.all.iter().find(|c| c.topic == topic && c.partition == partition)
    }

    pub(crate) fn set(&mut self, topic: Topic, partition: Partition, next: Offset) {
        match self
            .all
            .iter_mut()
            .find(|c| c.topic == topic && c.partition == partition)
        {
            Some(cursor) => cursor.next = next,
            None => self.all.push(Cursor { topic, partition, next }),
        }
    }

    pub(crate) fn remove(&mut self, partition: Partition) {
        self.all.retain(|c| c.partition != partition);
    }

    pub(crate) fn clear(&mut self) {
        self.all.clear();
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Cursor> {
        self.all.iter()
    }

    /// Takes up to `max` records in all. After an error every cursor stands where it stood before.
    pub(crate) fn read<B: Backend>(&mut self, backend: &B, max: usize, out: &mut Vec<Stored>) -> Result<(), LogError> {
        let before: Vec<Cursor> = self.all.clone();
        let mut damaged = Vec::new();
        let result = self.read_on(backend, max, out, &mut damaged);
        let result = result.and(damaged.pop().map_or(Ok(()), |(_, error)| Err(error)));
        if result.is_err() {
            self.all = before;
        }
        result
    }

    /// As [`Cursors::read`], but a damaged record ends the reading of its partition alone: what stands before it is
    /// brought, and the partition is read again only after a new [`Cursors::set`].
    pub(crate) fn read_apart<B: Backend>(
        &mut self,
        backend: &B,
        max: usize,
        out: &mut Vec<Stored>,
        damaged: &mut Vec<(Partition, LogError)>,
    ) -> Result<(), LogError> {
        let before: Vec<Cursor> = self.all.clone();
        let known = damaged.len();
        let result = self.read_on(backend, max, out, damaged);
        if result.is_err() {
            self.all = before;
        } else {
            let found = &damaged[known..];
            self.all
                .retain(|c| found.iter().all(|(partition, _)| *partition != c.partition));
        }
        result
    }

    fn read_on<B: Backend>(
        &mut self,
        backend: &B,
        max: usize,
        out: &mut Vec<Stored>,
        damaged: &mut Vec<(Partition, LogError)>,
    ) -> Result<(), LogError> {
        let count = self.all.len();
        for step in 0..count {
            if out.len() >= max {
                break;
            }
            let cursor = &mut self.all[(self.turn + step) % count];
            let end = backend.end(cursor.topic, cursor.partition);
            if cursor.next >= end {
                continue;
            }
            let mut stopped_after = None;
            let scanned = backend.scan(cursor.topic, cursor.partition, cursor.next, end, &mut |stored| {
                let offset = stored.offset;
                out.push(stored);
                let go_on = out.len() < max;
                if !go_on {
                    stopped_after = Some(offset);
                }
                go_on
            });
            match scanned {
                Err(error @ LogError::Damaged { .. }) => {
                    damaged.push((cursor.partition, error));
                    continue;
                }
                scanned => scanned?,
            }
            // Offsets have gaps: a scan that was not stopped has seen everything below the end.
            cursor.next = stopped_after.map_or(end, |offset| offset + 1);
        }
        self.turn = self.turn.wrapping_add(1);
        Ok(())
    }
}

/// Checks that reading may begin at `offset`.
pub(crate) fn check_offset<B: Backend>(
    backend: &B,
    topic: Topic,
    partition: Partition,
    offset: Offset,
) -> Result<(), LogError> {
    super::check_partition(topic, partition, backend.partitions())?;
    let oldest = backend.start(topic, partition);
    if offset < oldest {
        return Err(LogError::OffsetTooOld {
            topic,
            partition,
            asked: offset,
            oldest,
        });
    }
    let end = backend.end(topic, partition);
    if offset > end {
        return Err(LogError::Unusable(format!(
            "{topic}/{partition}: offset {offset} is beyond the end {end}: the position belongs to another log, or the log \
             was restored to an earlier state"
        )));
    }
    Ok(())
}
