//! Records, and a store that can fail.
#![allow(dead_code, clippy::unwrap_used, reason = "tests share it, each uses a part")]

pub mod alarms;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use log::{Headers, Log, Record};
use model::{Micros, Position, RecordId, Serial};
use pipeline_persist::{PersistConfig, PersistHandle};
use schemas::{
    AnyRecord, DeviceEvent, DeviceEventType, DeviceStatus, InventoryEntry, LedgerRow, LedgerScope, Measurement, Phase,
    Rollup,
};
use store::rows::DERIVED_TABLES;
use store::{FjallStore, Page, Row, Scan, Store, StoreError, TableDef, TableDump, Value};
use topology::{Group, Topic, partition_of};

pub const ROOT: &str = "default/olt/rjo-01";
/// 2026-11-01; events of the tests are recent to the machine's clock, whatever it is, within a year either way.
pub fn base() -> Micros {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    Micros(i64::try_from(now.as_micros()).unwrap() / 86_400_000_000 * 86_400_000_000)
}

pub fn onu(n: u16) -> String {
    format!("{ROOT}/onu/0/1/{}/{}", n / 64, n % 64)
}

pub fn position(offset: u64) -> Position {
    Position {
        generation: 1,
        partition: 3,
        offset,
    }
}

pub fn serial(n: u16) -> String {
    Serial::from_octets([b'H', b'W', b'T', b'C', 0, 0, n.to_be_bytes()[0], n.to_be_bytes()[1]]).to_string()
}

pub fn status(entity: &str, state: &str, offset: u64) -> DeviceStatus {
    let at = base().plus(i64::try_from(offset).unwrap() * 1_000);
    DeviceStatus {
        entity: entity.into(),
        root: ROOT.into(),
        kind: "onu".into(),
        site: Some("RJO".into()),
        parent: None,
        name: None,
        description: None,
        vendor: Some("huawei".into()),
        model: None,
        serial: None,
        state: state.into(),
        cause: None,
        cause_raw: None,
        since: at,
        observed_at: at,
        received_at: at,
        first_trap_at: None,
        optics: None,
        poll: None,
        position: position(offset).into(),
        wts: at.plus(7),
    }
}

pub fn event(entity: &str, state: &str, offset: u64) -> DeviceEvent {
    let status = status(entity, state, offset);
    DeviceEvent {
        entity: entity.into(),
        root: ROOT.into(),
        kind: "onu".into(),
        event_type: DeviceEventType::DeviceAlarm,
        event: "run_state".into(),
        phase: Phase::Event,
        severity: None,
        trap_oid: Some("1.3.6.1".into()),
        source: Some("trap".into()),
        at: status.observed_at,
        received_at: status.received_at,
        state: Some(state.into()),
        previous: None,
        cause: None,
        cause_raw: None,
        serial: None,
        detail: BTreeMap::from([("run_state".into(), "1".into())]),
        position: position(offset).into(),
        status: Some(status),
    }
}

pub fn entry(entity: &str, serial: Option<String>, offset: u64) -> InventoryEntry {
    let at = base().plus(i64::try_from(offset).unwrap() * 1_000);
    InventoryEntry {
        entity: entity.into(),
        root: ROOT.into(),
        kind: "onu".into(),
        site: Some("RJO".into()),
        parent: None,
        name: Some(format!("name of {entity}")),
        description: None,
        vendor: None,
        model: None,
        serial,
        address: None,
        attributes: BTreeMap::from([("contract".into(), offset.to_string())]),
        origin: "import".into(),
        installed_at: Some(at),
        seen_at: at,
        serial_since: Some(at),
        position: position(offset).into(),
        wts: at.plus(7),
    }
}

/// Writes records as the processor would: one partition for the root, ids from the input's offset.
pub struct Feed {
    log: Arc<dyn Log>,
    producer: Box<dyn log::Producer>,
}

impl Feed {
    pub fn new(log: &Arc<dyn Log>) -> Self {
        Self {
            log: Arc::clone(log),
            producer: log.producer("test").unwrap(),
        }
    }

    pub fn put(&self, topic: Topic, entity: &str, offset: u64, record: impl Into<AnyRecord>) {
        let value = self.log.codec().encode(&record.into()).unwrap();
        self.raw(topic, entity, Some(offset), Some(value));
    }

    pub fn status(&self, entity: &str, state: &str, offset: u64) {
        self.put(Topic::DeviceStatus, entity, offset, status(entity, state, offset));
    }

    pub fn event(&self, entity: &str, state: &str, offset: u64) {
        self.put(Topic::DeviceEvents, entity, offset, event(entity, state, offset));
    }

    pub fn entry(&self, entity: &str, serial: Option<String>, offset: u64) {
        self.put(Topic::Inventory, entity, offset, entry(entity, serial, offset));
    }

    pub fn raw(&self, topic: Topic, key: &str, offset: Option<u64>, value: Option<Vec<u8>>) {
        let record = Record {
            topic,
            partition: partition_of(ROOT, self.log.partitions()),
            key: bytes::Bytes::copy_from_slice(key.as_bytes()),
            value: value.map(Into::into),
            headers: Headers {
                record_id: offset.map(|o| RecordId::new(position(o), 2, key.as_bytes(), 0)),
                ..Headers::default()
            },
        };
        self.producer.send(record, None).unwrap();
    }

    /// A record of another log, as it is.
    pub fn again(&self, record: Record) {
        self.producer.send(record, None).unwrap();
    }

    pub fn flush(&self, sequence: u64) {
        self.producer
            .wait(sequence, Instant::now() + Duration::from_secs(10))
            .unwrap();
    }
}

/// A network's life in all three topics, with a change of serial, a swap, a removal and a return.
pub fn life(feed: &Feed, onus: u16) {
    let mut offset = 0;
    let mut next = || {
        offset += 1;
        offset
    };
    let olt = next();
    feed.put(Topic::Inventory, ROOT, olt, entry(ROOT, None, olt));
    for n in 0..onus {
        feed.entry(&onu(n), Some(serial(n)), next());
        for state in ["unknown", "online", "offline"] {
            let at = next();
            feed.event(&onu(n), state, at);
            feed.status(&onu(n), state, at);
        }
    }
    // Two swap their serials; one is replaced, one goes, one goes and returns.
    feed.entry(&onu(0), Some(serial(1)), next());
    feed.entry(&onu(1), Some(serial(0)), next());
    feed.entry(&onu(2), Some(serial(1_000)), next());
    for n in [3, 4] {
        let at = next();
        feed.raw(Topic::DeviceStatus, &onu(n), Some(at), None);
        feed.raw(Topic::Inventory, &onu(n), Some(at), None);
    }
    let back = next();
    feed.entry(&onu(4), Some(serial(4)), back);
    feed.status(&onu(4), "online", back);
    // What was measured of one, and what it adds up to.
    for (topic, window) in [
        (Topic::RollupsHour, "hour"),
        (Topic::RollupsDay, "day"),
        (Topic::RollupsDay, "month"),
    ] {
        feed.put(topic, &onu(0), next(), rollup(window));
    }
    for minute in 0..3 {
        feed.put(Topic::Measurements, &onu(0), next(), measurement(minute));
    }
    // What a listener and a sender said of themselves, and the sender again.
    for (sender, received) in [(None, 10), (Some("192.0.2.1"), 4), (Some("192.0.2.1"), 6)] {
        let row = ledger(sender, received);
        feed.put(Topic::Ledger, sender.unwrap_or("main"), next(), row);
    }
}

/// A reading of every minute; the last one is late, and not the newest.
pub fn measurement(minute: i64) -> Measurement {
    let at = base().plus(minute * 60_000_000);
    Measurement {
        entity: onu(0),
        root: ROOT.into(),
        measure: "onu_rx_power".into(),
        value: -20.5,
        unit: "dBm".into(),
        quality: "good".into(),
        observed_at: at,
        received_at: base().plus(200_000_000),
        position: position(1).into(),
        group: Some("optical".into()),
        wts: (minute < 2).then_some(at),
    }
}

pub fn rollup(window: &str) -> Rollup {
    Rollup {
        entity: onu(0),
        root: ROOT.into(),
        measure: "onu_rx_power".into(),
        unit: "dBm".into(),
        window: window.into(),
        start: base(),
        n: 3,
        sum: -61.5,
        sum_squares: 1_260.75,
        min: -20.5,
        max: -20.5,
        first: -20.5,
        first_at: base(),
        last: -20.5,
        last_at: base().plus(120_000_000),
        is_corrected: false,
        position: position(1).into(),
        wts: base().plus(7),
    }
}

/// A listener's row, or one of its sender's; the more received, the later.
pub fn ledger(sender: Option<&str>, received: i64) -> LedgerRow {
    LedgerRow {
        scope: sender.map_or(LedgerScope::Listener, |_| LedgerScope::Sender),
        listener: "main".into(),
        sender: sender.map(str::to_owned),
        root: None,
        writer: "run".into(),
        at: Micros(base().0 + received * 1_000_000),
        received,
        accepted: received,
        recovered: 0,
        acknowledged: received,
        in_spool: 0,
        dropped: BTreeMap::new(),
        refused: BTreeMap::new(),
        undecodable: BTreeMap::new(),
        over_limit: 0,
        kernel_drops: 0,
        first_at: Some(base()),
        last_at: Some(base()),
        lost_first_at: None,
        lost_last_at: None,
    }
}

pub fn open(folder: &std::path::Path) -> Arc<FjallStore> {
    FjallStore::open(folder).unwrap()
}

pub async fn dump(store: &dyn Store) -> Vec<TableDump> {
    store.dump(DERIVED_TABLES).await.unwrap()
}

pub fn start(log: &Arc<dyn Log>, store: &Arc<dyn Store>, threads: u32) -> PersistHandle {
    pipeline_persist::spawn(PersistConfig {
        log: Arc::clone(log),
        store: Arc::clone(store),
        runtime: tokio::runtime::Handle::current(),
        threads,
    })
    .unwrap()
}

/// Waits until persist has committed everything that is in the log now.
pub async fn caught_up(log: &Arc<dyn Log>) {
    until(|| {
        Group::Persist.spec().reads.iter().all(|topic| {
            let committed = log.committed(Group::Persist, *topic).unwrap();
            let ends = log.ends(*topic).unwrap();
            ends.iter().zip(committed).all(|(end, at)| *end == at.unwrap_or(0))
        })
    })
    .await;
}

pub async fn until(mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(15);
    while !condition() {
        assert!(Instant::now() < deadline, "did not come about in 15 s");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

pub async fn stop(handle: PersistHandle) {
    handle.stop();
    let began = Instant::now();
    tokio::task::spawn_blocking(move || handle.join())
        .await
        .unwrap()
        .unwrap();
    assert!(began.elapsed() < Duration::from_secs(5), "drains in time");
}

/// A store that never answers a write.
pub struct Hanging(pub Arc<dyn Store>);

#[async_trait]
impl Store for Hanging {
    async fn upsert(&self, _: Vec<Row>) -> Result<(), StoreError> {
        std::future::pending().await
    }

    async fn scan(&self, scan: Scan) -> Result<Page, StoreError> {
        self.0.scan(scan).await
    }

    async fn delete(&self, _: &'static TableDef, _: Vec<Value>, _: i64) -> Result<(), StoreError> {
        std::future::pending().await
    }

    async fn put_if(&self, _: Row, _: Option<Vec<Option<Value>>>) -> Result<bool, StoreError> {
        std::future::pending().await
    }

    async fn health(&self) -> Result<(), StoreError> {
        std::future::pending().await
    }
}

/// A store that refuses some writes first.
pub struct Failing {
    pub inner: Arc<dyn Store>,
    pub failures: AtomicU32,
    pub attempts: AtomicU32,
}

impl Failing {
    pub fn new(inner: Arc<dyn Store>, failures: u32) -> Arc<Self> {
        Arc::new(Self {
            inner,
            failures: AtomicU32::new(failures),
            attempts: AtomicU32::new(0),
        })
    }

    fn turn(&self) -> Result<(), StoreError> {
        self.attempts.fetch_add(1, Ordering::SeqCst);
        let left = self
            .failures
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        match left {
            Err(_) => Ok(()),
            Ok(_) => Err(StoreError::Engine {
                context: "writing".into(),
                source: "the store is away".into(),
            }),
        }
    }
}

#[async_trait]
impl Store for Failing {
    async fn upsert(&self, rows: Vec<Row>) -> Result<(), StoreError> {
        self.turn()?;
        self.inner.upsert(rows).await
    }

    async fn scan(&self, scan: Scan) -> Result<Page, StoreError> {
        self.inner.scan(scan).await
    }

    async fn delete(&self, table: &'static TableDef, key: Vec<Value>, wts_us: i64) -> Result<(), StoreError> {
        self.turn()?;
        self.inner.delete(table, key, wts_us).await
    }

    async fn put_if(&self, row: Row, expect: Option<Vec<Option<Value>>>) -> Result<bool, StoreError> {
        self.inner.put_if(row, expect).await
    }

    async fn health(&self) -> Result<(), StoreError> {
        self.inner.health().await
    }
}
