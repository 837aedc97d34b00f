//! Readings in the production engine, over the simulated log: killed between the parts of a reading, and an OLT as large as there are.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::reads::{failed, optics, row, table};
use common::{ROOT, huawei, onu_trap, trap};
use model::Micros;
use pipeline_normalize::Normalize;
use pipeline_status::Status;
use runtime::{Chain, DeadReason};
use schemas::network::{self, NetworkEvent};
use schemas::{AnyRecord, DeviceStatus, OnuRow, OnuTablePort, OnuTableRead};
use testkit::{CrashAt, Driver};
use topology::Topic;

const SECOND: i64 = 1_000;

fn chain() -> Chain<NetworkEvent> {
    Chain::new(|record, key| {
        network::decode(record, key).map_err(|reason| DeadReason::text(reason, "not a record of observations"))
    })
    .step(Normalize::new())
    .step(Status::default())
}

fn is_up(onu: u16, minute: i64) -> &'static str {
    if (i64::from(onu) + minute) % 5 == 0 {
        "offline LOSi/LOBi"
    } else {
        "online"
    }
}

/// Both parts of a minute's reading of slot 3: ONUs 0 to 4 on two ports, of which one is missing every third minute.
fn parts(minute: i64, started_at: Micros) -> [OnuTableRead; 2] {
    [5, 6].map(|port| {
        let onus = (0..5_u16).filter(|onu| minute % 3 != 2 || *onu != 4);
        let rows: Vec<OnuRow> = onus.map(|onu| row(onu.into(), is_up(onu, minute))).collect();
        let mut read = table("0/3", started_at, &[([0, 3, port], &rows)]);
        (read.part, read.of) = (port - 5, 2);
        read
    })
}

/// A life of 12 minutes: readings in two parts, traps in between, optics, and three minutes without an answer.
fn run(crash: Option<CrashAt>) -> (Driver<NetworkEvent>, usize) {
    let mut driver = Driver::with(4, 1, chain);
    let mut crashes = 0;
    let mut step = |driver: &mut Driver<NetworkEvent>, record: AnyRecord, n: i64| {
        if let Some(at) = crash.filter(|_| n % 3 == 1) {
            driver.crash_at(0, at);
        }
        driver.pipe(ROOT, record);
        if n % 2 == 1 {
            driver.commit();
        }
        if !driver.is_alive(0) {
            crashes += 1;
            driver.restore();
        }
    };
    let mut n = 0;
    let mut failing_since = None;
    for minute in 0..12 {
        driver.advance(50 * SECOND);
        let asked_at = driver.now();
        let mut records: Vec<AnyRecord> = if (5..8).contains(&minute) {
            let since = *failing_since.get_or_insert(asked_at);
            let in_a_row = i32::try_from(minute).unwrap() - 4;
            vec![failed(asked_at, "unreachable", in_a_row, since).into()]
        } else {
            parts(minute, asked_at).map(Into::into).into()
        };
        if minute % 4 == 1 {
            let uptime = u32::try_from(5_000_000 + minute * 6_000).unwrap();
            let onu = u16::try_from(minute % 5).unwrap();
            let id = i32::try_from(minute).unwrap();
            let gasp = onu_trap(huawei("6.128.1.1.12.2.2.0.18"), [0, 3, 5], onu, id, uptime);
            records.insert(1, trap(ROOT, gasp, asked_at.plus(Micros::SECOND)).into());
        }
        if minute == 3 {
            records.push(optics(asked_at, 1, -20.0, 40.0).into());
        }
        for record in records {
            driver.advance(5 * SECOND);
            step(&mut driver, record, n);
            n += 1;
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
fn a_kill_between_the_parts_of_a_reading_changes_nothing() {
    let (calm, _) = run(None);
    let told = calm.outputs(Topic::DeviceEvents);
    let absent = told
        .iter()
        .filter(|seen| matches!(&seen.record, Some(AnyRecord::DeviceEvent(e)) if e.event == "absent"));
    assert_eq!(absent.count(), 6, "two ONUs in minutes 2, 8 and 11");
    assert!(calm.outcomes().dead_lettered.is_empty());
    let mut total = 0;
    for &at in CrashAt::ALL {
        let (driver, crashes) = run(Some(at));
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

fn status_rows(driver: &Driver<NetworkEvent>) -> Vec<DeviceStatus> {
    let rows = driver.table(Topic::DeviceStatus).into_values();
    rows.filter_map(|record| match record {
        AnyRecord::DeviceStatus(row) => Some(row),
        _ => None,
    })
    .collect()
}

/// 17 boards of 16 ports of 128 ONUs.
const BOARDS: u8 = 17;
const PORTS: u8 = 16;
const ONUS: i32 = 128;

/// A board's reading: one record of 2,048 rows.
fn board(slot: u8, started_at: Micros, onus: i32) -> OnuTableRead {
    let rows: Vec<OnuRow> = (0..onus).map(|onu| row(onu, "online")).collect();
    let mut read = table(&format!("0/{slot}"), started_at, &[]);
    read.ports = (0..PORTS)
        .map(|port| OnuTablePort {
            frame: 0,
            slot: slot.into(),
            port: port.into(),
            onus: rows.clone(),
        })
        .collect();
    read
}

fn count(driver: &Driver<NetworkEvent>, state: &str) -> usize {
    let rows = status_rows(driver);
    rows.iter()
        .filter(|row| row.kind == "onu" && row.state == state)
        .count()
}

#[test]
fn the_largest_olt_falls_silent_a_thousand_onus_a_record() {
    let all = usize::from(BOARDS) * usize::from(PORTS) * usize::try_from(ONUS).unwrap();
    assert_eq!(all, 34_816);
    let mut driver = Driver::with(1, 1, chain);
    let read_all = |driver: &mut Driver<NetworkEvent>| {
        for slot in 0..BOARDS {
            driver.advance(SECOND);
            let read = board(slot, driver.now(), ONUS);
            driver.pipe(ROOT, read);
            driver.commit();
        }
    };
    read_all(&mut driver);
    assert_eq!(count(&driver, "online"), all);
    // The same again: nothing but how the OLT is read.
    driver.new_outputs(Topic::DeviceStatus);
    driver.advance(60 * SECOND);
    read_all(&mut driver);
    assert_eq!(driver.new_outputs(Topic::DeviceStatus).len(), 1);
    driver.advance(60 * SECOND);
    let since = driver.now();
    for in_a_row in 1..=3 {
        driver.pipe(ROOT, failed(driver.now(), "unreachable", in_a_row, since));
        driver.advance(60 * SECOND);
    }
    driver.commit();
    let mut told = Vec::new();
    loop {
        let new = driver.new_outputs(Topic::DeviceStatus).len();
        if new == 0 {
            break;
        }
        told.push(new);
        if told.len() == 10 {
            driver.crash(0);
            driver.restore();
        }
        driver.tick(SECOND);
        driver.commit();
    }
    let at_most = told.iter().copied().max().unwrap_or(0);
    assert!(at_most <= 1_024 + 128 + 4, "{at_most} rows of one record");
    assert_eq!((count(&driver, "unknown"), told.len()), (all, 35));
    let before = driver.outputs(Topic::DeviceEvents).len();
    read_all(&mut driver);
    assert_eq!(count(&driver, "online"), all);
    assert_eq!(
        driver.outputs(Topic::DeviceEvents).len(),
        before + 1,
        "the OLT is reachable"
    );
    assert!(driver.outcomes().dead_lettered.is_empty());
}

#[test]
fn an_answer_ends_the_telling() {
    let mut driver = Driver::with(1, 1, chain);
    for slot in 0..2 {
        driver.advance(SECOND);
        driver.pipe(ROOT, board(slot, driver.now(), ONUS));
    }
    driver.advance(60 * SECOND);
    let since = driver.now();
    driver.pipe(ROOT, failed(since, "closed", 3, since));
    driver.commit();
    let told = count(&driver, "unknown");
    assert!((1_000..1_100).contains(&told), "{told}");
    driver.advance(SECOND);
    driver.pipe(ROOT, board(0, driver.now(), ONUS));
    for _ in 0..5 {
        driver.tick(SECOND);
    }
    driver.commit();
    assert_eq!(count(&driver, "unknown"), 0);
}
