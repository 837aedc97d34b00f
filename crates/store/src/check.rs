//! Whether rows and reads fit their table: the same for every engine, so a bug of a caller shows on each.

use crate::{Column, ColumnType, Row, Scan, StoreError, TableDef, Value};

/// Most bytes of text and blobs in a key: an event's, the longest of the product, are an entity's id and a record id with
/// that id in it, under 1 KiB.
pub const KEY_BYTES_MAX: usize = 4 * 1024;
/// Most bytes of text, blobs and maps in a row's columns: twice the largest record of the log.
pub const ROW_BYTES_MAX: usize = 512 * 1024;

/// Checks a whole row. What passes is refused by no engine.
///
/// # Errors
/// [`StoreError::Invalid`] when a key value is missing or of another type, when not every column is given (a partial row
/// would mix with the one before), when it is too large, or when a row of a table with retention does not say when it ends.
pub fn check_row(row: &Row) -> Result<(), StoreError> {
    let table = row.table;
    check_key(table, &row.key)?;
    if row.columns.len() != table.columns.len() {
        let problem = format!(
            "{} of {} columns given: rows are written whole",
            row.columns.len(),
            table.columns.len()
        );
        return Err(invalid(table, problem));
    }
    for (column, value) in table.columns.iter().zip(&row.columns) {
        if let Some(value) = value {
            check_type(table, column, value)?;
        }
    }
    let bytes: usize = row.columns.iter().flatten().map(payload_bytes).sum();
    if bytes > ROW_BYTES_MAX {
        return Err(invalid(
            table,
            format!("a row of {bytes} bytes, at most {ROW_BYTES_MAX} are kept"),
        ));
    }
    if table.retention.is_some() && row.expires_at_ms.is_none() {
        return Err(invalid(
            table,
            "a row of a table with retention has to say when it ends".to_owned(),
        ));
    }
    Ok(())
}

/// Checks a whole key.
///
/// # Errors
/// [`StoreError::Invalid`] when a value is missing, too many, or of another type, or the partition key is empty.
pub fn check_key(table: &'static TableDef, key: &[Value]) -> Result<(), StoreError> {
    check_values(
        table,
        key_columns(table),
        key,
        table.partition_key.len() + table.clustering_key.len(),
        "key",
    )?;
    if is_empty_partition(&key[..table.partition_key.len()]) {
        return Err(invalid(table, "an empty partition key".to_owned()));
    }
    Ok(())
}

/// Whether these values are a partition key without a single byte: CQL has no such partition, so none is ever written.
pub fn is_empty_partition(partition: &[Value]) -> bool {
    match partition {
        [Value::Text(text)] => text.is_empty(),
        [Value::Blob(bytes)] => bytes.is_empty(),
        _ => false,
    }
}

/// Checks a read.
///
/// # Errors
/// [`StoreError::Invalid`] when the partition key is not whole, or the prefix does not fit the clustering key.
pub fn check_scan(scan: &Scan) -> Result<(), StoreError> {
    let table = scan.table;
    let partition = table.partition_key.iter().copied();
    check_values(
        table,
        partition,
        &scan.partition,
        table.partition_key.len(),
        "partition key",
    )?;
    if scan.prefix.len() > table.clustering_key.len() {
        let problem = format!(
            "a prefix of {} values, the clustering key has {}",
            scan.prefix.len(),
            table.clustering_key.len()
        );
        return Err(invalid(table, problem));
    }
    let clustering = table.clustering_key.iter().map(|(column, _)| *column);
    check_values(table, clustering, &scan.prefix, scan.prefix.len(), "prefix")
}

fn key_columns(table: &'static TableDef) -> impl Iterator<Item = Column> {
    let clustering = table.clustering_key.iter().map(|(column, _)| *column);
    table.partition_key.iter().copied().chain(clustering)
}

fn check_values(
    table: &'static TableDef,
    columns: impl Iterator<Item = Column>,
    values: &[Value],
    expected: usize,
    what: &str,
) -> Result<(), StoreError> {
    if values.len() != expected {
        return Err(invalid(
            table,
            format!("a {what} of {} values instead of {expected}", values.len()),
        ));
    }
    for (column, value) in columns.zip(values) {
        check_type(table, &column, value)?;
    }
    let bytes: usize = values.iter().map(payload_bytes).sum();
    if bytes > KEY_BYTES_MAX {
        return Err(invalid(
            table,
            format!("a {what} of {bytes} bytes, at most {KEY_BYTES_MAX} are kept"),
        ));
    }
    Ok(())
}

fn check_type(table: &'static TableDef, column: &Column, value: &Value) -> Result<(), StoreError> {
    let fits = matches!(
        (column.kind, value),
        (ColumnType::Text, Value::Text(_))
            | (ColumnType::Int, Value::Int(_))
            | (ColumnType::Bigint, Value::Bigint(_))
            | (ColumnType::Double, Value::Double(_))
            | (ColumnType::Boolean, Value::Boolean(_))
            | (ColumnType::Timestamp, Value::Timestamp(_))
            | (ColumnType::Blob, Value::Blob(_))
            | (ColumnType::Map, Value::Map(_))
    );
    if fits {
        Ok(())
    } else {
        Err(invalid(
            table,
            format!("column {} is not a {:?}", column.name, column.kind),
        ))
    }
}

/// Bytes of what has no fixed length.
fn payload_bytes(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::Blob(bytes) => bytes.len(),
        Value::Map(map) => map.iter().map(|(key, value)| key.len() + value.len()).sum(),
        Value::Int(_) | Value::Bigint(_) | Value::Double(_) | Value::Boolean(_) | Value::Timestamp(_) => 8,
    }
}

fn invalid(table: &'static TableDef, problem: String) -> StoreError {
    StoreError::Invalid {
        table: table.name,
        problem,
    }
}
