//! The engine in the data folder: fjall, a log-structured store. It has the shape of the CQL engine (sorted partitions, the
//! last write stays by its write time, retention by dropping windows), so it is little more than a codec of keys.
//!
//! - One thread writes: what is answered is synced to disk; what is readable is synced too.
//! - A row is one value, so it is always whole.
//! - Reads take a snapshot and run on the runtime's blocking threads.
//! - The folder belongs to one process (fjall's own lock).

mod hash;
mod key;
mod keyspaces;
pub mod kit;
mod read;
mod value;
mod writer;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use fjall::Database;
use tokio::sync::{mpsc, oneshot};

use self::keyspaces::Keyspaces;
use self::writer::{Item, Job, QUEUE_JOBS, Writer};
use crate::check::{check_key, check_row};
use crate::rows::TABLES;
use crate::{DumpHash, Page, Row, Scan, Store, StoreError, TableDef, TableDump, Value};

/// Cache of blocks read.
const CACHE_BYTES: u64 = 64 << 20;
/// Journals kept before tables are flushed.
const JOURNAL_BYTES: u64 = 128 << 20;
/// How long a deletion is remembered against older writes of the row that come late: longer than a backlog is read again.
const DELETION_KEPT: Duration = Duration::from_secs(10 * 86_400);
/// Format of the folder, kept in it.
const FORMAT: &[u8] = b"atalaia-store-1";

/// Milliseconds since 1970; for retention alone.
pub(crate) type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// The embedded store.
pub struct FjallStore {
    db: Database,
    keyspaces: Arc<Keyspaces>,
    queue: mpsc::Sender<Job>,
    tables: &'static [&'static TableDef],
    clock: Clock,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl FjallStore {
    /// Opens the store in a folder, and makes it if there is none. Blocks while it recovers (replays its journal).
    ///
    /// # Errors
    /// When another process has the folder, it cannot be read or written, or it is of another format.
    pub fn open(folder: &Path) -> Result<Arc<Self>, StoreError> {
        let clock = || {
            let now = SystemTime::now()
                .duration_since(SystemTime::UNIX_EPOCH)
                .unwrap_or_default();
            i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
        };
        Self::open_with(folder, TABLES, Arc::new(clock))
    }

    /// Opens the store with tables and a clock of one's own, for tests of retention.
    ///
    /// # Errors
    /// As [`FjallStore::open`].
    pub fn open_with(
        folder: &Path,
        tables: &'static [&'static TableDef],
        clock: Arc<dyn Fn() -> i64 + Send + Sync>,
    ) -> Result<Arc<Self>, StoreError> {
        let opened = Database::builder(folder)
            .cache_size(CACHE_BYTES)
            .max_journaling_size(JOURNAL_BYTES)
            .open();
        let db = opened.map_err(|e| engine_error(&format!("opening the store in {}", folder.display()), e))?;
        let keyspaces = Arc::new(Keyspaces::new(db.clone())?);
        check_format(&keyspaces)?;
        for table in tables {
            if !table.ends_by_key() {
                keyspaces.named(table.name.to_owned())?;
            }
        }
        let (queue, jobs) = mpsc::channel(QUEUE_JOBS);
        let writer = Writer {
            db: db.clone(),
            keyspaces: Arc::clone(&keyspaces),
            tables,
            clock: Arc::clone(&clock),
        };
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writer.run(jobs))
            .map_err(|e| engine_error("starting the writer's thread", e))?;
        Ok(Arc::new(Self {
            db,
            keyspaces,
            queue,
            tables,
            clock,
            writer: Mutex::new(Some(thread)),
        }))
    }

    /// Gives back what has ended, now instead of within the hour. Answers how many months and rows that were.
    ///
    /// # Errors
    /// When the engine fails.
    pub async fn maintain(&self) -> Result<usize, StoreError> {
        self.ask(|done| Job::Maintain { done }).await
    }

    /// Counts and hashes all rows of all tables, write times included. Reads everything: for checks, not for routine.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn dump_hash(&self) -> Result<DumpHash, StoreError> {
        let tables = dump(&self.db, &self.keyspaces, self.tables, (self.clock)())?;
        Ok(DumpHash { tables })
    }

    /// Bytes on disk.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn disk_bytes(&self) -> Result<u64, StoreError> {
        self.db.disk_space().map_err(|e| engine_error("measuring the store", e))
    }

    async fn ask<T>(&self, job: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> Job) -> Result<T, StoreError> {
        let (done, answer) = oneshot::channel();
        let gone = || {
            engine_error(
                "writing",
                std::io::Error::other("the writer's thread has ended: restart the process"),
            )
        };
        self.queue.send(job(done)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Database, &Keyspaces, i64) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (db, keyspaces, now_ms) = (self.db.clone(), Arc::clone(&self.keyspaces), (self.clock)());
        let task = tokio::task::spawn_blocking(move || work(&db, &keyspaces, now_ms));
        task.await.map_err(|e| engine_error("reading", e))?
    }
}

impl Drop for FjallStore {
    /// Waits for the writer; the folder is free as soon as reads still running have ended too.
    fn drop(&mut self) {
        let (closed, _) = mpsc::channel(1);
        drop(std::mem::replace(&mut self.queue, closed));
        let thread = self.writer.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|t| t.join().is_err()) {
            tracing::error!("the store's writer ended in a panic");
        }
    }
}

#[async_trait]
impl Store for FjallStore {
    async fn upsert(&self, rows: Vec<Row>) -> Result<(), StoreError> {
        let items = rows.iter().map(item).collect::<Result<Vec<_>, _>>()?;
        if items.is_empty() {
            return Ok(());
        }
        self.ask(|done| Job::Write { items, done }).await
    }

    async fn scan(&self, scan: Scan) -> Result<Page, StoreError> {
        self.read(move |db, keyspaces, now_ms| read::scan(db, keyspaces, &scan, now_ms))
            .await
    }

    async fn delete(&self, table: &'static TableDef, key: Vec<Value>, wts_us: i64) -> Result<(), StoreError> {
        check_key(table, &key)?;
        if !table.mutable || table.ends_by_key() {
            let problem = "rows that never change are not deleted, they end".to_owned();
            return Err(StoreError::Invalid {
                table: table.name,
                problem,
            });
        }
        let kept_ms = i64::try_from(DELETION_KEPT.as_millis()).expect("ten days");
        let value = value::deletion(wts_us, (self.clock)().saturating_add(kept_ms));
        let items = vec![Item {
            table,
            key: key::encode(table, &key)?,
            value,
        }];
        self.ask(|done| Job::Write { items, done }).await
    }

    async fn put_if(&self, row: Row, expect: Option<Vec<Option<Value>>>) -> Result<bool, StoreError> {
        if !row.table.mutable || row.table.ends_by_key() {
            let problem = "rows that never change are not written conditionally".to_owned();
            return Err(StoreError::Invalid {
                table: row.table.name,
                problem,
            });
        }
        let item = item(&row)?;
        let expect = expect.map(|columns| {
            let mut bytes = Vec::new();
            value::encode_columns(&columns, &mut bytes);
            bytes
        });
        self.ask(|done| Job::PutIf { item, expect, done }).await
    }

    async fn health(&self) -> Result<(), StoreError> {
        // Through the queue and the writer, then a look whether the database has given up on its disk.
        self.ask(|done| Job::Write { items: vec![], done }).await?;
        self.read(|db, _, _| {
            db.persist(fjall::PersistMode::Buffer)
                .map_err(|e| engine_error("writing", e))
        })
        .await
    }

    async fn wipe(&self, tables: &[&'static TableDef]) -> Result<(), StoreError> {
        let tables = tables.to_vec();
        self.ask(|done| Job::Wipe { tables, done }).await
    }

    async fn dump(&self, tables: &[&'static TableDef]) -> Result<Vec<TableDump>, StoreError> {
        let tables = tables.to_vec();
        self.read(move |db, keyspaces, now_ms| dump(db, keyspaces, &tables, now_ms))
            .await
    }
}

fn dump(
    db: &Database,
    keyspaces: &Keyspaces,
    tables: &[&'static TableDef],
    now_ms: i64,
) -> Result<Vec<TableDump>, StoreError> {
    tables
        .iter()
        .map(|table| read::dump(db, keyspaces, table, now_ms))
        .collect()
}

fn item(row: &Row) -> Result<Item, StoreError> {
    check_row(row)?;
    Ok(Item {
        table: row.table,
        key: key::encode(row.table, &row.key)?,
        value: value::encode(row),
    })
}

fn check_format(keyspaces: &Keyspaces) -> Result<(), StoreError> {
    let meta = keyspaces.named("meta".to_owned())?;
    let failed = |e| engine_error("reading the store's format", e);
    match meta.get("format").map_err(failed)? {
        None => meta.insert("format", FORMAT).map_err(failed),
        Some(found) if &*found == FORMAT => Ok(()),
        Some(found) => {
            let found = String::from_utf8_lossy(&found).into_owned();
            let problem = format!("the folder is of format `{found}`: delete it and rebuild the store from the log");
            Err(engine_error("opening the store", std::io::Error::other(problem)))
        }
    }
}

fn engine_error(context: &str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
    StoreError::Engine {
        context: context.to_owned(),
        source: source.into(),
    }
}
