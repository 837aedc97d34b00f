//! Timeliness (RFC 3414 §2.3, §3.2 step 7): our notion of another engine's boots and time.

use std::time::Duration;

use crate::BOOTS_MAX;

/// How far a message's time may lie from ours, in seconds (RFC 3414 §2.2.3).
pub const TIME_WINDOW_S: u32 = 150;

/// What we know of the clock of an engine that is authoritative: the sender of traps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    boots: u32,
    /// `latestReceivedEngineTime`, which is also the engine's time at `heard`.
    latest: u32,
    heard: Duration,
}

impl Window {
    /// First contact: an authenticated message is believed.
    pub fn new(boots: u32, time: u32, now: Duration) -> Self {
        Self {
            boots,
            latest: time,
            heard: now,
        }
    }

    /// Whether an authenticated message is timely, having learnt from it first: boots never go back, time never goes back
    /// by more than the window.
    pub fn admit(&mut self, boots: u32, time: u32, now: Duration) -> bool {
        if boots > self.boots || (boots == self.boots && time > self.latest) {
            *self = Self::new(boots, time, now);
        }
        self.boots != BOOTS_MAX && boots == self.boots && time.saturating_add(TIME_WINDOW_S) >= self.time(now)
    }

    /// The engine's time now, as far as we know.
    fn time(&self, now: Duration) -> u32 {
        let since = u32::try_from(now.saturating_sub(self.heard).as_secs()).unwrap_or(u32::MAX);
        self.latest.saturating_add(since)
    }
}

/// Whether a message to us is timely: our boots, and our time within the window on both sides.
pub(crate) fn timely_for_us(our_boots: u32, our_time: u32, boots: u32, time: u32) -> bool {
    our_boots != BOOTS_MAX && boots == our_boots && time.abs_diff(our_time) <= TIME_WINDOW_S
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn of_another_engine() {
        let mut window = Window::new(5, 1_000, s(0));
        let mut check = |boots, time, now, expected| {
            assert_eq!(window.admit(boots, time, s(now)), expected, "{boots} {time} at {now}");
        };
        check(5, 1_000, 0, true);
        check(5, 850, 0, true);
        check(5, 849, 0, false);
        // Our notion moves on with our clock.
        check(5, 950, 100, true);
        check(5, 949, 100, false);
        check(5, 1_000, 150, true);
        check(5, 1_000, 151, false);
        // Later than all before: the clock is set by it, as RFC 3414 §3.2 7b says.
        check(5, 1_101, 151, true);
        check(5, 951, 151, true);
        check(5, 950, 151, false);
        check(5, 900_000, 151, true);
        check(5, 1_101, 151, false);
        // Boots go up and never back.
        check(4, 900_000, 151, false);
        check(6, 0, 151, true);
        check(5, 900_001, 151, false);
        check(BOOTS_MAX, 1, 151, false);
        check(6, 1, 151, false);
    }

    #[test]
    fn of_our_own() {
        for (boots, time, expected) in [
            (3, 1_000, true),
            (3, 1_150, true),
            (3, 850, true),
            (3, 1_151, false),
            (3, 849, false),
            (2, 1_000, false),
            (4, 1_000, false),
        ] {
            assert_eq!(timely_for_us(3, 1_000, boots, time), expected, "{boots} {time}");
        }
        assert!(!timely_for_us(BOOTS_MAX, 1, BOOTS_MAX, 1));
    }
}
