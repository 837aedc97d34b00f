//! A record as a Kafka message, and back.

use bytes::{Bytes, BytesMut};
use log::{Headers, LogError, Record, Stored, TraceParent};
use model::{Micros, Offset, Partition, RecordId, WriterId};
use rdkafka::message::{BorrowedMessage, Header, Headers as _, Message, OwnedHeaders};
use rdkafka::producer::BaseRecord;
use topology::Topic;

/// Header with the deterministic id of an output: [`RecordId::as_bytes`].
pub const RECORD_ID: &str = "record-id";
/// Header with the W3C trace context, as text.
pub const TRACEPARENT: &str = "traceparent";
/// Header with who sent an input: `WRITER:SEQUENCE` as text, the sequence in decimal.
pub const WRITER: &str = "writer";

/// The message of a record; `opaque` comes back with its delivery report.
pub(crate) fn message<'a>(
    topic_name: &'a str,
    record: &'a Record,
    opaque: usize,
) -> Result<BaseRecord<'a, [u8], [u8], usize>, LogError> {
    let mut message = BaseRecord::with_opaque_to(topic_name, opaque)
        .partition(partition_id(record.partition)?)
        .key(&record.key[..]);
    message.payload = record.value.as_deref();
    message.headers = headers(&record.headers);
    Ok(message)
}

fn headers(headers: &Headers) -> Option<OwnedHeaders> {
    let Headers {
        record_id,
        traceparent,
        writer,
    } = headers;
    if record_id.is_none() && traceparent.is_none() && writer.is_none() {
        return None;
    }
    let mut out = OwnedHeaders::new_with_capacity(3);
    if let Some(id) = record_id {
        out = out.insert(Header {
            key: RECORD_ID,
            value: Some(id.as_bytes()),
        });
    }
    if let Some(trace) = traceparent {
        out = out.insert(Header {
            key: TRACEPARENT,
            value: Some(trace.as_str()),
        });
    }
    if let Some(WriterId { writer, sequence }) = writer {
        out = out.insert(Header {
            key: WRITER,
            value: Some(&format!("{writer}:{sequence}")),
        });
    }
    Some(out)
}

/// A message as a record of ours. Unreadable headers count as absent: whoever else writes into our topics need not know them.
pub(crate) fn stored(topic: Topic, message: &BorrowedMessage<'_>) -> Stored {
    let (key, value) = key_and_value(message);
    Stored {
        record: Record {
            topic,
            partition: Partition::try_from(message.partition()).unwrap_or_default(),
            key,
            value,
            headers: parse_headers(message),
        },
        offset: Offset::try_from(message.offset()).unwrap_or_default(),
        appended_at: Micros(
            message
                .timestamp()
                .to_millis()
                .unwrap_or_default()
                .saturating_mul(1_000),
        ),
    }
}

/// Both in one allocation.
fn key_and_value(message: &BorrowedMessage<'_>) -> (Bytes, Option<Bytes>) {
    let key = message.key().unwrap_or_default();
    let Some(value) = message.payload() else {
        return (Bytes::copy_from_slice(key), None);
    };
    let mut both = BytesMut::with_capacity(key.len() + value.len());
    both.extend_from_slice(key);
    both.extend_from_slice(value);
    let mut both = both.freeze();
    let key = both.split_to(key.len());
    (key, Some(both))
}

fn parse_headers(message: &BorrowedMessage<'_>) -> Headers {
    let mut out = Headers::default();
    let Some(headers) = message.headers() else { return out };
    for Header { key, value } in headers.iter() {
        let Some(value) = value else { continue };
        match key {
            RECORD_ID => out.record_id = RecordId::from_bytes(value).ok(),
            TRACEPARENT => out.traceparent = TraceParent::parse(value),
            WRITER => out.writer = parse_writer(value),
            _ => {}
        }
    }
    out
}

fn parse_writer(value: &[u8]) -> Option<WriterId> {
    let (writer, sequence) = std::str::from_utf8(value).ok()?.rsplit_once(':')?;
    Some(WriterId {
        writer: writer.to_owned(),
        sequence: sequence.parse().ok()?,
    })
}

/// Kafka's numbers are signed.
pub(crate) fn partition_id(partition: Partition) -> Result<i32, LogError> {
    i32::try_from(partition)
        .map_err(|_| LogError::Unusable(format!("partition {partition} is beyond what Kafka can number")))
}

/// Kafka's numbers are signed.
pub(crate) fn offset_id(offset: Offset) -> Result<i64, LogError> {
    i64::try_from(offset).map_err(|_| LogError::Unusable(format!("offset {offset} is beyond what Kafka can number")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_writer_may_hold_colons() {
        let check = |text: &str, expected: Option<(&str, u64)>| {
            let writer = parse_writer(text.as_bytes());
            let expected = expected.map(|(writer, sequence)| WriterId {
                writer: writer.to_owned(),
                sequence,
            });
            assert_eq!(writer, expected, "{text}");
        };
        check("edge-1#9f:7", Some(("edge-1#9f", 7)));
        check("a:b:18446744073709551615", Some(("a:b", u64::MAX)));
        check("a:", None);
        check("a", None);
        check("a:-1", None);
        check("", None);
    }
}
