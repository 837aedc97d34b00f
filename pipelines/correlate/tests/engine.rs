//! A recovery with children really down, and a life of an OLT killed at each place of the protocol.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::collections::BTreeSet;

use common::World;
use testkit::CrashAt;
use topology::Topic;

#[test]
fn of_a_parent_that_recovers_with_100_children_down_exactly_those_come_up() {
    let mut world = World::default();
    for port in 0..2 {
        world.reading(&format!("0/1/{port}"), 0..128, "online");
    }
    world.say("pon/0/1/0 up");
    world.say("pon/0/1/0 down fibre");
    world.traps("0/1/0", 0..128, "offline fibre");
    world.seconds(60);
    assert_eq!(world.shown(), BTreeSet::new());
    world.say("pon/0/1/0 up");
    // 28 come back, in no order.
    let back = |id: &u16| id.is_multiple_of(5) || *id > 126 || *id == 1;
    world.seconds(30);
    world.traps("0/1/0", (0..128).filter(back), "online");
    let mut first = None;
    for second in 0..400 {
        world.seconds(1);
        if first.is_none() && !world.shown().is_empty() {
            first = Some(second);
        }
    }
    let down: BTreeSet<String> = (0..128)
        .filter(|id| !back(id))
        .map(|id| format!("{}/onu/0/1/0/{id}", world.root))
        .collect();
    assert_eq!(down.len(), 100);
    assert_eq!(world.shown(), down);
    assert!(first.is_some_and(|s| s > 60), "each had its time: {first:?}");
    assert_eq!(world.verdicts(), ["closed feeder pon/0/1/0 100/128"]);
    let told = world.transitions();
    assert_eq!(told.iter().filter(|t| t.transition == "uninhibited").count(), 100);
    // Folded: all of them with one record.
    let positions: BTreeSet<i64> = told
        .iter()
        .filter(|t| t.transition == "uninhibited")
        .map(|t| t.position.offset)
        .collect();
    assert_eq!(positions.len(), 1);
    world.assert_no_dead_letters();
}

/// An hour of an OLT; `cut` is called between its records.
fn life(mut cut: impl FnMut(&mut World, usize)) -> World {
    let mut world = World::default();
    let mut n = 0;
    let mut step = |world: &mut World, line: &str| {
        world.say(line);
        n += 1;
        cut(world, n);
    };
    let all = |pon: &str, words: &str| -> String {
        let lines: Vec<String> = (0..16).map(|id| format!("onu/{pon}/{id} {words}")).collect();
        lines.join("\n")
    };
    for pon in ["0/1/0", "0/1/1"] {
        step(&mut world, &all(pon, "online"));
    }
    step(&mut world, "onu/0/1/0/3 raise rx_low major");
    let rx_low = world.alarm("onu/0/1/0/3");
    for (i, act) in [
        "acknowledge",
        "acknowledge",
        "comment",
        "unacknowledge",
        "silence",
        "clear",
    ]
    .iter()
    .enumerate()
    {
        world.act_as(&rx_low.entity, &rx_low.alarm_id, &format!("act-{i}"), act, "ana");
        step(&mut world, "onu/0/1/1/9 raise config_failed minor");
    }
    for id in 0..16 {
        step(&mut world, &format!("onu/0/1/0/{id} offline fibre"));
    }
    for _ in 0..8 {
        world.seconds(1);
        step(&mut world, "onu/0/1/1/9 clear config_failed");
    }
    step(&mut world, &all("0/1/0", "online"));
    for n in 0..50 {
        world.seconds(1);
        step(
            &mut world,
            &format!(
                "onu/0/1/1/{} {}",
                n % 16,
                if n % 3 == 0 { "offline power" } else { "online" }
            ),
        );
    }
    if !world.driver.is_alive(0) {
        world.driver.restore();
    }
    while !world.driver.commit() {
        world.driver.restore();
    }
    world
}

fn assert_same(world: &World, calm: &World, what: &str) {
    for topic in [Topic::Alarms, Topic::Incidents] {
        assert_eq!(world.driver.table(topic), calm.driver.table(topic), "{topic} {what}");
    }
    let told = |world: &World| world.driver.outputs(Topic::AlarmTransitions);
    assert_eq!(told(world), told(calm), "transitions {what}");
    assert_eq!(world.driver.slots(), calm.driver.slots(), "state {what}");
}

#[test]
fn a_kill_at_any_point_and_any_cut_of_batches_change_nothing() {
    let calm = life(|_, _| {});
    assert!(calm.transitions().len() > 40);
    for every in [1, 3, 17] {
        let cut = life(|world, n| {
            if n % every == 0 {
                assert!(world.driver.commit());
            }
        });
        assert_same(&cut, &calm, &format!("with a commit after every {every}"));
    }
    let mut crashes = 0;
    for &at in CrashAt::ALL {
        let world = life(|world, n| {
            if n % 7 == 3 {
                world.driver.crash_at(0, at);
            }
            if n % 4 == 0 {
                world.driver.commit();
            }
            if !world.driver.is_alive(0) {
                crashes += 1;
                world.driver.restore();
            }
        });
        assert_same(&world, &calm, &format!("after crashes at {at:?}"));
    }
    eprintln!("{crashes} crashes");
    assert!(crashes >= 20);
}
