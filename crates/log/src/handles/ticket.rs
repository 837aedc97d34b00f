//! The answer to one message, waited for.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Instant;

use super::guard;
use crate::LogError;

/// Answered once, taken once.
#[derive(Debug, Default)]
pub(crate) struct Ticket {
    answer: Mutex<Option<Result<(), LogError>>>,
    answered: Condvar,
}

impl Ticket {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    pub(crate) fn answer(&self, result: Result<(), LogError>) {
        *guard(&self.answer) = Some(result);
        self.answered.notify_all();
    }

    /// The answer, or `None` if the deadline comes first.
    pub(crate) fn wait(&self, deadline: Instant) -> Option<Result<(), LogError>> {
        let mut answer = guard(&self.answer);
        loop {
            if answer.is_some() {
                return answer.take();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            answer = self
                .answered
                .wait_timeout(answer, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}
