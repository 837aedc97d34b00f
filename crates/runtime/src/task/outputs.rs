//! What a record's round has written, on its way out: checked whole, then given its ids.

use log::{Headers, Record, Stored};
use model::{Offset, RecordId};
use schemas::{Codec, WIRE_HEADER_BYTES};
use topology::{Delivery, RECORD_BYTES_MAX};

use super::Task;
use crate::mutation::Mutation;
use crate::round::{KEY_BYTES_MAX, Made, Refusal, Refused, Round};

/// Whether the log takes every output of a round.
pub(super) fn check<E>(round: &Round<E>) -> Result<(), Refused> {
    for (made, draft) in round.made.iter().zip(round.drafts.list()) {
        let refuse = |refusal| {
            Err(Refused {
                timer: made.timer_ref(),
                refusal,
            })
        };
        if draft.key.len() > KEY_BYTES_MAX {
            let (step, bytes) = (made.step, draft.key.len());
            return refuse(Refusal::KeyTooLarge { step, bytes });
        }
        let bytes = draft
            .body
            .as_ref()
            .map_or(0, |(_, body)| WIRE_HEADER_BYTES + body.len());
        if bytes > RECORD_BYTES_MAX {
            let topic = draft.topic;
            return refuse(Refusal::RecordTooLarge { topic, bytes });
        }
    }
    Ok(())
}

impl<E: Send + 'static> Task<E> {
    /// Gives the outputs of a round their ids and hands them on.
    pub(super) fn write(&mut self, stored: &Stored, round: &Round<E>, codec: &Codec, fast: &mut Vec<Record>) {
        let drafts = &round.drafts;
        for (made, draft) in round.made.iter().zip(drafts.list()) {
            let key = drafts.bytes(&draft.key);
            let body = draft.body.as_ref().map(|(record, body)| (*record, drafts.bytes(body)));
            let key = self.arena.join([key, &[]]);
            let value = body.map(|(record, body)| self.arena.join([&codec.header(record), body]));
            let record = Record {
                topic: draft.topic,
                partition: self.place.partition,
                key,
                value,
                headers: Headers {
                    record_id: Some(self.id(stored.offset, made)),
                    traceparent: stored.record.headers.traceparent,
                    writer: None,
                },
            };
            match draft.topic.spec().delivery {
                Delivery::Fast => fast.push(record),
                Delivery::Exact | Delivery::Plain => self.exact.push(record),
            }
        }
    }

    fn id(&mut self, offset: Offset, made: &Made) -> RecordId {
        if self.mutation.is(Mutation::IdByRunningIndex) {
            self.made += 1;
            return RecordId::new(self.position(0), 0, b"", self.made);
        }
        let id = RecordId::new(self.position(offset), made.step, made.key.as_bytes(), made.n);
        assert!(
            self.last_id.as_slice() < id.as_bytes() || self.mutation.is(Mutation::IdsOutOfKeyOrder),
            "record id {id} does not rise"
        );
        self.last_id.clear();
        self.last_id.extend_from_slice(id.as_bytes());
        id
    }
}
