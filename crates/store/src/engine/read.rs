//! Reads: one partition in order, over all keyspaces of its table; and everything of a table, for comparing.

use std::ops::Bound;

use fjall::{Database, Iter, KvPair, Readable};

use super::keyspaces::Keyspaces;
use super::value::Head;
use super::{engine_error, hash, key, value};
use crate::check::check_scan;
use crate::{Page, Row, Scan, StoreError, TableDef};

/// Format of cursors. A cursor is this byte, a hash of the query, and the key it ended at.
const CURSOR_FORMAT: u8 = 1;

/// Answers a scan.
pub(super) fn scan(db: &Database, keyspaces: &Keyspaces, scan: &Scan, now_ms: i64) -> Result<Page, StoreError> {
    check_scan(scan)?;
    let mut leading = scan.partition.clone();
    leading.extend_from_slice(&scan.prefix);
    let prefix = key::encode(scan.table, &leading)?;
    let query = query_hash(scan, &prefix);
    let after = scan
        .cursor
        .as_deref()
        .map(|cursor| key_in_cursor(cursor, query, &prefix))
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
            page.next = (scan.limit > 0).then(|| cursor(query, &last_key));
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
) -> Result<(u64, u128), StoreError> {
    let mut merged = Merged::new(db, keyspaces, table, &[], None, false);
    let mut count = 0;
    let mut hasher = hash::Fnv128::default();
    while let Some((key, bytes)) = merged.next()? {
        if Head::of(&bytes).ok_or_else(|| damaged(table))?.is_live(now_ms) {
            count += 1;
            hasher.write_framed(&key);
            hasher.write_framed(&bytes);
        }
    }
    Ok((count, hasher.finish()))
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

fn query_hash(scan: &Scan, prefix: &[u8]) -> u64 {
    let mut hasher = hash::Fnv128::default();
    hasher.write_framed(scan.table.name.as_bytes());
    hasher.write_framed(prefix);
    hasher.write_framed(&[u8::from(scan.reverse)]);
    let hash = hasher.finish();
    u64::try_from(hash >> 64).expect("the upper half")
}

fn cursor(query: u64, last_key: &[u8]) -> Vec<u8> {
    let mut bytes = vec![CURSOR_FORMAT];
    bytes.extend_from_slice(&query.to_be_bytes());
    bytes.extend_from_slice(last_key);
    bytes
}

fn key_in_cursor(cursor: &[u8], query: u64, prefix: &[u8]) -> Result<Vec<u8>, StoreError> {
    let key = cursor
        .strip_prefix(&[CURSOR_FORMAT])
        .and_then(|rest| rest.strip_prefix(&query.to_be_bytes()))
        .filter(|key| key.starts_with(prefix) && key.len() <= key::ENCODED_BYTES_MAX);
    key.map(<[u8]>::to_vec).ok_or(StoreError::BadCursor)
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
