//! Names of the kit's metrics.

/// Records taken and not yet acknowledged; label `publisher`.
pub const PUBLISHER_WINDOW: &str = "atalaia_publisher_window_records";
/// Records that are durable; label `publisher`.
pub const PUBLISHER_ACKNOWLEDGED: &str = "atalaia_publisher_acknowledged_total";
/// Records given up; labels `publisher`, `reason`.
pub const PUBLISHER_DROPPED: &str = "atalaia_publisher_dropped_total";
/// Producers that ended and were made anew; label `publisher`.
pub const PUBLISHER_RESTARTS: &str = "atalaia_publisher_restarts_total";
/// Records on disk that the log does not have yet; label `publisher`.
pub const SPOOL_RECORDS: &str = "atalaia_spool_records";
/// Bytes of them; label `publisher`.
pub const SPOOL_BYTES: &str = "atalaia_spool_bytes";
/// Records that went to disk; label `publisher`.
pub const SPOOL_SPOOLED: &str = "atalaia_spool_spooled_total";
/// Records that came from disk and are in the log; label `publisher`.
pub const SPOOL_DRAINED: &str = "atalaia_spool_drained_total";
/// Bytes that a crash tore from the end of files; label `publisher`.
pub const SPOOL_TORN_BYTES: &str = "atalaia_spool_torn_bytes_total";
/// Times the disk refused; label `publisher`.
pub const SPOOL_FAILURES: &str = "atalaia_spool_failures_total";
/// Syncs; label `publisher`.
pub const SPOOL_SYNCS: &str = "atalaia_spool_syncs_total";
/// How long they took; label `publisher`.
pub const SPOOL_SYNC_SECONDS: &str = "atalaia_spool_sync_seconds";
