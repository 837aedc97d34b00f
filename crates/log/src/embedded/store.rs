//! The folder: one fjall database with a keyspace for the log's own rows, one for each segment of a time-retained topic and
//! one for each compacted topic.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use bytes::Bytes;
use fjall::{Database, Keyspace, KeyspaceCreateOptions};
use model::{Offset, Partition};
use topology::{TOPICS, Topic};

use super::encoding::{Damage, decode, key_of, place_of};
use super::lock::FolderLock;
use super::meta::SegmentRow;
use crate::{LogError, Stored};

/// Memory of a keyspace before it is written out as a table.
const MEMTABLE_BYTES: u64 = 16 * 1024 * 1024;
/// Bytes of journals before the oldest is cleared away by writing tables: what a start after a crash reads again.
const JOURNAL_BYTES_MAX: u64 = 192 * 1024 * 1024;
const CACHE_BYTES: u64 = 32 * 1024 * 1024;

/// Everything that holds the folder open. Field order matters: the database closes before the lock is given back.
pub(super) struct Store {
    pub(super) meta: Keyspace,
    pub(super) shelves: Vec<Shelf>,
    pub(super) db: Database,
    pub(super) _lock: FolderLock,
    /// Disconnects when all of the above is gone.
    pub(super) _gone: crossbeam_channel::Sender<()>,
}

/// A topic on disk.
pub(super) struct Shelf {
    topic: Topic,
    /// In order; of a compacted topic at most one. The last is written to.
    segments: RwLock<Vec<Arc<Segment>>>,
}

/// Part of a topic.
pub(super) struct Segment {
    /// Counting from 0; never used again.
    pub(super) number: u64,
    pub(super) keyspace: Keyspace,
    /// First offset of each partition.
    pub(super) base: Vec<Offset>,
    row: Mutex<SegmentRow>,
}

impl Segment {
    pub(super) fn new(number: u64, keyspace: Keyspace, row: SegmentRow) -> Self {
        Self {
            number,
            keyspace,
            base: row.base.clone(),
            row: Mutex::new(row),
        }
    }

    /// What is durable of it.
    pub(super) fn row(&self) -> MutexGuard<'_, SegmentRow> {
        self.row.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf {
    pub(super) fn new(topic: Topic, segments: Vec<Arc<Segment>>) -> Self {
        Self {
            topic,
            segments: RwLock::new(segments),
        }
    }

    pub(super) fn topic(&self) -> Topic {
        self.topic
    }

    pub(super) fn segments(&self) -> RwLockReadGuard<'_, Vec<Arc<Segment>>> {
        self.segments.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn segments_mut(&self) -> RwLockWriteGuard<'_, Vec<Arc<Segment>>> {
        self.segments.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn active(&self) -> Option<Arc<Segment>> {
        self.segments().last().cloned()
    }

    pub(super) fn start(&self, partition: Partition) -> Offset {
        self.segments().first().map_or(0, |s| s.base[partition as usize])
    }

    /// The segment that holds an offset, and where the next one begins.
    fn segment_of(&self, partition: Partition, offset: Offset) -> Result<Option<(Arc<Segment>, Offset)>, LogError> {
        let segments = self.segments();
        let base = |s: &Arc<Segment>| s.base[partition as usize];
        let Some(index) = segments.partition_point(|s| base(s) <= offset).checked_sub(1) else {
            return match segments.first() {
                None => Ok(None),
                Some(first) => {
                    let (topic, oldest) = (self.topic, base(first));
                    Err(LogError::OffsetTooOld {
                        topic,
                        partition,
                        asked: offset,
                        oldest,
                    })
                }
            };
        };
        Ok(Some((
            segments[index].clone(),
            segments.get(index + 1).map_or(Offset::MAX, base),
        )))
    }

    /// Calls `each` with the records in `from..to`, until it answers `false`.
    pub(super) fn scan(
        &self,
        partition: Partition,
        from: Offset,
        to: Offset,
        each: &mut dyn FnMut(Stored) -> bool,
    ) -> Result<(), LogError> {
        let mut next = from;
        while next < to {
            let Some((segment, following)) = self.segment_of(partition, next)? else {
                return Ok(());
            };
            let until = to.min(following);
            if !self.scan_segment(&segment, partition, next, until, each)? {
                return Ok(());
            }
            next = until;
        }
        Ok(())
    }

    fn scan_segment(
        &self,
        segment: &Segment,
        partition: Partition,
        from: Offset,
        to: Offset,
        each: &mut dyn FnMut(Stored) -> bool,
    ) -> Result<bool, LogError> {
        let dense = !self.topic.is_compacted();
        let mut expected = from;
        for item in segment.keyspace.range(key_of(partition, from)..key_of(partition, to)) {
            let (key, value) = item.into_inner().map_err(|e| {
                LogError::backend(
                    format!("reading {}/{partition} from offset {expected} on", self.topic),
                    e,
                )
            })?;
            let (_, offset) = place_of(&key).ok_or_else(|| Damage::Short.at(self.topic, partition, expected))?;
            if dense && offset != expected {
                return Err(Damage::Missing.at(self.topic, partition, expected));
            }
            expected = offset + 1;
            let stored = decode(self.topic, partition, offset, &Bytes::from_owner(value))
                .map_err(|damage| damage.at(self.topic, partition, offset))?;
            if !each(stored) {
                return Ok(false);
            }
        }
        if dense && expected != to {
            return Err(Damage::Missing.at(self.topic, partition, expected));
        }
        Ok(true)
    }
}

impl Store {
    pub(super) fn shelf(&self, topic: Topic) -> &Shelf {
        &self.shelves[topic as usize]
    }
}

/// Opens the database in `folder/fjall`.
pub(super) fn open_database(folder: &Path) -> Result<Database, LogError> {
    let path = folder.join("fjall");
    Database::builder(&path)
        .worker_threads(2)
        .cache_size(CACHE_BYTES)
        .max_journaling_size(JOURNAL_BYTES_MAX)
        .open()
        .map_err(|e| LogError::backend(format!("opening the log in {}", path.display()), e))
}

pub(super) fn keyspace(db: &Database, name: &str) -> Result<Keyspace, LogError> {
    db.keyspace(name, || {
        KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE_BYTES)
    })
    .map_err(|e| LogError::backend(format!("opening {name}"), e))
}

/// Name of the keyspace of a segment.
pub(super) fn segment_name(topic: Topic, number: u64) -> String {
    format!("seg-{}-{number}", topic.name())
}

/// One shelf for each topic, in the order of the table.
pub(super) fn shelves(mut segments_of: impl FnMut(Topic) -> Vec<Arc<Segment>>) -> Vec<Shelf> {
    TOPICS
        .iter()
        .map(|t| Shelf::new(t.topic, segments_of(t.topic)))
        .collect()
}
