//! What a table is, as data; both engines read the same definitions.

use std::time::Duration;

/// Type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// UTF-8 text.
    Text,
    /// 32-bit signed.
    Int,
    /// 64-bit signed.
    Bigint,
    /// 64-bit float.
    Double,
    /// Truth value.
    Boolean,
    /// Milliseconds since 1970.
    Timestamp,
    /// Bytes.
    Blob,
    /// Text to text, sorted.
    Map,
}

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Name.
    pub name: &'static str,
    /// Type.
    pub kind: ColumnType,
}

/// Order of a clustering column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Smallest first.
    Asc,
    /// Largest first.
    Desc,
}

/// A table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableDef {
    /// Name.
    pub name: &'static str,
    /// Partition key.
    pub partition_key: &'static [Column],
    /// Clustering key.
    pub clustering_key: &'static [(Column, Order)],
    /// Everything else.
    pub columns: &'static [Column],
    /// Rows live this long after their event time; `None` for ever.
    pub retention: Option<Duration>,
    /// Whether a row may be written twice with different content: then the whole row with the higher write time wins.
    pub mutable: bool,
}

impl TableDef {
    /// Whether a row's end follows from its key, so that windows of rows that have ended are given back whole: rows that never change
    /// end by their event time, and a row that may change does so if its last clustering column is the instant it is of.
    pub fn ends_by_key(&self) -> bool {
        let last = self.clustering_key.last().map(|(column, _)| column.kind);
        self.retention.is_some() && (!self.mutable || last == Some(ColumnType::Timestamp))
    }
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "as ColumnType")]
pub enum Value {
    Text(String),
    Int(i32),
    Bigint(i64),
    Double(f64),
    Boolean(bool),
    Timestamp(i64),
    Blob(Vec<u8>),
    Map(std::collections::BTreeMap<String, String>),
}
