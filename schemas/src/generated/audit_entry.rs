//! Generated from the schema of `AuditEntry` by `cargo run -p xtask -- gen`: not to be edited.

use model::Micros;
use serde::{Deserialize, Serialize};

use crate::records::RecordType;
use crate::wire::{self, Body, Malformed, Reader, View};

/// Who did or tried what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// User or process.
    pub actor: String,
    /// Tenant.
    pub tenant: String,
    /// Role at that time.
    #[serde(default)]
    pub role: Option<String>,
    /// What was tried.
    pub action: String,
    /// On what.
    #[serde(default)]
    pub target: Option<String>,
    /// done, denied, failed.
    pub outcome: String,
    /// More, free of secrets.
    #[serde(default)]
    pub detail: Option<String>,
    /// Client address.
    #[serde(default)]
    pub remote: Option<String>,
    /// When.
    pub at: Micros,
}

/// A [`AuditEntry`] whose parts are where they came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields as in the record")]
pub struct AuditEntryView<'a> {
    pub actor: &'a str,
    pub tenant: &'a str,
    pub role: Option<&'a str>,
    pub action: &'a str,
    pub target: Option<&'a str>,
    pub outcome: &'a str,
    pub detail: Option<&'a str>,
    pub remote: Option<&'a str>,
    pub at: Micros,
}

impl AuditEntry {
    /// The record without its own memory.
    pub fn view(&self) -> AuditEntryView<'_> {
        AuditEntryView {
            actor: &self.actor,
            tenant: &self.tenant,
            role: self.role.as_deref(),
            action: &self.action,
            target: self.target.as_deref(),
            outcome: &self.outcome,
            detail: self.detail.as_deref(),
            remote: self.remote.as_deref(),
            at: self.at,
        }
    }
}

impl AuditEntry {
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            actor: r.string()?,
            tenant: r.string()?,
            role: r.optional(Reader::string)?,
            action: r.string()?,
            target: r.optional(Reader::string)?,
            outcome: r.string()?,
            detail: r.optional(Reader::string)?,
            remote: r.optional(Reader::string)?,
            at: r.micros()?,
        })
    }
}

impl<'a> View<'a> for AuditEntryView<'a> {
    fn decode(r: &mut Reader<'a>) -> Result<Self, Malformed> {
        Ok(Self {
            actor: r.text()?,
            tenant: r.text()?,
            role: r.optional(Reader::text)?,
            action: r.text()?,
            target: r.optional(Reader::text)?,
            outcome: r.text()?,
            detail: r.optional(Reader::text)?,
            remote: r.optional(Reader::text)?,
            at: r.micros()?,
        })
    }
}

impl Body for AuditEntryView<'_> {
    const RECORD: RecordType = RecordType::AuditEntry;

    fn encode(&self, out: &mut Vec<u8>) {
        wire::put_text(out, self.actor);
        wire::put_text(out, self.tenant);
        wire::put_optional(out, self.role, wire::put_text);
        wire::put_text(out, self.action);
        wire::put_optional(out, self.target, wire::put_text);
        wire::put_text(out, self.outcome);
        wire::put_optional(out, self.detail, wire::put_text);
        wire::put_optional(out, self.remote, wire::put_text);
        wire::put_micros(out, self.at);
    }
}

impl Body for AuditEntry {
    const RECORD: RecordType = RecordType::AuditEntry;

    fn encode(&self, out: &mut Vec<u8>) {
        self.view().encode(out);
    }
}
