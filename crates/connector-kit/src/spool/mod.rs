//! What waits on disk for the log: in the order taken, under the writer ids first given, through `kill -9` and a restart.
//!
//! ```text
//!  append ─▶ buffer ─▶ segment … segment ─▶ next ─▶ (window, producer) ─▶ drained ─▶ cursor; whole segments deleted
//!              │ write: survives the process     sync thread: survives the machine, informs are answered
//! ```
//!
//! Invariants:
//! - what comes out is what went in, in that order; a segment's end that a crash tore is cut off when it is opened, counted;
//! - the bytes on disk never pass the limit: what does not fit is refused, and the caller counts it;
//! - a disk that refuses leaves what was taken in the buffer, in order and readable; a written record is written again at the
//!   same place.
//!
//! One thread owns it; a lock on the folder keeps other processes out.

mod config;
mod cursor;
mod format;
mod opening;
mod segment;
mod syncer;

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use log::Record;
use metrics::{Counter, Gauge, counter, gauge, histogram};

pub use self::config::{Recovered, SpoolConfig, SpoolError, SpoolState};
use self::cursor::Cursor;
use self::opening::{announce, find, lock};
use self::segment::{Chunk, Segment};
use self::syncer::Syncer;
use crate::{Deadline, OnDurable, metric};

/// Bytes after which what was taken is written without being asked.
const WRITE_BYTES: usize = 256 << 10;
/// How often a disk that refused is tried again.
const TRY_AGAIN: Duration = Duration::from_millis(500);
/// How often at most the cursor is written.
const CURSOR_EVERY: Duration = Duration::from_millis(50);

/// The end of a record: everything up to it is drained once it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    segment: u64,
    offset: u64,
}

/// Why a record is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It may not become larger.
    Full,
    /// The disk refuses, and as much waits in memory as may.
    Disk,
}

/// What comes next out of a spool.
pub(crate) enum Next {
    /// A record; its tag, `None` if an earlier run took it.
    Record {
        record: Record,
        tag: Option<u64>,
        place: Place,
        bytes: u64,
    },
    /// The rest of a file cannot be read back: how many records of each tag are lost with it.
    Lost(Vec<(Option<u64>, u64)>),
}

pub(crate) struct Spool {
    config: SpoolConfig,
    writer: Arc<str>,
    /// Oldest first; only the last can be written to, and only if it is this run's.
    segments: VecDeque<Segment>,
    next_id: u64,
    /// Taken and not written: continues the last segment.
    buffer: Vec<u8>,
    waiting: Vec<Arc<dyn OnDurable>>,
    /// Where the next record to hand out begins.
    reading: Place,
    chunk: Chunk,
    unread: u64,
    held_records: u64,
    held_bytes: u64,
    cursor: Cursor,
    cursor_due: Option<Place>,
    cursor_written: Instant,
    trouble: Option<String>,
    retry_at: Instant,
    syncer: Syncer,
    meters: Meters,
    _lock: File,
}

struct Meters {
    records: Gauge,
    bytes: Gauge,
    spooled: Counter,
    drained: Counter,
    failures: Counter,
}

impl Spool {
    /// Opens the folder; what an earlier run left is checked record by record and comes out first.
    pub fn open(config: SpoolConfig, publisher: &str, writer: &str) -> Result<(Self, Recovered), SpoolError> {
        let failed = |context| {
            let folder = config.folder.clone();
            move |source| SpoolError::Io {
                folder,
                context,
                source,
            }
        };
        fs::create_dir_all(&config.folder).map_err(failed("making the folder"))?;
        let lock = lock(&config.folder)?;
        let (cursor, drained) = Cursor::open(&config.folder).map_err(failed("reading how far it is drained"))?;
        let found = find(&config.folder, drained).map_err(failed("reading what an earlier run left"))?;
        let label = publisher.to_owned();
        let syncer = Syncer::start(
            File::open(&config.folder).map_err(failed("opening the folder"))?,
            counter!(metric::SPOOL_SYNCS, "publisher" => label.clone()),
            histogram!(metric::SPOOL_SYNC_SECONDS, "publisher" => label.clone()),
        )
        .map_err(failed("starting its sync thread"))?;
        let meters = Meters {
            records: gauge!(metric::SPOOL_RECORDS, "publisher" => label.clone()),
            bytes: gauge!(metric::SPOOL_BYTES, "publisher" => label.clone()),
            spooled: counter!(metric::SPOOL_SPOOLED, "publisher" => label.clone()),
            drained: counter!(metric::SPOOL_DRAINED, "publisher" => label.clone()),
            failures: counter!(metric::SPOOL_FAILURES, "publisher" => label.clone()),
        };
        counter!(metric::SPOOL_TORN_BYTES, "publisher" => label).increment(found.recovered.torn_bytes);
        announce(publisher, &config.folder, found.recovered);
        let reading = found.segments.front().map_or_else(Place::default, |s| Place {
            segment: s.id,
            offset: if s.id == drained.segment {
                drained.offset.max(s.first)
            } else {
                s.first
            },
        });
        let next_id = found.next_id;
        let mut spool = Self {
            config,
            writer: writer.into(),
            segments: found.segments,
            next_id,
            buffer: Vec::new(),
            waiting: Vec::new(),
            reading,
            chunk: Chunk::default(),
            unread: found.recovered.records,
            held_records: found.recovered.records,
            held_bytes: found.bytes,
            cursor,
            cursor_due: None,
            cursor_written: Instant::now(),
            trouble: None,
            retry_at: Instant::now(),
            syncer,
            meters,
            _lock: lock,
        };
        if found.recovered.records > 0 {
            // So that what comes after it has a place, whatever the disk does later.
            let folder = spool.config.folder.clone();
            let segment = Segment::create(&folder, next_id, &spool.writer).map_err(|source| SpoolError::Io {
                folder,
                context: "making a file",
                source,
            })?;
            spool.begin(segment);
        }
        spool.show();
        Ok((spool, found.recovered))
    }

    /// Whether anything is still to be handed out: then nothing may go past it.
    pub fn has_unread(&self) -> bool {
        self.unread > 0
    }

    /// Its disk refused just now: it is tried again a little later.
    pub fn rests(&self, now: Instant) -> bool {
        self.trouble.is_some() && now < self.retry_at
    }

    /// Records still to be handed out.
    pub fn unread(&self) -> u64 {
        self.unread
    }

    pub fn state(&self) -> SpoolState {
        SpoolState {
            records: self.held_records,
            bytes: self.held_bytes,
            trouble: self.trouble.clone().or_else(|| self.syncer.failure()),
        }
    }

    /// Takes a record. It survives the process once [`Spool::write_out`] was called and the disk took it.
    pub fn append(&mut self, record: &Record, tag: u64, durable: Option<&Arc<dyn OnDurable>>) -> Result<(), Refused> {
        if !self.has_writable() {
            return Err(Refused::Disk);
        }
        let start = self.buffer.len();
        let room = self.config.bytes_max.saturating_sub(self.disk_bytes());
        let size = format::write_record(&mut self.buffer, record, tag) as u64;
        let refused = if size > room {
            Some(Refused::Full)
        } else {
            let waits = self.trouble.is_some() && self.buffer.len() > self.config.buffer_bytes_max;
            waits.then_some(Refused::Disk)
        };
        if let Some(refused) = refused {
            self.buffer.truncate(start);
            return Err(refused);
        }
        self.waiting.extend(durable.cloned());
        if let Some(segment) = self.segments.back_mut() {
            *segment.unread.entry(tag).or_default() += 1;
        }
        self.unread += 1;
        self.held_records += 1;
        self.held_bytes += size;
        self.meters.spooled.increment(1);
        if self.buffer.len() >= WRITE_BYTES {
            self.write_out(Instant::now());
        }
        Ok(())
    }

    /// Takes a record that is on its way already: it is not handed out again, only kept until [`Spool::drained`]. Nothing may be
    /// unread: what is on its way is older than that.
    pub fn append_on_its_way(
        &mut self,
        record: &Record,
        tag: u64,
        durable: Option<&Arc<dyn OnDurable>>,
    ) -> Result<(Place, u64), Refused> {
        let before = self.held_bytes;
        self.append(record, tag, durable)?;
        let bytes = self.held_bytes - before;
        self.unread -= 1;
        if let Some(segment) = self.segments.back_mut() {
            segment.take(tag);
            self.reading = Place {
                segment: segment.id,
                offset: segment.length + self.buffer.len() as u64,
            };
        }
        Ok((self.reading, bytes))
    }

    /// Writes what was taken, and has it synced; a full segment is followed by another.
    pub fn write_out(&mut self, now: Instant) {
        if self.buffer.is_empty() || self.rests(now) {
            return;
        }
        let Some(segment) = self.segments.back_mut() else {
            return;
        };
        match segment.file.write_all_at(&self.buffer, segment.length) {
            Ok(()) => {
                segment.length += self.buffer.len() as u64;
                self.buffer.clear();
                self.buffer.shrink_to(1 << 20);
                self.syncer.written(&segment.file, &mut self.waiting);
                self.recovered_from_trouble();
            }
            Err(error) => self.failed("writing", &error, now),
        }
        self.show();
    }

    /// The next record, in order.
    pub fn next(&mut self) -> Option<Next> {
        while self.unread > 0 {
            let position = self.segments.iter().position(|s| s.id >= self.reading.segment)?;
            let last = position + 1 == self.segments.len();
            let segment = &mut self.segments[position];
            if segment.id > self.reading.segment || self.reading.offset < segment.first {
                self.reading = Place {
                    segment: segment.id,
                    offset: segment.first,
                };
            }
            let offset = self.reading.offset;
            if offset >= segment.length && !last {
                self.reading = Place {
                    segment: segment.id + 1,
                    offset: 0,
                };
                continue;
            }
            let bytes = if offset < segment.length {
                self.chunk.record(segment, offset).unwrap_or_default()
            } else {
                let start = usize::try_from(offset - segment.length).ok()?;
                let rest = self.buffer.get(start..)?;
                format::record_size(rest).and_then(|size| rest.get(..size))
            };
            let Some((record, tag)) = bytes.and_then(|b| format::read_record(b, &segment.writer)) else {
                return Some(self.give_up(position));
            };
            let size = bytes.map_or(0, |b| b.len() as u64);
            segment.take(tag);
            self.unread -= 1;
            self.reading.offset += size;
            return Some(Next::Record {
                record,
                tag: (!segment.earlier).then_some(tag),
                place: self.reading,
                bytes: size,
            });
        }
        None
    }

    /// The log has everything up to here; `bytes` are the record's own.
    pub fn drained(&mut self, place: Place, bytes: u64) {
        self.release(1, bytes);
        self.meters.drained.increment(1);
        self.cursor_due = Some(place);
        while self.segments.front().is_some_and(|s| s.id < place.segment) {
            self.delete_front();
        }
    }

    /// A record was handed out and given up: it is not held any more, though others before it still are.
    pub fn gave_up(&mut self, bytes: u64) {
        self.release(1, bytes);
    }

    /// What is due from time to time: the cursor, and files that are of no use any more.
    pub fn tend(&mut self, now: Instant) {
        self.write_out(now);
        if self.held_records == 0 && !self.segments.is_empty() {
            self.forget_all();
        }
        if now.saturating_duration_since(self.cursor_written) >= CURSOR_EVERY {
            self.write_cursor(now);
        }
        self.show();
    }

    /// Writes and syncs everything there is, as far as the disk takes it in time.
    pub fn finish(&mut self, deadline: Deadline) {
        let now = Instant::now();
        self.retry_at = now;
        self.write_out(now);
        self.write_cursor(now);
        self.syncer.finish(deadline.instant());
    }

    /// Everything is drained: the disk is given back, and those who waited for it hear that the log has it.
    fn forget_all(&mut self) {
        while !self.segments.is_empty() {
            self.delete_front();
        }
        self.buffer.clear();
        self.waiting.drain(..).for_each(|w| w.durable());
        self.recovered_from_trouble();
    }

    /// The rest of a file is lost: it is said once, each record counted.
    fn give_up(&mut self, position: usize) -> Next {
        let segment = &mut self.segments[position];
        let lost: Vec<_> = segment
            .unread
            .drain()
            .map(|(tag, count)| ((!segment.earlier).then_some(tag), count))
            .collect();
        let records: u64 = lost.iter().map(|(_, count)| count).sum();
        tracing::error!(file = %segment.path.display(), offset = self.reading.offset, records,
            "the spool cannot be read back, its disk is damaged: these records are lost");
        self.reading = Place {
            segment: segment.id + 1,
            offset: 0,
        };
        self.unread = self.unread.saturating_sub(records);
        self.release(records, 0);
        if position + 1 == self.segments.len() {
            // What follows goes into another file.
            self.buffer.clear();
            self.waiting.clear();
            self.segments[position].earlier = true;
        }
        Next::Lost(lost)
    }

    /// Whether the last segment can take more; a full one is followed by another, unless the disk refuses that.
    fn has_writable(&mut self) -> bool {
        let length = |s: &Segment| s.length + self.buffer.len() as u64;
        let roomy = |s: &Segment| !s.earlier && length(s) < self.config.segment_bytes;
        if self.segments.back().is_some_and(roomy) {
            return true;
        }
        let now = Instant::now();
        self.write_out(now);
        let mine = self.segments.back().is_some_and(|s| !s.earlier);
        if !self.buffer.is_empty() || self.rests(now) {
            return mine;
        }
        match Segment::create(&self.config.folder, self.next_id, &self.writer) {
            Ok(segment) => {
                self.begin(segment);
                self.recovered_from_trouble();
                true
            }
            Err(error) => {
                self.failed("making a file", &error, now);
                mine
            }
        }
    }

    fn begin(&mut self, segment: Segment) {
        if self.unread == 0 {
            self.reading = Place {
                segment: segment.id,
                offset: segment.first,
            };
        }
        self.next_id = segment.id + 1;
        self.segments.push_back(segment);
    }

    fn delete_front(&mut self) {
        if let Some(segment) = self.segments.pop_front()
            && let Err(error) = fs::remove_file(&segment.path)
        {
            // It is behind the cursor: the next start skips it, and tries again.
            tracing::warn!(file = %segment.path.display(), %error, "cannot delete a drained file of the spool");
        }
    }

    fn write_cursor(&mut self, now: Instant) {
        self.cursor_written = now;
        if let Some(place) = self.cursor_due.take()
            && let Err(error) = self.cursor.write(place)
        {
            tracing::warn!(%error, "cannot note how far the spool is drained: after a crash more of it is sent again");
        }
    }

    fn failed(&mut self, doing: &'static str, error: &io::Error, now: Instant) {
        self.meters.failures.increment(1);
        if self.trouble.is_none() {
            tracing::error!(folder = %self.config.folder.display(), doing, %error,
                "the spool's disk refuses: records wait in memory, and are dropped when that is full; free some space");
        }
        self.trouble = Some(format!("{doing}: {error}"));
        self.retry_at = now + TRY_AGAIN;
    }

    fn recovered_from_trouble(&mut self) {
        if self.trouble.take().is_some() {
            tracing::info!(folder = %self.config.folder.display(), "the spool's disk takes records again");
        }
    }

    fn release(&mut self, records: u64, bytes: u64) {
        self.held_records = self.held_records.saturating_sub(records);
        self.held_bytes = match self.held_records {
            0 => 0,
            _ => self.held_bytes.saturating_sub(bytes),
        };
    }

    fn disk_bytes(&self) -> u64 {
        self.segments.iter().map(|s| s.length).sum::<u64>() + self.buffer.len() as u64
    }

    #[allow(clippy::cast_precision_loss, reason = "gauges")]
    fn show(&self) {
        self.meters.records.set(self.held_records as f64);
        self.meters.bytes.set(self.held_bytes as f64);
    }
}

#[cfg(test)]
mod tests;
