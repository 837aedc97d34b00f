//! Names of this connector's metrics.

/// Reads of OLTs; labels `read` (onu_table, optics, boards …) and `outcome` (complete, incomplete, unsupported, failed).
pub const READS: &str = "atalaia_olt_reads_total";
/// How long the device took for a read, in seconds; label `read`.
pub const READ_SECONDS: &str = "atalaia_olt_read_seconds";
/// Rows read; label `read`.
pub const ROWS: &str = "atalaia_olt_rows_total";
/// Logins by how they ended; label `outcome` (ok, or the class of the failure).
pub const LOGINS: &str = "atalaia_olt_logins_total";
/// Sessions open now; label `security` (modern, legacy, telnet).
pub const SESSIONS: &str = "atalaia_olt_sessions";
/// Answers that were not understood; label `version` (the device's firmware).
pub const UNREAD: &str = "atalaia_olt_unread_answers_total";
/// Records of reads that were given up; label `reason`.
pub const DROPPED: &str = "atalaia_olt_records_dropped_total";
