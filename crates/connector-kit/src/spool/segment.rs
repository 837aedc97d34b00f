//! One file of a spool: written at its end, read from its front, deleted when all of it is drained.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::format;

const SUFFIX: &str = "spool";
/// How much is read at once: fits the longest record.
const CHUNK_BYTES: usize = 1 << 20;

/// A file, and what is known of it.
pub(super) struct Segment {
    pub id: u64,
    pub path: PathBuf,
    pub file: Arc<File>,
    /// Whose records it has.
    pub writer: Arc<str>,
    /// Length of its header: where the first record begins.
    pub first: u64,
    /// Bytes that are written and whole.
    pub length: u64,
    /// Written by an earlier run.
    pub earlier: bool,
    /// Records not read yet, by tag: what is lost if the rest cannot be read.
    pub unread: HashMap<u64, u64>,
}

/// What a scan found.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scan {
    pub records: u64,
    pub bytes: u64,
    pub torn_bytes: u64,
}

impl Segment {
    /// A new file with its header.
    pub fn create(folder: &Path, id: u64, writer: &Arc<str>) -> io::Result<Self> {
        let path = folder.join(format!("{id:020}.{SUFFIX}"));
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)?;
        let header = format::segment_header(writer);
        file.write_all_at(&header, 0)?;
        let first = header.len() as u64;
        Ok(Self {
            id,
            path,
            file: Arc::new(file),
            writer: writer.clone(),
            first,
            length: first,
            earlier: false,
            unread: HashMap::new(),
        })
    }

    /// Files of an earlier run, oldest first.
    pub fn list(folder: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|e| e == SUFFIX)
                && let Some(id) = path.file_stem().and_then(|s| s.to_str()).and_then(|s| s.parse().ok())
            {
                found.push((id, path));
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    /// Opens a file of an earlier run, checks every record from `from` on, and cuts off what is torn. `None` if not even its
    /// header is whole: then there is no record in it.
    pub fn recover(id: u64, path: PathBuf, from: u64) -> io::Result<(Option<Self>, Scan)> {
        let file = OpenOptions::new().read(true).write(true).open(&path)?;
        let written = file.metadata()?.len();
        let mut start = vec![0; usize::try_from(written.min(CHUNK_BYTES as u64)).unwrap_or(CHUNK_BYTES)];
        file.read_exact_at(&mut start, 0)?;
        let Some((writer, first)) = format::read_segment_header(&start) else {
            let scan = Scan {
                torn_bytes: written,
                ..Scan::default()
            };
            return Ok((None, scan));
        };
        let first = first as u64;
        let mut segment = Self {
            id,
            path,
            file: Arc::new(file),
            writer: writer.into(),
            first,
            length: written,
            earlier: true,
            unread: HashMap::new(),
        };
        let mut scan = Scan::default();
        let mut reader = Chunk::default();
        let mut offset = from.max(first);
        while let Some(bytes) = reader.record(&segment, offset)? {
            if !format::is_whole(bytes) {
                break;
            }
            scan.records += 1;
            scan.bytes += bytes.len() as u64;
            offset += bytes.len() as u64;
        }
        if offset < written {
            scan.torn_bytes = written - offset;
            segment.file.set_len(offset)?;
        }
        segment.length = offset.min(written);
        segment.unread = HashMap::from([(0, scan.records)]);
        Ok((Some(segment), scan))
    }

    /// A record was read, or given up unread.
    pub fn take(&mut self, tag: u64) {
        let tag = if self.earlier { 0 } else { tag };
        if let Some(count) = self.unread.get_mut(&tag) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.unread.remove(&tag);
            }
        }
    }
}

/// Some bytes of a segment, read ahead.
#[derive(Default)]
pub(super) struct Chunk {
    segment: u64,
    offset: u64,
    bytes: Vec<u8>,
}

impl Chunk {
    /// The bytes of the record at `offset`, whole or not; `None` where the file ends before it does.
    pub fn record<'a>(&'a mut self, segment: &Segment, offset: u64) -> io::Result<Option<&'a [u8]>> {
        if !self.has(segment.id, offset, format::HEADER_BYTES) {
            self.fill(segment, offset)?;
        }
        let Some(size) = format::record_size(self.at(offset)) else {
            return Ok(None);
        };
        if !self.has(segment.id, offset, size) {
            self.fill(segment, offset)?;
        }
        Ok(self.at(offset).get(..size))
    }

    fn has(&self, segment: u64, offset: u64, length: usize) -> bool {
        self.segment == segment
            && offset >= self.offset
            && offset + length as u64 <= self.offset + self.bytes.len() as u64
    }

    fn at(&self, offset: u64) -> &[u8] {
        let start = usize::try_from(offset.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        self.bytes.get(start..).unwrap_or_default()
    }

    fn fill(&mut self, segment: &Segment, offset: u64) -> io::Result<()> {
        let left = segment.length.saturating_sub(offset);
        let length = usize::try_from(left).unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES);
        self.segment = segment.id;
        self.offset = offset;
        self.bytes.resize(length, 0);
        if let Err(error) = segment.file.read_exact_at(&mut self.bytes, offset) {
            self.bytes.clear();
            return Err(error);
        }
        Ok(())
    }
}
