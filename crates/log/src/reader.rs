//! The reader's rule that makes a fast topic exact: keep the highest id per partition, drop what is not higher.

use std::collections::HashMap;

use model::{Partition, RecordId};
use topology::Topic;

use crate::Stored;

/// Highest record id seen per (topic, partition). Keep it with the reader's position, or a restarted reader may see one
/// commit's worth of repeats.
#[derive(Debug, Clone, Default)]
pub struct IdFilter {
    highest: HashMap<(Topic, Partition), RecordId>,
}

impl IdFilter {
    /// Whether the record is new; if so, it is the highest from now on. Records without an id always are.
    pub fn admits(&mut self, stored: &Stored) -> bool {
        let Some(id) = &stored.record.headers.record_id else {
            return true;
        };
        let key = (stored.record.topic, stored.record.partition);
        if self.highest.get(&key).is_some_and(|highest| id <= highest) {
            return false;
        }
        self.highest.insert(key, id.clone());
        true
    }

    /// The highest id seen in a partition.
    pub fn highest(&self, topic: Topic, partition: Partition) -> Option<&RecordId> {
        self.highest.get(&(topic, partition))
    }

    /// Takes up a mark kept from before.
    pub fn set_highest(&mut self, topic: Topic, partition: Partition, id: RecordId) {
        self.highest.insert((topic, partition), id);
    }
}
