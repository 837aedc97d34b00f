//! How long to wait before trying again.

use std::time::Duration;

/// Doubling waits up to a ceiling, each shortened at random by up to half, so that many do not return together.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    max: Duration,
    failures: u32,
}

impl Backoff {
    /// Waits of at most `first`, then twice that, and so on up to `max`.
    pub fn new(first: Duration, max: Duration) -> Self {
        Self {
            first,
            max,
            failures: 0,
        }
    }

    /// Counts a failure and answers how long to wait.
    pub fn fail(&mut self) -> Duration {
        let whole = self.ceiling();
        self.failures = self.failures.saturating_add(1);
        whole.mul_f64(rand::random_range(0.5..=1.0))
    }

    /// Forgets the failures.
    pub fn succeed(&mut self) {
        self.failures = 0;
    }

    /// Failures since the last success.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    fn ceiling(&self) -> Duration {
        let factor = 1_u32.checked_shl(self.failures).unwrap_or(u32::MAX);
        self.first.saturating_mul(factor).min(self.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_the_ceiling_and_starts_over() {
        let ms = Duration::from_millis;
        let mut backoff = Backoff::new(ms(100), ms(1_000));
        for ceiling in [100, 200, 400, 800, 1_000, 1_000] {
            let wait = backoff.fail();
            assert!(wait >= ms(ceiling) / 2 && wait <= ms(ceiling), "{wait:?} of {ceiling}");
        }
        for _ in 0..100 {
            assert!(backoff.fail() <= ms(1_000), "many failures do not overflow");
        }
        backoff.succeed();
        assert!(backoff.fail() <= ms(100));
        assert_eq!(backoff.failures(), 1);
    }
}
