//! A server that refuses, loses answers, is slow, goes away: what was asked for is there in the end, once.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::sync::Arc;
use std::time::{Duration, Instant};

use store::conformance::{EVENTS, STATES, TABLES, event, state, states};
use store::kit::RowsHash;
use store::{Row, Store};
use store_cql::faults::FaultyProxy;
use store_cql::{CqlConfig, CqlStore};

async fn through_a_proxy(name: &str) -> (FaultyProxy, CqlConfig) {
    let mut config = common::keyspace_with(name, TABLES).await;
    let proxy = FaultyProxy::start(&common::node()).await.unwrap();
    config.nodes = vec![proxy.address().to_owned()];
    (proxy, config)
}

async fn open(config: &CqlConfig) -> Arc<CqlStore> {
    CqlStore::open_with(config.clone(), TABLES).await.unwrap()
}

/// Rows of many partitions, some of them together, some again with a later content.
fn rows(count: i32) -> Vec<Row> {
    let at = common::now_ms();
    let rows = (0..count).flat_map(|n| {
        let partition = format!("p{}", n / 7);
        [
            state(&partition, n % 7, "first", i64::from(n)),
            state(&partition, n % 7, &n.to_string(), i64::from(n) + 1),
            event(&partition, at + i64::from(n), 1),
        ]
    });
    rows.collect()
}

/// The last content of each row, and nothing else.
async fn holds_exactly(store: &CqlStore, rows: &[Row]) {
    let dumps = store.dump(&[&STATES, &EVENTS]).await.unwrap();
    for (table, dump) in [&STATES, &EVENTS].into_iter().zip(dumps) {
        let mut expected = RowsHash::default();
        let last = rows
            .iter()
            .filter(|r| r.table.name == table.name && r.columns[0] != Some(store::conformance::text("first")));
        last.for_each(|row| expected.add(row));
        assert_eq!(dump, expected.dump(table));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_writes_catch_up_and_none_is_doubled() {
    let (proxy, config) = through_a_proxy("refused").await;
    let store = open(&config).await;
    proxy.refuse_per_mille(50);
    let rows = rows(2_000);
    for call in rows.chunks(300) {
        store.upsert(call.to_vec()).await.unwrap();
    }
    assert!(
        proxy.refused() > 10 && proxy.unanswered() > 10,
        "{} {}",
        proxy.refused(),
        proxy.unanswered()
    );
    holds_exactly(&store, &rows).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conditional_write_whose_answer_is_lost_is_found_out() {
    let (proxy, config) = through_a_proxy("unanswered").await;
    let store = open(&config).await;
    proxy.only_lose_answers(true);
    let mut before = None;
    for n in 0..40 {
        // Every third request, reads and writes alike, so each kind of loss comes by.
        proxy.refuse_per_mille(300);
        let row = state("lost", 0, &n.to_string(), n);
        assert!(store.put_if(row.clone(), before).await.unwrap(), "write {n} counted");
        proxy.refuse_per_mille(0);
        let found = store.scan(states("lost")).await.unwrap().rows;
        assert_eq!(
            found.iter().map(|r| r.columns.clone()).collect::<Vec<_>>(),
            std::slice::from_ref(&row.columns)
        );
        before = Some(row.columns);
    }
    assert!(proxy.unanswered() > 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_away_is_waited_for_and_said_to_be_away() {
    let (proxy, mut config) = through_a_proxy("away").await;
    config.write_within = Duration::from_millis(1_500);
    let hasty = open(&config).await;
    config.write_within = Duration::from_secs(40);
    let patient = open(&config).await;
    let rows = rows(50);
    proxy.set_away(true);
    let began = Instant::now();
    let error = hasty.upsert(rows.clone()).await.unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    assert!(
        error.to_string().starts_with("writing rows: no success within"),
        "{error}"
    );
    assert!(began.elapsed() < Duration::from_secs(8), "it has a deadline");
    assert!(hasty.health().await.is_err());
    let waiting = tokio::spawn({
        let (store, rows) = (Arc::clone(&patient), rows.clone());
        async move { store.upsert(rows).await }
    });
    proxy.set_away(false);
    waiting.await.unwrap().unwrap();
    holds_exactly(&patient, &rows).await;
    patient.health().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_server_is_asked_many_things_at_once() {
    let (proxy, config) = through_a_proxy("slow").await;
    let store = open(&config).await;
    proxy.delay(Duration::from_millis(100));
    let rows = rows(448);
    let began = Instant::now();
    store.upsert(rows.clone()).await.unwrap();
    // 64 partitions in each table, of which 128 are under way at one time: one round, or two.
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    proxy.delay(Duration::ZERO);
    holds_exactly(&store, &rows).await;
}
