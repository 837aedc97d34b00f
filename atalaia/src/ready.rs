//! What `/ready` asks of the parts of this process.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use api::ReadyCheck;
use pipeline_persist::PersistHandle;
use runtime::{PartitionState, ProcessorHandle};

/// A part of this process, from its start until it is drained: outside of that it is not ready.
pub struct Held<T> {
    part: Arc<Mutex<Option<T>>>,
}

impl<T> Clone for Held<T> {
    fn clone(&self) -> Self {
        let part = Arc::clone(&self.part);
        Self { part }
    }
}

impl<T> Default for Held<T> {
    fn default() -> Self {
        let part = Arc::default();
        Self { part }
    }
}

impl<T> Held<T> {
    /// Holds a running part from now on.
    pub fn hold(&self, part: T) {
        *self.part.lock().unwrap_or_else(PoisonError::into_inner) = Some(part);
    }

    /// Takes it away, to be ended.
    pub fn take(&self) -> Option<T> {
        self.part.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn with<R>(&self, ask: impl FnOnce(&T) -> R) -> Option<R> {
        self.part
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .map(ask)
    }
}

impl Held<ProcessorHandle> {
    /// Waits until everything in `observations` is processed, at most for `limit`.
    pub fn wait_caught_up(&self, limit: Duration) {
        let end = Instant::now() + limit;
        while self.lag() > 0 && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn lag(&self) -> u64 {
        self.with(|handle| handle.status().partitions.values().filter_map(|p| p.lag).sum())
            .unwrap_or(0)
    }
}

/// What each part says of itself.
trait Able: Send + 'static {
    const NAME: &str;

    fn able(&self) -> Result<(), String>;
}

impl<T: Able> ReadyCheck for Held<T> {
    fn name(&self) -> &str {
        T::NAME
    }

    fn check(&self) -> Result<(), String> {
        self.with(Able::able).unwrap_or_else(|| Err("not running".to_owned()))
    }
}

impl Able for ProcessorHandle {
    const NAME: &str = "network";

    fn able(&self) -> Result<(), String> {
        let status = self.status();
        if let Some(failure) = status.failures.first() {
            return Err(failure.clone());
        }
        let waiting = |state: &PartitionState| *state != PartitionState::Running;
        match status.partitions.iter().find(|(_, s)| waiting(&s.state)) {
            Some((partition, s)) => Err(format!("partition {partition}: {}", s.state)),
            None if status.partitions.is_empty() => Err("no partition yet".to_owned()),
            None => Ok(()),
        }
    }
}

impl Able for PersistHandle {
    const NAME: &str = "persist";

    /// A store that is away does not make it unable: it waits, and `store` says so itself.
    fn able(&self) -> Result<(), String> {
        if self.status().is_running() {
            Ok(())
        } else {
            Err("a thread has ended".to_owned())
        }
    }
}

impl Able for connector_olt_ssh::poll::Running {
    const NAME: &str = "olt-ssh";

    /// An OLT that cannot be read does not make it unable: the OLT's own row says so.
    fn able(&self) -> Result<(), String> {
        if self.is_alive() {
            Ok(())
        } else {
            Err("a task has ended".to_owned())
        }
    }
}

impl Able for connector_padtec::poll::Running {
    const NAME: &str = "padtec";

    /// A system that cannot be read does not make it unable: the system's own row says so.
    fn able(&self) -> Result<(), String> {
        if self.is_alive() {
            Ok(())
        } else {
            Err("a task has ended".to_owned())
        }
    }
}

impl Able for connector_snmp_traps::Running {
    const NAME: &str = "snmp-traps";

    /// A disk that refuses the spool loses nothing yet, but a person has to act before the log goes away.
    fn able(&self) -> Result<(), String> {
        if !self.is_alive() {
            return Err("a listener has ended".to_owned());
        }
        self.spool_trouble().map_or(Ok(()), Err)
    }
}
