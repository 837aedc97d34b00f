//! Names of this crate's metrics.

/// Requests by `op` (insert, batch, delete, select, conditional, health) and `outcome`: ok, error.
pub(crate) const REQUESTS: &str = "atalaia_store_requests_total";
/// Failures by `kind`, in the servers' words or the driver's.
pub(crate) const ERRORS: &str = "atalaia_store_errors_total";
/// Requests made again, by `op`.
pub(crate) const RETRIES: &str = "atalaia_store_retries_total";
/// Seconds of one request, by `op`.
pub(crate) const REQUEST_SECONDS: &str = "atalaia_store_request_seconds";
/// Writes on their way to the servers.
pub(crate) const IN_FLIGHT: &str = "atalaia_store_writes_in_flight";
/// Rows and deletions acknowledged, as the embedded engine counts them.
pub(crate) const ROWS_WRITTEN: &str = "atalaia_store_rows_written_total";
/// Rows not written because their retention was over when they came, as the embedded engine counts them.
pub(crate) const ROWS_TOO_OLD: &str = "atalaia_store_rows_too_old_total";
/// Rows whose write time lies so far ahead that the servers would refuse it, written with a nearer one.
pub(crate) const WRITE_TIMES_CUT: &str = "atalaia_store_write_times_cut_total";
