//! Which part of the database a row stands in: one keyspace for each table; for tables whose rows never change and end, one
//! for each month in which rows end, so that a month is given back whole when it is over.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use fjall::{Database, Keyspace, KeyspaceCreateOptions};

use super::engine_error;
use crate::rows::year_month;
use crate::{StoreError, TableDef};

/// Rows that end so far ahead that their event time cannot be right share one keyspace: else damaged clocks could make
/// thousands of them. Two months beyond the retention.
const LATER_MS: i64 = 62 * 86_400_000;

pub(super) struct Keyspaces {
    db: Database,
    open: RwLock<BTreeMap<String, Keyspace>>,
}

impl Keyspaces {
    pub(super) fn new(db: Database) -> Result<Self, StoreError> {
        let mut open = BTreeMap::new();
        for name in db.list_keyspace_names() {
            let keyspace = db.keyspace(&name, KeyspaceCreateOptions::default);
            open.insert(
                name.to_string(),
                keyspace.map_err(|e| engine_error("opening a table", e))?,
            );
        }
        Ok(Self {
            db,
            open: RwLock::new(open),
        })
    }

    /// Where a row of this table that ends then is written.
    pub(super) fn for_row(
        &self,
        table: &'static TableDef,
        expires_at_ms: Option<i64>,
        now_ms: i64,
    ) -> Result<Keyspace, StoreError> {
        let name = match (table.retention, expires_at_ms) {
            (Some(retention), Some(end)) if table.ends_by_key() => {
                let retention_ms = i64::try_from(retention.as_millis()).unwrap_or(i64::MAX);
                let far = now_ms.saturating_add(retention_ms).saturating_add(LATER_MS);
                if end > far {
                    format!("{}@later", table.name)
                } else {
                    let (year, month) = year_month(end);
                    format!("{}@{year:04}-{month:02}", table.name)
                }
            }
            _ => table.name.to_owned(),
        };
        self.named(name)
    }

    /// The keyspace of that name, made if it is not there.
    pub(super) fn named(&self, name: String) -> Result<Keyspace, StoreError> {
        if let Some(keyspace) = self.open.read().unwrap_or_else(PoisonError::into_inner).get(&name) {
            return Ok(keyspace.clone());
        }
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        let made = self.db.keyspace(&name, KeyspaceCreateOptions::default);
        let keyspace = made.map_err(|e| engine_error("making a table", e))?;
        open.insert(name, keyspace.clone());
        Ok(keyspace)
    }

    /// All keyspaces that hold rows of a table.
    pub(super) fn of(&self, table: &TableDef) -> Vec<Keyspace> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        let of_table = |name: &str| name.split('@').next() == Some(table.name);
        open.iter()
            .filter(|(name, _)| of_table(name))
            .map(|(_, keyspace)| keyspace.clone())
            .collect()
    }

    /// Gives back the months of a table that are over. Answers how many.
    pub(super) fn drop_over(&self, table: &TableDef, now_ms: i64) -> Result<usize, StoreError> {
        let this_month = year_month(now_ms);
        self.drop_where(table, |bucket| month_of(bucket).is_some_and(|month| month < this_month))
    }

    /// Removes everything of a table.
    pub(super) fn wipe(&self, table: &TableDef) -> Result<(), StoreError> {
        self.drop_where(table, |_| true)?;
        for keyspace in self.of(table) {
            keyspace.clear().map_err(|e| engine_error("emptying a table", e))?;
        }
        Ok(())
    }

    fn drop_where(&self, table: &TableDef, condition: impl Fn(&str) -> bool) -> Result<usize, StoreError> {
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        let over: Vec<String> = open
            .keys()
            .filter(|name| {
                name.split_once('@')
                    .is_some_and(|(t, bucket)| t == table.name && condition(bucket))
            })
            .cloned()
            .collect();
        for name in &over {
            if let Some(keyspace) = open.remove(name) {
                self.db
                    .delete_keyspace(keyspace)
                    .map_err(|e| engine_error("dropping a month", e))?;
            }
        }
        Ok(over.len())
    }
}

/// `2027-07`; `None` for the keyspace of later months.
fn month_of(bucket: &str) -> Option<(i64, u32)> {
    let (year, month) = bucket.rsplit_once('-')?;
    Some((year.parse().ok()?, month.parse().ok()?))
}
