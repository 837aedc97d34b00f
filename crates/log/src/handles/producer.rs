//! Plain records, in order, without gaps.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::{Append, Backend, Lane, Message, check_record, guard};
use crate::{Done, LogError, Producer, Record};

/// A lane with the order of its sends.
pub(crate) struct LaneProducer<B> {
    backend: Arc<B>,
    lane: Arc<Lane>,
    /// The last sequence number given out. Held over the hand-over, so that numbers and queue have one order.
    sent: Mutex<u64>,
}

impl<B: Backend> LaneProducer<B> {
    pub(crate) fn new(backend: Arc<B>, name: &str) -> Self {
        Self {
            backend,
            lane: Arc::new(Lane::new(name)),
            sent: Mutex::new(0),
        }
    }
}

impl<B: Backend> Producer for LaneProducer<B> {
    fn send(&self, record: Record, done: Option<Done>) -> Result<u64, LogError> {
        check_record(&record, self.backend.partitions())?;
        let mut sent = guard(&self.sent);
        if self.lane.is_ended() {
            return Err(LogError::ProducerEnded);
        }
        let sequence = *sent + 1;
        let append = Append {
            record,
            lane: self.lane.clone(),
            sequence,
            done,
        };
        if let Err(error) = self.backend.submit(Message::Append(append)) {
            self.lane.end_failed(&error);
            return Err(error);
        }
        *sent = sequence;
        Ok(sequence)
    }

    fn acknowledged(&self) -> u64 {
        self.lane.acknowledged()
    }

    fn wait(&self, sequence: u64, deadline: Instant) -> Result<(), LogError> {
        self.lane.wait(sequence, deadline)
    }
}
