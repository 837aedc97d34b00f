//! K6: processors come and go under load; partitions move, nothing is lost or doubled, and how long an ONU waits is printed.

use std::time::{Duration, Instant};

use common::checker::{compare, oracle, read_all, with_id_rule};
use load_tests::client::request_text;
use load_tests::device::{Devices, Note, pace};
use load_tests::product::Running;
use log::Stored;
use topology::{Group, Topic};

use crate::common;
use crate::world::{NETWORK, World, until};

const OLTS: u8 = 3;
const RATE: f64 = 500.0;

/// Partitions a processor owns, as its metrics say.
fn owned(world: &World, running: &Running) -> f64 {
    let text = world
        .runtime
        .block_on(request_text(running.http, "GET", "/metrics", None, None))
        .map(|(_, text)| text)
        .unwrap_or_default();
    text.lines()
        .filter(|l| l.starts_with("atalaia_task_partitions"))
        .filter_map(|l| l.rsplit(' ').next()?.parse::<f64>().ok())
        .sum()
}

/// The longest time an event was made later than its input was appended.
fn longest_wait(events: &[Stored], observations: &[Stored]) -> Duration {
    let appended: std::collections::HashMap<_, _> = observations
        .iter()
        .map(|s| ((s.record.partition, s.offset), s.appended_at))
        .collect();
    let waits = events.iter().filter_map(|event| {
        let position = event.record.headers.record_id.as_ref()?.input();
        let at = appended.get(&(position.partition, position.offset))?;
        Some(event.appended_at.0 - at.0)
    });
    Duration::from_micros(waits.max().unwrap_or(0).unsigned_abs())
}

#[test]
fn processors_come_and_go_under_load() {
    let world = World::new("scale", OLTS);
    let connector = world.start(&["connector", "snmp-traps"]);
    let first = world.start(NETWORK);
    let log = world.log();
    let stop = std::sync::atomic::AtomicBool::new(false);
    let target = world.setup.trap_target();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let devices = Devices::new(OLTS, target).unwrap();
            let began = Instant::now();
            for n in 0.. {
                if stop.load(std::sync::atomic::Ordering::Relaxed) {
                    break;
                }
                pace(began, n, RATE);
                devices.send(&Note::nth(n, OLTS), false);
            }
        });
        until("the first processes", || {
            owned(&world, &first) >= f64::from(log.partitions())
        });
        let second = world.start(NETWORK);
        let third = world.start(NETWORK);
        until("three share", || {
            [&first, &second, &third].iter().all(|r| owned(&world, r) > 0.0)
        });
        // One goes in order, one is killed; the last has everything again.
        assert!(third.terminate(Duration::from_secs(25)).unwrap().success());
        second.kill().unwrap();
        until("the first has all again", || {
            owned(&world, &first) >= f64::from(log.partitions())
        });
        std::thread::sleep(Duration::from_secs(1));
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    assert!(connector.terminate(Duration::from_secs(25)).unwrap().success());
    until("everything is processed", || {
        let ends = log.ends(Topic::Observations).unwrap();
        let committed = log.committed(Group::Network, Topic::Observations).unwrap();
        ends.iter().zip(committed).all(|(end, next)| next.unwrap_or(0) >= *end)
    });

    let observations = read_all(&*log, Topic::Observations);
    let expected = oracle(&observations, log.codec(), log.partitions(), log.generation());
    let got = read_all(&*log, Topic::DeviceEvents);
    let difference = compare(&expected.fast, &with_id_rule(&got));
    println!(
        "1 → 3 → 1 processors at {RATE} traps/s: {} events, longest wait of one {:?}: {difference:?}",
        expected.fast.len(),
        longest_wait(&got, &observations)
    );
    assert_eq!(difference, common::checker::Difference::default());
    common::views::assert_exact_topics(&*log, &expected);
    drop(first);
}
