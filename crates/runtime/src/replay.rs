//! The state computed again from the input into nothing, and a hash that a changelog with the same state has too.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use log::{Log, LogError, Start, Stored, Tail};
use model::{Offset, Partition};
use thiserror::Error;
use topology::Topic;

use crate::chain::Chain;
use crate::marker::{Marker, MarkerError};
use crate::slot::MARKER_KEY;
use crate::task::{Stop, Task, TaskPlace};

/// Records of one poll of a replay.
const POLL_RECORDS: usize = 4_096;
/// One wait for a record that must be there.
const POLL_WAIT: Duration = Duration::from_millis(100);
/// Nothing for so long, though something was promised.
const STALLED: Duration = Duration::from_secs(10);

/// A partition's state in one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateHash {
    /// Offset up to which the input is in it.
    pub next_offset: Offset,
    /// FNV-1a, 128 bits, over all slots in order of their changelog keys.
    pub hash: u128,
    /// Slots in it.
    pub slots: u64,
    /// Whether the input was there from offset 0: only then does the hash say anything about the changelog's.
    pub complete: bool,
}

/// Why a replay has no result.
#[derive(Debug, Error)]
pub enum ReplayError {
    /// The log does not give its records.
    #[error("cannot read the log")]
    Log(#[from] LogError),
    /// Records that must be there do not come.
    #[error("{topic}/{partition}: nothing after offset {at}, though {end} was promised")]
    Stalled {
        /// Read from.
        topic: Topic,
        /// Its partition.
        partition: Partition,
        /// Read so far.
        at: Offset,
        /// To be read.
        end: Offset,
    },
    /// A step panicked where it did not before.
    #[error("partition {partition}: {stop:?}")]
    Stopped {
        /// Where.
        partition: Partition,
        /// Why.
        stop: Stop,
    },
    /// The changelog's marker is of another build.
    #[error("partition {partition}")]
    Marker {
        /// Where.
        partition: Partition,
        /// Why.
        #[source]
        source: MarkerError,
    },
}

/// The hashes of the state the changelog holds, by partition; partitions without a marker are left out. `complete` says
/// whether the input still reaches back to offset 0.
///
/// # Errors
/// When the log cannot be read, or a marker is of another build.
pub fn changelog_hashes(log: &dyn Log) -> Result<BTreeMap<Partition, StateHash>, ReplayError> {
    hashes_of(log, &changelogs(log)?)
}

fn hashes_of(
    log: &dyn Log,
    changelogs: &BTreeMap<Partition, Changelog>,
) -> Result<BTreeMap<Partition, StateHash>, ReplayError> {
    let starts = log.starts(Topic::Observations)?;
    let mut out = BTreeMap::new();
    for (&partition, (marker, slots)) in changelogs {
        let mut hasher = Hasher::default();
        slots.iter().for_each(|(key, value)| hasher.slot(key, value));
        let complete = starts.get(partition as usize).is_some_and(|&start| start == 0);
        out.insert(partition, hasher.finish(marker.next_offset, complete));
    }
    Ok(out)
}

/// Computes every partition's state again from the oldest input kept, up to where its changelog stands, and writes
/// nothing. Equal to [`changelog_hashes`] wherever the input is complete (`complete`).
///
/// # Errors
/// When the log cannot be read, or a step panics where it did not before.
pub fn replay<E, F>(log: &dyn Log, chain: F) -> Result<BTreeMap<Partition, StateHash>, ReplayError>
where
    E: Send + 'static,
    F: Fn() -> Chain<E>,
{
    replay_to(log, chain, changelogs(log)?)
}

/// Of every partition the state that its changelog holds, and the one computed again up to the same offset, also while a
/// processor goes on writing.
///
/// # Errors
/// As [`changelog_hashes`] and [`replay`].
pub fn compare<E, F>(log: &dyn Log, chain: F) -> Result<Vec<(Partition, StateHash, StateHash)>, ReplayError>
where
    E: Send + 'static,
    F: Fn() -> Chain<E>,
{
    let changelogs = changelogs(log)?;
    let stored = hashes_of(log, &changelogs)?;
    let computed = replay_to(log, chain, changelogs)?;
    let pair = |(partition, stored)| Some((partition, stored, *computed.get(&partition)?));
    Ok(stored.into_iter().filter_map(pair).collect())
}

fn replay_to<E, F>(
    log: &dyn Log,
    chain: F,
    changelogs: BTreeMap<Partition, Changelog>,
) -> Result<BTreeMap<Partition, StateHash>, ReplayError>
where
    E: Send + 'static,
    F: Fn() -> Chain<E>,
{
    let starts = log.starts(Topic::Observations)?;
    let codec = log.codec().clone();
    let mut tasks = BTreeMap::new();
    for (partition, (marker, _)) in changelogs {
        let place = TaskPlace {
            generation: log.generation(),
            partition,
            partitions: log.partitions(),
        };
        let start = starts.get(partition as usize).copied().unwrap_or(0);
        let mut task = Task::new(place, chain(), start);
        task.skipped = marker.skipped.into_iter().map(|s| (s.offset, s.timer)).collect();
        tasks.insert(partition, (task, marker.next_offset, start == 0));
    }
    let ends = tasks
        .iter()
        .map(|(&partition, (_, end, _))| (partition, *end))
        .collect();
    let mut fast = Vec::new();
    let mut nothing = log::Commit::default();
    read(log, Topic::Observations, &ends, &mut |stored| {
        let partition = stored.record.partition;
        let Some((task, end, _)) = tasks.get_mut(&partition) else {
            return Ok(());
        };
        if stored.offset < *end {
            task.process(&stored, &codec, &mut fast)
                .map_err(|stop| ReplayError::Stopped { partition, stop })?;
            fast.clear();
            if task.changed_slots() > 10_000 {
                task.cut(&mut nothing);
                nothing = log::Commit::default();
            }
        }
        Ok(())
    })?;
    let hashes = tasks.into_iter().map(|(partition, (task, end, complete))| {
        let mut slots = BTreeMap::new();
        task.each_slot(&mut |key, value| drop(slots.insert(key, value)));
        let mut hasher = Hasher::default();
        slots.iter().for_each(|(key, value)| hasher.slot(key, value));
        (partition, hasher.finish(end, complete))
    });
    Ok(hashes.collect())
}

type Changelog = (Marker, BTreeMap<Bytes, Bytes>);

/// Each partition's changelog as of one commit. While one is read the next commits land, and a compacted topic no longer
/// has what they replaced: so each is read on until nothing has come since its last record, which is the end of a commit.
fn changelogs(log: &dyn Log) -> Result<BTreeMap<Partition, Changelog>, ReplayError> {
    const TOPIC: Topic = Topic::ChangelogNetwork;
    let starts = log.starts(TOPIC)?;
    let mut tail = log.tail(&[(TOPIC, Start::Beginning)])?;
    let mut reading: BTreeMap<Partition, BTreeMap<Bytes, Bytes>> = (0..)
        .zip(&starts)
        .map(|(partition, _)| (partition, BTreeMap::new()))
        .collect();
    let mut whole = BTreeMap::new();
    let mut progress = Instant::now();
    loop {
        let ends = log.ends(TOPIC)?;
        let mut behind = None;
        for (partition, end) in (0..).zip(ends) {
            let start = starts.get(partition as usize).copied().unwrap_or(0);
            let at = tail.position(TOPIC, partition).max(start);
            if at >= end {
                whole.extend(reading.remove_entry(&partition));
            } else if reading.contains_key(&partition) {
                behind = behind.or(Some((partition, at, end)));
            }
        }
        let Some((partition, at, end)) = behind else { break };
        let records = tail.poll(POLL_RECORDS, POLL_WAIT)?;
        if !records.is_empty() {
            progress = Instant::now();
        } else if progress.elapsed() > STALLED {
            return Err(ReplayError::Stalled {
                topic: TOPIC,
                partition,
                at,
                end,
            });
        }
        for stored in records {
            let Some(slots) = reading.get_mut(&stored.record.partition) else {
                continue;
            };
            match stored.record.value {
                Some(value) => drop(slots.insert(stored.record.key, value)),
                None => drop(slots.remove(&stored.record.key)),
            }
        }
    }
    let mut out = BTreeMap::new();
    for (partition, mut slots) in whole {
        if let Some(marker) = slots.remove(MARKER_KEY) {
            let marker = Marker::decode(&marker).map_err(|source| ReplayError::Marker { partition, source })?;
            out.insert(partition, (marker, slots));
        }
    }
    Ok(out)
}

/// Reads each partition from its beginning to an end.
fn read(
    log: &dyn Log,
    topic: Topic,
    ends: &BTreeMap<Partition, Offset>,
    each: &mut dyn FnMut(Stored) -> Result<(), ReplayError>,
) -> Result<(), ReplayError> {
    let mut tail = log.tail(&[(topic, Start::Beginning)])?;
    let starts = log.starts(topic)?;
    let start = |partition: Partition| starts.get(partition as usize).copied().unwrap_or(0);
    let behind = |tail: &dyn Tail| {
        let at = |partition| tail.position(topic, partition).max(start(partition));
        ends.iter()
            .map(|(&partition, &end)| (partition, at(partition), end))
            .find(|&(_, at, end)| at < end)
    };
    let mut progress = Instant::now();
    while let Some((partition, at, end)) = behind(&*tail) {
        let records = tail.poll(POLL_RECORDS, POLL_WAIT)?;
        if !records.is_empty() {
            progress = Instant::now();
        } else if progress.elapsed() > STALLED {
            return Err(ReplayError::Stalled {
                topic,
                partition,
                at,
                end,
            });
        }
        for stored in records {
            if ends
                .get(&stored.record.partition)
                .is_some_and(|&end| stored.offset < end)
            {
                each(stored)?;
            }
        }
    }
    Ok(())
}

struct Hasher {
    hash: u128,
    slots: u64,
}

impl Default for Hasher {
    fn default() -> Self {
        Self {
            hash: 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d,
            slots: 0,
        }
    }
}

impl Hasher {
    fn slot(&mut self, key: &[u8], value: &[u8]) {
        self.slots += 1;
        for part in [key, value] {
            let length = u32::try_from(part.len()).expect("slots are small").to_be_bytes();
            for byte in length.iter().chain(part) {
                self.hash = (self.hash ^ u128::from(*byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
            }
        }
    }

    fn finish(self, next_offset: Offset, complete: bool) -> StateHash {
        StateHash {
            next_offset,
            hash: self.hash,
            slots: self.slots,
            complete,
        }
    }
}
