//! A task: one partition's pure synchronous core. Records in; fast outputs out at once; exact outputs, changed slots and
//! the marker gathered until the next cut. It knows no clock, thread or log.

mod outputs;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use log::{Commit, Headers, Record, Stored};
use model::{Micros, Offset, Partition, Position};
use schemas::{AnyRecord, Codec, DecodeError};
use topology::Topic;

use crate::arena::Arena;
use crate::chain::Chain;
use crate::clock::{ObserverGap, TaskClock};
use crate::dead_letter::dead_letter;
use crate::exact::Exact;
use crate::marker::{Marker, Skipped};
use crate::mutation::Mutation;
use crate::outcome::{DeadReason, Outcome, Outcomes};
use crate::round::{Calling, Refused, Round, TimerRef};
use crate::slot::MARKER_KEY;
use crate::writers::Writers;
use crate::{Now, StepDescription};

/// Offsets a replay skips that a marker remembers; beyond these the oldest are forgotten.
const SKIPPED_MAX: usize = 1_000;
/// Bytes of the keys of their timers, so that a marker stays well below the limit of a record.
const SKIPPED_KEY_BYTES_MAX: usize = 16 * 1024;

/// Which partition of which input a task works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaskPlace {
    /// Generation of `observations`.
    pub generation: u32,
    /// The task's partition.
    pub partition: Partition,
    /// Partitions of every topic.
    pub partitions: u32,
}

/// What became of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Processed {
    /// Its one end.
    pub outcome: Outcome,
    /// A time in which nothing was observed began or ended with it.
    pub gap: Option<ObserverGap>,
    /// To be committed before anything else is processed: an offset was condemned.
    pub commit_now: bool,
}

/// Why a task goes no further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// Not undecodable: the codec has to learn this schema id first. The task is as it was before the record.
    UnknownSchema(u32),
    /// A step panicked: the task is to be dropped and restored.
    Panicked(Panicked),
}

/// A panic of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Panicked {
    /// The input it happened at.
    pub offset: Offset,
    /// Its text, with the step and key.
    pub text: String,
    pub(crate) timer: Option<TimerRef>,
}

/// What a cut took from a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// Next input offset once the commit stands.
    pub next_offset: Offset,
    /// How the records since the last cut ended.
    pub outcomes: Outcomes,
}

/// One partition's task.
pub struct Task<E> {
    pub(crate) place: TaskPlace,
    pub(crate) chain: Chain<E>,
    pub(crate) clock: TaskClock,
    pub(crate) writers: Writers,
    pub(crate) skipped: BTreeMap<Offset, Option<TimerRef>>,
    pub(crate) next_offset: Offset,
    /// Highest write time of a slot that is gone.
    pub(crate) deleted: Micros,
    pub(crate) outcomes: Outcomes,
    /// Keys of the changelog that a rebuild deletes with its first commit.
    pub(crate) tombstones: Vec<Bytes>,
    cut_offset: Offset,
    uncut: Outcomes,
    exact: Exact,
    slot_bytes: usize,
    condemned: BTreeMap<Offset, Panicked>,
    /// The last record id given; empty before the first.
    last_id: Vec<u8>,
    made: u32,
    round: Round<E>,
    arena: Arena,
    mutation: Mutation,
    panicked: bool,
}

/// A record on its way through a task.
enum Input<E> {
    Event(E),
    /// Moves the times and fires timers; no step sees it.
    Tick,
    Dead(DeadReason),
}

impl<E: Send + 'static> Task<E> {
    /// A task without state that begins at an offset.
    pub fn new(place: TaskPlace, chain: Chain<E>, next_offset: Offset) -> Self {
        let mutation = chain.mutation;
        Self {
            place,
            chain,
            clock: TaskClock::default(),
            writers: Writers::default(),
            skipped: BTreeMap::new(),
            next_offset,
            deleted: Micros(0),
            outcomes: Outcomes::default(),
            tombstones: Vec::new(),
            cut_offset: next_offset,
            uncut: Outcomes::default(),
            exact: Exact::default(),
            slot_bytes: 0,
            condemned: BTreeMap::new(),
            last_id: Vec::new(),
            made: 0,
            round: Round::idle(),
            arena: Arena::default(),
            mutation,
            panicked: false,
        }
    }

    /// Processes one record of the input; `None` if it was before already. Fast outputs are appended to `fast`, encoded,
    /// in the order in which they must go out.
    ///
    /// # Errors
    /// When the partition has to wait for a schema, or the task has to be restored.
    pub fn process(
        &mut self,
        stored: &Stored,
        codec: &Codec,
        fast: &mut Vec<Record>,
    ) -> Result<Option<Processed>, Stop> {
        assert!(!self.panicked, "a task whose step panicked is dropped and restored");
        if stored.offset < self.next_offset {
            return Ok(None);
        }
        let decoded = match stored.record.value.as_deref().map(|bytes| codec.decode(bytes)) {
            Some(Err(DecodeError::UnknownSchema(id))) => return Err(Stop::UnknownSchema(id)),
            Some(Ok(record)) => Ok(record),
            Some(Err(error)) => Err(DeadReason::new("undecodable", &error)),
            None => Err(DeadReason::text("no_value", "a record of the input without a value")),
        };
        self.next_offset = stored.offset + 1;
        let gap = self.clock.advance(stored.appended_at);
        let duplicate = stored.record.headers.writer.as_ref().is_some_and(|id| {
            self.writers.is_duplicate(id, stored.offset) && !self.mutation.is(Mutation::NoWriterDedupe)
        });
        let mut commit_now = false;
        let outcome = if duplicate {
            Outcome::Filtered("duplicate_record")
        } else if let Some(timer) = self.skipped.get(&stored.offset).cloned() {
            self.cancel(timer.as_ref(), stored.offset);
            Outcome::DeadLettered("panic")
        } else if let Some(panicked) = self.condemned.remove(&stored.offset) {
            commit_now = true;
            self.condemn(stored, panicked, codec)
        } else {
            match catch_unwind(AssertUnwindSafe(|| self.input(decoded, stored))) {
                Ok(Input::Dead(why)) => self.bury(stored, &why, codec),
                Ok(Input::Event(event)) => self.run(stored, Some(event), codec, fast)?,
                Ok(Input::Tick) => self.run(stored, None, codec, fast)?,
                Err(panic) => return Err(self.stop(stored.offset, &*panic, None)),
            }
        };
        self.outcomes.count(outcome);
        self.uncut.count(outcome);
        Ok(Some(Processed {
            outcome,
            gap,
            commit_now,
        }))
    }

    /// The record at this offset panicked a step too often: when it comes, it becomes a dead letter.
    pub fn condemn_at(&mut self, panicked: Panicked) {
        self.condemned.insert(panicked.offset, panicked);
    }

    /// Adds all that changed since the last cut to a commit; `None` if no record was processed since.
    pub fn cut(&mut self, commit: &mut Commit) -> Option<Cut> {
        if self.next_offset == self.cut_offset {
            return None;
        }
        let partition = self.place.partition;
        let changelog = |key, value| Record {
            topic: Topic::ChangelogNetwork,
            partition,
            key,
            value,
            headers: Headers::default(),
        };
        self.exact.take(&mut commit.exact);
        commit.changelog.reserve(self.chain.changed() + 1);
        commit
            .changelog
            .extend(self.tombstones.drain(..).map(|key| changelog(key, None)));
        self.chain
            .cut(&mut |key, value| commit.changelog.push(changelog(key, value)));
        let marker = Bytes::from(self.marker().encode());
        commit
            .changelog
            .push(changelog(Bytes::from_static(MARKER_KEY), Some(marker)));
        commit.positions.push((partition, self.next_offset));
        self.cut_offset = self.next_offset;
        self.slot_bytes = 0;
        Some(Cut {
            next_offset: self.next_offset,
            outcomes: std::mem::take(&mut self.uncut),
        })
    }

    /// Whether a record was processed since the last cut.
    pub fn is_changed(&self) -> bool {
        self.next_offset != self.cut_offset
    }

    /// Slots changed since the last cut.
    pub fn changed_slots(&self) -> usize {
        self.chain.changed()
    }

    /// Bytes that wait for the next cut, about.
    pub fn waiting_bytes(&self) -> usize {
        self.slot_bytes + self.exact.bytes()
    }

    /// The offset it will process next.
    pub fn next_offset(&self) -> Offset {
        self.next_offset
    }

    /// How all records of this partition ended, over all lives of the task.
    pub fn outcomes(&self) -> &Outcomes {
        &self.outcomes
    }

    /// Its two times.
    pub fn clock(&self) -> &TaskClock {
        &self.clock
    }

    /// Live slots of all steps.
    pub fn slots(&self) -> usize {
        self.chain.slots()
    }

    /// Every slot as the changelog has it: key and value.
    pub fn each_slot(&self, out: &mut dyn FnMut(Bytes, Bytes)) {
        self.chain.each_slot(out);
    }

    /// What the steps of its chain say of themselves.
    pub fn describe(&self) -> Vec<StepDescription> {
        self.chain.describe()
    }

    pub(crate) fn begin_at(&mut self, next_offset: Offset) {
        self.next_offset = next_offset;
        self.cut_offset = next_offset;
    }

    pub(crate) fn marker(&self) -> Marker {
        Marker {
            next_offset: self.next_offset,
            generation: self.place.generation,
            partitions: self.place.partitions,
            clock: self.clock,
            writers: self.writers.to_kept(),
            skipped: self
                .skipped
                .iter()
                .map(|(&offset, timer)| Skipped {
                    offset,
                    timer: timer.clone(),
                })
                .collect(),
            outcomes: self.outcomes.clone(),
            deleted: self.deleted,
        }
    }

    fn position(&self, offset: Offset) -> Position {
        Position {
            generation: self.place.generation,
            partition: self.place.partition,
            offset,
        }
    }

    fn input(&self, decoded: Result<AnyRecord, DeadReason>, stored: &Stored) -> Input<E> {
        let record = match decoded {
            Ok(AnyRecord::Tick(_)) => return Input::Tick,
            Ok(record) => record,
            Err(why) => return Input::Dead(why),
        };
        let Ok(root_key) = std::str::from_utf8(&stored.record.key) else {
            return Input::Dead(DeadReason::text("key_not_text", "the record's key is not UTF-8"));
        };
        match self.chain.decode(record, root_key) {
            Ok(event) => Input::Event(event),
            Err(why) => Input::Dead(why),
        }
    }

    fn run(
        &mut self,
        stored: &Stored,
        event: Option<E>,
        codec: &Codec,
        fast: &mut Vec<Record>,
    ) -> Result<Outcome, Stop> {
        let position = self.position(stored.offset);
        let now = Now {
            log_time: self.clock.log_time,
            observed: self.clock.observed,
            position,
        };
        let mut round = std::mem::replace(&mut self.round, Round::idle());
        round.begin(now, event, self.deleted, self.mutation);
        let sent = fast.len();
        let ran = catch_unwind(AssertUnwindSafe(|| {
            self.chain.run(&mut round)?;
            outputs::check(&round)?;
            self.write(stored, &round, codec, fast);
            Ok(())
        }));
        let outcome = match ran {
            Ok(Ok(())) => {
                self.chain.settle();
                self.slot_bytes += round.slot_bytes;
                self.deleted = round.deleted;
                round.outcome()
            }
            Ok(Err(Refused { refusal, timer })) => {
                self.chain.roll_back();
                self.cancel(timer.as_ref(), stored.offset);
                self.bury(stored, &DeadReason::new(refusal.word(), &refusal), codec)
            }
            Err(panic) => {
                fast.truncate(sent);
                return Err(self.stop(stored.offset, &*panic, round.calling));
            }
        };
        round.end();
        self.round = round;
        Ok(outcome)
    }

    fn bury(&mut self, stored: &Stored, why: &DeadReason, codec: &Codec) -> Outcome {
        self.exact
            .push(dead_letter(stored, self.position(stored.offset), why, codec));
        Outcome::DeadLettered(why.reason)
    }

    fn condemn(&mut self, stored: &Stored, panicked: Panicked, codec: &Codec) -> Outcome {
        self.cancel(panicked.timer.as_ref(), stored.offset);
        self.skipped.insert(stored.offset, panicked.timer);
        let key_bytes = |skipped: &BTreeMap<Offset, Option<TimerRef>>| -> usize {
            skipped.values().flatten().map(|timer| timer.key.len()).sum()
        };
        while self.skipped.len() > SKIPPED_MAX || key_bytes(&self.skipped) > SKIPPED_KEY_BYTES_MAX {
            self.skipped.pop_first();
        }
        self.bury(stored, &DeadReason::text("panic", panicked.text), codec)
    }

    fn cancel(&mut self, timer: Option<&TimerRef>, offset: Offset) {
        if let Some(timer) = timer {
            self.chain.cancel(timer, offset);
            self.chain.settle();
        }
    }

    fn stop(&mut self, offset: Offset, panic: &(dyn std::any::Any + Send), calling: Option<Calling>) -> Stop {
        self.panicked = true;
        let said = panic
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        let said = said.unwrap_or("a panic without text");
        let text = match &calling {
            Some(at) => format!("step {}, key `{}`: {said}", at.step, at.key),
            None => said.to_owned(),
        };
        let timer = calling.and_then(|at| {
            Some(TimerRef {
                step: at.step,
                key: at.key.to_string(),
                id: at.timer?,
            })
        });
        Stop::Panicked(Panicked { offset, text, timer })
    }
}

impl<E> std::fmt::Debug for Task<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Task")
            .field("place", &self.place)
            .field("next_offset", &self.next_offset)
            .finish_non_exhaustive()
    }
}
