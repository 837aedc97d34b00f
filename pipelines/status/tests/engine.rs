//! Both steps in the production engine, over the simulated log: killed at each point of the protocol, they end where an
//! undisturbed run ends, to the byte.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{huawei, onu_trap, registration, trap};
use pipeline_normalize::{Normalize, PORTS_MAX};
use pipeline_status::Status;
use runtime::{Chain, DeadReason, Outcomes};
use schemas::network::{self, NetworkEvent};
use snmp_pdu::encode::{V2Notification, v2_trap};
use snmp_pdu::{Oid, Value};

use testkit::{CrashAt, Driver};
use topology::Topic;

const ROOTS: [&str; 3] = ["default/olt/rjo-01", "default/olt/spo-01", "default/unknown/192.0.2.7"];
const RECORDS: u16 = 90;

fn chain() -> Chain<NetworkEvent> {
    Chain::new(|record, key| {
        network::decode(record, key).map_err(|reason| DeadReason::text(reason, "not a record of observations"))
    })
    .step(Normalize::new())
    .step(Status::default())
}

/// Writes record `i` of a life of three roots: registrations, alarms and recoveries, every seventh trap twice.
fn pipe(driver: &mut Driver<NetworkEvent>, i: u16) {
    let root = ROOTS[usize::from(i % 3)];
    let now = driver.now();
    if i.is_multiple_of(11) {
        let entity = format!("{root}/onu/0/3/5/{}", i % 5);
        let mut record = registration(&entity, "onu", now);
        record.name = Some(format!("customer {i}"));
        record.removed = i.is_multiple_of(33);
        driver.pipe(root, record);
        return;
    }
    let again = if i.is_multiple_of(7) { i.saturating_sub(3) } else { i };
    let number = [18, 12, 19, 13, 10, 6, 11][usize::from(again % 7)];
    let trap_oid = huawei(&format!("6.128.1.1.12.2.2.0.{number}"));
    let uptime = 5_000_000 + u32::from(again) * 100;
    driver.pipe(
        root,
        trap(
            root,
            onu_trap(trap_oid, [0, 3, 5], again % 5, i32::from(again), uptime),
            now,
        ),
    );
}

fn run(crash: Option<CrashAt>) -> (Driver<NetworkEvent>, usize) {
    let mut driver = Driver::with(4, 1, chain);
    let mut crashes = 0;
    for i in 0..RECORDS {
        driver.advance(1_000);
        if let Some(at) = crash.filter(|_| i % 9 == 4) {
            driver.crash_at(0, at);
        }
        pipe(&mut driver, i);
        if i % 4 == 3 {
            driver.commit();
        }
        if !driver.is_alive(0) {
            crashes += 1;
            driver.restore();
        }
    }
    driver.commit();
    if !driver.is_alive(0) {
        driver.restore();
        driver.commit();
    }
    (driver, crashes)
}

#[test]
fn a_kill_at_any_point_changes_nothing() {
    let (calm, _) = run(None);
    let outcomes = calm.outcomes();
    check_outcomes(&outcomes);
    let mut total = 0;
    for &at in CrashAt::ALL {
        let (driver, crashes) = run(Some(at));
        total += crashes;
        for topic in [Topic::DeviceEvents, Topic::DeviceStatus, Topic::Inventory] {
            assert_eq!(
                driver.table(topic),
                calm.table(topic),
                "{topic} after crashes at {at:?}"
            );
        }
        let events = |driver: &Driver<NetworkEvent>| driver.outputs(Topic::DeviceEvents);
        assert_eq!(events(&driver), events(&calm), "events after crashes at {at:?}");
        assert_eq!(driver.slots(), calm.slots(), "state after crashes at {at:?}");
    }
    eprintln!("{total} crashes, {outcomes:?}");
    assert!(total > 20);
}

fn check_outcomes(outcomes: &Outcomes) {
    assert_eq!(outcomes.consumed, u64::from(RECORDS));
    assert!(outcomes.add_up() && outcomes.emitted > 60, "{outcomes:?}");
    assert!(outcomes.filtered["resent"] > 3, "{outcomes:?}");
}

#[test]
fn a_pdu_that_is_none_is_kept_in_the_dead_letters_and_the_next_one_is_taken() {
    let mut driver = Driver::with(4, 1, chain);
    driver.advance(1_000);
    let good = onu_trap(huawei("6.128.1.1.12.2.2.0.18"), [0, 3, 5], 1, 1, 5_000_000);
    let cut = trap(ROOTS[0], good[..good.len() - 3].to_vec(), driver.now());
    driver.pipe(ROOTS[0], cut.clone());
    driver.pipe(ROOTS[0], trap(ROOTS[0], good, driver.now()));
    driver.commit();
    let outcomes = driver.outcomes();
    assert_eq!((outcomes.consumed, outcomes.emitted), (2, 1), "{outcomes:?}");
    assert_eq!(outcomes.dead_lettered["undecodable_truncated"], 1, "{outcomes:?}");
    let letters = driver.outputs(Topic::DeadLetters);
    let [letter] = letters.as_slice() else {
        panic!("{letters:?}")
    };
    let Some(schemas::AnyRecord::DeadLetter(letter)) = &letter.record else {
        panic!("{letter:?}")
    };
    assert_eq!(letter.reason, "undecodable_truncated");
    assert_eq!(letter.errors, ["step 1 cannot read the record: undecodable_truncated"]);
    let kept = schemas::Codec::standalone()
        .decode(letter.value.as_deref().unwrap())
        .unwrap();
    assert_eq!(kept, cut.into(), "the original bytes");
}

/// Our own freshness probe comes out as one row and leaves nothing behind.
#[test]
fn a_probe_is_a_row_and_no_entity() {
    const PROBE: &str = "default/probe/0.1";
    let mut driver = Driver::with(4, 1, chain);
    driver.advance(1_000);
    let sent_at = Oid::new(&schemas::probe::SENT_AT_OID);
    let head = V2Notification {
        request_id: 1,
        uptime: 0,
        trap_oid: huawei("1"),
    };
    let pdu = v2_trap(&head, &[(sent_at, Value::Counter64(1_700_000_000_000_000))]);
    for _ in 0..2 {
        driver.pipe(PROBE, trap(PROBE, pdu.clone(), driver.now()));
    }
    driver.pipe(PROBE, registration(PROBE, "probe", driver.now()));
    driver.commit();
    let outcomes = driver.outcomes();
    assert_eq!(
        (outcomes.emitted, outcomes.filtered["registration_entity"]),
        (2, 1),
        "{outcomes:?}"
    );
    let status = driver.table(Topic::DeviceStatus);
    let Some(schemas::AnyRecord::DeviceStatus(row)) = status.get(PROBE.as_bytes()) else {
        panic!("{status:?}")
    };
    assert_eq!(
        (row.name.as_deref(), row.observed_at.0),
        (Some("main"), 1_700_000_000_000_000)
    );
    assert!(driver.outputs(Topic::DeviceEvents).is_empty() && driver.outputs(Topic::Inventory).is_empty());
    assert!(driver.slots().is_empty(), "{:?}", driver.slots());
}

/// A sender may say any place; an OLT has only so many.
#[test]
fn a_sender_makes_no_more_entities_than_a_device_has() {
    let mut driver = Driver::with(1, 1, chain);
    let gasp = |n: usize| {
        let [slot, port] = [n / 200, n % 200].map(|n| u8::try_from(n).unwrap());
        let id = i32::try_from(n).unwrap();
        onu_trap(huawei("6.128.1.1.12.2.2.0.18"), [0, slot, port], 1, id, 5_000_000)
    };
    let send = |driver: &mut Driver<NetworkEvent>, n: usize| {
        let record = trap(ROOTS[0], gasp(n), driver.now());
        driver.pipe(ROOTS[0], record);
    };
    let onus = |driver: &Driver<NetworkEvent>| {
        let status = driver.table(Topic::DeviceStatus);
        status
            .keys()
            .filter(|key| key.windows(5).any(|w| w == b"/onu/"))
            .count()
    };
    for n in 0..PORTS_MAX + 50 {
        send(&mut driver, n);
    }
    driver.commit();
    assert_eq!(onus(&driver), PORTS_MAX);
    driver.crash(0);
    driver.restore();
    send(&mut driver, PORTS_MAX + 60);
    driver.commit();
    assert_eq!(onus(&driver), PORTS_MAX, "known after a restart too");
    let events = driver.outputs(Topic::DeviceEvents);
    let refused = events.iter().filter_map(|seen| match &seen.record {
        Some(schemas::AnyRecord::DeviceEvent(event)) => Some(event),
        _ => None,
    });
    let refused: Vec<_> = refused
        .filter(|e| e.detail.get("issue").is_some_and(|i| i == "too_many_places"))
        .collect();
    assert_eq!(refused.len(), 51);
    assert!(
        refused
            .iter()
            .all(|e| e.entity == ROOTS[0] && e.state.is_none() && e.detail["slot"] == "5")
    );
    send(&mut driver, 7);
    driver.commit();
    assert!(driver.outcomes().dead_lettered.is_empty());
}

/// Write times of the inventory rows of one device that is registered, removed and registered again at one append time, with
/// a commit and a kill before the removal or not.
fn write_times(killed: bool) -> Vec<i64> {
    let mut driver = Driver::with(4, 1, chain);
    driver.advance(1_000);
    let entity = format!("{}/onu/0/3/5/1", ROOTS[0]);
    let now = driver.now();
    let mut rows = Vec::new();
    for (name, removed) in [("a", false), ("b", false), ("c", false), ("c", true), ("d", false)] {
        if removed && killed {
            driver.commit();
            driver.crash_at(0, CrashAt::ALL[0]);
        }
        let mut record = registration(&entity, "onu", now);
        record.name = Some(name.to_owned());
        record.removed = removed;
        driver.pipe(ROOTS[0], record);
        driver.commit();
        if !driver.is_alive(0) {
            driver.restore();
            driver.commit();
        }
    }
    for seen in driver.outputs(Topic::Inventory) {
        if let Some(schemas::AnyRecord::InventoryEntry(row)) = seen.record
            && row.entity == entity
        {
            rows.push(row.wts.0);
        }
    }
    rows
}

/// A store orders rows and deletions of one key by write time alone.
#[test]
fn a_device_made_anew_writes_above_its_deletion() {
    let calm = write_times(false);
    assert_eq!(calm.len(), 4, "{calm:?}");
    assert!(calm[3] > calm[2] + 1, "above the last row and the deletion: {calm:?}");
    assert_eq!(write_times(true), calm);
}
