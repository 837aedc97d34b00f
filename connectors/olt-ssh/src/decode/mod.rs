//! Readers of what a device prints: pure, total, in time and memory linear in the input.
//!
//! ```text
//! bytes ──text_of──▶ text ──Screen──▶ lines ──▶ body ──▶ rows of one command, issues with line and column, `complete`
//!                          (cursor)        (echo, prompts, unasked alarms and errors taken out)
//! ```
//!
//! - A read is `complete` only if its end was seen, every line of it was understood, and the device's own counts match.
//!   Nothing is dropped silently: a line that no rule reads makes the read incomplete.
//! - `-`, `-/-` and nothing are null. A value that is not what its field holds is null there, kept under `raw`, and an issue.
//! - No password, check code or community is in a row or an issue: only whether it is set.
//! - The device's clock is an attribute. Dates with strokes are read as the device is set ([`Settings::day_first`]).
//!
//! Layouts and where they were seen: `README.md` of this crate.

mod alarm;
mod answer;
mod autofind;
mod board;
mod body;
mod command;
mod counts;
mod flow;
mod generic;
mod issue;
mod label;
mod listing;
mod onu_detail;
mod onu_list;
mod onu_summary;
mod optics;
mod port;
mod screen;
mod secret;
mod service;
mod system;
mod table;
mod unasked;
mod value;
mod words;

use serde::Serialize;

pub use alarm::Alarm;
pub use answer::Answer;
pub(crate) use answer::error_in;
pub use autofind::FoundOnu;
pub use board::Slot;
pub use body::prompt;
pub use command::{Command, Kind, UnknownCommand};
pub use flow::{MacAddress, OnuMacAddress, ServicePort};
pub use generic::Unverified;
pub use issue::{Effect, ISSUES_MAX, Issue, Problem};
pub use label::{Raw, RawValue};
pub use onu_detail::{Gem, LineProfile, OnuDetail, Profile, TCont};
pub use onu_list::Onu;
pub use onu_summary::OnuSummary;
pub use optics::{OnuOptics, OpticalModule};
pub use port::{GemPort, OnuPortState, OnuPortVlan, PortInfo};
pub use screen::{BYTES_MAX, LINES_MAX, Line, Screen, text_of};
pub use secret::scrubbed;
pub use service::{LineProfileName, OnuVersionCount, Ssid, WanConnection, WlanStatus};
pub use system::{BoardTemperature, Change, Mainboard, Occupancy, Uptime, Version};
pub use table::Table;
pub use value::{DeviceTime, PortPlace};
pub use words::{BoardStatus, ConfigState, ControlFlag, MatchState, RunState};

use body::{Body, body};
use issue::Notes;

/// What a reader must know of the device and of how the answer was got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Whether `1/2/2026` is the first of February.
    pub day_first: bool,
    /// Whether the caller saw the prompt after the answer. Otherwise it must stand at the end of the text.
    pub whole: bool,
    /// Host name in the prompts; learnt from the text if not given.
    pub host: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            day_first: true,
            whole: false,
            host: None,
        }
    }
}

/// Whether a layout was seen in a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// It was.
    #[default]
    Known,
    /// It was not: read by form alone.
    Unverified,
}

/// What was read of one answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading<'s, R> {
    /// The rows, in the device's order.
    pub rows: Vec<R>,
    /// What could not be read as it should, by place; at most [`ISSUES_MAX`].
    pub issues: Vec<Issue>,
    /// Issues over that.
    pub issues_left_off: u64,
    /// Whether nothing is missing: what is not in a complete read is not on the device.
    pub complete: bool,
    /// What kind of answer it was.
    pub answer: Answer,
    /// Alarms that the device printed into it.
    pub unasked: Vec<Alarm<'s>>,
}

/// A row of any command.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "row", rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is the type it holds")]
pub enum Row<'s> {
    OnuSummary(OnuSummary<'s>),
    Onu(Onu<'s>),
    OnuDetail(Box<OnuDetail<'s>>),
    OnuOptics(OnuOptics<'s>),
    OpticalModule(Box<OpticalModule<'s>>),
    FoundOnu(Box<FoundOnu<'s>>),
    Slot(Slot<'s>),
    Version(Box<Version<'s>>),
    Uptime(Uptime),
    BoardTemperature(BoardTemperature<'s>),
    Cpu(Occupancy),
    Memory(Occupancy),
    Alarm(Box<Alarm<'s>>),
    PortInfo(PortInfo<'s>),
    ServicePort(ServicePort<'s>),
    MacAddress(MacAddress<'s>),
    OnuMacAddress(OnuMacAddress<'s>),
    OnuPortState(OnuPortState<'s>),
    OnuPortVlan(OnuPortVlan<'s>),
    GemPort(GemPort<'s>),
    OnuVersionCount(OnuVersionCount<'s>),
    WanConnection(Box<WanConnection<'s>>),
    Ssid(Box<Ssid<'s>>),
    WlanStatus(WlanStatus<'s>),
    LineProfile(LineProfileName<'s>),
    Change(Change),
    Unverified(Unverified<'s>),
}

/// Reads the answer of any known command.
pub fn read<'s>(screen: &'s Screen<'_>, command: &Command, settings: &Settings) -> Reading<'s, Row<'s>> {
    read_with(screen, command, settings, |body, notes| {
        rows(body, command, settings, notes)
    })
}

/// Reads `display ont info summary`: the poll of every minute, without a detour over [`Row`].
pub fn read_summary<'s>(screen: &'s Screen<'_>, command: &Command, settings: &Settings) -> Reading<'s, OnuSummary<'s>> {
    read_with(screen, command, settings, |body, notes| {
        onu_summary::read(body, settings, notes)
    })
}

fn read_with<'s, R>(
    screen: &'s Screen<'_>,
    command: &Command,
    settings: &Settings,
    reader: impl FnOnce(&Body<'s>, &mut Notes) -> Vec<R>,
) -> Reading<'s, R> {
    let mut notes = Notes::default();
    let mut body = body(screen, command, settings, &mut notes);
    let mut answer = Answer::Read;
    if let Some((at, error)) = answer::error_of(&body.lines) {
        answer = error;
        if error != Answer::Empty {
            notes.loss(body.lines[at].number, 1, Problem::Failed);
        }
        // What stands before an error is its caret and an echo, or the part of a table that came through.
        let table = body.lines[..at].iter().any(|line| table::is_rule(line.text));
        body.lines.truncate(if table { at } else { 0 });
    }
    let rows = if body.lines.is_empty() && answer != Answer::Read {
        Vec::new()
    } else {
        reader(&body, &mut notes)
    };
    if rows.is_empty() && answer == Answer::Read && !notes.is_none() {
        notes.loss(body.end, 1, Problem::NothingRead);
    }
    let complete = !notes.lost();
    let (issues, issues_left_off) = notes.finish();
    Reading {
        rows,
        issues,
        issues_left_off,
        complete,
        answer,
        unasked: body.unasked,
    }
}

fn rows<'s>(body: &Body<'s>, command: &Command, settings: &Settings, notes: &mut Notes) -> Vec<Row<'s>> {
    let boxed = |alarms: Vec<Alarm<'s>>| all(alarms.into_iter().map(Box::new).collect(), Row::Alarm);
    let known = match command.kind() {
        Kind::OnuSummary => Some(all(onu_summary::read(body, settings, notes), Row::OnuSummary)),
        Kind::OnuInfo if is_one(body) => Some(all(
            onu_detail::read(body, settings, notes)
                .into_iter()
                .map(Box::new)
                .collect(),
            Row::OnuDetail,
        )),
        Kind::OnuInfo => Some(all(onu_list::read(body, notes), Row::Onu)),
        Kind::Optics => Some(match optics::read_table(body, notes) {
            Some(rows) => all(rows, Row::OnuOptics),
            None => all(
                optics::read_one(body, notes).into_iter().map(Box::new).collect(),
                Row::OpticalModule,
            ),
        }),
        Kind::Autofind => Some(all(
            autofind::read(body, settings, notes)
                .into_iter()
                .map(Box::new)
                .collect(),
            Row::FoundOnu,
        )),
        Kind::Board => board::read(body, notes).map(|rows| all(rows, Row::Slot)),
        Kind::Version => Some(all(
            system::version(body, notes).into_iter().map(Box::new).collect(),
            Row::Version,
        )),
        Kind::Uptime => Some(all(system::uptime(body, notes), Row::Uptime)),
        Kind::Temperature => Some(all(system::temperatures(body, notes), Row::BoardTemperature)),
        Kind::Cpu => Some(all(system::cpu(body, notes), Row::Cpu)),
        Kind::Memory => system::is_memory(body).then(|| all(system::memory(body, notes), Row::Memory)),
        Kind::ActiveAlarms => alarm::read(body, Layout::Known, settings, notes).map(boxed),
        Kind::AlarmHistory => alarm::read(body, Layout::Unverified, settings, notes).map(boxed),
        Kind::PortInfo => port::info(body, notes).map(|rows| all(rows, Row::PortInfo)),
        Kind::ServicePorts => flow::service_ports(body, notes).map(|rows| all(rows, Row::ServicePort)),
        Kind::MacAddresses => flow::macs(body, notes).map(|rows| all(rows, Row::MacAddress)),
        Kind::OnuMacAddresses => flow::onu_macs(body, notes).map(|rows| all(rows, Row::OnuMacAddress)),
        Kind::OnuPortState => port::onu_states(body, notes).map(|rows| all(rows, Row::OnuPortState)),
        Kind::OnuPortVlan => port::onu_vlans(body, notes).map(|rows| all(rows, Row::OnuPortVlan)),
        Kind::GemPorts => port::gems(body, notes).map(|rows| all(rows, Row::GemPort)),
        Kind::OnuVersions => service::onu_versions(body, notes).map(|rows| all(rows, Row::OnuVersionCount)),
        Kind::Wan => Some(all(
            service::wan(body, notes).into_iter().map(Box::new).collect(),
            Row::WanConnection,
        )),
        Kind::WlanInfo => Some(all(
            service::ssids(body, notes).into_iter().map(Box::new).collect(),
            Row::Ssid,
        )),
        Kind::WlanStatus => Some(all(service::wlan_status(body, notes), Row::WlanStatus)),
        Kind::LineProfiles => service::line_profiles(body, notes).map(|rows| all(rows, Row::LineProfile)),
        Kind::Change => Some(all(system::change(body, notes), Row::Change)),
        Kind::Unverified => None,
    };
    known.unwrap_or_else(|| {
        if command.is_recorded() {
            notes.loss(
                body.lines.first().map_or(1, |line| line.number),
                1,
                Problem::OtherLayout,
            );
        }
        all(generic::read(body, notes), Row::Unverified)
    })
}

fn all<'s, R>(rows: Vec<R>, row: impl Fn(R) -> Row<'s>) -> Vec<Row<'s>> {
    rows.into_iter().map(row).collect()
}

/// Whether an answer of `display ont info` is about one ONU: labels, not a table.
fn is_one(body: &Body<'_>) -> bool {
    let first = body
        .lines
        .iter()
        .find(|line| line.text.trim_ascii_start().starts_with("F/S/P"));
    first.is_some_and(|line| line.text.contains(':'))
}
