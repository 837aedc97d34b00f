//! Between a row's values and the bytes of the protocol.

use scylla::errors::SerializationError;
use scylla::serialize::row::{RowSerializationContext, SerializeRow};
use scylla::serialize::writers::{CellWriter, RowWriter};
use scylla::value::CqlValue;
use store::{Column, ColumnType, Row, TableDef, Value};
use thiserror::Error;

/// A value on its way to the servers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cell<'a> {
    /// A value of a row.
    Value(&'a Value),
    /// A 32-bit number of a statement.
    Int(i32),
    /// A 64-bit number or an instant.
    Bigint(i64),
    /// Written as null: what stood there goes.
    Null,
    /// Not written: leaves no mark behind.
    Unset,
}

impl<'a> Cell<'a> {
    /// A column's value, or nothing in its place.
    pub(crate) fn or(value: Option<&'a Value>, absent: Self) -> Self {
        value.map_or(absent, Cell::Value)
    }
}

/// The values of one statement, in its order. Their types are the tables' own, checked before.
#[derive(Debug, Default)]
pub(crate) struct Cells<'a>(pub(crate) Vec<Cell<'a>>);

#[derive(Debug, Error)]
enum Misfit {
    #[error("a statement of {expected} values was given {given}: the tables are not those of this build")]
    Count { expected: usize, given: usize },
    #[error("a value of more than 2 GiB")]
    TooLarge,
}

impl SerializeRow for Cells<'_> {
    fn serialize(&self, ctx: &RowSerializationContext<'_>, writer: &mut RowWriter) -> Result<(), SerializationError> {
        let expected = ctx.columns().len();
        let given = self.0.len();
        if expected != given {
            return Err(SerializationError::new(Misfit::Count { expected, given }));
        }
        for cell in &self.0 {
            write(*cell, writer.make_cell_writer()).ok_or_else(|| SerializationError::new(Misfit::TooLarge))?;
        }
        Ok(())
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn write(cell: Cell<'_>, to: CellWriter<'_>) -> Option<()> {
    let written = match cell {
        Cell::Null => Ok(to.set_null()),
        Cell::Unset => Ok(to.set_unset()),
        Cell::Int(n) => to.set_value(&n.to_be_bytes()),
        Cell::Bigint(n) => to.set_value(&n.to_be_bytes()),
        Cell::Value(Value::Text(text)) => to.set_value(text.as_bytes()),
        Cell::Value(Value::Blob(bytes)) => to.set_value(bytes),
        Cell::Value(Value::Int(n)) => to.set_value(&n.to_be_bytes()),
        Cell::Value(Value::Bigint(n) | Value::Timestamp(n)) => to.set_value(&n.to_be_bytes()),
        Cell::Value(Value::Double(n)) => to.set_value(&n.to_bits().to_be_bytes()),
        Cell::Value(Value::Boolean(b)) => to.set_value(&[u8::from(*b)]),
        Cell::Value(Value::Map(map)) => {
            let mut builder = to.into_value_builder();
            builder.append_bytes(&i32::try_from(map.len()).ok()?.to_be_bytes());
            for text in map.iter().flat_map(|(key, value)| [key, value]) {
                builder.make_sub_writer().set_value(text.as_bytes()).ok()?;
            }
            builder.finish()
        }
    };
    written.is_ok().then_some(())
}

/// Bytes of a row's values, roughly: for the size of batches.
pub(crate) fn size_of(row: &Row) -> usize {
    let size = |value: &Value| match value {
        Value::Text(text) => text.len(),
        Value::Blob(bytes) => bytes.len(),
        Value::Map(map) => map.iter().map(|(k, v)| k.len() + v.len() + 8).sum(),
        Value::Int(_) | Value::Bigint(_) | Value::Double(_) | Value::Boolean(_) | Value::Timestamp(_) => 8,
    };
    let values = row.key.iter().chain(row.columns.iter().flatten());
    values.map(|value| size(value) + 4).sum()
}

/// A row as it was answered: key, columns, write time, end, in the order of [`crate::statements::all_columns`]. Outer `None`: the servers' values
/// are not of this table. Inner `None`: what is left of a row whose end has come, no row any more.
pub(crate) fn row_of(table: &'static TableDef, values: Vec<Option<CqlValue>>) -> Option<Option<Row>> {
    let mut values = values.into_iter();
    let keys = table
        .partition_key
        .iter()
        .chain(table.clustering_key.iter().map(|(column, _)| column));
    let mut key = Vec::with_capacity(table.partition_key.len() + table.clustering_key.len());
    for column in keys {
        key.push(value_of(column, values.next()??)?);
    }
    let mut columns = Vec::with_capacity(table.columns.len());
    for column in table.columns {
        columns.push(match values.next()? {
            None | Some(CqlValue::Empty) => None,
            Some(value) => Some(value_of(column, value)?),
        });
    }
    let (wts, ends_at) = (values.next()?, values.next()?);
    let Some(CqlValue::BigInt(wts_us)) = wts else {
        return wts.is_none().then_some(None);
    };
    let expires_at_ms = match ends_at {
        None => None,
        Some(CqlValue::Timestamp(at)) => Some(at.0),
        Some(_) => return None,
    };
    Some(Some(Row {
        table,
        key,
        columns,
        wts_us,
        expires_at_ms,
    }))
}

fn value_of(column: &Column, value: CqlValue) -> Option<Value> {
    Some(match (column.kind, value) {
        (ColumnType::Text, CqlValue::Text(text)) => Value::Text(text),
        (ColumnType::Int, CqlValue::Int(n)) => Value::Int(n),
        (ColumnType::Bigint, CqlValue::BigInt(n)) => Value::Bigint(n),
        (ColumnType::Double, CqlValue::Double(n)) => Value::Double(n),
        (ColumnType::Boolean, CqlValue::Boolean(b)) => Value::Boolean(b),
        (ColumnType::Timestamp, CqlValue::Timestamp(at)) => Value::Timestamp(at.0),
        (ColumnType::Blob, CqlValue::Blob(bytes)) => Value::Blob(bytes),
        (ColumnType::Map, CqlValue::Map(pairs)) => {
            let pair = |pair| match pair {
                (CqlValue::Text(key), CqlValue::Text(value)) => Some((key, value)),
                _ => None,
            };
            Value::Map(pairs.into_iter().map(pair).collect::<Option<_>>()?)
        }
        _ => return None,
    })
}
