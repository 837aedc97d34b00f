//! Generated from the schema of `FlapPolicy` by `cargo run -p xtask -- gen`: not to be edited.

use serde::{Deserialize, Serialize};

use crate::wire::{self, Malformed, Reader};

/// When an alarm that comes and goes is suppressed: a figure of merit that grows with each raise and halves with time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FlapPolicy {
    /// Added at each raise.
    pub penalty: f64,
    /// Seconds in which the figure halves.
    pub half_life_s: i64,
    /// At or above this it is suppressed.
    pub suppress: f64,
    /// Below this it is shown again.
    pub reuse: f64,
    /// It never grows beyond this.
    pub ceiling: f64,
}

impl FlapPolicy {
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            penalty: r.double()?,
            half_life_s: r.long()?,
            suppress: r.double()?,
            reuse: r.double()?,
            ceiling: r.double()?,
        })
    }
}

impl FlapPolicy {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        wire::put_double(out, self.penalty);
        wire::put_long(out, self.half_life_s);
        wire::put_double(out, self.suppress);
        wire::put_double(out, self.reuse);
        wire::put_double(out, self.ceiling);
    }
}
