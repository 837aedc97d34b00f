//! From rows of a list to records of `observations`.
//!
//! A list that does not fit into one record is several, each with its number and how many there are; whoever reads them draws conclusions
//! about what is missing only from all of them. What changes with every read (when a row was updated) is in no card's record, so that an
//! inventory that says what it said before changes nothing.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use model::Micros;
use schemas::{AnyRecord, CardRow, CardsRead, ForeignAlarmRow, ForeignAlarmsRead, MeasureRow, MeasuresRead};

use super::clock::Clock;
use crate::decode::{Alarm, Card, Measure};

/// Bytes of rows in one record, about: half of what a record may have, because rows are only estimated.
const PART_BYTES: usize = 96 << 10;
/// The same of alarms: a list of them ends what it does not name, which only one record can.
const ALARMS_BYTES: usize = 192 << 10;
/// Bytes of a row beside its texts, about.
const ROW_BYTES: usize = 64;

/// What all parts of a read have in common.
#[derive(Debug, Clone)]
pub struct Header {
    /// The system.
    pub root: String,
    /// One for all parts, and for no other read.
    pub read_id: String,
    /// `all`, `critical`, or `seen`: cards that measures told of.
    pub scope: &'static str,
    /// The mapping.
    pub way: String,
    /// Whether nothing inside the scope is missing.
    pub complete: bool,
    /// When the first request was sent.
    pub started_at: Micros,
    /// When the last answer was there.
    pub received_at: Micros,
}

/// Records of one kind: `$row` bytes and the fields that all have.
macro_rules! parts {
    ($header:expr, $rows:expr, $bytes:expr, $max:expr, $record:ident, $field:ident) => {{
        let header = $header;
        let parts = parts_of($rows, $bytes, $max);
        let of = number(parts.len());
        let record = |(part, $field): (usize, Vec<_>)| {
            AnyRecord::from($record {
                root: header.root.clone(),
                read_id: header.read_id.clone(),
                part: number(part),
                of,
                scope: header.scope.to_owned(),
                complete: header.complete,
                way: header.way.clone(),
                started_at: header.started_at,
                received_at: header.received_at,
                $field,
            })
        };
        parts.into_iter().enumerate().map(record).collect()
    }};
}

/// A read of cards.
pub fn cards<'a>(header: &Header, cards: impl IntoIterator<Item = &'a Card>) -> Vec<AnyRecord> {
    let rows = cards.into_iter().map(card_row).collect();
    let bytes = |row: &CardRow| {
        let texts = [
            &row.part,
            &row.family,
            &row.model,
            &row.name,
            &row.site,
            &row.slot,
            &row.status,
        ];
        let attributes = row.attributes.iter().map(|(name, text)| name.len() + text.len());
        row.serial.len() + texts.into_iter().flatten().map(String::len).sum::<usize>() + attributes.sum::<usize>()
    };
    parts!(header, rows, bytes, PART_BYTES, CardsRead, cards)
}

fn card_row(card: &Card) -> CardRow {
    let attributes = [
        ("serial", &card.serial),
        ("firmware", &card.firmware),
        ("provider", &card.provider),
        ("collector", &card.collector),
    ];
    let said = attributes
        .into_iter()
        .filter_map(|(name, text)| Some((name, text.clone()?)));
    let passive = card.passive.then(|| ("passive", "true".to_owned()));
    CardRow {
        serial: card.key.clone(),
        part: card.part.clone(),
        family: card.family.clone(),
        model: card.model.clone(),
        name: card.name.clone(),
        site: card.site.clone(),
        slot: card.slot.clone(),
        is_up: card.up,
        status: card.status.clone(),
        installed_at: card.installed_at,
        attributes: said
            .chain(passive)
            .map(|(name, text)| (name.to_owned(), text))
            .collect(),
    }
}

/// A read of measures. Times are those of our clock.
pub fn measures(header: &Header, measures: &[&Measure], clock: &Clock) -> Vec<AnyRecord> {
    let words = distinct_words(measures);
    let row = |(measure, word): (&&Measure, String)| MeasureRow {
        serial: measure.card.key.clone(),
        measure: word,
        name: Some(measure.name.clone()),
        value: measure.value,
        unit: measure.unit.clone(),
        group: measure.group.to_owned(),
        quality: measure.quality.to_owned(),
        // Nothing was seen before it could be.
        observed_at: clock.ours(measure.updated_at).min(header.received_at),
    };
    let rows = measures.iter().zip(words).map(row).collect();
    let bytes = |row: &MeasureRow| {
        let name = row.name.as_ref().map_or(0, String::len);
        row.serial.len() + row.measure.len() + name + row.unit.len() + row.group.len() + row.quality.len()
    };
    parts!(header, rows, bytes, PART_BYTES, MeasuresRead, measures)
}

/// The word of each: where two measures of a card have one word, the one of the lowest number keeps it, and others get their number.
fn distinct_words(measures: &[&Measure]) -> Vec<String> {
    let number = |measure: &Measure| {
        measure
            .key
            .as_deref()
            .and_then(|key| key.parse::<u64>().ok())
            .unwrap_or(u64::MAX)
    };
    let rank = |measure: &Measure| (number(measure), measure.uid.clone());
    let mut firsts: BTreeMap<(&str, &str), &Measure> = BTreeMap::new();
    for measure in measures {
        match firsts.entry((&measure.card.key, &measure.measure)) {
            Entry::Vacant(entry) => {
                entry.insert(measure);
            }
            Entry::Occupied(mut entry) if rank(measure) < rank(entry.get()) => {
                entry.insert(measure);
            }
            Entry::Occupied(_) => {}
        }
    }
    let word = |measure: &&Measure| {
        let first = firsts[&(measure.card.key.as_str(), measure.measure.as_str())];
        match (first.uid == measure.uid, &measure.key) {
            (true, _) => measure.measure.clone(),
            (false, Some(key)) => format!("{}_{}", measure.measure, crate::decode::slug(key)),
            (false, None) => format!("{}_{}", measure.measure, crate::decode::slug(&measure.uid)),
        }
    };
    measures.iter().map(word).collect()
}

/// A read of alarms. Times are those of our clock.
pub fn alarms(header: &Header, alarms: &[Alarm], clock: &Clock) -> Vec<AnyRecord> {
    let row = |alarm: &Alarm| ForeignAlarmRow {
        id: alarm.id.clone(),
        serial: alarm.card.clone(),
        site: alarm.site.clone(),
        alarm_type: alarm.alarm_type.clone(),
        severity: alarm.severity.to_owned(),
        text: alarm.text.clone(),
        raised_at: alarm.raised_at.map(|at| clock.ours(at).min(header.received_at)),
        active: alarm.active,
    };
    let own = clock_row(clock);
    // Who says that it has ended says the same as who does not name it.
    let rows = alarms.iter().filter(|alarm| alarm.active).map(row).chain(own).collect();
    let bytes = |row: &ForeignAlarmRow| {
        let texts = [
            row.serial.as_deref(),
            row.site.as_deref(),
            Some(&row.text),
            Some(&row.alarm_type),
        ];
        row.id.len() + row.severity.len() + texts.into_iter().flatten().map(str::len).sum::<usize>()
    };
    parts!(header, rows, bytes, ALARMS_BYTES, ForeignAlarmsRead, alarms)
}

/// What nobody there says: that its clock, or the zone that we were told, is off.
fn clock_row(clock: &Clock) -> Option<ForeignAlarmRow> {
    let minutes = clock.ahead() / (60 * Micros::SECOND);
    let way = if minutes > 0 { "ahead of" } else { "behind" };
    (minutes != 0).then(|| ForeignAlarmRow {
        id: "atalaia/clock".to_owned(),
        serial: None,
        site: None,
        alarm_type: "clock off".to_owned(),
        severity: "warning".to_owned(),
        text: format!(
            "its clock is {} min {way} ours, or the zone in the configuration is wrong: times are corrected",
            minutes.abs()
        ),
        raised_at: None,
        active: true,
    })
}

/// Rows in parts of a bearable size; at least one part.
fn parts_of<R>(rows: Vec<R>, bytes: impl Fn(&R) -> usize, bytes_max: usize) -> Vec<Vec<R>> {
    let mut parts = vec![Vec::new()];
    let mut filled = 0;
    for row in rows {
        let size = ROW_BYTES + bytes(&row);
        if filled > 0 && filled + size > bytes_max {
            parts.push(Vec::new());
            filled = 0;
        }
        filled += size;
        parts.last_mut().expect("there is one").push(row);
    }
    parts
}

fn number(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
