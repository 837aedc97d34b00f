//! Names of this crate's metrics.

/// Rows and deletions made durable.
pub(crate) const ROWS_WRITTEN: &str = "atalaia_store_rows_written_total";
/// Rows not written because their retention was over when they came.
pub(crate) const ROWS_TOO_OLD: &str = "atalaia_store_rows_too_old_total";
/// Time of one batch with its sync.
pub(crate) const COMMIT_SECONDS: &str = "atalaia_store_commit_seconds";
