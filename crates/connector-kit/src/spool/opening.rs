//! Opening a folder that another run may have left, or may still have.

use std::collections::VecDeque;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;

use super::segment::Segment;
use super::{Place, Recovered, SpoolError};

/// Keeps other processes out as long as the file lives.
pub(super) fn lock(folder: &Path) -> Result<File, SpoolError> {
    let failed = |source| SpoolError::Io {
        folder: folder.to_owned(),
        context: "locking it",
        source,
    };
    let file = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .open(folder.join("lock"))
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(SpoolError::InUse(folder.to_owned())),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// What an earlier run left.
pub(super) struct Found {
    pub segments: VecDeque<Segment>,
    pub next_id: u64,
    pub recovered: Recovered,
    pub bytes: u64,
}

/// What an earlier run left behind `drained`; what it had drained is deleted.
pub(super) fn find(folder: &Path, drained: Place) -> io::Result<Found> {
    let mut found = Found {
        segments: VecDeque::new(),
        next_id: drained.segment + 1,
        recovered: Recovered::default(),
        bytes: 0,
    };
    for (id, path) in Segment::list(folder)? {
        found.next_id = found.next_id.max(id + 1);
        if id < drained.segment {
            fs::remove_file(&path)?;
            continue;
        }
        let from = if id == drained.segment { drained.offset } else { 0 };
        let (segment, scan) = Segment::recover(id, path.clone(), from)?;
        found.recovered.records += scan.records;
        found.recovered.torn_bytes += scan.torn_bytes;
        found.bytes += scan.bytes;
        match segment {
            Some(segment) if scan.records > 0 => found.segments.push_back(segment),
            _ => fs::remove_file(&path)?,
        }
    }
    Ok(found)
}

pub(super) fn announce(publisher: &str, folder: &Path, recovered: Recovered) {
    if recovered == Recovered::default() {
        return;
    }
    tracing::warn!(
        publisher,
        folder = %folder.display(),
        records = recovered.records,
        torn_bytes = recovered.torn_bytes,
        "an earlier run left records in the spool: they are sent before anything new"
    );
}
