//! What all sessions of one OLT share.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::config::{CliConfig, Pace};
use super::door::{Door, Visit};
use super::fault::CliFault;
use super::plant::Plant;

/// The command line of one OLT, whoever uses it and by which way.
#[derive(Debug)]
pub(crate) struct Console {
    pub(crate) plant: Arc<Plant>,
    /// Index into the network.
    pub(crate) olt: usize,
    pub(crate) config: Arc<CliConfig>,
    pub(crate) door: Arc<Door>,
    fault: Mutex<Option<CliFault>>,
    pace: Mutex<Pace>,
}

impl Console {
    pub(crate) fn new(plant: Arc<Plant>, olt: usize, config: Arc<CliConfig>) -> Self {
        Self {
            plant,
            olt,
            door: Arc::default(),
            fault: Mutex::default(),
            pace: Mutex::new(config.pace),
            config,
        }
    }

    pub(crate) fn fault(&self) -> Option<CliFault> {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn has(&self, fault: CliFault) -> bool {
        self.fault() == Some(fault)
    }

    /// Breaks or mends it; mended, it has forgotten wrong passwords too.
    pub(crate) fn set_fault(&self, fault: Option<CliFault>) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
        self.door.unlock();
    }

    pub(crate) fn pace(&self) -> Pace {
        *self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_pace(&self, pace: Pace) {
        *self.pace.lock().unwrap_or_else(PoisonError::into_inner) = pace;
    }

    pub(crate) fn knows(&self, user: &str, password: &str) -> bool {
        let open = !self.has(CliFault::RefusePassword);
        self.door.knows(&self.config, user, password, open, Instant::now())
    }

    pub(crate) fn enter(&self) -> Visit {
        let limit = self.has(CliFault::ReenterLimit);
        self.door.enter(&self.config, limit, Instant::now())
    }
}
