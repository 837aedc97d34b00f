//! Generated from the schema of `AlarmComment` by `cargo run -p xtask -- gen`: not to be edited.

use model::Micros;
use serde::{Deserialize, Serialize};

use crate::wire::{self, Malformed, Reader};

/// What a person wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmComment {
    /// When.
    pub at: Micros,
    /// Who.
    pub actor: String,
    /// What.
    pub text: String,
}

/// A [`AlarmComment`] whose parts are where they came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields as in the record")]
pub struct AlarmCommentView<'a> {
    pub at: Micros,
    pub actor: &'a str,
    pub text: &'a str,
}

impl AlarmComment {
    /// The record without its own memory.
    pub fn view(&self) -> AlarmCommentView<'_> {
        AlarmCommentView {
            at: self.at,
            actor: &self.actor,
            text: &self.text,
        }
    }
}

impl AlarmComment {
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            at: r.micros()?,
            actor: r.string()?,
            text: r.string()?,
        })
    }
}

impl AlarmCommentView<'_> {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        wire::put_micros(out, self.at);
        wire::put_text(out, self.actor);
        wire::put_text(out, self.text);
    }
}

impl AlarmComment {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        self.view().encode(out);
    }
}
