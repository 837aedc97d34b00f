//! A record that cannot be a row, kept with everything that came and why.

use std::collections::BTreeMap;

use bytes::Bytes;
use log::{Headers, Record, Stored};
use schemas::{Codec, DeadLetter, EncodeError};
use serde_bytes::ByteBuf;
use topology::{RECORD_BYTES_MAX, Topic};

/// Longest line of an error that is kept, in bytes.
const ERROR_BYTES_MAX: usize = 2_048;
/// Most lines kept.
const ERRORS_MAX: usize = 8;
/// Room left beside the original bytes for keys, headers and errors.
const ROOM_BYTES: usize = 48 * 1024;

/// The dead letter of a record. Written again after a crash, it is the same but for where it stands.
pub(crate) fn dead_letter(
    codec: &Codec,
    stored: &Stored,
    reason: &'static str,
    errors: &[String],
) -> Result<Record, EncodeError> {
    let record = &stored.record;
    let mut errors: Vec<String> = errors.iter().take(ERRORS_MAX).map(|e| cut(e).to_owned()).collect();
    let room = RECORD_BYTES_MAX - ROOM_BYTES;
    let key = &record.key[..record.key.len().min(ERROR_BYTES_MAX)];
    let value = record.value.as_ref().map(|value| {
        let kept = value.len().min(room);
        if kept < value.len() {
            errors.push(format!("the first {kept} of {} bytes are kept here", value.len()));
        }
        value[..kept].to_vec()
    });
    let letter = DeadLetter {
        topic: record.topic.name().to_owned(),
        partition: i32::try_from(record.partition).unwrap_or(i32::MAX),
        offset: i64::try_from(stored.offset).unwrap_or(i64::MAX),
        key: key.to_vec(),
        value,
        headers: headers(&record.headers),
        reason: reason.to_owned(),
        errors,
        appended_at: stored.appended_at,
    };
    Ok(Record {
        topic: Topic::DeadLetters,
        partition: record.partition,
        key: Bytes::from_static(record.topic.name().as_bytes()),
        value: Some(codec.encode(&letter.into())?.into()),
        headers: Headers {
            traceparent: record.headers.traceparent,
            ..Headers::default()
        },
    })
}

fn headers(headers: &Headers) -> BTreeMap<String, ByteBuf> {
    let mut out = BTreeMap::new();
    let mut put = |name: &str, bytes: &[u8]| {
        let kept = &bytes[..bytes.len().min(ERROR_BYTES_MAX)];
        out.insert(name.to_owned(), ByteBuf::from(kept));
    };
    if let Some(id) = &headers.record_id {
        put("record-id", id.as_bytes());
    }
    if let Some(trace) = &headers.traceparent {
        put("traceparent", trace.as_str().as_bytes());
    }
    if let Some(writer) = &headers.writer {
        put(
            "writer",
            format!("{}#{}", cut(&writer.writer), writer.sequence).as_bytes(),
        );
    }
    out
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(ERROR_BYTES_MAX)]
}
