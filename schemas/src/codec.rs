//! Confluent wire format: a zero byte, the schema id (4 bytes, big-endian), the Avro body.

use std::collections::HashMap;

use apache_avro::Schema;
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::writer::datum::GenericDatumWriter;
use thiserror::Error;

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

struct Known {
    record: RecordType,
    reader: GenericDatumReader<'static>,
}

/// Turns records into bytes and back. Writes with the committed schemas, reads with whichever schema the bytes name.
pub struct Codec {
    /// Id and writer of each record type, in the order of [`RecordType::ALL`].
    writing: Vec<(u32, GenericDatumWriter<'static>)>,
    reading: HashMap<u32, Known>,
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
        let reading = registered
            .iter()
            .map(|r| {
                let reader = GenericDatumReader::builder(parse(&r.json))
                    .human_readable(false)
                    .build();
                let reader = reader.expect("a schema without references to others resolves");
                (
                    r.id,
                    Known {
                        record: r.record,
                        reader,
                    },
                )
            })
            .collect();
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

    fn known(&self, bytes: &[u8]) -> Result<&Known, DecodeError> {
        let framed = bytes.len() >= WIRE_HEADER_BYTES && bytes[0] == 0;
        if !framed {
            return Err(DecodeError::NotFramed { bytes: bytes.len() });
        }
        let id = u32::from_be_bytes(bytes[1..WIRE_HEADER_BYTES].try_into().expect("four bytes"));
        self.reading.get(&id).ok_or(DecodeError::UnknownSchema(id))
    }
}

/// Parses a schema for the life of the process: readers and writers borrow it, and there are few.
fn parse(json: &str) -> &'static Schema {
    Box::leak(Box::new(
        Schema::parse_str(json).expect("registered schemas are valid Avro"),
    ))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use model::{Micros, Position};

    use super::*;
    use crate::*;

    fn status() -> DeviceStatus {
        DeviceStatus {
            entity: "default/olt/a/onu/0/1/2/3".into(),
            root: "default/olt/a".into(),
            kind: "onu".into(),
            site: Some("RJO".into()),
            parent: None,
            name: None,
            description: Some("Ação é útil".into()),
            vendor: None,
            model: None,
            serial: Some("HWTC1234ABCD".into()),
            state: "offline".into(),
            cause: Some("power".into()),
            cause_raw: None,
            since: Micros(1),
            observed_at: Micros(2),
            received_at: Micros(-3),
            first_trap_at: None,
            position: Position {
                generation: 1,
                partition: 2,
                offset: 3,
            }
            .into(),
            wts: Micros(9),
        }
    }

    fn samples() -> Vec<AnyRecord> {
        vec![
            TrapReceived {
                root: "default/olt/a".into(),
                sender: "192.0.2.1".into(),
                sender_port: 1024,
                listener: "main".into(),
                version: SnmpVersion::V2c,
                credential: "noc".into(),
                inform: true,
                relay: None,
                inner_address: Some("192.0.2.2".into()),
                received_at: Micros(5),
                pdu: vec![0xA7, 0, 255],
            }
            .into(),
            SourceHeartbeat {
                root: "default/olt/a".into(),
                connector: "snmp-traps".into(),
                sent_at: Micros(1),
            }
            .into(),
            DeviceRegistered {
                entity: "default/olt/a".into(),
                kind: "olt".into(),
                serial: None,
                name: Some("a".into()),
                site: None,
                description: None,
                vendor: Some("huawei".into()),
                model: None,
                address: Some("192.0.2.1".into()),
                attributes: BTreeMap::from([("a".into(), "1".into()), ("b".into(), "2".into())]),
                origin: "config".into(),
                removed: false,
                observed_at: Micros(1),
                received_at: Micros(1),
            }
            .into(),
            Tick { sent_at: Micros(7) }.into(),
            status().into(),
            DeviceEvent {
                entity: "default/olt/a/onu/0/1/2/3".into(),
                root: "default/olt/a".into(),
                kind: "onu".into(),
                event_type: DeviceEventType::DeviceDisconnected,
                event: "dying_gasp".into(),
                phase: Phase::Raise,
                severity: Some("minor".into()),
                trap_oid: None,
                source: Some("trap".into()),
                at: Micros(1),
                received_at: Micros(1),
                state: Some("offline".into()),
                previous: Some("online".into()),
                cause: Some("power".into()),
                cause_raw: None,
                serial: None,
                detail: BTreeMap::new(),
                position: Position {
                    generation: 1,
                    partition: 2,
                    offset: 3,
                }
                .into(),
                status: Some(status()),
            }
            .into(),
            InventoryEntry {
                entity: "default/olt/a".into(),
                root: "default/olt/a".into(),
                kind: "olt".into(),
                site: None,
                parent: None,
                name: None,
                description: None,
                vendor: None,
                model: None,
                serial: None,
                address: None,
                attributes: BTreeMap::new(),
                origin: "import".into(),
                installed_at: Some(Micros(1)),
                seen_at: Micros(2),
                serial_since: None,
                position: Position {
                    generation: 1,
                    partition: 2,
                    offset: 3,
                }
                .into(),
                wts: Micros(3),
            }
            .into(),
            DeadLetter {
                topic: "observations".into(),
                partition: 3,
                offset: 4,
                key: vec![],
                value: Some(vec![1, 2]),
                headers: BTreeMap::from([("writer".into(), serde_bytes::ByteBuf::from(vec![1]))]),
                reason: "undecodable".into(),
                errors: vec!["a".into(), "b".into()],
                appended_at: Micros(1),
            }
            .into(),
            LedgerRow {
                scope: LedgerScope::Sender,
                listener: "main".into(),
                sender: Some("192.0.2.1".into()),
                root: None,
                writer: "w".into(),
                at: Micros(1),
                received: 10,
                accepted: 8,
                acknowledged: 8,
                in_spool: 0,
                dropped: BTreeMap::new(),
                refused: BTreeMap::from([("community".into(), 2)]),
                undecodable: BTreeMap::new(),
                over_limit: 0,
                kernel_drops: 0,
            }
            .into(),
            AuditEntry {
                actor: "admin".into(),
                tenant: "default".into(),
                role: Some("admin".into()),
                action: "login".into(),
                target: None,
                outcome: "denied".into(),
                detail: None,
                remote: None,
                at: Micros(1),
            }
            .into(),
        ]
    }

    #[test]
    fn every_record_reads_back_and_agrees_with_apache_avro() {
        let codec = Codec::standalone();
        let samples = samples();
        let covered: Vec<_> = samples.iter().map(AnyRecord::record_type).collect();
        assert_eq!(covered, RecordType::ALL, "one sample for each record type, in order");
        for record in samples {
            let bytes = codec.encode(&record).unwrap();
            assert_eq!(codec.decode(&bytes).unwrap(), record);

            let schema = apache_avro::Schema::parse_str(record.record_type().schema_json()).unwrap();
            // Through the reference implementation and back: maps have no order there, so the records are compared.
            let reader = apache_avro::reader::datum::GenericDatumReader::builder(&schema)
                .build()
                .unwrap();
            let value = reader.read_value(&mut &bytes[WIRE_HEADER_BYTES..]).unwrap();
            let writer = apache_avro::writer::datum::GenericDatumWriter::builder(&schema)
                .build()
                .unwrap();
            let mut theirs = bytes[..WIRE_HEADER_BYTES].to_vec();
            theirs.extend(writer.write_value_to_vec(value).unwrap());
            assert_eq!(theirs.len(), bytes.len());
            assert_eq!(codec.decode(&theirs).unwrap(), record);
        }
    }

    /// What FULL_TRANSITIVE allows: a record written before a field was added reads with the field's default.
    #[test]
    fn an_earlier_schema_still_reads() {
        let earlier = RecordType::DeviceStatus.schema_json();
        let start = earlier.find(r#"    {"name": "vendor""#).unwrap();
        let end = start + earlier[start..].find('\n').unwrap() + 1;
        let earlier = format!("{}{}", &earlier[..start], &earlier[end..]);
        let mut registered: Vec<_> = (1..)
            .zip(RecordType::ALL)
            .map(|(id, &record)| RegisteredSchema {
                id,
                record,
                json: record.schema_json().to_owned(),
            })
            .collect();
        registered.push(RegisteredSchema {
            id: 99,
            record: RecordType::DeviceStatus,
            json: earlier.clone(),
        });
        let codec = Codec::new(&registered);

        let schema = apache_avro::Schema::parse_str(&earlier).unwrap();
        let writer = GenericDatumWriter::builder(&schema).build().unwrap();
        let mut value = apache_avro::to_value(status()).unwrap();
        if let apache_avro::types::Value::Record(fields) = &mut value {
            fields.retain(|(name, _)| name != "vendor");
        }
        let mut bytes = vec![0, 0, 0, 0, 99];
        writer.write_value(&mut bytes, value.resolve(&schema).unwrap()).unwrap();
        assert_eq!(
            codec.decode(&bytes).unwrap(),
            AnyRecord::from(DeviceStatus {
                vendor: None,
                ..status()
            })
        );
    }

    #[test]
    fn damaged_bytes_are_an_error_and_never_a_panic() {
        let codec = Codec::standalone();
        for record in samples() {
            let bytes = codec.encode(&record).unwrap();
            for cut in 0..bytes.len() {
                assert!(
                    codec.decode(&bytes[..cut]).is_err(),
                    "{:?} cut at {cut}",
                    record.record_type()
                );
            }
            for bit in 0..bytes.len() * 8 {
                let mut flipped = bytes.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                drop(codec.decode(&flipped));
            }
        }
        assert!(matches!(
            codec.decode(&[0, 0, 0, 99, 99, 1]),
            Err(DecodeError::UnknownSchema(25443))
        ));
    }
}
