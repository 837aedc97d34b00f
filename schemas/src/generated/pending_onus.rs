//! Generated from the schema of `PendingOnus` by `cargo run -p xtask -- gen`: not to be edited.

use model::Micros;
use serde::{Deserialize, Serialize};

use crate::AutofindRow;
use crate::wire::{self, Malformed, Reader};

/// ONUs that an OLT found and that nobody has added yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingOnus {
    /// When the reading was asked for that first said so.
    pub observed_at: Micros,
    /// There are more than these.
    pub more: bool,
    /// ONUs, at most 64.
    pub onus: Vec<AutofindRow>,
}

/// A [`PendingOnus`] whose parts are where they came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields as in the record")]
pub struct PendingOnusView<'a> {
    pub observed_at: Micros,
    pub more: bool,
    pub onus: &'a [AutofindRow],
}

impl PendingOnus {
    /// The record without its own memory.
    pub fn view(&self) -> PendingOnusView<'_> {
        PendingOnusView {
            observed_at: self.observed_at,
            more: self.more,
            onus: &self.onus,
        }
    }
}

impl PendingOnus {
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            observed_at: r.micros()?,
            more: r.boolean()?,
            onus: r.list(AutofindRow::decode)?,
        })
    }
}

impl PendingOnusView<'_> {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        wire::put_micros(out, self.observed_at);
        wire::put_boolean(out, self.more);
        wire::put_list(out, self.onus, |out, value| value.encode(out));
    }
}
