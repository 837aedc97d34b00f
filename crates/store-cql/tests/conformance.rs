//! The CQL engine keeps what every engine promises, on a real server.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use store::Store;
use store::conformance::{Subject, TABLES};
use store_cql::{CqlConfig, CqlStore};

struct Cql {
    config: CqlConfig,
    store: Option<Arc<CqlStore>>,
}

/// All tests share a keyspace, but those that look at whole tables.
async fn cql(test: &str) -> Cql {
    let name = match test {
        "replay_leaves_the_same" => "replay",
        "engines_agree_on_what_a_store_holds" => "agree",
        _ => "suite",
    };
    let config = common::keyspace_with(name, TABLES).await;
    let mut subject = Cql { config, store: None };
    subject.reopen().await;
    subject
}

#[async_trait]
impl Subject for Cql {
    fn store(&self) -> Arc<dyn Store> {
        self.store.clone().expect("open")
    }

    fn now_ms(&self) -> i64 {
        common::now_ms()
    }

    async fn pass(&self, ms: i64) {
        let end = self.now_ms() + ms;
        while self.now_ms() < end {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn reopen(&mut self) {
        self.store = None;
        self.store = Some(CqlStore::open_with(self.config.clone(), TABLES).await.unwrap());
    }
}

store::conformance_suite!(cql);
