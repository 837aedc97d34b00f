//! `display ont autofind`: ONUs that light up and belong to nobody yet.

use std::borrow::Cow;

use serde::Serialize;

use super::Settings;
use super::body::Body;
use super::issue::{Notes, Problem};
use super::label::{Block, Raw};
use super::listing::{before_note, parts};
use super::value::{self, DeviceTime, PortPlace};

/// An ONU found. Its password and check code are never here, only whether they are set.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FoundOnu<'s> {
    /// Line it begins at.
    #[serde(skip)]
    pub line: u32,
    /// Number in this answer.
    pub number: Option<u32>,
    /// The port it was found at.
    #[serde(flatten)]
    pub place: Option<PortPlace>,
    /// Serial number.
    pub serial: Option<model::Serial>,
    /// Serial number as printed, with its second form.
    pub serial_text: Option<Cow<'s, str>>,
    /// Whether it says a password that is not all zeros.
    pub password_present: bool,
    /// Logical id.
    pub loid: Option<Cow<'s, str>>,
    /// Whether it says the check code of a logical id.
    pub checkcode_present: bool,
    /// Vendor by its own word, which may differ from the serial's.
    pub vendor_id: Option<Cow<'s, str>>,
    /// Hardware version.
    pub version: Option<Cow<'s, str>>,
    /// Software version.
    pub software_version: Option<Cow<'s, str>>,
    /// Equipment type.
    pub equipment_id: Option<Cow<'s, str>>,
    /// Customer of the maker.
    pub customized_info: Option<Cow<'s, str>>,
    /// MAC address.
    pub mac: Option<Cow<'s, str>>,
    /// Serial number of the equipment, which is not the GPON one.
    pub equipment_serial: Option<Cow<'s, str>>,
    /// Whether it has several channels.
    pub multi_channel: Option<Cow<'s, str>>,
    /// When it was found, by the device's clock.
    pub found_time: Option<DeviceTime>,
    /// Whatever else it says.
    #[serde(skip_serializing_if = "Raw::is_empty")]
    pub raw: Raw<'s>,
}

/// Reads the blocks and checks their count, where the version prints it.
pub fn read<'s>(body: &Body<'s>, settings: &Settings, notes: &mut Notes) -> Vec<FoundOnu<'s>> {
    let mut rows: Vec<FoundOnu<'s>> = Vec::new();
    let mut said = None;
    for part in parts(&body.lines) {
        let mut block = Block::default();
        for line in before_note(part.lines) {
            if let Some(count) = count(line.text) {
                said = Some((line.number, count));
            } else if !block.add(*line) {
                notes.loss(line.number, 1, Problem::NotUnderstood);
            }
        }
        if block.is_two() {
            notes.loss(block.line(), 1, Problem::Twice);
        }
        if !block.is_empty() {
            if !part.closed {
                notes.loss(body.end, 1, Problem::NotClosed);
            }
            rows.push(found(block, settings, notes));
        }
    }
    let read = rows.len() as u64;
    match said {
        Some((_, Some(0))) if read == 0 => notes.said_none(),
        Some((line, Some(said))) if said != read => {
            notes.loss(
                line,
                1,
                Problem::Count {
                    what: "ONUs found",
                    said,
                    read,
                },
            );
        }
        Some((line, None)) => notes.loss(line, 1, Problem::NoCount { what: "ONUs found" }),
        _ => {}
    }
    // Without a count, the numbers tell whether one is missing.
    for (at, row) in rows.iter().enumerate() {
        let expected = at as u64 + 1;
        if let Some(number) = row.number.filter(|number| u64::from(*number) != expected) {
            notes.loss(
                row.line,
                1,
                Problem::Count {
                    what: "ONUs found up to here",
                    said: u64::from(number),
                    read: expected,
                },
            );
            break;
        }
    }
    rows
}

/// `The number of GPON autofind ONT is 3`
fn count(text: &str) -> Option<Option<u64>> {
    let rest = text.trim_ascii().strip_prefix("The number of ")?;
    let (_, number) = rest
        .split_once(" ONT is")
        .or_else(|| rest.split_once(" ONTs is"))
        .or_else(|| rest.split_once(" ONTs are"))?;
    Some(value::whole(number.trim_matches([' ', ':'])))
}

fn found<'s>(mut block: Block<'s>, settings: &Settings, notes: &mut Notes) -> FoundOnu<'s> {
    let line = block.line();
    let place = block.value(notes, "F/S/P", value::port_place);
    if place.is_none() {
        notes.loss(line, 1, Problem::BadRow { table: "autofind" });
    }
    let serial_entry = block.take("Ont SN");
    let serial = serial_entry.as_ref().and_then(|entry| value::serial(&entry.value));
    if let Some(entry) = serial_entry.as_ref().filter(|_| serial.is_none()) {
        notes.doubt(entry.line, entry.column, Problem::BadValue { field: "Ont SN" });
    }
    FoundOnu {
        line,
        number: block.value(notes, "Number", value::number),
        place,
        serial,
        serial_text: serial_entry.and_then(|entry| super::label::present(entry.value)),
        password_present: block.is_set("Password"),
        loid: block.text("Loid"),
        checkcode_present: block.is_set("Checkcode"),
        vendor_id: block.text("VendorID").or_else(|| block.text("VenderID")),
        version: block.text("Ont Version"),
        software_version: block.text("Ont SoftwareVersion"),
        equipment_id: block.text("Ont EquipmentID"),
        customized_info: block.text("Ont Customized Info"),
        mac: block.text("Ont MAC"),
        equipment_serial: block.text("Ont Equipment SN"),
        multi_channel: block.text("Multi channel"),
        found_time: block.value(notes, "Ont autofind time", |text| {
            value::device_time(text, settings.day_first)
        }),
        raw: block.rest(),
    }
}
