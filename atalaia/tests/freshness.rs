//! The freshness probe through the real listener, the embedded log, the production chain and the live view, seen as a browser
//! sees it: a processor that stands still makes it late, and one that goes on makes it fresh.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that panics has failed; its figures are printed"
)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use api::{ApiConfig, ApiState, LiveView, ProbeConfig, RingLimits, Role, users};
use connector_snmp_traps::{RawConfig, RawCredential, RawListener, Running, build, validate};
use load_tests::client::{Live, login, request};
use log::{EmbeddedConfig, EmbeddedLog};
use model::Secret;
use runtime::{CommitPolicy, OnTorn, ProcessorConfig, ProcessorHandle};
use serde_json::{Value, json};
use store::FjallStore;
use topology::Group;

const PATIENCE: Duration = Duration::from_secs(30);
/// Between two probes, instead of 30 s.
const INTERVAL: Duration = Duration::from_millis(300);
const PASSWORD: &str = "a-good-password";

struct Product {
    log: Arc<EmbeddedLog>,
    listener: Running,
    address: SocketAddr,
    live: Arc<LiveView>,
    _folder: tempfile::TempDir,
}

impl Product {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = EmbeddedConfig {
            disk_reserve_bytes: 0,
            partitions: 4,
            ..EmbeddedConfig::new(folder.path().join("log"))
        };
        let log = EmbeddedLog::open(config).unwrap();
        let listener = listener(&log, folder.path());
        let store = FjallStore::open(&folder.path().join("store")).unwrap();
        users::add_user(&*store, "viewer", "default", Role::Viewer, PASSWORD)
            .await
            .unwrap();
        let live = LiveView::start(log.clone(), "test", RingLimits::default()).unwrap();
        let mut config = ApiConfig::new([7; 32], "test", "default");
        config.probe = Some(ProbeConfig {
            listeners: vec!["main".to_owned()],
            interval: INTERVAL,
            partitions: 4,
        });
        let parts = api::Parts {
            log: log.clone(),
            store,
            live: live.clone(),
            ready: Vec::new(),
            render_metrics: Arc::new(String::new),
            explain_trap: None,
        };
        let state = ApiState::new(config, parts).unwrap();
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        tokio::spawn(api::serve(socket, state, std::future::pending()));
        Self {
            log,
            listener,
            address,
            live,
            _folder: folder,
        }
    }

    fn processor(&self) -> ProcessorHandle {
        let config = ProcessorConfig {
            log: self.log.clone(),
            group: Group::Network,
            threads: 2,
            commit: CommitPolicy::embedded(),
            on_torn: OnTorn::Wait,
        };
        runtime::spawn(config, atalaia::network_chain).unwrap()
    }

    /// What `/ready` says beside being ready, which it always is here.
    async fn ready(&self) -> Value {
        let (status, answer) = request(self.address, "GET", "/ready", None, None).await.unwrap();
        assert_eq!(status, 200, "a late pipeline takes no page away: {answer}");
        answer["freshness"].clone()
    }
}

fn listener(log: &Arc<EmbeddedLog>, folder: &std::path::Path) -> Running {
    let raw = RawConfig {
        instance: "edge".to_owned(),
        listeners: vec![RawListener {
            name: Some("main".to_owned()),
            bind: "127.0.0.1:0".to_owned(),
        }],
        credentials: vec![RawCredential {
            name: "noc".to_owned(),
            version: "2c".to_owned(),
            community: Secret::new("not-the-probes", "test"),
            sources: Vec::new(),
        }],
        data: Some(folder.to_owned()),
        probe_interval: Some(INTERVAL),
        ..RawConfig::default()
    };
    build(validate(raw).unwrap(), log.clone()).unwrap().run().unwrap()
}

/// Reads on until the board is told this state; answers what it is told with it.
async fn told(browser: &mut Live, state: &str) -> Value {
    let began = Instant::now();
    let reading = async {
        loop {
            let frame = browser.next().await.unwrap();
            let in_snapshot = frame["items"].as_array().into_iter().flatten();
            let in_delta = frame["changes"].as_array().into_iter().flatten().map(|c| &c["item"]);
            let told = in_snapshot.chain(in_delta).find(|i| i["freshness"]["state"] == state);
            if let Some(item) = told {
                return item.clone();
            }
        }
    };
    let told = tokio::time::timeout(PATIENCE, reading).await;
    let told = told.unwrap_or_else(|_| panic!("the board is not told `{state}` in time"));
    println!(
        "{state} after {:.2?}: {}",
        began.elapsed(),
        told["freshness"]["listeners"]
    );
    told
}

fn last_notice(item: &Value) -> &str {
    item["notices"][0]["notice"].as_str().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stalled_processor_makes_it_late_and_recovery_clears_it() {
    let product = Product::start().await;
    let processor = product.processor();
    load_tests::client::wait_ready(product.address, PATIENCE).await.unwrap();
    let token = login(product.address, "viewer", PASSWORD).await.unwrap();
    let subscribe = json!({ "type": "subscribe", "id": "s", "topic": "system" });
    let mut browser = Live::connect(product.address, &token, &subscribe).await.unwrap();

    let fresh = told(&mut browser, "fresh").await;
    assert_eq!(fresh["notices"], json!([]));
    assert!(fresh["freshness"]["listeners"][0]["round_trip_ms"].as_f64().unwrap() < 5_000.0);
    assert_eq!(product.ready().await["state"], "fresh");

    processor.join().unwrap();
    let late = told(&mut browser, "late").await;
    assert_eq!(last_notice(&late), "freshness_late");
    // One partition after the other, as each waits for its own probe.
    let all = async {
        loop {
            let ready = product.ready().await;
            assert_eq!(ready["state"], "late");
            if ready["listeners"][0]["late_partitions"] == json!([0, 1, 2, 3]) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let all = tokio::time::timeout(PATIENCE, all).await;
    all.expect("in the end all partitions are late");

    let processor = product.processor();
    let fresh = told(&mut browser, "fresh").await;
    assert_eq!(last_notice(&fresh), "freshness_restored");

    let (_, devices) = request(product.address, "GET", "/api/v1/devices", Some(&token), None)
        .await
        .unwrap();
    assert_eq!(devices["items"], json!([]), "a probe is no device");
    let snapshot = product.listener.snapshot().remove(0);
    assert_eq!(
        snapshot.counts.received, snapshot.counts.accepted,
        "{:?}",
        snapshot.counts
    );
    assert!(snapshot.counts.balance());
    let senders: Vec<_> = snapshot.senders.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(senders, ["probe"], "it is no stranger either");

    processor.join().unwrap();
    product.live.stop();
    let (_, complete) = product.listener.stop();
    assert!(complete);
}
