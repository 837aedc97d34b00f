//! Generated from the schema of `ForeignAlarmsRead` by `cargo run -p xtask -- gen`: not to be edited.

use model::Micros;
use serde::{Deserialize, Serialize};

use crate::records::RecordType;
use crate::wire::{self, Body, Malformed, Reader};

/// Alarms that another system shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignAlarmsRead {
    /// The system that was asked.
    pub root: String,
    /// One for all parts of one read, and for no other read of the root.
    pub read_id: String,
    /// Which part this is, from 0.
    pub part: i32,
    /// How many parts the read has, at least 1.
    pub of: i32,
    /// What the whole read covers: `all`, or a tier of measures: `critical`, `normal`.
    pub scope: String,
    /// The whole read, all its parts, holds everything that is inside the scope: counted before and after.
    pub complete: bool,
    /// How it was read: the name of the mapping.
    pub way: String,
    /// When the first request was sent: no row is older than what was seen since.
    pub started_at: Micros,
    /// When the answer was there.
    pub received_at: Micros,
    /// Alarms, in the system's order.
    pub alarms: Vec<ForeignAlarmRow>,
}

/// A [`ForeignAlarmsRead`] whose parts are where they came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields as in the record")]
pub struct ForeignAlarmsReadView<'a> {
    pub root: &'a str,
    pub read_id: &'a str,
    pub part: i32,
    pub of: i32,
    pub scope: &'a str,
    pub complete: bool,
    pub way: &'a str,
    pub started_at: Micros,
    pub received_at: Micros,
    pub alarms: &'a [ForeignAlarmRow],
}

impl ForeignAlarmsRead {
    /// The record without its own memory.
    pub fn view(&self) -> ForeignAlarmsReadView<'_> {
        ForeignAlarmsReadView {
            root: &self.root,
            read_id: &self.read_id,
            part: self.part,
            of: self.of,
            scope: &self.scope,
            complete: self.complete,
            way: &self.way,
            started_at: self.started_at,
            received_at: self.received_at,
            alarms: &self.alarms,
        }
    }
}

impl ForeignAlarmsRead {
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            root: r.string()?,
            read_id: r.string()?,
            part: r.int()?,
            of: r.int()?,
            scope: r.string()?,
            complete: r.boolean()?,
            way: r.string()?,
            started_at: r.micros()?,
            received_at: r.micros()?,
            alarms: r.list(ForeignAlarmRow::decode)?,
        })
    }
}

impl Body for ForeignAlarmsReadView<'_> {
    const RECORD: RecordType = RecordType::ForeignAlarmsRead;

    fn encode(&self, out: &mut Vec<u8>) {
        wire::put_text(out, self.root);
        wire::put_text(out, self.read_id);
        wire::put_int(out, self.part);
        wire::put_int(out, self.of);
        wire::put_text(out, self.scope);
        wire::put_boolean(out, self.complete);
        wire::put_text(out, self.way);
        wire::put_micros(out, self.started_at);
        wire::put_micros(out, self.received_at);
        wire::put_list(out, self.alarms, |out, value| value.encode(out));
    }
}

impl Body for ForeignAlarmsRead {
    const RECORD: RecordType = RecordType::ForeignAlarmsRead;

    fn encode(&self, out: &mut Vec<u8>) {
        self.view().encode(out);
    }
}

/// One alarm that the system shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignAlarmRow {
    /// Its id there.
    pub id: String,
    /// Serial number of the card.
    #[serde(default)]
    pub serial: Option<String>,
    /// Site.
    #[serde(default)]
    pub site: Option<String>,
    /// What it is, in the system's words.
    pub alarm_type: String,
    /// critical, major, minor, warning, indeterminate.
    pub severity: String,
    /// What people read.
    pub text: String,
    /// Since when, by the system's clock.
    #[serde(default)]
    pub raised_at: Option<Micros>,
    /// It stands.
    pub active: bool,
}

/// A [`ForeignAlarmRow`] whose parts are where they came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields as in the record")]
pub struct ForeignAlarmRowView<'a> {
    pub id: &'a str,
    pub serial: Option<&'a str>,
    pub site: Option<&'a str>,
    pub alarm_type: &'a str,
    pub severity: &'a str,
    pub text: &'a str,
    pub raised_at: Option<Micros>,
    pub active: bool,
}

impl ForeignAlarmRow {
    /// The record without its own memory.
    pub fn view(&self) -> ForeignAlarmRowView<'_> {
        ForeignAlarmRowView {
            id: &self.id,
            serial: self.serial.as_deref(),
            site: self.site.as_deref(),
            alarm_type: &self.alarm_type,
            severity: &self.severity,
            text: &self.text,
            raised_at: self.raised_at,
            active: self.active,
        }
    }
}

impl ForeignAlarmRow {
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            id: r.string()?,
            serial: r.optional(Reader::string)?,
            site: r.optional(Reader::string)?,
            alarm_type: r.string()?,
            severity: r.string()?,
            text: r.string()?,
            raised_at: r.optional(Reader::micros)?,
            active: r.boolean()?,
        })
    }
}

impl ForeignAlarmRowView<'_> {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        wire::put_text(out, self.id);
        wire::put_optional(out, self.serial, wire::put_text);
        wire::put_optional(out, self.site, wire::put_text);
        wire::put_text(out, self.alarm_type);
        wire::put_text(out, self.severity);
        wire::put_text(out, self.text);
        wire::put_optional(out, self.raised_at, wire::put_micros);
        wire::put_boolean(out, self.active);
    }
}

impl ForeignAlarmRow {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        self.view().encode(out);
    }
}
