//! Names of this crate's metrics.

/// Requests, by `result` (`ok`, `missing`, `refused`, `away`).
pub const REQUESTS_TOTAL: &str = "atalaia_registry_requests_total";
/// 1 if the last request was answered, else 0.
pub const REACHABLE: &str = "atalaia_registry_reachable";
/// Ids that partitions wait for.
pub const IDS_WANTED: &str = "atalaia_registry_ids_wanted";
/// Ids that records of the log carry and the registry no longer has.
pub const IDS_FORGOTTEN: &str = "atalaia_registry_ids_forgotten";
/// 1 while the registry gives an id another content than before: nothing is learned from it. An alarm.
pub const IDS_CHANGED: &str = "atalaia_registry_ids_changed";

pub(crate) fn forgotten(ids: usize) {
    metrics::gauge!(IDS_FORGOTTEN).set(u32::try_from(ids).unwrap_or(u32::MAX));
}
