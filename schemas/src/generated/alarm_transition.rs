//! Generated from the schema of `AlarmTransition` by `cargo run -p xtask -- gen`: not to be edited.

use model::Micros;
use serde::{Deserialize, Serialize};

use crate::records::RecordType;
use crate::wire::{self, Body, Malformed, Reader};
use crate::{Alarm, AlarmView, InputPosition};

/// Something happened to an alarm: the whole alarm after it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlarmTransition {
    /// The alarm.
    pub alarm_id: String,
    /// Its root.
    pub root: String,
    /// raised, reopened, changed, cleared, acknowledged, unacknowledged, commented, silenced, unsilenced, inhibited, uninhibited, suppressed, unsuppressed, refused.
    pub transition: String,
    /// Log time.
    pub at: Micros,
    /// Who did it, if a person did.
    #[serde(default)]
    pub actor: Option<String>,
    /// The act.
    #[serde(default)]
    pub act_id: Option<String>,
    /// Note, comment or reason of the act.
    #[serde(default)]
    pub text: Option<String>,
    /// refused: why, a word: unknown_alarm, already_cleared, already_acknowledged, not_acknowledged, not_silenced, no_text, bad_time, unknown_act.
    #[serde(default)]
    pub refusal: Option<String>,
    /// The input that made it.
    pub position: InputPosition,
    /// The alarm after it; null where a refused act named none that is known.
    #[serde(default)]
    pub alarm: Option<Alarm>,
}

/// A [`AlarmTransition`] whose parts are where they came from.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "fields as in the record")]
pub struct AlarmTransitionView<'a> {
    pub alarm_id: &'a str,
    pub root: &'a str,
    pub transition: &'a str,
    pub at: Micros,
    pub actor: Option<&'a str>,
    pub act_id: Option<&'a str>,
    pub text: Option<&'a str>,
    pub refusal: Option<&'a str>,
    pub position: InputPosition,
    pub alarm: Option<AlarmView<'a>>,
}

impl AlarmTransition {
    /// The record without its own memory.
    pub fn view(&self) -> AlarmTransitionView<'_> {
        AlarmTransitionView {
            alarm_id: &self.alarm_id,
            root: &self.root,
            transition: &self.transition,
            at: self.at,
            actor: self.actor.as_deref(),
            act_id: self.act_id.as_deref(),
            text: self.text.as_deref(),
            refusal: self.refusal.as_deref(),
            position: self.position,
            alarm: self.alarm.as_ref().map(Alarm::view),
        }
    }
}

impl AlarmTransition {
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            alarm_id: r.string()?,
            root: r.string()?,
            transition: r.string()?,
            at: r.micros()?,
            actor: r.optional(Reader::string)?,
            act_id: r.optional(Reader::string)?,
            text: r.optional(Reader::string)?,
            refusal: r.optional(Reader::string)?,
            position: InputPosition::decode(r)?,
            alarm: r.optional(Alarm::decode)?,
        })
    }
}

impl Body for AlarmTransitionView<'_> {
    const RECORD: RecordType = RecordType::AlarmTransition;

    fn encode(&self, out: &mut Vec<u8>) {
        wire::put_text(out, self.alarm_id);
        wire::put_text(out, self.root);
        wire::put_text(out, self.transition);
        wire::put_micros(out, self.at);
        wire::put_optional(out, self.actor, wire::put_text);
        wire::put_optional(out, self.act_id, wire::put_text);
        wire::put_optional(out, self.text, wire::put_text);
        wire::put_optional(out, self.refusal, wire::put_text);
        self.position.encode(out);
        wire::put_optional(out, self.alarm, |out, value| value.encode(out));
    }
}

impl Body for AlarmTransition {
    const RECORD: RecordType = RecordType::AlarmTransition;

    fn encode(&self, out: &mut Vec<u8>) {
        self.view().encode(out);
    }
}
