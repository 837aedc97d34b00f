//! What `/ready` asks of the parts of this process.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use api::ReadyCheck;
use runtime::{PartitionState, ProcessorHandle};

/// The running processor, until it is drained.
#[derive(Clone)]
pub struct Processor(Arc<Mutex<Option<ProcessorHandle>>>);

impl Processor {
    /// Holds a running processor.
    pub fn new(handle: ProcessorHandle) -> Self {
        Self(Arc::new(Mutex::new(Some(handle))))
    }

    /// Waits until everything in `observations` is processed, at most for `limit`.
    pub fn wait_caught_up(&self, limit: Duration) {
        let end = Instant::now() + limit;
        while self.lag() > 0 && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn lag(&self) -> u64 {
        let guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        guard.as_ref().map_or(0, |handle| {
            handle.status().partitions.values().filter_map(|p| p.lag).sum()
        })
    }

    /// Takes it away, to be ended: from now on it is not ready.
    pub fn take(&self) -> Option<ProcessorHandle> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl ReadyCheck for Processor {
    fn name(&self) -> &str {
        "network"
    }

    fn check(&self) -> Result<(), String> {
        let guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(handle) = guard.as_ref() else {
            return Err("draining".to_owned());
        };
        let status = handle.status();
        if let Some(failure) = status.failures.first() {
            return Err(failure.clone());
        }
        let waiting = |state: &PartitionState| *state != PartitionState::Running;
        match status.partitions.iter().find(|(_, s)| waiting(&s.state)) {
            Some((partition, s)) => Err(format!("partition {partition}: {:?}", s.state)),
            None if status.partitions.is_empty() => Err("no partition yet".to_owned()),
            None => Ok(()),
        }
    }
}
