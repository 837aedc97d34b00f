//! Generated from the schema of `RulesChanged` by `cargo run -p xtask -- gen`: not to be edited.

use serde::{Deserialize, Serialize};

use crate::records::RecordType;
use crate::wire::{Body, Malformed, Reader};
use crate::{Rule, RuleView};

/// A version of a rule as every partition of `observations` gets it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RulesChanged {
    /// The whole version.
    pub rule: Rule,
}

/// A [`RulesChanged`] whose parts are where they came from.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "fields as in the record")]
pub struct RulesChangedView<'a> {
    pub rule: RuleView<'a>,
}

impl RulesChanged {
    /// The record without its own memory.
    pub fn view(&self) -> RulesChangedView<'_> {
        RulesChangedView { rule: self.rule.view() }
    }
}

impl RulesChanged {
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self { rule: Rule::decode(r)? })
    }
}

impl Body for RulesChangedView<'_> {
    const RECORD: RecordType = RecordType::RulesChanged;

    fn encode(&self, out: &mut Vec<u8>) {
        self.rule.encode(out);
    }
}

impl Body for RulesChanged {
    const RECORD: RecordType = RecordType::RulesChanged;

    fn encode(&self, out: &mut Vec<u8>) {
        self.view().encode(out);
    }
}
