//! Confluent wire format: a zero byte, the schema id (4 bytes, big-endian), the Avro body.
//!
//! An id that the codec does not know is *wanted*: whoever reads waits, somebody asks the registry ([`Codec::wanted`]) and
//! teaches the answer ([`Codec::learn`]). Somebody else's schema is not waited for: its bytes are undecodable.

mod ids;
#[cfg(test)]
mod tests;

use apache_avro::Schema;
use apache_avro::writer::datum::GenericDatumWriter;
use thiserror::Error;

use self::ids::{Ids, Known};
pub use self::ids::{LEARNED_MAX, LearnError, SchemaOwner, WANTED_MAX, reads_alike, schema_owner};

use crate::records::{AnyRecord, RecordType};

/// Bytes in front of an Avro body.
pub const WIRE_HEADER_BYTES: usize = 5;

/// Largest single allocation a decoder makes: four times the largest record.
const ALLOCATION_BYTES_MAX: usize = 1 << 20;

/// A record could not be encoded: a bug of the one who made it.
#[derive(Debug, Error)]
#[error("cannot encode {record}")]
pub struct EncodeError {
    record: &'static str,
    #[source]
    source: apache_avro::Error,
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
    #[error("not a valid {record}")]
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

/// Turns records into bytes and back. Writes with the committed schemas, reads with whichever schema the bytes name.
pub struct Codec {
    /// Id and writer of each record type, in the order of [`RecordType::ALL`].
    writing: Vec<(u32, GenericDatumWriter<'static>)>,
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
        apache_avro::util::max_allocation_bytes(ALLOCATION_BYTES_MAX);
        let writing = RecordType::ALL
            .iter()
            .map(|t| {
                let entry = registered
                    .iter()
                    .find(|r| r.record == *t && r.json == t.schema_json())
                    .unwrap_or_else(|| panic!("no schema is registered for {}", t.name()));
                let writer = GenericDatumWriter::builder(parse(&entry.json))
                    .human_readable(false)
                    .build();
                (
                    entry.id,
                    writer.expect("a schema without references to others resolves"),
                )
            })
            .collect();
        let reading = Ids::new(registered);
        Self { writing, reading }
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
    /// When a field does not fit the schema (a word outside an enum, say).
    pub fn encode(&self, record: &AnyRecord) -> Result<Vec<u8>, EncodeError> {
        let record_type = record.record_type();
        let (id, writer) = &self.writing[record_type as usize];
        let mut out = Vec::with_capacity(256);
        out.push(0);
        out.extend_from_slice(&id.to_be_bytes());
        record.write(writer, &mut out).map_err(|source| EncodeError {
            record: record_type.name(),
            source,
        })?;
        Ok(out)
    }

    /// The id that a record is written with.
    pub(crate) fn id_of(&self, record: RecordType) -> u32 {
        self.writing[record as usize].0
    }

    /// Decodes bytes with their wire header.
    ///
    /// # Errors
    /// See [`DecodeError`]; never panics, whatever the bytes are.
    pub fn decode(&self, bytes: &[u8]) -> Result<AnyRecord, DecodeError> {
        let known = self.known(bytes)?;
        let mut body = &bytes[WIRE_HEADER_BYTES..];
        let record = known.record.name();
        let decoded = AnyRecord::read(known.record, &known.reader, &mut body)
            .map_err(|source| DecodeError::Body { record, source })?;
        if body.is_empty() {
            Ok(decoded)
        } else {
            Err(DecodeError::Trailing {
                record,
                bytes: body.len(),
            })
        }
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
        let framed = bytes.len() >= WIRE_HEADER_BYTES && bytes[0] == 0;
        if !framed {
            return Err(DecodeError::NotFramed { bytes: bytes.len() });
        }
        let id = u32::from_be_bytes(bytes[1..WIRE_HEADER_BYTES].try_into().expect("four bytes"));
        self.reading.get(id)
    }
}

/// Parses a schema for the life of the process: writers borrow it, and there are few.
fn parse(json: &str) -> &'static Schema {
    Box::leak(Box::new(
        Schema::parse_str(json).expect("committed schemas are valid Avro"),
    ))
}
