//! What every engine does with the same code, so that engines agree: cursors, which of two contents of a row stays, and the
//! hash of what a store holds.

use super::hash::Fnv128;
use super::{key, value};
use crate::{Row, Scan, StoreError, TableDef, TableDump, Value};

/// Format of cursors. A cursor is this byte, a hash of the query, and the key it ended at.
const CURSOR_FORMAT: u8 = 1;

/// The cursor of a page of `scan` that ends at a row.
///
/// # Errors
/// When the row's key is not of the scan's table.
pub fn cursor_behind(scan: &Scan, row: &Row) -> Result<Vec<u8>, StoreError> {
    let prefix = prefix_of(scan)?;
    Ok(cursor(query_hash(scan, &prefix), &key::encode(scan.table, &row.key)?))
}

/// The key behind which `scan` goes on, partition key first; `None` if it has no cursor.
///
/// # Errors
/// [`StoreError::BadCursor`] when the cursor is of another query or no cursor at all.
pub fn key_to_go_on_behind(scan: &Scan) -> Result<Option<Vec<Value>>, StoreError> {
    let Some(cursor) = &scan.cursor else { return Ok(None) };
    let prefix = prefix_of(scan)?;
    let bytes = key_in_cursor(cursor, query_hash(scan, &prefix), &prefix)?;
    key::decode(scan.table, &bytes).map(Some).ok_or(StoreError::BadCursor)
}

/// A whole key as bytes in the table's order, and how many of them are the partition's.
///
/// # Errors
/// When a value of it cannot be in a key.
pub fn key_bytes(table: &'static TableDef, key: &[Value]) -> Result<(Vec<u8>, usize), StoreError> {
    key::encode_whole(table, key)
}

/// Whether `new` replaces `old` (two contents of one row): the higher write time stays, of two equal ones the larger bytes.
pub fn replaces(new: &Row, old: &Row) -> bool {
    if new.wts_us != old.wts_us {
        return new.wts_us > old.wts_us;
    }
    value::replaces(&value::encode(new), &value::encode(old))
}

/// Whether two lists of columns say the same, doubles by their bits.
pub fn same_columns(a: &[Option<Value>], b: &[Option<Value>]) -> bool {
    let bytes = |columns| {
        let mut bytes = Vec::new();
        value::encode_columns(columns, &mut bytes);
        bytes
    };
    bytes(a) == bytes(b)
}

/// Counts and hashes rows in any order: the sum of the hashes of single rows.
#[derive(Debug, Clone, Copy, Default)]
pub struct RowsHash {
    rows: u64,
    sum: u128,
}

impl RowsHash {
    /// Goes on from a dump.
    pub fn starting_from(dump: &TableDump) -> Self {
        Self {
            rows: dump.rows,
            sum: dump.hash,
        }
    }

    /// Takes a row: key, columns, write time, end. A row whose key cannot be one counts with its columns alone.
    pub fn add(&mut self, row: &Row) {
        let mut hasher = Fnv128::default();
        hasher.write_framed(&key::encode(row.table, &row.key).unwrap_or_default());
        hasher.write_framed(&value::encode(row));
        self.rows += 1;
        self.sum = self.sum.wrapping_add(hasher.finish());
    }

    /// Takes what another one took.
    pub fn join(&mut self, other: Self) {
        self.rows += other.rows;
        self.sum = self.sum.wrapping_add(other.sum);
    }

    /// What was taken, as the dump of a table.
    pub fn dump(self, table: &'static TableDef) -> TableDump {
        TableDump {
            name: table.name,
            rows: self.rows,
            hash: self.sum,
        }
    }
}

/// A checksum of a text, the same in every build: 128-bit FNV-1a in hexadecimal.
pub fn checksum(text: &str) -> String {
    let mut hasher = Fnv128::default();
    hasher.write_framed(text.as_bytes());
    format!("{:032x}", hasher.finish())
}

/// The bytes that all keys of a scan begin with.
fn prefix_of(scan: &Scan) -> Result<Vec<u8>, StoreError> {
    let mut leading = scan.partition.clone();
    leading.extend_from_slice(&scan.prefix);
    key::encode(scan.table, &leading)
}

/// Tells queries apart: `prefix` is what all their keys begin with.
pub(super) fn query_hash(scan: &Scan, prefix: &[u8]) -> u64 {
    let mut hasher = Fnv128::default();
    hasher.write_framed(scan.table.name.as_bytes());
    hasher.write_framed(prefix);
    hasher.write_framed(&[u8::from(scan.reverse)]);
    let hash = hasher.finish();
    u64::try_from(hash >> 64).expect("the upper half")
}

pub(super) fn cursor(query: u64, last_key: &[u8]) -> Vec<u8> {
    let mut bytes = vec![CURSOR_FORMAT];
    bytes.extend_from_slice(&query.to_be_bytes());
    bytes.extend_from_slice(last_key);
    bytes
}

pub(super) fn key_in_cursor(cursor: &[u8], query: u64, prefix: &[u8]) -> Result<Vec<u8>, StoreError> {
    let key = cursor
        .strip_prefix(&[CURSOR_FORMAT])
        .and_then(|rest| rest.strip_prefix(&query.to_be_bytes()))
        .filter(|key| key.starts_with(prefix) && key.len() <= key::ENCODED_BYTES_MAX);
    key.map(<[u8]>::to_vec).ok_or(StoreError::BadCursor)
}
