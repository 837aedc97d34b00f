//! Requests, counted, and made again while that may help.

use std::time::{Duration, Instant};

use metrics::{Counter, Gauge, Histogram};
use rand::RngExt;
use scylla::errors::ExecutionError;

use crate::error::kind;
use crate::{CqlError, metric};

/// First and longest wait between two attempts; each is cut by up to a half at random, so that waiting calls spread.
const WAIT_FIRST: Duration = Duration::from_millis(20);
const WAIT_MAX: Duration = Duration::from_secs(2);

/// What a request does, for its metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub(crate) enum Op {
    Insert,
    Batch,
    Delete,
    Select,
    Conditional,
    Health,
    Truncate,
}

impl Op {
    const ALL: [Self; 7] = [
        Self::Insert,
        Self::Batch,
        Self::Delete,
        Self::Select,
        Self::Conditional,
        Self::Health,
        Self::Truncate,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Batch => "batch",
            Self::Delete => "delete",
            Self::Select => "select",
            Self::Conditional => "conditional",
            Self::Health => "health",
            Self::Truncate => "truncate",
        }
    }

    /// What an error says was being done.
    pub(crate) const fn what(self) -> &'static str {
        match self {
            Self::Insert | Self::Batch => "writing rows",
            Self::Delete => "deleting a row",
            Self::Select => "reading rows",
            Self::Conditional => "writing a row conditionally",
            Self::Health => "asking the store whether it can answer",
            Self::Truncate => "emptying a table, for which every node has to be up",
        }
    }
}

struct OpMetrics {
    ok: Counter,
    error: Counter,
    retries: Counter,
    seconds: Histogram,
}

/// Makes requests.
pub(crate) struct Requests {
    of: Vec<OpMetrics>,
    /// Writes on their way.
    pub(crate) in_flight: Gauge,
    /// Rows and deletions acknowledged.
    pub(crate) rows_written: Counter,
}

impl Requests {
    pub(crate) fn new() -> Self {
        let of = |op: Op| OpMetrics {
            ok: metrics::counter!(metric::REQUESTS, "op" => op.name(), "outcome" => "ok"),
            error: metrics::counter!(metric::REQUESTS, "op" => op.name(), "outcome" => "error"),
            retries: metrics::counter!(metric::RETRIES, "op" => op.name()),
            seconds: metrics::histogram!(metric::REQUEST_SECONDS, "op" => op.name()),
        };
        Self {
            of: Op::ALL.map(of).into(),
            in_flight: metrics::gauge!(metric::IN_FLIGHT),
            rows_written: metrics::counter!(metric::ROWS_WRITTEN),
        }
    }

    /// Makes a request once.
    pub(crate) async fn once<T>(
        &self,
        op: Op,
        request: impl Future<Output = Result<T, ExecutionError>>,
    ) -> Result<T, ExecutionError> {
        let started = Instant::now();
        let outcome = request.await;
        self.count(op, started, outcome.as_ref().err());
        outcome
    }

    fn count(&self, op: Op, started: Instant, error: Option<&ExecutionError>) {
        let metrics = &self.of[op as usize];
        metrics.seconds.record(started.elapsed());
        match error {
            None => metrics.ok.increment(1),
            Some(error) => {
                metrics.error.increment(1);
                metrics::counter!(metric::ERRORS, "kind" => kind(error).0).increment(1);
            }
        }
    }

    /// Makes a request that may be made twice, again and again while it fails in a way that passes by itself, until its time
    /// is up.
    pub(crate) async fn until_done<T, F>(
        &self,
        op: Op,
        within: Duration,
        mut request: impl FnMut() -> F,
    ) -> Result<T, CqlError>
    where
        F: Future<Output = Result<T, ExecutionError>>,
    {
        let what = op.what();
        let deadline = Instant::now() + within;
        let mut backoff = Backoff::new();
        loop {
            // Awaited here and not by `once`: the driver's futures are large, and each hand they go through is a copy.
            let started = Instant::now();
            let outcome = request().await;
            self.count(op, started, outcome.as_ref().err());
            let source = match outcome {
                Ok(answer) => return Ok(answer),
                Err(error) => Box::new(error),
            };
            if !kind(&source).1 {
                return Err(CqlError::Request { what, source });
            }
            let wait = backoff.next();
            if Instant::now() + wait >= deadline {
                let seconds = within.as_secs();
                return Err(CqlError::TooLate { what, seconds, source });
            }
            tokio::time::sleep(wait).await;
            self.of[op as usize].retries.increment(1);
        }
    }
}

/// Doubling waits with jitter.
pub(crate) struct Backoff(Duration);

impl Backoff {
    pub(crate) fn new() -> Self {
        Self(WAIT_FIRST)
    }

    pub(crate) fn next(&mut self) -> Duration {
        let wait = self.0.mul_f64(rand::rng().random_range(0.5..=1.0));
        self.0 = (self.0 * 2).min(WAIT_MAX);
        wait
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use scylla::errors::{DbError, RequestAttemptError};

    use super::*;

    fn answered(error: DbError) -> ExecutionError {
        ExecutionError::LastAttemptError(RequestAttemptError::DbError(error, "no".into()))
    }

    async fn check(failures: u32, error: DbError, within: Duration) -> (Result<u32, CqlError>, u32) {
        let attempts = AtomicU32::new(0);
        let outcome = Requests::new()
            .until_done(Op::Insert, within, || async {
                let n = attempts.fetch_add(1, Ordering::Relaxed);
                if n < failures {
                    Err(answered(error.clone()))
                } else {
                    Ok(n)
                }
            })
            .await;
        (outcome, attempts.load(Ordering::Relaxed))
    }

    #[tokio::test]
    async fn what_passes_is_tried_again_and_what_does_not_is_not() {
        let within = Duration::from_millis(400);
        assert!(matches!(check(3, DbError::Overloaded, within).await, (Ok(3), 4)));
        assert!(matches!(
            check(3, DbError::Invalid, within).await,
            (Err(CqlError::Request { .. }), 1)
        ));
        let (outcome, attempts) = check(u32::MAX, DbError::ServerError, within).await;
        assert!(matches!(outcome, Err(CqlError::TooLate { seconds: 0, .. })));
        assert!(
            (4..9).contains(&attempts),
            "20, 40, 80, 160 ms, each cut by a half at most: {attempts}"
        );
    }

    #[test]
    fn waits_grow_to_their_limit() {
        let mut backoff = Backoff::new();
        let waits: Vec<_> = (0..12).map(|_| backoff.next()).collect();
        assert!(waits[0] >= WAIT_FIRST / 2 && waits[0] <= WAIT_FIRST);
        assert!(waits[11] >= WAIT_MAX / 2 && waits[11] <= WAIT_MAX);
    }
}
