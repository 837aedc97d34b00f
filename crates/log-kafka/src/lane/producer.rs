//! Lanes as producers of plain records, and all of them together.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Instant;

use log::{Done, LogError, Producer, Record, check_record};

use super::{Core, Lane};
use crate::shared::Shared;

/// A lane as the log's [`Producer`].
pub(crate) struct PlainProducer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) lane: Lane,
}

impl Producer for PlainProducer {
    fn send(&self, record: Record, done: Option<Done>) -> Result<u64, LogError> {
        self.shared.check_open()?;
        check_record(&record, self.shared.config.partitions)?;
        self.lane.send(self.shared.name(record.topic), &record, done)
    }

    fn acknowledged(&self) -> u64 {
        self.lane.acknowledged()
    }

    fn wait(&self, sequence: u64, deadline: Instant) -> Result<(), LogError> {
        self.lane.wait(sequence, deadline)
    }
}

/// Lanes that close waits for.
#[derive(Default)]
pub(crate) struct Lanes(Mutex<Vec<Weak<Core>>>);

impl Lanes {
    pub(super) fn add(&self, core: &Arc<Core>) {
        let mut lanes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lanes.retain(|lane| lane.strong_count() > 0);
        lanes.push(Arc::downgrade(core));
    }

    /// Waits until everything taken is durable, and ends every lane.
    pub(crate) fn close(&self, deadline: Instant) -> Result<(), LogError> {
        let lanes = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let mut result = Ok(());
        for lane in lanes.iter().filter_map(Weak::upgrade) {
            match lane.flush(deadline) {
                Ok(()) | Err(LogError::ProducerEnded) => {}
                Err(error) => result = Err(error),
            }
            lane.end(&LogError::Closed);
        }
        result
    }
}
