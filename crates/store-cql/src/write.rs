//! Writes: rows of a call, sorted by partition, in batches of one partition each, so many at one time.
//!
//! Of two contents of one row in one call only the one that stays is sent. Of two in different calls the servers decide by
//! the write time; on a tie they decide cell by cell, the larger value, in any order alike. Writers never make such ties (a
//! write time is a slot's own clock), so no row mixes.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use scylla::client::session::Session;
use scylla::statement::batch::{Batch, BatchType};
use store::rows::CONDITIONAL_TABLES;
use store::{Row, StoreError, TableDef, Value, check_row, kit};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::metric;
use crate::retry::{Op, Requests};
use crate::statements::{OfTable, Statements};
use crate::time::{Clock, Life, life, write_time};
use crate::values::{Cell, Cells, size_of};

/// Rows of one batch, and bytes: far below both servers' limits, and one batch is one write on each replica.
const BATCH_ROWS: usize = 100;
const BATCH_BYTES: usize = 64 * 1024;

pub(crate) struct Writer<'a> {
    pub(crate) session: &'a Session,
    pub(crate) statements: &'a Statements,
    pub(crate) requests: &'a Requests,
    pub(crate) in_flight: &'a Semaphore,
    pub(crate) within: Duration,
    pub(crate) clock: &'a Clock,
}

/// A row of a call, and where it stands.
struct Item<'a> {
    row: &'a Row,
    key: Vec<u8>,
    /// Bytes of `key` that are the partition's.
    partition: usize,
    ttl_s: i32,
}

impl Item<'_> {
    fn is_beside(&self, other: &Self) -> bool {
        self.row.table.name == other.row.table.name && self.key[..self.partition] == other.key[..other.partition]
    }
}

impl Writer<'_> {
    /// Writes rows; all are acknowledged when it answers.
    pub(crate) async fn upsert(&self, rows: &[Row]) -> Result<(), StoreError> {
        rows.iter().try_for_each(check)?;
        let now_ms = (self.clock)();
        let (mut items, over) = sort_out(rows, now_ms)?;
        keep_what_stays(&mut items);
        let mut running = FuturesUnordered::new();
        for row in over {
            // It has ended, and still it is what became of its row: a newer row that is gone.
            self.delete(row.table, &row.key, row.wts_us).await?;
        }
        for batch in batches(&items) {
            // Own writes first: a call waits in the queue for a permit only when it has none of its own to wait for.
            let permit = loop {
                if let Ok(permit) = self.in_flight.try_acquire() {
                    break self.counted(Some(permit));
                }
                match running.next().await {
                    Some(done) => done?,
                    None => break self.permit().await,
                }
            };
            running.push(self.write(batch, now_ms, permit));
        }
        while let Some(done) = running.next().await {
            done?;
        }
        self.requests
            .rows_written
            .increment(u64::try_from(items.len()).unwrap_or(u64::MAX));
        Ok(())
    }

    /// Deletes a row whose write time is not above `wts_us`, and what comes late with such a one.
    pub(crate) async fn delete(&self, table: &'static TableDef, key: &[Value], wts_us: i64) -> Result<(), StoreError> {
        let statement = &self.statements.of(table)?.delete;
        let mut cells = vec![Cell::Bigint(server_time(wts_us, (self.clock)()))];
        cells.extend(key.iter().map(Cell::Value));
        let cells = &Cells(cells);
        let _permit = self.permit().await;
        let request = || self.session.execute_unpaged(statement, cells);
        self.requests.until_done(Op::Delete, self.within, request).await?;
        self.requests.rows_written.increment(1);
        Ok(())
    }

    /// Holds its permit over all attempts: servers that do not keep up get no more at one time.
    async fn write(&self, items: &[Item<'_>], now_ms: i64, _permit: Permit<'_>) -> Result<(), StoreError> {
        let Some(first) = items.first() else { return Ok(()) };
        let OfTable { insert, .. } = self.statements.of(first.row.table)?;
        if let [item] = items {
            let values = &cells(item, now_ms);
            let request = || self.session.execute_unpaged(insert, values);
            self.requests.until_done(Op::Insert, self.within, request).await?;
            return Ok(());
        }
        let values: Vec<_> = items.iter().map(|item| cells(item, now_ms)).collect();
        let mut batch = Batch::new(BatchType::Unlogged);
        batch.set_is_idempotent(true);
        for _ in items {
            batch.append_statement(insert.clone());
        }
        let (batch, values) = (&batch, values.as_slice());
        let request = || self.session.batch(batch, values);
        self.requests.until_done(Op::Batch, self.within, request).await?;
        Ok(())
    }

    async fn permit(&self) -> Permit<'_> {
        // Never closed; without a permit it would only be unbounded.
        self.counted(self.in_flight.acquire().await.ok())
    }

    fn counted<'p>(&'p self, permit: Option<SemaphorePermit<'p>>) -> Permit<'p> {
        self.requests.in_flight.increment(1);
        Permit {
            _permit: permit,
            in_flight: &self.requests.in_flight,
        }
    }
}

struct Permit<'a> {
    _permit: Option<SemaphorePermit<'a>>,
    in_flight: &'a metrics::Gauge,
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.in_flight.decrement(1);
    }
}

fn check(row: &Row) -> Result<(), StoreError> {
    check_row(row)?;
    if CONDITIONAL_TABLES.iter().any(|t| t.name == row.table.name) {
        return Err(StoreError::Invalid {
            table: row.table.name,
            problem: "its rows are written with put_if alone: a plain write could lose against an earlier one"
                .to_owned(),
        });
    }
    Ok(())
}

/// Rows to be written, by partition; and those of tables that change which have ended.
fn sort_out(rows: &[Row], now_ms: i64) -> Result<(Vec<Item<'_>>, Vec<&Row>), StoreError> {
    let mut items = Vec::with_capacity(rows.len());
    let mut over = Vec::new();
    for row in rows {
        match life(row.expires_at_ms, now_ms) {
            Life::Ttl(ttl_s) => {
                let (key, partition) = kit::key_bytes(row.table, &row.key)?;
                items.push(Item {
                    row,
                    key,
                    partition,
                    ttl_s,
                });
            }
            Life::Over if row.table.mutable => over.push(row),
            Life::Over => metrics::counter!(metric::ROWS_TOO_OLD).increment(1),
        }
    }
    // Stable: of two contents with everything equal the later one of the call stays.
    items.sort_by(|a, b| (a.row.table.name, &a.key).cmp(&(b.row.table.name, &b.key)));
    Ok((items, over))
}

/// Of each row the content that stays.
fn keep_what_stays(items: &mut Vec<Item<'_>>) {
    items.dedup_by(|later, kept| {
        let same = later.row.table.name == kept.row.table.name && later.key == kept.key;
        if same && !kit::replaces(kept.row, later.row) {
            std::mem::swap(later, kept);
        }
        same
    });
}

/// Cuts rows into batches: of one partition, of a size that servers like.
fn batches<'a, 'r>(items: &'a [Item<'r>]) -> impl Iterator<Item = &'a [Item<'r>]> {
    let mut rest = items;
    std::iter::from_fn(move || {
        let first = rest.first()?;
        let mut bytes = 0;
        let fits = |item: &&Item<'_>| {
            bytes += size_of(item.row);
            item.is_beside(first) && bytes <= BATCH_BYTES
        };
        let count = rest.iter().take(BATCH_ROWS).take_while(fits).count().max(1);
        let (batch, behind) = rest.split_at(count);
        rest = behind;
        Some(batch)
    })
}

fn cells<'a>(item: &Item<'a>, now_ms: i64) -> Cells<'a> {
    let row = item.row;
    // A row that never changes has nothing before it: what it does not say need not be taken away.
    let absent = if row.table.mutable { Cell::Null } else { Cell::Unset };
    let mut cells = Vec::with_capacity(row.key.len() + row.columns.len() + 4);
    cells.extend(row.key.iter().map(Cell::Value));
    cells.extend(row.columns.iter().map(|value| Cell::or(value.as_ref(), absent)));
    cells.push(Cell::Bigint(row.wts_us));
    cells.push(row.expires_at_ms.map_or(absent, Cell::Bigint));
    cells.push(Cell::Int(item.ttl_s));
    cells.push(Cell::Bigint(server_time(row.wts_us, now_ms)));
    Cells(cells)
}

fn server_time(wts_us: i64, now_ms: i64) -> i64 {
    let (time, cut) = write_time(wts_us, now_ms);
    if cut {
        metrics::counter!(metric::WRITE_TIMES_CUT).increment(1);
    }
    time
}

#[cfg(test)]
mod tests {
    use store::conformance::{event, state};

    use super::*;

    fn sorted(rows: &[Row]) -> Vec<Item<'_>> {
        let (mut items, over) = sort_out(rows, 0).unwrap();
        assert!(over.is_empty());
        keep_what_stays(&mut items);
        items
    }

    #[test]
    fn batches_are_of_one_partition_and_bounded() {
        let mut rows: Vec<Row> = (0..250).map(|n| state("a", n, "x", 1)).collect();
        rows.extend([state("b", 0, "x", 1), event("a", 5, 1), event("a", 6, 1)]);
        rows.extend((0..3).map(|n| state("c", n, &"x".repeat(30_000), 1)));
        let items = sorted(&rows);
        let sizes: Vec<_> = batches(&items).map(<[Item<'_>]>::len).collect();
        assert_eq!(sizes, [2, 100, 100, 50, 1, 2, 1]);
    }

    #[test]
    fn of_several_contents_of_a_row_one_is_sent() {
        let check = |contents: &[(&str, i64)], expected: &str| {
            let rows: Vec<_> = contents.iter().map(|(word, wts)| state("a", 1, word, *wts)).collect();
            let items = sorted(&rows);
            assert_eq!(items.len(), 1);
            assert_eq!(items[0].row.columns[0], Some(Value::Text(expected.to_owned())));
        };
        check(&[("x", 1), ("y", 3), ("z", 2)], "y");
        check(&[("b", 1), ("a", 1)], "b");
        check(&[("a", 1), ("b", 1)], "b");
    }

    #[test]
    fn users_are_not_written_plainly() {
        let row = store::rows::UserRow {
            name: "ana".into(),
            tenant: "default".into(),
            role: "viewer".into(),
            password_hash: "x".into(),
            enabled: true,
            created_at: model::Micros(0),
            updated_at: model::Micros(0),
        };
        assert!(check(&row.to_row()).is_err());
    }
}
