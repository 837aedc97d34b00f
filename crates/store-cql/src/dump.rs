//! Everything of a table, for comparing: read by ranges of tokens, hashed in any order.

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use store::kit::RowsHash;
use store::{StoreError, TableDef, TableDump};

use crate::engine::CqlStore;
use crate::read::{Pages, is_live};
use crate::values::{Cell, Cells};

/// Into how many ranges the ring of tokens is cut, and how many of them are read at one time.
const RANGES: u64 = 32;
const AT_ONE_TIME: usize = 4;

pub(crate) async fn dump(store: &CqlStore, table: &'static TableDef) -> Result<TableDump, StoreError> {
    store.statements().of(table)?;
    let mut running = FuturesUnordered::new();
    let mut hash = RowsHash::default();
    for range in ranges() {
        if running.len() >= AT_ONE_TIME
            && let Some(part) = running.next().await
        {
            hash.join(part?);
        }
        running.push(one_range(store, table, range));
    }
    while let Some(part) = running.next().await {
        hash.join(part?);
    }
    Ok(hash.dump(table))
}

async fn one_range(store: &CqlStore, table: &'static TableDef, (from, to): (i64, i64)) -> Result<RowsHash, StoreError> {
    let statement = store.statements().token_range(store.session(), table).await?;
    let cells = Cells(vec![Cell::Bigint(from), Cell::Bigint(to)]);
    let mut pages = Pages::new(table, statement, cells);
    let mut hash = RowsHash::default();
    while let Some(rows) = pages.next(&store.reader()).await? {
        let now_ms = store.now_ms();
        rows.iter()
            .filter(|row| is_live(row, now_ms))
            .for_each(|row| hash.add(row));
    }
    Ok(hash)
}

/// First and last token of each range; together all of them.
fn ranges() -> impl Iterator<Item = (i64, i64)> {
    let width = u64::MAX / RANGES + 1;
    (0..RANGES).map(move |i| {
        let first = i * width;
        let last = first + (width - 1);
        // The ring begins at the smallest signed number.
        ((first ^ 1 << 63).cast_signed(), (last ^ 1 << 63).cast_signed())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_the_whole_ring_without_a_gap() {
        let all: Vec<_> = ranges().collect();
        assert_eq!((all[0].0, all[all.len() - 1].1), (i64::MIN, i64::MAX));
        for pair in all.windows(2) {
            assert_eq!(pair[0].1 + 1, pair[1].0);
        }
    }
}
