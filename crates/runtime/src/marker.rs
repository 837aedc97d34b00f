//! The marker: one record a partition and commit with all that is global to a task. It is the truth for the next offset.

use model::Offset;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::clock::TaskClock;
use crate::outcome::Outcomes;
use crate::round::TimerRef;
use crate::writers::WritersKept;

/// Number of the marker's format.
const FORMAT: u8 = 1;

/// Why a marker cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MarkerError {
    /// Written by another build.
    #[error("the marker is of format {0}, this build reads {FORMAT}")]
    Format(u8),
    /// Damaged.
    #[error("the marker does not decode: {0}")]
    Damaged(String),
}

/// An input that panicked a step three times: a replay skips it too, and cancels the timer that did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Skipped {
    pub offset: Offset,
    pub timer: Option<TimerRef>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Marker {
    /// Next input offset to read.
    pub next_offset: Offset,
    /// Generation of the input.
    pub generation: u32,
    /// Partitions of every topic.
    pub partitions: u32,
    pub clock: TaskClock,
    pub writers: WritersKept,
    pub skipped: Vec<Skipped>,
    pub outcomes: Outcomes,
}

impl Marker {
    pub fn encode(&self) -> Vec<u8> {
        postcard::to_extend(self, vec![FORMAT]).expect("numbers, texts and lists always encode")
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, MarkerError> {
        match bytes.split_first() {
            Some((&FORMAT, rest)) => postcard::from_bytes(rest).map_err(|e| MarkerError::Damaged(e.to_string())),
            Some((&other, _)) => Err(MarkerError::Format(other)),
            None => Err(MarkerError::Damaged("it is empty".into())),
        }
    }
}
