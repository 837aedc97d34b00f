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
pub(crate) async fn plan(store: &dyn Store, changes: &[Change]) -> Result<Plan, StoreError> {
    let mut known = Known {
        store,
        entities: HashMap::new(),
        statuses: HashMap::new(),
    };
    let mut plan = Plan::default();
    for change in changes {
        match change {
            Change::Event(_) => plan.rows.extend(rows_of(change)),
            Change::Status(status) => {
                known.statuses.insert(status.entity.clone(), Some(status.clone()));
                plan.rows.extend(rows_of(change));
            }
            Change::Inventory(entity) => known.entity_is(entity, &mut plan).await?,
            Change::Removed(removal) => known.removed(removal, &mut plan).await?,
        }
    }
    Ok(plan)
}

/// Entities as they are after the changes so far.
struct Known<'a> {
    store: &'a dyn Store,
    entities: HashMap<EntityId, Option<EntityRow>>,
    statuses: HashMap<EntityId, Option<StatusRow>>,
}

impl Known<'_> {
    async fn entity_is(&mut self, entity: &EntityRow, plan: &mut Plan) -> Result<(), StoreError> {
        if let Some(before) = self.entity(&entity.entity).await? {
            if before.wts > entity.wts {
                return Ok(()); // Read again after a crash: the store is further on.
            }
            let now = derived_keys(entity);
            let gone = derived_keys(&before).into_iter().filter(|key| !now.contains(key));
            plan.delete(gone, before.wts);
        }
        plan.rows.extend(rows_of(&Change::Inventory(entity.clone())));
        self.entities.insert(entity.entity.clone(), Some(entity.clone()));
        Ok(())
    }

    async fn removed(&mut self, removal: &Removal, plan: &mut Plan) -> Result<(), StoreError> {
        match removal.of {
            Removed::Inventory => {
                let before = self.entity(&removal.entity).await?;
                if let Some(before) = before.filter(|b| precedes(b.position, b.wts, removal)) {
                    plan.delete(keys_of_entity(&before), before.wts);
                    self.entities.insert(removal.entity.clone(), None);
                }
            }
            Removed::Status => {
                let before = match self.statuses.get(&removal.entity) {
                    Some(known) => known.clone(),
                    None => queries::status(self.store, &removal.entity).await?,
                };
                if let Some(before) = before.filter(|b| precedes(b.position, b.wts, removal)) {
                    plan.delete(keys_of_status(&removal.entity), before.wts);
                    self.statuses.insert(removal.entity.clone(), None);
                }
            }
        }
        Ok(())
    }

    async fn entity(&self, entity: &EntityId) -> Result<Option<EntityRow>, StoreError> {
        match self.entities.get(entity) {
            Some(known) => Ok(known.clone()),
            None => queries::entity(self.store, entity).await,
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
        all(deletions).await?;
        let upserts = calls(self.rows.clone()).into_iter().map(|rows| {
            let store = Arc::clone(store);
            async move { store.upsert(rows).await }
        });
        all(upserts).await
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

/// Runs all, a few at one time; the first failure is the answer, and ends the others.
async fn all<F>(work: impl Iterator<Item = F>) -> Result<(), StoreError>
where
    F: Future<Output = Result<(), StoreError>> + Send + 'static,
{
    let mut running = JoinSet::new();
    for task in work {
        if running.len() >= CALLS_MAX {
            joined(running.join_next().await)?;
        }
        running.spawn(task);
    }
    while !running.is_empty() {
        joined(running.join_next().await)?;
    }
    Ok(())
}

fn joined(result: Option<Result<Result<(), StoreError>, tokio::task::JoinError>>) -> Result<(), StoreError> {
    match result {
        None | Some(Ok(Ok(()))) => Ok(()),
        Some(Ok(Err(error))) => Err(error),
        Some(Err(error)) => Err(StoreError::Engine {
            context: "writing rows".to_owned(),
            source: error.into(),
        }),
    }
}
