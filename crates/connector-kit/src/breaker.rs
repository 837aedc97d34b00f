//! Leaves a device alone that does not answer.
//!
//! ```text
//!            failures = limit              rest is over
//!  closed ───────────────────────▶ open ────────────────▶ half open (one try)
//!    ▲  ▲                           ▲                        │     │
//!    │  └── success                 └──────── failure ───────┘     │
//!    └───────────────────────────────────────── success ───────────┘
//! ```

use std::time::{Duration, Instant};

/// Where a breaker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// Every try is allowed.
    Closed,
    /// None is.
    Open,
    /// One is, to see.
    HalfOpen,
}

/// A breaker for one device. Time is passed in.
#[derive(Debug, Clone)]
pub struct Breaker {
    failures_max: u32,
    rest: Duration,
    failures: u32,
    opened: Option<Instant>,
    trying: bool,
}

impl Breaker {
    /// Opens after `failures_max` failures in a row, and lets one try through after `rest`.
    pub fn new(failures_max: u32, rest: Duration) -> Self {
        Self {
            failures_max: failures_max.max(1),
            rest,
            failures: 0,
            opened: None,
            trying: false,
        }
    }

    /// Where it stands.
    pub fn state(&self, now: Instant) -> BreakerState {
        match self.opened {
            None => BreakerState::Closed,
            Some(since) if now.saturating_duration_since(since) >= self.rest => BreakerState::HalfOpen,
            Some(_) => BreakerState::Open,
        }
    }

    /// Whether to try now. Half open, only the first who asks may.
    pub fn allows(&mut self, now: Instant) -> bool {
        match self.state(now) {
            BreakerState::Closed => true,
            BreakerState::Open => false,
            BreakerState::HalfOpen => !std::mem::replace(&mut self.trying, true),
        }
    }

    /// A try went well.
    pub fn succeed(&mut self) {
        self.failures = 0;
        self.opened = None;
        self.trying = false;
    }

    /// A try failed.
    pub fn fail(&mut self, now: Instant) {
        self.failures = self.failures.saturating_add(1);
        self.trying = false;
        if self.opened.is_some() || self.failures >= self.failures_max {
            self.opened = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_rests_tries_once_and_closes() {
        let start = Instant::now();
        let at = |s| start + Duration::from_secs(s);
        let mut breaker = Breaker::new(2, Duration::from_secs(30));
        breaker.fail(at(0));
        assert!(breaker.allows(at(0)), "one failure of two");
        breaker.fail(at(1));
        assert!(!breaker.allows(at(2)) && !breaker.allows(at(30)));
        assert_eq!(breaker.state(at(31)), BreakerState::HalfOpen);
        assert!(breaker.allows(at(31)) && !breaker.allows(at(31)), "one try alone");
        breaker.fail(at(32));
        assert_eq!(breaker.state(at(61)), BreakerState::Open);
        assert!(breaker.allows(at(62)));
        breaker.succeed();
        breaker.fail(at(63));
        assert!(breaker.allows(at(63)), "the count starts over");
    }
}
