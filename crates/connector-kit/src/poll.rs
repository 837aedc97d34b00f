//! The loop of a connector that asks: one device, one request at a time.

use std::error::Error;
use std::time::{Duration, Instant};

use crate::{Backoff, Breaker, Deadline, StopToken};

/// Something that can be asked again and again.
pub trait Poll {
    /// Why asking failed.
    type Error: Error + 'static;

    /// Asks once, and publishes what came. Must be over by the deadline.
    ///
    /// # Errors
    /// When there was no answer, or none that can be used.
    fn poll(&mut self, deadline: Deadline) -> Result<(), Self::Error>;
}

/// When to ask.
#[derive(Debug, Clone)]
pub struct PollSchedule {
    /// From the start of one poll to the start of the next.
    pub interval: Duration,
    /// How long one may take.
    pub deadline: Duration,
    /// First wait after a failure; it doubles up to `interval`.
    pub retry_first: Duration,
    /// Failures in a row after which the device is left alone for `rest`.
    pub failures_max: u32,
    /// How long it is left alone.
    pub rest: Duration,
}

/// Asks until it is time to stop. The first poll comes after a random part of the interval, so that a start does not ask
/// every device at once.
pub fn poll_loop(name: &str, poller: &mut impl Poll, schedule: &PollSchedule, stop: &StopToken) {
    let mut backoff = Backoff::new(schedule.retry_first, schedule.interval.max(schedule.retry_first));
    let mut breaker = Breaker::new(schedule.failures_max, schedule.rest);
    let mut wait = schedule.interval.mul_f64(rand::random_range(0.0..1.0));
    while !stop.wait(wait) {
        let started = Instant::now();
        if !breaker.allows(started) {
            wait = backoff.fail().max(Duration::from_millis(1));
            continue;
        }
        match poller.poll(Deadline::at(started + schedule.deadline)) {
            Ok(()) => {
                backoff.succeed();
                breaker.succeed();
                wait = schedule.interval.saturating_sub(started.elapsed());
            }
            Err(error) => {
                breaker.fail(Instant::now());
                wait = backoff.fail();
                tracing::warn!(
                    poller = name,
                    error = &error as &dyn Error,
                    failures = backoff.failures(),
                    retry_in_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
                    "poll failed"
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("no answer")]
    struct NoAnswer;

    struct Script {
        answers: Vec<Result<(), NoAnswer>>,
        polls: u32,
        stop: StopToken,
    }

    impl Poll for Script {
        type Error = NoAnswer;
        fn poll(&mut self, deadline: Deadline) -> Result<(), NoAnswer> {
            assert!(deadline.left() <= Duration::from_millis(50));
            self.polls += 1;
            self.answers.pop().unwrap_or_else(|| {
                self.stop.stop();
                Ok(())
            })
        }
    }

    #[test]
    fn fails_rests_tries_again_and_recovers() {
        let ms = Duration::from_millis;
        let stop = StopToken::new();
        let mut script = Script {
            answers: vec![Ok(()), Err(NoAnswer), Err(NoAnswer)],
            polls: 0,
            stop: stop.clone(),
        };
        let schedule = PollSchedule {
            interval: ms(2),
            deadline: ms(50),
            retry_first: ms(1),
            failures_max: 2,
            rest: ms(20),
        };
        let started = Instant::now();
        poll_loop("test", &mut script, &schedule, &stop);
        assert_eq!(script.polls, 4, "two failures, a success, and the last that stops");
        assert!(started.elapsed() >= ms(20), "the breaker held the device back");
    }
}
