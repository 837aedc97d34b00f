//! Texts of alarms: a template with `{names}`, read once.

use std::fmt::Write as _;

use model::Micros;

use super::check::{LIMITS, is_text, list, one_line};

/// Longest text made of a template, in bytes: names are of others, and a text is in every row of its alarm.
const TEXT_BYTES_MAX: usize = 1_024;

/// A template that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message(Box<[Part]>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(Box<str>),
    Field(Field),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Entity,
    Name,
    Site,
    Measure,
    Value,
    Unit,
    Limit,
    State,
    Cause,
    Since,
}

const FIELDS: [(&str, Field); 10] = [
    ("entity", Field::Entity),
    ("name", Field::Name),
    ("site", Field::Site),
    ("measure", Field::Measure),
    ("value", Field::Value),
    ("unit", Field::Unit),
    ("limit", Field::Limit),
    ("state", Field::State),
    ("cause", Field::Cause),
    ("since", Field::Since),
];

/// What a template is filled with. What is not known reads `-`; a name that nobody gave reads as the entity.
#[derive(Debug, Clone, Copy, Default)]
pub struct Values<'a> {
    /// The entity's id.
    pub entity: &'a str,
    /// Its name.
    pub name: Option<&'a str>,
    /// Its site.
    pub site: Option<&'a str>,
    /// What was measured.
    pub measure: Option<&'a str>,
    /// The value that decided.
    pub value: Option<f64>,
    /// Its unit, as UCUM writes it.
    pub unit: Option<&'a str>,
    /// The limit.
    pub limit: Option<f64>,
    /// Its state.
    pub state: Option<&'a str>,
    /// Why.
    pub cause: Option<&'a str>,
    /// Since when.
    pub since: Option<Micros>,
}

impl Message {
    /// Reads a template.
    ///
    /// # Errors
    /// With what would be right.
    pub(super) fn parse(template: &str) -> Result<Self, String> {
        if !is_text(template, LIMITS.message_bytes) {
            return Err(one_line(LIMITS.message_bytes));
        }
        let mut parts = Vec::new();
        let mut rest = template;
        while let Some(open) = rest.find(['{', '}']) {
            let (text, from) = rest.split_at(open);
            let inside = from.strip_prefix('{').and_then(|from| from.split_once('}'));
            let Some((name, after)) = inside else {
                return Err(format!("has a `{}` without its other half", &from[..1]));
            };
            let Some((_, field)) = FIELDS.iter().find(|(word, _)| *word == name) else {
                let known = FIELDS.iter().map(|(word, _)| format!("{{{word}}}"));
                let name: String = name.chars().take(32).collect();
                return Err(format!("knows no {{{name}}}: only {}", list(known)));
            };
            if !text.is_empty() {
                parts.push(Part::Text(text.into()));
            }
            parts.push(Part::Field(*field));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.into()));
        }
        Ok(Self(parts.into()))
    }

    /// The text.
    pub fn fill(&self, values: &Values<'_>) -> String {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Field(field) => field.write(values, &mut text),
            }
        }
        if text.len() > TEXT_BYTES_MAX {
            text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX));
        }
        text
    }
}

impl Field {
    fn write(self, values: &Values<'_>, text: &mut String) {
        let known = match self {
            Self::Entity => Some(values.entity),
            Self::Name => values.name.or(Some(values.entity)),
            Self::Site => values.site,
            Self::Measure => values.measure,
            Self::Unit => values.unit.map(shown_unit),
            Self::State => values.state,
            Self::Cause => values.cause,
            Self::Value => return number(values.value, text),
            Self::Limit => return number(values.limit, text),
            Self::Since => match values.since {
                Some(at) => return utc(at, text),
                None => None,
            },
        };
        text.push_str(known.unwrap_or("-"));
    }
}

/// How people write what UCUM has a word of its own for.
fn shown_unit(unit: &str) -> &str {
    match unit {
        "Cel" => "°C",
        unit => unit,
    }
}

/// At most two places: more is noise of every device that we read.
fn number(value: Option<f64>, text: &mut String) {
    let Some(value) = value else {
        return text.push('-');
    };
    let digits = format!("{value:.2}");
    let digits = digits.trim_end_matches('0').trim_end_matches('.');
    text.push_str(if digits == "-0" { "0" } else { digits });
}

/// `2026-02-14 22:40:04 UTC`.
fn utc(at: Micros, text: &mut String) {
    let seconds = at.0.div_euclid(Micros::SECOND);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Howard Hinnant's `civil_from_days`: years begin in March, so that leap days end them.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    let written = write!(
        text,
        "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC"
    );
    written.expect("a string takes whatever is written");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_filled() {
        #[track_caller]
        fn check(template: &str, expected: &str) {
            let values = Values {
                entity: "default/olt/a/onu/0/1/2/3",
                site: Some("RJO"),
                measure: Some("onu_rx_power"),
                value: Some(-28.104),
                unit: Some("dBm"),
                limit: Some(-27.0),
                since: Some(Micros(1_771_108_804_000_000)),
                ..Values::default()
            };
            assert_eq!(Message::parse(template).unwrap().fill(&values), expected);
        }
        check(
            "{measure} of {name} is {value} {unit}, limit {limit}",
            "onu_rx_power of default/olt/a/onu/0/1/2/3 is -28.1 dBm, limit -27",
        );
        check("{site}/{state}/{cause}", "RJO/-/-");
        check("since {since}", "since 2026-02-14 22:40:04 UTC");
    }

    #[test]
    fn instants_are_written_as_people_read_them() {
        let check = |seconds: i64, expected: &str| {
            let mut text = String::new();
            utc(Micros(seconds * Micros::SECOND), &mut text);
            assert_eq!(text, expected);
        };
        check(0, "1970-01-01 00:00:00 UTC");
        check(951_782_399, "2000-02-28 23:59:59 UTC");
        check(951_782_400, "2000-02-29 00:00:00 UTC");
        check(4_107_542_399, "2100-02-28 23:59:59 UTC");
        check(4_107_542_400, "2100-03-01 00:00:00 UTC");
        check(-1, "1969-12-31 23:59:59 UTC");
    }

    #[test]
    fn numbers_have_no_needless_places() {
        let check = |value: f64, expected: &str| {
            let mut text = String::new();
            number(Some(value), &mut text);
            assert_eq!(text, expected);
        };
        check(15.0, "15");
        check(-0.001, "0");
        check(100.0, "100");
        check(-27.456, "-27.46");
    }

    #[test]
    fn what_is_no_template_is_refused() {
        let check = |template: &str, says: &str| {
            let error = Message::parse(template).unwrap_err();
            assert!(error.contains(says), "{template}: {error}");
        };
        check("", "one line");
        check("a\nb", "one line");
        check(&"a".repeat(600), "512");
        check("{valeu}", "knows no {valeu}: only {entity}, {name}");
        check("{value", "without its other half");
        check("value}", "without its other half");
        check("{{value}}", "knows no {{value}");
    }
}
