//! Generated from the schema of `InputPosition` by `cargo run -p xtask -- gen`: not to be edited.

use serde::{Deserialize, Serialize};

use crate::wire::{self, Malformed, Reader};

/// Position of an input in `observations`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputPosition {
    /// Generation of the topic.
    pub generation: i32,
    /// Partition.
    pub partition: i32,
    /// Offset.
    pub offset: i64,
}

impl InputPosition {
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            generation: r.int()?,
            partition: r.int()?,
            offset: r.long()?,
        })
    }
}

impl InputPosition {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        wire::put_int(out, self.generation);
        wire::put_int(out, self.partition);
        wire::put_long(out, self.offset);
    }
}
