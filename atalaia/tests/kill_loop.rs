//! T3: the product is killed at random and at named points, under load, and nothing is lost or doubled: not in the log, not
//! for a reader of a fast topic, not in the store, not on the board. The oracle is the same chain over the same
//! observations without a crash.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and prints its figures"
)]

mod common;

use std::time::{Duration, Instant};

use common::checker::{compare, oracle, read_all, read_fast, request_ids, uncommitted, with_id_rule};
use common::sender::Sender;
use common::views::{assert_exact_topics, assert_order, wait_views};
use load_tests::product::{FirstStart, Running, Setup};
use log::{CRASH_AT_ENV, CrashPoint};
use topology::Topic;

const OLTS: u8 = 3;

/// How one life of the product ends.
#[derive(Debug, Clone, Copy)]
enum End {
    /// `kill -9` this long after the first answer.
    After(Duration),
    /// It kills itself at the nth passage of a point.
    At(CrashPoint, u32),
}

/// The points that the embedded log passes.
const POINTS: [CrashPoint; 6] = [
    CrashPoint::AfterInformAppendBeforeAnswer,
    CrashPoint::BeforeCommit,
    CrashPoint::InsideCommit,
    CrashPoint::AfterCommit,
    CrashPoint::DuringRestore,
    CrashPoint::PersistBetweenRowsAndPosition,
];

fn ends() -> Vec<End> {
    let passages = |point| match point {
        CrashPoint::AfterInformAppendBeforeAnswer => [700, 2_500],
        CrashPoint::DuringRestore => [1, 3],
        CrashPoint::PersistBetweenRowsAndPosition => [3, 12],
        _ => [5, 40],
    };
    let mut ends: Vec<_> = POINTS
        .iter()
        .flat_map(|&point| passages(point).map(|nth| End::At(point, nth)))
        .collect();
    // Milliseconds of a fixed pseudo-random sequence, so that a failure can be repeated.
    let mut x: u64 = 0x2545_F491_4F6C_DD1D;
    for _ in 0..12 {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        ends.push(End::After(Duration::from_millis(100 + x % 900)));
    }
    // Mixed, so that random kills fall between the named ones.
    let half = ends.len() / 2;
    (0..half).flat_map(|i| [ends[i], ends[i + half]]).collect()
}

fn live_and_die(setup: &Setup, sender: &mut Sender, end: End, first: &mut Option<FirstStart>) {
    let armed = match end {
        End::At(point, nth) => vec![(CRASH_AT_ENV, format!("{}:{nth}", point.name()))],
        End::After(_) => Vec::new(),
    };
    let mut product = setup.spawn(&armed).unwrap();
    match end {
        End::At(point, _) => {
            let died = sender.until(Duration::from_secs(40), |_| product.child.try_wait().unwrap().is_some());
            assert!(
                died,
                "the point {} was not passed; the product says:\n{}",
                point.name(),
                tail_of(setup)
            );
        }
        End::After(delay) => {
            let before = sender.acknowledged.len();
            let alive = sender.until(Duration::from_secs(30), |s| s.acknowledged.len() > before);
            assert!(alive, "no inform was answered; the product says:\n{}", tail_of(setup));
            if first.is_none() {
                *first = product.wait_board(Duration::from_secs(10)).unwrap();
            }
            let kill_at = Instant::now() + delay;
            sender.until(delay * 2, |_| Instant::now() >= kill_at);
            product.kill().unwrap();
        }
    }
}

fn tail_of(setup: &Setup) -> String {
    let text = setup.log_text();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}

fn finish(setup: &Setup, sender: &mut Sender, first: &mut Option<FirstStart>, events: usize) -> Running {
    let mut product = setup.spawn(&[]).unwrap();
    if let Some(found) = product.wait_board(Duration::from_secs(20)).unwrap() {
        *first = Some(found);
    }
    let enough = sender.until(Duration::from_secs(240), |s| s.acknowledged.len() >= events);
    assert!(
        enough,
        "only {} informs answered; the product says:\n{}",
        sender.acknowledged.len(),
        tail_of(setup)
    );
    product
}

#[test]
fn nothing_is_lost_or_doubled_whenever_it_is_killed() {
    let soak = std::env::var_os("ATALAIA_SOAK").is_some();
    let (rounds, events) = if soak { (8, 1_000_000) } else { (1, 100_000) };
    let folder = tempfile::tempdir().unwrap();
    let setup = Setup::new(common::binary(), folder.path(), OLTS).unwrap();
    let mut sender = Sender::new(OLTS, setup.trap_target());
    let mut first = None;
    let mut kills = 0;
    let mut with_uncommitted = 0;
    // The first life must not be cut short: it prints the password that the end of this test logs in with.
    live_and_die(&setup, &mut sender, End::After(Duration::from_millis(700)), &mut first);
    for end in (0..rounds).flat_map(|_| ends()) {
        live_and_die(&setup, &mut sender, end, &mut first);
        kills += 1;
        let log = common::open_log(&setup.data());
        let left = uncommitted(&*log);
        with_uncommitted += usize::from(left > 0);
        println!(
            "kill {kills:>2} {end:?}: {left} records without a commit, {} informs answered",
            sender.acknowledged.len()
        );
        log.close().unwrap();
    }
    assert!(kills >= 20);
    assert!(
        with_uncommitted >= 15,
        "only {with_uncommitted} kills met uncommitted input"
    );

    let product = finish(&setup, &mut sender, &mut first, events);
    // The rest of the window is answered too: after that nothing is in flight.
    let first = first.expect("the first start printed a password");
    sender.drain();
    let status = product.terminate(Duration::from_secs(25)).unwrap();
    assert!(status.success(), "SIGTERM ended with {status}");

    let log = common::open_log(&setup.data());
    let codec = log.codec().clone();
    let observations = read_all(&*log, Topic::Observations);
    let ids = request_ids(&observations, &codec);
    let distinct: std::collections::HashSet<_> = ids.iter().map(|(_, id)| *id).collect();
    let lost: Vec<_> = sender
        .acknowledged
        .iter()
        .filter(|n| !distinct.contains(&n.request_id))
        .collect();
    assert!(lost.is_empty(), "answered informs that are not in the log: {lost:?}");

    let expected = oracle(&observations, &codec, log.partitions(), log.generation());
    let got = read_fast(&*log);
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

    log.close().unwrap();
    drop(log);

    let mut product = setup.spawn(&[]).unwrap();
    product.wait_board(Duration::from_secs(20)).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let limit = Duration::from_secs(20);
    wait_views(&runtime, (&setup, &first), &expected, &codec, limit, || tail_of(&setup));
    product.terminate(Duration::from_secs(25)).unwrap();

    // Not a sample: the store has exactly as many events and states as the oracle.
    let store = atalaia::open_store(&setup.data().join("store")).unwrap();
    let tables = store.dump_hash().unwrap().tables;
    let rows = |name: &str| tables.iter().find(|t| t.name == name).map_or(0, |t| t.rows);
    let statuses = expected
        .exact
        .keys()
        .filter(|(topic, _)| *topic == Topic::DeviceStatus)
        .count();
    println!(
        "store: {} events, {} status rows",
        rows("device_events"),
        rows("status")
    );
    let events = expected.fast_of(Topic::DeviceEvents);
    assert_eq!(rows("device_events"), events, "events in the store");
    assert_eq!(rows("status"), statuses as u64, "status rows in the store");
}

/// The checker is no use if it cannot fail.
#[test]
fn the_checker_sees_one_record_removed_and_one_doubled() {
    let output = |n: u8| (Topic::DeviceEvents, 0, vec![n], vec![n], Some(vec![n]));
    let expected: Vec<_> = (0..10).map(output).collect();
    assert_eq!(compare(&expected, &expected), common::checker::Difference::default());
    let mut removed = expected.clone();
    removed.remove(4);
    assert_eq!(compare(&expected, &removed).lost, 1);
    let mut doubled = expected.clone();
    doubled.insert(5, output(4));
    assert_eq!(compare(&expected, &doubled).doubled, 1);
    let mut swapped = expected.clone();
    swapped.swap(2, 3);
    assert_eq!(compare(&expected, &swapped).disordered, 1);
}
