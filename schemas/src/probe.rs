//! Words of the freshness probe, on which its two ends agree: the connector that sends it and the view that waits for it. At the far end it
//! is a row of `device-status` of kind `probe`: its name is the listener's, `observed_at` when it was sent.

/// The sender under whose name its datagrams are counted in the ledger.
pub const SENDER: &str = "probe";
/// What it is called inside the chain.
pub const EVENT: &str = "freshness_probe";
/// Key of its detail there: which listener it came through.
pub const LISTENER: &str = "listener";
/// The varbind that carries when it was sent, a `Counter64`: microseconds since the epoch by the sender's clock.
pub const SENT_AT_OID: [u32; 11] = [1, 3, 6, 1, 4, 1, 8072, 9999, 9999, 1, 2];
