//! Words of the freshness probe, on which its two ends agree: the connector that sends it and the view that waits for it.

/// What a probe's event is called in `device-events`; its kind is `probe`.
pub const EVENT: &str = "freshness_probe";
/// Key of its detail: which listener it came through.
pub const LISTENER: &str = "listener";
/// Key of its detail: when it was sent, in microseconds since the epoch by the sender's clock.
pub const SENT_AT: &str = "sent_at";
/// The varbind that carries that time, a `Counter64`.
pub const SENT_AT_OID: [u32; 11] = [1, 3, 6, 1, 4, 1, 8072, 9999, 9999, 1, 2];
