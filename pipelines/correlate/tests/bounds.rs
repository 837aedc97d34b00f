//! What an OLT that is all down may cost, and what a storm of repeats may.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::collections::BTreeSet;
use std::time::Instant;

use common::World;
use schemas::Codec;
use topology::{RECORD_BYTES_MAX, SLOT_BYTES_MAX, Topic};

const PONS: u16 = 272;
const ONUS: u16 = 128;

fn pon(n: u16) -> String {
    format!("0/{}/{}", n / 16, n % 16)
}

/// The largest slot and the largest record written.
fn largest(world: &World) -> (usize, usize) {
    let slots = world.driver.slots();
    let slot = slots
        .iter()
        .filter(|(key, _)| key[0] >= 5)
        .map(|(_, value)| value.len())
        .max();
    let codec = Codec::standalone();
    let mut record = 0;
    for topic in [Topic::Incidents, Topic::Alarms, Topic::AlarmTransitions] {
        for seen in world.driver.outputs(topic) {
            if let Some(any) = seen.record {
                record = record.max(codec.encode(&any).unwrap().len());
            }
        }
    }
    (slot.unwrap_or(0), record)
}

#[test]
fn an_olt_with_34_816_onus_all_down() {
    let began = Instant::now();
    let mut world = World::default();
    for n in 0..PONS {
        world.reading(&pon(n), 0..ONUS, "online");
    }
    world.seconds(1);
    for n in 0..PONS {
        world.reading(&pon(n), 0..ONUS, "offline fibre");
        if n % 32 == 31 {
            world.driver.tick(500);
        }
    }
    world.seconds(12);
    assert_eq!(world.verdicts(), ["open feeder olt 34816/34816"]);
    let row = world.incidents().remove(0);
    assert_eq!(
        (row.affected.len(), row.affected_more, row.pons.len()),
        (512, 34_304, 64)
    );
    world.seconds(10);
    assert_eq!(world.shown(), BTreeSet::new(), "all are symptoms after some seconds");
    let (slot, record) = largest(&world);
    eprintln!(
        "all down after {:?}: largest slot {slot} bytes, largest record {record} bytes",
        began.elapsed()
    );
    assert!(slot <= SLOT_BYTES_MAX && record <= RECORD_BYTES_MAX);
    let per_onu = world.transitions().len() as f64 / f64::from(PONS * ONUS / 2) / 2.0;
    assert!(per_onu <= 3.0, "{per_onu} transitions an ONU");

    for n in 0..PONS {
        world.reading(&pon(n), 0..ONUS, "online");
    }
    world.seconds(60);
    assert_eq!(world.verdicts(), ["closed feeder olt 0/34816"]);
    world.seconds(20);
    let rest: Vec<_> = world
        .driver
        .slots()
        .into_iter()
        .filter(|(key, _)| key[0] == 6)
        .collect();
    assert!(rest.iter().all(|(_, value)| value.len() < 200), "nothing is left of it");
    let (slot, record) = largest(&world);
    assert!(slot <= SLOT_BYTES_MAX && record <= RECORD_BYTES_MAX);
    let per_onu = world.transitions().len() as f64 / f64::from(PONS) / f64::from(ONUS);
    eprintln!("and up again after {:?}: {per_onu} transitions an ONU", began.elapsed());
    assert!(per_onu <= 3.0);
    world.assert_no_dead_letters();
}

/// Each port by itself, one after the other: the most incidents and parts there may be.
#[test]
fn more_incidents_than_there_is_room_for() {
    let mut world = World::default();
    for n in 0..PONS {
        world.reading(&pon(n), 0..ONUS, "online");
    }
    for round in 0..8u16 {
        for n in 0..PONS {
            let ids = (round * 16)..(round * 16 + 16);
            world.reading(&pon(n), ids, "offline fibre");
            if n % 8 == 7 {
                world.seconds(4);
            }
        }
        world.seconds(70);
    }
    let (slot, record) = largest(&world);
    let incidents = world.verdicts().len();
    eprintln!("{incidents} incidents: largest slot {slot} bytes, largest record {record} bytes");
    assert!(incidents >= 90, "{incidents}");
    assert!(slot <= SLOT_BYTES_MAX && record <= RECORD_BYTES_MAX);
    world.assert_no_dead_letters();
}

/// 100,000 records, of which 1,000 are edges.
#[test]
fn a_storm_of_repeats_makes_no_rows() {
    let mut world = World::default();
    for n in 0..4 {
        world.reading(&pon(n), 0..ONUS, "online");
    }
    for edge in 0..1_000u16 {
        let (n, id) = (edge % 4, edge / 8 % ONUS);
        let words = if edge / 4 % 2 == 0 { "offline power" } else { "online" };
        for _ in 0..100 {
            world.traps(&pon(n), [id], words);
        }
        if edge % 10 == 9 {
            world.seconds(1);
        }
    }
    world.seconds(30);
    let rows = world.transitions().len() + world.driver.outputs(Topic::Incidents).len();
    eprintln!("{rows} rows of 100,000 traps");
    assert!(rows <= 10_000);
    assert!(world.transitions().len() >= 900, "but each edge is told");
    world.assert_no_dead_letters();
}

/// What people and devices write has an end, whatever they write.
#[test]
fn an_entity_with_all_that_it_may_have_fits_its_slot() {
    let mut world = World::default();
    let long = "w".repeat(400);
    for n in 0..60 {
        world.say(&format!("onu/0/1/1/1 raise {long}-{n} major"));
        world.say(&format!("onu/0/1/1/1 raise type-{n}-{long} major"));
    }
    let alarms: Vec<_> = world.alarms().into_values().collect();
    assert!(!alarms.is_empty());
    for alarm in alarms.iter().cycle().take(600) {
        let act_id = format!("{}-{}", alarm.alarm_id, world.driver.now().0);
        world.act_as(&alarm.entity, &alarm.alarm_id, &act_id, "comment", &"ä".repeat(3_000));
        world.driver.advance(1);
    }
    let (slot, record) = largest(&world);
    eprintln!("largest slot {slot} bytes, largest record {record} bytes");
    assert!(slot <= SLOT_BYTES_MAX && record <= RECORD_BYTES_MAX);
    assert!(world.alarms().values().all(|a| a.comments.len() <= 20));
    world.assert_no_dead_letters();
}
