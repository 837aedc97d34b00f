//! Generated from the schema of `Silence` by `cargo run -p xtask -- gen`: not to be edited.

use model::Micros;
use serde::{Deserialize, Serialize};

use crate::records::RecordType;
use crate::wire::{self, Body, Malformed, Reader};
use crate::{Scope, ScopeView};

/// One version of a silence over many alarms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// The silence; all its versions have it.
    pub silence_id: String,
    /// Counts its versions, from 1.
    pub version: i64,
    /// Who wrote this version: decides between two of one number.
    pub writer: String,
    /// When it was written.
    pub at: Micros,
    /// The user who wrote it.
    pub author: String,
    /// It is ended.
    pub removed: bool,
    /// Entities whose alarms are silenced.
    pub scope: Scope,
    /// Only alarms of this rule or type.
    #[serde(default)]
    pub alarm_type: Option<String>,
    /// Until when, by log time.
    pub until: Micros,
    /// Why.
    pub reason: String,
}

/// A [`Silence`] whose parts are where they came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields as in the record")]
pub struct SilenceView<'a> {
    pub silence_id: &'a str,
    pub version: i64,
    pub writer: &'a str,
    pub at: Micros,
    pub author: &'a str,
    pub removed: bool,
    pub scope: ScopeView<'a>,
    pub alarm_type: Option<&'a str>,
    pub until: Micros,
    pub reason: &'a str,
}

impl Silence {
    /// The record without its own memory.
    pub fn view(&self) -> SilenceView<'_> {
        SilenceView {
            silence_id: &self.silence_id,
            version: self.version,
            writer: &self.writer,
            at: self.at,
            author: &self.author,
            removed: self.removed,
            scope: self.scope.view(),
            alarm_type: self.alarm_type.as_deref(),
            until: self.until,
            reason: &self.reason,
        }
    }
}

impl Silence {
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            silence_id: r.string()?,
            version: r.long()?,
            writer: r.string()?,
            at: r.micros()?,
            author: r.string()?,
            removed: r.boolean()?,
            scope: Scope::decode(r)?,
            alarm_type: r.optional(Reader::string)?,
            until: r.micros()?,
            reason: r.string()?,
        })
    }
}

impl Body for SilenceView<'_> {
    const RECORD: RecordType = RecordType::Silence;

    fn encode(&self, out: &mut Vec<u8>) {
        wire::put_text(out, self.silence_id);
        wire::put_long(out, self.version);
        wire::put_text(out, self.writer);
        wire::put_micros(out, self.at);
        wire::put_text(out, self.author);
        wire::put_boolean(out, self.removed);
        self.scope.encode(out);
        wire::put_optional(out, self.alarm_type, wire::put_text);
        wire::put_micros(out, self.until);
        wire::put_text(out, self.reason);
    }
}

impl Body for Silence {
    const RECORD: RecordType = RecordType::Silence;

    fn encode(&self, out: &mut Vec<u8>) {
        self.view().encode(out);
    }
}
