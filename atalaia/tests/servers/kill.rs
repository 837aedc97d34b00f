//! K2: `kill -9` of the processing process, of the store's writer and of a migration, at random and at named points of the
//! protocol on real servers. The checker and its zeros are those of the embedded kill loop.

use std::os::unix::process::ExitStatusExt as _;
use std::time::{Duration, Instant};

use common::checker::{position_of, uncommitted};
use common::sender::Sender;
use load_tests::product::{Running, Servers};
use log::{CRASH_AT_ENV, CrashPoint, Log};
use topology::{Group, Topic};

use crate::common;
use crate::verdict::{assert_informs, assert_log, assert_views, finish, wait_processed};
use crate::world::{NETWORK, PERSIST, WAIT, World};

const OLTS: u8 = 3;
/// Informs a second.
const RATE: u32 = 1_000;
const CONNECTOR: &[&str] = &["connector", "snmp-traps"];
const SIGKILL: i32 = 9;

/// How one life of a part ends.
#[derive(Debug, Clone, Copy)]
enum End {
    /// `kill -9` this long after its first commit.
    After(Duration),
    /// `kill -9` this long after its start: before it owns anything, or while it restores.
    Early(Duration),
    /// It kills itself at the nth passage of a point.
    At(CrashPoint, u32),
}

/// Where a processor on Kafka is killed; a revoke needs a second member and comes by itself.
const POINTS: [CrashPoint; 7] = [
    CrashPoint::AfterFastSend,
    CrashPoint::AfterAcknowledgements,
    CrashPoint::AfterExactSends,
    CrashPoint::AfterSendOffsets,
    CrashPoint::InsideCommit,
    CrashPoint::AfterCommit,
    CrashPoint::DuringRestore,
];

/// The named points, with random ends between them.
fn ends(random: &mut Random, rounds: usize) -> Vec<End> {
    let mut ends = Vec::new();
    for _ in 0..rounds {
        for point in POINTS {
            let nth = match point {
                CrashPoint::DuringRestore => random.below(4) + 1,
                CrashPoint::AfterFastSend => random.below(400) + 1,
                _ => random.below(8) + 1,
            };
            ends.push(End::At(point, nth));
            ends.push(random.end());
        }
        ends.extend([random.end(), random.end(), random.end()]);
    }
    ends
}

/// A fixed sequence, so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn end(&mut self) -> End {
        match self.below(4) {
            0 => End::Early(Duration::from_millis(u64::from(50 + self.below(600)))),
            _ => End::After(Duration::from_millis(u64::from(self.below(600)))),
        }
    }

    fn below(&mut self, limit: u32) -> u32 {
        let x = &mut self.0;
        *x ^= *x << 13;
        *x ^= *x >> 7;
        *x ^= *x << 17;
        u32::try_from(*x % u64::from(limit)).expect("below a u32")
    }
}

/// Kills so far, and how many of them left input without a commit.
#[derive(Default)]
struct Kills {
    all: u32,
    with_uncommitted: u32,
}

impl Kills {
    fn count(&mut self, what: impl std::fmt::Debug, log: &dyn Log, sender: &Sender) {
        let left = uncommitted(log);
        self.all += 1;
        self.with_uncommitted += u32::from(left > 0);
        println!(
            "kill {:>2} {what:?}: {left} records without a commit, {} informs answered",
            self.all,
            sender.acknowledged.len()
        );
    }
}

fn armed(point: CrashPoint, nth: u32) -> (&'static str, String) {
    (CRASH_AT_ENV, format!("{}:{nth}", point.name()))
}

/// A member's name that outlives its restarts, or none: both ways of belonging to a group are killed.
fn named(lives: usize) -> Option<(&'static str, String)> {
    (!lives.is_multiple_of(3)).then(|| ("ATALAIA__LOG__MEMBER", "n0".to_owned()))
}

fn committed(log: &dyn Log) -> u64 {
    let committed = position_of(log, Group::Network, Topic::Observations);
    committed.into_iter().flatten().sum()
}

/// Sends until the part has died, by whatever end it was given.
fn live_and_die(world: &World, part: &[&str], sender: &mut Sender, log: &dyn Log, end: End, lives: usize) {
    let mut environment: Vec<_> = named(lives).into_iter().collect();
    if let End::At(point, nth) = end {
        environment.push(armed(point, nth));
    }
    let before = committed(log);
    let mut running = world.spawn(part, &environment);
    match end {
        End::At(point, _) => wait_died(world, part, &mut running, sender, point),
        End::Early(delay) => {
            sender.go_on(delay);
            running.kill().unwrap();
        }
        End::After(delay) => {
            let mut asked = Instant::now();
            let has_committed = sender.until(WAIT, |_| {
                let ask = asked.elapsed() > Duration::from_millis(20);
                if ask {
                    asked = Instant::now();
                }
                ask && committed(log) > before
            });
            assert!(
                has_committed,
                "nothing was committed; {part:?} says:\n{}",
                world.says(part)
            );
            sender.go_on(delay);
            running.kill().unwrap();
        }
    }
}

fn wait_died(world: &World, part: &[&str], running: &mut Running, sender: &mut Sender, point: CrashPoint) {
    let died = sender.until(WAIT, |_| running.child.try_wait().unwrap().is_some());
    let says = || world.says(part);
    assert!(died, "{} was not passed; {part:?} says:\n{}", point.name(), says());
    let status = running.wait(WAIT).unwrap();
    assert_eq!(status.signal(), Some(SIGKILL), "{part:?} ended by itself:\n{}", says());
}

/// Migrations are killed after some of their statements; the next one goes on from there, as soon as the dead one's lock has
/// run out (45 s).
fn kill_migrations(world: &World, points: &[u32]) -> u32 {
    for nth in points {
        let killed = (CRASH_AT_ENV, format!("{}:{nth}", store_cql::INSIDE_MIGRATION));
        let output = world.setup.output(&["migrate"], &[killed]).unwrap();
        assert_eq!(output.status.signal(), Some(SIGKILL), "the migration was not killed");
    }
    world.apply();
    u32::try_from(points.len()).expect("a few")
}

/// The first gives partitions to the second, and dies of it. Answers the second. One of its two threads may have given some to
/// the other before. On a machine so slow that the first loses its partitions before it can give them, it is played again.
fn kill_inside_revoke(world: &World, sender: &mut Sender) -> Running {
    const SLOW: Duration = Duration::from_secs(20);
    loop {
        let mut giving = world.spawn(NETWORK, &[armed(CrashPoint::InsideRevoke, 2)]);
        let ready = sender.until(WAIT, |_| {
            giving.child.try_wait().unwrap().is_some() || world.running_partitions(&giving) > 0.0
        });
        assert!(ready, "{}", world.says(NETWORK));
        let network = world.spawn(NETWORK, &[]);
        if sender.until(SLOW, |_| giving.child.try_wait().unwrap().is_some()) {
            wait_died(world, NETWORK, &mut giving, sender, CrashPoint::InsideRevoke);
            return network;
        }
        let says = world.says(NETWORK);
        let lost = says.contains("was silent for too long");
        assert!(lost, "nothing was given up, and nothing lost:\n{says}");
        giving.kill().unwrap();
        network.kill().unwrap();
    }
}

#[test]
fn nothing_is_lost_or_doubled_whenever_a_part_is_killed() {
    let soak = std::env::var_os("ATALAIA_SOAK").is_some();
    let (rounds, informs, migrations) = match soak {
        true => (6, 200_000, &[2, 4, 1][..]),
        false => (1, 10_000, &[][..]),
    };
    let world = World::bare(Servers::from_environment("kill").unwrap(), OLTS);
    let mut kills = Kills {
        all: kill_migrations(&world, migrations),
        ..Kills::default()
    };
    let (api, first) = world.start_board();
    let connector = world.start(CONNECTOR);
    let mut sender = Sender::paced(OLTS, world.setup.trap_target(), RATE);
    let log = world.log();
    let mut random = Random(0x2545_F491_4F6C_DD1D);
    for (lives, end) in ends(&mut random, rounds).into_iter().enumerate() {
        live_and_die(&world, NETWORK, &mut sender, &*log, end, lives);
        kills.count(end, &*log, &sender);
    }
    let network = kill_inside_revoke(&world, &mut sender);
    kills.count(CrashPoint::InsideRevoke, &*log, &sender);
    for (lives, nth) in [2, 6].into_iter().enumerate() {
        let end = End::At(CrashPoint::PersistBetweenRowsAndPosition, nth);
        live_and_die(&world, PERSIST, &mut sender, &*log, end, lives);
        kills.count(end, &*log, &sender);
    }
    let persist = world.start(PERSIST);
    let (all, uncommitted) = (kills.all, kills.with_uncommitted);
    assert!(
        all >= 20 && uncommitted >= 10,
        "{all} kills, {uncommitted} met uncommitted input"
    );
    let enough = sender.until(WAIT * 4, |s| s.acknowledged.len() >= informs);
    assert!(enough, "only {} informs", sender.acknowledged.len());
    sender.drain();
    finish(&world, [connector]);
    wait_processed(&world, &*log);

    let found = assert_log(&format!("{all} kills, {uncommitted} with uncommitted input"), &*log);
    assert_informs(&sender, &found, &*log);
    assert_views(&world, &first, &found, &*log);
    finish(&world, [network, persist, api]);
}
