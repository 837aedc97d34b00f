//! Something that is due again and again.

use std::time::{Duration, Instant};

/// Due first at once, then every `period`; what was missed is not made up for.
#[derive(Debug, Clone, Copy)]
pub struct Every {
    period: Duration,
    next: Instant,
}

impl Every {
    /// Due first at `first`.
    pub fn new(period: Duration, first: Instant) -> Self {
        Self { period, next: first }
    }

    /// Whether it is due; if so, it is due next a period later.
    pub fn due(&mut self, now: Instant) -> bool {
        if now < self.next {
            return false;
        }
        self.next += self.period;
        if self.next <= now {
            self.next = now + self.period;
        }
        true
    }

    /// How long until it is due.
    pub fn wait(&self, now: Instant) -> Duration {
        self.next.saturating_duration_since(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_its_beat_and_makes_up_for_nothing() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut every = Every::new(Duration::from_millis(10), start);
        let due: Vec<_> = [0, 1, 9, 10, 14, 20, 95, 96, 104, 105]
            .into_iter()
            .filter(|ms| every.due(at(*ms)))
            .collect();
        assert_eq!(due, [0, 10, 20, 95, 105]);
    }
}
