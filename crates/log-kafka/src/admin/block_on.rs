//! Waits for rust-rdkafka's administrative answers, which are futures, on an ordinary thread.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use log::LogError;

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The future's answer, if it comes within `limit`.
pub(super) fn block_on<F: Future>(future: F, limit: Duration) -> Result<F::Output, LogError> {
    let deadline = Instant::now() + limit;
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(answer) = future.as_mut().poll(&mut context) {
            return Ok(answer);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(LogError::Timeout(limit));
        }
        thread::park_timeout(left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_or_a_timeout() {
        assert_eq!(block_on(async { 7 }, Duration::from_secs(1)).unwrap(), 7);
        let never = block_on(std::future::pending::<()>(), Duration::from_millis(10));
        assert!(matches!(never, Err(LogError::Timeout(_))));
    }
}
