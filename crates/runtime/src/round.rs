//! What one record does on its way through a chain.

use model::Micros;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use topology::{RECORD_BYTES_MAX, SLOT_BYTES_MAX, Topic};

use crate::mutation::Mutation;
use crate::outcome::Outcome;
use crate::{Now, Output, Reason, StateKey};

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

/// An output with what its id is made of.
#[derive(Debug)]
pub(crate) struct Made {
    pub step: u8,
    pub key: StateKey,
    pub n: u32,
    pub timer: Option<u8>,
    pub output: Output,
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

#[derive(Debug)]
pub(crate) struct Round<E> {
    pub now: Now,
    /// The record's own event and those of the steps so far, in id order.
    pub events: Vec<E>,
    pub outputs: Vec<Made>,
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
    pub fn new(now: Now, event: Option<E>, deleted: Micros, mutation: Mutation) -> Self {
        Self {
            now,
            events: event.into_iter().collect(),
            outputs: Vec::new(),
            timers_left: TIMERS_PER_RECORD_MAX,
            calling: None,
            slot_bytes: 0,
            deleted,
            mutation,
            filtered: None,
        }
    }

    /// Takes note of how a call ended.
    pub fn said(&mut self, reason: Reason) {
        if let Reason::Filtered(word) = reason {
            self.filtered = self.filtered.or(Some(word));
        }
    }

    /// The one end of the record: it made these outputs, or else a step refused it, or else it was taken in.
    pub fn outcome(&self, outputs: usize) -> Outcome {
        match self.filtered {
            _ if outputs > 0 => Outcome::Emitted,
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
    #[error("a record for {topic} cannot be encoded")]
    Unencodable {
        topic: Topic,
        #[source]
        source: schemas::EncodeError,
    },
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
            Self::Unencodable { .. } => "record_unencodable",
        }
    }
}

/// A refusal, and the timer whose call caused it.
#[derive(Debug)]
pub(crate) struct Refused {
    pub refusal: Refusal,
    pub timer: Option<TimerRef>,
}
