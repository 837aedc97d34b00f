//! K2: `kill -9` of the processing process, and of the store's writer, at random and at named points of the protocol on
//! real servers. The checker and its zeros are those of the embedded kill loop.

use std::time::{Duration, Instant};

use common::checker::{compare, oracle, read_all, request_ids, with_id_rule};
use common::sender::Sender;
use common::views::{assert_exact_topics, assert_order, expected_states, history_of, views};
use load_tests::client::request_text;
use load_tests::product::Running;
use log::{CRASH_AT_ENV, CrashPoint, Log};
use topology::{Group, Topic};

use crate::common;
use crate::world::{NETWORK, PERSIST, WAIT, World};

const OLTS: u8 = 3;

/// How one life of a part ends.
#[derive(Debug, Clone, Copy)]
enum End {
    /// `kill -9` this long after more input was answered.
    After(Duration),
    /// It kills itself at the nth passage of a point.
    At(CrashPoint, u32),
}

/// Where a processor on Kafka is killed; a revoke needs a second member and comes at the end.
const POINTS: [CrashPoint; 7] = [
    CrashPoint::AfterFastSend,
    CrashPoint::AfterAcknowledgements,
    CrashPoint::AfterExactSends,
    CrashPoint::AfterSendOffsets,
    CrashPoint::InsideCommit,
    CrashPoint::AfterCommit,
    CrashPoint::DuringRestore,
];

fn ends() -> Vec<End> {
    let mut ends: Vec<_> = POINTS
        .iter()
        .flat_map(|&point| {
            match point {
                CrashPoint::DuringRestore => [1, 3],
                _ => [2, 9],
            }
            .map(|nth| End::At(point, nth))
        })
        .collect();
    let mut x: u64 = 0x2545_F491_4F6C_DD1D;
    for _ in 0..8 {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        ends.push(End::After(Duration::from_millis(100 + x % 900)));
    }
    let half = ends.len() / 2;
    (0..half).flat_map(|i| [ends[i], ends[i + half]]).collect()
}

fn live_and_die(world: &World, part: &[&str], sender: &mut Sender, end: End) {
    let armed = match end {
        End::At(point, nth) => vec![(CRASH_AT_ENV, format!("{}:{nth}", point.name()))],
        End::After(_) => Vec::new(),
    };
    let mut running = world.spawn(part, &armed);
    match end {
        End::At(point, _) => {
            let died = sender.until(WAIT, |_| running.child.try_wait().unwrap().is_some());
            assert!(
                died,
                "{} was not passed; {part:?} says:\n{}",
                point.name(),
                world.says(part)
            );
        }
        End::After(delay) => {
            let before = sender.acknowledged.len();
            let alive = sender.until(WAIT, |s| s.acknowledged.len() > before);
            assert!(
                alive,
                "no inform was answered: {}",
                world.says(&["connector", "snmp-traps"])
            );
            let kill_at = Instant::now() + delay;
            sender.until(delay * 2, |_| Instant::now() >= kill_at);
            running.kill().unwrap();
        }
    }
}

fn ready(world: &World, running: &Running) -> bool {
    let answer = request_text(running.http, "GET", "/ready", None, None);
    world.runtime.block_on(answer).is_ok_and(|(status, _)| status == 200)
}

/// Input that no commit has covered, in records.
fn uncommitted(log: &dyn Log) -> u64 {
    let ends = log.ends(Topic::Observations).unwrap();
    let committed = log.committed(Group::Network, Topic::Observations).unwrap();
    ends.iter()
        .zip(committed)
        .map(|(end, next)| end - next.unwrap_or(0).min(*end))
        .sum()
}

fn wait_processed(log: &dyn Log, network: &Running, world: &World) {
    let end = Instant::now() + WAIT;
    while uncommitted(log) > 0 {
        assert!(
            Instant::now() < end,
            "{} records stay uncommitted at {}; network says:\n{}",
            uncommitted(log),
            network.http,
            world.says(NETWORK)
        );
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn nothing_is_lost_or_doubled_whenever_a_part_is_killed() {
    let soak = std::env::var_os("ATALAIA_SOAK").is_some();
    let (rounds, informs) = if soak { (6, 500_000) } else { (1, 50_000) };
    let world = World::new("kill", OLTS);
    let (api, first) = world.start_board();
    let connector = world.start(&["connector", "snmp-traps"]);
    let mut sender = Sender::new(OLTS, world.setup.trap_target());
    let log = world.log();
    let (mut kills, mut with_uncommitted) = (0, 0);
    for end in (0..rounds).flat_map(|_| ends()) {
        live_and_die(&world, NETWORK, &mut sender, end);
        kills += 1;
        let left = uncommitted(&*log);
        with_uncommitted += usize::from(left > 0);
        println!(
            "kill {kills:>2} {end:?}: {left} records without a commit, {} informs answered",
            sender.acknowledged.len()
        );
    }
    // Inside a revoke: the first gives partitions to the second, and dies of it.
    let armed = [(CRASH_AT_ENV, format!("{}:1", CrashPoint::InsideRevoke.name()))];
    let mut giving = world.spawn(NETWORK, &armed);
    assert!(
        sender.until(WAIT, |_| ready(&world, &giving)),
        "{}",
        world.says(NETWORK)
    );
    let network = world.spawn(NETWORK, &[]);
    let died = sender.until(WAIT, |_| giving.child.try_wait().unwrap().is_some());
    assert!(died, "nothing was revoked: {}", world.says(NETWORK));
    kills += 1;
    for nth in [2, 6] {
        live_and_die(
            &world,
            PERSIST,
            &mut sender,
            End::At(CrashPoint::PersistBetweenRowsAndPosition, nth),
        );
        kills += 1;
    }
    let persist = world.start(PERSIST);
    assert!(
        kills >= 20 && with_uncommitted >= 10,
        "{kills} kills, {with_uncommitted} met uncommitted input"
    );
    assert!(
        sender.until(WAIT * 4, |s| s.acknowledged.len() >= informs),
        "only {} informs",
        sender.acknowledged.len()
    );
    sender.drain();
    wait_processed(&*log, &network, &world);

    let codec = log.codec().clone();
    let observations = read_all(&*log, Topic::Observations);
    let distinct: std::collections::HashSet<_> = request_ids(&observations, &codec)
        .into_iter()
        .map(|(_, id)| id)
        .collect();
    let lost = sender
        .acknowledged
        .iter()
        .filter(|n| !distinct.contains(&n.request_id))
        .count();
    assert_eq!(lost, 0, "answered informs that are not in the log");
    let expected = oracle(&observations, &codec, log.partitions(), log.generation());
    let got = read_all(&*log, Topic::DeviceEvents);
    let repeats = got.len() - with_id_rule(&got).len();
    let difference = compare(&expected.fast, &with_id_rule(&got));
    println!(
        "{kills} kills, {with_uncommitted} with uncommitted input; {} informs answered, {} observations, {} events \
         ({repeats} repeats dropped by their ids): {difference:?}",
        sender.acknowledged.len(),
        observations.len(),
        expected.fast.len()
    );
    assert_eq!(difference, common::checker::Difference::default());
    assert_exact_topics(&*log, &expected);
    assert_order(&sender, &expected, &codec);
    assert_views(&world, &first, &expected, &codec);
    for part in [connector, network, persist, api] {
        assert!(part.terminate(Duration::from_secs(25)).unwrap().success());
    }
}

/// Board and store, once they have caught up, are the oracle's.
fn assert_views(
    world: &World,
    first: &load_tests::product::FirstStart,
    expected: &common::checker::Expected,
    codec: &schemas::Codec,
) {
    let onus = expected_states(expected, codec);
    let sample: Vec<String> = onus.keys().step_by(97).cloned().collect();
    let expected_history = history_of(expected, codec, &sample);
    let end = Instant::now() + WAIT;
    loop {
        let (board, history) = world.runtime.block_on(views(&world.setup, first, &sample));
        if board == onus && history == expected_history {
            return;
        }
        let differs = |(a, b): (usize, usize)| format!("{a} of {b}");
        assert!(
            Instant::now() < end,
            "board differs in {} ONUs, store in {} histories; persist says:\n{}",
            differs((
                onus.iter().filter(|(e, s)| board.get(*e) != Some(s)).count(),
                onus.len()
            )),
            differs((
                expected_history
                    .iter()
                    .filter(|(e, h)| history.get(*e) != Some(h))
                    .count(),
                sample.len()
            )),
            world.says(PERSIST)
        );
        std::thread::sleep(Duration::from_millis(200));
    }
}
