//! Fields of one row, by whatever of their names is there; times.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, tz};
use model::Micros;
use serde_json::{Map, Value};

use super::TEXT_BYTES_MAX;
use crate::mapping::TimeFormat;

/// One row.
pub(super) struct Row(Map<String, Value>);

impl Row {
    pub fn of(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().map(Self)
    }

    /// The first of these that is there and not null.
    fn value(&self, names: &[String]) -> Option<&Value> {
        let found = names.iter().filter_map(|name| self.0.get(name));
        found.into_iter().find(|value| !value.is_null())
    }

    /// A text, or a number as text; without blanks around it and control characters in it, cut. `None` if nothing is left.
    pub fn text(&self, names: &[String]) -> Option<String> {
        let whole = self.whole_text(names)?;
        let end = whole.floor_char_boundary(TEXT_BYTES_MAX);
        Some(whole[..end].to_owned())
    }

    /// The same, not cut: of a key nothing may be missing.
    pub fn whole_text(&self, names: &[String]) -> Option<String> {
        let text = match self.value(names)? {
            Value::String(text) => text.trim().replace(char::is_control, " "),
            Value::Number(number) => number.to_string(),
            Value::Bool(word) => word.to_string(),
            _ => return None,
        };
        (!text.is_empty()).then_some(text)
    }

    /// A number, or a text that is one; with a comma for a point, as people here write it.
    pub fn number(&self, names: &[String]) -> Option<f64> {
        let number = match self.value(names)? {
            Value::Number(number) => number.as_f64()?,
            Value::String(text) => {
                let text = text.trim();
                let is_plain = |b: u8| b.is_ascii_digit() || matches!(b, b'.' | b',' | b'-' | b'+' | b'e' | b'E');
                // What `parse` takes beyond digits is words: `inf`, `nan`.
                if !text.bytes().all(is_plain) {
                    return None;
                }
                match (text.contains('.'), text.matches(',').count()) {
                    (false, 1) => text.replace(',', ".").parse().ok()?,
                    _ => text.parse().ok()?,
                }
            }
            _ => return None,
        };
        number.is_finite().then_some(number)
    }

    /// Yes or no, by the mapping's words; 1 and 0 too.
    pub fn word(&self, names: &[String], yes: &[String], no: &[String]) -> Option<bool> {
        match self.value(names)? {
            Value::Bool(word) => Some(*word),
            Value::Number(number) => match number.as_i64()? {
                0 => Some(false),
                1 => Some(true),
                _ => None,
            },
            Value::String(text) => {
                let text = text.trim().to_uppercase();
                let is_in = |words: &[String]| words.contains(&text);
                match (is_in(yes), is_in(no)) {
                    (true, _) => Some(true),
                    (false, true) => Some(false),
                    (false, false) => None,
                }
            }
            _ => None,
        }
    }

    pub fn time(&self, names: &[String], times: &mut Times<'_>) -> Option<Micros> {
        match self.value(names)? {
            Value::String(text) => times.of_text(text.trim()),
            Value::Number(number) => times.of_number(number.as_i64()?),
            _ => None,
        }
    }
}

/// Reads times; most rows of an answer have the same.
pub(super) struct Times<'a> {
    format: &'a TimeFormat,
    zone: &'a TimeZone,
    now: Micros,
    last: Option<(String, Option<Micros>)>,
}

impl<'a> Times<'a> {
    pub fn new(format: &'a TimeFormat, zone: &'a TimeZone, now: Micros) -> Self {
        let last = None;
        Self {
            format,
            zone,
            now,
            last,
        }
    }

    pub fn now(&self) -> Micros {
        self.now
    }

    fn of_text(&mut self, text: &str) -> Option<Micros> {
        if let Some((known, at)) = &self.last
            && known == text
        {
            return *at;
        }
        let at = match self.format {
            TimeFormat::Local(format) => self.local(format, text),
            TimeFormat::Rfc3339 => text.parse::<Timestamp>().ok().map(micros),
            TimeFormat::EpochSeconds | TimeFormat::EpochMillis => self.of_number(text.parse().ok()?),
        };
        self.last = Some((text.to_owned(), at));
        at
    }

    /// A time without a zone. Of an hour that the clock shows twice the one is meant that is nearer to now.
    fn local(&self, format: &str, text: &str) -> Option<Micros> {
        let civil = DateTime::strptime(format, text).ok()?;
        let meant = self.zone.to_ambiguous_timestamp(civil);
        let at = match meant.offset() {
            tz::AmbiguousOffset::Fold { .. } => {
                let both = [meant.earlier().ok()?, meant.later().ok()?];
                let away = |at: &Timestamp| micros(*at).since(self.now).saturating_abs();
                both.into_iter().min_by_key(away)?
            }
            _ => meant.compatible().ok()?,
        };
        Some(micros(at))
    }

    fn of_number(&self, number: i64) -> Option<Micros> {
        match self.format {
            TimeFormat::EpochSeconds => number.checked_mul(1_000_000).map(Micros),
            TimeFormat::EpochMillis => number.checked_mul(1_000).map(Micros),
            _ => None,
        }
    }
}

fn micros(at: Timestamp) -> Micros {
    Micros(at.as_microsecond())
}
