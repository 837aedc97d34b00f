//! What a step is: a pure total function of (state of one key, event, now).

use std::sync::Arc;

use bytes::Bytes;
use model::{Micros, Position};
use schemas::{AnyRecord, Body};
use serde::Serialize;
use serde::de::DeserializeOwned;
use topology::Topic;

use crate::drafts::Drafts;
use crate::round::Made;

/// Key of one slot of state: an entity's id, or a wider thing and what hangs on it.
pub type StateKey = Arc<str>;

/// What a step says of itself; documentation and a test against `topology` read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepDescription {
    /// Number, as in `topology`: part of record ids and changelog keys, never changed.
    pub number: u8,
    /// Name, as in `topology`.
    pub name: &'static str,
    /// What it takes.
    pub reads: &'static str,
    /// Topics it writes.
    pub writes: &'static [Topic],
    /// What its state is keyed by.
    pub key: &'static str,
    /// What its state is.
    pub state: &'static str,
    /// Which times it uses, and its timers.
    pub time: &'static str,
    /// What it promises.
    pub guarantee: &'static str,
    /// Number of the state's format; a slot of another number is read by [`Step::upgrade`].
    pub format: u8,
}

/// The only times a step may know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Log time: append time of the input, never decreasing inside a task. For calendar deadlines.
    pub log_time: Micros,
    /// Observed time: the sum of append-time differences, each clipped to 0…30 s. For every delay.
    pub observed: Micros,
    /// Position of the input in `observations`.
    pub position: Position,
}

/// When a timer is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, serde::Deserialize)]
pub enum Deadline {
    /// In observed time.
    Observed(Micros),
    /// In log time.
    LogTime(Micros),
}

/// What a step is called with.
#[derive(Debug)]
pub enum Input<'a, E> {
    /// An event of an earlier step, or the record itself.
    Event(&'a E),
    /// One of this key's timers is due.
    Timer {
        /// Its number, chosen by the step.
        id: u8,
        /// The deadline it was set to.
        deadline: Deadline,
    },
}

/// How an input ended for one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// It changed something, or said something. The word is of the step's own closed set.
    Did(&'static str),
    /// It was known already, or is none of this step's business.
    Absorbed(&'static str),
    /// It was refused, for this reason.
    Filtered(&'static str),
    /// It cannot be read, for this reason: all that the record did is taken back, and its bytes go to `dead-letters`.
    Dead(&'static str),
}

/// What becomes of the key's state.
#[derive(Debug, Clone, PartialEq)]
pub enum Change<S> {
    /// As it was.
    Keep,
    /// This instead.
    Put(S),
    /// Nothing (a tombstone).
    Delete,
}

/// What a step decides.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict<S> {
    /// The state after it.
    pub change: Change<S>,
    /// Why.
    pub reason: Reason,
}

impl<S> Verdict<S> {
    /// Nothing changes.
    pub fn keep(reason: Reason) -> Self {
        Self {
            change: Change::Keep,
            reason,
        }
    }

    /// The state becomes this.
    pub fn put(state: S, reason: Reason) -> Self {
        Self {
            change: Change::Put(state),
            reason,
        }
    }
}

/// An output of a step, for tests of the step alone.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// Where to.
    pub topic: Topic,
    /// Its key.
    pub key: Bytes,
    /// The record; `None` is a tombstone.
    pub record: Option<AnyRecord>,
}

/// What a step hands out during one call.
#[derive(Debug)]
pub struct Out<E> {
    pub(crate) events: Vec<E>,
    pub(crate) drafts: Drafts,
    pub(crate) timers: Vec<(u8, Option<Deadline>)>,
    pub(crate) write_time: Micros,
    pub(crate) write_time_used: bool,
    /// What the record's steps have written so far: for each of `drafts` before this call, what its id is made of.
    pub(crate) made: Vec<Made>,
    /// `n` of this call's first output.
    pub(crate) first_n: u32,
}

impl<E> Out<E> {
    /// An empty one; `write_time` is the slot's next write time.
    pub fn new(write_time: Micros) -> Self {
        Self {
            events: Vec::new(),
            drafts: Drafts::default(),
            timers: Vec::new(),
            write_time,
            write_time_used: false,
            made: Vec::new(),
            first_n: 0,
        }
    }

    /// Hands an event to every later step that takes it.
    pub fn event(&mut self, event: E) {
        self.events.push(event);
    }

    /// Writes a record, or a view of one, to a topic the step has described. It is encoded at once; the engine gives it its
    /// id and its partition.
    pub fn record(&mut self, topic: Topic, key: impl AsRef<[u8]>, record: impl Body) {
        self.drafts.record(topic, key.as_ref(), &record);
    }

    /// Deletes a key of a compacted topic.
    pub fn tombstone(&mut self, topic: Topic, key: impl AsRef<[u8]>) {
        self.drafts.tombstone(topic, key.as_ref());
    }

    /// Write time for a row that may be rewritten with other content: `max(previous + 1, append time)`, kept in the slot.
    /// The same within one call. Only a slot that is put keeps it: a step that takes it must also put its state.
    pub fn write_time(&mut self) -> Micros {
        self.write_time_used = true;
        self.write_time
    }

    /// Sets (or moves) one of the key's timers.
    pub fn set_timer(&mut self, id: u8, deadline: Deadline) {
        self.timers.push((id, Some(deadline)));
    }

    /// Cancels one of the key's timers.
    pub fn cancel_timer(&mut self, id: u8) {
        self.timers.push((id, None));
    }

    /// The `n` in the record id of what is written next: with the position, the step and the key it is that record's id.
    pub fn next_n(&self) -> u32 {
        let written = self.drafts.list().len() - self.made.len();
        self.first_n.saturating_add(u32::try_from(written).unwrap_or(u32::MAX))
    }

    /// The `n` in the record id of the last record that an earlier step wrote for this input under this state key into this
    /// topic: how a step names to others what stands in the log because of the same input.
    pub fn n_written(&self, step: u8, key: &str, topic: Topic) -> Option<u32> {
        let end = self.made.partition_point(|made| (made.step, &*made.key) <= (step, key));
        let of_key = self.made[..end].iter().zip(self.drafts.list()).rev();
        of_key
            .take_while(|(made, _)| (made.step, &*made.key) == (step, key))
            .find(|(_, draft)| draft.topic == topic)
            .map(|(made, _)| made.n)
    }

    /// What was handed out, for tests of a step alone.
    pub fn into_parts(self) -> (Vec<E>, Vec<Output>) {
        (self.events, self.drafts.to_outputs())
    }
}

/// A pure total function, and what it needs to be run: no async, clock, randomness, I/O or log inside.
pub trait Step: Send + 'static {
    /// What steps hand to each other.
    type Event: Send + 'static;
    /// State of one key. Encoded with `postcard`: any change of its shape is a new format number.
    type State: Clone + PartialEq + std::fmt::Debug + Serialize + DeserializeOwned + Send + 'static;

    /// What it is.
    fn describe(&self) -> StepDescription;

    /// Adds the keys this event concerns; none if it is not this step's. Order does not matter, repeats do no harm.
    fn keys(&self, event: &Self::Event, keys: &mut Vec<StateKey>);

    /// Whether [`Step::remember`] is to be called: a step that decides by one key's state alone need not be asked.
    const REMEMBERS: bool = false;

    /// The slot of a key became another one: what a step has to know beyond the key it decides about (rules, which keys have
    /// something open) it gathers here, as an index over its own slots that [`Step::keys`] and [`Step::apply`] then read.
    ///
    /// Called for every change, in the order of the calls of `apply`, for every slot of a restore in any order, and backwards
    /// when a record is taken back. So the index must be a function of the slots that there are, and of nothing else: not of
    /// the order in which they came.
    fn remember(&mut self, key: &StateKey, before: Option<&Self::State>, after: Option<&Self::State>) {
        let _ = (key, before, after);
    }

    /// Decides about one key. The engine calls it for the keys of a record in their order.
    fn apply(
        &self,
        key: &StateKey,
        state: Option<&Self::State>,
        input: Input<'_, Self::Event>,
        now: &Now,
        out: &mut Out<Self::Event>,
    ) -> Verdict<Self::State>;

    /// At least the bytes that a state takes in its format, if that is quick to tell; otherwise they are counted, which takes
    /// as long as encoding it.
    fn bytes_max(&self, state: &Self::State) -> Option<usize> {
        let _ = state;
        None
    }

    /// Reads a slot written in an earlier format; `None` if it cannot.
    fn upgrade(&self, format: u8, bytes: &[u8]) -> Option<Self::State> {
        let _ = (format, bytes);
        None
    }
}
