//! Readings of an optical network: cards and their sites, measures, and the alarms that its management system shows.
//!
//! A network may have more cards than one slot can hold, so the roster of a root lies in [`BUCKETS`] slots of its own, by a hash of the
//! card's key; the root's own slot tells of everything else. A card is **down** when two readings in a row say so, and **absent** when a
//! whole reading of all cards, of which every part has come in order, does not have it. Nothing else concludes that a card is gone.

use std::collections::BTreeMap;

use model::{EntityId, Micros, PollFailure, Root, Severity, State};
use runtime::{Deadline, Now, Out, Reason, StateKey, Verdict};
use schemas::network::{
    AlarmSlot, Failure, ListedAlarm, ListedAlarms, Measured, NetworkEvent, Polled, PolledState, Polling, Quality,
    Reading, Registration, Sample, Seen, Sighting, Source,
};
use schemas::{CardRow, CardsRead, ForeignAlarmRow, ForeignAlarmsRead, MeasuresRead, PollFailed};
use serde::{Deserialize, Serialize};

use crate::places::Places;
use crate::polls::{FAILURES_MIN, hash};
use crate::text;

/// Slots over which the cards of a root are spread.
pub const BUCKETS: u64 = 128;
/// Cards of one bucket: of further ones nobody is told that they are gone.
pub const CARDS_MAX: usize = 400;
/// Who says which alarms stand.
pub const LIST: &str = "padtec";
/// Who registers what readings show.
const ORIGIN: &str = "padtec";
/// Vendor of what is seen this way.
const VENDOR: &str = "Padtec";
/// Scope of a reading of all cards.
const ALL: &str = "all";
/// Longest word of a measure or a group, in bytes.
const WORD_BYTES_MAX: usize = 128;
/// The one timer of a bucket.
const TIMER: u8 = 0;
/// Between two buckets that are told that their cards cannot be seen.
const UNSEEN_MICROS: i64 = 100_000;

/// Cards of one bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cards {
    /// In the order of their keys.
    known: Vec<Known>,
    unfinished: Option<Unfinished>,
    /// The system does not answer since then.
    blind: Option<Micros>,
    /// Lists that were not read whole the last time (the root's own slot only).
    failing: Vec<List>,
}

/// What a system is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum List {
    Cards,
    Measures,
    Alarms,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    /// The card's part of its id.
    key: String,
    /// The last reading said that it does not work.
    is_down: bool,
    /// The unfinished reading has it.
    is_named: bool,
}

/// A reading of all cards of which parts are still to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Unfinished {
    id: u64,
    of: i32,
    next: i32,
}

impl Cards {
    /// At least the bytes it takes in the changelog.
    pub(crate) fn bytes_max(&self) -> usize {
        const NUMBER: usize = 10;
        let known = self.known.iter().map(|known| 3 + known.key.len() + 2);
        3 + known.sum::<usize>() + 1 + 3 * NUMBER + 1 + NUMBER + 1 + self.failing.len()
    }
}

/// The slots that a reading concerns: the root's and every bucket's.
pub(crate) fn keys(root: &Root, keys: &mut Vec<StateKey>) {
    keys.push(root.shared());
    keys.extend((0..BUCKETS).map(|bucket| StateKey::from(format!("{root}/cards/{bucket}"))));
}

/// The bucket of a state's key; `None` for the root's own.
pub(crate) fn bucket_of(key: &str) -> Option<u64> {
    key.rsplit_once("/cards/")?.1.parse().ok()
}

/// The bucket of a card.
fn bucket(card: &EntityId) -> u64 {
    hash(card.as_str()) % BUCKETS
}

/// What a reading says of the root, its sites, measures and alarms.
///
/// A system is read in lists, and one that is never whole must not look well because another is: only when all are, reading it goes well.
pub(crate) fn take(
    root: &Root,
    reading: &Reading,
    known: Option<&Places>,
    out: &mut Out<NetworkEvent>,
) -> Verdict<Places> {
    let seen = seen_of(reading);
    let before = known.and_then(|places| places.cards.as_deref());
    let mut own = before.cloned().unwrap_or_default();
    let list = match reading {
        Reading::Cards(_) => Some(List::Cards),
        Reading::Measures(_) => Some(List::Measures),
        Reading::ForeignAlarms(_) => Some(List::Alarms),
        Reading::Failed(failed) => match failed.read.as_str() {
            "cards" => Some(List::Cards),
            "measures" => Some(List::Measures),
            "alarms" => Some(List::Alarms),
            _ => None,
        },
        _ => None,
    };
    let is_failure = matches!(reading, Reading::Failed(_));
    if let Some(list) = list.filter(|_| is_failure || reading.is_whole()) {
        own.failing.retain(|failing| *failing != list);
        if is_failure {
            own.failing.push(list);
        }
    }
    let mut refused = 0;
    let mut failed = None;
    match reading {
        Reading::Cards(read) => refused = sites(root, read, seen, out),
        Reading::Measures(read) => refused = measures(root, read, seen, out),
        Reading::ForeignAlarms(read) => refused = alarms(root, read, seen, out),
        Reading::Failed(read) => failed = Some(failure(read)),
        _ => return Verdict::keep(Reason::Filtered("reading_of_no_network")),
    }
    out.event(NetworkEvent::Polling(Box::new(Polling {
        entity: root.entity(),
        seen,
        failed,
        is_whole: reading.is_whole() && own.failing.is_empty(),
        is_table: matches!(reading, Reading::Cards(_)),
        rows_refused: refused,
        system: None,
        pending: None,
    })));
    put(before, own, "handed_on")
}

/// Keeps what is new.
fn put(before: Option<&Cards>, after: Cards, word: &'static str) -> Verdict<Places> {
    if before.map_or(after == Cards::default(), |before| *before == after) {
        return Verdict::keep(Reason::Absorbed(word));
    }
    let places = Places {
        cards: Some(Box::new(after)),
        ..Places::default()
    };
    Verdict::put(places, Reason::Absorbed(word))
}

fn seen_of(reading: &Reading) -> Seen {
    let (observed_at, received_at) = reading.times();
    Seen {
        observed_at,
        received_at,
        uptime: None,
        source: Source::Poll,
    }
}

fn failure(failed: &PollFailed) -> Failure {
    let class: PollFailure = failed.class.parse().unwrap_or(PollFailure::Other);
    Failure {
        class,
        detail: text::description(&failed.detail).unwrap_or_default(),
        in_a_row: u32::try_from(failed.in_a_row).unwrap_or(0),
        since: failed.since,
        is_unreachable: class.is_silence() && failed.in_a_row >= FAILURES_MIN,
    }
}

/// The sites that a reading of cards names; how many rows have a card or a site that no id can hold.
fn sites(root: &Root, read: &CardsRead, seen: Seen, out: &mut Out<NetworkEvent>) -> u32 {
    let mut refused: u32 = 0;
    let mut sites: BTreeMap<EntityId, String> = BTreeMap::new();
    for row in &read.cards {
        refused += u32::from(root.card(&row.serial).is_err());
        let Some(name) = row.site.as_deref().and_then(text::word) else {
            continue;
        };
        match root.site(&name) {
            Ok(site) => drop(sites.insert(site, name)),
            Err(_) => refused += 1,
        }
    }
    for (entity, name) in sites {
        out.event(NetworkEvent::Registered(Box::new(Registration {
            name: Some(name.clone()),
            site: Some(name),
            ..registration(entity, seen)
        })));
    }
    refused
}

fn measures(root: &Root, read: &MeasuresRead, seen: Seen, out: &mut Out<NetworkEvent>) -> u32 {
    let mut refused: u32 = 0;
    let mut cards: BTreeMap<EntityId, Vec<Sample>> = BTreeMap::new();
    for row in &read.measures {
        let card = root.card(&row.serial).ok();
        let is_word = !row.measure.is_empty() && row.measure.len() <= WORD_BYTES_MAX;
        let quality = match row.quality.as_str() {
            "good" => Some(Quality::Good),
            "bad" => Some(Quality::Bad),
            "stale" => Some(Quality::Stale),
            _ => None,
        };
        let (Some(card), Some(quality), true) = (card, quality, is_word && row.value.is_finite()) else {
            refused = refused.saturating_add(1);
            continue;
        };
        cards.entry(card).or_default().push(Sample {
            measure: row.measure.as_str().into(),
            value: row.value,
            unit: text::word(&row.unit).unwrap_or_default().into(),
            group: text::word(&row.group).unwrap_or_default().into(),
            quality,
            observed_at: row.observed_at,
        });
    }
    for (entity, samples) in cards {
        out.event(NetworkEvent::Measured(Box::new(Measured { entity, seen, samples })));
    }
    refused
}

/// The alarms that stand. Only a list in one record is whole: what it does not name has ended.
fn alarms(root: &Root, read: &ForeignAlarmsRead, seen: Seen, out: &mut Out<NetworkEvent>) -> u32 {
    let mut refused: u32 = 0;
    let mut alarms = Vec::with_capacity(read.alarms.len());
    for row in read.alarms.iter().filter(|row| row.active) {
        match alarm(root, row) {
            Some(alarm) => alarms.push(alarm),
            None => refused = refused.saturating_add(1),
        }
    }
    out.event(NetworkEvent::Listed(Box::new(ListedAlarms {
        root: root.clone(),
        seen,
        list: LIST,
        is_whole: read.complete && refused == 0 && (read.part, read.of) == (0, 1),
        alarms,
    })));
    refused
}

fn alarm(root: &Root, row: &ForeignAlarmRow) -> Option<ListedAlarm> {
    let entity = match (&row.serial, &row.site) {
        (Some(card), _) => root.card(card).ok()?,
        (None, Some(site)) => root.site(site).ok()?,
        (None, None) => root.entity(),
    };
    let alarm_type = word(&row.alarm_type)?;
    let qualifier = text::word(&row.id)?;
    Some(ListedAlarm {
        slot: AlarmSlot {
            entity,
            alarm_type: alarm_type.into(),
            qualifier: qualifier.into(),
        },
        severity: row.severity.parse().unwrap_or(Severity::Indeterminate),
        text: text::description(&row.text).unwrap_or_default(),
        since: row.raised_at,
    })
}

/// A word of the system as one of ours: `LASER OFF` → `laser_off`.
fn word(text: &str) -> Option<String> {
    let parts = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|part| !part.is_empty());
    let word = parts.map(str::to_lowercase).collect::<Vec<_>>().join("_");
    text::word(&word)
}

/// What a reading says of the cards of one bucket.
pub(crate) fn take_bucket(
    (root, bucket): (&Root, u64),
    reading: &Reading,
    known: Option<&Places>,
    now: &Now,
    out: &mut Out<NetworkEvent>,
) -> Verdict<Places> {
    let before = known.and_then(|places| places.cards.as_deref());
    let mut cards = before.cloned().unwrap_or_default();
    match reading {
        Reading::Failed(read) if failure(read).is_unreachable => cards.go_blind(read.since, bucket, now, out),
        Reading::Failed(_) => {}
        _ => cards.see_again(out),
    }
    if let Reading::Cards(read) = reading {
        cards.take((root, bucket), read, seen_of(reading), out);
    }
    put(before, cards, "handed_on")
}

/// The cards of a bucket cannot be seen any more, and it is its turn to say so.
pub(crate) fn tell_blind(root: &Root, places: &Places, now: &Now, out: &mut Out<NetworkEvent>) -> Verdict<Places> {
    let cards = places.cards.as_deref();
    let Some((cards, since)) = cards.and_then(|cards| Some((cards, cards.blind?))) else {
        return Verdict::keep(Reason::Absorbed("not_mine"));
    };
    for entity in cards.known.iter().filter_map(|known| entity_of(root, &known.key)) {
        let seen = Seen {
            observed_at: since,
            received_at: now.log_time,
            uptime: None,
            source: Source::Poll,
        };
        out.event(NetworkEvent::Unseen(Sighting { entity, seen }));
    }
    Verdict::keep(Reason::Absorbed("handed_on"))
}

fn entity_of(root: &Root, key: &str) -> Option<EntityId> {
    EntityId::parse(&format!("{root}/card/{key}")).ok()
}

impl Cards {
    /// The system does not answer: each bucket tells its cards in its turn, so that one record does not tell thousands.
    fn go_blind(&mut self, since: Micros, bucket: u64, now: &Now, out: &mut Out<NetworkEvent>) {
        if self.known.is_empty() || self.blind == Some(since) {
            return;
        }
        self.blind = Some(since);
        let wait = i64::try_from(bucket).unwrap_or(0) * UNSEEN_MICROS;
        out.set_timer(TIMER, Deadline::LogTime(now.log_time.plus(wait)));
    }

    fn see_again(&mut self, out: &mut Out<NetworkEvent>) {
        if self.blind.take().is_some() {
            out.cancel_timer(TIMER);
        }
    }

    fn take(&mut self, (root, mine): (&Root, u64), read: &CardsRead, seen: Seen, out: &mut Out<NetworkEvent>) {
        let is_all = read.scope == ALL && read.of > 0;
        if is_all {
            self.begin_part(read);
        }
        for row in &read.cards {
            let Ok(entity) = root.card(&row.serial) else { continue };
            if bucket(&entity) == mine {
                self.card(entity, row, is_all, seen, out);
            }
        }
        let is_end = is_all && self.unfinished.is_some_and(|read| read.next == read.of);
        if !is_end {
            return;
        }
        self.unfinished = None;
        if !read.complete {
            return;
        }
        for known in self.known.extract_if(.., |known| !known.is_named) {
            if let Some(entity) = entity_of(root, &known.key) {
                tell(entity, PolledState::State(State::Absent), None, seen, out);
            }
        }
    }

    /// Parts conclude something only together and in order.
    fn begin_part(&mut self, read: &CardsRead) {
        let id = hash(&read.read_id);
        let (of, part) = (read.of, read.part);
        self.unfinished = match self.unfinished {
            _ if part == 0 => {
                self.known.iter_mut().for_each(|known| known.is_named = false);
                Some(Unfinished { id, of, next: 1 })
            }
            Some(Unfinished { next, .. }) if self.unfinished == Some(Unfinished { id, of, next }) && next == part => {
                Some(Unfinished { id, of, next: part + 1 })
            }
            _ => None,
        };
    }

    fn card(&mut self, entity: EntityId, row: &CardRow, is_all: bool, seen: Seen, out: &mut Out<NetworkEvent>) {
        let key = entity.as_str().rsplit_once('/').map_or("", |(_, key)| key).to_owned();
        // What is said once is remembered until something else is said.
        let said_down = row.is_up.map(|is_up| !is_up);
        let was_down = match self.known.binary_search_by(|known| known.key.as_str().cmp(&key)) {
            Ok(at) => {
                let known = &mut self.known[at];
                known.is_named |= is_all;
                let is_down = said_down.unwrap_or(known.is_down);
                std::mem::replace(&mut known.is_down, is_down)
            }
            Err(at) => {
                if self.known.len() < CARDS_MAX {
                    let (is_named, is_down) = (is_all, said_down == Some(true));
                    self.known.insert(at, Known { key, is_down, is_named });
                }
                false
            }
        };
        out.event(NetworkEvent::Registered(Box::new(registered(
            entity.clone(),
            row,
            seen,
        ))));
        let state = match row.is_up {
            Some(true) => PolledState::State(State::Up),
            Some(false) if was_down => PolledState::State(State::Down),
            // Once is not believed; and what is not said, is not known.
            Some(false) | None => PolledState::There,
        };
        tell(entity, state, row.model.as_deref().and_then(text::word), seen, out);
    }
}

fn registered(entity: EntityId, row: &CardRow, seen: Seen) -> Registration {
    let word = |text: &Option<String>| text.as_deref().and_then(text::word);
    let own = [
        ("family", word(&row.family)),
        ("part", word(&row.part)),
        ("slot", word(&row.slot)),
    ];
    let mut attributes: BTreeMap<String, String> = ["serial", "firmware", "provider", "collector", "passive"]
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), text::word(row.attributes.get(name)?)?)))
        .collect();
    attributes.extend(
        own.into_iter()
            .filter_map(|(name, text)| Some((name.to_owned(), text?))),
    );
    Registration {
        serial: attributes.get("serial").cloned(),
        name: word(&row.name),
        site: word(&row.site),
        vendor: Some(VENDOR.to_owned()),
        model: word(&row.model),
        attributes,
        ..registration(entity, seen)
    }
}

fn registration(entity: EntityId, seen: Seen) -> Registration {
    Registration {
        entity,
        seen,
        origin: ORIGIN.to_owned(),
        removed: false,
        serial: None,
        name: None,
        site: None,
        description: None,
        vendor: None,
        model: None,
        address: None,
        attributes: BTreeMap::new(),
    }
}

fn tell(entity: EntityId, state: PolledState, model: Option<String>, seen: Seen, out: &mut Out<NetworkEvent>) {
    out.event(NetworkEvent::Polled(Box::new(Polled {
        entity,
        seen,
        state,
        read_at: None,
        serial: None,
        model,
        description: None,
        levels: None,
    })));
}
