//! The wall clock, for what must go on where an earlier run stopped.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use model::Micros;

/// A hundred days in hundredths of a second.
const ROUND: u128 = 100 * 8_640_000;

/// Time since the epoch.
fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Now.
pub(crate) fn now() -> Micros {
    Micros(i64::try_from(since_epoch().as_micros()).unwrap_or(i64::MAX))
}

/// Hundredths of a second that go on between runs, as the uptime of a box does: were they to begin anew with each run,
/// a listener that orders the traps of one boot by uptime would take those of a later run for older ones.
pub(crate) fn uptime() -> u32 {
    u32::try_from(since_epoch().as_millis() / 10 % ROUND).unwrap_or_default()
}
