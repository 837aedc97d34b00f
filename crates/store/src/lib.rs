//! The store: rows that a query reads from one partition. Two engines over one list of tables: fjall in the data folder,
//! here, and CQL in a crate of its own. A table is written from exactly one topic, whole rows only; the row with the higher write time wins.

mod check;
#[cfg(feature = "conformance")]
pub mod conformance;
mod engine;
mod metric;
pub mod queries;
pub mod rows;
mod table;

use async_trait::async_trait;
pub use check::{KEY_BYTES_MAX, ROW_BYTES_MAX, check_key, check_row, check_scan, is_empty_partition};
pub use engine::{FjallStore, kit};
pub use table::{Column, ColumnType, Order, TableDef, Value};
use thiserror::Error;

/// An operating error of the store.
#[derive(Debug, Error)]
pub enum StoreError {
    /// A row or query does not fit its table: a bug of the caller.
    #[error("{table}: {problem}")]
    Invalid {
        /// The table.
        table: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// The cursor is not one of ours, or of another query.
    #[error("not a cursor of this query")]
    BadCursor,
    /// The engine cannot be reached, or cannot take this now: the same call may succeed later.
    #[error("{context}")]
    Away {
        /// What was being done.
        context: String,
        /// Why it failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The engine's own error.
    #[error("{context}")]
    Engine {
        /// What was being done.
        context: String,
        /// Why it failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl StoreError {
    /// Whether the same call may succeed later without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Away { .. })
    }
}

/// A row, whole. Absent optional values are `None`.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its table.
    pub table: &'static TableDef,
    /// Partition key, then clustering key.
    pub key: Vec<Value>,
    /// Columns, in the table's order.
    pub columns: Vec<Option<Value>>,
    /// Write time, microseconds since 1970: a function of the log, never a clock.
    pub wts_us: i64,
    /// Milliseconds since 1970 after which it is gone; `None` never.
    pub expires_at_ms: Option<i64>,
}

/// A read of one partition, in clustering order.
#[derive(Debug, Clone)]
pub struct Scan {
    /// Which table.
    pub table: &'static TableDef,
    /// The whole partition key.
    pub partition: Vec<Value>,
    /// Leading clustering values that must be equal.
    pub prefix: Vec<Value>,
    /// At most this many rows.
    pub limit: usize,
    /// Where an earlier page ended.
    pub cursor: Option<Vec<u8>>,
    /// Against the table's order.
    pub reverse: bool,
}

/// Rows, and where the next page begins.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The rows.
    pub rows: Vec<Row>,
    /// Cursor of the next page, if there is one.
    pub next: Option<Vec<u8>>,
}

/// What a table holds, for comparing two stores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableDump {
    /// The table.
    pub name: &'static str,
    /// How many rows can be read.
    pub rows: u64,
    /// A hash of them in any order: keys, columns, write times, ends. The same for every engine that holds the same rows.
    pub hash: u128,
}

/// What a store holds, table by table. Two stores with equal hashes hold the same rows with the same write times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DumpHash {
    /// In the order of [`rows::TABLES`].
    pub tables: Vec<TableDump>,
}

/// A row engine.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Writes rows, durable when it answers. Idempotent; of two contents of one row the higher write time stays.
    async fn upsert(&self, rows: Vec<Row>) -> Result<(), StoreError>;

    /// Reads one partition.
    async fn scan(&self, scan: Scan) -> Result<Page, StoreError>;

    /// Deletes a row whose write time is not above `wts_us`.
    async fn delete(&self, table: &'static TableDef, key: Vec<Value>, wts_us: i64) -> Result<(), StoreError>;

    /// Writes a row if its present columns equal `expect` (`None`: if there is none). For [`rows::CONDITIONAL_TABLES`] only:
    /// an engine whose conditional writes have a clock of their own lets nothing else write those.
    async fn put_if(&self, row: Row, expect: Option<Vec<Option<Value>>>) -> Result<bool, StoreError>;

    /// Whether it can answer.
    async fn health(&self) -> Result<(), StoreError>;

    /// Removes every row of some tables, and every memory of deleted ones: the first half of a rebuild.
    async fn wipe(&self, tables: &[&'static TableDef]) -> Result<(), StoreError> {
        Err(unable(tables, "be emptied"))
    }

    /// Counts and hashes what some tables hold.
    async fn dump(&self, tables: &[&'static TableDef]) -> Result<Vec<TableDump>, StoreError> {
        Err(unable(tables, "be dumped"))
    }
}

fn unable(tables: &[&'static TableDef], what: &str) -> StoreError {
    StoreError::Invalid {
        table: tables.first().map_or("store", |t| t.name),
        problem: format!("this engine's tables cannot {what}"),
    }
}
