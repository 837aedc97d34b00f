//! The embedded engine keeps what every engine promises.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use store::conformance::{Subject, TABLES};
use store::{FjallStore, Store};

struct Embedded {
    folder: tempfile::TempDir,
    now_ms: Arc<AtomicI64>,
    store: Option<Arc<FjallStore>>,
}

impl Embedded {
    fn open(&mut self) {
        let now = Arc::clone(&self.now_ms);
        let clock = Arc::new(move || now.load(Ordering::Relaxed));
        self.store = Some(FjallStore::open_with(self.folder.path(), TABLES, clock).unwrap());
    }
}

async fn embedded(_: &str) -> Embedded {
    let folder = tempfile::tempdir().unwrap();
    // 2026-03-01, far from the turn of a month.
    let now_ms = Arc::new(AtomicI64::new(1_772_323_200_000));
    let mut subject = Embedded {
        folder,
        now_ms,
        store: None,
    };
    subject.open();
    subject
}

#[async_trait]
impl Subject for Embedded {
    fn store(&self) -> Arc<dyn Store> {
        self.store.clone().expect("open")
    }

    fn now_ms(&self) -> i64 {
        self.now_ms.load(Ordering::Relaxed)
    }

    async fn pass(&self, ms: i64) {
        self.now_ms.fetch_add(ms, Ordering::Relaxed);
    }

    async fn reopen(&mut self) {
        self.store = None;
        self.open();
    }
}

store::conformance_suite!(embedded);
