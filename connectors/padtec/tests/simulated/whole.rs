//! What is read when all is well, and the rule about lists that are not whole.

use std::collections::BTreeSet;

use simulator::padtec::{PadtecFault, Shape};

use super::bench::{Bench, Published, ROOT, simulated};

fn is_there(published: &Published) -> bool {
    let all = |scope: &str| {
        published
            .measures
            .iter()
            .any(|read| read.complete && read.scope == scope)
    };
    !published.whole_cards().is_empty() && !published.alarms.is_empty() && all("all") && all("critical")
}

#[test]
fn cards_measures_and_alarms_are_read_whole_in_both_shapes() {
    for (shape, mapping) in [(Shape::Smart, "smart-api"), (Shape::Plain, "plain")] {
        let mut bench = Bench::start_with(simulated(shape, 24), mapping, |padtec| {
            padtec.raise(&padtec.cards()[0], "LOS", "LOS", "CRITICAL");
        });
        let keys: BTreeSet<String> = bench.padtec.cards().into_iter().collect();
        let published = bench.wait("a read of each kind", is_there);
        assert!(published.failed.is_empty(), "{mapping}: {:?}", published.failed);
        for read in published.whole_cards() {
            assert_eq!(
                (read.root.as_str(), read.way.as_str(), read.part, read.of),
                (ROOT, mapping, 0, 1)
            );
            assert!(read.started_at <= read.received_at);
            let read: BTreeSet<String> = read.cards.iter().map(|card| card.serial.clone()).collect();
            assert_eq!(read, keys);
        }
        let read = published.measures.iter().find(|read| read.scope == "all").unwrap();
        let now = connector_kit::now();
        for row in &read.measures {
            assert!(
                keys.contains(&row.serial) && row.quality == "good" && row.group != "other",
                "{row:?}"
            );
            assert!(now.since(row.observed_at) < 120_000_000, "in UTC: {row:?}");
        }
        let words = |read: &schemas::MeasuresRead| -> BTreeSet<String> {
            read.measures.iter().map(|row| row.measure.clone()).collect()
        };
        assert!(words(read).contains("board_temperature") && words(read).contains("power_laser_2"));
        let critical = published.measures.iter().find(|read| read.scope == "critical").unwrap();
        assert_eq!(
            words(critical),
            BTreeSet::from(["osnr".to_owned(), "pump_power".to_owned()])
        );
        let alarms = published.alarms.iter().find(|read| read.complete).unwrap();
        let alarm = &alarms.alarms[0];
        assert_eq!(
            (alarm.alarm_type.as_str(), alarm.severity.as_str(), alarm.active),
            ("LOS", "critical", true)
        );
        assert_eq!(alarm.serial.as_ref(), Some(&bench.padtec.cards()[0]));
        assert_eq!(bench.padtec.counts().logins, 1, "logged in once, and the token kept");
        let (published, _) = bench.stop();
        assert!(published.heartbeats > 0);
    }
}

/// Records without what differs by the moment and the mapping's name.
fn timeless(published: &Published) -> String {
    let cards = published.whole_cards();
    let mut cards: Vec<String> = cards
        .iter()
        .find(|read| read.cards.iter().any(|card| card.is_up.is_some()))
        .map(|read| read.cards.iter())
        .into_iter()
        .flatten()
        // The word for up is the system's own.
        .map(|card| {
            format!(
                "{:?}",
                schemas::CardRow {
                    status: None,
                    ..card.clone()
                }
            )
        })
        .collect();
    let read = published.measures.iter().find(|read| read.scope == "all").unwrap();
    cards.extend(read.measures.iter().map(|row| {
        let row = schemas::MeasureRow {
            value: 0.0,
            observed_at: model::Micros(0),
            ..row.clone()
        };
        format!("{row:?}")
    }));
    let alarms = published.alarms.iter().find(|read| read.complete).unwrap();
    cards.extend(alarms.alarms.iter().map(|row| format!("{row:?}")));
    cards.join("\n")
}

#[test]
fn the_same_network_is_the_same_records_under_both_mappings() {
    let read = |shape, mapping| {
        let mut bench = Bench::start_with(simulated(shape, 40), mapping, |padtec| {
            padtec.raise(&padtec.cards()[3], "LASER OFF", "Laser desligado (Line 2)", "MAJOR");
        });
        // In the vendor's shape only measures tell whether a card works: the second inventory knows it.
        let published = bench.wait("cards that work", |published| {
            let works = |read: &&schemas::CardsRead| read.cards.iter().any(|card| card.is_up == Some(true));
            is_there(published) && published.whole_cards().iter().any(works)
        });
        let text = timeless(&published);
        bench.stop();
        text
    };
    let (smart, plain) = (read(Shape::Smart, "smart-api"), read(Shape::Plain, "plain"));
    // An alarm begins when it is raised, which is another moment.
    let without_moments = |text: &str| {
        let lines = text
            .lines()
            .map(|line| line.split("raised_at").next().unwrap_or_default().to_owned());
        lines.collect::<Vec<_>>()
    };
    assert_eq!(without_moments(&smart), without_moments(&plain));
    assert!(smart.lines().count() > 150, "{}", smart.lines().count());
}

#[test]
fn of_250_cards_with_a_page_that_fails_nothing_is_concluded() {
    for (shape, mapping) in [(Shape::Smart, "smart-api"), (Shape::Plain, "plain")] {
        let mut bench = Bench::start_with(simulated(shape, 250), mapping, |padtec| {
            padtec.raise(&padtec.cards()[0], "LOS", "LOS", "CRITICAL");
            padtec.set_faults(&[PadtecFault::FailingPage(1)]);
        });
        let published = bench.wait("inventories without a page", |published| {
            published.cards.iter().filter(|read| read.scope == "all").count() >= 2 && published.failed.len() >= 2
        });
        assert!(published.whole_cards().is_empty());
        for read in published.cards.iter().filter(|read| read.scope == "all") {
            assert_eq!(read.cards.len(), 150, "the pages before and behind it are read");
        }
        assert!(published.has_failed("cards", "incomplete"), "and people are told");
        bench.padtec.set_faults(&[]);
        let published = bench.wait("a whole inventory", |published| !published.whole_cards().is_empty());
        assert_eq!(published.whole_cards()[0].cards.len(), 250);
        bench.stop();
    }
}

#[test]
fn a_card_that_goes_down_is_told_between_two_inventories() {
    let mut bench = Bench::start(simulated(Shape::Smart, 12));
    bench.wait("a whole inventory", |published| !published.whole_cards().is_empty());
    let card = bench.padtec.cards()[1].clone();
    bench.padtec.set_up(&card, false);
    let told = |published: &Published, up: bool| {
        let seen = published.cards.iter().filter(|read| read.scope == "seen");
        let rows = seen.flat_map(|read| &read.cards);
        rows.filter(|row| row.serial == card && row.is_up == Some(up) && row.site.is_some())
            .count()
    };
    let published = bench.wait("two readings that it is down", |published| told(published, false) >= 2);
    assert!(
        published
            .cards
            .iter()
            .filter(|read| read.scope == "seen")
            .all(|read| !read.complete)
    );
    let stale = |read: &schemas::MeasuresRead| {
        read.measures
            .iter()
            .any(|row| row.serial == card && row.quality == "stale")
    };
    assert!(
        published.measures.iter().any(stale),
        "what a card measures that is down is stale"
    );
    bench.padtec.set_up(&card, true);
    let before = told(&bench.published(), true);
    bench.wait("that it works again", |published| told(published, true) > before);
    bench.stop();
}
