//! Tables and rows of the suite.

use std::time::Duration;

use crate::{Column, ColumnType, Order, Row, Scan, TableDef, Value};

const fn column(name: &'static str, kind: ColumnType) -> Column {
    Column { name, kind }
}

/// A table whose rows change.
pub static STATES: TableDef = TableDef {
    name: "suite_states",
    partition_key: &[column("p", ColumnType::Text)],
    clustering_key: &[(column("n", ColumnType::Int), Order::Asc)],
    columns: &[
        column("word", ColumnType::Text),
        column("number", ColumnType::Bigint),
        column("attrs", ColumnType::Map),
    ],
    retention: None,
    mutable: true,
};

/// How long an event is kept: a day.
pub const EVENT_RETENTION_MS: i64 = 86_400_000;

/// A table whose rows never change, newest first.
pub static EVENTS: TableDef = TableDef {
    name: "suite_events",
    partition_key: &[column("p", ColumnType::Text), column("year", ColumnType::Int)],
    clustering_key: &[
        (column("at", ColumnType::Timestamp), Order::Desc),
        (column("id", ColumnType::Blob), Order::Desc),
    ],
    columns: &[column("word", ColumnType::Text)],
    retention: Some(Duration::from_millis(86_400_000)),
    mutable: false,
};

/// Both.
pub static TABLES: &[&TableDef] = &[&STATES, &EVENTS];

pub fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

pub fn state(p: &str, n: i32, word: &str, wts_us: i64) -> Row {
    Row {
        table: &STATES,
        key: vec![text(p), Value::Int(n)],
        columns: vec![Some(text(word)), Some(Value::Bigint(wts_us)), None],
        wts_us,
        expires_at_ms: None,
    }
}

pub fn event(p: &str, at_ms: i64, id: u8) -> Row {
    Row {
        table: &EVENTS,
        key: vec![
            text(p),
            Value::Int(2026),
            Value::Timestamp(at_ms),
            Value::Blob(vec![id]),
        ],
        columns: vec![Some(text(&format!("{at_ms}/{id}")))],
        wts_us: at_ms * 1_000,
        expires_at_ms: Some(at_ms + EVENT_RETENTION_MS),
    }
}

pub fn states(p: &str) -> Scan {
    scan(&STATES, vec![text(p)])
}

pub fn events(p: &str) -> Scan {
    scan(&EVENTS, vec![text(p), Value::Int(2026)])
}

fn scan(table: &'static TableDef, partition: Vec<Value>) -> Scan {
    Scan {
        table,
        partition,
        prefix: vec![],
        limit: 1_000,
        cursor: None,
        reverse: false,
    }
}
