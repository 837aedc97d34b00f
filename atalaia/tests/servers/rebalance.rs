//! K6: processors come and go under load; partitions move, nothing is lost or doubled, and how long an ONU waits is printed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use load_tests::device::{Devices, Note, pace};
use load_tests::product::{Running, Servers};
use topology::{PARTITIONS_KAFKA, Topic};

use crate::pauses::Phases;
use crate::verdict::{assert_log, finish, wait_processed};
use crate::world::{NETWORK, World, until};

/// So many that nearly every partition has one.
const OLTS: u8 = 72;
const RATE: u32 = 500;

#[test]
fn processors_come_and_go_under_load() {
    let mut servers = Servers::from_environment("scale").unwrap();
    servers.partitions = PARTITIONS_KAFKA;
    // What a dead member costs at most, and what a commit may take on a busy machine.
    servers.log_settings = "session_timeout_ms = 3000\n".to_owned();
    let all = f64::from(PARTITIONS_KAFKA);
    let world = World::on(servers, OLTS);
    let connector = world.start(&["connector", "snmp-traps"]);
    let first = world.start(NETWORK);
    let log = world.log();
    let share = |parts: &[&Running]| {
        let owned: Vec<_> = parts.iter().map(|r| world.running_partitions(r)).collect();
        owned.iter().all(|n| *n > 0.0) && owned.iter().sum::<f64>() >= all
    };
    // A second's worth of input.
    let under_load = || {
        let inputs = || log.ends(Topic::Observations).unwrap().iter().sum::<u64>();
        let enough = inputs() + u64::from(RATE);
        until("input goes on", || inputs() >= enough);
    };
    let stop = AtomicBool::new(false);
    let target = world.setup.trap_target();
    let mut phases = Phases::default();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let devices = Devices::new(OLTS, target).unwrap();
            let began = Instant::now();
            for n in 0.. {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                pace(began, n, f64::from(RATE));
                devices.send(&Note::nth(n, OLTS), false);
            }
        });
        // Whatever ends the test ends the load.
        let _load = StopOnDrop(&stop);
        until("the first runs all partitions", || share(&[&first]));
        phases.begin("1 processor");
        under_load();
        phases.begin("1 → 3 processors");
        let second = world.start(NETWORK);
        let third = world.start(NETWORK);
        until("three share", || share(&[&first, &second, &third]));
        phases.begin("3 → 2, in order");
        under_load();
        finish(&world, [third]);
        until("two share", || share(&[&first, &second]));
        phases.begin("2 → 1, killed");
        under_load();
        second.kill().unwrap();
        until("the first has all again", || share(&[&first]));
        under_load();
    });
    finish(&world, [connector]);
    wait_processed(&world, &*log);
    let found = assert_log("1 → 3 → 2 → 1 processors", &*log);
    phases.print(&found.events, log.codec());
    finish(&world, [first]);
}

struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
