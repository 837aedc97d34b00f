//! Confluent wire format: a zero byte, the schema id (4 bytes, big-endian), the Avro body.
//!
//! An id that the codec does not know is *wanted*: whoever reads waits, somebody asks the registry ([`Codec::wanted`]) and
//! teaches the answer ([`Codec::learn`]). Somebody else's schema is not waited for: its bytes are undecodable.

#[cfg(test)]
mod alarm_samples;
#[cfg(test)]
mod differential;
mod ids;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

use thiserror::Error;

use self::ids::{Ids, Known};
pub use self::ids::{LEARNED_MAX, LearnError, SchemaOwner, WANTED_MAX, reads_alike, schema_owner};

use crate::records::{AnyRecord, RecordType};
use crate::wire::{Body, FIELD_BYTES_MAX, Malformed, Reader, View};

/// Bytes in front of an Avro body.
pub const WIRE_HEADER_BYTES: usize = 5;

/// A record is too large for whoever reads it: a bug of the one who made it.
#[derive(Debug, Error)]
#[error("a {record} of {bytes} bytes would not be read: at most {FIELD_BYTES_MAX}")]
pub struct EncodeError {
    record: &'static str,
    bytes: usize,
}

/// Why bytes are not a record.
#[derive(Debug, Error)]
pub enum DecodeError {
    /// Shorter than a header, or not starting with zero.
    #[error("not in Confluent wire format ({bytes} bytes)")]
    NotFramed {
        /// Length of what came.
        bytes: usize,
    },
    /// Not undecodable: the reader has to learn the id first (registry away, or newer than this build).
    #[error("schema id {0} is not known")]
    UnknownSchema(u32),
    /// The schema is known, and it is not one of our records: waiting would not help.
    #[error("schema id {0} is of somebody else's record")]
    ForeignSchema(u32),
    /// More bytes than the record has.
    #[error("{bytes} bytes follow a {record}")]
    Trailing {
        /// The record's name.
        record: &'static str,
        /// How many are left over.
        bytes: usize,
    },
    /// The body does not fit its schema.
    #[error("not a valid {record}: at byte {at} of its body, {source}")]
    Malformed {
        /// The record's name.
        record: &'static str,
        /// Bytes of the body that were read before.
        at: usize,
        /// What is wrong.
        source: Malformed,
    },
    /// The body does not fit an earlier or later version of our schema.
    #[error("not a valid {record} of another version")]
    Body {
        /// The record's name.
        record: &'static str,
        /// What Avro says.
        #[source]
        source: apache_avro::Error,
    },
}

/// A schema under its id, as a registry (or the embedded log's table) gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredSchema {
    /// Its id.
    pub id: u32,
    /// The record it is of.
    pub record: RecordType,
    /// Its text.
    pub json: String,
}

/// Turns records into bytes and back. Writes with the committed schemas, reads with whichever schema the bytes name: with
/// generated code what was written with the committed ones, through apache-avro what an earlier or later build wrote.
pub struct Codec {
    /// Id of each record type, in the order of [`RecordType::ALL`].
    writing: Vec<u32>,
    reading: Ids,
}

impl Codec {
    /// Builds a codec from the ids the committed schemas have, and all earlier versions still in the log.
    ///
    /// # Panics
    /// When a record type has no registered schema equal to the committed one, or a schema is not valid: both are bugs of
    /// whoever registers them.
    pub fn new(registered: &[RegisteredSchema]) -> Self {
        // A damaged length must not allocate more than a record can be. Set once a process; later calls change nothing.
        apache_avro::util::max_allocation_bytes(FIELD_BYTES_MAX);
        let id_of = |t: &RecordType| {
            let entry = registered
                .iter()
                .find(|r| r.record == *t && r.json == t.schema_json())
                .unwrap_or_else(|| panic!("no schema is registered for {}", t.name()));
            entry.id
        };
        Self {
            writing: RecordType::ALL.iter().map(id_of).collect(),
            reading: Ids::new(registered),
        }
    }

    /// A codec whose ids are the place of each record in [`RecordType::ALL`], from 1: for tests and tools without a log.
    pub fn standalone() -> Self {
        let registered: Vec<_> = (1..)
            .zip(RecordType::ALL)
            .map(|(id, &record)| RegisteredSchema {
                id,
                record,
                json: record.schema_json().to_owned(),
            })
            .collect();
        Self::new(&registered)
    }

    /// Encodes with its wire header.
    ///
    /// # Errors
    /// When it is too large to be read again.
    pub fn encode(&self, record: &AnyRecord) -> Result<Vec<u8>, EncodeError> {
        let mut out = Vec::with_capacity(256);
        let record_type = record.record_type();
        out.extend_from_slice(&self.header(record_type));
        record.encode(&mut out);
        if out.len() > FIELD_BYTES_MAX {
            return Err(EncodeError {
                record: record_type.name(),
                bytes: out.len(),
            });
        }
        Ok(out)
    }

    /// Encodes a record or a view of one, with its wire header, into a buffer that is emptied first. Allocates only where the
    /// buffer is too small. How large a record may be is for the caller to check.
    pub fn encode_into<B: Body>(&self, body: &B, out: &mut Vec<u8>) {
        out.clear();
        out.extend_from_slice(&self.header(B::RECORD));
        body.encode(out);
    }

    /// What stands in front of a body that [`Body::encode`] made.
    pub fn header(&self, record: RecordType) -> [u8; WIRE_HEADER_BYTES] {
        let [a, b, c, d] = self.writing[record as usize].to_be_bytes();
        [0, a, b, c, d]
    }

    /// Decodes bytes with their wire header.
    ///
    /// # Errors
    /// See [`DecodeError`]; never panics, whatever the bytes are.
    pub fn decode(&self, bytes: &[u8]) -> Result<AnyRecord, DecodeError> {
        let known = self.known(bytes)?;
        let mut body = &bytes[WIRE_HEADER_BYTES..];
        match &known.resolving {
            None => whole(known.record, body, |r| AnyRecord::decode(known.record, r)),
            Some(reader) => {
                let record = known.record.name();
                let decoded = AnyRecord::resolve(known.record, reader, &mut body)
                    .map_err(|source| DecodeError::Body { record, source })?;
                nothing_left(known.record, body.len()).map(|()| decoded)
            }
        }
    }

    /// Reads a record without memory of its own, if the bytes hold this record as the committed schema has it; otherwise
    /// `None`, and [`Codec::decode`] tells what they are.
    ///
    /// # Errors
    /// See [`DecodeError`]; never panics, whatever the bytes are.
    pub fn view<'a, V: View<'a>>(&self, bytes: &'a [u8]) -> Result<Option<V>, DecodeError> {
        let known = self.known(bytes)?;
        if known.record != V::RECORD || known.resolving.is_some() {
            return Ok(None);
        }
        whole(V::RECORD, &bytes[WIRE_HEADER_BYTES..], V::decode).map(Some)
    }

    /// Which record the bytes hold, without decoding it.
    ///
    /// # Errors
    /// When they are not framed, or their schema id is not known.
    pub fn record_type(&self, bytes: &[u8]) -> Result<RecordType, DecodeError> {
        self.known(bytes).map(|k| k.record)
    }

    /// Adds a schema that a registry has given; `false` if it was known already.
    ///
    /// # Errors
    /// When it is not of its record, or its id means something else here: then nothing changes.
    pub fn learn(&self, schema: &RegisteredSchema) -> Result<bool, LearnError> {
        self.reading.learn(schema)
    }

    /// Notes that an id is of somebody else's record: its bytes are [`DecodeError::ForeignSchema`] from now on.
    ///
    /// # Errors
    /// When the id is of one of our records here.
    pub fn learn_foreign(&self, id: u32, name: &str) -> Result<bool, LearnError> {
        self.reading.learn_foreign(id, name)
    }

    /// Ids that were met and are not known, at most [`WANTED_MAX`].
    pub fn wanted(&self) -> Vec<u32> {
        self.reading.wanted()
    }

    /// Whether decoding this id would not have to wait.
    pub fn knows(&self, id: u32) -> bool {
        self.reading.knows(id)
    }

    /// Every schema of ours that is known, in the order of the ids.
    pub fn registered(&self) -> Vec<RegisteredSchema> {
        self.reading.registered()
    }

    fn known(&self, bytes: &[u8]) -> Result<&'static Known, DecodeError> {
        match bytes {
            [0, a, b, c, d, ..] => self.reading.get(u32::from_be_bytes([*a, *b, *c, *d])),
            _ => Err(DecodeError::NotFramed { bytes: bytes.len() }),
        }
    }
}

/// Reads a body of a committed schema to its end.
pub(crate) fn whole<'a, T>(
    record: RecordType,
    body: &'a [u8],
    read: impl FnOnce(&mut Reader<'a>) -> Result<T, Malformed>,
) -> Result<T, DecodeError> {
    let mut reader = Reader::new(body);
    let decoded = read(&mut reader).map_err(|source| DecodeError::Malformed {
        record: record.name(),
        at: body.len() - reader.left(),
        source,
    })?;
    nothing_left(record, reader.left()).map(|()| decoded)
}

fn nothing_left(record: RecordType, bytes: usize) -> Result<(), DecodeError> {
    if bytes == 0 {
        return Ok(());
    }
    Err(DecodeError::Trailing {
        record: record.name(),
        bytes,
    })
}
