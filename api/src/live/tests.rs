//! The rules of the live view, record by record.

pub(super) mod driver;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use log::{Headers, Log, Record};
use model::Micros;
use proptest::prelude::*;
use schemas::DeviceStatus;
use topology::Topic;

use super::counts::Totals;
use super::fast::FAST_ROW_US_MAX;
use super::query::Narrow;
use super::state::LiveState;
use super::{LiveView, RingLimits};
use driver::{Driver, ONU, after, id, inventory, row};

#[test]
fn a_fast_row_stands_above_the_exact_one_until_that_catches_up() {
    let mut d = Driver::new();
    d.exact(row(ONU, "online", 10));
    d.fast(row(ONU, "offline", 20));
    assert_eq!(d.shown(ONU), "offline");
    d.exact(row(ONU, "offline", 20));
    d.exact(row(ONU, "online", 30));
    assert_eq!(d.shown(ONU), "online");
}

#[test]
fn a_fast_row_that_the_exact_topic_has_passed_is_history() {
    let mut d = Driver::new();
    d.exact(row("default/olt/a/onu/0/1/2/9", "online", 50));
    d.fast(row(ONU, "offline", 20));
    assert_eq!(d.shown(ONU), "gone", "the partition's mark is at 50");
    d.fast(row(ONU, "offline", 60));
    assert_eq!(d.shown(ONU), "offline");
}

#[test]
fn a_fast_row_that_is_never_confirmed_goes() {
    let mut d = Driver::new();
    d.exact(row(ONU, "online", 10));
    d.fast(row(ONU, "offline", 20));
    d.exact(row("default/olt/a/onu/0/1/2/9", "online", 30));
    assert_eq!(
        d.shown(ONU),
        "offline",
        "its exact row may be in the other half of the commit"
    );
    d.wait(1);
    assert_eq!(d.shown(ONU), "online");
}

#[test]
fn a_fast_row_goes_after_its_time_whatever_comes() {
    let mut d = Driver::new();
    d.exact(row(ONU, "online", 10));
    d.fast(row(ONU, "offline", 20));
    d.wait(FAST_ROW_US_MAX / Micros::SECOND - 1);
    assert_eq!(d.shown(ONU), "offline");
    d.wait(1);
    assert_eq!(d.shown(ONU), "online");
    let mut old = d.fast_of(row(ONU, "offline", 30));
    old.appended_at = d.now.plus(-FAST_ROW_US_MAX);
    d.apply(&[old]);
    assert_eq!(d.shown(ONU), "online", "read two minutes back at a start");
}

#[test]
fn a_commit_read_in_two_halves_shows_nothing_older_in_between() {
    let mut d = Driver::new();
    d.exact(row(ONU, "online", 10));
    d.fast(row(ONU, "offline", 70));
    let other = d.exact_of(row("default/olt/a/onu/0/1/2/9", "online", 90));
    d.apply(&[other]);
    assert_eq!(d.shown(ONU), "offline");
    d.exact(row(ONU, "absent", 95));
    assert_eq!(d.shown(ONU), "absent");
    d.wait(2);
    assert_eq!(d.shown(ONU), "absent");
}

#[test]
fn a_tombstone_is_not_undone_by_a_late_fast_row() {
    let mut d = Driver::new();
    d.exact(row(ONU, "online", 10));
    let late = d.fast_of(row(ONU, "offline", 20));
    d.tombstone(ONU, 30);
    assert_eq!(d.shown(ONU), "gone");
    d.apply(&[late]);
    assert_eq!(d.shown(ONU), "gone");
    d.fast(row(ONU, "online", 40));
    assert_eq!(d.shown(ONU), "online", "it was registered again");
}

#[test]
fn a_repeated_event_is_one_event() {
    let mut d = Driver::new();
    let first = d.fast_of(row(ONU, "offline", 20));
    d.apply(&[first.clone(), first.clone()]);
    d.apply(&[first]);
    let events = d
        .state
        .drain()
        .into_iter()
        .filter(|c| c.what == super::What::Event)
        .count();
    assert_eq!(events, 1);
}

#[test]
fn what_a_second_load_does_not_hold_is_gone() {
    let mut d = Driver::new();
    d.state.begin_load();
    d.exact(row(ONU, "online", 10));
    d.exact(row("default/olt/a/onu/0/1/2/4", "online", 11));
    d.state.end_load();
    d.state.begin_load();
    d.exact(row(ONU, "online", 10));
    d.state.end_load();
    assert_eq!(
        (d.shown(ONU).as_str(), d.shown("default/olt/a/onu/0/1/2/4").as_str()),
        ("online", "gone")
    );
    assert_eq!(d.state.totals("default").counts.onus, 1);
}

#[test]
fn a_record_that_cannot_be_read_is_counted_and_skipped() {
    let mut d = Driver::new();
    let mut broken = d.exact_of(row(ONU, "online", 10));
    broken.record.value = Some(Bytes::from_static(b"\0\0\0\0\x05rubbish"));
    let mut nameless = d.exact_of(row(ONU, "online", 11));
    nameless.record.key = Bytes::from_static(b"\xff\xfe");
    d.apply(&[broken, nameless]);
    d.exact(row(ONU, "purple", 12));
    assert_eq!((d.state.bad_records, d.shown(ONU).as_str()), (3, "gone"));
}

#[test]
fn an_entity_is_found_by_every_written_form() {
    let mut d = Driver::new();
    let mut onu = row(ONU, "online", 1);
    (onu.serial, onu.name) = (Some("HWTC1234ABCD".into()), Some("Casa da Ana".into()));
    d.exact(onu);
    d.exact(row("default/olt/rjo-01", "reachable", 2));
    d.exact(row("other/olt/sao-01", "reachable", 3));
    let check = |text: &str, expected: Option<&str>| {
        let found = d
            .state
            .lookup("default", text)
            .map(|i| d.state.status_item(i).entity.to_owned());
        assert_eq!(found.as_deref(), expected, "{text}");
    };
    for form in [
        "HWTC1234ABCD",
        "hwtc1234abcd",
        "HWTC-1234ABCD",
        "485754431234abcd",
        ONU,
        "casa da ana",
    ] {
        check(form, Some(ONU));
    }
    check("rjo-01", Some("default/olt/rjo-01"));
    for form in ["sao-01", "other/olt/sao-01", "HWTC1234ABCE", "", "default"] {
        check(form, None);
    }
}

#[test]
fn of_two_places_with_one_serial_the_later_sighting_counts() {
    let mut d = Driver::new();
    let (old, new) = (ONU, "default/olt/a/onu/0/1/2/4");
    for (entity, since) in [(new, after(20)), (old, after(10))] {
        let entry = inventory(entity, "HWTC1234ABCD", since);
        let record = d.stored(Topic::Inventory, entity, Some(entry.into()), None);
        d.apply(&[record]);
    }
    let found = d.state.lookup("default", "HWTC1234ABCD").unwrap();
    assert_eq!(d.state.status_item(found).entity, new);
}

#[test]
fn a_site_is_its_roots_where_it_has_none_and_moves_with_it() {
    let mut d = Driver::new();
    let site = |name: &str, offset| DeviceStatus {
        site: Some(name.into()),
        ..row("default/olt/a", "reachable", offset)
    };
    d.exact(row(ONU, "online", 1));
    d.exact(site("RJO", 2));
    let onus_of = |d: &Driver, name: &str| {
        let sites = d.state.tree("default");
        let item = sites
            .iter()
            .find(|c| c.json.contains(&format!("\"site\",\"site\":\"{name}\"")));
        item.map(|c| {
            serde_json::from_str::<serde_json::Value>(&c.json).unwrap()["counts"]["onus"]
                .as_u64()
                .unwrap()
        })
    };
    assert_eq!((onus_of(&d, "RJO"), onus_of(&d, "SAO")), (Some(1), None));
    d.exact(site("SAO", 3));
    assert_eq!((onus_of(&d, "RJO"), onus_of(&d, "SAO")), (Some(0), Some(1)));
}

#[test]
fn a_list_is_paged_in_tree_order_and_narrowed() {
    let mut d = Driver::new();
    for onu in [10, 2, 0] {
        d.exact(row(
            &format!("default/olt/a/onu/0/1/2/{onu}"),
            if onu == 2 { "offline" } else { "online" },
            onu + 1,
        ));
    }
    d.exact(row("default/olt/a-b", "reachable", 20));
    d.exact(row("other/olt/a", "reachable", 21));
    let list = |narrow: &Narrow, limit: usize| {
        let (mut all, mut cursor) = (Vec::new(), None);
        loop {
            let page = d.state.list("default", narrow, cursor.as_deref(), limit);
            assert!(page.items.len() <= limit);
            all.extend(page.items.iter().map(|i| {
                serde_json::from_str::<serde_json::Value>(i).unwrap()["entity"]
                    .as_str()
                    .unwrap()
                    .to_owned()
            }));
            match page.next {
                Some(next) => cursor = Some(next),
                None => return all,
            }
        }
    };
    let everything = list(&Narrow::default(), 1_000);
    let short = |id: &str| format!("default/olt/{id}");
    let expected = [
        "a",
        "a/board/0/1",
        "a/pon/0/1/2",
        "a/onu/0/1/2/0",
        "a/onu/0/1/2/2",
        "a/onu/0/1/2/10",
        "a-b",
    ];
    assert_eq!(everything, expected.map(short));
    for limit in 1..8 {
        assert_eq!(list(&Narrow::default(), limit), everything, "pages of {limit}");
    }
    let offline = Narrow {
        state: Some(model::State::Offline),
        ..Narrow::default()
    };
    assert_eq!(list(&offline, 1), [short("a/onu/0/1/2/2")]);
    let text = Narrow {
        words: super::wanted("a/onu/0/1/2/1"),
        ..Narrow::default()
    };
    assert_eq!(list(&text, 10), [short("a/onu/0/1/2/10")]);
    let root = Narrow {
        root: Some("default/olt/a".into()),
        kind: Some(model::Kind::Olt),
        ..Narrow::default()
    };
    assert_eq!(list(&root, 10), [short("a")]);
    let foreign = Narrow {
        root: Some("other/olt/a".into()),
        ..Narrow::default()
    };
    assert!(list(&foreign, 10).is_empty());
}

/// Counters of every scope, computed from nothing but the present items.
fn recounted(state: &LiveState) -> BTreeMap<String, Totals> {
    let mut all: BTreeMap<String, Totals> = BTreeMap::new();
    for node in state.nodes.iter() {
        let Some(share) = node.share() else { continue };
        let mut scopes = vec!["all".to_owned()];
        scopes.extend(state.site_of(node).map(|s| format!("site {}", state.interner.text(s))));
        let mut above = node.parent;
        while let Some(index) = above {
            scopes.push(state.nodes[index as usize].id.to_string());
            above = state.nodes[index as usize].parent;
        }
        for scope in scopes {
            all.entry(scope).or_default().apply(share, 1);
        }
    }
    all
}

fn counted(state: &LiveState) -> BTreeMap<String, Totals> {
    let mut all: BTreeMap<String, Totals> = BTreeMap::new();
    for ((_, site), totals) in &state.totals {
        let scope = site.map_or_else(|| "all".into(), |s| format!("site {}", state.interner.text(s)));
        all.insert(scope, *totals);
    }
    for node in state.nodes.iter() {
        if let Some(counts) = node.counts.as_deref().filter(|_| node.is_shown()) {
            all.insert(
                node.id.to_string(),
                Totals {
                    counts: *counts,
                    ..Totals::default()
                },
            );
        }
    }
    all
}

/// Below an entity only ONUs are counted.
fn comparable(all: BTreeMap<String, Totals>) -> BTreeMap<String, Totals> {
    let only_onus = |(scope, t): (String, Totals)| {
        let whole = scope == "all" || scope.starts_with("site ");
        (
            scope,
            if whole {
                t
            } else {
                Totals {
                    counts: t.counts,
                    ..Totals::default()
                }
            },
        )
    };
    all.into_iter()
        .map(only_onus)
        .filter(|(_, t)| *t != Totals::default())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn counters_moved_by_differences_equal_counters_computed_anew(
        acts in proptest::collection::vec((0_u8..6, 0_u8..2, 0_u8..2, 0_u8..3, 0_usize..4, 0_i64..40), 1..80)
    ) {
        let mut d = Driver::new();
        for (n, (act, olt, slot, onu, word, wait)) in acts.into_iter().enumerate() {
            let offset = n as u64 + 1;
            let root = format!("default/olt/{olt}");
            let (entity, states): (String, [&str; 4]) = match act {
                0 => (root, ["reachable", "unreachable", "unknown", "reachable"]),
                1 => (format!("{root}/pon/0/{slot}/0"), ["up", "down", "unknown", "up"]),
                2 => (format!("{root}/board/0/{slot}"), ["normal", "failed", "unknown", "absent"]),
                _ => (format!("{root}/onu/0/{slot}/0/{onu}"), ["online", "offline", "absent", "unknown"]),
            };
            let mut status = row(&entity, states[word], offset);
            status.site = (word % 2 == 0).then(|| format!("S{slot}"));
            status.cause = (word == 1).then(|| ["power", "fibre", "admin"][usize::from(onu)].into());
            match act {
                5 if word == 3 => d.tombstone(&entity, offset),
                4 | 5 => d.fast(status),
                _ => d.exact(status),
            }
            d.wait(wait);
            prop_assert_eq!(comparable(counted(&d.state)), comparable(recounted(&d.state)));
        }
    }
}

/// The registry was away when a newer build's record came: it is shown, in its turn, once its schema is learned.
#[test]
fn a_record_of_an_unknown_schema_waits_with_its_partition() {
    let log = log::MemoryLog::new(2);
    let producer = log.producer("test").unwrap();
    let send = |partition, entity: &str, state: &str, offset, schema: Option<u32>| {
        let mut value = log.codec().encode(&row(entity, state, offset).into()).unwrap();
        if let Some(schema) = schema {
            value[1..5].copy_from_slice(&schema.to_be_bytes());
        }
        let record = Record {
            topic: Topic::DeviceStatus,
            partition,
            key: Bytes::copy_from_slice(entity.as_bytes()),
            value: Some(value.into()),
            headers: Headers {
                record_id: Some(id(entity, offset, 1)),
                ..Headers::default()
            },
        };
        let deadline = Instant::now() + Duration::from_secs(10);
        producer.send_and_wait(record, deadline).unwrap();
    };
    let (waiting, behind, other) = (
        "default/olt/a/onu/0/1/2/3",
        "default/olt/a/onu/0/1/2/4",
        "default/olt/b",
    );
    send(0, waiting, "online", 1, Some(200));
    send(0, behind, "online", 2, None);
    send(1, other, "reachable", 1, None);

    let view = LiveView::start(log.clone(), "test", RingLimits::default()).unwrap();
    let until = |what: &str, holds: &dyn Fn() -> bool| {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !holds() {
            assert!(Instant::now() < deadline, "{what}");
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    let shown = |entity: &str| view.read().shown("default", entity).is_some();
    until("the others are served", &|| view.is_ready() && shown(other));
    until("the wait is said", &|| view.waiting().is_some());
    assert!(!shown(waiting) && !shown(behind));

    let schema = schemas::RegisteredSchema {
        id: 200,
        record: schemas::RecordType::DeviceStatus,
        json: schemas::RecordType::DeviceStatus.schema_json().to_owned(),
    };
    log.codec().learn(&schema).unwrap();
    until("it goes on", &|| {
        shown(waiting) && shown(behind) && view.waiting().is_none()
    });
    assert_eq!(view.read().bad_records, 0);
}
