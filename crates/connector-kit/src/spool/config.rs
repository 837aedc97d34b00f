//! What a spool is told, and what it says of itself.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Bytes after which a segment is closed: what is drained is deleted by whole segments.
const SEGMENT_BYTES: u64 = 16 << 20;
/// Bytes that may wait in memory when the disk refuses them.
const BUFFER_BYTES_MAX: usize = 64 << 20;

/// Where a spool is, and how large it may become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpoolConfig {
    /// Its folder, made if missing; no other spool may have it.
    pub folder: PathBuf,
    /// Bytes it may have on disk.
    pub bytes_max: u64,
    /// Bytes of one file.
    pub segment_bytes: u64,
    /// Bytes that may wait in memory while the disk refuses them.
    pub buffer_bytes_max: usize,
}

impl SpoolConfig {
    /// With the usual sizes of files and buffer.
    pub fn new(folder: impl Into<PathBuf>, bytes_max: u64) -> Self {
        Self {
            folder: folder.into(),
            bytes_max,
            segment_bytes: SEGMENT_BYTES,
            buffer_bytes_max: BUFFER_BYTES_MAX,
        }
    }
}

/// A spool cannot be opened.
#[derive(Debug, Error)]
pub enum SpoolError {
    /// Another process, or another thread of this one, has it.
    #[error("the spool {0} is in use by another process: end it, or give this one a data folder of its own")]
    InUse(PathBuf),
    /// The disk, or a right that is missing.
    #[error("cannot use the spool {folder} ({context})")]
    Io {
        /// Where.
        folder: PathBuf,
        /// What was being done.
        context: &'static str,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
}

/// How a spool stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpoolState {
    /// Records in it that the log does not have yet.
    pub records: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Why its disk cannot be used at the moment.
    pub trouble: Option<String>,
}

/// What an earlier run left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Whole records, still to be sent.
    pub records: u64,
    /// Bytes at the end of files that a crash tore, cut off.
    pub torn_bytes: u64,
}
