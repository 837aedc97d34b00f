//! Bytes of an answer in, rows and issues out. Pure and total: no network, no clock; whatever does not fit is an issue with its place,
//! and the good rows of the same answer go on.

mod field;
mod page;
mod row;
#[cfg(test)]
mod tests;
mod word;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use jiff::tz::TimeZone;
use model::Micros;
use serde::Serialize;

pub use page::{BYTES_MAX, Page, PageError, count, token};
pub use word::slug;

use crate::mapping::Mapping;
use field::{Row, Times};

/// Longest text of a row, in bytes; what is longer is cut.
pub const TEXT_BYTES_MAX: usize = 128;
/// Longest key of a card, in bytes: it is part of an id.
pub const KEY_BYTES_MAX: usize = 64;
/// Names and groups of measures whose unit is remembered.
const CLASSES_MAX: usize = 4_096;

/// A card.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Card {
    /// What makes it this card.
    pub key: String,
    /// Serial number: small, and unique only within a part number.
    pub serial: Option<String>,
    /// Part number.
    pub part: Option<String>,
    /// Family, in capitals.
    pub family: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// Site.
    pub site: Option<String>,
    /// Slot.
    pub slot: Option<String>,
    /// Whether it works, if that is said.
    pub up: Option<bool>,
    /// The word that said so.
    pub status: Option<String>,
    /// It has no measures.
    pub passive: bool,
    /// When it was installed.
    pub installed_at: Option<Micros>,
    /// Firmware.
    pub firmware: Option<String>,
    /// System that knows it.
    pub provider: Option<String>,
    /// Collector that asks it.
    pub collector: Option<String>,
    /// When its row was updated.
    pub updated_at: Option<Micros>,
}

/// A reading of a card.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measure {
    /// What makes it this measure of this system.
    pub uid: String,
    /// The card, as far as the row tells of it.
    pub card: Card,
    /// Number of the measure in its card.
    pub key: Option<String>,
    /// A second one.
    pub subkey: Option<String>,
    /// Our word of what is measured.
    pub measure: String,
    /// The system's name of it.
    pub name: String,
    /// The value.
    pub value: f64,
    /// Unit; empty where nobody knows.
    pub unit: String,
    /// Our word of the group.
    pub group: &'static str,
    /// good, bad, stale.
    pub quality: &'static str,
    /// Whether the mapping knows what it is.
    pub known: bool,
    /// It belongs to the quick tier.
    pub critical: bool,
    /// When it was updated.
    pub updated_at: Micros,
}

/// An alarm.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alarm {
    /// Its id there.
    pub id: String,
    /// The card's key.
    pub card: Option<String>,
    /// Site.
    pub site: Option<String>,
    /// What it is, in the system's words.
    pub alarm_type: String,
    /// critical, major, minor, warning, indeterminate.
    pub severity: &'static str,
    /// What people read.
    pub text: String,
    /// Since when.
    pub raised_at: Option<Micros>,
    /// It stands.
    pub active: bool,
    /// When its row was updated.
    pub updated_at: Option<Micros>,
}

/// Something that was not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// Line of the answer, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// The row's key, if it could be read.
    pub key: Option<String>,
    /// What.
    pub problem: Trouble,
}

/// What can be wrong with a row. A closed set: counted by these words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trouble {
    /// It is no object.
    NotAnObject,
    /// It does not say what it is of.
    NoKey,
    /// Its key is longer than a key can be.
    LongKey,
    /// It has no name or type.
    NoName,
    /// Its value is no number.
    NotANumber,
    /// It does not say when it was updated.
    NoTime,
}

impl Trouble {
    /// The word that is counted.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotAnObject => "not_an_object",
            Self::NoKey => "no_key",
            Self::LongKey => "long_key",
            Self::NoName => "no_name",
            Self::NotANumber => "not_a_number",
            Self::NoTime => "no_time",
        }
    }

    /// Whether it is known what the row is of: then nothing is missing that could be taken for gone.
    pub const fn is_identified(self) -> bool {
        matches!(self, Self::NotANumber | Self::NoTime)
    }
}

impl fmt::Display for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, .. } = self;
        let key = self.key.as_deref().unwrap_or("a row");
        let what = match self.problem {
            Trouble::NotAnObject => "is no object",
            Trouble::NoKey => "does not say what it is of",
            Trouble::LongKey => "has a key that is too long",
            Trouble::NoName => "has neither name nor type",
            Trouble::NotANumber => "has a value that is no number",
            Trouble::NoTime => "does not say when it was updated",
        };
        write!(f, "{line}:{column}: {key} {what}")
    }
}

/// What was read of one answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded<R> {
    /// The good rows, each with the row's own bytes.
    pub rows: Vec<R>,
    /// What was wrong with others, with the row's own bytes.
    pub issues: Vec<(Issue, String)>,
}

/// Reads answers by one mapping.
#[derive(Debug)]
pub struct Decoder {
    mapping: Arc<Mapping>,
    zone: TimeZone,
    /// Found once for each name and group: there are few, and many rows.
    classes: HashMap<(String, Option<String>), row::Class>,
}

impl Decoder {
    /// With the zone of times that have none.
    pub fn new(mapping: Arc<Mapping>, zone: TimeZone) -> Self {
        Self {
            mapping,
            zone,
            classes: HashMap::new(),
        }
    }

    /// The mapping.
    pub fn mapping(&self) -> &Arc<Mapping> {
        &self.mapping
    }

    /// Reads cards. `now` decides between the two meanings of an hour that a clock shows twice.
    pub fn cards(&mut self, page: &Page<'_>, now: Micros) -> Decoded<Card> {
        let mapping = self.mapping.clone();
        let mut times = Times::new(&mapping.time, &self.zone, now);
        each(page, |fields| row::card(&mapping, fields, &mut times))
    }

    /// Reads measures.
    pub fn measures(&mut self, page: &Page<'_>, now: Micros) -> Decoded<Measure> {
        let mapping = self.mapping.clone();
        let zone = self.zone.clone();
        let mut times = Times::new(&mapping.time, &zone, now);
        each(page, |fields| row::measure(&mapping, fields, &mut times, self))
    }

    /// Reads alarms.
    pub fn alarms(&mut self, page: &Page<'_>, now: Micros) -> Decoded<Alarm> {
        let mapping = self.mapping.clone();
        let mut times = Times::new(&mapping.time, &self.zone, now);
        each(page, |fields| row::alarm(&mapping, fields, &mut times))
    }

    fn class(&mut self, name: &str, group: Option<&str>) -> row::Class {
        let key = (name.to_owned(), group.map(str::to_owned));
        if let Some(class) = self.classes.get(&key) {
            return class.clone();
        }
        let class = row::Class::of(&self.mapping, name, group);
        if self.classes.len() >= CLASSES_MAX {
            self.classes.clear();
        }
        self.classes.insert(key, class.clone());
        class
    }
}

/// Reads every row of a page.
fn each<R>(page: &Page<'_>, mut read: impl FnMut(&Row) -> Result<R, (Trouble, Option<String>)>) -> Decoded<R> {
    let mut decoded = Decoded {
        rows: Vec::with_capacity(page.rows.len()),
        issues: Vec::new(),
    };
    for raw in &page.rows {
        let outcome = match Row::of(raw.get()) {
            Some(fields) => read(&fields),
            None => Err((Trouble::NotAnObject, None)),
        };
        match outcome {
            Ok(row) => decoded.rows.push(row),
            Err((problem, key)) => {
                let (line, column) = page.place_of(raw);
                let issue = Issue {
                    line,
                    column,
                    key,
                    problem,
                };
                decoded.issues.push((issue, raw.get().to_owned()));
            }
        }
    }
    decoded
}
