//! Names of the kit's metrics.

/// Records taken and not yet acknowledged; label `publisher`.
pub const PUBLISHER_WINDOW: &str = "atalaia_publisher_window_records";
/// Records that are durable; label `publisher`.
pub const PUBLISHER_ACKNOWLEDGED: &str = "atalaia_publisher_acknowledged_total";
/// Records given up; labels `publisher`, `reason`.
pub const PUBLISHER_DROPPED: &str = "atalaia_publisher_dropped_total";
/// Producers that ended and were made anew; label `publisher`.
pub const PUBLISHER_RESTARTS: &str = "atalaia_publisher_restarts_total";
