//! K3: a processor stands still (SIGSTOP) in the middle of a commit, past its session and its transaction's time-out, while
//! another takes over; then it wakes and goes on where it was. Its commit is refused and counted, no exact output of it can
//! ever be read, and what it still says on fast topics the new owner has said too.

use std::time::{Duration, Instant};

use common::sender::Sender;
use load_tests::product::{Running, Servers};
use log::{CRASH_AT_ENV, CrashPoint};

use crate::common;
use crate::verdict::{assert_informs, assert_log, finish, wait_processed};
use crate::world::{NETWORK, WAIT, World};

const OLTS: u8 = 3;
/// Informs a second.
const RATE: u32 = 1_000;

/// How long it stands still.
#[derive(Debug, Clone, Copy)]
enum Until {
    /// Until the other owns and runs everything: its session and its transaction are over.
    Replaced,
    /// So long, whatever that is in sessions: a commit may be refused or stand whole, and never both it and its successor's.
    After(Duration),
}

struct Test {
    world: World,
    sender: Sender,
    /// The one that takes over.
    heir: Running,
    partitions: f64,
}

impl Test {
    fn new() -> Self {
        let servers = Servers::from_environment("pause").unwrap();
        let partitions = f64::from(servers.partitions);
        let world = World::bare(servers, OLTS);
        world.apply_topics();
        let heir = world.start(NETWORK);
        Self {
            sender: Sender::paced(OLTS, world.setup.trap_target(), RATE),
            heir,
            world,
            partitions,
        }
    }

    fn wait(&mut self, what: &str, mut done: impl FnMut(&World, &Running) -> bool) {
        let (world, heir) = (&self.world, &self.heir);
        let mut asked = Instant::now();
        let in_time = self.sender.until(WAIT, |_| {
            let ask = asked.elapsed() > Duration::from_millis(20);
            if ask {
                asked = Instant::now();
            }
            ask && done(world, heir)
        });
        assert!(
            in_time,
            "not within {WAIT:?}: {what}; network says:\n{}",
            world.says(NETWORK)
        );
    }

    /// Another processor joins, stands still at a point of a commit, and wakes.
    fn pause(&mut self, point: CrashPoint, nth: u32, until: Until) {
        let armed = (CRASH_AT_ENV, format!("stop:{}:{nth}", point.name()));
        let zombie = self.world.spawn(NETWORK, &[armed]);
        self.wait("it stands still", |_, _| zombie.is_stopped().unwrap());
        let stopped = Instant::now();
        let all = self.partitions;
        match until {
            Until::Replaced => {
                self.wait("it is replaced", |world, heir| world.running_partitions(heir) >= all);
            }
            Until::After(time) => self.sender.go_on(time),
        }
        println!("{point:?}, woken after {:?} ({until:?})", stopped.elapsed());
        zombie.resume().unwrap();
        // What it shows at first is from before its sleep: that it was replaced, it learns from the refusal.
        if matches!(until, Until::Replaced) {
            self.wait("its commit is refused and counted", |world, _| {
                refused(world, &zombie) >= 1.0
            });
        }
        self.wait("both share", |world, heir| {
            let (mine, others) = (world.running_partitions(&zombie), world.running_partitions(heir));
            mine > 0.0 && mine + others >= all
        });
        println!("  its commits refused: {}", refused(&self.world, &zombie));
        finish(&self.world, [zombie]);
        self.wait("the other has all again", |world, heir| {
            world.running_partitions(heir) >= all
        });
    }
}

/// Commits refused by the group, by the transaction's coordinator, or by its own deadline, which has passed in its sleep.
fn refused(world: &World, of: &Running) -> f64 {
    world.metric(of, runtime::metrics::COMMITS_TOTAL, &["result=\"failed\""])
}

#[test]
fn a_paused_processor_commits_nothing_behind_its_successor() {
    let soak = std::env::var_os("ATALAIA_SOAK").is_some();
    let mut test = Test::new();
    let connector = test.world.start(&["connector", "snmp-traps"]);
    let log = test.world.log();
    for round in 0..if soak { 10 } else { 1 } {
        test.pause(CrashPoint::AfterExactSends, 2 + round, Until::Replaced);
        test.pause(CrashPoint::AfterSendOffsets, 2 + round, Until::Replaced);
        // Around the session's and the transaction's time-out of 1.5 s.
        let time = Duration::from_millis(u64::from(1_300 + round * 150));
        test.pause(CrashPoint::AfterSendOffsets, 3 + round, Until::After(time));
    }
    test.sender.drain();
    finish(&test.world, [connector]);
    wait_processed(&test.world, &*log);
    let found = assert_log("paused processors", &*log);
    assert_informs(&test.sender, &found, &*log);
    finish(&test.world, [test.heir]);
}
