//! The one thread that writes. It gathers what came through its queue into one batch, syncs it, and answers.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fjall::{Database, Keyspace, PersistMode};
use tokio::sync::{mpsc, oneshot};

use super::keyspaces::Keyspaces;
use super::value::{self, Head};
use super::{Clock, engine_error};
use crate::metric;
use crate::{StoreError, TableDef};

/// Jobs that wait before a caller has to.
pub(super) const QUEUE_JOBS: usize = 256;
/// A batch is cut at this many rows: some 2 MB, a few milliseconds of work beside the sync.
const BATCH_ROWS_MAX: usize = 10_000;
/// How often ended rows and forgotten deletions are looked for.
const MAINTENANCE_EVERY: Duration = Duration::from_secs(3_600);

/// A row or a deletion, encoded.
pub(super) struct Item {
    pub(super) table: &'static TableDef,
    pub(super) key: Vec<u8>,
    pub(super) value: Vec<u8>,
}

pub(super) enum Job {
    Write {
        items: Vec<Item>,
        done: oneshot::Sender<Result<(), StoreError>>,
    },
    /// Only if the present columns are these.
    PutIf {
        item: Item,
        expect: Option<Vec<u8>>,
        done: oneshot::Sender<Result<bool, StoreError>>,
    },
    Wipe {
        tables: Vec<&'static TableDef>,
        done: oneshot::Sender<Result<(), StoreError>>,
    },
    Maintain {
        done: oneshot::Sender<Result<usize, StoreError>>,
    },
}

pub(super) struct Writer {
    pub(super) db: Database,
    pub(super) keyspaces: Arc<Keyspaces>,
    pub(super) tables: &'static [&'static TableDef],
    pub(super) clock: Clock,
}

/// A gathered job, to be answered after the sync.
enum Answer {
    Written(oneshot::Sender<Result<(), StoreError>>),
    Put(oneshot::Sender<Result<bool, StoreError>>, bool),
}

/// Last value of each key in the batch: a later row of the same batch is compared with it, and each key is written once.
type Pending = HashMap<(u64, Vec<u8>), (Keyspace, Vec<u8>)>;

impl Writer {
    /// Runs until all senders are gone.
    pub(super) fn run(self, mut queue: mpsc::Receiver<Job>) {
        let mut maintained = Instant::now();
        if let Err(error) = self.maintain() {
            tracing::warn!(%error, "cannot remove ended rows of the store");
        }
        while let Some(first) = queue.blocking_recv() {
            self.batch(first, &mut queue);
            if maintained.elapsed() >= MAINTENANCE_EVERY {
                maintained = Instant::now();
                if let Err(error) = self.maintain() {
                    tracing::warn!(%error, "cannot remove ended rows of the store");
                }
            }
        }
    }

    fn batch(&self, first: Job, queue: &mut mpsc::Receiver<Job>) {
        let mut pending = Pending::new();
        let mut answers = Vec::new();
        let mut apart = None;
        let mut next = Some(first);
        while let Some(job) = next.take() {
            match job {
                Job::Write { items, done } => match self.stage_all(items, &mut pending) {
                    Ok(()) => answers.push(Answer::Written(done)),
                    Err(error) => answer(done, Err(error)),
                },
                Job::PutIf { item, expect, done } => match self.stage_if(item, expect, &mut pending) {
                    Ok(written) => answers.push(Answer::Put(done, written)),
                    Err(error) => answer(done, Err(error)),
                },
                other => {
                    apart = Some(other);
                    break;
                }
            }
            if pending.len() < BATCH_ROWS_MAX {
                next = queue.try_recv().ok();
            }
        }
        self.commit(pending, answers);
        match apart {
            Some(Job::Wipe { tables, done }) => answer(done, self.wipe(&tables)),
            Some(Job::Maintain { done }) => answer(done, self.maintain()),
            Some(Job::Write { .. } | Job::PutIf { .. }) | None => {}
        }
    }

    fn stage_all(&self, items: Vec<Item>, pending: &mut Pending) -> Result<(), StoreError> {
        items.into_iter().try_for_each(|item| self.stage(item, pending))
    }

    fn stage(&self, item: Item, pending: &mut Pending) -> Result<(), StoreError> {
        let now_ms = (self.clock)();
        let Some(head) = Head::of(&item.value) else {
            return Ok(());
        };
        if head.is_over(now_ms) && item.table.ends_by_key() {
            metrics::counter!(metric::ROWS_TOO_OLD).increment(1);
            return Ok(());
        }
        let keyspace = self.keyspaces.for_row(item.table, head.expires_at_ms, now_ms)?;
        if item.table.mutable {
            let present = present(&keyspace, &item.key, pending)?;
            if present.is_some_and(|old| !value::replaces(&item.value, &old)) {
                return Ok(());
            }
        }
        pending.insert((keyspace.id(), item.key), (keyspace, item.value));
        Ok(())
    }

    fn stage_if(&self, item: Item, expect: Option<Vec<u8>>, pending: &mut Pending) -> Result<bool, StoreError> {
        let now_ms = (self.clock)();
        let keyspace = self.keyspaces.for_row(item.table, None, now_ms)?;
        let present = present(&keyspace, &item.key, pending)?;
        let head = present.as_deref().and_then(Head::of);
        let living = present.as_deref().filter(|_| head.is_some_and(|h| h.is_live(now_ms)));
        if living.map(value::columns_of) != expect.as_deref() {
            return Ok(false);
        }
        // Never below what it replaces, whatever the clock of the caller says.
        let wts_us = match (Head::of(&item.value), head) {
            (Some(new), Some(old)) => new.wts_us.max(old.wts_us.saturating_add(1)),
            (Some(new), None) => new.wts_us,
            (None, _) => return Ok(false),
        };
        let value = value::at_write_time(item.value, wts_us);
        pending.insert((keyspace.id(), item.key), (keyspace, value));
        Ok(true)
    }

    fn commit(&self, pending: Pending, answers: Vec<Answer>) {
        let rows = pending.len();
        let started = Instant::now();
        let result = self.write(pending);
        if result.is_ok() && rows > 0 {
            metrics::histogram!(metric::COMMIT_SECONDS).record(started.elapsed());
            metrics::counter!(metric::ROWS_WRITTEN).increment(u64::try_from(rows).expect("a length"));
        }
        let failure = result.err().map(Arc::new);
        let outcome = || {
            failure
                .as_ref()
                .map_or(Ok(()), |e| Err(engine_error("writing a batch", Arc::clone(e))))
        };
        for waiting in answers {
            match waiting {
                Answer::Written(done) => answer(done, outcome()),
                Answer::Put(done, written) => answer(done, outcome().map(|()| written)),
            }
        }
    }

    fn write(&self, pending: Pending) -> Result<(), fjall::Error> {
        let mut batch = self.db.batch().durability(Some(PersistMode::SyncData));
        for ((_, key), (keyspace, value)) in pending {
            batch.insert(&keyspace, key, value);
        }
        batch.commit()
    }

    fn wipe(&self, tables: &[&'static TableDef]) -> Result<(), StoreError> {
        tables.iter().try_for_each(|table| self.keyspaces.wipe(table))?;
        self.db
            .persist(PersistMode::SyncAll)
            .map_err(|e| engine_error("emptying tables", e))
    }

    /// Gives back months that are over, and removes ended rows and deletions old enough to be forgotten. Answers how many.
    fn maintain(&self) -> Result<usize, StoreError> {
        let now_ms = (self.clock)();
        let mut removed = 0;
        for table in self.tables {
            let dropped = self.keyspaces.drop_over(table, now_ms)?;
            if dropped > 0 {
                tracing::info!(
                    table = table.name,
                    months = dropped,
                    "gave back months whose rows have ended"
                );
            }
            removed += dropped;
            for keyspace in self.keyspaces.of(table) {
                if !keyspace.name().contains('@') || keyspace.name().ends_with("@later") {
                    removed += self.sweep(&keyspace, now_ms)?;
                }
            }
        }
        Ok(removed)
    }

    fn sweep(&self, keyspace: &Keyspace, now_ms: i64) -> Result<usize, StoreError> {
        let failed = |e| engine_error("removing ended rows", e);
        let mut removed = 0;
        let mut batch = self.db.batch();
        for pair in keyspace.iter() {
            let (key, value) = pair.into_inner().map_err(failed)?;
            if Head::of(&value).is_some_and(|head| head.is_over(now_ms)) {
                batch.remove(keyspace, key);
                removed += 1;
                if batch.len() >= BATCH_ROWS_MAX {
                    std::mem::replace(&mut batch, self.db.batch())
                        .commit()
                        .map_err(failed)?;
                }
            }
        }
        batch.commit().map_err(failed)?;
        Ok(removed)
    }
}

fn present(keyspace: &Keyspace, key: &[u8], pending: &Pending) -> Result<Option<Vec<u8>>, StoreError> {
    if let Some((_, value)) = pending.get(&(keyspace.id(), key.to_vec())) {
        return Ok(Some(value.clone()));
    }
    let stored = keyspace
        .get(key)
        .map_err(|e| engine_error("reading the present row", e))?;
    Ok(stored.map(|value| value.to_vec()))
}

fn answer<T>(done: oneshot::Sender<T>, result: T) {
    // Whoever asked may have given up waiting; the work stands all the same.
    drop(done.send(result));
}
