//! What a publisher is told, and what it tells: how it works, what a sender remembers of a record, why one is given up.

use std::time::Duration;

use crate::SpoolConfig;

/// Why a record was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DropReason {
    /// The log is away or slow, and as much waits as may.
    WindowFull,
    /// Larger than the log takes.
    TooLarge,
    /// It does not fit its schema: a bug of whoever made it.
    NotEncodable,
    /// Not acknowledged when the drain had to end. It may be durable all the same.
    DrainOverdue,
    /// The log is away or slow, and the spool is as large as it may be.
    SpoolFull,
    /// The log is away or slow, the spool's disk refuses, and as much waits in memory as may.
    SpoolFailed,
    /// It was in the spool, and cannot be read back: the disk is damaged.
    SpoolDamaged,
}

impl DropReason {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::WindowFull,
        Self::TooLarge,
        Self::NotEncodable,
        Self::DrainOverdue,
        Self::SpoolFull,
        Self::SpoolFailed,
        Self::SpoolDamaged,
    ];

    /// The word for a label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WindowFull => "window_full",
            Self::TooLarge => "too_large",
            Self::NotEncodable => "not_encodable",
            Self::DrainOverdue => "drain_overdue",
            Self::SpoolFull => "spool_full",
            Self::SpoolFailed => "spool_failed",
            Self::SpoolDamaged => "spool_damaged",
        }
    }
}

/// How a publisher works.
#[derive(Debug, Clone)]
pub struct PublisherConfig {
    /// Instance and thread; the writer id is this and a nonce. Also the metrics' label.
    pub name: String,
    /// Most records taken and not acknowledged.
    pub window_records_max: usize,
    /// Most bytes of them.
    pub window_bytes_max: usize,
    /// How long a send may go without acknowledgement before its producer is given up.
    pub send_deadline: Duration,
    /// Where records wait that the log does not take; `None`: in the window alone.
    pub spool: Option<SpoolConfig>,
}

impl PublisherConfig {
    /// The usual limits: 65,536 records, 64 MiB, 10 s.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            window_records_max: 65_536,
            window_bytes_max: 64 << 20,
            send_deadline: Duration::from_secs(10),
            spool: None,
        }
    }

    /// With a spool; the window is then only what is on its way, and small enough that sending does not block: 32,768
    /// records, 16 MiB.
    pub fn with_spool(name: impl Into<String>, spool: SpoolConfig) -> Self {
        Self {
            window_records_max: 32_768,
            window_bytes_max: 16 << 20,
            spool: Some(spool),
            ..Self::new(name)
        }
    }
}

/// What a sender remembers of a record, kept with it in the spool as well.
pub trait Ticket: Sized {
    /// As a number.
    fn to_tag(&self) -> u64;

    /// Back again.
    fn from_tag(tag: u64) -> Self;

    /// Of a record that an earlier run took: whose it was is not known any more.
    fn earlier() -> Self;
}

impl Ticket for () {
    fn to_tag(&self) -> u64 {
        0
    }
    fn from_tag(_: u64) -> Self {}
    fn earlier() -> Self {}
}

impl Ticket for usize {
    fn to_tag(&self) -> u64 {
        *self as u64
    }
    fn from_tag(tag: u64) -> Self {
        usize::try_from(tag).unwrap_or(usize::MAX)
    }
    fn earlier() -> Self {
        Self::MAX
    }
}
