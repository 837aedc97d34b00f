//! Generated from the schema of `AutofindRow` by `cargo run -p xtask -- gen`: not to be edited.

use serde::{Deserialize, Serialize};

use crate::wire::{self, Malformed, Reader};

/// One found ONU. What the device does not say is null.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AutofindRow {
    /// Frame.
    #[serde(default)]
    pub frame: Option<i32>,
    /// Slot.
    #[serde(default)]
    pub slot: Option<i32>,
    /// PON port.
    #[serde(default)]
    pub port: Option<i32>,
    /// Serial number in its readable form.
    #[serde(default)]
    pub serial: Option<String>,
    /// Serial number as printed.
    #[serde(default)]
    pub serial_text: Option<String>,
    /// Vendor, as the ONU says.
    #[serde(default)]
    pub vendor: Option<String>,
    /// Equipment type.
    #[serde(default)]
    pub equipment: Option<String>,
    /// Hardware version.
    #[serde(default)]
    pub version: Option<String>,
    /// Software version.
    #[serde(default)]
    pub software_version: Option<String>,
    /// It showed a password, which is not kept.
    pub password_set: bool,
    /// When it was found, by the device's clock and in its words.
    #[serde(default)]
    pub found_time: Option<String>,
}

/// A [`AutofindRow`] whose parts are where they came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields as in the record")]
pub struct AutofindRowView<'a> {
    pub frame: Option<i32>,
    pub slot: Option<i32>,
    pub port: Option<i32>,
    pub serial: Option<&'a str>,
    pub serial_text: Option<&'a str>,
    pub vendor: Option<&'a str>,
    pub equipment: Option<&'a str>,
    pub version: Option<&'a str>,
    pub software_version: Option<&'a str>,
    pub password_set: bool,
    pub found_time: Option<&'a str>,
}

impl AutofindRow {
    /// The record without its own memory.
    pub fn view(&self) -> AutofindRowView<'_> {
        AutofindRowView {
            frame: self.frame,
            slot: self.slot,
            port: self.port,
            serial: self.serial.as_deref(),
            serial_text: self.serial_text.as_deref(),
            vendor: self.vendor.as_deref(),
            equipment: self.equipment.as_deref(),
            version: self.version.as_deref(),
            software_version: self.software_version.as_deref(),
            password_set: self.password_set,
            found_time: self.found_time.as_deref(),
        }
    }
}

impl AutofindRow {
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            frame: r.optional(Reader::int)?,
            slot: r.optional(Reader::int)?,
            port: r.optional(Reader::int)?,
            serial: r.optional(Reader::string)?,
            serial_text: r.optional(Reader::string)?,
            vendor: r.optional(Reader::string)?,
            equipment: r.optional(Reader::string)?,
            version: r.optional(Reader::string)?,
            software_version: r.optional(Reader::string)?,
            password_set: r.boolean()?,
            found_time: r.optional(Reader::string)?,
        })
    }
}

impl AutofindRowView<'_> {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        wire::put_optional(out, self.frame, wire::put_int);
        wire::put_optional(out, self.slot, wire::put_int);
        wire::put_optional(out, self.port, wire::put_int);
        wire::put_optional(out, self.serial, wire::put_text);
        wire::put_optional(out, self.serial_text, wire::put_text);
        wire::put_optional(out, self.vendor, wire::put_text);
        wire::put_optional(out, self.equipment, wire::put_text);
        wire::put_optional(out, self.version, wire::put_text);
        wire::put_optional(out, self.software_version, wire::put_text);
        wire::put_boolean(out, self.password_set);
        wire::put_optional(out, self.found_time, wire::put_text);
    }
}

impl AutofindRow {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        self.view().encode(out);
    }
}
