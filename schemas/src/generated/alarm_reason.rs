//! Generated from the schema of `AlarmReason` by `cargo run -p xtask -- gen`: not to be edited.

use model::Micros;
use serde::{Deserialize, Serialize};

use crate::wire::{self, Malformed, Reader};

/// Why an alarm is as it is, with the numbers that decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlarmReason {
    /// A word of a closed set: above, below, outside, rate, state, no_data, slope, trap, table, within_limits, state_left, data_back, not_listed, rule_changed, rule_removed, out_of_scope, operator, flapping, settled, parent, silence, unsilenced.
    pub word: String,
    /// Measure.
    #[serde(default)]
    pub measure: Option<String>,
    /// Value that decided.
    #[serde(default)]
    pub value: Option<f64>,
    /// Its unit.
    #[serde(default)]
    pub unit: Option<String>,
    /// Limit it was compared with, the dead band counted in.
    #[serde(default)]
    pub limit: Option<f64>,
    /// When that was observed.
    #[serde(default)]
    pub observed_at: Option<Micros>,
    /// For how long the condition had held, in observed seconds.
    #[serde(default)]
    pub held_s: Option<i64>,
    /// State.
    #[serde(default)]
    pub state: Option<String>,
    /// Cause of the state.
    #[serde(default)]
    pub cause: Option<String>,
    /// More for people.
    #[serde(default)]
    pub detail: Option<String>,
}

/// A [`AlarmReason`] whose parts are where they came from.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "fields as in the record")]
pub struct AlarmReasonView<'a> {
    pub word: &'a str,
    pub measure: Option<&'a str>,
    pub value: Option<f64>,
    pub unit: Option<&'a str>,
    pub limit: Option<f64>,
    pub observed_at: Option<Micros>,
    pub held_s: Option<i64>,
    pub state: Option<&'a str>,
    pub cause: Option<&'a str>,
    pub detail: Option<&'a str>,
}

impl AlarmReason {
    /// The record without its own memory.
    pub fn view(&self) -> AlarmReasonView<'_> {
        AlarmReasonView {
            word: &self.word,
            measure: self.measure.as_deref(),
            value: self.value,
            unit: self.unit.as_deref(),
            limit: self.limit,
            observed_at: self.observed_at,
            held_s: self.held_s,
            state: self.state.as_deref(),
            cause: self.cause.as_deref(),
            detail: self.detail.as_deref(),
        }
    }
}

impl AlarmReason {
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            word: r.string()?,
            measure: r.optional(Reader::string)?,
            value: r.optional(Reader::double)?,
            unit: r.optional(Reader::string)?,
            limit: r.optional(Reader::double)?,
            observed_at: r.optional(Reader::micros)?,
            held_s: r.optional(Reader::long)?,
            state: r.optional(Reader::string)?,
            cause: r.optional(Reader::string)?,
            detail: r.optional(Reader::string)?,
        })
    }
}

impl AlarmReasonView<'_> {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        wire::put_text(out, self.word);
        wire::put_optional(out, self.measure, wire::put_text);
        wire::put_optional(out, self.value, wire::put_double);
        wire::put_optional(out, self.unit, wire::put_text);
        wire::put_optional(out, self.limit, wire::put_double);
        wire::put_optional(out, self.observed_at, wire::put_micros);
        wire::put_optional(out, self.held_s, wire::put_long);
        wire::put_optional(out, self.state, wire::put_text);
        wire::put_optional(out, self.cause, wire::put_text);
        wire::put_optional(out, self.detail, wire::put_text);
    }
}
