//! What the varbinds of one trap say, by the catalogue; in whatever order they come.

use std::collections::BTreeMap;
use std::fmt::Write;

use model::{Serial, State};
use serde::Serialize;
use snmp_pdu::{Oid, RawVarbind, TrapPdu, Value, sub_identifiers};

use crate::catalogue::{Catalogue, Role, VarbindRow};
use crate::place::{Interface, Said};

/// Most entries in an event's detail; the rest is left out and counted under `left_out`.
pub const DETAIL_ENTRIES_MAX: usize = 48;
/// Longest text in an event's detail, in bytes.
pub const DETAIL_BYTES_MAX: usize = 96;
/// Most varbinds of no known kind that are listed.
const STRANGERS_MAX: usize = 16;

/// A value for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum DetailValue {
    /// A number.
    Number(i64),
    /// A text.
    Text(String),
}

impl DetailValue {
    pub(crate) fn into_text(self) -> String {
        match self {
            Self::Number(n) => n.to_string(),
            Self::Text(text) => text,
        }
    }
}

/// What was read.
#[derive(Debug, Default)]
pub struct Reading {
    /// About the place.
    pub place: Said,
    /// Run state: up or not.
    pub run_up: Option<bool>,
    /// Operational status of a board: said, and as far as it is one of our states.
    pub board: Option<Option<State>>,
    /// Serial number of the ONU that the trap is about.
    pub serial: Option<Serial>,
    /// Its model.
    pub model: Option<String>,
    /// Everything that people may read, by our names.
    pub detail: BTreeMap<&'static str, DetailValue>,
    /// Varbinds of no known kind: their OID and, unless it is a string, their value. A string may be a secret.
    pub strangers: BTreeMap<String, DetailValue>,
    left_out: usize,
}

impl Reading {
    /// Reads all varbinds of a trap.
    pub fn of(catalogue: &Catalogue, pdu: &TrapPdu<'_>) -> Self {
        let mut reading = Self::default();
        for varbind in pdu.varbinds().raw() {
            let known = catalogue.varbind(varbind.name());
            match (known, &varbind.value()) {
                (Some((row, instance)), Ok(value)) => reading.known(row, instance, value),
                (None, Ok(value)) => reading.stranger(&varbind, value),
                (_, Err(_)) => {}
            }
        }
        if reading.left_out > 0 {
            let left_out = i64::try_from(reading.left_out).unwrap_or(i64::MAX);
            reading.detail.insert("left_out", DetailValue::Number(left_out));
        }
        reading
    }

    fn known(&mut self, row: &VarbindRow, instance: &[u8], value: &Value<'_>) {
        self.note_instance(instance);
        let number = value.as_i64();
        match row.role {
            Role::Frame => self.place.frame = self.place.frame.or(number),
            Role::Slot => self.place.slot = self.place.slot.or(number),
            Role::Port => self.place.port = self.place.port.or(number),
            Role::Ont => self.place.ont = self.place.ont.or(number),
            Role::IfIndex => {
                self.place.if_index = self.place.if_index.or(value.as_u32_bits());
                if let Some(bits) = value.as_u32_bits() {
                    self.tell(row.name, DetailValue::Number(i64::from(bits)));
                }
            }
            Role::Serial => {
                self.serial = serial(value);
                self.tell_serial(row.name, value);
            }
            Role::NewSerial => self.tell_serial(row.name, value),
            Role::Model => {
                self.model = text(value).filter(|t| !t.is_empty());
                self.tell_plain(row.name, value);
            }
            Role::RunStatus => {
                self.run_up = match number {
                    Some(1) => Some(true),
                    Some(2) => Some(false),
                    _ => None,
                };
                self.tell_word(row.name, value, &["up", "down"]);
            }
            Role::BoardStatus => {
                self.board = Some(number.and_then(board_state));
                self.tell_word(row.name, value, BOARD_STATUS);
            }
            Role::Operation => self.tell_word(row.name, value, &["add", "modify", "delete"]),
            Role::OpticsKind => {
                self.tell_word(
                    row.name,
                    value,
                    &["rx_power", "tx_power", "voltage", "temperature", "bias_current"],
                );
            }
            Role::Count if number == Some(-1) => self.tell(row.name, DetailValue::Text("unknown".to_owned())),
            Role::Count | Role::Plain => self.tell_plain(row.name, value),
            Role::Octets => self.tell_octets(row.name, value, ""),
            Role::Mac => self.tell_octets(row.name, value, ":"),
            Role::Secret | Role::Ignored => {}
        }
    }

    /// An instance that begins with a PON ifIndex tells a place too.
    fn note_instance(&mut self, instance: &[u8]) {
        let mut numbers = sub_identifiers(instance);
        let Some(first) = numbers.next() else {
            return;
        };
        if self.place.instance.is_none_or(|(_, ont)| ont.is_none())
            && matches!(Interface::from_if_index(first), Interface::Pon(_))
        {
            self.place.instance = Some((first, numbers.next()));
        }
    }

    fn stranger(&mut self, varbind: &RawVarbind<'_>, value: &Value<'_>) {
        if self.strangers.len() >= STRANGERS_MAX {
            self.left_out += 1;
            return;
        }
        let said = match value {
            Value::OctetString(octets) | Value::Opaque(octets) => {
                DetailValue::Text(format!("{} of {} bytes", value.type_name(), octets.len()))
            }
            value => plain(value),
        };
        if let Ok(oid) = varbind.oid() {
            self.strangers.insert(cut(oid.to_string()), said);
        }
    }

    fn tell(&mut self, name: &'static str, value: DetailValue) {
        if self.detail.len() < DETAIL_ENTRIES_MAX {
            self.detail.entry(name).or_insert(value);
        } else {
            self.left_out += 1;
        }
    }

    fn tell_plain(&mut self, name: &'static str, value: &Value<'_>) {
        self.tell(name, plain(value));
    }

    /// Enumerations that count from 1.
    fn tell_word(&mut self, name: &'static str, value: &Value<'_>, words: &[&str]) {
        let index = value
            .as_i64()
            .and_then(|n| usize::try_from(n).ok())
            .and_then(|n| n.checked_sub(1));
        let word = index
            .and_then(|i| words.get(i))
            .map(|w| DetailValue::Text((*w).to_owned()));
        self.tell(name, word.unwrap_or_else(|| plain(value)));
    }

    fn tell_octets(&mut self, name: &'static str, value: &Value<'_>, separator: &str) {
        let said = value
            .as_octets()
            .map_or_else(|| plain(value), |octets| DetailValue::Text(hex(octets, separator)));
        self.tell(name, said);
    }

    fn tell_serial(&mut self, name: &'static str, value: &Value<'_>) {
        let said = serial(value).map_or_else(|| plain(value), |serial| DetailValue::Text(serial.to_string()));
        self.tell(name, said);
    }
}

/// `hwSlotOperStatus` (HUAWEI-DEVICE-MIB), from 1, as far as our facts name its values.
const BOARD_STATUS: &[&str] = &[
    "null",
    "normal",
    "fault",
    "forbidden",
    "autofind",
    "config",
    "offline",
    "abnormal",
];

fn board_state(status: i64) -> Option<State> {
    match status {
        2 => Some(State::Normal),
        3 => Some(State::Failed),
        7 => Some(State::Offline),
        _ => None,
    }
}

/// Eight octets, or a written form: some releases send the text.
fn serial(value: &Value<'_>) -> Option<Serial> {
    let octets = value.as_octets()?;
    match <[u8; 8]>::try_from(octets) {
        Ok(octets) => Some(Serial::from_octets(octets)),
        Err(_) => Serial::parse(&text(value)?).ok(),
    }
}

/// An octet string as text: without NULs and blanks around it, if all of it can be shown.
fn text(value: &Value<'_>) -> Option<String> {
    let text = std::str::from_utf8(value.as_octets()?).ok()?;
    let text = text.trim_matches(|c: char| c == '\0' || c.is_whitespace());
    (!text.chars().any(char::is_control)).then(|| cut(text.to_owned()))
}

fn plain(value: &Value<'_>) -> DetailValue {
    if let Some(number) = value.as_i64() {
        return DetailValue::Number(number);
    }
    DetailValue::Text(match value {
        Value::OctetString(octets) | Value::Opaque(octets) => text(value).unwrap_or_else(|| hex(octets, "")),
        Value::IpAddress([a, b, c, d]) => format!("{a}.{b}.{c}.{d}"),
        Value::Oid(oid) => oid_text(oid),
        other => other.type_name().to_owned(),
    })
}

fn oid_text(oid: &Oid) -> String {
    cut(oid.to_string())
}

fn hex(octets: &[u8], separator: &str) -> String {
    let mut out = String::new();
    for (i, octet) in octets.iter().take(DETAIL_BYTES_MAX / 3).enumerate() {
        let separator = if i == 0 { "" } else { separator };
        write!(out, "{separator}{octet:02x}").expect("a string takes what is written");
    }
    out
}

fn cut(mut text: String) -> String {
    if text.len() > DETAIL_BYTES_MAX {
        let end = (0..=DETAIL_BYTES_MAX)
            .rev()
            .find(|&i| text.is_char_boundary(i))
            .unwrap_or(0);
        text.truncate(end);
    }
    text
}
