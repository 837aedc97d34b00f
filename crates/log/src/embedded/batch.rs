//! One batch of the writer: what goes to disk, and what follows once it is there.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use fjall::{OwnedWriteBatch, Slice};
use model::{Micros, Offset, Partition};
use topology::{Group, TOPICS, Topic};

use super::encoding::{encode, key_of};
use super::meta::{self, SegmentRow};
use super::shared::Shared;
use super::store::{self, Segment, Store};
use super::writer::{Refusal, Writer};
use crate::handles::{Append, Backend, Lane, Message, Owner, Ticket};
use crate::{Acknowledged, Commit, Done, LogError, Record, Stored};

pub(super) struct Batch {
    pub(super) write: OwnedWriteBatch,
    pub(super) at: Micros,
    pub(super) effects: Effects,
    scratch: Vec<u8>,
}

/// What follows once the batch is on disk.
pub(super) struct Effects {
    /// The segment each topic is written to, and its row as it will be.
    targets: Vec<Option<Target>>,
    positions: Vec<(Group, Topic, Partition, Offset)>,
    pub(super) stored: Vec<Stored>,
    pub(super) answers: Vec<Answer>,
    pub(super) has_commit: bool,
}

struct Target {
    segment: Arc<Segment>,
    row: SegmentRow,
    is_new: bool,
    is_changed: bool,
    appended: (u64, u64),
}

/// What is told once the batch stands or has failed.
pub(super) enum Answer {
    Append {
        lane: Arc<Lane>,
        sequence: u64,
        done: Option<Done>,
        result: Result<Acknowledged, LogError>,
    },
    Commit {
        lane: Arc<Lane>,
        ticket: Arc<Ticket>,
        result: Result<(), LogError>,
    },
    Ticket {
        ticket: Arc<Ticket>,
        result: Result<(), LogError>,
    },
}

impl Batch {
    /// Makes segments ready: all that can fail without leaving a trace fails here.
    pub(super) fn begin(writer: &mut Writer, messages: &[Message]) -> Result<Self, Refusal> {
        let at = writer.stamp.next();
        let mut targets: Vec<Option<Target>> = TOPICS.iter().map(|_| None).collect();
        for topic in topics_of(messages) {
            targets[topic as usize] = Some(target(writer, topic, at).map_err(|e| Refusal::Cause(Arc::new(e)))?);
        }
        let mut batch = Self {
            // Stays in the journal's buffer until the writer syncs it: one write to the file, not two.
            write: writer.store.db.batch().durability(None),
            at,
            effects: Effects {
                targets,
                positions: Vec::new(),
                stored: Vec::with_capacity(messages.len()),
                answers: Vec::with_capacity(messages.len()),
                has_commit: false,
            },
            scratch: Vec::with_capacity(1024),
        };
        batch.remove_superseded(writer);
        Ok(batch)
    }

    fn remove_superseded(&mut self, writer: &mut Writer) {
        for (topic, partition, offset) in writer.last.take_superseded() {
            if let Some(segment) = writer.store.shelf(topic).active() {
                self.write
                    .remove(&segment.keyspace, Slice::from(key_of(partition, offset)));
            }
        }
    }

    pub(super) fn fill(mut self, writer: &mut Writer, messages: Vec<Message>) -> Self {
        for message in messages {
            let answer = match message {
                Message::Append(append) => self.append(writer, append),
                Message::Commit {
                    lane,
                    owner,
                    input,
                    commit,
                    ticket,
                } => {
                    let result = self.take_commit(writer, &lane, owner, input, commit);
                    Answer::Commit { lane, ticket, result }
                }
                Message::Positions {
                    owner,
                    positions,
                    ticket,
                } => {
                    let result = check_owner(&writer.shared, owner, positions.iter().map(|(_, p, _)| *p));
                    if result.is_ok() {
                        positions
                            .into_iter()
                            .for_each(|(t, p, o)| self.position(&writer.store, owner.group, t, p, o));
                    }
                    Answer::Ticket { ticket, result }
                }
                Message::Barrier(ticket) => Answer::Ticket { ticket, result: Ok(()) },
            };
            self.effects.answers.push(answer);
        }
        self.write_rows(&writer.store);
        self
    }

    fn append(&mut self, writer: &mut Writer, append: Append) -> Answer {
        let Append {
            record,
            lane,
            sequence,
            done,
        } = append;
        if lane.is_ended() {
            return Answer::Append {
                lane,
                sequence,
                done,
                result: Err(LogError::ProducerEnded),
            };
        }
        let partition = record.partition;
        let offset = self.record(writer, record);
        let result = Ok(Acknowledged {
            partition,
            offset,
            appended_at: self.at,
        });
        Answer::Append {
            lane,
            sequence,
            done,
            result,
        }
    }

    fn take_commit(
        &mut self,
        writer: &mut Writer,
        lane: &Lane,
        owner: Owner,
        input: Topic,
        commit: Commit,
    ) -> Result<(), LogError> {
        if lane.is_ended() {
            return Err(LogError::ProducerEnded);
        }
        check_owner(&writer.shared, owner, commit.positions.iter().map(|(p, _)| *p))?;
        self.effects.has_commit = true;
        for record in commit.exact.into_iter().chain(commit.changelog) {
            self.record(writer, record);
        }
        for (partition, offset) in commit.positions {
            self.position(&writer.store, owner.group, input, partition, offset);
        }
        Ok(())
    }

    fn record(&mut self, writer: &mut Writer, record: Record) -> Offset {
        let (topic, partition) = (record.topic, record.partition);
        let target = self.effects.targets[topic as usize]
            .as_mut()
            .expect("made ready for every topic of these messages");
        let end = &mut target.row.ends[partition as usize];
        let offset = *end;
        *end += 1;
        encode(&record, offset, self.at, &mut self.scratch);
        let bytes = self.scratch.len() as u64;
        self.write.insert(
            &target.segment.keyspace,
            Slice::from(key_of(partition, offset)),
            &*self.scratch,
        );
        if target.row.records == 0 {
            target.row.first_at = self.at;
        }
        target.row.last_at = self.at;
        target.row.records += 1;
        target.row.bytes += bytes;
        target.is_changed = true;
        target.appended.0 += 1;
        target.appended.1 += bytes;
        if topic.is_compacted() {
            writer
                .last
                .note((topic, partition, offset), &record.key, record.value.is_none(), self.at);
        }
        self.effects.stored.push(Stored {
            record,
            offset,
            appended_at: self.at,
        });
        offset
    }

    fn position(&mut self, store: &Store, group: Group, topic: Topic, partition: Partition, offset: Offset) {
        let key = meta::position_key(group, topic, partition);
        let value = meta::seal(&key, &meta::encode_offset(offset));
        self.write.insert(&store.meta, key, value);
        self.effects.positions.push((group, topic, partition, offset));
    }

    /// The rows of the segments written to: ends and sizes go with the records.
    fn write_rows(&mut self, store: &Store) {
        for (spec, target) in TOPICS.iter().zip(&self.effects.targets) {
            let Some(target) = target else { continue };
            if target.is_changed || target.is_new {
                let key = meta::segment_key(spec.topic, target.segment.number);
                let value = meta::seal(&key, &target.row.encode());
                self.write.insert(&store.meta, key, value);
            }
        }
    }

    /// Adds a new empty segment for a topic, so that the one before can be dropped.
    pub(super) fn roll(&mut self, writer: &Writer, topic: Topic) -> Result<(), LogError> {
        self.effects.targets[topic as usize] = Some(next_segment(writer, topic, self.at)?);
        self.write_rows(&writer.store);
        Ok(())
    }

    /// Forgets a segment.
    pub(super) fn forget(&mut self, store: &Store, topic: Topic, number: u64) {
        self.write.remove(&store.meta, meta::segment_key(topic, number));
    }
}

impl Effects {
    /// Shows readers what is durable now.
    pub(super) fn publish(&mut self, shared: &Shared, store: &Store) {
        for (spec, target) in TOPICS.iter().zip(self.targets.drain(..)) {
            let Some(target) = target else { continue };
            *target.segment.row() = target.row;
            if target.is_new {
                store.shelf(spec.topic).segments_mut().push(target.segment);
            }
            let metrics = shared.metrics.topic(spec.topic);
            metrics.records.increment(target.appended.0);
            metrics.bytes.increment(target.appended.1);
        }
        for (group, topic, partition, offset) in self.positions.drain(..) {
            shared.set_position(group, topic, partition, offset);
        }
        for stored in self.stored.drain(..) {
            shared.tips.publish(stored);
        }
    }
}

impl Answer {
    pub(super) fn refused_append(append: Append, why: LogError) -> Self {
        let Append {
            lane, sequence, done, ..
        } = append;
        Self::Append {
            lane,
            sequence,
            done,
            result: Err(why),
        }
    }

    pub(super) fn give(self) {
        match self {
            Self::Append {
                lane,
                sequence,
                done,
                result,
            } => {
                match &result {
                    Ok(_) => lane.acknowledge(sequence),
                    Err(error) => lane.end_failed(error),
                }
                let Some(done) = done else { return };
                // A callback that panics must not take the log with it.
                if catch_unwind(AssertUnwindSafe(|| done(result))).is_err() {
                    tracing::error!("a callback of a send panicked");
                }
            }
            Self::Commit { lane, ticket, result } => {
                if let Err(error) = &result {
                    lane.end_failed(error);
                }
                ticket.answer(result);
            }
            Self::Ticket { ticket, result } => ticket.answer(result),
        }
    }

    /// What would have been a success is a failure, and what was refused stays refused.
    pub(super) fn fail(self, why: &Refusal) {
        match self {
            Self::Append {
                lane,
                sequence,
                done,
                result,
            } => {
                let result = result.and_then(|_| Err(why.to_error()));
                Self::Append {
                    lane,
                    sequence,
                    done,
                    result,
                }
                .give();
            }
            Self::Commit { lane, ticket, result } => {
                let result = result.and_then(|()| Err(why.to_error()));
                Self::Commit { lane, ticket, result }.give();
            }
            Self::Ticket { ticket, result } => {
                Self::Ticket {
                    ticket,
                    result: result.and_then(|()| Err(why.to_error())),
                }
                .give();
            }
        }
    }
}

fn check_owner(shared: &Shared, owner: Owner, mut partitions: impl Iterator<Item = Partition>) -> Result<(), LogError> {
    match partitions.find(|p| !shared.membership().owns(owner.group, owner.member, *p)) {
        None => Ok(()),
        Some(partition) => Err(LogError::Fenced(format!(
            "partition {partition} of group {} has another owner by now: nothing of this commit stands",
            owner.group.name()
        ))),
    }
}

fn topics_of(messages: &[Message]) -> Vec<Topic> {
    let mut topics = Vec::new();
    let mut add = |record: &Record| {
        if !topics.contains(&record.topic) {
            topics.push(record.topic);
        }
    };
    for message in messages {
        match message {
            Message::Append(append) => add(&append.record),
            Message::Commit { commit, .. } => commit.exact.iter().chain(&commit.changelog).for_each(&mut add),
            Message::Positions { .. } | Message::Barrier(_) => {}
        }
    }
    topics
}

/// The segment a topic is written to now: the active one, or a new one if that is full or old.
fn target(writer: &Writer, topic: Topic, at: Micros) -> Result<Target, LogError> {
    let Some(active) = writer.store.shelf(topic).active() else {
        return next_segment(writer, topic, at);
    };
    let row = active.row().clone();
    let (bytes_max, time_max) = writer.shared.config.segment_limits(topic);
    let age = u128::try_from(at.since(row.created_at)).unwrap_or(0);
    let is_full = row.bytes >= bytes_max || age >= time_max.as_micros();
    if is_full && row.records > 0 && !topic.is_compacted() {
        return next_segment(writer, topic, at);
    }
    Ok(Target {
        segment: active,
        row,
        is_new: false,
        is_changed: false,
        appended: (0, 0),
    })
}

fn next_segment(writer: &Writer, topic: Topic, at: Micros) -> Result<Target, LogError> {
    let partitions = writer.shared.partitions() as usize;
    let (number, base) = match writer.store.shelf(topic).active() {
        Some(active) => (active.number + 1, active.row().ends.clone()),
        None => (0, vec![0; partitions]),
    };
    let keyspace = store::keyspace(&writer.store.db, &store::segment_name(topic, number))?;
    let row = SegmentRow::new(base, at);
    let segment = Arc::new(Segment::new(number, keyspace, row.clone()));
    Ok(Target {
        segment,
        row,
        is_new: true,
        is_changed: false,
        appended: (0, 0),
    })
}
