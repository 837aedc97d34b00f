//! An optical network in the production engine: cards, sites, measures, alarms; what is concluded from which reading, and what is not.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use model::Micros;
use pipeline_normalize::Normalize;
use pipeline_status::{FROZEN_MICROS, Status};
use runtime::{Chain, DeadReason};
use schemas::network::{self, NetworkEvent};
use schemas::{
    AnyRecord, CardRow, CardsRead, DeviceRegistered, DeviceStatus, InventoryEntry, MeasureRow, Measurement,
    MeasuresRead, PollFailed,
};
use testkit::{CrashAt, Driver};
use topology::Topic;

const ROOT: &str = "default/padtec/nms-1";
const SECOND: i64 = 1_000;

fn chain() -> Chain<NetworkEvent> {
    Chain::new(|record, key| {
        network::decode(record, key).map_err(|reason| DeadReason::text(reason, "not a record of observations"))
    })
    .step(Normalize::new())
    .step(Status::default())
}

fn card(key: &str, site: &str, is_up: Option<bool>) -> CardRow {
    CardRow {
        serial: key.to_owned(),
        part: Some("2633".to_owned()),
        family: Some("AMPLIFIER".to_owned()),
        model: Some("ROA1".to_owned()),
        name: Some(key.to_owned()),
        site: Some(site.to_owned()),
        slot: None,
        is_up,
        status: None,
        installed_at: None,
        attributes: BTreeMap::from([("serial".to_owned(), "374".to_owned())]),
    }
}

/// A reading in parts of so many cards.
fn parts(at: Micros, cards: &[CardRow], size: usize, complete: bool) -> Vec<CardsRead> {
    let chunks: Vec<&[CardRow]> = cards.chunks(size).collect();
    let of = i32::try_from(chunks.len()).unwrap();
    let part = |(part, cards): (usize, &&[CardRow])| CardsRead {
        root: ROOT.to_owned(),
        read_id: format!("read-{}", at.0),
        part: i32::try_from(part).unwrap(),
        of,
        scope: "all".to_owned(),
        complete,
        way: "smart-api".to_owned(),
        started_at: at,
        received_at: at.plus(2 * Micros::SECOND),
        cards: cards.to_vec(),
    };
    chunks.iter().enumerate().map(part).collect()
}

struct Network {
    driver: Driver<NetworkEvent>,
}

impl Network {
    fn new() -> Self {
        Self {
            driver: Driver::with(4, 1, chain),
        }
    }

    /// A minute later, a whole reading of these cards in one part.
    fn read(&mut self, cards: &[CardRow]) {
        self.driver.advance(60 * SECOND);
        for part in parts(self.driver.now(), cards, 1_000, true) {
            self.pipe(part);
        }
    }

    fn pipe(&mut self, record: impl Into<AnyRecord>) {
        self.driver.pipe(ROOT, record);
        self.driver.commit();
    }

    fn fail(&mut self, in_a_row: i32, since: Micros) {
        let now = self.driver.now();
        self.pipe(PollFailed {
            root: ROOT.to_owned(),
            way: "smart-api".to_owned(),
            read: "cards".to_owned(),
            class: "timeout".to_owned(),
            detail: "no whole answer in 15 s".to_owned(),
            in_a_row,
            since,
            started_at: now,
            received_at: now,
        });
    }

    fn statuses(&self) -> BTreeMap<String, DeviceStatus> {
        let rows = self.driver.table(Topic::DeviceStatus).into_values();
        let rows = rows.filter_map(|record| match record {
            AnyRecord::DeviceStatus(row) => Some((row.entity.clone(), row)),
            _ => None,
        });
        rows.collect()
    }

    /// The state of what is behind the root; `-` if there is no such entity.
    fn state(&self, place: &str) -> String {
        let statuses = self.statuses();
        let row = statuses.get(&format!("{ROOT}{place}"));
        row.map_or_else(|| "-".to_owned(), |row| row.state.clone())
    }

    #[track_caller]
    fn check(&self, expected: &[(&str, &str)]) {
        let shown: Vec<_> = expected.iter().map(|(place, _)| (*place, self.state(place))).collect();
        let shown: Vec<_> = shown.iter().map(|(place, state)| (*place, state.as_str())).collect();
        assert_eq!(shown, expected);
    }

    fn measurements(&self) -> Vec<Measurement> {
        let rows = self.driver.outputs(Topic::Measurements).into_iter();
        let rows = rows.filter_map(|seen| match seen.record {
            Some(AnyRecord::Measurement(row)) => Some(row),
            _ => None,
        });
        rows.collect()
    }
}

const UP: Option<bool> = Some(true);
const DOWN: Option<bool> = Some(false);

#[test]
fn a_card_is_down_when_two_readings_in_a_row_say_so() {
    let mut network = Network::new();
    network.read(&[card("a#1", "A", UP), card("b#2", "A", None), card("c#3", "B", UP)]);
    network.check(&[
        ("", "reachable"),
        ("/card/a#1", "up"),
        ("/card/b#2", "unknown"),
        ("/card/c#3", "up"),
        ("/site/A", "up"),
        ("/site/B", "up"),
    ]);
    let inventory = network.driver.table(Topic::Inventory).into_values();
    let entries: Vec<InventoryEntry> = inventory
        .filter_map(|record| match record {
            AnyRecord::InventoryEntry(entry) => Some(entry),
            _ => None,
        })
        .collect();
    let entry = entries
        .iter()
        .find(|entry| entry.entity.ends_with("/card/a#1"))
        .unwrap();
    assert_eq!(
        (entry.serial.as_deref(), entry.site.as_deref()),
        (Some("374"), Some("A"))
    );
    assert_eq!(
        (entry.model.as_deref(), entry.vendor.as_deref()),
        (Some("ROA1"), Some("Padtec"))
    );
    assert_eq!(entry.attributes["family"], "AMPLIFIER");
    network.read(&[card("a#1", "A", DOWN), card("b#2", "A", None), card("c#3", "B", UP)]);
    network.check(&[("/card/a#1", "up"), ("/site/A", "up")]);
    network.read(&[card("a#1", "A", UP), card("b#2", "A", None), card("c#3", "B", UP)]);
    network.read(&[card("a#1", "A", DOWN), card("b#2", "A", None), card("c#3", "B", UP)]);
    network.check(&[("/card/a#1", "up")]);
    network.read(&[card("a#1", "A", DOWN), card("b#2", "A", None), card("c#3", "B", UP)]);
    network.check(&[("/card/a#1", "down"), ("/site/A", "down"), ("/site/B", "up")]);
    network.read(&[card("a#1", "A", UP), card("b#2", "A", None), card("c#3", "B", UP)]);
    network.check(&[("/card/a#1", "up"), ("/site/A", "up")]);
}

#[test]
fn only_a_whole_reading_of_which_all_parts_came_in_order_takes_a_card_away() {
    let all: Vec<CardRow> = (0..250).map(|n| card(&format!("x#{n}"), "A", UP)).collect();
    let gone = |network: &Network| network.statuses().values().filter(|row| row.state == "absent").count();
    let feed = |change: &dyn Fn(&mut Vec<CardsRead>)| {
        let mut network = Network::new();
        network.read(&all);
        network.driver.advance(60 * SECOND);
        // A page of 100 is missing, in three parts.
        let mut records = parts(network.driver.now(), &all[..150], 50, true);
        change(&mut records);
        records.into_iter().for_each(|record| network.pipe(record));
        gone(&network)
    };
    assert_eq!(feed(&|_| {}), 100);
    assert_eq!(
        feed(&|records| records.iter_mut().for_each(|record| record.complete = false)),
        0
    );
    assert_eq!(feed(&|records| drop(records.remove(0))), 0);
    assert_eq!(feed(&|records| drop(records.remove(1))), 0);
    assert_eq!(feed(&|records| drop(records.pop())), 0);
    assert_eq!(feed(&|records| records.swap(1, 2)), 0);
    assert_eq!(feed(&|records| records[1].read_id = "another".to_owned()), 0);
    assert_eq!(
        feed(&|records| records.iter_mut().for_each(|record| record.scope = "seen".to_owned())),
        0
    );
}

#[test]
fn what_is_gone_comes_back_and_a_site_without_cards_is_absent() {
    let mut network = Network::new();
    network.read(&[card("a#1", "A", UP), card("b#2", "B", UP)]);
    network.read(&[card("a#1", "A", UP)]);
    network.check(&[("/card/b#2", "absent"), ("/site/B", "absent"), ("/site/A", "up")]);
    network.read(&[card("a#1", "A", UP), card("b#2", "B", UP)]);
    network.check(&[("/card/b#2", "up"), ("/site/B", "up")]);
    // It moves: each site counts its own.
    network.read(&[card("a#1", "A", UP), card("b#2", "A", UP)]);
    network.check(&[("/site/A", "up"), ("/site/B", "unknown")]);
    network.read(&[card("a#1", "A", UP)]);
    network.check(&[("/site/A", "down")]);
    // A person takes it off the books.
    network.driver.advance(2 * SECOND);
    let now = network.driver.now();
    network.pipe(DeviceRegistered {
        entity: format!("{ROOT}/card/b#2"),
        kind: "card".to_owned(),
        serial: None,
        name: None,
        site: None,
        description: None,
        vendor: None,
        model: None,
        address: None,
        attributes: BTreeMap::new(),
        origin: "api".to_owned(),
        removed: true,
        observed_at: now,
        received_at: now,
    });
    network.check(&[("/card/b#2", "-"), ("/site/A", "up")]);
}

#[test]
fn a_system_that_does_not_answer_hides_its_cards_and_shows_them_again() {
    let mut network = Network::new();
    let all: Vec<CardRow> = (0..300)
        .map(|n| card(&format!("x#{n}"), &format!("S{}", n % 3), UP))
        .collect();
    network.read(&all);
    network.driver.advance(60 * SECOND);
    let since = network.driver.now();
    for in_a_row in 1..=3 {
        network.driver.advance(SECOND);
        network.fail(in_a_row, since);
    }
    assert_eq!(network.state(""), "unreachable");
    for _ in 0..20 {
        network.driver.tick(SECOND);
    }
    network.driver.commit();
    let hidden = |network: &Network| network.statuses().values().filter(|row| row.state == "unknown").count();
    assert_eq!(hidden(&network), 303, "cards and sites");
    network.read(&all);
    assert_eq!(hidden(&network), 0);
    network.check(&[("", "reachable"), ("/card/x#7", "up"), ("/site/S1", "up")]);
}

fn measure(card: &str, word: &str, value: f64, at: Micros) -> MeasureRow {
    MeasureRow {
        serial: card.to_owned(),
        measure: word.to_owned(),
        name: Some(word.to_owned()),
        value,
        unit: "dBm".to_owned(),
        group: "power".to_owned(),
        quality: "good".to_owned(),
        observed_at: at,
    }
}

fn measures(at: Micros, rows: Vec<MeasureRow>) -> MeasuresRead {
    MeasuresRead {
        root: ROOT.to_owned(),
        read_id: format!("measures-{}", at.0),
        part: 0,
        of: 1,
        scope: "all".to_owned(),
        complete: true,
        way: "smart-api".to_owned(),
        started_at: at,
        received_at: at.plus(Micros::SECOND),
        measures: rows,
    }
}

#[test]
fn the_newest_value_of_a_measure_is_told_as_such_and_one_that_stands_still_is_frozen() {
    let mut network = Network::new();
    network.read(&[card("a#1", "A", UP)]);
    let start = network.driver.now();
    let mut feed = |minutes: i64, word: &str, value: f64| {
        let at = start.plus(minutes * 60 * Micros::SECOND);
        network.pipe(measures(at, vec![measure("a#1", word, value, at)]));
        let row = network.measurements().pop().unwrap();
        assert_eq!(
            (row.observed_at, row.value, row.group.as_deref()),
            (at, value, Some("power"))
        );
        (row.quality, row.wts.is_some())
    };
    let told = |quality: &str, is_newest: bool| (quality.to_owned(), is_newest);
    let still = FROZEN_MICROS / Micros::SECOND / 60;
    assert_eq!(feed(1, "pump_power", 26.5), told("good", true));
    assert_eq!(feed(2, "pump_power", 26.6), told("good", true));
    assert_eq!(feed(1, "pump_power", 26.5), told("good", false), "late");
    assert_eq!(feed(2, "pump_power", 26.6), told("good", false), "twice");
    assert_eq!(feed(still + 1, "pump_power", 26.6), told("good", true));
    assert_eq!(feed(still + 2, "pump_power", 26.6), told("frozen", true));
    assert_eq!(feed(still + 3, "pump_power", 26.7), told("good", true));
    assert_eq!(feed(1, "target_gain", 20.0), told("good", true));
    assert_eq!(
        feed(still + 9, "target_gain", 20.0),
        told("good", true),
        "somebody has set it"
    );
    // A card that nobody has listed yet is there, and that is all.
    let at = network.driver.now();
    network.pipe(measures(at, vec![measure("new#9", "pump_power", 1.0, at)]));
    network.check(&[("/card/new#9", "unknown"), ("/card/a#1", "up")]);
}

#[test]
fn a_list_that_is_never_whole_does_not_look_well_because_another_is() {
    let mut network = Network::new();
    network.read(&[card("a#1", "A", UP)]);
    let class = |network: &Network| network.statuses()[ROOT].poll.as_ref().unwrap().class.clone();
    assert_eq!(class(&network), None);
    network.driver.advance(60 * SECOND);
    let since = network.driver.now();
    network.fail(1, since);
    assert_eq!(class(&network).as_deref(), Some("timeout"));
    network.driver.advance(60 * SECOND);
    let now = network.driver.now();
    network.pipe(measures(now, vec![measure("a#1", "pump_power", 1.0, now)]));
    assert_eq!(class(&network).as_deref(), Some("timeout"), "of the cards");
    network.read(&[card("a#1", "A", UP)]);
    assert_eq!(class(&network), None);
    // What was said of a card before is not forgotten because a reading says nothing of it.
    network.read(&[card("a#1", "A", DOWN)]);
    network.read(&[card("a#1", "A", None)]);
    network.check(&[("/card/a#1", "up")]);
    network.read(&[card("a#1", "A", DOWN)]);
    network.check(&[("/card/a#1", "down")]);
}

#[test]
fn names_that_no_id_can_hold_are_written_otherwise_or_refused_and_counted() {
    let mut network = Network::new();
    let long = "x".repeat(65);
    network.read(&[
        card("a/b<1>", "São Paulo (Centro)", UP),
        card(&long, "A", UP),
        card("", "A", UP),
        card("c#3", "A", UP),
    ]);
    network.check(&[
        ("/card/a+2Fb+3C1+3E", "up"),
        ("/site/São Paulo +28Centro+29", "up"),
        ("/card/c#3", "up"),
    ]);
    let statuses = network.statuses();
    assert_eq!(statuses[ROOT].poll.as_ref().unwrap().rows_refused, 2);
    let site = &statuses[&format!("{ROOT}/site/São Paulo +28Centro+29")];
    assert_eq!(site.name.as_deref(), Some("São Paulo (Centro)"));
    assert!(network.driver.outcomes().dead_lettered.is_empty());
}

/// Ten minutes of readings in three parts, measures, a card that goes down, one that goes away, and a silence.
fn life(crash: Option<CrashAt>) -> (Driver<NetworkEvent>, usize) {
    let mut network = Network::new();
    let mut crashes = 0;
    let mut n = 0;
    let mut silent_since = None;
    for minute in 0..10 {
        network.driver.advance(60 * SECOND);
        let now = network.driver.now();
        let is_up = |n: i32| Some(!(n == 3 && (2..6).contains(&minute)));
        let there = (0..30).filter(|n| *n != 7 || minute < 4);
        let cards: Vec<CardRow> = there
            .map(|n| card(&format!("x#{n}"), &format!("S{}", n % 4), is_up(n)))
            .collect();
        let mut records: Vec<AnyRecord> = parts(now, &cards, 10, minute != 5)
            .into_iter()
            .map(Into::into)
            .collect();
        let value = f64::from(minute / 2);
        records.push(
            measures(
                now,
                (0..30)
                    .map(|n| measure(&format!("x#{n}"), "pump_power", value, now))
                    .collect(),
            )
            .into(),
        );
        if minute == 8 {
            silent_since = Some(now);
        }
        if let Some(since) = silent_since {
            let failed = |in_a_row: i32| PollFailed {
                root: ROOT.to_owned(),
                way: "smart-api".to_owned(),
                read: "cards".to_owned(),
                class: "unreachable".to_owned(),
                detail: String::new(),
                in_a_row,
                since,
                started_at: now,
                received_at: now,
            };
            records = (1..=3).map(|in_a_row| failed(in_a_row).into()).collect();
        }
        for record in records {
            network.driver.advance(SECOND);
            if let Some(at) = crash.filter(|_| n % 3 == 1) {
                network.driver.crash_at(0, at);
            }
            network.driver.pipe(ROOT, record);
            if n % 2 == 1 {
                network.driver.commit();
            }
            if !network.driver.is_alive(0) {
                crashes += 1;
                network.driver.restore();
            }
            n += 1;
        }
    }
    for _ in 0..20 {
        network.driver.tick(SECOND);
    }
    network.driver.commit();
    if !network.driver.is_alive(0) {
        network.driver.restore();
        network.driver.commit();
    }
    (network.driver, crashes)
}

#[test]
fn a_kill_in_the_middle_changes_nothing() {
    let (calm, _) = life(None);
    let mut total = 0;
    for &at in CrashAt::ALL {
        let (driver, crashes) = life(Some(at));
        total += crashes;
        for topic in [Topic::DeviceStatus, Topic::Inventory] {
            assert_eq!(
                driver.table(topic),
                calm.table(topic),
                "{topic} after crashes at {at:?}"
            );
        }
        for topic in [Topic::DeviceEvents, Topic::Measurements] {
            assert_eq!(
                driver.outputs(topic),
                calm.outputs(topic),
                "{topic} after crashes at {at:?}"
            );
        }
        assert_eq!(driver.slots(), calm.slots(), "state after crashes at {at:?}");
    }
    assert!(total > 20, "{total} crashes");
}
