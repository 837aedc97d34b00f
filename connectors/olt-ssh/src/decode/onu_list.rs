//! `display ont info F S P all` and its kin: a table of states and one of descriptions a port, and the port's count below.

use std::collections::HashMap;

use serde::Serialize;

use super::body::Body;
use super::counts::Counts;
use super::issue::{Notes, Problem};
use super::screen::Line;
use super::table::{Words, is_rule, is_words};
use super::value::{self, PortPlace};
use super::words::{ConfigState, ControlFlag, MatchState, RunState};

/// One ONU of a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Onu<'s> {
    /// Line of its first row.
    #[serde(skip)]
    pub line: u32,
    /// Where it hangs.
    #[serde(flatten)]
    pub place: PortPlace,
    /// Its id on the port.
    pub onu: u16,
    /// Serial number.
    pub serial: Option<model::Serial>,
    /// Serial number as printed.
    pub serial_text: &'s str,
    /// What the operator wants of it.
    pub control_flag: Option<ControlFlag<'s>>,
    /// Whether it works.
    pub run_state: Option<RunState<'s>>,
    /// Whether its configuration has reached it.
    pub config_state: Option<ConfigState<'s>>,
    /// Whether it is what its service profile says.
    pub match_state: Option<MatchState<'s>>,
    /// `yes` or `no`.
    pub protect_side: Option<&'s str>,
    /// Description, whole.
    pub description: Option<std::borrow::Cow<'s, str>>,
}

/// Rows are indented by two or three.
const INDENT_MAX: usize = 8;

/// Reads every port of the answer.
pub fn read<'s>(body: &Body<'s>, notes: &mut Notes) -> Vec<Onu<'s>> {
    let mut reader = Reader {
        notes,
        rows: Vec::new(),
        first: 0,
        index: HashMap::new(),
        table: Table::None,
        last: None,
        described: 0,
    };
    let mut last_rule = false;
    for line in &body.lines {
        last_rule = is_rule(line.text);
        if !last_rule {
            reader.line(*line);
        }
    }
    let Reader { rows, first, table, .. } = reader;
    if first < rows.len() {
        notes.loss(
            body.end,
            1,
            Problem::NoCount {
                what: "ONUs of the port",
            },
        );
    }
    if !last_rule && table != Table::None {
        notes.loss(body.end, 1, Problem::NotClosed);
    }
    rows
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Table {
    None,
    States,
    Descriptions,
}

struct Reader<'n, 's> {
    notes: &'n mut Notes,
    rows: Vec<Onu<'s>>,
    /// First row since the last count.
    first: usize,
    /// Rows since the last count, by place.
    index: HashMap<(PortPlace, u16), usize>,
    table: Table,
    /// The description that a next line may go on with: its row and its column.
    last: Option<(usize, usize)>,
    described: usize,
}

impl<'s> Reader<'_, 's> {
    fn line(&mut self, line: Line<'s>) {
        if self.table == Table::Descriptions && self.goes_on(line) {
            return;
        }
        let line = line.unshifted(INDENT_MAX);
        let text = line.text.trim_ascii_start();
        if text.starts_with(|c: char| c.is_ascii_digit()) {
            let read = match self.table {
                Table::States => self.state_row(line),
                Table::Descriptions => self.description_row(line),
                Table::None => None,
            };
            if read.is_none() {
                self.notes.loss(line.number, 1, Problem::BadRow { table: "ONU" });
            }
        } else if text.starts_with("In port ") || text.starts_with("the total ") || text.starts_with("The total ") {
            self.count(line);
        } else if is_words(text, "F/S/P ONT SN Control Run Config Match Protect") {
            self.table = Table::States;
        } else if is_words(text, "F/S/P ONT-ID Description") || is_words(text, "F/S/P ONT Description") {
            (self.table, self.last) = (Table::Descriptions, None);
        } else if !is_words(text, "ID flag state state state side") && !is_words(text, "ID") {
            self.notes.loss(line.number, 1, Problem::NotUnderstood);
        }
    }

    /// `  0/ 2/8    0  48575443A1B2C3D4  active      online   normal   match    no`
    fn state_row(&mut self, line: Line<'s>) -> Option<()> {
        let [place, onu, serial, control, run, config, matched, protect] = Words::of(line.text).exactly()?;
        let (place, onu) = (value::port_place(place)?, value::number(onu)?);
        let row = Onu {
            line: line.number,
            place,
            onu,
            serial: value::serial(serial),
            serial_text: serial,
            control_flag: ControlFlag::of(control),
            run_state: RunState::of(run),
            config_state: ConfigState::of(config),
            match_state: MatchState::of(matched),
            protect_side: value::present(protect),
            description: None,
        };
        let mut doubt = |odd: bool, word: &str, field| {
            if odd {
                self.notes
                    .doubt(line.number, line.column_of(word), Problem::BadValue { field });
            }
        };
        doubt(row.serial.is_none(), serial, "serial");
        doubt(
            row.control_flag.is_some_and(|word| !word.is_known()),
            control,
            "control_flag",
        );
        doubt(row.run_state.is_some_and(|word| !word.is_known()), run, "run_state");
        doubt(
            row.config_state.is_some_and(|word| !word.is_known()),
            config,
            "config_state",
        );
        doubt(
            row.match_state.is_some_and(|word| !word.is_known()),
            matched,
            "match_state",
        );
        if self.index.insert((place, onu), self.rows.len()).is_some() {
            self.notes.loss(line.number, 1, Problem::Twice);
        }
        self.rows.push(row);
        Some(())
    }

    /// `  0/ 2/8       0   The description`
    fn description_row(&mut self, line: Line<'s>) -> Option<()> {
        let mut words = Words::of(line.text);
        let (place, onu) = (value::port_place(words.next()?)?, value::number(words.next()?)?);
        let description = words.rest();
        self.described += 1;
        let Some(&row) = self.index.get(&(place, onu)) else {
            self.notes.loss(line.number, 1, Problem::HalfRow);
            return Some(());
        };
        self.rows[row].description = value::present(description).map(Into::into);
        self.last = (!description.is_empty()).then(|| (row, line.column_of(description) as usize - 1));
        Some(())
    }

    /// A wrapped description stands under its own beginning.
    fn goes_on(&mut self, line: Line<'s>) -> bool {
        let Some((row, column)) = self
            .last
            .filter(|(_, column)| line.indent() >= *column && *column > INDENT_MAX)
        else {
            return false;
        };
        // A row shifted by a stripped pager is a row.
        let unshifted = line.unshifted(INDENT_MAX);
        if line.indent() != column && self.is_row(unshifted) {
            return false;
        }
        if let Some(description) = &mut self.rows[row].description {
            let text = description.to_mut();
            if line.indent() > column {
                text.push(' ');
            }
            text.push_str(line.text.trim_ascii());
        }
        true
    }

    fn is_row(&self, line: Line<'_>) -> bool {
        let mut words = Words::of(line.text);
        words.next().and_then(value::port_place).is_some() && words.next().and_then(value::whole).is_some()
    }

    /// `  In port 0/ 2/8 , the total of ONTs are: 12, online: 8`
    fn count(&mut self, line: Line<'s>) {
        let counts = Counts::of(line.text);
        let rows = &self.rows[self.first.min(self.rows.len())..];
        let read = rows.len() as u64;
        if let Some(rest) = line.text.trim_ascii().strip_prefix("In port ") {
            let place = rest
                .split(',')
                .next()
                .and_then(|place| value::port_place(place.trim_ascii()));
            if place.is_none_or(|place| rows.iter().any(|row| row.place != place)) {
                self.notes.loss(line.number, 1, Problem::NotUnderstood);
            }
        }
        match counts.total {
            Some(0) if read == 0 => self.notes.said_none(),
            Some(said) if said == read => {}
            Some(said) => self.notes.loss(
                line.number,
                1,
                Problem::Count {
                    what: "ONUs of the port",
                    said,
                    read,
                },
            ),
            None => self.notes.loss(
                line.number,
                1,
                Problem::NoCount {
                    what: "ONUs of the port",
                },
            ),
        }
        let described = self.described as u64;
        if described != read {
            self.notes.loss(
                line.number,
                1,
                Problem::Count {
                    what: "ONUs of the port",
                    said: read,
                    read: described,
                },
            );
        }
        // States move while a table is printed: a difference is no loss.
        let is = |state: RunState<'static>| rows.iter().filter(|row| row.run_state == Some(state)).count() as u64;
        for (said, read, what) in [
            (counts.online, is(RunState::Online), "ONUs online"),
            (counts.offline, is(RunState::Offline), "ONUs offline"),
        ] {
            if let Some(said) = said.filter(|said| *said != read) {
                self.notes.doubt(line.number, 1, Problem::Count { what, said, read });
            }
        }
        (self.first, self.described, self.table, self.last) = (self.rows.len(), 0, Table::None, None);
        self.index.clear();
    }
}
