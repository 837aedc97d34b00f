//! What `dead-letters` says of a record that could not be processed: everything that came, and why it stayed.

use std::collections::BTreeMap;

use bytes::Bytes;
use log::{Headers, Record, Stored};
use model::{Position, RecordId};
use schemas::{Codec, DeadLetter};
use serde_bytes::ByteBuf;
use topology::{RECORD_BYTES_MAX, Topic};

use crate::outcome::DeadReason;

/// Longest line of an error that is kept, in bytes.
const ERROR_BYTES_MAX: usize = 2_048;
/// Most lines kept.
const ERRORS_MAX: usize = 16;
/// Room left beside the original bytes for the rest of the record.
const ROOM_BYTES: usize = 48 * 1024;

/// Builds the dead letter of an input. Its id has step 0, which no step has.
pub(crate) fn dead_letter(stored: &Stored, position: Position, why: &DeadReason, codec: &Codec) -> Record {
    let record = &stored.record;
    let mut errors: Vec<String> = why.errors.iter().take(ERRORS_MAX).map(|e| cut(e)).collect();
    let room = RECORD_BYTES_MAX - ROOM_BYTES;
    let key = record.key.slice(..record.key.len().min(room / 8));
    let value = record.value.as_ref().map(|value| {
        let kept = value.len().min(room - key.len());
        if kept < value.len() {
            errors.push(format!("the first {kept} of {} bytes are kept here", value.len()));
        }
        value[..kept].to_vec()
    });
    let letter = DeadLetter {
        topic: record.topic.name().into(),
        partition: i32::try_from(record.partition).expect("partitions are few"),
        offset: i64::try_from(stored.offset).expect("2^63 records do not fit on earth"),
        key: key.to_vec(),
        value,
        headers: headers(&record.headers),
        reason: why.reason.into(),
        errors,
        appended_at: stored.appended_at,
    };
    let bytes = codec
        .encode(&letter.into())
        .expect("a dead letter holds bytes, numbers and text");
    debug_assert!(bytes.len() <= RECORD_BYTES_MAX);
    Record {
        topic: Topic::DeadLetters,
        partition: record.partition,
        key: Bytes::from_static(record.topic.name().as_bytes()),
        value: Some(bytes.into()),
        headers: Headers {
            record_id: Some(RecordId::new(position, 0, b"", 0)),
            traceparent: record.headers.traceparent,
            writer: None,
        },
    }
}

fn headers(headers: &Headers) -> BTreeMap<String, ByteBuf> {
    let mut out = BTreeMap::new();
    if let Some(id) = &headers.record_id {
        out.insert(
            "record-id".to_owned(),
            ByteBuf::from(&id.as_bytes()[..id.as_bytes().len().min(ERROR_BYTES_MAX)]),
        );
    }
    if let Some(trace) = &headers.traceparent {
        out.insert("traceparent".to_owned(), ByteBuf::from(trace.as_str().as_bytes()));
    }
    if let Some(writer) = &headers.writer {
        let text = format!("{}#{}", cut(&writer.writer), writer.sequence);
        out.insert("writer".to_owned(), ByteBuf::from(text.into_bytes()));
    }
    out
}

fn cut(text: &str) -> String {
    let end = text.floor_char_boundary(ERROR_BYTES_MAX);
    text[..end].to_owned()
}
