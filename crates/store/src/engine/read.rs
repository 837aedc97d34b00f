//! Reads: one partition in order, over all keyspaces of its table; and everything of a table, for comparing.

use std::ops::Bound;

use fjall::{Database, Iter, KvPair, Readable};

use super::keyspaces::Keyspaces;
use super::kit::RowsHash;
use super::value::Head;
use super::{engine_error, key, kit, value};
use crate::check::check_scan;
use crate::{Page, Row, Scan, StoreError, TableDef, TableDump};

/// Answers a scan.
pub(super) fn scan(db: &Database, keyspaces: &Keyspaces, scan: &Scan, now_ms: i64) -> Result<Page, StoreError> {
    check_scan(scan)?;
    let mut leading = scan.partition.clone();
    leading.extend_from_slice(&scan.prefix);
    let prefix = key::encode(scan.table, &leading)?;
    let query = kit::query_hash(scan, &prefix);
    let after = scan
        .cursor
        .as_deref()
        .map(|cursor| kit::key_in_cursor(cursor, query, &prefix))
        .transpose()?;
    let mut merged = Merged::new(db, keyspaces, scan.table, &prefix, after.as_deref(), scan.reverse);

    let mut page = Page::default();
    let mut last_key = Vec::new();
    while let Some((key, bytes)) = merged.next()? {
        let head = Head::of(&bytes).ok_or_else(|| damaged(scan.table))?;
        if !head.is_live(now_ms) {
            continue;
        }
        if page.rows.len() == scan.limit {
            page.next = (scan.limit > 0).then(|| kit::cursor(query, &last_key));
            break;
        }
        page.rows.push(row(scan.table, &key, &bytes, head)?);
        last_key = key.to_vec();
    }
    Ok(page)
}

/// Count and hash of all living rows of a table, write times included.
pub(super) fn dump(
    db: &Database,
    keyspaces: &Keyspaces,
    table: &'static TableDef,
    now_ms: i64,
) -> Result<TableDump, StoreError> {
    let mut merged = Merged::new(db, keyspaces, table, &[], None, false);
    let mut hash = RowsHash::default();
    while let Some((key, bytes)) = merged.next()? {
        let head = Head::of(&bytes).ok_or_else(|| damaged(table))?;
        if head.is_live(now_ms) {
            // Read and hashed again, for a row of an earlier build lacks the columns added since.
            hash.add(&row(table, &key, &bytes, head)?);
        }
    }
    Ok(hash.dump(table))
}

fn row(table: &'static TableDef, key: &[u8], bytes: &[u8], head: Head) -> Result<Row, StoreError> {
    Ok(Row {
        table,
        key: key::decode(table, key).ok_or_else(|| damaged(table))?,
        columns: value::decode_columns(table, bytes).ok_or_else(|| damaged(table))?,
        wts_us: head.wts_us,
        expires_at_ms: head.expires_at_ms,
    })
}

fn damaged(table: &TableDef) -> StoreError {
    let problem = "its bytes are not of this table: rebuild the store from the log";
    engine_error(
        &format!("reading a row of {}", table.name),
        std::io::Error::other(problem),
    )
}

/// The rows of several keyspaces in one order. A key that stands in two of them (written once as `later` and again when
/// its month had come near) comes once; such rows never change, so either will do.
struct Merged {
    iters: Vec<Iter>,
    heads: Vec<Option<KvPair>>,
    reverse: bool,
    started: bool,
}

impl Merged {
    fn new(
        db: &Database,
        keyspaces: &Keyspaces,
        table: &TableDef,
        prefix: &[u8],
        after: Option<&[u8]>,
        reverse: bool,
    ) -> Self {
        let whole_end = || key::after_prefix(prefix).map_or(Bound::Unbounded, Bound::Excluded);
        let exclusive = |key: &[u8]| Bound::Excluded(key.to_vec());
        let bounds = match (after, reverse) {
            (None, _) => (Bound::Included(prefix.to_vec()), whole_end()),
            (Some(key), false) => (exclusive(key), whole_end()),
            (Some(key), true) => (Bound::Included(prefix.to_vec()), exclusive(key)),
        };
        // A cursor at the partition's first key, read backwards, leaves an empty range.
        let empty = matches!(&bounds, (Bound::Included(a), Bound::Excluded(b)) if a >= b);
        let snapshot = db.snapshot();
        let iters: Vec<Iter> = if empty {
            vec![]
        } else {
            keyspaces
                .of(table)
                .iter()
                .map(|k| snapshot.range(k, bounds.clone()))
                .collect()
        };
        Self {
            heads: vec![None; iters.len()],
            iters,
            reverse,
            started: false,
        }
    }

    fn next(&mut self) -> Result<Option<KvPair>, StoreError> {
        if !self.started {
            self.started = true;
            for i in 0..self.iters.len() {
                self.advance(i)?;
            }
        }
        let keys = self.heads.iter().flatten().map(|(key, _)| key);
        let first = if self.reverse { keys.max() } else { keys.min() };
        let Some(first) = first.cloned() else { return Ok(None) };
        let mut found = None;
        for i in 0..self.heads.len() {
            if self.heads[i].as_ref().is_some_and(|(key, _)| *key == first) {
                found = self.heads[i].take();
                self.advance(i)?;
            }
        }
        Ok(found)
    }

    fn advance(&mut self, i: usize) -> Result<(), StoreError> {
        let next = if self.reverse {
            self.iters[i].next_back()
        } else {
            self.iters[i].next()
        };
        let pair = next.map(fjall::Guard::into_inner).transpose();
        self.heads[i] = pair.map_err(|e| engine_error("reading a partition", e))?;
        Ok(())
    }
}
