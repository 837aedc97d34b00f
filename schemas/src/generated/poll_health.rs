//! Generated from the schema of `PollHealth` by `cargo run -p xtask -- gen`: not to be edited.

use model::Micros;
use serde::{Deserialize, Serialize};

use crate::wire::{self, Malformed, Reader};
use crate::{PendingOnus, PendingOnusView};

/// How reading an OLT goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollHealth {
    /// When the last good reading was asked for, to a minute.
    #[serde(default)]
    pub last_good_at: Option<Micros>,
    /// How long that took, in milliseconds.
    #[serde(default)]
    pub took_ms: Option<i64>,
    /// When readings began to fail; null if the last one was good.
    #[serde(default)]
    pub failing_since: Option<Micros>,
    /// Why the last one failed, a word of a closed set.
    #[serde(default)]
    pub class: Option<String>,
    /// More for people, free of secrets.
    #[serde(default)]
    pub detail: Option<String>,
    /// How many have failed since the last good one.
    pub in_a_row: i32,
    /// Firmware and patch.
    #[serde(default)]
    pub firmware: Option<String>,
    /// Algorithms agreed on with it, in words.
    #[serde(default)]
    pub security: Option<String>,
    /// It is spoken to with algorithms, or a transport, that are no longer held to be safe.
    pub legacy: bool,
    /// Rows of its readings so far that no device of its kind can have.
    pub rows_refused: i64,
    /// ONUs that wait to be provisioned, as of the newest complete reading of them; null if there was none.
    #[serde(default)]
    pub pending: Option<PendingOnus>,
}

/// A [`PollHealth`] whose parts are where they came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields as in the record")]
pub struct PollHealthView<'a> {
    pub last_good_at: Option<Micros>,
    pub took_ms: Option<i64>,
    pub failing_since: Option<Micros>,
    pub class: Option<&'a str>,
    pub detail: Option<&'a str>,
    pub in_a_row: i32,
    pub firmware: Option<&'a str>,
    pub security: Option<&'a str>,
    pub legacy: bool,
    pub rows_refused: i64,
    pub pending: Option<PendingOnusView<'a>>,
}

impl PollHealth {
    /// The record without its own memory.
    pub fn view(&self) -> PollHealthView<'_> {
        PollHealthView {
            last_good_at: self.last_good_at,
            took_ms: self.took_ms,
            failing_since: self.failing_since,
            class: self.class.as_deref(),
            detail: self.detail.as_deref(),
            in_a_row: self.in_a_row,
            firmware: self.firmware.as_deref(),
            security: self.security.as_deref(),
            legacy: self.legacy,
            rows_refused: self.rows_refused,
            pending: self.pending.as_ref().map(PendingOnus::view),
        }
    }
}

impl PollHealth {
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            last_good_at: r.optional(Reader::micros)?,
            took_ms: r.optional(Reader::long)?,
            failing_since: r.optional(Reader::micros)?,
            class: r.optional(Reader::string)?,
            detail: r.optional(Reader::string)?,
            in_a_row: r.int()?,
            firmware: r.optional(Reader::string)?,
            security: r.optional(Reader::string)?,
            legacy: r.boolean()?,
            rows_refused: r.long()?,
            pending: r.optional(PendingOnus::decode)?,
        })
    }
}

impl PollHealthView<'_> {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        wire::put_optional(out, self.last_good_at, wire::put_micros);
        wire::put_optional(out, self.took_ms, wire::put_long);
        wire::put_optional(out, self.failing_since, wire::put_micros);
        wire::put_optional(out, self.class, wire::put_text);
        wire::put_optional(out, self.detail, wire::put_text);
        wire::put_int(out, self.in_a_row);
        wire::put_optional(out, self.firmware, wire::put_text);
        wire::put_optional(out, self.security, wire::put_text);
        wire::put_boolean(out, self.legacy);
        wire::put_long(out, self.rows_refused);
        wire::put_optional(out, self.pending, |out, value| value.encode(out));
    }
}
