//! Values as bytes: kind, write time, end, columns.
//!
//! `kind` 0 is a row, 1 the mark of a deleted one. Write time and end are 8 bytes each, big-endian, the end `i64::MAX` if
//! there is none. Each column is a tag, and for what has no fixed length 4 bytes of it (big-endian). Columns are only ever
//! added at the end of a table: a row from before reads with the new ones absent.

use std::collections::BTreeMap;

use crate::{Row, TableDef, Value};

const NEVER: i64 = i64::MAX;
const HEAD_BYTES: usize = 17;

/// What stands in front of the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// The row was deleted.
    pub(super) deleted: bool,
    /// Its write time.
    pub(super) wts_us: i64,
    /// When it is gone; of a deletion's mark: when it may be forgotten.
    pub(super) expires_at_ms: Option<i64>,
}

impl Head {
    /// Reads it; `None` if the bytes are too short.
    pub(super) fn of(value: &[u8]) -> Option<Self> {
        let (kind, rest) = value.split_first()?;
        let (wts, rest) = rest.split_first_chunk()?;
        let (end, _) = rest.split_first_chunk()?;
        let end = i64::from_be_bytes(*end);
        Some(Self {
            deleted: *kind != 0,
            wts_us: i64::from_be_bytes(*wts),
            expires_at_ms: (end != NEVER).then_some(end),
        })
    }

    /// Whether there is a row to be read at this time.
    pub(super) fn is_live(self, now_ms: i64) -> bool {
        !self.deleted && !self.is_over(now_ms)
    }

    /// Whether its end has come.
    pub(super) fn is_over(self, now_ms: i64) -> bool {
        self.expires_at_ms.is_some_and(|end| end <= now_ms)
    }

    fn write(self, out: &mut Vec<u8>) {
        out.push(u8::from(self.deleted));
        out.extend_from_slice(&self.wts_us.to_be_bytes());
        out.extend_from_slice(&self.expires_at_ms.unwrap_or(NEVER).to_be_bytes());
    }
}

/// The bytes of a row that has been checked.
pub(super) fn encode(row: &Row) -> Vec<u8> {
    let mut out = Vec::with_capacity(192);
    let head = Head {
        deleted: false,
        wts_us: row.wts_us,
        expires_at_ms: row.expires_at_ms,
    };
    head.write(&mut out);
    encode_columns(&row.columns, &mut out);
    out
}

/// The mark of a deleted row.
pub(super) fn deletion(wts_us: i64, forget_at_ms: i64) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEAD_BYTES);
    Head {
        deleted: true,
        wts_us,
        expires_at_ms: Some(forget_at_ms),
    }
    .write(&mut out);
    out
}

/// The same row at another write time.
pub(super) fn at_write_time(mut value: Vec<u8>, wts_us: i64) -> Vec<u8> {
    value[1..9].copy_from_slice(&wts_us.to_be_bytes());
    value
}

/// The columns' bytes, for comparing contents.
pub(super) fn columns_of(value: &[u8]) -> &[u8] {
    value.get(HEAD_BYTES..).unwrap_or_default()
}

/// Bytes of columns alone.
pub(super) fn encode_columns(columns: &[Option<Value>], out: &mut Vec<u8>) {
    for column in columns {
        match column {
            None => out.push(0),
            Some(value) => encode_value(value, out),
        }
    }
}

/// Reads the columns of a row; `None` if the bytes are not its table's.
pub(super) fn decode_columns(table: &TableDef, value: &[u8]) -> Option<Vec<Option<Value>>> {
    let mut rest = value.get(HEAD_BYTES..)?;
    let mut columns = Vec::with_capacity(table.columns.len());
    for _ in table.columns {
        columns.push(if rest.is_empty() {
            None
        } else {
            decode_value(&mut rest)?
        });
    }
    rest.is_empty().then_some(columns)
}

/// Whether `new` replaces `old`: the higher write time stays, of two equal ones a deletion, then the larger bytes. So the
/// result does not depend on the order in which they come.
pub(super) fn replaces(new: &[u8], old: &[u8]) -> bool {
    match (Head::of(new), Head::of(old)) {
        (Some(n), Some(o)) => (n.wts_us, n.deleted, new) > (o.wts_us, o.deleted, old),
        (Some(_), None) => true,
        (None, _) => false,
    }
}

fn encode_value(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Text(text) => {
            out.push(1);
            bytes(text.as_bytes(), out);
        }
        Value::Int(n) => {
            out.push(2);
            out.extend_from_slice(&n.to_be_bytes());
        }
        Value::Bigint(n) => {
            out.push(3);
            out.extend_from_slice(&n.to_be_bytes());
        }
        Value::Double(n) => {
            out.push(4);
            out.extend_from_slice(&n.to_bits().to_be_bytes());
        }
        Value::Boolean(b) => out.extend_from_slice(&[5, u8::from(*b)]),
        Value::Timestamp(n) => {
            out.push(6);
            out.extend_from_slice(&n.to_be_bytes());
        }
        Value::Blob(blob) => {
            out.push(7);
            bytes(blob, out);
        }
        Value::Map(map) => {
            out.push(8);
            length(map.len(), out);
            for (key, value) in map {
                bytes(key.as_bytes(), out);
                bytes(value.as_bytes(), out);
            }
        }
    }
}

fn length(n: usize, out: &mut Vec<u8>) {
    // Far below: rows are checked against their limit first.
    out.extend_from_slice(&u32::try_from(n).unwrap_or(u32::MAX).to_be_bytes());
}

fn bytes(raw: &[u8], out: &mut Vec<u8>) {
    length(raw.len(), out);
    out.extend_from_slice(raw);
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk()?;
    *rest = tail;
    Some(*head)
}

fn take_bytes(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let length = usize::try_from(u32::from_be_bytes(take(rest)?)).ok()?;
    let (head, tail) = rest.split_at_checked(length)?;
    *rest = tail;
    Some(head.to_vec())
}

fn take_text(rest: &mut &[u8]) -> Option<String> {
    String::from_utf8(take_bytes(rest)?).ok()
}

/// Outer `None`: damaged. Inner: absent.
fn decode_value(rest: &mut &[u8]) -> Option<Option<Value>> {
    let [tag] = take(rest)?;
    Some(Some(match tag {
        0 => return Some(None),
        1 => Value::Text(take_text(rest)?),
        2 => Value::Int(i32::from_be_bytes(take(rest)?)),
        3 => Value::Bigint(i64::from_be_bytes(take(rest)?)),
        4 => Value::Double(f64::from_bits(u64::from_be_bytes(take(rest)?))),
        5 => Value::Boolean(take::<1>(rest)? != [0]),
        6 => Value::Timestamp(i64::from_be_bytes(take(rest)?)),
        7 => Value::Blob(take_bytes(rest)?),
        8 => {
            let pairs = u32::from_be_bytes(take(rest)?);
            let mut map = BTreeMap::new();
            for _ in 0..pairs {
                map.insert(take_text(rest)?, take_text(rest)?);
            }
            Value::Map(map)
        }
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Column, ColumnType};

    const fn column(name: &'static str, kind: ColumnType) -> Column {
        Column { name, kind }
    }

    static TABLE: TableDef = TableDef {
        name: "values",
        partition_key: &[column("p", ColumnType::Int)],
        clustering_key: &[],
        columns: &[
            column("text", ColumnType::Text),
            column("int", ColumnType::Int),
            column("bigint", ColumnType::Bigint),
            column("double", ColumnType::Double),
            column("boolean", ColumnType::Boolean),
            column("timestamp", ColumnType::Timestamp),
            column("blob", ColumnType::Blob),
            column("map", ColumnType::Map),
        ],
        retention: None,
        mutable: true,
    };

    fn row(columns: Vec<Option<Value>>) -> Row {
        Row {
            table: &TABLE,
            key: vec![Value::Int(1)],
            columns,
            wts_us: -7,
            expires_at_ms: Some(9),
        }
    }

    fn full() -> Vec<Option<Value>> {
        let map = BTreeMap::from([("a".to_owned(), "ação".to_owned()), (String::new(), String::new())]);
        [
            Value::Text("x".to_owned()),
            Value::Int(-1),
            Value::Bigint(i64::MIN),
            Value::Double(-0.5),
            Value::Boolean(true),
            Value::Timestamp(3),
            Value::Blob(vec![0, 255]),
            Value::Map(map),
        ]
        .map(Some)
        .to_vec()
    }

    #[test]
    fn rows_read_back_whole_and_unset() {
        for columns in [full(), vec![None; 8]] {
            let bytes = encode(&row(columns.clone()));
            assert_eq!(
                Head::of(&bytes),
                Some(Head {
                    deleted: false,
                    wts_us: -7,
                    expires_at_ms: Some(9)
                })
            );
            assert_eq!(decode_columns(&TABLE, &bytes), Some(columns));
        }
        let earlier = encode(&row(full()[..3].to_vec()));
        assert_eq!(decode_columns(&TABLE, &earlier).unwrap()[3..], vec![None; 5]);
    }

    proptest! {
        #[test]
        fn damaged_bytes_are_none_and_never_a_panic(at in 0usize..120, flip in 1u8..) {
            let mut bytes = encode(&row(full()));
            let at = at % bytes.len();
            drop(decode_columns(&TABLE, &bytes[..at]));
            bytes[at] ^= flip;
            drop(decode_columns(&TABLE, &bytes));
        }
    }

    #[test]
    fn the_last_write_stays_whatever_the_order() {
        let value = |wts: i64, text: &str| {
            let mut r = row(full());
            r.wts_us = wts;
            r.columns[0] = Some(Value::Text(text.to_owned()));
            encode(&r)
        };
        let check = |higher: &[u8], lower: &[u8]| {
            assert!(replaces(higher, lower));
            assert!(!replaces(lower, higher));
            assert!(!replaces(higher, higher));
        };
        check(&value(2, "a"), &value(1, "b"));
        check(&value(0, "a"), &value(-1, "b"));
        check(&value(1, "b"), &value(1, "a"));
        check(&deletion(1, 0), &value(1, "z"));
        check(&value(2, "a"), &deletion(1, i64::MAX));
    }
}
