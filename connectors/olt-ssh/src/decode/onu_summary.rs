//! `display ont info summary`: two tables a port, joined by ONU id. The best poll: one command, every ONU of the device.

use serde::Serialize;

use super::Settings;
use super::body::Body;
use super::counts::Counts;
use super::issue::{Notes, Problem};
use super::label::Raw;
use super::screen::Line;
use super::table::{Words, is_rule, is_words};
use super::value::{self, DeviceTime, PortPlace};
use super::words::RunState;

/// One ONU of a summary.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OnuSummary<'s> {
    /// Line of its first row.
    #[serde(skip)]
    pub line: u32,
    /// Where it hangs.
    #[serde(flatten)]
    pub place: PortPlace,
    /// Its id on the port.
    pub onu: u16,
    /// Whether it works.
    pub run_state: Option<RunState<'s>>,
    /// When it last came up, by the device's clock.
    pub last_up_time: Option<DeviceTime>,
    /// When it last went down.
    pub last_down_time: Option<DeviceTime>,
    /// Why, in the device's words, cut to 25 letters by it.
    pub last_down_cause: Option<&'s str>,
    /// Serial number.
    pub serial: Option<model::Serial>,
    /// Serial number as printed.
    pub serial_text: Option<&'s str>,
    /// Equipment type; may hold blanks.
    pub equipment_type: Option<&'s str>,
    /// Distance in metres.
    pub distance_m: Option<u32>,
    /// Light the ONU receives.
    pub rx_power_dbm: Option<f64>,
    /// Light the ONU sends.
    pub tx_power_dbm: Option<f64>,
    /// Description, cut to 21 letters by the device.
    pub description: Option<&'s str>,
    /// Values that did not fit their field.
    #[serde(skip_serializing_if = "Raw::is_empty")]
    pub raw: Raw<'s>,
}

/// Columns of the second table, in bytes from 0; the words of its head do not stand above the data.
mod column {
    pub const TYPE: usize = 23;
    pub const DISTANCE: usize = 40;
    pub const POWER: usize = 46;
    pub const DESCRIPTION: usize = 59;
}

/// Rows are indented by two; wider ones were shifted.
const INDENT_MAX: usize = 8;

/// ONU ids of a port that are joined by a table; the highest known is 127.
const ONU_IDS: usize = 1 << 10;

/// Reads every port of the answer.
pub fn read<'s>(body: &Body<'s>, settings: &Settings, notes: &mut Notes) -> Vec<OnuSummary<'s>> {
    let mut reader = Reader {
        settings,
        notes,
        rows: Vec::with_capacity(body.lines.len() / 2),
        port: None,
        table: Table::None,
        index: vec![0; ONU_IDS],
    };
    let mut last_rule = false;
    for line in &body.lines {
        last_rule = is_rule(line.text);
        if !last_rule {
            reader.line(line.unshifted(INDENT_MAX));
        }
    }
    reader.end_port();
    let rows = reader.rows;
    if !last_rule && !body.lines.is_empty() {
        notes.loss(body.end, 1, Problem::NotClosed);
    }
    rows
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Table {
    None,
    States,
    Details,
}

/// The port whose tables are being read.
struct Port {
    place: PortPlace,
    line: u32,
    total: Option<u64>,
    online: Option<u64>,
    /// First of its rows.
    first: usize,
    details: u64,
}

struct Reader<'n, 's> {
    settings: &'n Settings,
    notes: &'n mut Notes,
    rows: Vec<OnuSummary<'s>>,
    port: Option<Port>,
    table: Table,
    /// ONU id to the number of its row after the port's first, plus one.
    index: Vec<u32>,
}

impl<'s> Reader<'_, 's> {
    fn line(&mut self, line: Line<'s>) {
        let text = line.text.trim_ascii_start();
        if text.starts_with(|c: char| c.is_ascii_digit()) {
            let read = match self.table {
                Table::States => self.state_row(line),
                Table::Details => self.detail_row(line),
                Table::None => None,
            };
            if read.is_none() {
                self.notes
                    .loss(line.number, 1, Problem::BadRow { table: "ONU summary" });
            }
        } else if let Some(rest) = text.strip_prefix("In port ") {
            self.end_port();
            self.port = port(line, rest, self.rows.len(), self.notes);
        } else if is_words(text, "ONT Run Last Last Last") {
            self.table = Table::States;
        } else if is_words(text, "ONT SN Type Distance Rx/Tx power Description") {
            self.table = Table::Details;
        } else if !is_words(text, "ID State UpTime DownTime DownCause") && !is_words(text, "ID (m) (dBm)") {
            self.notes.loss(line.number, 1, Problem::NotUnderstood);
        }
    }

    /// `  0    online  2026-02-14 13:05:18 2026-02-14 05:16:56 dying-gasp`
    fn state_row(&mut self, line: Line<'s>) -> Option<()> {
        let port = self.port.as_ref()?;
        let mut words = Words::plain(line.text);
        let onu: u16 = value::number(words.next()?)?;
        let state = words.next()?;
        let mut raw = Raw::default();
        let up = moment(&mut words, line, "last_up_time", self.settings, self.notes, &mut raw)?;
        let down = moment(&mut words, line, "last_down_time", self.settings, self.notes, &mut raw)?;
        let run_state = RunState::of(state);
        if run_state.is_some_and(|state| !state.is_known()) {
            self.notes.doubt(
                line.number,
                line.column_of(state),
                Problem::BadValue { field: "run_state" },
            );
        }
        let cause = words.rest();
        if cause.is_empty() {
            return None;
        }
        let place = port.place;
        let number = self.rows.len() - port.first + 1;
        if let Some(slot) = self.index.get_mut(usize::from(onu)) {
            if *slot != 0 {
                self.notes.loss(line.number, 1, Problem::Twice);
            }
            *slot = u32::try_from(number).unwrap_or(0);
        }
        self.rows.push(OnuSummary {
            line: line.number,
            place,
            onu,
            run_state,
            last_up_time: up,
            last_down_time: down,
            last_down_cause: value::present(cause),
            serial: None,
            serial_text: None,
            equipment_type: None,
            distance_m: None,
            rx_power_dbm: None,
            tx_power_dbm: None,
            description: None,
            raw,
        });
        Some(())
    }

    /// `  0   48575443A1B2C3D4 EG8145X6-10      1807  -21.92/2.21  customer-0001`
    fn detail_row(&mut self, line: Line<'s>) -> Option<()> {
        let cells = cells_by_column(line).or_else(|| cells_by_pattern(line))?;
        let port = self.port.as_mut()?;
        port.details += 1;
        let slot = self
            .index
            .get(usize::from(cells.onu))
            .copied()
            .filter(|slot| *slot != 0);
        let Some(row) = slot.and_then(|slot| self.rows.get_mut(port.first + slot as usize - 1)) else {
            self.notes.loss(line.number, 1, Problem::HalfRow);
            return Some(());
        };
        if row.serial_text.is_some() {
            self.notes.loss(line.number, 1, Problem::Twice);
        }
        row.serial_text = value::present(cells.serial);
        row.serial = value::serial(cells.serial);
        if row.serial.is_none() && row.serial_text.is_some() {
            self.notes.doubt(
                line.number,
                line.column_of(cells.serial),
                Problem::BadValue { field: "serial" },
            );
        }
        row.equipment_type = value::present(cells.equipment_type);
        row.description = value::present(cells.description);
        row.distance_m = value::number(cells.distance);
        (row.rx_power_dbm, row.tx_power_dbm) = cells.powers;
        Some(())
    }

    /// Checks the port that ends here against its own count.
    fn end_port(&mut self) {
        self.table = Table::None;
        let Some(port) = self.port.take() else {
            return;
        };
        let rows = &self.rows[port.first..];
        let (line, read) = (port.line, rows.len() as u64);
        for row in rows {
            if let Some(slot) = self.index.get_mut(usize::from(row.onu)) {
                *slot = 0;
            }
        }
        let mut count = |said: Option<u64>, read: u64| match said {
            Some(0) if read == 0 => self.notes.said_none(),
            Some(said) if said == read => {}
            Some(said) => self.notes.loss(
                line,
                1,
                Problem::Count {
                    what: "ONUs of the port",
                    said,
                    read,
                },
            ),
            None => self.notes.loss(
                line,
                1,
                Problem::NoCount {
                    what: "ONUs of the port",
                },
            ),
        };
        count(port.total, read);
        if port.details != read {
            count(port.total, port.details);
        }
        let online = rows
            .iter()
            .filter(|row| row.run_state == Some(RunState::Online))
            .count() as u64;
        if let Some(said) = port.online.filter(|said| *said != online) {
            // States move while a table is printed.
            self.notes.doubt(
                line,
                1,
                Problem::Count {
                    what: "ONUs online",
                    said,
                    read: online,
                },
            );
        }
    }
}

/// `0/5/0, the total of ONTs are: 2, online: 1`
fn port(line: Line<'_>, rest: &str, first: usize, notes: &mut Notes) -> Option<Port> {
    let place = rest
        .split_once(',')
        .and_then(|(place, _)| value::port_place(place.trim_ascii()));
    let Some(place) = place else {
        notes.loss(line.number, line.column_of(rest), Problem::NotUnderstood);
        return None;
    };
    let counts = Counts::of(rest);
    Some(Port {
        place,
        line: line.number,
        total: counts.total,
        online: counts.online,
        first,
        details: 0,
    })
}

/// A date and a time, or `-`. `None` if there is no word at all; a date that is none is kept as text.
fn moment<'s>(
    words: &mut Words<'s>,
    line: Line<'s>,
    field: &'static str,
    settings: &Settings,
    notes: &mut Notes,
    raw: &mut Raw<'s>,
) -> Option<Option<DeviceTime>> {
    let from = words.rest();
    let date = words.next()?;
    if value::present(date).is_none() {
        return Some(None);
    }
    // The time of day is a word of its own, where there is one.
    let mut ahead = words.clone();
    let mut text = date;
    if ahead.next().is_some_and(|time| time.contains(':')) {
        text = from[..from.len() - ahead.rest().len()].trim_ascii();
        *words = ahead;
    }
    let time = value::device_time(text, settings.day_first);
    if time.is_none() {
        notes.doubt(line.number, line.column_of(text), Problem::BadValue { field });
        raw.cell(field, text);
    }
    Some(time)
}

struct Cells<'s> {
    onu: u16,
    serial: &'s str,
    equipment_type: &'s str,
    distance: &'s str,
    powers: (Option<f64>, Option<f64>),
    description: &'s str,
}

/// The second table by its columns; `None` where a cell does not look like what it must be.
fn cells_by_column(line: Line<'_>) -> Option<Cells<'_>> {
    let mut words = Words::plain(line.text);
    let (onu, serial) = (value::number(words.next()?)?, words.next()?);
    let between = |at: usize| line.text.as_bytes().get(at - 1).is_none_or(|byte| *byte == b' ');
    if !(between(column::TYPE) && between(column::DISTANCE) && between(column::POWER) && between(column::DESCRIPTION)) {
        return None;
    }
    let serial_end = line.column_of(serial) as usize - 1 + serial.len();
    let distance = line.cut(column::DISTANCE, column::POWER);
    let powers = powers(line.cut(column::POWER, column::DESCRIPTION))?;
    (serial_end < column::TYPE && is_distance(distance)).then(|| Cells {
        onu,
        serial,
        equipment_type: line.cut(column::TYPE, column::DISTANCE),
        distance,
        powers,
        description: line.cut(column::DESCRIPTION, usize::MAX),
    })
}

/// The second table by pattern: the first distance that powers follow.
fn cells_by_pattern(line: Line<'_>) -> Option<Cells<'_>> {
    let mut words = Words::plain(line.text);
    let (onu, serial) = (value::number(words.next()?)?, words.next()?);
    let from = words.rest();
    loop {
        let before = words.rest();
        let distance = words.next()?;
        let mut ahead = words.clone();
        let Some(powers) = ahead.next().filter(|_| is_distance(distance)).and_then(powers) else {
            continue;
        };
        let equipment_type = from[..from.len() - before.len()].trim_ascii();
        return Some(Cells {
            onu,
            serial,
            equipment_type,
            distance,
            powers,
            description: ahead.rest(),
        });
    }
}

fn is_distance(text: &str) -> bool {
    value::present(text).is_none() && !text.is_empty() || value::number::<u32>(text).is_some()
}

/// `-21.92/2.21`, `-/-`, `-/2.21`.
fn powers(text: &str) -> Option<(Option<f64>, Option<f64>)> {
    let (rx, tx) = text.split_once('/')?;
    let read = |text: &str| {
        if text == "-" {
            Some(None)
        } else {
            value::decimal(text).map(Some)
        }
    };
    Some((read(rx)?, read(tx)?))
}
