//! `display ont optical-info`: the table of a port, or one ONU's module.

use std::borrow::Cow;

use serde::Serialize;

use super::body::Body;
use super::issue::{Notes, Problem};
use super::label::{Block, Raw};
use super::listing::{before_note, parts};
use super::screen::Line;
use super::table::{Words, is_rule};
use super::value;

/// Optical levels of one ONU of a port. An offline ONU is not in the table.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct OnuOptics<'s> {
    /// Line of the row.
    #[serde(skip)]
    pub line: u32,
    /// Its id on the port; the port is the command's.
    pub onu: u16,
    /// Light the ONU receives.
    pub rx_power_dbm: Option<f64>,
    /// Light the ONU sends.
    pub tx_power_dbm: Option<f64>,
    /// Light of this ONU that the OLT receives.
    pub olt_rx_power_dbm: Option<f64>,
    /// Temperature of the module.
    pub temperature_celsius: Option<f64>,
    /// Supply voltage.
    pub voltage_v: Option<f64>,
    /// Laser bias current.
    pub current_ma: Option<f64>,
    /// Distance.
    pub distance_m: Option<f64>,
    /// Columns without a field, and values that did not fit theirs.
    #[serde(skip_serializing_if = "Raw::is_empty")]
    pub raw: Raw<'s>,
}

/// One ONU's optical module.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct OpticalModule<'s> {
    /// Line it begins at.
    #[serde(skip)]
    pub line: u32,
    /// Light the ONU receives.
    pub rx_power_dbm: Option<f64>,
    /// Light the ONU sends.
    pub tx_power_dbm: Option<f64>,
    /// Light of this ONU that the OLT receives.
    pub olt_rx_power_dbm: Option<f64>,
    /// What the device remarks to it (`out of range[-35.00, -15.00]`).
    pub olt_rx_power_remark: Option<String>,
    /// Light of the television signal.
    pub catv_rx_power_dbm: Option<f64>,
    /// Laser bias current.
    pub current_ma: Option<f64>,
    /// Temperature of the module.
    pub temperature_celsius: Option<f64>,
    /// Supply voltage.
    pub voltage_v: Option<f64>,
    /// Who made the module.
    pub vendor_name: Option<Cow<'s, str>>,
    /// Its part number.
    pub vendor_part_number: Option<Cow<'s, str>>,
    /// Its serial number, which is not the ONU's.
    pub vendor_serial: Option<Cow<'s, str>>,
    /// `CLASS B+` and the like.
    pub module_sub_type: Option<Cow<'s, str>>,
    /// Thresholds and whatever else it says, under the device's labels.
    pub raw: Raw<'s>,
}

/// Reads the table; null if there is none.
pub fn read_table<'s>(body: &Body<'s>, notes: &mut Notes) -> Option<Vec<OnuOptics<'s>>> {
    let head = body
        .lines
        .iter()
        .position(|line| line.text.trim_ascii_start().starts_with("ONT "))?;
    if body.lines[head].text.contains(':') {
        return None;
    }
    let columns = columns(&body.lines[head..])?;
    let mut rows: Vec<OnuOptics<'s>> = Vec::new();
    let (mut rules, mut closed) = (0, false);
    for (at, line) in body.lines.iter().enumerate() {
        let line = line.unshifted(8);
        closed = is_rule(line.text);
        if closed {
            rules += 1;
        } else if at == head || at == head + 1 && line.text.contains("(dBm)") {
        } else {
            match row(line, &columns, notes) {
                Some(row) => {
                    if rows.last().is_some_and(|last| last.onu == row.onu) {
                        notes.loss(line.number, 1, Problem::Twice);
                    }
                    rows.push(row);
                }
                None => notes.loss(line.number, 1, Problem::BadRow { table: "optics" }),
            }
        }
    }
    if !closed || rules < 3 {
        notes.loss(body.end, 1, Problem::NotClosed);
    } else if rows.is_empty() {
        // Every ONU of the port is offline.
        notes.said_none();
    }
    Some(rows)
}

/// Heads of the columns in the order of the first line of the head, each with its unit from the second.
const COLUMNS: &[(&str, &str)] = &[
    ("ONT", "ID"),
    ("Rx power", "(dBm)"),
    ("Tx power", "(dBm)"),
    ("OLT Rx ONT", "power(dBm)"),
    ("Temperature", "(C)"),
    ("Voltage", "(V)"),
    ("Current", "(mA)"),
    ("Distance", "(m)"),
];

/// The columns of a head; one nobody knows is kept by its words. `None` if the head is not that of an optics table.
fn columns<'s>(lines: &[Line<'s>]) -> Option<Vec<&'s str>> {
    let (first, second) = (lines.first()?.text, lines.get(1)?.text);
    let mut columns = Vec::new();
    let mut rest = first.trim_ascii();
    while !rest.is_empty() && columns.len() < 32 {
        let known = COLUMNS.iter().find(|(head, _)| {
            rest.strip_prefix(head)
                .is_some_and(|after| after.is_empty() || after.starts_with(' '))
        });
        let length = known.map_or_else(|| rest.find("  ").unwrap_or(rest.len()), |(head, _)| head.len());
        columns.push(&rest[..length]);
        rest = rest[length..].trim_ascii_start();
    }
    (columns.first() == Some(&"ONT") && second.trim_ascii().starts_with("ID ")).then_some(columns)
}

/// `    0  -24.68    3.68      -22.68      38           3.200    6        171`
fn row<'s>(line: Line<'s>, columns: &[&'s str], notes: &mut Notes) -> Option<OnuOptics<'s>> {
    let mut words = Words::of(line.text);
    let mut row = OnuOptics {
        line: line.number,
        onu: value::number(words.next()?)?,
        ..OnuOptics::default()
    };
    for column in &columns[1..] {
        let word = words.next()?;
        let field = match *column {
            "Rx power" => &mut row.rx_power_dbm,
            "Tx power" => &mut row.tx_power_dbm,
            "OLT Rx ONT" => &mut row.olt_rx_power_dbm,
            "Temperature" => &mut row.temperature_celsius,
            "Voltage" => &mut row.voltage_v,
            "Current" => &mut row.current_ma,
            "Distance" => &mut row.distance_m,
            other => {
                row.raw.cell(other, word);
                continue;
            }
        };
        *field = value::decimal(word);
        if field.is_none() && value::present(word).is_some() {
            notes.doubt(line.number, line.column_of(word), Problem::BadValue { field: "optics" });
            row.raw.cell(*column, word);
        }
    }
    words.next().is_none().then_some(row)
}

/// Reads the labels of one ONU.
pub fn read_one<'s>(body: &Body<'s>, notes: &mut Notes) -> Vec<OpticalModule<'s>> {
    let mut modules = Vec::new();
    for part in parts(&body.lines) {
        let mut block = Block::default();
        for line in before_note(part.lines) {
            if !block.add(*line) {
                notes.loss(line.number, 1, Problem::NotUnderstood);
            }
        }
        if block.is_two() {
            notes.loss(block.line(), 1, Problem::Twice);
        }
        if !block.is_empty() {
            modules.push(module(block, notes));
        }
        if !part.closed {
            notes.loss(body.end, 1, Problem::NotClosed);
        }
    }
    modules
}

fn module<'s>(mut block: Block<'s>, notes: &mut Notes) -> OpticalModule<'s> {
    let line = block.line();
    let number = |text: &str| value::leading_decimal(text).map(|(number, _)| number);
    let olt = block.value(notes, "OLT Rx ONT optical power(dBm)", |text| {
        value::leading_decimal(text).map(|(number, remark)| (number, remark.map(str::to_owned)))
    });
    let (olt_rx_power_dbm, olt_rx_power_remark) = olt.map_or((None, None), |(number, remark)| (Some(number), remark));
    OpticalModule {
        line,
        rx_power_dbm: block.value(notes, "Rx optical power(dBm)", number),
        tx_power_dbm: block.value(notes, "Tx optical power(dBm)", number),
        olt_rx_power_dbm,
        olt_rx_power_remark,
        catv_rx_power_dbm: block.value(notes, "CATV Rx optical power(dBm)", number),
        current_ma: block.value(notes, "Laser bias current(mA)", number),
        temperature_celsius: block.value(notes, "Temperature(C)", number),
        voltage_v: block.value(notes, "Voltage(V)", number),
        vendor_name: block.text("Vendor name"),
        vendor_part_number: block.text("Vendor PN"),
        vendor_serial: block.text("Vendor SN"),
        module_sub_type: block.text("Module sub-type"),
        raw: block.rest(),
    }
}
