//! Conditional writes: lightweight transactions, for users and refresh families alone.
//!
//! One form of statement serves all: an UPDATE whose condition is the write time and the columns that were read, all null if
//! there is no row. So no row has a mark of its own besides its columns, and a row whose TTL has passed is gone whole.

use std::time::Instant;

use scylla::errors::ExecutionError;
use scylla::value::{CqlValue, Row as Values};
use store::{Row, StoreError, TableDef, Value, check_key, check_row, kit};

use crate::CqlError;
use crate::engine::CqlStore;
use crate::error::is_transient;
use crate::read::{is_live, rows_of};
use crate::retry::{Backoff, Op};
use crate::time::{Life, life};
use crate::values::{Cell, Cells};

const WHAT: &str = "writing a row conditionally";

/// Writes a row if its living columns equal `expect`.
pub(crate) async fn put_if(store: &CqlStore, row: &Row, expect: Option<&[Option<Value>]>) -> Result<bool, StoreError> {
    if !row.table.mutable {
        return Err(StoreError::Invalid {
            table: row.table.name,
            problem: "rows that never change are not written conditionally".to_owned(),
        });
    }
    check_row(row)?;
    let deadline = Instant::now() + store.config().write_within;
    let mut backoff = Backoff::new();
    loop {
        let present = settled(store, row.table, &row.key).await?;
        let living = present.as_ref().filter(|row| is_live(row, store.now_ms()));
        let as_expected = match (living, expect) {
            (Some(living), Some(expect)) => kit::same_columns(&living.columns, expect),
            (None, None) => true,
            _ => false,
        };
        if !as_expected {
            return Ok(false);
        }
        // Never below what it replaces, whatever the clock of the caller says.
        let after = present.as_ref().map_or(i64::MIN, |old| old.wts_us.saturating_add(1));
        let row = Row {
            wts_us: row.wts_us.max(after),
            ..row.clone()
        };
        match update(store, &row, present.as_ref()).await {
            Ok(true) => return Ok(true),
            // Somebody was quicker: what stands there now decides.
            Ok(false) => {}
            Err(Failure::Store(error)) => return Err(error),
            Err(Failure::Request(error)) if !is_transient(&error) => {
                return Err(CqlError::Request {
                    what: WHAT,
                    source: error,
                }
                .into());
            }
            // It may count or not. A read at the serial consistency settles it.
            Err(Failure::Request(error)) => {
                tracing::warn!(%error, table = row.table.name, "a conditional write was not answered: reading what became of it");
                let now = settled(store, row.table, &row.key).await?;
                if now.as_ref() == Some(&row) {
                    return Ok(true);
                }
                if now != present {
                    return Err(CqlError::OutcomeUnknown.into());
                }
            }
        }
        let wait = backoff.next();
        if Instant::now() + wait >= deadline {
            return Err(CqlError::OutcomeUnknown.into());
        }
        tokio::time::sleep(wait).await;
    }
}

/// Deletes a row of a table that is written conditionally, if its write time is not above `wts_us`.
pub(crate) async fn delete(
    store: &CqlStore,
    table: &'static TableDef,
    key: &[Value],
    wts_us: i64,
) -> Result<(), StoreError> {
    check_key(table, key)?;
    let statement = &store.statements().conditional_delete(store.session(), table).await?;
    let mut cells: Vec<_> = key.iter().map(Cell::Value).collect();
    cells.push(Cell::Bigint(wts_us));
    let cells = &Cells(cells);
    let request = || store.session().execute_unpaged(statement, cells);
    store
        .requests()
        .until_done(Op::Conditional, store.config().write_within, request)
        .await?;
    Ok(())
}

/// What stands there after everything that is under way has been settled.
async fn settled(store: &CqlStore, table: &'static TableDef, key: &[Value]) -> Result<Option<Row>, StoreError> {
    let statement = &store.statements().settled_row(store.session(), table).await?;
    let cells = &Cells(key.iter().map(Cell::Value).collect());
    let request = || store.session().execute_unpaged(statement, cells);
    let answer = store
        .requests()
        .until_done(Op::Select, store.config().read_within, request)
        .await?;
    Ok(rows_of(table, answer)?.pop())
}

enum Failure {
    Store(StoreError),
    Request(Box<ExecutionError>),
}

async fn update(store: &CqlStore, row: &Row, present: Option<&Row>) -> Result<bool, Failure> {
    let prepared = store.statements().conditional_update(store.session(), row.table).await;
    let statement = &prepared.map_err(|error| Failure::Store(error.into()))?;
    let ttl_s = match life(row.expires_at_ms, store.now_ms()) {
        Life::Ttl(ttl_s) => ttl_s,
        // Written and gone at once: reads hide it already.
        Life::Over => 1,
    };
    let wts_before = present.map(|row| row.wts_us);
    let mut cells = vec![Cell::Int(ttl_s)];
    cells.extend(row.columns.iter().map(|value| Cell::or(value.as_ref(), Cell::Null)));
    cells.push(Cell::Bigint(row.wts_us));
    cells.push(row.expires_at_ms.map_or(Cell::Null, Cell::Bigint));
    cells.extend(row.key.iter().map(Cell::Value));
    cells.push(wts_before.map_or(Cell::Null, Cell::Bigint));
    match present {
        Some(present) => cells.extend(present.columns.iter().map(|value| Cell::or(value.as_ref(), Cell::Null))),
        None => cells.extend(row.table.columns.iter().map(|_| Cell::Null)),
    }
    let cells = &Cells(cells);
    let request = store.session().execute_unpaged(statement, cells);
    let answer = store
        .requests()
        .once(Op::Conditional, request)
        .await
        .map_err(|error| Failure::Request(Box::new(error)))?;
    was_applied(answer).map_err(|error| Failure::Store(error.into()))
}

/// Whether a conditional statement's condition held: the first column of its one row. What stands behind it differs between
/// the servers.
pub(crate) fn was_applied(answer: scylla::response::query_result::QueryResult) -> Result<bool, CqlError> {
    let wrong = |error: Box<dyn std::error::Error + Send + Sync>| CqlError::answer(WHAT, error);
    let answer = answer.into_rows_result().map_err(|e| wrong(e.into()))?;
    let row = answer.first_row::<Values>().map_err(|e| wrong(e.into()))?;
    match row.columns.first() {
        Some(Some(CqlValue::Boolean(applied))) => Ok(*applied),
        _ => Err(wrong("it does not say whether it was applied".into())),
    }
}
