//! What ONUs run and offer: `display ont version summary`, `display ont-lineprofile`, `display ont wan-info`, `wlan-info`,
//! `wlan-status`.

use std::borrow::Cow;

use serde::Serialize;

use super::body::Body;
use super::issue::{Notes, Problem};
use super::label::{Block, Entry, Raw};
use super::listing::{Listing, Part, Total, before_note, is_head, parts};
use super::table::Words;
use super::value::{self, PortPlace};

/// How many ONUs run which software.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OnuVersionCount<'s> {
    /// `GPON`.
    pub access_type: Option<&'s str>,
    /// Vendor.
    pub vendor_id: Option<&'s str>,
    /// Model; may hold blanks.
    pub model: Option<&'s str>,
    /// Software version.
    pub software_version: Option<&'s str>,
    /// How many are online.
    pub online: u32,
    /// How many are not.
    pub offline: u32,
}

const VERSION_HEAD: &[&str] = &[
    "Access Vendor ONT Model Software Online Offline",
    "Type ID Version Number Number",
];

/// Reads `display ont version summary`; null if the head is another.
pub fn onu_versions<'s>(body: &Body<'s>, notes: &mut Notes) -> Option<Vec<OnuVersionCount<'s>>> {
    let all: Vec<Part<'_, 's>> = parts(&body.lines).collect();
    let head = all.iter().position(|part| is_head(part.lines, VERSION_HEAD))?;
    let (mut online, mut offline) = (None, None);
    for line in all[..head].iter().flat_map(|part| part.lines) {
        let count = Entry::of(*line).and_then(|entry| value::whole(&entry.value).map(|count| (entry.label, count)));
        match count {
            Some(("The number of online ONT", count)) => online = Some((line.number, count)),
            Some(("The number of offline ONT", count)) => offline = Some((line.number, count)),
            Some((label, _)) if label.starts_with("The number of ") => {}
            _ => notes.loss(line.number, 1, Problem::NotUnderstood),
        }
    }
    let mut rows = Vec::new();
    for (at, part) in all[head + 1..].iter().enumerate() {
        for line in before_note(part.lines) {
            match version_row(line.unshifted(8).text).filter(|_| at == 0) {
                Some(row) => rows.push(row),
                None => notes.loss(line.number, 1, Problem::BadRow { table: "ONU version" }),
            }
        }
    }
    if all.get(head + 1).is_none_or(|part| !part.closed) {
        notes.loss(body.end, 1, Problem::NotClosed);
    }
    let sum = |count: fn(&OnuVersionCount<'_>) -> u32| rows.iter().map(|row| u64::from(count(row))).sum::<u64>();
    for (said, read, what) in [
        (online, sum(|row| row.online), "ONUs online"),
        (offline, sum(|row| row.offline), "ONUs offline"),
    ] {
        match said {
            Some((line, said)) if said != read => notes.loss(line, 1, Problem::Count { what, said, read }),
            Some(_) => {}
            None => notes.loss(body.end, 1, Problem::NoCount { what }),
        }
    }
    Some(rows)
}

/// `  GPON   HWTC    HG8245H                V3R017C10S100     2        0`: read from both ends, the model between may hold blanks.
fn version_row(text: &str) -> Option<OnuVersionCount<'_>> {
    let mut words = Words::of(text);
    let (access, vendor) = (words.next()?, words.next()?);
    let mut rest = words.rest();
    let mut last = || {
        let (before, word) = rest.rsplit_once(' ').unwrap_or(("", rest));
        rest = before.trim_ascii_end();
        word
    };
    let (offline, online, software) = (last(), last(), last());
    Some(OnuVersionCount {
        access_type: value::present(access),
        vendor_id: value::present(vendor),
        model: value::present(rest),
        software_version: value::present(software),
        online: value::number(online)?,
        offline: value::number(offline)?,
    })
}

/// A line profile of the device.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LineProfileName<'s> {
    /// Number.
    pub profile_id: u32,
    /// Name; may hold blanks.
    pub profile_name: Option<&'s str>,
    /// How many ONUs use it.
    pub binding_times: u32,
}

const LINE_PROFILES: Listing = Listing {
    table: "line profile",
    heads: &[&["Profile-ID Profile-name Binding times"]],
    total: Total::After("Total"),
    indent_max: 6,
};

/// Reads `display ont-lineprofile gpon all`; null if the table is another.
pub fn line_profiles<'s>(body: &Body<'s>, notes: &mut Notes) -> Option<Vec<LineProfileName<'s>>> {
    LINE_PROFILES.read(body, notes, |line, _| {
        let mut words = Words::of(line.text);
        let profile_id = value::number(words.next()?)?;
        let (name, times) = words.rest().rsplit_once(' ')?;
        Some(LineProfileName {
            profile_id,
            profile_name: value::present(name),
            binding_times: value::number(times)?,
        })
    })
}

/// A WAN connection of an ONU.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WanConnection<'s> {
    /// Line it begins at.
    #[serde(skip)]
    pub line: u32,
    /// Where the ONU hangs.
    #[serde(flatten)]
    pub place: Option<PortPlace>,
    /// Its id on the port.
    pub onu: Option<u16>,
    /// Index of the connection.
    pub index: Option<u32>,
    /// Name.
    pub name: Option<Cow<'s, str>>,
    /// What it is for.
    pub service_type: Option<Cow<'s, str>>,
    /// Routed or bridged.
    pub connection_type: Option<Cow<'s, str>>,
    /// Whether it is up.
    pub ipv4_connection_status: Option<Cow<'s, str>>,
    /// Address.
    pub ipv4_address: Option<Cow<'s, str>>,
    /// Mask.
    pub subnet_mask: Option<Cow<'s, str>>,
    /// Gateway.
    pub default_gateway: Option<Cow<'s, str>>,
    /// VLAN.
    pub vlan: Option<u16>,
    /// MAC address.
    pub mac: Option<Cow<'s, str>>,
    /// The rest, under the device's labels.
    pub raw: Raw<'s>,
}

/// Reads `display ont wan-info`.
pub fn wan<'s>(body: &Body<'s>, notes: &mut Notes) -> Vec<WanConnection<'s>> {
    let mut rows = Vec::new();
    let (mut place, mut onu) = (None, None);
    for mut block in blocks(body, notes) {
        if block.has("F/S/P") {
            place = block.value(notes, "F/S/P", value::port_place);
            onu = block.value(notes, "ONT ID", value::number);
            if !block.has("Index") {
                continue;
            }
        }
        rows.push(WanConnection {
            line: block.line(),
            place,
            onu,
            index: block.value(notes, "Index", value::number),
            name: block.text("Name"),
            service_type: block.text("Service type"),
            connection_type: block.text("Connection type"),
            ipv4_connection_status: block.text("IPv4 Connection status"),
            ipv4_address: block.text("IPv4 address"),
            subnet_mask: block.text("Subnet mask"),
            default_gateway: block.text("Default gateway"),
            vlan: block.value(notes, "Manage VLAN", value::number),
            mac: block.text("MAC address"),
            raw: block.rest(),
        });
    }
    rows
}

/// A wireless network of an ONU.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ssid<'s> {
    /// Line it begins at.
    #[serde(skip)]
    pub line: u32,
    /// Where the ONU hangs.
    #[serde(flatten)]
    pub place: Option<PortPlace>,
    /// Its id on the port.
    pub onu: Option<u16>,
    /// Index of the network.
    pub ssid_index: Option<u32>,
    /// Its name.
    pub ssid: Option<Cow<'s, str>>,
    /// Standard.
    pub standard: Option<Cow<'s, str>>,
    /// Whether it is wanted.
    pub administrative_state: Option<Cow<'s, str>>,
    /// Whether it is up.
    pub operational_state: Option<Cow<'s, str>>,
    /// How many stations may join.
    pub stations_max: Option<u32>,
    /// How many have.
    pub stations: Option<u32>,
    /// The rest, under the device's labels.
    #[serde(skip_serializing_if = "Raw::is_empty")]
    pub raw: Raw<'s>,
}

/// Reads `display ont wlan-info`.
pub fn ssids<'s>(body: &Body<'s>, notes: &mut Notes) -> Vec<Ssid<'s>> {
    let mut rows = Vec::new();
    let (mut place, mut onu, mut said) = (None, None, None);
    for mut block in blocks(body, notes) {
        if block.has("F/S/P") {
            place = block.value(notes, "F/S/P", value::port_place);
            onu = block.value(notes, "ONT ID", value::number);
            said = Some((
                block.line(),
                block.value(notes, "The total number of SSID", value::whole),
            ));
            continue;
        }
        rows.push(Ssid {
            line: block.line(),
            place,
            onu,
            ssid_index: block.value(notes, "SSID Index", value::number),
            ssid: block.text("SSID"),
            standard: block.text("Wireless Standard"),
            administrative_state: block.text("Administrative state"),
            operational_state: block.text("Operational state"),
            stations_max: block.value(notes, "Maximum associate number", value::number),
            stations: block.value(notes, "Current associate number", value::number),
            raw: block.rest(),
        });
    }
    let read = rows.len() as u64;
    match said {
        Some((_, Some(0))) if read == 0 => notes.said_none(),
        Some((_, Some(said))) if said == read => {}
        Some((line, Some(said))) => notes.loss(
            line,
            1,
            Problem::Count {
                what: "SSIDs",
                said,
                read,
            },
        ),
        _ => notes.loss(body.end, 1, Problem::NoCount { what: "SSIDs" }),
    }
    rows
}

/// A radio channel, a network's counters or a station, as an ONU sees them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WlanStatus<'s> {
    /// Line it begins at.
    #[serde(skip)]
    pub line: u32,
    /// `Channel Information`, `Statistics of SSID`, `STA Information`.
    pub section: &'s str,
    /// Under the device's labels.
    pub values: Raw<'s>,
}

/// Reads `display ont wlan-status`.
pub fn wlan_status<'s>(body: &Body<'s>, notes: &mut Notes) -> Vec<WlanStatus<'s>> {
    let mut rows = Vec::new();
    let mut section = "";
    for part in parts(&body.lines) {
        if let [line] = part.lines
            && let Some(title) = line.text.trim_ascii().strip_suffix(':')
        {
            section = title;
            if !part.closed {
                notes.loss(body.end, 1, Problem::NotClosed);
            }
            continue;
        }
        rows.extend(block(part, body, notes).map(|block| WlanStatus {
            line: block.line(),
            section,
            values: block.rest(),
        }));
    }
    rows
}

/// Every part as a block of labels.
fn blocks<'s>(body: &Body<'s>, notes: &mut Notes) -> Vec<Block<'s>> {
    let parts: Vec<Part<'_, 's>> = parts(&body.lines).collect();
    parts.into_iter().filter_map(|part| block(part, body, notes)).collect()
}

fn block<'s>(part: Part<'_, 's>, body: &Body<'s>, notes: &mut Notes) -> Option<Block<'s>> {
    let mut block = Block::default();
    for line in before_note(part.lines) {
        if !block.add(*line) {
            notes.loss(line.number, 1, Problem::NotUnderstood);
        }
    }
    if block.is_two() {
        notes.loss(block.line(), 1, Problem::Twice);
    }
    if !part.closed {
        notes.loss(body.end, 1, Problem::NotClosed);
    }
    (!block.is_empty()).then_some(block)
}
