//! Each fault alone: what may be concluded is not, nothing good is lost, and people are told.

use std::time::Duration;

use connector_padtec::client::Login;
use model::Secret;
use simulator::padtec::{PadtecConfig, PadtecFault, Shape};

use super::bench::{Bench, PASSWORD, Published, TOKEN, simulated};

/// Reads with a fault until it was told as this class of this list; then without it until an inventory is whole.
#[track_caller]
fn check(config: PadtecConfig, fault: PadtecFault, list: &str, class: &str) -> Published {
    let mut bench = Bench::start_with(config, "smart-api", |padtec| padtec.set_faults(&[fault]));
    let published = bench.wait(&format!("{fault:?}: {list} {class}"), |published| {
        published.has_failed(list, class)
    });
    bench.padtec.set_faults(&[]);
    bench.wait("an inventory that is whole", |published| {
        !published.whole_cards().is_empty()
    });
    bench.stop();
    published
}

#[track_caller]
fn nothing_is_concluded(config: PadtecConfig, fault: PadtecFault, list: &str, class: &str) {
    let published = check(config, fault, list, class);
    let concluded = match list {
        "cards" => published.whole_cards().len(),
        "alarms" => published.alarms.iter().filter(|read| read.complete).count(),
        _ => published.measures.iter().filter(|read| read.complete).count(),
    };
    assert_eq!(concluded, 0, "{fault:?}: {list}");
}

#[test]
fn counts_and_pages_that_do_not_match_conclude_nothing() {
    let many = || simulated(Shape::Smart, 250);
    nothing_is_concluded(many(), PadtecFault::PageShift, "cards", "incomplete");
    nothing_is_concluded(many(), PadtecFault::ShortPage, "cards", "incomplete");
    nothing_is_concluded(many(), PadtecFault::DuplicateIds, "cards", "incomplete");
    nothing_is_concluded(
        simulated(Shape::Smart, 24),
        PadtecFault::WrongCount,
        "cards",
        "incomplete",
    );
    nothing_is_concluded(
        simulated(Shape::Smart, 24),
        PadtecFault::WrongCount,
        "alarms",
        "incomplete",
    );
    nothing_is_concluded(
        simulated(Shape::Smart, 24),
        PadtecFault::WrongCount,
        "measures",
        "incomplete",
    );
}

#[test]
fn a_page_that_is_none_and_a_system_that_is_away_are_told() {
    check(
        simulated(Shape::Smart, 24),
        PadtecFault::FailingPage(0),
        "cards",
        "protocol",
    );
    check(simulated(Shape::Smart, 24), PadtecFault::Garbage, "cards", "protocol");
    let published = check(simulated(Shape::Smart, 24), PadtecFault::Away, "cards", "closed");
    assert!(published.cards.is_empty());
}

#[test]
fn rows_that_cannot_be_read_are_letters_and_the_others_go_on() {
    let mut bench = Bench::start_with(simulated(Shape::Smart, 24), "smart-api", |padtec| {
        padtec.set_faults(&[PadtecFault::BadRow, PadtecFault::WordForValue]);
    });
    let published = bench.wait("letters and rows", |published| {
        published.letters.iter().any(|letter| letter.reason == "no_key")
            && published.has_failed("cards", "incomplete")
            && published.has_failed("measures", "incomplete")
    });
    let read = published.cards.iter().find(|read| read.scope == "all").unwrap();
    assert_eq!(
        (read.cards.len(), read.complete),
        (23, false),
        "it is not known which card the row is of"
    );
    let letter = published
        .letters
        .iter()
        .find(|letter| letter.reason == "no_key")
        .unwrap();
    assert_eq!(
        (letter.topic.as_str(), letter.value.as_deref()),
        ("padtec", Some(&br#"{"nobody":"knows"}"#[..]))
    );
    bench.padtec.set_faults(&[PadtecFault::WordForValue]);
    let published = bench.wait("a word for a value", |published| {
        published.letters.iter().any(|letter| letter.reason == "not_a_number")
            && published
                .measures
                .iter()
                .any(|read| read.complete && read.scope == "all")
    });
    // The same row is wrong in every read, and is kept once.
    let words = published
        .letters
        .iter()
        .filter(|letter| letter.reason == "not_a_number");
    assert_eq!(words.count(), 1);
    bench.stop();
}

#[test]
fn a_token_that_is_refused_is_fetched_again_and_no_more_often_than_that() {
    let mut bench = Bench::start_with(simulated(Shape::Smart, 24), "smart-api", |padtec| {
        padtec.set_faults(&[PadtecFault::Unauthorized(0.2)]);
    });
    let published = bench.wait("whole lists all the same", |published| {
        published.whole_cards().len() >= 2 && published.alarms.iter().any(|read| read.complete)
    });
    let counts = bench.padtec.counts();
    assert!(counts.logins >= 1 && counts.logins <= counts.refused + 1, "{counts:?}");
    assert!(published.measures.iter().all(|read| !read.measures.is_empty()));
    bench.stop();
}

#[test]
fn a_wrong_password_is_shown_ever_more_rarely() {
    let login = Login::Password {
        user: "noc".to_owned(),
        password: Secret::new("wrong", "env X"),
    };
    let mut bench = Bench::start_as(simulated(Shape::Smart, 4), "smart-api", login, |_| {});
    let published = bench.wait("a refusal", |published| published.has_failed("cards", "refused"));
    assert!(published.cards.is_empty());
    bench.wait("three failures", |published| published.failed.len() >= 3);
    let logins = bench.padtec.counts().requests["/nms-api/v1/admin/login"];
    assert!(logins <= 3, "{logins} logins");
    bench.stop();
}

#[test]
fn a_token_of_the_configuration_needs_no_login() {
    let login = Login::Token(Secret::new(TOKEN, "env PADTEC_API_TOKEN"));
    let mut bench = Bench::start_as(simulated(Shape::Smart, 4), "smart-api", login, |padtec| {
        padtec.set_faults(&[PadtecFault::Unauthorized(0.1)]);
    });
    bench.wait("a whole inventory", |published| !published.whole_cards().is_empty());
    assert_eq!(bench.padtec.counts().logins, 0);
    bench.stop();
}

#[test]
fn slow_answers_are_waited_for_and_old_builds_and_other_forms_are_read() {
    let config = simulated(Shape::Smart, 4);
    let faults = [
        PadtecFault::Slow(Duration::from_secs(5)),
        PadtecFault::OldBuild,
        PadtecFault::OtherForms,
    ];
    for fault in faults {
        let mut bench = Bench::start_with(config.clone(), "smart-api", |padtec| padtec.set_faults(&[fault]));
        let is_read = |published: &Published| !published.whole_cards().is_empty();
        let published = bench.wait("an inventory", is_read);
        assert!(published.failed.is_empty(), "{fault:?}: {:?}", published.failed);
        assert_eq!(published.whole_cards()[0].cards[0].family.as_deref(), Some("AMPLIFIER"));
        if !matches!(fault, PadtecFault::Slow(_)) {
            let published = bench.wait("measures", |published| !published.measures.is_empty());
            assert!(published.letters.is_empty(), "{fault:?}: {:?}", published.letters);
        }
        bench.stop();
    }
}

#[test]
fn a_page_smaller_than_asked_for_is_no_end() {
    let config = PadtecConfig {
        page_max: 30,
        ..simulated(Shape::Smart, 250)
    };
    let mut bench = Bench::start(config);
    let published = bench.wait("a whole inventory", |published| !published.whole_cards().is_empty());
    assert_eq!(published.whole_cards()[0].cards.len(), 250);
    bench.stop();
}

#[test]
fn a_clock_an_hour_off_is_told_as_an_alarm_and_moves_no_value_out_of_its_time() {
    for minutes in [60, -60] {
        let mut bench = Bench::start_with(simulated(Shape::Smart, 8), "smart-api", |padtec| {
            padtec.set_faults(&[PadtecFault::ClockAhead(minutes)]);
        });
        let told = |published: &Published| {
            let alarms = published.alarms.iter().flat_map(|read| &read.alarms);
            alarms
                .into_iter()
                .any(|alarm| alarm.alarm_type == "clock off" && alarm.serial.is_none())
        };
        let published = bench.wait("an alarm about the clock", told);
        let reads = published.measures.len();
        let published = bench.wait("two reads behind it", |published| published.measures.len() >= reads + 2);
        let (newest, now) = (published.measures.last().unwrap(), connector_kit::now());
        for row in &newest.measures {
            assert!(
                row.observed_at <= newest.received_at,
                "{minutes}: nothing is seen before it could be"
            );
            assert!(now.since(row.observed_at) < 180_000_000, "{minutes}: {row:?}");
            assert_eq!(row.quality, "good", "{minutes}");
        }
        bench.padtec.set_faults(&[]);
        let reads = published.alarms.len();
        bench.wait("the alarm's end", |published| {
            let later = published.alarms.iter().skip(reads);
            later.into_iter().any(|read| read.complete && read.alarms.is_empty())
        });
        bench.stop();
    }
    assert!(!PASSWORD.is_empty());
}
