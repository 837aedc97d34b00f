//! From a row's own times to those the servers understand.

use std::sync::Arc;
use std::time::SystemTime;

/// Milliseconds since 1970, for retention alone.
pub(crate) type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// The machine's clock.
pub(crate) fn machine() -> Clock {
    Arc::new(|| {
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
    })
}

/// How much later than a row's end the servers may clear it away: their clocks may be ahead of ours. Reads go by the end.
const TTL_SLACK_MS: i64 = 60_000;
/// Longest TTL of both servers: 20 years.
const TTL_MAX_S: i64 = 630_720_000;
/// Last second that every version of both servers can keep as an end: 2038-01-19.
const END_MAX_S: i64 = 2_147_483_646;
/// How far ahead of our clock a write time may lie. ScyllaDB refuses three days (`restrict_future_timestamp`).
const AHEAD_MAX_US: i64 = 2 * 86_400 * 1_000_000;

/// When a row ends, seen from now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    /// It has ended.
    Over,
    /// The TTL for the servers, in seconds; 0 is none.
    Ttl(i32),
}

/// The TTL of a row. One that ends beyond what the servers can keep has none: reads hide it when it is over.
pub(crate) fn life(ends_at_ms: Option<i64>, now_ms: i64) -> Life {
    let Some(end) = ends_at_ms else { return Life::Ttl(0) };
    if end <= now_ms {
        return Life::Over;
    }
    let left_ms = end.saturating_sub(now_ms).saturating_add(TTL_SLACK_MS);
    let ttl_s = left_ms / 1_000 + 1;
    if ttl_s > TTL_MAX_S || (now_ms / 1_000).saturating_add(ttl_s) > END_MAX_S {
        return Life::Ttl(0);
    }
    Life::Ttl(i32::try_from(ttl_s).unwrap_or(0))
}

/// The servers' write time of a row, and whether it had to be cut.
pub(crate) fn write_time(wts_us: i64, now_ms: i64) -> (i64, bool) {
    let latest = now_ms.saturating_mul(1_000).saturating_add(AHEAD_MAX_US);
    // The smallest number means "none" in Cassandra.
    (wts_us.clamp(i64::MIN + 1, latest), wts_us > latest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_never_clear_a_row_away_early() {
        const NOW: i64 = 1_772_323_200_000;
        let check = |ends: Option<i64>, expected: Life| assert_eq!(life(ends, NOW), expected, "{ends:?}");
        check(None, Life::Ttl(0));
        check(Some(NOW), Life::Over);
        check(Some(i64::MIN), Life::Over);
        check(Some(NOW + 1), Life::Ttl(61));
        check(Some(NOW + 86_400_000), Life::Ttl(86_461));
        // Beyond 2038, and beyond everything.
        check(Some(2_147_483_647_000), Life::Ttl(0));
        check(Some(i64::MAX), Life::Ttl(0));
    }

    #[test]
    fn write_times_far_ahead_are_cut() {
        let check = |wts: i64, expected: (i64, bool)| assert_eq!(write_time(wts, 1_000), expected);
        check(5, (5, false));
        check(-5, (-5, false));
        check(i64::MIN, (i64::MIN + 1, false));
        check(i64::MAX, (172_801_000_000, true));
    }
}
