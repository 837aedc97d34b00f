//! Names of this crate's metrics.

/// Records by `outcome`: written, repeated, refused, dead_lettered; requests are counted apart. They add up to what was read.
pub(crate) const RECORDS: &str = "atalaia_persist_records_total";
/// Rows acknowledged by the store, replays included.
pub(crate) const ROWS: &str = "atalaia_persist_rows_total";
/// Rows deleted: of entities that are no more, or are something else now.
pub(crate) const DELETIONS: &str = "atalaia_persist_deletions_total";
/// Batches whose position was committed.
pub(crate) const BATCHES: &str = "atalaia_persist_batches_total";
/// Seconds from a poll's return to its position being durable.
pub(crate) const BATCH_SECONDS: &str = "atalaia_persist_batch_seconds";
/// Records behind the ends of the topics, by `thread`.
pub(crate) const LAG: &str = "atalaia_persist_lag_records";
/// Attempts that failed, by `of`: store, log, schema.
pub(crate) const ERRORS: &str = "atalaia_persist_errors_total";
/// Partitions that wait for a schema id, by `thread`.
pub(crate) const SCHEMA_WAITS: &str = "atalaia_persist_partitions_waiting_for_schema";
/// Measurements that are in no history, by `reason`: sample_too_old, sample_ahead, sample_no_number.
pub(crate) const REFUSED: &str = "atalaia_persist_samples_refused_total";
/// Windows added up again and answered.
pub(crate) const ANSWERS: &str = "atalaia_persist_windows_answered_total";
/// Requests for windows that wait for their samples to be stored, by `thread`.
pub(crate) const REQUESTS: &str = "atalaia_persist_requests_waiting";
