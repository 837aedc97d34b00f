//! R4: histories with 2,048 ONUs on 16 ports, each with its verdict within 15 s of the first loss.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::World;
use model::Micros;

/// 16 ports of two boards with 128 ONUs each, all of which work.
fn network() -> World {
    let mut world = World::default();
    for pon in pons() {
        world.reading(&pon, 0..128, "online");
    }
    world.seconds(1);
    world
}

fn pons() -> impl Iterator<Item = String> {
    (0..16u8).map(|n| format!("0/{}/{}", 1 + n / 8, n % 8))
}

/// Lets time go on until there is an incident with a verdict, or 15 s since the first loss are over; says how long it took.
fn verdict_within_15_s(world: &mut World, expected: &[&str]) {
    let mut waited = 0;
    while world.verdicts() != expected {
        assert!(waited < 15, "after 15 s: {:?}", world.verdicts());
        world.seconds(1);
        waited += 1;
    }
    eprintln!("{expected:?} after {waited} s");
    for row in world.incidents() {
        assert!(row.changed_at.since(row.began_at) <= 15 * Micros::SECOND, "{row:?}");
        assert!(row.confidence > 0.3 && row.confidence < 1.0, "{row:?}");
        assert_eq!(row.lost, row.gasps + row.dark);
    }
    world.assert_no_dead_letters();
}

#[test]
fn a_cut_feeder() {
    let mut world = network();
    world.say("pon/0/1/3 down fibre");
    world.traps("0/1/3", 0..128, "offline fibre");
    verdict_within_15_s(&mut world, &["open feeder pon/0/1/3 128/128"]);
    let row = world.incidents().remove(0);
    assert_eq!((row.affected.len(), row.affected_more, row.pons.len()), (128, 0, 1));
    assert_eq!((row.total, row.dark, row.severity.as_str()), (128, 128, "critical"));
    assert!(row.confidence >= 0.9, "{row:?}");
    assert_eq!(world.shown().len(), 0, "all are symptoms");
    assert_eq!(world.story("onu/0/1/3/77"), "raised inhibited");
    assert_eq!(world.alarm("pon/0/1/3").incident_id, Some(row.incident_id));
}

#[test]
fn a_cut_branch() {
    let mut world = network();
    world.traps("0/2/5", 32..64, "offline fibre");
    verdict_within_15_s(&mut world, &["open branch pon/0/2/5 32/32"]);
    world.traps("0/1/0", 3..4, "offline power");
    world.seconds(15);
    assert_eq!(world.verdicts().len(), 1, "a customer who unplugs is no incident");
    assert_eq!(world.shown().len(), 1);
}

#[test]
fn the_power_of_a_street() {
    let mut world = network();
    // 4 ports, interleaved; of five gasps one is lost on its way, and light follows each of them.
    for id in 10..40 {
        for (n, pon) in pons().take(4).enumerate() {
            let cause = if (usize::from(id) + n).is_multiple_of(5) {
                "unknown"
            } else {
                "power"
            };
            world.traps(&pon, [id], &format!("offline {cause}"));
        }
        if id % 10 == 0 {
            world.seconds(1);
        }
    }
    verdict_within_15_s(&mut world, &["open power_area board/0/1 120/120"]);
    let row = world.incidents().remove(0);
    assert_eq!((row.gasps, row.dark, row.pons.len()), (96, 24, 4));
    assert_eq!(world.shown().len(), 0);
}

#[test]
fn a_single_drop() {
    let mut world = network();
    world.traps("0/2/2", [17], "offline fibre");
    verdict_within_15_s(&mut world, &["open single_drop onu/0/2/2/17 1/1"]);
}

/// 60 losses in 12 s, here and there, of all causes.
#[test]
fn a_mixed_history_without_a_common_cause_is_no_incident() {
    for seed in 0..8u64 {
        let mut world = network();
        let mut random = seed;
        for n in 0..60 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let pon = pons().nth(usize::try_from(random >> 60).unwrap()).unwrap();
            let id = u16::try_from((random >> 40) & 127).unwrap();
            let cause = ["power", "fibre", "unknown", "admin", "reset"][usize::try_from((random >> 33) % 5).unwrap()];
            world.traps(&pon, [id], &format!("offline {cause}"));
            if n % 5 == 4 {
                world.seconds(1);
            }
        }
        world.seconds(20);
        assert_eq!(world.verdicts(), [""; 0], "seed {seed}");
        world.assert_no_dead_letters();
    }
}

#[test]
fn a_port_whose_optic_is_absent() {
    let mut world = network();
    world.say("pon/0/1/3 down other");
    world.traps("0/1/3", 0..128, "offline fibre");
    verdict_within_15_s(&mut world, &["open port pon/0/1/3 128/128"]);
}

#[test]
fn a_board_that_says_it_failed_and_one_that_does_not() {
    let mut world = network();
    world.say("board/0/1 normal");
    world.say("board/0/1 failed");
    for pon in pons().take(8) {
        world.traps(&pon, 0..128, "offline fibre");
    }
    verdict_within_15_s(&mut world, &["open board board/0/1 1024/1024"]);

    let mut world = network();
    for pon in pons().take(8) {
        world.traps(&pon, 0..128, "offline fibre");
    }
    verdict_within_15_s(&mut world, &["open board board/0/1 1024/1024"]);
}

#[test]
fn a_cable_with_several_feeders_is_one_incident() {
    let mut world = network();
    for pon in pons().skip(4).take(8) {
        world.traps(&pon, 0..128, "offline fibre");
    }
    verdict_within_15_s(&mut world, &["open feeder olt 1024/1024"]);
    assert_eq!(world.shown().len(), 0);
}

#[test]
fn an_olt_that_does_not_answer_has_lost_nothing() {
    let mut world = network();
    world.say("olt reachable");
    world.say("olt unreachable");
    for pon in pons() {
        world.reading(&pon, 0..128, "unknown");
    }
    verdict_within_15_s(&mut world, &["open monitoring_loss olt 0/0"]);
    world.seconds(120);
    assert_eq!(world.verdicts().len(), 1);
    world.say("olt reachable");
    for pon in pons() {
        world.reading(&pon, 0..128, "online");
    }
    world.seconds(90);
    assert_eq!(world.verdicts(), ["closed monitoring_loss olt 0/0"]);
    assert_eq!(world.story("olt"), "raised inhibited cleared");
}
