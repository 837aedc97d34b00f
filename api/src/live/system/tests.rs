//! What is said of the pipeline, as time passes.

use std::collections::BTreeMap;
use std::time::Duration;

use model::{Micros, Position};
use serde_json::{Value, json};

use super::*;

const START: Micros = Micros(1_700_000_000_000_000);

fn after(seconds: i64) -> Micros {
    START.plus(seconds * Micros::SECOND)
}

fn probe(listener: &str, partition: u32, sent_at: Micros) -> DeviceStatus {
    let position = Position {
        generation: 1,
        partition,
        offset: 1,
    };
    DeviceStatus {
        entity: "default/probe/1".into(),
        root: "default/probe/1".into(),
        kind: "probe".into(),
        site: None,
        parent: None,
        name: Some(listener.into()),
        description: None,
        vendor: None,
        model: None,
        serial: None,
        state: "unknown".into(),
        cause: None,
        cause_raw: None,
        since: sent_at,
        observed_at: sent_at,
        received_at: sent_at,
        first_trap_at: None,
        optics: None,
        poll: None,
        position: position.into(),
        wts: sent_at,
    }
}

/// Two partitions, a probe every 30 s.
fn watched() -> System {
    let mut system = System::default();
    let config = ProbeConfig {
        listeners: vec!["main".to_owned()],
        interval: Duration::from_secs(30),
        partitions: 2,
    };
    system.watch("default", Some(config), START);
    system
}

fn shown(system: &System, now: Micros) -> Value {
    serde_json::to_value(system.item(now)).unwrap()
}

fn words(system: &System) -> Vec<String> {
    let shown = shown(system, START);
    let notices = shown["notices"].as_array().unwrap().clone();
    notices
        .iter()
        .rev()
        .map(|n| n["notice"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_partition_that_brings_no_probe_is_late_and_fresh_again() {
    let mut system = watched();
    let mut check = |at: i64, through: &[u32], state: &str, late: &[u32]| {
        for partition in through {
            system.probed(&probe("main", *partition, after(at - 1)), after(at));
        }
        system.tick(after(at));
        let shown = shown(&system, after(at));
        assert_eq!(shown["freshness"]["state"], state, "at {at}: {shown}");
        assert_eq!(
            shown["freshness"]["listeners"][0]["late_partitions"],
            json!(late),
            "at {at}"
        );
        words(&system)
    };
    check(0, &[], "waiting", &[]);
    check(10, &[0], "waiting", &[]);
    check(11, &[1], "fresh", &[]);
    check(40, &[0, 1], "fresh", &[]);
    check(70, &[0], "fresh", &[]);
    check(100, &[0], "fresh", &[]);
    assert_eq!(
        check(115, &[], "late", &[1]),
        ["freshness_late"],
        "75 s after the last one was sent"
    );
    check(130, &[0], "late", &[1]);
    assert_eq!(check(131, &[1], "fresh", &[]), ["freshness_late", "freshness_restored"]);
    assert_eq!(check(300, &[], "late", &[0, 1]).len(), 3);
}

#[test]
fn an_old_probe_that_comes_late_does_not_make_it_fresh() {
    let mut system = watched();
    system.tick(after(100));
    for partition in [0, 1] {
        system.probed(&probe("main", partition, after(10)), after(100));
    }
    system.tick(after(100));
    assert!(system.freshness(after(100)).is_late(), "a backlog is being worked off");
}

#[test]
fn probes_of_others_count_for_nothing() {
    let mut system = watched();
    system.take_changed();
    system.probed(&probe("other", 0, START), START);
    system.probed(&probe("main", 9, START), START);
    assert!(!system.has_changed());
}

#[test]
fn without_probes_nothing_is_late() {
    let mut system = System::default();
    system.watch("default", None, START);
    system.tick(after(10_000));
    assert_eq!(shown(&system, after(10_000))["freshness"]["state"], "off");
}

fn row(writer: &str, at: i64, lost: i64) -> LedgerRow {
    LedgerRow {
        scope: schemas::LedgerScope::Listener,
        listener: "main".into(),
        sender: None,
        root: None,
        writer: writer.into(),
        at: after(at),
        received: 10,
        accepted: 10,
        recovered: 0,
        acknowledged: 10,
        in_spool: 0,
        dropped: BTreeMap::new(),
        refused: BTreeMap::new(),
        undecodable: BTreeMap::new(),
        over_limit: 0,
        kernel_drops: lost,
        first_at: None,
        last_at: None,
        lost_first_at: (lost > 0).then(|| after(1)),
        lost_last_at: (lost > 0).then(|| after(at)),
    }
}

#[test]
fn each_loss_is_said_once_and_a_contradiction_too() {
    let mut system = watched();
    system.count(row("a", 0, 0));
    system.count(row("a", 10, 5));
    system.count(row("a", 20, 5));
    system.count(row("a", 30, 7));
    system.count(row("a", 25, 9));
    let wrong = LedgerRow {
        accepted: 9,
        ..row("a", 40, 7)
    };
    system.count(wrong.clone());
    system.count(LedgerRow { at: after(50), ..wrong });
    assert_eq!(
        words(&system),
        ["datagrams_lost", "datagrams_lost", "ledger_unbalanced"]
    );
    let shown = shown(&system, after(50));
    let lost: Vec<_> = shown["notices"]
        .as_array()
        .unwrap()
        .iter()
        .map(|n| n["lost"].clone())
        .collect();
    assert_eq!(lost, [json!(null), json!(2), json!(5)]);
    assert_eq!(shown["ledger"][0]["balances"], false);
}

#[test]
fn what_is_read_again_is_no_news() {
    let mut system = watched();
    system.replaying(true);
    system.count(row("a", 10, 5));
    system.replaying(false);
    system.count(row("a", 20, 5));
    assert_eq!(words(&system), [""; 0]);
    assert_eq!(shown(&system, after(20))["ledger"][0]["lost"], 5);
}

#[test]
fn of_a_listener_the_runs_that_speak_are_shown_or_the_last() {
    let mut system = watched();
    let own = LedgerRow {
        scope: schemas::LedgerScope::Sender,
        sender: Some("probe".into()),
        received: 3,
        ..row("a", 0, 0)
    };
    system.count(own);
    system.count(row("a", 0, 0));
    system.tick(after(100));
    let check = |system: &System, expected: &[(&str, bool, i64)]| {
        let shown = shown(system, after(100));
        let runs = shown["ledger"].as_array().unwrap().iter();
        let runs: Vec<_> = runs
            .map(|r| {
                (
                    r["run"].as_str().unwrap().to_owned(),
                    r["current"] == true,
                    r["own_probes"].as_i64().unwrap(),
                )
            })
            .collect();
        let expected: Vec<_> = expected.iter().map(|(r, c, n)| ((*r).to_owned(), *c, *n)).collect();
        assert_eq!(runs, expected);
    };
    check(&system, &[("a", false, 3)]);
    system.count(row("b", 110, 0));
    system.tick(after(111));
    check(&system, &[("b", true, 0)]);
    system.tick(after(180));
    check(&system, &[("b", false, 0)]);
}
