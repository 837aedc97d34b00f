//! Keys as bytes whose order is the table's order.
//!
//! Each value is self-delimiting, so the bytes of a partition key are a prefix of all its rows and of no others: numbers
//! big-endian with the sign bit flipped, texts and blobs with `00` written as `00 FF` and ended by `00 00`. The bytes of a
//! descending column are inverted.

use crate::check::KEY_BYTES_MAX;
use crate::{ColumnType, Order, StoreError, TableDef, Value};

/// Longest key in bytes: every byte of a checked one escaped, and room for what ends each value. fjall takes 64 KiB.
pub(super) const ENCODED_BYTES_MAX: usize = 2 * KEY_BYTES_MAX + 256;

/// Encodes the first values of a key: partition key, then clustering key.
pub(super) fn encode(table: &'static TableDef, values: &[Value]) -> Result<Vec<u8>, StoreError> {
    let mut out = Vec::with_capacity(96);
    for (i, value) in values.iter().enumerate() {
        let start = out.len();
        encode_value(table, value, &mut out)?;
        if order(table, i) == Order::Desc {
            out[start..].iter_mut().for_each(|b| *b = !*b);
        }
    }
    Ok(out)
}

/// Encodes a whole key, and says how many bytes of it are the partition's.
pub(super) fn encode_whole(table: &'static TableDef, values: &[Value]) -> Result<(Vec<u8>, usize), StoreError> {
    let (partition, clustering) = values.split_at(table.partition_key.len().min(values.len()));
    let mut out = encode(table, partition)?;
    let length = out.len();
    for (value, (_, order)) in clustering.iter().zip(table.clustering_key) {
        let start = out.len();
        encode_value(table, value, &mut out)?;
        if *order == Order::Desc {
            out[start..].iter_mut().for_each(|b| *b = !*b);
        }
    }
    Ok((out, length))
}

/// Decodes a whole key; `None` if the bytes are not one.
pub(super) fn decode(table: &'static TableDef, bytes: &[u8]) -> Option<Vec<Value>> {
    let kinds = table
        .partition_key
        .iter()
        .chain(table.clustering_key.iter().map(|(c, _)| c));
    let mut rest = bytes.to_vec();
    let mut values = Vec::with_capacity(table.partition_key.len() + table.clustering_key.len());
    let mut at = 0;
    for (i, column) in kinds.enumerate() {
        // Inverting the whole rest and back keeps one decoder for both orders.
        let descending = order(table, i) == Order::Desc;
        if descending {
            rest[at..].iter_mut().for_each(|b| *b = !*b);
        }
        let (value, length) = decode_value(column.kind, &rest[at..])?;
        if descending {
            rest[at..].iter_mut().for_each(|b| *b = !*b);
        }
        values.push(value);
        at += length;
    }
    (at == bytes.len()).then_some(values)
}

/// The first key after all that begin with `prefix`; `None` if there is none.
pub(super) fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|&b| b != 0xFF)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}

fn order(table: &TableDef, i: usize) -> Order {
    match i.checked_sub(table.partition_key.len()) {
        None => Order::Asc,
        Some(c) => table.clustering_key.get(c).map_or(Order::Asc, |(_, order)| *order),
    }
}

fn encode_value(table: &'static TableDef, value: &Value, out: &mut Vec<u8>) -> Result<(), StoreError> {
    match value {
        Value::Text(text) => escape(text.as_bytes(), out),
        Value::Blob(bytes) => escape(bytes, out),
        Value::Int(n) => out.extend_from_slice(&(n.cast_unsigned() ^ 1 << 31).to_be_bytes()),
        Value::Bigint(n) | Value::Timestamp(n) => {
            out.extend_from_slice(&(n.cast_unsigned() ^ 1 << 63).to_be_bytes());
        }
        Value::Boolean(b) => out.push(u8::from(*b)),
        Value::Double(value) => {
            // A negative one with all bits inverted, any other with the sign bit set: the order of `f64::total_cmp`.
            let bits = value.to_bits();
            let sign = 1 << 63;
            out.extend_from_slice(&(if bits & sign == 0 { bits | sign } else { !bits }).to_be_bytes());
        }
        Value::Map(_) => {
            let problem = "a map cannot be a key".to_owned();
            return Err(StoreError::Invalid {
                table: table.name,
                problem,
            });
        }
    }
    Ok(())
}

fn escape(bytes: &[u8], out: &mut Vec<u8>) {
    for &byte in bytes {
        out.push(byte);
        if byte == 0 {
            out.push(0xFF);
        }
    }
    out.extend_from_slice(&[0, 0]);
}

/// A value and how many bytes it took.
fn decode_value(kind: ColumnType, bytes: &[u8]) -> Option<(Value, usize)> {
    let long = || {
        let raw = u64::from_be_bytes(*bytes.first_chunk()?);
        Some((raw ^ 1 << 63).cast_signed())
    };
    Some(match kind {
        ColumnType::Text => {
            let (raw, length) = unescape(bytes)?;
            (Value::Text(String::from_utf8(raw).ok()?), length)
        }
        ColumnType::Blob => {
            let (raw, length) = unescape(bytes)?;
            (Value::Blob(raw), length)
        }
        ColumnType::Int => {
            let raw = u32::from_be_bytes(*bytes.first_chunk()?);
            (Value::Int((raw ^ 1 << 31).cast_signed()), 4)
        }
        ColumnType::Bigint => (Value::Bigint(long()?), 8),
        ColumnType::Timestamp => (Value::Timestamp(long()?), 8),
        ColumnType::Boolean => (Value::Boolean(*bytes.first()? != 0), 1),
        ColumnType::Double => {
            let raw = u64::from_be_bytes(*bytes.first_chunk()?);
            let bits = if raw >> 63 == 0 { !raw } else { raw ^ 1 << 63 };
            (Value::Double(f64::from_bits(bits)), 8)
        }
        ColumnType::Map => return None,
    })
}

fn unescape(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
    let mut raw = Vec::new();
    let mut i = 0;
    loop {
        match (bytes.get(i)?, bytes.get(i + 1)) {
            (0, Some(0)) => return Some((raw, i + 2)),
            (0, Some(0xFF)) => {
                raw.push(0);
                i += 2;
            }
            (0, _) => return None,
            (&byte, _) => {
                raw.push(byte);
                i += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use proptest::prelude::*;

    use super::*;
    use crate::Column;

    const fn column(name: &'static str, kind: ColumnType) -> Column {
        Column { name, kind }
    }

    static TABLE: TableDef = TableDef {
        name: "keys",
        partition_key: &[column("p", ColumnType::Text), column("n", ColumnType::Int)],
        clustering_key: &[
            (column("at", ColumnType::Timestamp), Order::Desc),
            (column("id", ColumnType::Blob), Order::Desc),
            (column("name", ColumnType::Text), Order::Asc),
            (column("flag", ColumnType::Boolean), Order::Asc),
            (column("big", ColumnType::Bigint), Order::Asc),
        ],
        columns: &[],
        retention: None,
        mutable: true,
    };

    type Key = (String, i32, i64, Vec<u8>, String, bool, i64);

    fn values(k: &Key) -> Vec<Value> {
        vec![
            Value::Text(k.0.clone()),
            Value::Int(k.1),
            Value::Timestamp(k.2),
            Value::Blob(k.3.clone()),
            Value::Text(k.4.clone()),
            Value::Boolean(k.5),
            Value::Bigint(k.6),
        ]
    }

    fn expected_order(a: &Key, b: &Key) -> Ordering {
        (&a.0, a.1)
            .cmp(&(&b.0, b.1))
            .then_with(|| b.2.cmp(&a.2))
            .then_with(|| b.3.cmp(&a.3))
            .then_with(|| (&a.4, a.5, a.6).cmp(&(&b.4, b.5, b.6)))
    }

    fn keys() -> impl Strategy<Value = Key> {
        let text = proptest::collection::vec(prop_oneof![Just('\0'), Just('a'), Just('é'), Just('\u{10FFFF}')], 0..4)
            .prop_map(String::from_iter);
        let blob = proptest::collection::vec(prop_oneof![Just(0u8), Just(1), Just(0xFF)], 0..4);
        let long = prop_oneof![Just(i64::MIN), Just(-1), Just(0), Just(1), Just(i64::MAX)];
        (text.clone(), -2..2i32, long.clone(), blob, text, any::<bool>(), long)
    }

    #[test]
    fn doubles_are_in_order_and_read_back() {
        let values = [
            f64::NEG_INFINITY,
            -1e140,
            -20.1,
            -20.0,
            -0.0,
            0.0,
            1e-300,
            3.5,
            f64::MAX,
            f64::INFINITY,
        ];
        let bytes: Vec<Vec<u8>> = values
            .iter()
            .map(|value| {
                let mut out = Vec::new();
                encode_value(&TABLE, &Value::Double(*value), &mut out).unwrap();
                assert_eq!(decode_value(ColumnType::Double, &out), Some((Value::Double(*value), 8)));
                out
            })
            .collect();
        assert!(bytes.is_sorted());
    }

    proptest! {
        #[test]
        fn bytes_are_in_the_tables_order_and_read_back(a in keys(), b in keys()) {
            let (bytes_a, bytes_b) = (encode(&TABLE, &values(&a)).unwrap(), encode(&TABLE, &values(&b)).unwrap());
            prop_assert_eq!(bytes_a.cmp(&bytes_b), expected_order(&a, &b));
            prop_assert_eq!(decode(&TABLE, &bytes_a), Some(values(&a)));
            let partition_bytes = encode(&TABLE, &values(&a)[..2]).unwrap().len();
            prop_assert_eq!(encode_whole(&TABLE, &values(&a)).unwrap(), (bytes_a.clone(), partition_bytes));
            // A partition's bytes are in front of its own rows only.
            let partition = encode(&TABLE, &values(&a)[..2]).unwrap();
            prop_assert_eq!(bytes_b.starts_with(&partition), (&a.0, a.1) == (&b.0, b.1));
            prop_assert!(after_prefix(&partition).is_none_or(|end| bytes_a < end));
        }

        #[test]
        fn any_bytes_decode_or_not_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Some(values) = decode(&TABLE, &bytes) {
                prop_assert_eq!(encode(&TABLE, &values).unwrap().len(), bytes.len());
            }
        }
    }
}
