//! What the handles work on, behind one lock.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use bytes::Bytes;
use model::{Micros, Offset, Partition};
use topology::{Group, Topic};

use super::Fault;
use crate::clock::{Clock, Stamp};
use crate::handles::{Append, Backend, Changes, Membership, Message, guard};
use crate::{Acknowledged, Done, LogError, Record, Stored};

type Answer = (Done, Result<Acknowledged, LogError>);

pub(super) struct MemoryBackend {
    partitions: u32,
    clock: Clock,
    membership: Membership,
    changes: Changes,
    closed: AtomicBool,
    inner: Mutex<Inner>,
    /// To the thread that runs the callbacks; `None` once closed.
    answers: Mutex<Option<Sender<Answer>>>,
}

struct Inner {
    stamp: Stamp,
    last: Micros,
    content: Content,
    faults: HashMap<Fault, u32>,
    holding: bool,
    held: VecDeque<Message>,
}

#[derive(Default, Clone)]
struct Content {
    logs: HashMap<(Topic, Partition), PartitionLog>,
    positions: HashMap<(Group, Topic, Partition), Offset>,
}

#[derive(Default, Clone)]
struct PartitionLog {
    start: Offset,
    end: Offset,
    records: BTreeMap<Offset, Stored>,
    /// Where each key of a compacted topic was last written.
    last: HashMap<Bytes, Offset>,
    damaged: BTreeSet<Offset>,
}

impl MemoryBackend {
    pub(super) fn new(partitions: u32, clock: Clock) -> Self {
        Self::with_content(partitions, clock, Content::default(), Micros(i64::MIN))
    }

    fn with_content(partitions: u32, clock: Clock, content: Content, last: Micros) -> Self {
        let (answers, to_run) = channel::<Answer>();
        std::thread::Builder::new()
            .name("log-answers".to_owned())
            .spawn(move || to_run.into_iter().for_each(|(done, result)| done(result)))
            .expect("a test can start a thread");
        Self {
            partitions,
            clock: clock.clone(),
            membership: Membership::new(partitions),
            changes: Changes::default(),
            closed: AtomicBool::new(false),
            inner: Mutex::new(Inner {
                stamp: Stamp::new(clock, last),
                last,
                content,
                faults: HashMap::new(),
                holding: false,
                held: VecDeque::new(),
            }),
            answers: Mutex::new(Some(answers)),
        }
    }

    pub(super) fn reopen(&self) -> Self {
        self.close();
        let inner = guard(&self.inner);
        Self::with_content(self.partitions, self.clock.clone(), inner.content.clone(), inner.last)
    }

    pub(super) fn damage(&self, topic: Topic, partition: Partition, offset: Offset) {
        let mut inner = guard(&self.inner);
        inner
            .content
            .logs
            .entry((topic, partition))
            .or_default()
            .damaged
            .insert(offset);
    }

    pub(super) fn close(&self) {
        if self.closed.swap(true, Ordering::AcqRel) {
            return;
        }
        for message in std::mem::take(&mut guard(&self.inner).held) {
            self.refuse(message, || LogError::Closed);
        }
        guard(&self.answers).take();
        self.changes.tell();
    }

    pub(super) fn inject(&self, fault: Fault, count: u32) {
        let mut inner = guard(&self.inner);
        let left = inner.faults.entry(fault).or_default();
        *left = left.saturating_add(count);
    }

    pub(super) fn set_fault(&self, fault: Fault, count: u32) {
        guard(&self.inner).faults.insert(fault, count);
    }

    pub(super) fn hold_commits(&self) {
        guard(&self.inner).holding = true;
    }

    pub(super) fn release_commits(&self) {
        let mut inner = guard(&self.inner);
        inner.holding = false;
        for message in std::mem::take(&mut inner.held) {
            self.decide(&mut inner, message);
        }
        drop(inner);
        self.changes.tell();
    }

    pub(super) fn drop_before(&self, topic: Topic, partition: Partition, offset: Offset) {
        let mut inner = guard(&self.inner);
        let log = inner.content.logs.entry((topic, partition)).or_default();
        log.start = log.start.max(offset.min(log.end));
        log.records = log.records.split_off(&log.start);
    }

    pub(super) fn last_appended_at(&self) -> Micros {
        guard(&self.inner).last
    }

    fn decide(&self, inner: &mut Inner, message: Message) {
        match message {
            Message::Append(append) => self.decide_append(inner, append),
            Message::Commit {
                lane,
                owner,
                input,
                commit,
                ticket,
            } => {
                let owned = |(p, _): &(Partition, Offset)| self.membership.owns(owner.group, owner.member, *p);
                let result = if lane.is_ended() {
                    Err(LogError::ProducerEnded)
                } else if !commit.positions.iter().all(owned) {
                    Err(LogError::Fenced(
                        "another member has taken over a partition of this commit".to_owned(),
                    ))
                } else if inner.takes(Fault::FailCommit) {
                    Err(injected())
                } else {
                    let at = inner.now();
                    for record in commit.exact.into_iter().chain(commit.changelog) {
                        inner.content.append(record, at);
                    }
                    for (partition, offset) in commit.positions {
                        inner.content.positions.insert((owner.group, input, partition), offset);
                    }
                    if inner.takes(Fault::LoseCommitAnswer) {
                        Err(LogError::Timeout(Duration::ZERO))
                    } else {
                        Ok(())
                    }
                };
                if let Err(error) = &result {
                    lane.end_failed(error);
                }
                ticket.answer(result);
            }
            Message::Positions {
                owner,
                positions,
                ticket,
            } => {
                let owned = positions
                    .iter()
                    .all(|(_, p, _)| self.membership.owns(owner.group, owner.member, *p));
                if owned {
                    for (topic, partition, offset) in positions {
                        inner.content.positions.insert((owner.group, topic, partition), offset);
                    }
                    ticket.answer(Ok(()));
                } else {
                    ticket.answer(Err(LogError::Fenced(
                        "another member has taken over a partition".to_owned(),
                    )));
                }
            }
            Message::Barrier(ticket) => ticket.answer(Ok(())),
        }
    }

    fn decide_append(&self, inner: &mut Inner, append: Append) {
        let Append {
            record,
            lane,
            sequence,
            done,
        } = append;
        let result = if lane.is_ended() {
            Err(LogError::ProducerEnded)
        } else if inner.takes(Fault::FailSend) {
            Err(injected())
        } else {
            let appended_at = inner.now();
            let partition = record.partition;
            let offset = inner.content.append(record, appended_at);
            if inner.takes(Fault::LoseAck) {
                Err(LogError::Timeout(Duration::ZERO))
            } else {
                Ok(Acknowledged {
                    partition,
                    offset,
                    appended_at,
                })
            }
        };
        match &result {
            Ok(_) => lane.acknowledge(sequence),
            Err(error) => lane.end_failed(error),
        }
        self.answer(done, result);
    }

    fn refuse(&self, message: Message, why: impl Fn() -> LogError) {
        match message {
            Message::Append(append) => {
                append.lane.end();
                self.answer(append.done, Err(why()));
            }
            Message::Commit { lane, ticket, .. } => {
                lane.end();
                ticket.answer(Err(why()));
            }
            Message::Positions { ticket, .. } | Message::Barrier(ticket) => ticket.answer(Err(why())),
        }
    }

    fn answer(&self, done: Option<Done>, result: Result<Acknowledged, LogError>) {
        let Some(done) = done else { return };
        if let Some(answers) = &*guard(&self.answers)
            && answers.send((done, result)).is_err()
        {
            tracing::error!("a callback panicked: the callbacks of this log run no more");
        }
    }
}

impl Backend for MemoryBackend {
    fn partitions(&self) -> u32 {
        self.partitions
    }

    fn membership(&self) -> &Membership {
        &self.membership
    }

    fn changes(&self) -> &Changes {
        &self.changes
    }

    fn check_open(&self) -> Result<(), LogError> {
        if self.closed.load(Ordering::Acquire) {
            Err(LogError::Closed)
        } else {
            Ok(())
        }
    }

    fn start(&self, topic: Topic, partition: Partition) -> Offset {
        guard(&self.inner)
            .content
            .logs
            .get(&(topic, partition))
            .map_or(0, |log| log.start)
    }

    fn end(&self, topic: Topic, partition: Partition) -> Offset {
        guard(&self.inner)
            .content
            .logs
            .get(&(topic, partition))
            .map_or(0, |log| log.end)
    }

    fn scan(
        &self,
        topic: Topic,
        partition: Partition,
        from: Offset,
        to: Offset,
        each: &mut dyn FnMut(Stored) -> bool,
    ) -> Result<(), LogError> {
        let mut next = from;
        while next < to {
            // In chunks, so that the caller's work is done outside the lock.
            let (chunk, damaged): (Vec<Stored>, Option<Offset>) = {
                let inner = guard(&self.inner);
                let Some(log) = inner.content.logs.get(&(topic, partition)) else {
                    return Ok(());
                };
                if next < log.start {
                    return Err(LogError::OffsetTooOld {
                        topic,
                        partition,
                        asked: next,
                        oldest: log.start,
                    });
                }
                let chunk = log.records.range(next..to).take(256);
                (
                    chunk.map(|(_, stored)| stored.clone()).collect(),
                    log.damaged.range(next..to).next().copied(),
                )
            };
            let Some(last) = chunk.last() else { return Ok(()) };
            next = last.offset + 1;
            for stored in chunk {
                if damaged == Some(stored.offset) {
                    return Err(LogError::Damaged {
                        topic,
                        partition,
                        offset: stored.offset,
                        source: "by a test".into(),
                    });
                }
                if !each(stored) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn committed(&self, group: Group, topic: Topic, partition: Partition) -> Option<Offset> {
        guard(&self.inner)
            .content
            .positions
            .get(&(group, topic, partition))
            .copied()
    }

    fn submit(&self, message: Message) -> Result<(), LogError> {
        self.check_open()?;
        let mut inner = guard(&self.inner);
        let hold = match &message {
            Message::Commit { .. } => inner.holding,
            Message::Barrier(_) => !inner.held.is_empty(),
            _ => false,
        };
        if hold {
            inner.held.push_back(message);
            return Ok(());
        }
        self.decide(&mut inner, message);
        drop(inner);
        self.changes.tell();
        Ok(())
    }
}

impl Inner {
    fn now(&mut self) -> Micros {
        self.last = self.stamp.next();
        self.last
    }

    fn takes(&mut self, fault: Fault) -> bool {
        match self.faults.get_mut(&fault) {
            Some(left) if *left > 0 => {
                *left -= 1;
                true
            }
            _ => false,
        }
    }
}

impl Content {
    fn append(&mut self, record: Record, appended_at: Micros) -> Offset {
        let topic = record.topic;
        let log = self.logs.entry((topic, record.partition)).or_default();
        let offset = log.end;
        log.end += 1;
        if topic.is_compacted()
            && let Some(previous) = log.last.insert(record.key.clone(), offset)
        {
            log.records.remove(&previous);
        }
        log.records.insert(
            offset,
            Stored {
                record,
                offset,
                appended_at,
            },
        );
        offset
    }
}

fn injected() -> LogError {
    LogError::backend("writing to the log in memory", "a fault was injected")
}
