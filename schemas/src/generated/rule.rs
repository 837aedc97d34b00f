//! Generated from the schema of `Rule` by `cargo run -p xtask -- gen`: not to be edited.

use model::Micros;
use serde::{Deserialize, Serialize};

use crate::records::RecordType;
use crate::wire::{self, Body, Malformed, Reader};
use crate::{FlapPolicy, Scope, ScopeView};

/// One version of an alarm rule, never changed afterwards.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// The rule; all its versions have it.
    pub rule_id: String,
    /// Counts its versions, from 1. Of two versions the one with the higher (version, writer) stands.
    pub version: i64,
    /// Who wrote this version: decides between two of one number.
    pub writer: String,
    /// When it was written.
    pub at: Micros,
    /// The user who wrote it; `atalaia` for what comes with the product.
    pub author: String,
    /// The rule is gone: its open alarms clear.
    pub removed: bool,
    /// It is applied; when it no longer is, its open alarms clear.
    pub enabled: bool,
    /// Name, for people.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
    /// Severity of its alarms: critical, major, minor, warning, indeterminate.
    pub severity: String,
    /// above, below, outside, rate, state, no_data, slope.
    pub condition: String,
    /// Measure it looks at; null for state, and for no_data of anything that is measured.
    #[serde(default)]
    pub measure: Option<String>,
    /// below, outside: lower limit. rate: fall over the window at which it raises, below 0. slope: fall in a day, below 0.
    #[serde(default)]
    pub low: Option<f64>,
    /// above, outside: upper limit. rate: rise over the window, above 0. slope: rise in a day, above 0.
    #[serde(default)]
    pub high: Option<f64>,
    /// rate, slope: the time looked at, in seconds.
    #[serde(default)]
    pub window_s: Option<i64>,
    /// state: the states in which it raises.
    pub states: Vec<String>,
    /// state: the causes with which it raises; empty: any.
    pub causes: Vec<String>,
    /// How far inside the limit a value has to come back before it clears, in the measure's unit.
    pub dead_band: f64,
    /// Seconds for which the condition has to hold before it raises, in observed time.
    pub raise_after_s: i64,
    /// Seconds for which it has to be over before it clears.
    pub clear_after_s: i64,
    /// A raise within so many seconds of a clear opens the same alarm again.
    pub reraise_after_s: i64,
    /// Text of its alarms, with {entity} {name} {site} {measure} {value} {unit} {limit} {state} {cause} {since}.
    pub message: String,
    /// What it applies to.
    pub scope: Scope,
    /// When it is suppressed; null: never.
    #[serde(default)]
    pub flap: Option<FlapPolicy>,
}

/// A [`Rule`] whose parts are where they came from.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "fields as in the record")]
pub struct RuleView<'a> {
    pub rule_id: &'a str,
    pub version: i64,
    pub writer: &'a str,
    pub at: Micros,
    pub author: &'a str,
    pub removed: bool,
    pub enabled: bool,
    pub name: &'a str,
    pub description: Option<&'a str>,
    pub severity: &'a str,
    pub condition: &'a str,
    pub measure: Option<&'a str>,
    pub low: Option<f64>,
    pub high: Option<f64>,
    pub window_s: Option<i64>,
    pub states: &'a [String],
    pub causes: &'a [String],
    pub dead_band: f64,
    pub raise_after_s: i64,
    pub clear_after_s: i64,
    pub reraise_after_s: i64,
    pub message: &'a str,
    pub scope: ScopeView<'a>,
    pub flap: Option<FlapPolicy>,
}

impl Rule {
    /// The record without its own memory.
    pub fn view(&self) -> RuleView<'_> {
        RuleView {
            rule_id: &self.rule_id,
            version: self.version,
            writer: &self.writer,
            at: self.at,
            author: &self.author,
            removed: self.removed,
            enabled: self.enabled,
            name: &self.name,
            description: self.description.as_deref(),
            severity: &self.severity,
            condition: &self.condition,
            measure: self.measure.as_deref(),
            low: self.low,
            high: self.high,
            window_s: self.window_s,
            states: &self.states,
            causes: &self.causes,
            dead_band: self.dead_band,
            raise_after_s: self.raise_after_s,
            clear_after_s: self.clear_after_s,
            reraise_after_s: self.reraise_after_s,
            message: &self.message,
            scope: self.scope.view(),
            flap: self.flap,
        }
    }
}

impl Rule {
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            rule_id: r.string()?,
            version: r.long()?,
            writer: r.string()?,
            at: r.micros()?,
            author: r.string()?,
            removed: r.boolean()?,
            enabled: r.boolean()?,
            name: r.string()?,
            description: r.optional(Reader::string)?,
            severity: r.string()?,
            condition: r.string()?,
            measure: r.optional(Reader::string)?,
            low: r.optional(Reader::double)?,
            high: r.optional(Reader::double)?,
            window_s: r.optional(Reader::long)?,
            states: r.list(Reader::string)?,
            causes: r.list(Reader::string)?,
            dead_band: r.double()?,
            raise_after_s: r.long()?,
            clear_after_s: r.long()?,
            reraise_after_s: r.long()?,
            message: r.string()?,
            scope: Scope::decode(r)?,
            flap: r.optional(FlapPolicy::decode)?,
        })
    }
}

impl Body for RuleView<'_> {
    const RECORD: RecordType = RecordType::Rule;

    fn encode(&self, out: &mut Vec<u8>) {
        wire::put_text(out, self.rule_id);
        wire::put_long(out, self.version);
        wire::put_text(out, self.writer);
        wire::put_micros(out, self.at);
        wire::put_text(out, self.author);
        wire::put_boolean(out, self.removed);
        wire::put_boolean(out, self.enabled);
        wire::put_text(out, self.name);
        wire::put_optional(out, self.description, wire::put_text);
        wire::put_text(out, self.severity);
        wire::put_text(out, self.condition);
        wire::put_optional(out, self.measure, wire::put_text);
        wire::put_optional(out, self.low, wire::put_double);
        wire::put_optional(out, self.high, wire::put_double);
        wire::put_optional(out, self.window_s, wire::put_long);
        wire::put_list(out, self.states, |out, value| wire::put_text(out, value));
        wire::put_list(out, self.causes, |out, value| wire::put_text(out, value));
        wire::put_double(out, self.dead_band);
        wire::put_long(out, self.raise_after_s);
        wire::put_long(out, self.clear_after_s);
        wire::put_long(out, self.reraise_after_s);
        wire::put_text(out, self.message);
        self.scope.encode(out);
        wire::put_optional(out, self.flap, |out, value| value.encode(out));
    }
}

impl Body for Rule {
    const RECORD: RecordType = RecordType::Rule;

    fn encode(&self, out: &mut Vec<u8>) {
        self.view().encode(out);
    }
}
