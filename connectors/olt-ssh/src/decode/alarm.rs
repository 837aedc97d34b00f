//! Alarms: the blocks of `display alarm …`, the wrapped list of it, and the blocks a device prints into any other answer.

use std::borrow::Cow;

use serde::Serialize;

use super::body::Body;
use super::issue::{Notes, Problem};
use super::label::{Entry, Raw};
use super::screen::Line;
use super::secret;
use super::table::{is_rule, is_words};
use super::value::{self, DeviceTime};
use super::{Layout, Settings};

/// Lines of one block at most.
pub(super) const BLOCK_LINES_MAX: usize = 64;
/// The list wraps its text here.
const LIST_TEXT_COLUMN: usize = 42;
/// A line of the list is no wider: a wider one holds two.
const LIST_WIDTH_MAX: usize = LIST_TEXT_COLUMN + 36;

/// One alarm as the device says it. What it means is decided elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Alarm<'s> {
    /// Line it begins at.
    #[serde(skip)]
    pub line: u32,
    /// Running number of the device.
    pub sequence: Option<u64>,
    /// `FAULT`, `RECOVERY`, `EVENT`.
    pub kind: Option<&'s str>,
    /// `CRITICAL`, `MAJOR`, `MINOR`, `WARNING`.
    pub severity: Option<&'s str>,
    /// `0x2e11a00b`.
    pub alarm_id: Option<&'s str>,
    /// `SERVICE QUALITY` and the like.
    pub class: Option<&'s str>,
    /// When, by the device's clock.
    pub device_time: Option<DeviceTime>,
    /// What.
    pub name: Option<Cow<'s, str>>,
    /// Whether service is affected, in the device's letters (`SA`, `NSA`).
    pub service_effect: Option<Cow<'s, str>>,
    /// Where, in the device's words.
    pub parameters: Option<Cow<'s, str>>,
    /// Frame, read from the parameters.
    pub frame: Option<u8>,
    /// Slot.
    pub slot: Option<u8>,
    /// Port.
    pub port: Option<u8>,
    /// ONU id.
    pub onu: Option<u16>,
    /// Equipment type of the ONU.
    pub equipment_id: Option<String>,
    /// Board name.
    pub board: Option<String>,
    /// ONUs a port alarm concerns; null for -1.
    pub affected_onus: Option<u32>,
    /// Of them, those that said they lost power.
    pub dying_gasp_onus: Option<u32>,
    /// What it means, by the device.
    pub description: Option<Cow<'s, str>>,
    /// Why.
    pub cause: Option<Cow<'s, str>>,
    /// What to do.
    pub advice: Option<Cow<'s, str>>,
    /// Whether this form was seen in a recording.
    pub layout: Layout,
    /// Whatever else it says.
    #[serde(skip_serializing_if = "Raw::is_empty")]
    pub raw: Raw<'s>,
}

/// Reads `display alarm …`: blocks or the list, whichever stands there.
pub fn read<'s>(body: &Body<'s>, layout: Layout, settings: &Settings, notes: &mut Notes) -> Option<Vec<Alarm<'s>>> {
    let lines = &body.lines;
    let mut alarms = if lines
        .iter()
        .any(|line| is_words(line.text, "AlarmSN Date&Time Alarm Name/Para"))
    {
        list(lines, settings, notes)
    } else if lines.iter().any(|line| header(line.text, settings).is_some()) {
        blocks(lines, settings, notes)
    } else {
        return None;
    };
    for alarm in &mut alarms {
        alarm.layout = layout;
    }
    Some(alarms)
}

fn blocks<'s>(lines: &[Line<'s>], settings: &Settings, notes: &mut Notes) -> Vec<Alarm<'s>> {
    let mut alarms = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at];
        if header(line.text, settings).is_none() {
            if !is_rule(line.text) {
                notes.loss(line.number, 1, Problem::NotUnderstood);
            }
            at += 1;
            continue;
        }
        let rest = &lines[at + 1..];
        let ends = |line: &Line<'_>| is_end(line.text) || header(line.text, settings).is_some();
        let length = rest.iter().take(BLOCK_LINES_MAX).position(ends);
        let closed = length.is_some_and(|length| is_end(rest[length].text));
        let length = length.unwrap_or(rest.len().min(BLOCK_LINES_MAX));
        if !closed {
            notes.loss(line.number, 1, Problem::NotClosed);
        }
        alarms.push(block(line, &rest[..length], settings, notes));
        at += 1 + length + usize::from(closed);
    }
    alarms
}

fn list<'s>(lines: &[Line<'s>], settings: &Settings, notes: &mut Notes) -> Vec<Alarm<'s>> {
    let mut alarms: Vec<Alarm<'s>> = Vec::new();
    let mut texts: Vec<String> = Vec::new();
    let mut rules = 0;
    for line in lines {
        let line = line.unshifted(LIST_TEXT_COLUMN + 1);
        if is_rule(line.text) {
            rules += 1;
        } else if is_words(line.text, "AlarmSN Date&Time Alarm Name/Para") {
        } else if line.text.chars().count() > LIST_WIDTH_MAX {
            notes.loss(line.number, 1, Problem::BadRow { table: "alarm" });
        } else if line.indent() >= LIST_TEXT_COLUMN - 2 {
            match texts.last_mut() {
                Some(text) => {
                    text.push(' ');
                    text.push_str(line.text.trim_ascii());
                }
                None => notes.loss(line.number, 1, Problem::NotUnderstood),
            }
        } else if let Some((alarm, text)) = list_row(line, settings, notes) {
            alarms.push(alarm);
            texts.push(text.to_owned());
        } else {
            notes.loss(line.number, 1, Problem::BadRow { table: "alarm" });
        }
    }
    if rules < 3 {
        notes.loss(lines.last().map_or(1, |line| line.number), 1, Problem::NotClosed);
    }
    for (alarm, text) in alarms.iter_mut().zip(texts) {
        let text = text.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
        let parameters = text.find("FrameID:").map(|at| text[at..].to_owned());
        let name = text[..text.len() - parameters.as_ref().map_or(0, String::len)]
            .trim_ascii()
            .to_owned();
        alarm.name = (!name.is_empty()).then_some(Cow::Owned(name));
        alarm.parameters = parameters.map(Cow::Owned);
        hide(alarm);
        locate(alarm);
    }
    alarms
}

fn list_row<'s>(line: Line<'s>, settings: &Settings, notes: &mut Notes) -> Option<(Alarm<'s>, &'s str)> {
    let rest = line.text.trim_ascii_start();
    let (sequence, rest) = rest.split_once(' ')?;
    let sequence = value::whole(sequence)?;
    let rest = rest.trim_ascii_start();
    let day_end = rest.find(' ')?;
    let time_end = rest[day_end + 1..].find(' ').map_or(rest.len(), |at| day_end + 1 + at);
    let time = &rest[..time_end];
    let device_time = value::device_time(time, settings.day_first);
    if device_time.is_none() {
        notes.doubt(
            line.number,
            line.column_of(time),
            Problem::BadValue { field: "Date&Time" },
        );
    }
    let mut alarm = Alarm {
        line: line.number,
        sequence: Some(sequence),
        device_time,
        ..Alarm::default()
    };
    if device_time.is_none() {
        alarm.raw.cell("Date&Time", time);
    }
    Some((alarm, &rest[time_end..]))
}

/// What the first line of a block says: `ALARM 2431653 FAULT MINOR 0x2e11a00b SERVICE QUALITY 2026-02-14 22:40:04+08:00`.
pub(super) fn header<'s>(text: &'s str, settings: &Settings) -> Option<Alarm<'s>> {
    let rest = text.trim_ascii_start();
    let rest = rest.strip_prefix("ALARM ").or_else(|| rest.strip_prefix("EVENT "))?;
    let (sequence, rest) = rest.trim_ascii_start().split_once(' ')?;
    let sequence = Some(value::whole(sequence)?);
    let (kind, rest) = rest.trim_ascii_start().split_once(' ')?;
    let (severity, rest) = rest.trim_ascii_start().split_once(' ')?;
    let (alarm_id, rest) = rest.trim_ascii_start().split_once(' ')?;
    if !alarm_id.starts_with("0x") {
        return None;
    }
    // The class has blanks: the date is the last two words.
    let rest = rest.trim_ascii();
    let date = rest.rmatch_indices(' ').nth(1).map_or(0, |(at, _)| at);
    let device_time = value::device_time(rest[date..].trim_ascii(), settings.day_first);
    let class = value::present(if device_time.is_some() { &rest[..date] } else { rest });
    Some(Alarm {
        sequence,
        kind: Some(kind),
        severity: Some(severity),
        alarm_id: Some(alarm_id),
        class,
        device_time,
        ..Alarm::default()
    })
}

pub(super) fn is_end(text: &str) -> bool {
    is_words(text, "--- END")
}

const LABELS: &[&str] = &[
    "ALARM NAME",
    "EVENT NAME",
    "SRVEFF",
    "PARAMETERS",
    "DESCRIPTION",
    "CAUSE",
    "ADVICE",
];

pub(super) fn is_block_label(line: Line<'_>) -> bool {
    Entry::plain(line).is_some_and(|entry| LABELS.contains(&entry.label))
}

/// The block after its first line.
pub(super) fn block<'s>(first: Line<'s>, lines: &[Line<'s>], settings: &Settings, notes: &mut Notes) -> Alarm<'s> {
    let mut alarm = header(first.text, settings).unwrap_or_default();
    alarm.line = first.number;
    if alarm.sequence.is_some() && alarm.device_time.is_none() {
        notes.doubt(first.number, 1, Problem::BadValue { field: "device_time" });
    }
    fill(&mut alarm, lines, notes);
    alarm
}

pub(super) fn fill<'s>(alarm: &mut Alarm<'s>, lines: &[Line<'s>], notes: &mut Notes) {
    let mut entries: Vec<Entry<'s>> = Vec::new();
    for line in lines {
        if is_block_label(*line) {
            entries.extend(Entry::plain(*line));
        } else if let Some(entry) = entries.last_mut() {
            let value = entry.value.to_mut();
            value.push('\n');
            value.push_str(line.text.trim_ascii());
        } else {
            notes.loss(line.number, 1, Problem::NotUnderstood);
        }
    }
    for entry in entries {
        let field = match entry.label {
            "ALARM NAME" | "EVENT NAME" => &mut alarm.name,
            "SRVEFF" => &mut alarm.service_effect,
            "PARAMETERS" => &mut alarm.parameters,
            "DESCRIPTION" => &mut alarm.description,
            "CAUSE" => &mut alarm.cause,
            _ => &mut alarm.advice,
        };
        *field = super::label::present(entry.value);
    }
    hide(alarm);
    locate(alarm);
}

/// Takes secrets out of the texts: an ONU that was found says its password among the parameters.
fn hide(alarm: &mut Alarm<'_>) {
    let Alarm {
        name,
        service_effect,
        parameters,
        description,
        cause,
        advice,
        ..
    } = alarm;
    for field in [name, service_effect, parameters, description, cause, advice] {
        if let Some(text) = field.as_deref().filter(|text| text.split(',').any(is_secret_pair)) {
            *field = Some(Cow::Owned(text.split(',').map(masked).collect::<Vec<_>>().join(",")));
        }
    }
}

fn is_secret_pair(pair: &str) -> bool {
    secret::is_secret(pair) || secret::looks_secret(pair)
}

fn masked(pair: &str) -> Cow<'_, str> {
    match pair.split_once(':') {
        _ if !is_secret_pair(pair) => Cow::Borrowed(pair),
        Some((name, _)) if secret::is_secret(name) => Cow::Owned(format!("{name}: ***")),
        _ => Cow::Borrowed(" ***"),
    }
}

/// Reads the place out of `FrameID: 0, SlotID: 6, PortID: 14,The number of affected ONTs: 29, …`.
fn locate(alarm: &mut Alarm<'_>) {
    let Some(parameters) = alarm.parameters.as_deref() else {
        return;
    };
    let (mut frame, mut slot, mut port, mut onu, mut equipment, mut board) = (None, None, None, None, None, None);
    let (mut affected, mut gasps) = (None, None);
    for pair in parameters.split(',') {
        let Some((name, text)) = pair.split_once(':') else {
            continue;
        };
        let text = text.trim_ascii();
        match name.trim_ascii() {
            "FrameID" => frame = value::number(text),
            "SlotID" => slot = value::number(text),
            "PortID" => port = value::number(text),
            "ONT ID" => onu = value::number(text),
            "Equipment ID" => equipment = value::present(text).map(str::to_owned),
            "Board Name" => board = value::present(text).map(str::to_owned),
            "The number of affected ONTs" => affected = value::number(text),
            "The number of DGi ONTs" => gasps = value::number(text),
            _ => {}
        }
    }
    (alarm.frame, alarm.slot, alarm.port, alarm.onu) = (frame, slot, port, onu);
    (
        alarm.equipment_id,
        alarm.board,
        alarm.affected_onus,
        alarm.dying_gasp_onus,
    ) = (equipment, board, affected, gasps);
}
