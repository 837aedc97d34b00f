//! The server is killed with -9 in the middle of writes and started again: every acknowledged row is there, and writers go on.
//! On a server of its own.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::time::{Duration, Instant};

use store::Store;
use store::conformance::{STATES, TABLES, state};
use store::kit::RowsHash;
use store_cql::{CqlConfig, CqlStore, create_table};

const PORT: u16 = 29_233;
const WRITERS: i32 = 8;
/// Rows each writer has to have acknowledged before, between and behind the kills.
const ROWS: i32 = 300;

/// A server of this test's own; it ends with the test.
struct Server {
    folder: tempfile::TempDir,
}

impl Server {
    fn start() -> Self {
        // Refuse before a minute is spent: this test is one of those that need the recipe.
        drop(common::node());
        let server = Self {
            folder: tempfile::Builder::new().prefix("atalaia-cql-").tempdir().unwrap(),
        };
        server.script("up");
        server
    }

    fn script(&self, verb: &str) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/dev/servers");
        let status = Command::new(script)
            .args([verb, "cassandra"])
            .env("ATALAIA_SERVERS_DIR", self.folder.path())
            .env("ATALAIA_CQL_PORT", PORT.to_string())
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success(), "servers {verb} cassandra: {status}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.script("down");
    }
}

async fn until(mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(90);
    while !condition() {
        assert!(Instant::now() < deadline, "did not come about in 90 s");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_row_is_lost_and_writers_go_on() {
    let server = tokio::task::spawn_blocking(Server::start).await.unwrap();
    let mut config = CqlConfig::new(vec![format!("127.0.0.1:{PORT}")], "crash");
    config.replication = 1;
    config.write_within = Duration::from_secs(90);
    CqlStore::migrate(&config, &mut |_| {}).await.unwrap();
    let session = scylla::client::session_builder::SessionBuilder::new()
        .known_node(&config.nodes[0])
        .use_keyspace("crash", true)
        .build()
        .await
        .unwrap();
    common::cql(&session, &create_table(&STATES)).await;
    common::cql(&session, &create_table(TABLES[1])).await;
    let store = CqlStore::open_with(config.clone(), TABLES).await.unwrap();

    let acknowledged: Arc<Vec<AtomicI32>> = Arc::new((0..WRITERS).map(|_| AtomicI32::new(0)).collect());
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (store, acknowledged, stop) = (Arc::clone(&store), Arc::clone(&acknowledged), Arc::clone(&stop));
            tokio::spawn(async move {
                let mut n = 0;
                while !stop.load(Ordering::Relaxed) {
                    let row = state(&format!("w{writer}/{}", n / 10), n % 10, &n.to_string(), 1);
                    store
                        .upsert(vec![row])
                        .await
                        .expect("a server that is away is waited for");
                    n += 1;
                    acknowledged[usize::try_from(writer).unwrap()].store(n, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let rounds = if std::env::var_os("ATALAIA_SOAK").is_some() {
        10
    } else {
        1
    };
    let least = || {
        acknowledged
            .iter()
            .map(|n| n.load(Ordering::Relaxed))
            .min()
            .unwrap_or(0)
    };
    for round in 1..=rounds {
        until(|| least() >= round * ROWS).await;
        let began = Instant::now();
        tokio::task::block_in_place(|| {
            server.script("kill");
            server.script("up");
        });
        let now = least();
        until(|| least() > now + 1).await;
        println!(
            "round {round}: writers went on {:.1} s after the kill",
            began.elapsed().as_secs_f64()
        );
    }
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }

    // Everything that was acknowledged, and nothing else: each writer waits for one row at a time.
    let mut expected = RowsHash::default();
    for (writer, count) in acknowledged.iter().enumerate() {
        for n in 0..count.load(Ordering::Relaxed) {
            expected.add(&state(&format!("w{writer}/{}", n / 10), n % 10, &n.to_string(), 1));
        }
    }
    assert_eq!(store.dump(&[&STATES]).await.unwrap(), [expected.dump(&STATES)]);
    drop(tokio::task::spawn_blocking(move || drop(server)).await);
}
