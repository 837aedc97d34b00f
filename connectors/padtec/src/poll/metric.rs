//! Names of this connector's metrics.

/// Reads of lists; labels `list` (cards, measures, alarms) and `outcome` (complete, incomplete, failed).
pub const READS: &str = "atalaia_padtec_reads_total";
/// How long a list took, in seconds; label `list`.
pub const READ_SECONDS: &str = "atalaia_padtec_read_seconds";
/// Rows read; label `list`.
pub const ROWS: &str = "atalaia_padtec_rows_total";
/// Rows that could not be read; labels `list`, `reason`.
pub const BAD_ROWS: &str = "atalaia_padtec_bad_rows_total";
/// Measures of which the mapping does not know the unit and the group.
pub const UNKNOWN_MEASURES: &str = "atalaia_padtec_unknown_measures_total";
/// Logins; label `system`.
pub const LOGINS: &str = "atalaia_padtec_logins_total";
/// Seconds by which the system's clock is ahead of ours, if that is far; label `system`.
pub const CLOCK_AHEAD: &str = "atalaia_padtec_clock_ahead_seconds";
/// Records of reads that were given up; label `reason`.
pub const DROPPED: &str = "atalaia_padtec_records_dropped_total";
/// Mappings that were read again; label `outcome` (read, wrong).
pub const MAPPINGS: &str = "atalaia_padtec_mappings_read_total";
