//! Names of this crate's metrics.

/// Requests, by method, endpoint (the route's pattern) and status.
pub const HTTP_REQUESTS: &str = "http_requests_total";
/// Seconds from request to answer, by method and endpoint.
pub const HTTP_DURATION: &str = "http_response_duration_seconds";
/// Open WebSockets.
pub const WS_CLIENTS: &str = "atalaia_ws_clients";
/// WebSockets closed, by code.
pub const WS_CLOSED: &str = "atalaia_ws_closed_total";
/// Frames written to WebSockets.
pub const WS_FRAMES: &str = "atalaia_ws_frames_total";
/// Events left out for slow clients.
pub const WS_EVENTS_DROPPED: &str = "atalaia_ws_events_dropped_total";
/// Entities in the live view.
pub const LIVE_ENTITIES: &str = "atalaia_live_entities";
/// Times the live view had to read the log again.
pub const LIVE_RESTARTS: &str = "atalaia_live_restarts_total";
/// Partitions of which the live view waits for a schema.
pub const LIVE_PARTITIONS_WAITING: &str = "atalaia_live_partitions_waiting_for_schema";
/// Records the live view could not read.
pub const LIVE_BAD_RECORDS: &str = "atalaia_live_bad_records_total";
/// Seconds since the newest freshness probe was sent that has come through, of the slowest partition; by listener.
pub const FRESHNESS_AGE: &str = "atalaia_freshness_age_seconds";
/// Seconds from the sending of a freshness probe until it is here; by listener.
pub const FRESHNESS_ROUND_TRIP: &str = "atalaia_freshness_round_trip_seconds";
/// 1 while freshness probes do not come through in time, else 0; by listener.
pub const FRESHNESS_LATE: &str = "atalaia_freshness_late";
/// Logins, by outcome.
pub const LOGINS: &str = "atalaia_logins_total";
/// Audit entries that could not be written.
pub const AUDIT_DROPPED: &str = "atalaia_audit_dropped_total";
/// ONUs that are online (the name that was asked for, m139).
pub const DEVICES_CONNECTED: &str = "devices_connected_total";
/// Alarms that stand and are shown, by severity.
pub const ALARMS_SHOWN: &str = "atalaia_alarms_shown";
/// Alarms that stand and are silenced, inhibited or suppressed.
pub const ALARMS_HIDDEN: &str = "atalaia_alarms_hidden";
/// Times the rules were read and told again because the log failed.
pub const RULES_RESTARTS: &str = "atalaia_rules_restarts_total";
