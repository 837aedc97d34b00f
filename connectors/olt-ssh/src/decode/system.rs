//! What the device says of itself: version, uptime, temperatures, processor, memory, what a change did.

use std::borrow::Cow;

use serde::Serialize;

use super::body::Body;
use super::issue::{Notes, Problem};
use super::label::{Block, Entry, Raw};
use super::table::is_rule;
use super::value;

/// `display version`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Version<'s> {
    /// Software version.
    pub version: Option<Cow<'s, str>>,
    /// Patch, if any.
    pub patch: Option<Cow<'s, str>>,
    /// Product.
    pub product: Option<Cow<'s, str>>,
    /// How long it runs, where the version says so.
    pub uptime_s: Option<u64>,
    /// What each main board runs.
    pub mainboards: Vec<Mainboard<'s>>,
    /// Whatever else it says.
    #[serde(skip_serializing_if = "Raw::is_empty")]
    pub raw: Raw<'s>,
}

/// What a main board runs.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Mainboard<'s> {
    /// `Active` or `Standby`.
    pub role: &'s str,
    /// Area the program runs from.
    pub current_program_area: Option<Cow<'s, str>>,
    /// Area the data are in.
    pub current_data_area: Option<Cow<'s, str>>,
    /// Program version of area A.
    pub program_area_a_version: Option<Cow<'s, str>>,
    /// Program version of area B.
    pub program_area_b_version: Option<Cow<'s, str>>,
    /// Data version of area A.
    pub data_area_a_version: Option<Cow<'s, str>>,
    /// Data version of area B.
    pub data_area_b_version: Option<Cow<'s, str>>,
    /// Whatever else it says.
    #[serde(skip_serializing_if = "Raw::is_empty")]
    pub raw: Raw<'s>,
}

/// `display sysuptime`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Uptime {
    /// How long the device runs.
    pub uptime_s: u64,
}

/// A board's temperature.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BoardTemperature<'s> {
    /// Slot of the board.
    pub slot: u8,
    /// Type of the board.
    pub board: Option<&'s str>,
    /// Temperature.
    pub temperature_celsius: f64,
    /// The same as the device says it in Fahrenheit.
    pub temperature_fahrenheit: Option<f64>,
}

/// A board's processor or memory.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Occupancy {
    /// In use.
    pub occupancy_percent: f64,
}

/// What a command that changes says of itself. Most say nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Change {
    /// How many it could be.
    pub possible: Option<u32>,
    /// How many were done.
    pub success: Option<u32>,
    /// How many were not.
    pub failed: Option<u32>,
    /// Port of the ONU that was added.
    pub port: Option<u8>,
    /// Id the ONU was given.
    pub onu: Option<u16>,
}

/// Reads `display version`.
pub fn version<'s>(body: &Body<'s>, notes: &mut Notes) -> Vec<Version<'s>> {
    let mut head = Block::default();
    let mut boards: Vec<(&'s str, Block<'s>)> = Vec::new();
    let mut uptime_s = None;
    let mut open = false;
    for line in &body.lines {
        let text = line.text.trim_ascii();
        if is_rule(line.text) {
            open = false;
        } else if let Some(rest) = text.strip_prefix("Uptime is ") {
            uptime_s = value::seconds(rest);
            if uptime_s.is_none() {
                notes.loss(line.number, 1, Problem::BadValue { field: "uptime" });
            }
        } else if let Some((role, _)) = text.split_once(" Mainboard Running Area Information") {
            boards.push((role, Block::default()));
            open = true;
        } else if !boards.last_mut().map_or(&mut head, |(_, block)| block).add(*line) {
            notes.loss(line.number, 1, Problem::NotUnderstood);
        } else if !boards.is_empty() {
            open = true;
        }
    }
    if open {
        notes.loss(body.end, 1, Problem::NotClosed);
    }
    if head.is_empty() {
        return Vec::new();
    }
    let (version, patch, product) = (head.text("VERSION"), head.text("PATCH"), head.text("PRODUCT"));
    if version.is_none() {
        notes.loss(head.line(), 1, Problem::BadRow { table: "version" });
    }
    let mainboards = boards.into_iter().map(|(role, block)| mainboard(role, block)).collect();
    vec![Version {
        version,
        patch,
        product,
        uptime_s,
        mainboards,
        raw: head.rest(),
    }]
}

fn mainboard<'s>(role: &'s str, mut block: Block<'s>) -> Mainboard<'s> {
    Mainboard {
        role,
        current_program_area: block.text("Current Program Area"),
        current_data_area: block.text("Current Data Area"),
        program_area_a_version: block.text("Program Area A Version"),
        program_area_b_version: block.text("Program Area B Version"),
        data_area_a_version: block.text("Data Area A Version"),
        data_area_b_version: block.text("Data Area B Version"),
        raw: block.rest(),
    }
}

/// Reads `display sysuptime`.
pub fn uptime(body: &Body<'_>, notes: &mut Notes) -> Vec<Uptime> {
    single(body, notes, "System up time", |text| {
        value::seconds(text).map(|uptime_s| Uptime { uptime_s })
    })
}

/// Reads `display cpu`.
pub fn cpu(body: &Body<'_>, notes: &mut Notes) -> Vec<Occupancy> {
    single(body, notes, "CPU occupancy", |text| {
        value::percent(text).map(|occupancy_percent| Occupancy { occupancy_percent })
    })
}

/// Whether `display mem` prints its one line; the rest of it was never recorded.
pub fn is_memory(body: &Body<'_>) -> bool {
    body.lines
        .iter()
        .any(|line| Entry::of(*line).is_some_and(|entry| entry.label == "Memory occupancy"))
}

/// Reads `display mem`.
pub fn memory(body: &Body<'_>, notes: &mut Notes) -> Vec<Occupancy> {
    single(body, notes, "Memory occupancy", |text| {
        value::percent(text).map(|occupancy_percent| Occupancy { occupancy_percent })
    })
}

/// Lines of one label.
fn single<R>(body: &Body<'_>, notes: &mut Notes, label: &str, read: impl Fn(&str) -> Option<R>) -> Vec<R> {
    let mut rows = Vec::new();
    for line in body.lines.iter().filter(|line| !is_rule(line.text)) {
        match Entry::of(*line).filter(|entry| entry.label == label) {
            Some(entry) => match read(&entry.value) {
                Some(row) => rows.push(row),
                None => notes.loss(line.number, entry.column, Problem::BadRow { table: "system" }),
            },
            None => notes.loss(line.number, 1, Problem::NotUnderstood),
        }
    }
    rows
}

/// Reads `display temperature`: `SlotID: 18      BoardName: H801X2CS       Temperature:   38C( 100F)`.
pub fn temperatures<'s>(body: &Body<'s>, notes: &mut Notes) -> Vec<BoardTemperature<'s>> {
    let mut rows = Vec::new();
    for line in body.lines.iter().filter(|line| !is_rule(line.text)) {
        match temperature(line.text) {
            Some(row) => rows.push(row),
            None => notes.loss(line.number, 1, Problem::BadRow { table: "temperature" }),
        }
    }
    rows
}

fn temperature(text: &str) -> Option<BoardTemperature<'_>> {
    let rest = text.trim_ascii().strip_prefix("SlotID:")?;
    let (slot, rest) = rest.split_once("BoardName:")?;
    let (board, rest) = rest.split_once("Temperature:")?;
    let (celsius, fahrenheit) = match rest.trim_ascii().split_once('(') {
        Some((celsius, fahrenheit)) => (celsius, Some(fahrenheit.strip_suffix("F)")?)),
        None => (rest.trim_ascii().strip_suffix('C').map(|_| rest.trim_ascii())?, None),
    };
    Some(BoardTemperature {
        slot: value::number(slot.trim_ascii())?,
        board: value::present(board),
        temperature_celsius: value::celsius(celsius.trim_ascii())?,
        temperature_fahrenheit: fahrenheit
            .map(|text| value::decimal(text.trim_ascii()).ok_or(()))
            .transpose()
            .ok()?,
    })
}

/// Reads what a change says: `Set ONT port(s) VLAN configuration, success: 1, failed: 0`; `Number of ONTs that can be added: 1,
/// success: 1` and `PortID :6, ONTID :2`. Saying nothing is success for most.
pub fn change(body: &Body<'_>, notes: &mut Notes) -> Vec<Change> {
    let mut change = Change::default();
    for line in &body.lines {
        let mut read = false;
        for pair in line.text.split(',') {
            let (label, number) = pair.rsplit_once(':').unwrap_or((pair, ""));
            let number = number.trim_ascii();
            let known = match label.trim_ascii() {
                "success" => value::number(number).map(|n| change.success = Some(n)),
                "failed" => value::number(number).map(|n| change.failed = Some(n)),
                "PortID" => value::number(number).map(|n| change.port = Some(n)),
                "ONTID" => value::number(number).map(|n| change.onu = Some(n)),
                label if label.starts_with("Number of ONTs that can be") => {
                    value::number(number).map(|n| change.possible = Some(n))
                }
                label if label.starts_with("Set ONT port(s)") => Some(()),
                _ => None,
            };
            read |= known.is_some();
            if known.is_none() && read {
                read = false;
                break;
            }
        }
        if !read && !is_rule(line.text) {
            notes.loss(line.number, 1, Problem::NotUnderstood);
        }
    }
    vec![change]
}
