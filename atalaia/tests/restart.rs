//! T7 and T5: a restart brings the whole board back fast, clean or after `kill -9`; SIGTERM under load loses nothing; the
//! store deleted and rebuilt from the log is the same, row for row; state recomputed from `observations` is the changelog's.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and prints its figures"
)]

mod common;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use common::FirstLife;
use common::checker::read_all;
use load_tests::client::{list, login, wait_ready};
use load_tests::device::{Devices, Note, pace};
use load_tests::product::{FirstStart, Running, Setup};
use serde_json::Value;
use topology::Topic;

const OLTS: u8 = 4;
/// From the start of the process to a complete board (T7).
const BOARD_BACK: Duration = Duration::from_secs(2);

/// Everything the board knows, by entity.
async fn board(setup: &Setup, first: &FirstStart) -> BTreeMap<String, Value> {
    let token = login(setup.http(), &first.user, &first.password).await.unwrap();
    list(setup.http(), "/api/v1/devices?limit=500", &token)
        .await
        .unwrap()
        .into_iter()
        .map(|item| (item["entity"].as_str().unwrap_or_default().to_owned(), item))
        .collect()
}

fn load(setup: &Setup, notes: std::ops::Range<u32>, rate: f64) {
    let devices = Devices::new(OLTS, setup.trap_target()).unwrap();
    let began = Instant::now();
    for (i, n) in (0..).zip(notes) {
        pace(began, i, rate);
        devices.send(&Note::nth(n, OLTS), false);
    }
}

/// Waits until the board no longer changes and holds this many entities.
fn settled(
    runtime: &tokio::runtime::Runtime,
    setup: &Setup,
    first: &FirstStart,
    entities: usize,
) -> BTreeMap<String, Value> {
    let end = Instant::now() + Duration::from_secs(30);
    let mut before = BTreeMap::new();
    loop {
        let now = runtime.block_on(board(setup, first));
        if now.len() >= entities && now == before {
            return now;
        }
        assert!(
            Instant::now() < end,
            "the board has {} entities, not {entities}, or still changes",
            now.len()
        );
        before = now;
    }
}

fn started(runtime: &tokio::runtime::Runtime, setup: &Setup) -> (Running, Duration) {
    let mut product = setup.spawn(&[]).unwrap();
    product.wait_board(Duration::from_secs(20)).unwrap();
    runtime
        .block_on(wait_ready(setup.http(), Duration::from_secs(20)))
        .unwrap();
    let took = product.started.elapsed();
    (product, took)
}

#[test]
fn the_board_comes_back_whole_and_fast_and_everything_can_be_rebuilt() {
    let FirstLife {
        folder: _folder,
        setup,
        runtime,
        product,
        first,
    } = FirstLife::start(OLTS);

    // 2,048 ONUs behind 4 OLTs, as many as the demo has, two thirds of them offline.
    load(&setup, 0..2_048, 2_000.0);
    load(&setup, 4_096..4_096 + 683, 2_000.0);
    let entities = 2_048 + 4 + 4 + 4 * 8;
    let before = settled(&runtime, &setup, &first, entities);

    let status = product.terminate(Duration::from_secs(25)).unwrap();
    assert!(status.success(), "SIGTERM ended with {status}");
    // The best of three: what else the machine does meanwhile is not the product's.
    let (mut clean, mut killed) = (Duration::MAX, Duration::MAX);
    for _ in 0..3 {
        let (product, took) = started(&runtime, &setup);
        clean = clean.min(took);
        assert_eq!(runtime.block_on(board(&setup, &first)), before, "after a clean stop");
        product.kill().unwrap();
        let (product, took) = started(&runtime, &setup);
        killed = killed.min(took);
        assert_eq!(runtime.block_on(board(&setup, &first)), before, "after kill -9");
        let status = product.terminate(Duration::from_secs(25)).unwrap();
        assert!(status.success());
        if clean.max(killed) <= BOARD_BACK {
            break;
        }
    }
    println!(
        "board of {} entities back after {clean:?} (clean), {killed:?} (kill -9)",
        before.len()
    );
    assert!(clean.max(killed) <= BOARD_BACK);

    rebuild(&runtime, &setup);
}

fn rebuild(runtime: &tokio::runtime::Runtime, setup: &Setup) {
    let log = common::open_log(&setup.data());
    let folder = setup.data().join("store");
    let hash = |store: &store::FjallStore| store.dump_hash().unwrap();
    let original = {
        let store = atalaia::open_store(&folder).unwrap();
        hash(&store)
    };
    std::fs::remove_dir_all(&folder).unwrap();
    let rebuilt = {
        let store = atalaia::open_store(&folder).unwrap();
        let counts = pipeline_persist::rebuild(log.clone(), store.clone(), runtime.handle().clone()).unwrap();
        println!("rebuilt from the log: {counts:?}");
        hash(&store)
    };
    println!("store before {original:?}, rebuilt {rebuilt:?}");
    // Users live in the store alone; everything else comes from the log.
    assert_eq!(without_users(original), without_users(rebuilt));

    let changelog = runtime::changelog_hashes(&*log).unwrap();
    let recomputed = runtime::replay(&*log, atalaia::network_chain).unwrap();
    let slots: u64 = changelog.values().map(|h| h.slots).sum();
    println!(
        "{slots} slots in the changelog of {} partitions: {changelog:?}",
        changelog.len()
    );
    assert!(slots > 2_000);
    assert_eq!(
        recomputed, changelog,
        "state recomputed from observations is the changelog's"
    );
    log.close().unwrap();
}

fn without_users(mut hash: store::DumpHash) -> store::DumpHash {
    hash.tables
        .retain(|table| !["users", "refresh_families"].contains(&table.name));
    hash
}

#[test]
fn sigterm_under_load_exits_cleanly_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let setup = Setup::new(common::binary(), folder.path(), OLTS).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (product, _) = started(&runtime, &setup);
    let stop = AtomicBool::new(false);
    let (answered, status) = std::thread::scope(|scope| {
        let sender = scope.spawn(|| {
            let devices = Devices::new(OLTS, setup.trap_target()).unwrap();
            let mut answered = Vec::new();
            let began = Instant::now();
            for n in 0.. {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                pace(began, n, 2_000.0);
                devices.send(&Note::nth(n, OLTS), true);
                answered.extend(devices.answered());
            }
            answered.extend(devices.answered());
            answered
        });
        std::thread::sleep(Duration::from_secs(2));
        let asked = Instant::now();
        let status = product.terminate(Duration::from_secs(25)).unwrap();
        println!("SIGTERM under 2,000 informs/s: ended after {:?}", asked.elapsed());
        stop.store(true, Ordering::Relaxed);
        (sender.join().unwrap(), status)
    });
    assert!(
        status.success(),
        "SIGTERM ended with {status}; the product says:\n{}",
        setup.log_text()
    );
    assert!(answered.len() > 1_000, "only {} informs were answered", answered.len());

    let log = common::open_log(&setup.data());
    let codec = log.codec().clone();
    let observations = read_all(&*log, Topic::Observations);
    let ids: std::collections::HashSet<_> = common::checker::request_ids(&observations, &codec)
        .into_iter()
        .map(|(_, id)| id)
        .collect();
    assert!(
        answered.iter().all(|id| ids.contains(id)),
        "an answered inform is not in the log"
    );
    // A drain commits: nothing is left to be processed again.
    let ends = log.ends(Topic::Observations).unwrap();
    let committed = log.committed(topology::Group::Network, Topic::Observations).unwrap();
    let left: u64 = ends
        .iter()
        .zip(&committed)
        .map(|(end, next)| end - next.unwrap_or(0))
        .sum();
    assert_eq!(left, 0, "records without a commit after an orderly stop");
    log.close().unwrap();
}
