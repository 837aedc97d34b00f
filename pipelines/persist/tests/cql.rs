//! Persist over the CQL engine on a real server: the same rows as in the embedded one, whatever the server does meanwhile.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::sync::Arc;
use std::time::{Duration, Instant};

use common::{Feed, caught_up, dump, life, onu, open, serial, start, stop, until};
use log::{Log, MemoryLog};
use store::{Store, TableDump};
use store_cql::faults::FaultyProxy;
use store_cql::{CqlConfig, CqlStore};
use topology::{Group, Topic};

struct Setup {
    log: Arc<dyn Log>,
    store: Arc<dyn Store>,
    proxy: FaultyProxy,
}

async fn setup(name: &str) -> Setup {
    let node = std::env::var("CQL").unwrap_or_else(|_| panic!("CQL is not set: run eval \"$(infra/dev/servers up)\""));
    let keyspace = format!("test_{}_persist_{name}", std::process::id());
    let proxy = FaultyProxy::start(&node).await.unwrap();
    let mut config = CqlConfig::new(vec![node], &keyspace);
    config.replication = 1;
    CqlStore::migrate(&config, &mut |_| {}).await.unwrap();
    config.nodes = vec![proxy.address().to_owned()];
    config.write_within = Duration::from_secs(2);
    config.read_within = Duration::from_secs(2);
    Setup {
        log: MemoryLog::new(4),
        store: CqlStore::open(config).await.unwrap(),
        proxy,
    }
}

/// What the embedded engine holds of the same log.
async fn embedded(log: &Arc<dyn Log>) -> Vec<TableDump> {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = open(folder.path());
    let copy: Arc<dyn Log> = MemoryLog::new(log.partitions());
    let feed = Feed::new(&copy);
    for topic in Group::Persist.spec().reads {
        let mut tail = log.tail(&[(*topic, log::Start::Beginning)]).unwrap();
        loop {
            let records = tail.poll(1_000, Duration::from_millis(50)).unwrap();
            if records.is_empty() {
                break;
            }
            records.into_iter().for_each(|stored| feed.again(stored.record));
        }
    }
    let handle = start(&copy, &store, 1);
    caught_up(&copy).await;
    stop(handle).await;
    dump(&*store).await
}

/// As [`caught_up`], for a server that was away: the driver comes back to it within 12 s.
async fn caught_up_in_the_end(log: &Arc<dyn Log>) {
    let deadline = Instant::now() + Duration::from_secs(60);
    let behind = || {
        Group::Persist.spec().reads.iter().any(|topic| {
            let committed = log.committed(Group::Persist, *topic).unwrap();
            let ends = log.ends(*topic).unwrap();
            ends.iter().zip(committed).any(|(end, at)| *end != at.unwrap_or(0))
        })
    };
    while behind() {
        assert!(Instant::now() < deadline, "rows have not caught up in 60 s");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_engines_hold_the_same_and_a_rebuild_makes_it_again() {
    let s = setup("same").await;
    let feed = Feed::new(&s.log);
    life(&feed, 60);
    common::alarms::alarm_life(&feed);
    let handle = start(&s.log, &s.store, 2);
    caught_up_in_the_end(&s.log).await;
    stop(handle).await;
    let before = dump(&*s.store).await;
    assert_eq!(before, embedded(&s.log).await);
    let (log, store, runtime) = (s.log.clone(), s.store.clone(), tokio::runtime::Handle::current());
    let rebuilt = tokio::task::spawn_blocking(move || pipeline_persist::rebuild(log, store, runtime));
    rebuilt.await.unwrap().unwrap();
    assert_eq!(dump(&*s.store).await, before);
}

/// Away for a while (`ATALAIA_SOAK`: a minute): it is said, the log goes on, and rows catch up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_was_away_misses_nothing() {
    let s = setup("away").await;
    let feed = Feed::new(&s.log);
    let handle = start(&s.log, &s.store, 1);
    feed.entry(&onu(700), Some(serial(700)), 1);
    caught_up_in_the_end(&s.log).await;
    s.proxy.set_away(true);
    let away = Duration::from_secs(if std::env::var_os("ATALAIA_SOAK").is_some() {
        60
    } else {
        4
    });
    let began = Instant::now();
    life(&feed, 30);
    let status = handle.status();
    until(|| status.last_error().is_some()).await;
    let said = status.last_error().unwrap();
    assert!(said.starts_with("store: "), "{said}");
    // What people watch is in the log meanwhile.
    assert!(s.log.ends(Topic::DeviceEvents).unwrap().iter().sum::<u64>() > 60);
    while began.elapsed() < away {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(status.is_running());
    s.proxy.set_away(false);
    caught_up_in_the_end(&s.log).await;
    until(|| status.last_error().is_none()).await;
    stop(handle).await;
    assert_eq!(dump(&*s.store).await, embedded(&s.log).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_slow_and_refuses_some_doubles_nothing() {
    let s = setup("refuses").await;
    s.proxy.refuse_per_mille(50);
    s.proxy.delay(Duration::from_millis(30));
    life(&Feed::new(&s.log), 100);
    let handle = start(&s.log, &s.store, 1);
    caught_up_in_the_end(&s.log).await;
    stop(handle).await;
    assert!(s.proxy.refused() > 0 && s.proxy.unanswered() > 0);
    s.proxy.refuse_per_mille(0);
    s.proxy.delay(Duration::ZERO);
    assert_eq!(dump(&*s.store).await, embedded(&s.log).await);
}
