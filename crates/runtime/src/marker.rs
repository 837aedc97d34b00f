//! The marker: one record a partition and commit with all that is global to a task. It is the truth for the next offset.

use model::{Micros, Offset};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::clock::TaskClock;
use crate::outcome::Outcomes;
use crate::round::TimerRef;
use crate::writers::WritersKept;

/// Number of the marker's format.
const FORMAT: u8 = 2;
/// The format before: without the last field.
const FORMAT_BEFORE: u8 = 1;

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
    /// Highest write time of a slot that is gone.
    pub deleted: Micros,
}

impl Marker {
    pub fn encode(&self) -> Vec<u8> {
        postcard::to_extend(self, vec![FORMAT]).expect("numbers, texts and lists always encode")
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, MarkerError> {
        match bytes.split_first() {
            Some((&FORMAT, rest)) => postcard::from_bytes(rest).map_err(|e| MarkerError::Damaged(e.to_string())),
            Some((&FORMAT_BEFORE, rest)) => {
                let zero = postcard::to_allocvec(&Micros(0)).expect("a number always encodes");
                Self::decode(&[&[FORMAT], rest, &zero].concat())
            }
            Some((&other, _)) => Err(MarkerError::Format(other)),
            None => Err(MarkerError::Damaged("it is empty".into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_of_the_format_before_is_read() {
        let marker = Marker {
            next_offset: 7,
            generation: 1,
            partitions: 8,
            clock: TaskClock::default(),
            writers: WritersKept::default(),
            skipped: Vec::new(),
            outcomes: Outcomes::default(),
            deleted: Micros(300),
        };
        let now = Marker::decode(&marker.encode()).unwrap();
        assert_eq!((now.next_offset, now.deleted), (7, Micros(300)));
        let tail = postcard::to_allocvec(&marker.deleted).unwrap().len();
        let mut before = marker.encode();
        before.truncate(before.len() - tail);
        before[0] = FORMAT_BEFORE;
        let before = Marker::decode(&before).unwrap();
        assert_eq!((before.next_offset, before.deleted), (7, Micros(0)));
        assert_eq!(Marker::decode(&[9, 1]).unwrap_err(), MarkerError::Format(9));
    }
}
