//! What the steps have written for one record: encoded, without the ids of schemas, which are the task's business. One buffer
//! holds keys and bodies and is used again with the next record.

use std::ops::Range;

use bytes::Bytes;
use schemas::{AnyRecord, Body, RecordType};
use topology::Topic;

use crate::Output;

/// Memory kept from one record to the next: a record that wrote more than usual does not hold it for ever.
const KEPT_BYTES_MAX: usize = 1 << 20;

/// One output.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub topic: Topic,
    /// Which record, and the place of its body; `None` is a tombstone.
    pub body: Option<(RecordType, Range<usize>)>,
    pub key: Range<usize>,
}

/// The outputs of a record so far, in the order made.
#[derive(Debug, Default)]
pub(crate) struct Drafts {
    list: Vec<Draft>,
    bytes: Vec<u8>,
}

impl Drafts {
    pub fn clear(&mut self) {
        self.list.clear();
        self.bytes.clear();
        self.bytes.shrink_to(KEPT_BYTES_MAX);
    }

    pub fn record<B: Body>(&mut self, topic: Topic, key: &[u8], record: &B) {
        let key = self.key(key);
        let begin = self.bytes.len();
        record.encode(&mut self.bytes);
        self.list.push(Draft {
            topic,
            body: Some((B::RECORD, begin..self.bytes.len())),
            key,
        });
    }

    pub fn tombstone(&mut self, topic: Topic, key: &[u8]) {
        let key = self.key(key);
        self.list.push(Draft { topic, body: None, key });
    }

    pub fn list(&self) -> &[Draft] {
        &self.list
    }

    pub fn bytes(&self, range: &Range<usize>) -> &[u8] {
        &self.bytes[range.clone()]
    }

    pub fn to_outputs(&self) -> Vec<Output> {
        let output = |draft: &Draft| Output {
            topic: draft.topic,
            key: Bytes::copy_from_slice(self.bytes(&draft.key)),
            record: draft.body.as_ref().map(|(record, body)| {
                AnyRecord::from_body(*record, self.bytes(body)).expect("what was encoded is decoded")
            }),
        };
        self.list.iter().map(output).collect()
    }

    fn key(&mut self, key: &[u8]) -> Range<usize> {
        let begin = self.bytes.len();
        self.bytes.extend_from_slice(key);
        begin..self.bytes.len()
    }
}
