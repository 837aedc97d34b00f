//! Generated from the schema of `SilencesChanged` by `cargo run -p xtask -- gen`: not to be edited.

use serde::{Deserialize, Serialize};

use crate::records::RecordType;
use crate::wire::{Body, Malformed, Reader};
use crate::{Silence, SilenceView};

/// A version of a silence as every partition of `observations` gets it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SilencesChanged {
    /// The whole version.
    pub silence: Silence,
}

/// A [`SilencesChanged`] whose parts are where they came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields as in the record")]
pub struct SilencesChangedView<'a> {
    pub silence: SilenceView<'a>,
}

impl SilencesChanged {
    /// The record without its own memory.
    pub fn view(&self) -> SilencesChangedView<'_> {
        SilencesChangedView {
            silence: self.silence.view(),
        }
    }
}

impl SilencesChanged {
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            silence: Silence::decode(r)?,
        })
    }
}

impl Body for SilencesChangedView<'_> {
    const RECORD: RecordType = RecordType::SilencesChanged;

    fn encode(&self, out: &mut Vec<u8>) {
        self.silence.encode(out);
    }
}

impl Body for SilencesChanged {
    const RECORD: RecordType = RecordType::SilencesChanged;

    fn encode(&self, out: &mut Vec<u8>) {
        self.view().encode(out);
    }
}
