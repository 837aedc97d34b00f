//! What one record does on its way through a chain.

use model::{Micros, Position};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use topology::{RECORD_BYTES_MAX, SLOT_BYTES_MAX, Topic};

use crate::drafts::Drafts;
use crate::mutation::Mutation;
use crate::outcome::Outcome;
use crate::{Now, Reason, StateKey};

/// Timers one record fires at most; the rest wait for the next record (design §4).
pub const TIMERS_PER_RECORD_MAX: usize = 1_000;

/// Longest key of a record or a slot, in bytes: what the log takes, less the step number in front of a slot's.
pub(crate) const KEY_BYTES_MAX: usize = 8 * 1024 - 1;

/// A timer, named from outside its step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TimerRef {
    pub step: u8,
    pub key: String,
    pub id: u8,
}

/// What the id of an output is made of.
#[derive(Debug)]
pub(crate) struct Made {
    pub step: u8,
    pub key: StateKey,
    pub n: u32,
    pub timer: Option<u8>,
}

impl Made {
    /// The timer whose call made it.
    pub fn timer_ref(&self) -> Option<TimerRef> {
        self.timer.map(|id| TimerRef {
            step: self.step,
            key: self.key.to_string(),
            id,
        })
    }
}

/// The call being made, for whoever catches a panic of it.
#[derive(Debug, Clone)]
pub(crate) struct Calling {
    pub step: u8,
    pub key: StateKey,
    pub timer: Option<u8>,
}

/// One record's way. A task keeps one and begins it anew with each record, so that its buffers are used again.
#[derive(Debug)]
pub(crate) struct Round<E> {
    pub now: Now,
    /// The record's own event and those of the steps so far, in id order.
    pub events: Vec<E>,
    /// What was written, and for each of it what its id is made of.
    pub drafts: Drafts,
    pub made: Vec<Made>,
    pub timers_left: usize,
    pub calling: Option<Calling>,
    /// Bytes of slots put.
    pub slot_bytes: usize,
    /// Highest write time of a slot that is gone: one made anew writes above it, or its first row would lose against what
    /// the deletion left in a store.
    pub deleted: Micros,
    pub mutation: Mutation,
    filtered: Option<&'static str>,
}

impl<E> Round<E> {
    /// One that has not begun.
    pub fn idle() -> Self {
        let position = Position {
            generation: 0,
            partition: 0,
            offset: 0,
        };
        Self {
            now: Now {
                log_time: Micros(0),
                observed: Micros(0),
                position,
            },
            events: Vec::new(),
            drafts: Drafts::default(),
            made: Vec::new(),
            timers_left: 0,
            calling: None,
            slot_bytes: 0,
            deleted: Micros(0),
            mutation: Mutation::None,
            filtered: None,
        }
    }

    /// Begins with a record's event, or without one.
    pub fn begin(&mut self, now: Now, event: Option<E>, deleted: Micros, mutation: Mutation) {
        self.end();
        self.now = now;
        self.events.extend(event);
        self.timers_left = TIMERS_PER_RECORD_MAX;
        self.slot_bytes = 0;
        self.deleted = deleted;
        self.mutation = mutation;
        self.filtered = None;
    }

    /// Lets go of what the record brought.
    pub fn end(&mut self) {
        self.events.clear();
        self.drafts.clear();
        self.made.clear();
        self.calling = None;
    }

    /// Takes note of how a call ended.
    pub fn said(&mut self, reason: Reason) {
        if let Reason::Filtered(word) = reason {
            self.filtered = self.filtered.or(Some(word));
        }
    }

    /// The one end of the record: it made these outputs, or else a step refused it, or else it was taken in.
    pub fn outcome(&self) -> Outcome {
        match self.filtered {
            _ if !self.made.is_empty() => Outcome::Emitted,
            Some(reason) => Outcome::Filtered(reason),
            None => Outcome::Absorbed,
        }
    }
}

/// Why a record's effects are taken back and it becomes a dead letter.
#[derive(Debug, Error)]
pub(crate) enum Refusal {
    #[error("step {step} cannot read the record: {word}")]
    Unreadable { step: u8, word: &'static str },
    #[error("the slot of step {step}, key `{key}` would take {bytes} bytes, more than {SLOT_BYTES_MAX}")]
    SlotTooLarge { step: u8, key: String, bytes: usize },
    #[error("a key of step {step} has {bytes} bytes, more than {KEY_BYTES_MAX}")]
    KeyTooLarge { step: u8, bytes: usize },
    #[error("the slot of step {step}, key `{key}` cannot be encoded")]
    SlotUnencodable { step: u8, key: String },
    #[error("a record for {topic} would take {bytes} bytes, more than {RECORD_BYTES_MAX}")]
    RecordTooLarge { topic: Topic, bytes: usize },
}

impl Refusal {
    /// The word for `dead-letters` and metrics.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Unreadable { word, .. } => word,
            Self::SlotTooLarge { .. } => "slot_too_large",
            Self::KeyTooLarge { .. } => "key_too_large",
            Self::SlotUnencodable { .. } => "slot_unencodable",
            Self::RecordTooLarge { .. } => "record_too_large",
        }
    }
}

/// A refusal, and the timer whose call caused it.
#[derive(Debug)]
pub(crate) struct Refused {
    pub refusal: Refusal,
    pub timer: Option<TimerRef>,
}
