//! From the changes of a batch to writes, and the writes themselves.
//!
//! Rows beside an entity's own (its group, its site, its serial) depend on what the entity is now; those of what it was
//! before have to go, so that the store always equals what a rebuild from the last records would make. What it was before
//! is its row in the store. Deletions carry the write time of what they delete and stand before anything is written: a
//! crash in between leaves the old row, and the same batch is read again.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use model::{EntityId, Micros, Position};
use store::rows::{EntityRow, StatusRow};
use store::{Row, Store, StoreError, TableDef, Value, queries};
use tokio::task::JoinSet;

use crate::core::{Change, Removal, Removed, derived_keys, keys_of_entity, keys_of_status, rows_of};

/// Rows of one call to the store.
const CALL_ROWS: usize = 500;
/// Calls at one time.
const CALLS_MAX: usize = 8;
/// Reads and deletions of single rows at one time: each is a round trip to a store that is not in this process.
const SINGLE_ROWS_MAX: usize = 64;

/// A row to be deleted if it was not written later.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Deletion {
    pub(crate) table: &'static TableDef,
    pub(crate) key: Vec<Value>,
    pub(crate) wts_us: i64,
}

/// What a batch does to the store.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) deletions: Vec<Deletion>,
    pub(crate) rows: Vec<Row>,
}

/// Finds out what changes do to the store as it is now. Asks it only about entities of `inventory`, and removed ones.
pub(crate) async fn plan(store: &Arc<dyn Store>, changes: &[Change]) -> Result<Plan, StoreError> {
    let mut known = Known::before(store, changes).await?;
    let mut plan = Plan::default();
    for change in changes {
        match change {
            Change::Event(_)
            | Change::Ledger(_)
            | Change::Sample(..)
            | Change::Rollup(_)
            | Change::Alarm(_)
            | Change::AlarmEvent(_)
            | Change::Incident(_)
            | Change::Rule(_)
            | Change::Silence(_) => plan.rows.extend(rows_of(change)),
            Change::Refused(_) | Change::Wanted(_) | Change::Forgotten => {}
            Change::Status(status) => {
                known.statuses.insert(status.entity.clone(), Some(status.clone()));
                plan.rows.extend(rows_of(change));
            }
            Change::Inventory(entity) => known.entity_is(entity, &mut plan),
            Change::Removed(removal) => known.removed(removal, &mut plan),
        }
    }
    Ok(plan)
}

/// Entities as they are after the changes so far.
#[derive(Default)]
struct Known {
    entities: HashMap<EntityId, Option<EntityRow>>,
    statuses: HashMap<EntityId, Option<StatusRow>>,
}

/// A row as the store has it.
#[allow(clippy::large_enum_variant, reason = "read once and moved once")]
enum Read {
    Entity(EntityId, Option<EntityRow>),
    Status(EntityId, Option<StatusRow>),
}

impl Known {
    /// What the changes of a batch are going to ask about, read many at one time.
    async fn before(store: &Arc<dyn Store>, changes: &[Change]) -> Result<Self, StoreError> {
        let mut known = Self::default();
        let mut reads: Vec<(Removed, EntityId)> = Vec::new();
        for change in changes {
            let (of, entity) = match change {
                Change::Event(_)
                | Change::Ledger(_)
                | Change::Sample(..)
                | Change::Refused(_)
                | Change::Rollup(_)
                | Change::Wanted(_)
                | Change::Alarm(_)
                | Change::AlarmEvent(_)
                | Change::Incident(_)
                | Change::Rule(_)
                | Change::Silence(_)
                | Change::Forgotten => continue,
                // What it was before is not asked about.
                Change::Status(status) => {
                    known.statuses.entry(status.entity.clone()).or_default();
                    continue;
                }
                Change::Inventory(entity) => (Removed::Inventory, &entity.entity),
                Change::Removed(removal) => (removal.of, &removal.entity),
            };
            let is_first = match of {
                Removed::Inventory => known.entities.insert(entity.clone(), None).is_none(),
                Removed::Status => known.statuses.insert(entity.clone(), None).is_none(),
            };
            if is_first {
                reads.push((of, entity.clone()));
            }
        }
        let reads = reads.into_iter().map(|(of, entity)| {
            let store = Arc::clone(store);
            async move {
                Ok(match of {
                    Removed::Inventory => {
                        let found = queries::entity(&*store, &entity).await?;
                        Read::Entity(entity, found)
                    }
                    Removed::Status => {
                        let found = queries::status(&*store, &entity).await?;
                        Read::Status(entity, found)
                    }
                })
            }
        });
        let keep = |read| match read {
            Read::Entity(entity, found) => drop(known.entities.insert(entity, found)),
            Read::Status(entity, found) => drop(known.statuses.insert(entity, found)),
        };
        all(reads, SINGLE_ROWS_MAX, keep).await?;
        Ok(known)
    }

    fn entity_is(&mut self, entity: &EntityRow, plan: &mut Plan) {
        if let Some(Some(before)) = self.entities.get(&entity.entity) {
            if before.wts > entity.wts {
                return; // Read again after a crash: the store is further on.
            }
            let now = derived_keys(entity);
            let gone = derived_keys(before).into_iter().filter(|key| !now.contains(key));
            plan.delete(gone, before.wts);
        }
        plan.rows.extend(rows_of(&Change::Inventory(entity.clone())));
        self.entities.insert(entity.entity.clone(), Some(entity.clone()));
    }

    fn removed(&mut self, removal: &Removal, plan: &mut Plan) {
        let entity = &removal.entity;
        match removal.of {
            Removed::Inventory => {
                let before = self.entities.get(entity).and_then(Option::as_ref);
                if let Some(before) = before.filter(|b| precedes(b.position, b.wts, removal)) {
                    plan.delete(keys_of_entity(before), before.wts);
                    self.entities.insert(entity.clone(), None);
                }
            }
            Removed::Status => {
                let before = self.statuses.get(entity).and_then(Option::as_ref);
                if let Some(before) = before.filter(|b| precedes(b.position, b.wts, removal)) {
                    plan.delete(keys_of_status(entity), before.wts);
                    self.statuses.insert(entity.clone(), None);
                }
            }
        }
    }
}

/// Whether a row was made before a removal. Append times do not tell: a tombstone is appended with the commit that holds
/// it, after inputs that were already in the log and make the entity again.
fn precedes(position: Position, wts: Micros, removal: &Removal) -> bool {
    removal
        .input
        .map_or(wts <= removal.appended_at, |input| position <= input)
}

impl Plan {
    fn delete(&mut self, keys: impl IntoIterator<Item = (&'static TableDef, Vec<Value>)>, wts: Micros) {
        let deletions = keys.into_iter().map(|(table, key)| Deletion {
            table,
            key,
            wts_us: wts.0,
        });
        self.deletions.extend(deletions);
    }

    /// Makes it durable. May be done again, whole or from anywhere.
    pub(crate) async fn apply(&self, store: &Arc<dyn Store>) -> Result<(), StoreError> {
        let deletions = self.deletions.iter().cloned().map(|d| {
            let store = Arc::clone(store);
            async move { store.delete(d.table, d.key, d.wts_us).await }
        });
        all(deletions, SINGLE_ROWS_MAX, drop).await?;
        let upserts = calls(self.rows.clone()).into_iter().map(|rows| {
            let store = Arc::clone(store);
            async move { store.upsert(rows).await }
        });
        all(upserts, CALLS_MAX, drop).await
    }
}

/// Packs rows into calls, the rows of one partition together: a CQL engine makes one batch of them.
fn calls(rows: Vec<Row>) -> Vec<Vec<Row>> {
    let mut partitions: BTreeMap<(&'static str, String), Vec<Row>> = BTreeMap::new();
    for row in rows {
        let partition = format!("{:?}", &row.key[..row.table.partition_key.len()]);
        partitions.entry((row.table.name, partition)).or_default().push(row);
    }
    let mut calls: Vec<Vec<Row>> = Vec::new();
    for rows in partitions.into_values() {
        match calls.last_mut() {
            Some(call) if call.len() + rows.len() <= CALL_ROWS => call.extend(rows),
            _ => calls.push(rows),
        }
    }
    calls
}

/// Runs all, so many at one time, and hands over what they answer; the first failure is the answer, and ends the others.
pub(crate) async fn all<F, T>(
    work: impl Iterator<Item = F>,
    at_one_time: usize,
    mut done: impl FnMut(T),
) -> Result<(), StoreError>
where
    F: Future<Output = Result<T, StoreError>> + Send + 'static,
    T: Send + 'static,
{
    let mut running = JoinSet::new();
    for task in work {
        if running.len() >= at_one_time
            && let Some(result) = running.join_next().await
        {
            done(joined(result)?);
        }
        running.spawn(task);
    }
    while let Some(result) = running.join_next().await {
        done(joined(result)?);
    }
    Ok(())
}

fn joined<T>(result: Result<Result<T, StoreError>, tokio::task::JoinError>) -> Result<T, StoreError> {
    result.unwrap_or_else(|error| {
        Err(StoreError::Engine {
            context: "asking the store".to_owned(),
            source: error.into(),
        })
    })
}
