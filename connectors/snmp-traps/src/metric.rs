//! Names of this connector's metrics.

/// Every datagram once; labels `listener`, `outcome`, `reason` (empty where the outcome needs none).
pub const DATAGRAMS: &str = "atalaia_trap_datagrams_total";
/// Receive buffer as the kernel gave it, in bytes; label `listener`.
pub const RECEIVE_BUFFER: &str = "atalaia_trap_receive_buffer_bytes";
/// Informs by what became of their answer; labels `listener`, `outcome`.
pub const INFORMS: &str = "atalaia_trap_informs_total";
/// SNMPv3 reports by what became of them; labels `listener`, `outcome`.
pub const REPORTS: &str = "atalaia_trap_v3_reports_total";
/// Freshness probes by whether they could be sent; labels `listener`, `outcome`.
pub const PROBES: &str = "atalaia_trap_probes_total";
/// Foreign SNMPv3 engines whose keys and clock are remembered, over all users.
pub const ENGINES: &str = "atalaia_trap_v3_engines";
/// Senders nobody configured that are kept now; label `listener`.
pub const UNKNOWN_SENDERS: &str = "atalaia_trap_unknown_senders";
/// Ledger rows whose sums were wrong, which is a bug; label `listener`.
pub const UNBALANCED: &str = "atalaia_ledger_unbalanced_total";
