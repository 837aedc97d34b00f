//! `display ont info F S P ID` and `by-sn`: everything about one ONU, its profiles behind it.

use std::borrow::Cow;

use serde::Serialize;

use super::Settings;
use super::body::Body;
use super::issue::{Notes, Problem};
use super::label::{Block, Entry, Raw};
use super::listing::is_note;
use super::screen::Line;
use super::table::{Table, is_rule};
use super::value::{self, DeviceTime, PortPlace};

/// One ONU in full.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OnuDetail<'s> {
    /// Line it begins at.
    #[serde(skip)]
    pub line: u32,
    /// Where it hangs.
    #[serde(flatten)]
    pub place: Option<PortPlace>,
    /// Its id on the port.
    pub onu: Option<u16>,
    /// What the operator wants of it.
    pub control_flag: Option<Cow<'s, str>>,
    /// Whether it works.
    pub run_state: Option<Cow<'s, str>>,
    /// Whether its configuration has reached it.
    pub config_state: Option<Cow<'s, str>>,
    /// Whether it is what its service profile says.
    pub match_state: Option<Cow<'s, str>>,
    /// Distance.
    pub distance_m: Option<u32>,
    /// Distance when it was last online.
    pub last_distance_m: Option<u32>,
    /// Memory in use.
    pub memory_percent: Option<f64>,
    /// Processor in use.
    pub cpu_percent: Option<f64>,
    /// Temperature.
    pub temperature_celsius: Option<f64>,
    /// How it proves who it is; never with what.
    pub authentic_type: Option<Cow<'s, str>>,
    /// Serial number.
    pub serial: Option<model::Serial>,
    /// Serial number as printed.
    pub serial_text: Option<Cow<'s, str>>,
    /// Whether a password is set; not which.
    pub password_present: bool,
    /// How it is managed.
    pub management_mode: Option<Cow<'s, str>>,
    /// Description, whole.
    pub description: Option<Cow<'s, str>>,
    /// Why it last went down, in the device's words.
    pub last_down_cause: Option<Cow<'s, str>>,
    /// When it last came up, by the device's clock.
    pub last_up_time: Option<DeviceTime>,
    /// When it last went down.
    pub last_down_time: Option<DeviceTime>,
    /// When it last said that it loses power.
    pub last_dying_gasp_time: Option<DeviceTime>,
    /// How long it is online.
    pub online_duration_s: Option<u64>,
    /// How long it runs.
    pub system_up_duration_s: Option<u64>,
    /// Line profile.
    pub line_profile: Option<LineProfile<'s>>,
    /// Service profile.
    pub service_profile: Option<Profile<'s>>,
    /// Alarm policy profile.
    pub alarm_policy: Option<Profile<'s>>,
    /// Whatever else it says of the ONU.
    pub raw: Raw<'s>,
}

/// A profile of an ONU: number, name and the rest under the device's labels.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Profile<'s> {
    /// Number.
    pub id: Option<u32>,
    /// Name.
    pub name: Option<Cow<'s, str>>,
    /// Labels of it.
    pub raw: Raw<'s>,
    /// Tables of it.
    pub tables: Vec<Table<'s>>,
}

/// A line profile.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct LineProfile<'s> {
    /// Number, name, labels.
    #[serde(flatten)]
    pub profile: Profile<'s>,
    /// Its T-CONTs.
    pub t_conts: Vec<TCont<'s>>,
}

/// A T-CONT of a line profile.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TCont<'s> {
    /// Number.
    pub id: u32,
    /// DBA profile.
    pub dba_profile_id: Option<u32>,
    /// Its GEM ports.
    pub gems: Vec<Gem<'s>>,
}

/// A GEM port of a T-CONT.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Gem<'s> {
    /// Index.
    pub index: u32,
    /// What its box says.
    pub raw: Raw<'s>,
    /// Its mappings.
    pub tables: Vec<Table<'s>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Section {
    #[default]
    Onu,
    Line,
    Service,
    Alarm,
}

/// An ONU as its lines come in.
#[derive(Default)]
struct Open<'s> {
    section: Section,
    onu: Block<'s>,
    line: Block<'s>,
    service: Block<'s>,
    alarm: Block<'s>,
    line_tables: Vec<Table<'s>>,
    service_tables: Vec<Table<'s>>,
    alarm_tables: Vec<Table<'s>>,
    t_conts: Vec<TCont<'s>>,
}

/// Reads every ONU of the answer.
pub fn read<'s>(body: &Body<'s>, settings: &Settings, notes: &mut Notes) -> Vec<OnuDetail<'s>> {
    let mut rows = Vec::new();
    let mut open: Option<Open<'s>> = None;
    let mut said = None;
    let lines = &body.lines;
    let (mut at, mut note) = (0, false);
    while let Some(&line) = lines.get(at) {
        at += 1;
        if is_rule(line.text) {
            note = false;
        } else if note {
        } else if is_note(line.text) {
            note = true;
        } else if let Some(count) = required(line.text) {
            said = Some((line.number, count));
        } else if Entry::of(line).is_some_and(|entry| entry.label == "F/S/P") {
            rows.extend(open.take().map(|open| open.close(settings, notes)));
            let open = open.insert(Open::default());
            open.onu.add(line);
        } else if let Some(open) = &mut open {
            if !open.line(line) {
                match open.table(&lines[at - 1..]) {
                    Some((length, closed)) => {
                        at += length - 1;
                        if !closed {
                            notes.loss(body.end, 1, Problem::NotClosed);
                        }
                    }
                    None => notes.loss(line.number, 1, Problem::NotUnderstood),
                }
            }
        } else {
            notes.loss(line.number, 1, Problem::NotUnderstood);
        }
    }
    rows.extend(open.map(|open| open.close(settings, notes)));
    check_end(body, said, rows.len() as u64, notes);
    rows
}

fn check_end(body: &Body<'_>, said: Option<(u32, Option<u64>)>, read: u64, notes: &mut Notes) {
    match said {
        Some((line, Some(said))) if said != read => notes.loss(
            line,
            1,
            Problem::Count {
                what: "ONUs",
                said,
                read,
            },
        ),
        Some((line, None)) => notes.loss(line, 1, Problem::NoCount { what: "ONUs" }),
        _ => {}
    }
    let last = body.lines.iter().rev().find(|line| required(line.text).is_none());
    if last.is_some_and(|line| !is_rule(line.text)) {
        notes.loss(body.end, 1, Problem::NotClosed);
    }
}

/// `The number of required ONTs : 1`
fn required(text: &str) -> Option<Option<u64>> {
    let rest = text.trim_ascii_start().strip_prefix("The number of required ONTs")?;
    Some(value::whole(rest.trim_matches([' ', ':'])))
}

impl<'s> Open<'s> {
    /// Takes a line in that is no table. `false` if it may be one.
    fn line(&mut self, line: Line<'s>) -> bool {
        let text = line.text.trim_ascii();
        if let Some(rest) = text.strip_prefix("<T-CONT") {
            return self.t_cont(rest).is_some();
        }
        if let Some(rest) = text.strip_prefix("<Gem Index") {
            return self.gem(rest).is_some();
        }
        if text.starts_with('|') {
            return self.boxed(line);
        }
        if let Some(entry) = Entry::of(line) {
            self.section = match entry.label {
                "Line profile ID" | "Line profile name" => Section::Line,
                "Service profile ID" | "Service profile name" => Section::Service,
                "Alarm policy profile ID" | "Alarm policy profile name" => Section::Alarm,
                _ => self.section,
            };
        }
        match self.section {
            Section::Onu => self.onu.add(line),
            Section::Line => self.line.add(line),
            Section::Service => self.service.add(line),
            Section::Alarm => self.alarm.add(line),
        }
    }

    /// `<T-CONT   1>          DBA Profile-ID:10`
    fn t_cont(&mut self, rest: &str) -> Option<()> {
        let (id, rest) = rest.split_once('>')?;
        let id = value::number(id.trim_ascii())?;
        let dba_profile_id = rest
            .split_once("DBA Profile-ID:")
            .and_then(|(_, id)| value::number(id.trim_ascii()));
        self.section = Section::Line;
        self.t_conts.push(TCont {
            id,
            dba_profile_id,
            gems: Vec::new(),
        });
        Some(())
    }

    /// `<Gem Index 126>`
    fn gem(&mut self, rest: &str) -> Option<()> {
        let index = value::number(rest.split('>').next()?.trim_ascii())?;
        let gem = Gem {
            index,
            raw: Raw::default(),
            tables: Vec::new(),
        };
        self.t_conts.last_mut()?.gems.push(gem);
        Some(())
    }

    /// `|Serv-Type:ETH |Encrypt:on |Cascade:off |GEM-CAR:-            |`
    fn boxed(&mut self, line: Line<'s>) -> bool {
        let Some(gem) = self.t_conts.last_mut().and_then(|t_cont| t_cont.gems.last_mut()) else {
            return false;
        };
        line.text
            .trim_ascii()
            .split('|')
            .filter(|part| !part.trim_ascii().is_empty())
            .all(|part| {
                let entry = Entry::of(Line { text: part, ..line });
                entry.map(|entry| gem.raw.add(entry)).is_some()
            })
    }

    /// A table: one to three lines of a head, a rule, rows to the next rule. How many lines it has, and whether it is closed.
    fn table(&mut self, lines: &[Line<'s>]) -> Option<(usize, bool)> {
        let head = lines.iter().take(4).position(|line| is_rule(line.text))?;
        if head == 0 || head > 3 {
            return None;
        }
        let below = &lines[head + 1..];
        let rows = below.iter().position(|line| is_rule(line.text));
        let closed = rows.is_some();
        let rows = rows.unwrap_or(below.len());
        let table = Table::of(&lines[..head], &below[..rows]);
        let gem = self.t_conts.last_mut().and_then(|t_cont| t_cont.gems.last_mut());
        match (self.section, gem) {
            (Section::Line, Some(gem)) => gem.tables.push(table),
            (Section::Line | Section::Onu, _) => self.line_tables.push(table),
            (Section::Service, _) => self.service_tables.push(table),
            (Section::Alarm, _) => self.alarm_tables.push(table),
        }
        Some((head + 1 + rows, closed))
    }

    fn close(self, settings: &Settings, notes: &mut Notes) -> OnuDetail<'s> {
        let (line_block, t_conts) = (self.line, self.t_conts);
        let line_profile = (!line_block.is_empty() || !t_conts.is_empty()).then(|| LineProfile {
            profile: profile(
                line_block,
                ["Line profile ID", "Line profile name"],
                self.line_tables,
                notes,
            ),
            t_conts,
        });
        let of = |block: Block<'s>, labels, tables, notes: &mut Notes| {
            (!block.is_empty()).then(|| profile(block, labels, tables, notes))
        };
        let service_profile = of(
            self.service,
            ["Service profile ID", "Service profile name"],
            self.service_tables,
            notes,
        );
        let alarm_labels = ["Alarm policy profile ID", "Alarm policy profile name"];
        let alarm_policy = of(self.alarm, alarm_labels, self.alarm_tables, notes);
        let mut onu = detail(self.onu, settings, notes);
        (onu.line_profile, onu.service_profile, onu.alarm_policy) = (line_profile, service_profile, alarm_policy);
        onu
    }
}

fn profile<'s>(
    mut block: Block<'s>,
    labels: [&'static str; 2],
    tables: Vec<Table<'s>>,
    notes: &mut Notes,
) -> Profile<'s> {
    let id = block.value(notes, labels[0], value::number);
    Profile {
        id,
        name: block.text(labels[1]),
        raw: block.rest(),
        tables,
    }
}

fn detail<'s>(mut block: Block<'s>, settings: &Settings, notes: &mut Notes) -> OnuDetail<'s> {
    let line = block.line();
    let time = |text: &str| value::device_time(text, settings.day_first);
    let place = block.value(notes, "F/S/P", value::port_place);
    let onu = block.value(notes, "ONT-ID", value::number);
    if place.is_none() || onu.is_none() {
        notes.loss(line, 1, Problem::BadRow { table: "ONU" });
    }
    let serial_entry = block.take("SN");
    let serial = serial_entry.as_ref().and_then(|entry| value::serial(&entry.value));
    if let Some(entry) = serial_entry
        .as_ref()
        .filter(|entry| serial.is_none() && value::present(&entry.value).is_some())
    {
        notes.doubt(entry.line, entry.column, Problem::BadValue { field: "SN" });
    }
    OnuDetail {
        line,
        place,
        onu,
        control_flag: block.text("Control flag"),
        run_state: block.text("Run state"),
        config_state: block.text("Config state"),
        match_state: block.text("Match state"),
        distance_m: block.value(notes, "ONT distance(m)", value::number),
        last_distance_m: block.value(notes, "ONT last distance(m)", value::number),
        memory_percent: block.value(notes, "Memory occupation", value::percent),
        cpu_percent: block.value(notes, "CPU occupation", value::percent),
        temperature_celsius: block.value(notes, "Temperature", value::celsius),
        authentic_type: block.text("Authentic type"),
        serial,
        serial_text: serial_entry.and_then(|entry| super::label::present(entry.value)),
        password_present: block.is_set("Password"),
        management_mode: block.text("Management mode"),
        description: block.text("Description"),
        last_down_cause: block.text("Last down cause"),
        last_up_time: block.value(notes, "Last up time", time),
        last_down_time: block.value(notes, "Last down time", time),
        last_dying_gasp_time: block.value(notes, "Last dying gasp time", time),
        online_duration_s: block.value(notes, "ONT online duration", value::seconds),
        system_up_duration_s: block.value(notes, "ONT system up duration", value::seconds),
        line_profile: None,
        service_profile: None,
        alarm_policy: None,
        raw: block.rest(),
    }
}
