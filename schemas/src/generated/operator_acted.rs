//! Generated from the schema of `OperatorActed` by `cargo run -p xtask -- gen`: not to be edited.

use model::Micros;
use serde::{Deserialize, Serialize};

use crate::records::RecordType;
use crate::wire::{self, Body, Malformed, Reader, View};

/// A person did something to one alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorActed {
    /// Root of the alarm's entity.
    pub root: String,
    /// The alarm's entity.
    pub entity: String,
    /// The alarm.
    pub alarm_id: String,
    /// One for one act: an act with the same id again is the same act.
    pub act_id: String,
    /// acknowledge, unacknowledge, comment, clear, silence, unsilence.
    pub act: String,
    /// The user.
    pub actor: String,
    /// When.
    pub at: Micros,
    /// Note, comment or reason.
    #[serde(default)]
    pub text: Option<String>,
    /// silence: until when, by log time.
    #[serde(default)]
    pub until: Option<Micros>,
}

/// A [`OperatorActed`] whose parts are where they came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields as in the record")]
pub struct OperatorActedView<'a> {
    pub root: &'a str,
    pub entity: &'a str,
    pub alarm_id: &'a str,
    pub act_id: &'a str,
    pub act: &'a str,
    pub actor: &'a str,
    pub at: Micros,
    pub text: Option<&'a str>,
    pub until: Option<Micros>,
}

impl OperatorActed {
    /// The record without its own memory.
    pub fn view(&self) -> OperatorActedView<'_> {
        OperatorActedView {
            root: &self.root,
            entity: &self.entity,
            alarm_id: &self.alarm_id,
            act_id: &self.act_id,
            act: &self.act,
            actor: &self.actor,
            at: self.at,
            text: self.text.as_deref(),
            until: self.until,
        }
    }
}

impl OperatorActed {
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            root: r.string()?,
            entity: r.string()?,
            alarm_id: r.string()?,
            act_id: r.string()?,
            act: r.string()?,
            actor: r.string()?,
            at: r.micros()?,
            text: r.optional(Reader::string)?,
            until: r.optional(Reader::micros)?,
        })
    }
}

impl<'a> View<'a> for OperatorActedView<'a> {
    fn decode(r: &mut Reader<'a>) -> Result<Self, Malformed> {
        Ok(Self {
            root: r.text()?,
            entity: r.text()?,
            alarm_id: r.text()?,
            act_id: r.text()?,
            act: r.text()?,
            actor: r.text()?,
            at: r.micros()?,
            text: r.optional(Reader::text)?,
            until: r.optional(Reader::micros)?,
        })
    }
}

impl Body for OperatorActedView<'_> {
    const RECORD: RecordType = RecordType::OperatorActed;

    fn encode(&self, out: &mut Vec<u8>) {
        wire::put_text(out, self.root);
        wire::put_text(out, self.entity);
        wire::put_text(out, self.alarm_id);
        wire::put_text(out, self.act_id);
        wire::put_text(out, self.act);
        wire::put_text(out, self.actor);
        wire::put_micros(out, self.at);
        wire::put_optional(out, self.text, wire::put_text);
        wire::put_optional(out, self.until, wire::put_micros);
    }
}

impl Body for OperatorActed {
    const RECORD: RecordType = RecordType::OperatorActed;

    fn encode(&self, out: &mut Vec<u8>) {
        self.view().encode(out);
    }
}
