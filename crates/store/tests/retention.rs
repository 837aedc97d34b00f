//! What ends is given back: months whole, rows and memories of deletions by the sweep.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use model::{EntityId, Micros, Position};
use store::rows::{DEVICE_EVENTS, DeviceEventRow, RefreshFamilyRow, SERIALS, SerialRow, TABLES};
use store::{FjallStore, Store, queries};

const DAY_MS: i64 = 86_400_000;
/// 2026-03-01.
const START_MS: i64 = 1_772_323_200_000;

struct Setup {
    folder: tempfile::TempDir,
    now_ms: Arc<AtomicI64>,
}

impl Setup {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            now_ms: Arc::new(AtomicI64::new(START_MS)),
        }
    }

    fn open(&self) -> Arc<FjallStore> {
        let now = Arc::clone(&self.now_ms);
        FjallStore::open_with(
            self.folder.path(),
            TABLES,
            Arc::new(move || now.load(Ordering::Relaxed)),
        )
        .unwrap()
    }

    fn pass(&self, days: i64) {
        self.now_ms.fetch_add(days * DAY_MS, Ordering::Relaxed);
    }
}

fn entity() -> EntityId {
    EntityId::parse("default/olt/a").unwrap()
}

fn event(at_ms: i64) -> DeviceEventRow {
    DeviceEventRow {
        entity: entity(),
        at: Micros(at_ms * 1_000),
        id: vec![1],
        kind: "olt".into(),
        event_type: "DEVICE_ALARM".into(),
        event: "x".repeat(500),
        phase: "EVENT".into(),
        severity: Some("minor".into()),
        trap_oid: None,
        source: None,
        state: None,
        previous: None,
        cause: None,
        cause_raw: None,
        serial: None,
        detail: Default::default(),
        received_at: Micros(at_ms * 1_000),
        position: Position {
            generation: 1,
            partition: 2,
            offset: 3,
        },
    }
}

async fn events(store: &dyn Store) -> usize {
    let (mut found, mut cursor) = (0, None);
    loop {
        let page = queries::events(store, &entity(), 1970..=9999, 10_000, cursor.as_deref())
            .await
            .unwrap();
        found += page.rows.len();
        cursor = page.next;
        if cursor.is_none() {
            return found;
        }
    }
}

fn keyspaces(folder: &Path) -> usize {
    std::fs::read_dir(folder.join("keyspaces")).unwrap().count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn months_that_are_over_are_given_back() {
    let setup = Setup::new();
    let store = setup.open();
    let empty = keyspaces(setup.folder.path());
    // One event every ten days over the year that is kept: rows end in twelve different months or thirteen.
    let year: Vec<_> = (0..36)
        .map(|i| event(START_MS - 360 * DAY_MS + i * 10 * DAY_MS).to_row())
        .collect();
    store.upsert(year).await.unwrap();
    assert_eq!(events(&*store).await, 36);
    let full = keyspaces(setup.folder.path());
    assert!((12..=14).contains(&(full - empty)), "{full} - {empty}");

    setup.pass(190);
    let expected = 36 - 19;
    assert_eq!(
        events(&*store).await,
        expected,
        "ended rows are not read, dropped or not"
    );
    assert!(store.maintain().await.unwrap() >= 6);
    assert_eq!(events(&*store).await, expected);
    drop(store);
    let store = setup.open();
    assert_eq!(events(&*store).await, expected);
    assert!(keyspaces(setup.folder.path()) <= full - 6);

    setup.pass(400);
    store.maintain().await.unwrap();
    drop(store);
    let store = setup.open();
    assert_eq!((events(&*store).await, keyspaces(setup.folder.path())), (0, empty));
}

/// A device's clock may say anything: such rows share one place, are read once, and go at their time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn times_far_ahead_make_no_months() {
    let setup = Setup::new();
    let store = setup.open();
    let empty = keyspaces(setup.folder.path());
    let mut rows: Vec<_> = (1..200).map(|i| event(START_MS + i * 100 * DAY_MS).to_row()).collect();
    rows.extend([event(i64::MAX / 1_000).to_row(), event(i64::MIN / 1_000).to_row()]);
    store.upsert(rows.clone()).await.unwrap();
    assert_eq!(keyspaces(setup.folder.path()), empty + 1);
    let dump = store.dump(&[&DEVICE_EVENTS]).await.unwrap();
    assert_eq!(dump[0].rows, 200, "the one before 1970 has ended");
    // Later the first of them are near: written again they stand in two places, and come once.
    setup.pass(90);
    store.upsert(rows).await.unwrap();
    assert!(keyspaces(setup.folder.path()) > empty + 1);
    assert_eq!(store.dump(&[&DEVICE_EVENTS]).await.unwrap(), dump);
    assert_eq!(events(&*store).await, 200, "years up to 9999, fifty at one call");
    setup.pass(465);
    assert!(store.maintain().await.unwrap() >= 1);
    assert_eq!(store.dump(&[&DEVICE_EVENTS]).await.unwrap()[0].rows, 199);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deletions_are_forgotten_after_ten_days() {
    let setup = Setup::new();
    let store = setup.open();
    let row = SerialRow {
        tenant: "t".into(),
        serial: "s".into(),
        entity: entity(),
        since: Micros(0),
        wts: Micros(5),
    };
    let key = SerialRow::key("t", "s", &entity());
    let found = async || queries::sightings(&*store, "t", "s").await.unwrap().len();
    store.delete(&SERIALS, key, 5).await.unwrap();
    setup.pass(9);
    assert_eq!(store.maintain().await.unwrap(), 0);
    store.upsert(vec![row.to_row()]).await.unwrap();
    assert_eq!(found().await, 0);
    setup.pass(2);
    assert_eq!(store.maintain().await.unwrap(), 1);
    store.upsert(vec![row.to_row()]).await.unwrap();
    assert_eq!(found().await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refresh_families_end_with_their_token() {
    let setup = Setup::new();
    let store = setup.open();
    let family = RefreshFamilyRow {
        user_name: "admin".into(),
        family: "f".into(),
        current_hash: vec![1],
        rotated_at: Micros(START_MS * 1_000),
        revoked: false,
        created_at: Micros(START_MS * 1_000),
        expires_at: Micros((START_MS + DAY_MS) * 1_000),
    };
    let read = async || queries::refresh_family(&*store, "admin", "f").await.unwrap();
    assert!(queries::put_refresh_family_if(&*store, &family, None).await.unwrap());
    assert_eq!(read().await.as_ref(), Some(&family));
    let rotated = RefreshFamilyRow {
        current_hash: vec![2],
        ..family.clone()
    };
    assert!(
        queries::put_refresh_family_if(&*store, &rotated, Some(&family))
            .await
            .unwrap()
    );
    assert!(
        !queries::put_refresh_family_if(&*store, &rotated, Some(&family))
            .await
            .unwrap(),
        "used twice"
    );
    setup.pass(2);
    assert_eq!(read().await, None);
    assert_eq!(queries::refresh_families(&*store, "admin").await.unwrap(), []);
    assert_eq!(store.maintain().await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_belongs_to_one_store() {
    let setup = Setup::new();
    let _store = setup.open();
    assert!(FjallStore::open(setup.folder.path()).is_err());
}
