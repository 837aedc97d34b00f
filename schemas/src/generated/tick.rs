//! Generated from the schema of `Tick` by `cargo run -p xtask -- gen`: not to be edited.

use model::Micros;
use serde::{Deserialize, Serialize};

use crate::records::RecordType;
use crate::wire::{self, Body, Malformed, Reader};

/// Moves log time on in a quiet partition. Its append time is all that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tick {
    /// The owner's clock, for people only.
    pub sent_at: Micros,
}

impl Tick {
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self { sent_at: r.micros()? })
    }
}

impl Body for Tick {
    const RECORD: RecordType = RecordType::Tick;

    fn encode(&self, out: &mut Vec<u8>) {
        wire::put_micros(out, self.sent_at);
    }
}
