//! When a thread cuts, how long it waits, and the clocks it may look at. Steps see none of this.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use model::Micros;

/// Records of one poll.
pub(crate) const POLL_RECORDS_MAX: usize = 1_000;
/// Without progress of a commit for this long, the thread's clients are dropped (librdkafka#5456, #5511).
pub(crate) const WATCHDOG: Duration = Duration::from_secs(30);
/// A step that panics this often at one offset gives that record up.
pub(crate) const PANICS_MAX: u32 = 3;

/// When a thread cuts. A cut waits for the commit before it, whatever else says it is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitPolicy {
    /// At the latest this long after the last cut.
    pub interval: Duration,
    /// At this many changed slots.
    pub slots_max: usize,
    /// At this many bytes of slots and exact outputs.
    pub bytes_max: usize,
}

impl CommitPolicy {
    /// For the embedded log: at once after a rest, then every 20 ms under load. What people wait for does not wait for a
    /// commit, and one a poll was the greatest part of the cost of a steady stream: each is a batch and an fsync.
    pub fn embedded() -> Self {
        Self::every(Duration::from_millis(20))
    }

    /// For Kafka: every 100 to 250 ms, since a transaction costs the same whatever is in it.
    pub fn every(interval: Duration) -> Self {
        Self {
            interval,
            slots_max: 10_000,
            bytes_max: 8 * 1024 * 1024,
        }
    }
}

/// Time as a thread's loop needs it.
pub trait Clock: Send + Sync + 'static {
    /// A time that never goes back, for intervals and deadlines.
    fn now(&self) -> Duration;
    /// The calendar, for the `sent_at` of ticks alone.
    fn wall(&self) -> Micros;
}

/// The system's clocks.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    started: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self {
            started: Instant::now(),
        }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    fn wall(&self) -> Micros {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Micros(i64::try_from(since_1970.as_micros()).unwrap_or(i64::MAX))
    }
}

/// Waiting times that double from `first` to `last`.
pub(crate) fn backoff(attempt: u32, first: Duration, last: Duration) -> Duration {
    first.saturating_mul(1 << attempt.min(16)).min(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_and_stops() {
        let wait = |n| backoff(n, Duration::from_millis(50), Duration::from_secs(10)).as_millis();
        assert_eq!(
            (wait(0), wait(1), wait(7), wait(8), wait(u32::MAX)),
            (50, 100, 6_400, 10_000, 10_000)
        );
    }
}
