//! Exact outputs on their way to the next cut: of a compacted topic only the last of each key.

use bytes::Bytes;
use hashbrown::HashMap;
use log::Record;
use topology::Topic;

#[derive(Debug, Default)]
pub(crate) struct Exact {
    /// In id order; a replaced one leaves a hole.
    records: Vec<Option<Record>>,
    last: HashMap<(Topic, Bytes), usize, foldhash::fast::RandomState>,
    bytes: usize,
}

impl Exact {
    pub fn push(&mut self, record: Record) {
        self.bytes += size(&record);
        if record.topic.is_compacted() {
            let at = self.records.len();
            if let Some(before) = self.last.insert((record.topic, record.key.clone()), at)
                && let Some(replaced) = self.records[before].take()
            {
                self.bytes -= size(&replaced);
            }
        }
        self.records.push(Some(record));
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Hands all of them on, in id order.
    pub fn take(&mut self, out: &mut Vec<Record>) {
        self.bytes = 0;
        self.last.clear();
        out.reserve(self.records.len());
        out.extend(self.records.drain(..).flatten());
    }
}

fn size(record: &Record) -> usize {
    record.key.len() + record.value.as_ref().map_or(0, Bytes::len)
}
