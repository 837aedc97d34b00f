//! Writes `DeviceRegistered` into `observations`, with a writer id, so that a resent record counts once.

use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use log::{Acknowledged, Headers, Log, LogError, Producer, Record};
use model::{EntityId, Position, RecordId, WriterId};
use schemas::DeviceRegistered;
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

/// Why some registrations are not in the log.
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
        let records = registrations
            .iter()
            .enumerate()
            .map(|(n, r)| self.record(n, r))
            .collect::<Result<Vec<_>, _>>()?;
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

    fn record(&self, n: usize, registration: &Registration) -> Result<Record, RegisterError> {
        let unfit = |e: &dyn std::error::Error| RegisterError::Unfit(e.to_string());
        let value = self
            .log
            .codec()
            .encode(&registration.record.clone().into())
            .map_err(|e| unfit(&e))?;
        if value.len() > RECORD_BYTES_MAX {
            return Err(RegisterError::Unfit(format!("{} bytes", value.len())));
        }
        let root = registration.entity.root();
        let partition = partition_of(root.as_str(), self.log.partitions());
        let record_id = registration.idempotency.as_ref().map(|key| {
            let position = Position {
                generation: self.log.generation(),
                partition,
                offset: 0,
            };
            RecordId::new(position, 0, key.as_bytes(), u32::try_from(n).unwrap_or(u32::MAX))
        });
        Ok(Record {
            topic: Topic::Observations,
            partition,
            key: Bytes::copy_from_slice(root.as_str().as_bytes()),
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
