//! One row of a list: what it is of, and what it says.

use super::field::{Row, Times};
use super::word::slug;
use super::{Alarm, Card, Decoder, KEY_BYTES_MAX, Measure, TEXT_BYTES_MAX, Trouble};
use crate::mapping::{Mapping, Names};

type Bad = (Trouble, Option<String>);

/// Names of a field, or of the same field of a card.
fn or<'a>(names: &'a Names, card: &'a Names) -> &'a Names {
    if names.is_empty() { card } else { names }
}

/// The key of the card that a row is of.
fn card_key(mapping: &Mapping, row: &Row, names: &Names) -> Result<String, Bad> {
    let key = row.whole_text(names).ok_or((Trouble::NoKey, None))?;
    let key = match row.whole_text(&mapping.card.scope) {
        Some(scope) => format!("{key}@{scope}"),
        None => key,
    };
    if key.len() > KEY_BYTES_MAX {
        let cut = key[..key.floor_char_boundary(TEXT_BYTES_MAX)].to_owned();
        return Err((Trouble::LongKey, Some(cut)));
    }
    Ok(key)
}

pub(super) fn card(mapping: &Mapping, row: &Row, times: &mut Times<'_>) -> Result<Card, Bad> {
    let key = card_key(mapping, row, &mapping.card.key)?;
    Ok(card_of(mapping, row, key, &mapping.card.up, times))
}

/// What a row tells of the card of this key.
fn card_of(mapping: &Mapping, row: &Row, key: String, up: &Names, times: &mut Times<'_>) -> Card {
    let fields = &mapping.card;
    let family = row.text(&fields.family).map(|family| family.to_uppercase());
    Card {
        serial: row.text(&fields.serial),
        part: row.text(&fields.part),
        model: row.text(&fields.model),
        name: row.text(&fields.name),
        site: row.text(&fields.site),
        slot: row.text(&fields.slot),
        up: row.word(up, &mapping.up, &mapping.down),
        status: row.text(up),
        passive: family.as_ref().is_some_and(|family| mapping.passive.contains(family)),
        family,
        installed_at: row.time(&fields.installed, times),
        firmware: row.text(&fields.firmware),
        provider: row.text(&fields.provider),
        collector: row.text(&fields.collector),
        updated_at: row.time(&fields.updated, times),
        key,
    }
}

/// What a name and a group say about a measure.
#[derive(Debug, Clone)]
pub(super) struct Class {
    word: String,
    unit: String,
    group: &'static str,
    min: f64,
    max: f64,
    is_known: bool,
    is_critical: bool,
}

impl Class {
    pub fn of(mapping: &Mapping, name: &str, group: Option<&str>) -> Self {
        let group = group.map(str::to_uppercase);
        let fits = |unit: &&crate::mapping::UnitRow| {
            unit.name.as_ref().is_none_or(|regex| regex.is_match(name))
                && unit.its_group.as_ref().is_none_or(|its| group.as_ref() == Some(its))
        };
        let row = mapping.units.iter().find(fits);
        Self {
            word: slug(name),
            unit: row.map_or_else(String::new, |row| row.unit.clone()),
            group: row.map_or("other", |row| row.group),
            min: row.map_or(f64::MIN, |row| row.min),
            max: row.map_or(f64::MAX, |row| row.max),
            is_known: row.is_some(),
            is_critical: mapping.critical.iter().any(|regex| regex.is_match(name)),
        }
    }
}

pub(super) fn measure(
    mapping: &Mapping,
    row: &Row,
    times: &mut Times<'_>,
    decoder: &mut Decoder,
) -> Result<Measure, Bad> {
    let fields = &mapping.measure;
    let key = card_key(mapping, row, or(&fields.card_key, &mapping.card.key))?;
    let card = card_of(mapping, row, key, or(&fields.card_up, &mapping.card.up), times);
    let name = row
        .text(&fields.name)
        .ok_or((Trouble::NoName, Some(card.key.clone())))?;
    let (number, subkey) = keys_of(mapping, row);
    let uid = row.whole_text(&fields.uid).unwrap_or_else(|| {
        let part = |text: &Option<String>| text.as_deref().unwrap_or("-").to_owned();
        format!("{}|{name}|{}|{}", card.key, part(&number), part(&subkey))
    });
    let bad = |trouble| (trouble, Some(format!("{}: {name}", card.key)));
    let value = row.number(&fields.value).ok_or_else(|| bad(Trouble::NotANumber))?;
    let updated_at = row.time(&fields.at, times).ok_or_else(|| bad(Trouble::NoTime))?;
    let class = decoder.class(&name, row.text(&fields.group).as_deref());
    let unit = row.text(&fields.unit).unwrap_or(class.unit);
    let said = row.text(&fields.quality).unwrap_or_default().to_uppercase();
    let stale_after = i64::try_from(mapping.quality.stale_after.as_micros()).unwrap_or(i64::MAX);
    let is_down = card.up == Some(false) && mapping.quality.down_is_stale;
    let is_stale = is_down || times.now().since(updated_at) > stale_after || matches!(&*said, "STALE" | "FROZEN");
    Ok(Measure {
        measure: word_of(
            &class.word,
            row.text(&fields.resource).as_deref(),
            number.as_deref(),
            subkey.as_deref(),
        ),
        quality: if said == "BAD" || !(class.min..=class.max).contains(&value) {
            "bad"
        } else if is_stale {
            "stale"
        } else {
            "good"
        },
        known: class.is_known,
        critical: class.is_critical,
        group: class.group,
        uid,
        card,
        key: number,
        subkey,
        name,
        value,
        unit,
        updated_at,
    })
}

/// The numbers of a measure in its card. Old builds have them at the end of the id only: `<card>-<key>-<subkey>`.
fn keys_of(mapping: &Mapping, row: &Row) -> (Option<String>, Option<String>) {
    let fields = &mapping.measure;
    if let Some(key) = row.text(&fields.key) {
        return (Some(key), row.text(&fields.subkey));
    }
    let tail = || {
        let uid = row.whole_text(&fields.uid)?;
        let (rest, subkey) = uid.rsplit_once('-')?;
        let (_, key) = rest.rsplit_once('-')?;
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        (is_number(key) && is_number(subkey)).then(|| (key.to_owned(), subkey.to_owned()))
    };
    tail().map_or((None, None), |(key, subkey)| (Some(key), Some(subkey)))
}

/// Our word: of the name; of the part of the card where there is one; and of the second number where it is not the first of its kind.
fn word_of(name: &str, resource: Option<&str>, number: Option<&str>, subkey: Option<&str>) -> String {
    let mut word = name.to_owned();
    if word.is_empty() {
        word = slug(&format!("measure {}", number.unwrap_or("unnamed")));
    }
    let more = [resource, subkey.filter(|subkey| *subkey != "0")];
    for part in more.into_iter().flatten().map(slug).filter(|part| !part.is_empty()) {
        word.push('_');
        word.push_str(&part);
    }
    // Words are ASCII.
    word.truncate(TEXT_BYTES_MAX);
    word
}

pub(super) fn alarm(mapping: &Mapping, row: &Row, times: &mut Times<'_>) -> Result<Alarm, Bad> {
    let fields = &mapping.alarm;
    let card = match card_key(mapping, row, or(&fields.card_key, &mapping.card.key)) {
        Ok(key) => Some(key),
        Err((Trouble::NoKey, _)) => None,
        Err(bad) => return Err(bad),
    };
    let name = row.text(&fields.name);
    let kind = row.text(&fields.kind).or_else(|| name.clone());
    let kind = kind.ok_or_else(|| (Trouble::NoName, card.clone()))?;
    let (resource, port) = (row.text(&fields.resource), row.text(&fields.port));
    let raised_at = row.time(&fields.start, times);
    let id = match row.whole_text(&fields.key) {
        Some(key) => match row.text(&mapping.card.provider) {
            Some(provider) => format!("{provider}/{key}"),
            None => key,
        },
        None => {
            let start = raised_at.map(|at| at.0.to_string());
            let parts = [&card, &Some(kind.clone()), &name, &resource, &port, &start];
            format!("{:016x}", hash(parts.map(|part| part.as_deref().unwrap_or_default())))
        }
    };
    if id.len() > TEXT_BYTES_MAX {
        return Err((Trouble::LongKey, card));
    }
    let severity = row.text(&fields.severity).unwrap_or_default().to_uppercase();
    let has_ended = row.time(&fields.end, times).is_some() || severity == "CLEARED";
    let active = row.word(&fields.active, &mapping.up, &mapping.down);
    let is_instant = row.word(&fields.instant, &mapping.up, &mapping.down) == Some(true);
    let mut text = name.unwrap_or_else(|| kind.clone());
    for part in [&resource, &port].into_iter().flatten() {
        if !text.contains(part.as_str()) {
            text = format!("{text} · {part}");
        }
    }
    text.truncate(text.floor_char_boundary(2 * TEXT_BYTES_MAX));
    Ok(Alarm {
        id,
        card,
        site: row.text(&mapping.card.site),
        alarm_type: kind,
        severity: severity_of(&severity),
        text,
        raised_at,
        // What has no end is over as soon as it is said.
        active: active.unwrap_or(!has_ended) && severity != "CLEARED" && !is_instant,
        updated_at: row.time(&fields.updated, times),
    })
}

fn severity_of(word: &str) -> &'static str {
    match word {
        "CRITICAL" => "critical",
        "MAJOR" => "major",
        "MINOR" => "minor",
        "WARNING" => "warning",
        _ => "indeterminate",
    }
}

/// FNV-1a (64 bits) over texts with a mark between: the same in every build.
fn hash(parts: [&str; 6]) -> u64 {
    let bytes = parts.into_iter().flat_map(|part| part.bytes().chain([0x1f]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
