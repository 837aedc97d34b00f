//! Writes into `observations` what people say, with a writer id, so that a resent record counts once: registrations, acts on
//! alarms, and versions of rules and silences into every partition.

use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use log::{Acknowledged, Headers, Log, LogError, Producer, Record};
use model::{EntityId, Partition, Position, RecordId, WriterId};
use schemas::{AnyRecord, DeviceRegistered};
use topology::{RECORD_BYTES_MAX, Topic, partition_of};

/// The log must have answered within this time.
const WITHIN: Duration = Duration::from_secs(10);

/// One registration.
#[derive(Debug, Clone)]
pub struct Registration {
    /// What is registered.
    pub entity: EntityId,
    /// The record.
    pub record: DeviceRegistered,
    /// What the client calls this act; becomes the record's id.
    pub idempotency: Option<String>,
}

/// A record on its way.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// Where it goes.
    pub partition: Partition,
    /// The root it is about; empty for what every partition gets.
    pub key: String,
    /// What it says.
    pub record: AnyRecord,
    /// What the client calls this act, and its how-manieth record it is; becomes the record's id.
    pub idempotency: Option<(String, u32)>,
}

/// Why some records are not in the log.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// A record is too large, or a word does not fit its schema.
    #[error("the record does not fit: {0}")]
    Unfit(String),
    /// The log did not take or acknowledge them; `acknowledged` of them stand.
    #[error("the log did not answer")]
    Log {
        /// How many stand, from the first on.
        acknowledged: usize,
        /// Why.
        #[source]
        source: LogError,
    },
}

struct Writer {
    producer: Box<dyn Producer>,
    name: String,
    next: u64,
}

/// The API's one writer into `observations`.
pub struct Registrar {
    log: Arc<dyn Log>,
    instance: String,
    writer: Mutex<Option<Writer>>,
}

impl Registrar {
    /// Nothing is opened before the first write.
    pub fn new(log: Arc<dyn Log>, instance: &str) -> Self {
        Self {
            log,
            instance: instance.to_owned(),
            writer: Mutex::new(None),
        }
    }

    /// Writes all and waits until they are durable; blocks. Answers their positions.
    ///
    /// # Errors
    /// See [`RegisterError`]; what stands then is a prefix.
    pub fn write(&self, registrations: &[Registration]) -> Result<Vec<Position>, RegisterError> {
        let outgoing = registrations.iter().zip(0..).map(|(registration, n)| {
            let root = registration.entity.root();
            Outgoing {
                partition: partition_of(root.as_str(), self.log.partitions()),
                key: root.as_str().to_owned(),
                record: registration.record.clone().into(),
                idempotency: registration.idempotency.clone().map(|key| (key, n)),
            }
        });
        self.append(&outgoing.collect::<Vec<_>>())
    }

    /// Writes into one root's partition; as [`Registrar::write`].
    ///
    /// # Errors
    /// See [`RegisterError`].
    pub fn act(&self, root: &str, record: AnyRecord, idempotency: Option<String>) -> Result<Position, RegisterError> {
        let outgoing = Outgoing {
            partition: partition_of(root, self.log.partitions()),
            key: root.to_owned(),
            record,
            idempotency: idempotency.map(|key| (key, 0)),
        };
        let positions = self.append(&[outgoing])?;
        Ok(*positions.first().expect("one record has one position"))
    }

    /// Writes each record into every partition; as [`Registrar::write`].
    ///
    /// # Errors
    /// See [`RegisterError`].
    pub fn broadcast(&self, records: &[AnyRecord]) -> Result<(), RegisterError> {
        let to_all = records.iter().flat_map(|record| {
            (0..self.log.partitions()).map(|partition| Outgoing {
                partition,
                key: String::new(),
                record: record.clone(),
                idempotency: None,
            })
        });
        self.append(&to_all.collect::<Vec<_>>()).map(drop)
    }

    fn append(&self, outgoing: &[Outgoing]) -> Result<Vec<Position>, RegisterError> {
        let records = outgoing.iter().map(|o| self.record(o)).collect::<Result<Vec<_>, _>>()?;
        let answers = self.send(records).map_err(|source| RegisterError::Log {
            acknowledged: 0,
            source,
        })?;
        let generation = self.log.generation();
        let deadline = Instant::now() + WITHIN;
        let mut positions = Vec::with_capacity(answers.len());
        for answer in answers {
            let left = deadline.saturating_duration_since(Instant::now());
            let answer = answer.recv_timeout(left).unwrap_or(Err(LogError::Timeout(WITHIN)));
            match answer {
                Ok(a) => positions.push(Position {
                    generation,
                    partition: a.partition,
                    offset: a.offset,
                }),
                Err(source) => {
                    self.forget();
                    return Err(RegisterError::Log {
                        acknowledged: positions.len(),
                        source,
                    });
                }
            }
        }
        Ok(positions)
    }

    fn record(&self, outgoing: &Outgoing) -> Result<Record, RegisterError> {
        let unfit = |e: &dyn std::error::Error| RegisterError::Unfit(e.to_string());
        let value = self.log.codec().encode(&outgoing.record).map_err(|e| unfit(&e))?;
        if value.len() > RECORD_BYTES_MAX {
            return Err(RegisterError::Unfit(format!("{} bytes", value.len())));
        }
        let record_id = outgoing.idempotency.as_ref().map(|(key, n)| {
            let position = Position {
                generation: self.log.generation(),
                partition: outgoing.partition,
                offset: 0,
            };
            RecordId::new(position, 0, key.as_bytes(), *n)
        });
        Ok(Record {
            topic: Topic::Observations,
            partition: outgoing.partition,
            key: Bytes::copy_from_slice(outgoing.key.as_bytes()),
            value: Some(value.into()),
            headers: Headers {
                record_id,
                ..Headers::default()
            },
        })
    }

    /// Sends in the order of the sequence numbers: the lock spans both.
    fn send(&self, records: Vec<Record>) -> Result<Vec<Answer>, LogError> {
        let mut slot = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let writer = match &mut *slot {
            Some(writer) => writer,
            empty => empty.insert(self.open()?),
        };
        let mut answers = Vec::with_capacity(records.len());
        for mut record in records {
            record.headers.writer = Some(WriterId {
                writer: writer.name.clone(),
                sequence: writer.next,
            });
            writer.next += 1;
            let (sender, answer) = sync_channel(1);
            let done = Box::new(move |result| {
                // Nobody waits any more when the deadline has passed.
                drop(sender.try_send(result));
            });
            if let Err(error) = writer.producer.send(record, Some(done)) {
                *slot = None;
                return Err(error);
            }
            answers.push(answer);
        }
        Ok(answers)
    }

    fn open(&self) -> Result<Writer, LogError> {
        let name = format!("{}-api-{:016x}", self.instance, rand::random::<u64>());
        Ok(Writer {
            producer: self.log.producer("api-observations")?,
            name,
            next: 0,
        })
    }

    /// After a failure the next write begins with a new producer and a new name.
    fn forget(&self) {
        *self.writer.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

type Answer = std::sync::mpsc::Receiver<Result<Acknowledged, LogError>>;
