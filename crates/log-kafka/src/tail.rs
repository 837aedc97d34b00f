//! Reading all partitions of some topics without a group.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use log::{LogError, Start, Stored, Tail};
use model::{Micros, Offset, Partition};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset as Place, TopicPartitionList};
use topology::Topic;

use crate::config::Isolation;
use crate::context::Quiet;
use crate::shared::{Shared, reader};
use crate::wire;

/// Longest wait without a look at whether the log was closed.
const SLICE: Duration = Duration::from_millis(100);

/// See the module.
pub(crate) struct KafkaTail {
    shared: Arc<Shared>,
    client: BaseConsumer<Quiet>,
    positions: HashMap<(Topic, Partition), Offset>,
    /// Reading begins with the first poll: what retention has dropped until then is told, not skipped.
    begun: bool,
}

impl KafkaTail {
    pub(crate) fn open(shared: Arc<Shared>, topics: &[(Topic, Start)]) -> Result<Self, LogError> {
        shared.check_open()?;
        let mut positions = HashMap::new();
        for (topic, start) in topics {
            for (partition, next) in (0..).zip(first_offsets(&shared, *topic, start)?) {
                positions.insert((*topic, partition), next);
            }
        }
        Ok(Self {
            client: reader(&shared.config, Isolation::Committed)?,
            shared,
            positions,
            begun: false,
        })
    }

    fn begin(&mut self) -> Result<(), LogError> {
        let failed = |error| LogError::backend("assigning partitions to a reader", error);
        let mut list = TopicPartitionList::with_capacity(self.positions.len());
        for (&(topic, partition), &next) in &self.positions {
            let place = Place::Offset(wire::offset_id(next)?);
            list.add_partition_offset(self.shared.name(topic), wire::partition_id(partition)?, place)
                .map_err(failed)?;
        }
        self.client.assign(&list).map_err(failed)?;
        self.begun = true;
        Ok(())
    }

    fn take(
        positions: &mut HashMap<(Topic, Partition), Offset>,
        shared: &Shared,
        message: &rdkafka::message::BorrowedMessage<'_>,
        out: &mut Vec<Stored>,
    ) {
        let Some(topic) = shared.topic(message.topic()) else {
            return;
        };
        let stored = wire::stored(topic, message);
        if let Some(next) = positions.get_mut(&(topic, stored.record.partition)) {
            *next = stored.offset + 1;
            out.push(stored);
        }
    }

    /// Control records are passed without a word: asks librdkafka how far it is. Answers whether that is news.
    fn pass_control_records(&mut self) -> Result<bool, LogError> {
        let found = self
            .client
            .position()
            .map_err(|error| LogError::backend("asking for the reader's position", error))?;
        let mut moved = false;
        for element in found.elements() {
            let Place::Offset(raw) = element.offset() else { continue };
            let (Some(topic), Ok(partition), Ok(next)) = (
                self.shared.topic(element.topic()),
                Partition::try_from(element.partition()),
                Offset::try_from(raw),
            ) else {
                continue;
            };
            if let Some(position) = self.positions.get_mut(&(topic, partition))
                && *position < next
            {
                *position = next;
                moved = true;
            }
        }
        Ok(moved)
    }

    fn told(&mut self, error: &KafkaError) -> Result<(), LogError> {
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::AutoOffsetReset) {
            tracing::debug!(%error, "reading from Kafka");
            return Ok(());
        }
        let mut topics: Vec<Topic> = self.positions.keys().map(|(topic, _)| *topic).collect();
        topics.sort_unstable();
        topics.dedup();
        for topic in topics {
            for (partition, oldest) in (0..).zip(self.shared.starts(topic)?) {
                let asked = self.positions[&(topic, partition)];
                if asked < oldest {
                    return Err(LogError::OffsetTooOld {
                        topic,
                        partition,
                        asked,
                        oldest,
                    });
                }
            }
        }
        Err(LogError::Unusable(
            "a reader's position is beyond the end of its topic: the log was restored to an earlier state".to_owned(),
        ))
    }
}

impl Tail for KafkaTail {
    fn poll(&mut self, max: usize, wait: Duration) -> Result<Vec<Stored>, LogError> {
        let deadline = Instant::now() + wait;
        let mut out = Vec::new();
        self.shared.check_open()?;
        if !self.begun {
            self.begin()?;
        }
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let slice = if out.is_empty() {
                left.min(SLICE)
            } else {
                Duration::ZERO
            };
            let mut ended = false;
            let idle = match self.client.poll(slice) {
                Some(Ok(message)) => {
                    Self::take(&mut self.positions, &self.shared, &message, &mut out);
                    false
                }
                Some(Err(KafkaError::PartitionEOF(_))) => {
                    ended = true;
                    false
                }
                Some(Err(error)) => return self.told(&error).map(|()| out),
                None => true,
            };
            if out.len() >= max {
                return Ok(out);
            }
            if idle || (ended && out.is_empty()) {
                let moved = self.pass_control_records()?;
                if moved || (idle && (!out.is_empty() || left.is_zero())) {
                    return Ok(out);
                }
                self.shared.check_open()?;
            }
        }
    }

    fn position(&self, topic: Topic, partition: Partition) -> Offset {
        self.positions.get(&(topic, partition)).copied().unwrap_or(0)
    }
}

fn first_offsets(shared: &Shared, topic: Topic, start: &Start) -> Result<Vec<Offset>, LogError> {
    match start {
        Start::Beginning => shared.starts(topic),
        Start::End => shared.ends(topic),
        Start::At(time) => {
            let ends = shared.ends(topic)?;
            let found = match millis_at_or_after(*time) {
                // A broker's clock never gets there.
                millis if millis >= i64::MAX / 1_000 => vec![None; ends.len()],
                millis => shared.offsets_at(topic, millis)?,
            };
            Ok(found
                .into_iter()
                .zip(ends)
                .map(|(at, end)| at.unwrap_or(end).min(end))
                .collect())
        }
        Start::Offsets(offsets) => {
            let needed = shared.config.partitions as usize;
            if offsets.len() < needed {
                let given = offsets.len();
                return Err(LogError::Unusable(format!(
                    "{given} offsets were given for the {needed} partitions of {topic}"
                )));
            }
            let (starts, ends) = (shared.starts(topic)?, shared.ends(topic)?);
            for partition in 0..shared.config.partitions {
                let i = partition as usize;
                check_range(topic, partition, offsets[i], starts[i], ends[i])?;
            }
            Ok(offsets[..needed].to_vec())
        }
    }
}

/// Kafka's append times have milliseconds.
fn millis_at_or_after(time: Micros) -> i64 {
    time.0.div_euclid(1_000) + i64::from(time.0.rem_euclid(1_000) > 0)
}

impl Shared {
    /// Checks that reading may begin at `offset`.
    pub(crate) fn check_range(&self, topic: Topic, partition: Partition, offset: Offset) -> Result<(), LogError> {
        let oldest = self.start(topic, partition)?;
        check_range(topic, partition, offset, oldest, self.end(topic, partition)?)
    }
}

fn check_range(topic: Topic, partition: Partition, asked: Offset, oldest: Offset, end: Offset) -> Result<(), LogError> {
    if asked < oldest {
        return Err(LogError::OffsetTooOld {
            topic,
            partition,
            asked,
            oldest,
        });
    }
    if asked > end {
        return Err(LogError::Unusable(format!(
            "{topic}/{partition}: offset {asked} is beyond the end {end}: the position belongs to another log, or the log was \
             restored to an earlier state"
        )));
    }
    Ok(())
}
