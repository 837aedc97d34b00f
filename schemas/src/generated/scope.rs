//! Generated from the schema of `Scope` by `cargo run -p xtask -- gen`: not to be edited.

use serde::{Deserialize, Serialize};

use crate::wire::{self, Malformed, Reader};

/// What something applies to: everything that all the given words fit. A word that is not given fits everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// Tenant.
    #[serde(default)]
    pub tenant: Option<String>,
    /// Kind of entity: olt, board, pon, onu, padtec, site, card, cpe, unknown.
    #[serde(default)]
    pub kind: Option<String>,
    /// Vendor, any case.
    #[serde(default)]
    pub vendor: Option<String>,
    /// Family of a card.
    #[serde(default)]
    pub family: Option<String>,
    /// Model, any case.
    #[serde(default)]
    pub model: Option<String>,
    /// Site.
    #[serde(default)]
    pub site: Option<String>,
    /// Pattern of the entity's id: `*` stands for any run of characters, also of slashes.
    #[serde(default)]
    pub entity: Option<String>,
}

/// A [`Scope`] whose parts are where they came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields as in the record")]
pub struct ScopeView<'a> {
    pub tenant: Option<&'a str>,
    pub kind: Option<&'a str>,
    pub vendor: Option<&'a str>,
    pub family: Option<&'a str>,
    pub model: Option<&'a str>,
    pub site: Option<&'a str>,
    pub entity: Option<&'a str>,
}

impl Scope {
    /// The record without its own memory.
    pub fn view(&self) -> ScopeView<'_> {
        ScopeView {
            tenant: self.tenant.as_deref(),
            kind: self.kind.as_deref(),
            vendor: self.vendor.as_deref(),
            family: self.family.as_deref(),
            model: self.model.as_deref(),
            site: self.site.as_deref(),
            entity: self.entity.as_deref(),
        }
    }
}

impl Scope {
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            tenant: r.optional(Reader::string)?,
            kind: r.optional(Reader::string)?,
            vendor: r.optional(Reader::string)?,
            family: r.optional(Reader::string)?,
            model: r.optional(Reader::string)?,
            site: r.optional(Reader::string)?,
            entity: r.optional(Reader::string)?,
        })
    }
}

impl ScopeView<'_> {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        wire::put_optional(out, self.tenant, wire::put_text);
        wire::put_optional(out, self.kind, wire::put_text);
        wire::put_optional(out, self.vendor, wire::put_text);
        wire::put_optional(out, self.family, wire::put_text);
        wire::put_optional(out, self.model, wire::put_text);
        wire::put_optional(out, self.site, wire::put_text);
        wire::put_optional(out, self.entity, wire::put_text);
    }
}
